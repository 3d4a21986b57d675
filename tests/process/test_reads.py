"""Who read a folder: every node that the directory lists is held to what it anchored on the chain."""
import json
import os

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_account import Account
from eth_utils import keccak, to_checksum_address

from hospitals import Two
from machine import Consortium, Node, Refused, wait_for

OPTIONS = ["--anchor-ms", "200"]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    made = Two(Consortium(tmp_path_factory.mktemp("reads"), node_options=OPTIONS))
    made.record = made.add("bl-one")["record"]
    yield made
    assert made.c.node.stop() == 0, made.c.node.log.read_text()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Another deployment, whose directory lists other nodes that do not answer."""
    made = Two(Consortium(tmp_path_factory.mktemp("pair"), node_options=OPTIONS))
    made.record = made.add("bl-one")["record"]
    yield made
    assert made.c.node.stop() == 0, made.c.node.log.read_text()


def reads_of(two, *more):
    return two.c.run("bl-one-patient", "access", "reads", "--folder", two.folders["bl-one"], *more)


def anchored(two):
    """The report once all reads stand on the chain."""
    return wait_for(lambda: (report := reads_of(two)) and all(r["anchored"] for r in report["reads"]) and report,
                    seconds=120)


def read(two, name="bl-one"):
    return two.ask(name, "part", "records", two.record)[0]


def test_reads_and_refusals_are_proved(two):
    assert read(two) == 200 and read(two, "bl-two") == 403
    report = anchored(two)
    assert [r["outcome"] for r in report["reads"]][:2] == ["refused", "served"]
    assert [r["who"] for r in report["reads"]][:2] == [two.c.accounts[name] for name in ("bl-two", "bl-one")]
    assert {r["item"] for r in report["reads"]} == {two.record}
    (node,) = report["nodes"]
    assert report["complete"] and node["proved"] and node["entries"] == len(report["reads"])
    assert node["node"].lower() == two.deployment["sealer"].lower() and node["url"] == two.c.node.url


def test_the_newest_ones_alone(two):
    for _ in range(3):
        assert read(two) == 200
    whole = anchored(two)["reads"]
    assert reads_of(two, "--limit", 2)["reads"] == whole[:2]


def test_a_folder_that_nobody_read_is_proved_to_be_so(two):
    report = two.c.run("bl-two-patient", "access", "reads", "--folder", two.folders["bl-two"])
    assert report["reads"] == [] and report["complete"] and report["nodes"][0]["proved"]


def test_what_was_served_survives_a_kill(two):
    before = anchored(two)["reads"]
    assert read(two) == 200
    two.c.node.kill()
    two.c.node = Node(two.c.data, "node", *OPTIONS, port=two.c.node.port)
    report = anchored(two)
    assert report["complete"] and report["reads"][1:] == before and len(report["reads"]) == len(before) + 1


def new_node(pair, title):
    """Another node that the directory lists: its key."""
    path = pair.c.folder / f"{title}.key"
    path.write_text(os.urandom(32).hex() + "\n")
    path.chmod(0o600)
    pair.c.list_actor("registrar-1", title, "node", "--node-key", path)
    return Account.from_key(path.read_text().strip())


def test_a_node_that_never_anchored_has_served_nothing(pair):
    silent = new_node(pair, "Node 3").address
    try:
        report = reads_of(pair)
    except Refused as incomplete:
        report = incomplete.report
    node = next(n for n in report["nodes"] if n["node"] == silent)
    assert node["proved"] and node["entries"] == 0 and "url" not in node


def anchor(pair, key, root, count):
    data = keccak(text="anchorAudit(bytes32,uint64)")[:4] + root + count.to_bytes(32, "big")
    nonce = int(pair.c.rpc("eth_getTransactionCount", key.address, "latest"), 16)
    signed = key.sign_transaction({"to": to_checksum_address(pair.deployment["consent"]["address"]), "data": data,
                                   "gas": 200_000, "gasPrice": 0, "nonce": nonce,
                                   "chainId": pair.deployment["chainId"]})
    sent = pair.c.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
    assert pair.c.node.receipt(sent)["status"] == "0x1"


@pytest.fixture(scope="module")
def anchoring(pair):
    """A node that has anchored three reads."""
    key = new_node(pair, "Node 2")
    anchor(pair, key, b"\x77" * 32, 3)
    return key


def unproved(pair, other, *more):
    with pytest.raises(Refused) as caught:
        reads_of(pair, *more)
    report = caught.value.report
    assert caught.value.code == 3 and report["complete"] is False
    nodes = {node["node"].lower(): node for node in report["nodes"]}
    honest, missing = nodes[pair.deployment["sealer"].lower()], nodes[other.address.lower()]
    assert honest["proved"] and len(report["reads"]) == honest["entries"], report
    assert not missing["proved"], report
    return missing["fault"]


def test_a_node_that_anchored_and_does_not_answer_is_named(pair, anchoring):
    for more, why in (([], "was not asked"), (["--node", f"{anchoring.address}=http://127.0.0.1:1"], "127.0.0.1:1"),
                      (["--node", f"{anchoring.address}={pair.c.node.url}"], "were not served")):
        assert why in unproved(pair, anchoring, *more)


def trust(pair, **changed):
    path = pair.c.folder / "changed.json"
    path.write_text(json.dumps({**json.loads(pair.c.deployment.read_text()), **changed}))
    return pair.c.run("bl-one-patient", "trust", path)


def test_nodes_that_the_deployment_names_are_asked_without_being_told(pair, anchoring):
    """Where they are may change; what is pinned may not."""
    try:
        trust(pair, nodes=[{"account": anchoring.address, "url": "http://127.0.0.1:1"}])
        assert "127.0.0.1:1" in unproved(pair, anchoring)
        assert "were not served" in unproved(pair, anchoring, "--node", f"{anchoring.address}={pair.c.node.url}")
        assert trust(pair, nodes=[{"account": anchoring.address, "url": pair.c.node.url}])["nodes"] == 1
        assert "were not served" in unproved(pair, anchoring)
    finally:
        trust(pair)
    for other in ({"registrars": pair.deployment["registrars"][:1], "threshold": 1},
                  {"consent": pair.deployment["folders"]}):
        with pytest.raises(Refused) as caught:
            trust(pair, **other)
        assert caught.value.code == 3 and "trusts another deployment already" in caught.value.report["error"]


@pytest.mark.parametrize("value", ["0x12=http://a", "0x" + "11" * 20, "0x" + "11" * 20 + ":http://a"])
def test_a_malformed_address_of_a_node(pair, value):
    with pytest.raises(Refused) as caught:
        reads_of(pair, "--node", value)
    assert caught.value.code == 2 and "ADDRESS=URL" in json.dumps(caught.value.report)
