"""What several registrars sign: who they are, an actor's standing, a key for an account that was lost. On a real node."""
import itertools
import json
import sys
import time

import pytest
from eth_abi import encode
from eth_account import Account
from eth_utils import keccak, to_checksum_address

from machine import PASSWORD, ROOT, Consortium, Node, Refused, cli

sys.path.insert(0, str(ROOT / "tests" / "statements"))
from statements import Key  # noqa: E402

names = itertools.count()


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Two registrars who do not change, threshold 2; each test lists an actor of its own."""
    made = Consortium(tmp_path_factory.mktemp("registrars"))
    yield made
    assert made.node.stop() == 0


@pytest.fixture
def changing(tmp_path):
    """Registrars of one test's own."""
    made = Consortium(tmp_path / "consortium")
    yield made
    assert made.node.stop() == 0


def new_actor(c, roles="hospital"):
    name = f"actor-{next(names)}"
    c.actor(name, roles)
    return name


def standing(c, name, *what, by="registrar-1"):
    path = c.folder / f"standing-{next(names)}.json"
    return path, c.run(by, "actor", "standing", "--address", c.accounts[name], "--out", path, *what)


def change(c, members, *more, by="registrar-1"):
    path = c.folder / f"set-{next(names)}.json"
    to = ",".join(c.accounts[name] for name in members)
    return path, c.run(by, "registrars", "change", "--to", to, "--out", path, *more)


def refused(c, name, *arguments):
    with pytest.raises(Refused) as caught:
        c.run(name, *arguments)
    return caught.value


def status(c, name):
    return c.run("registrar-1", "actor", "show", "--address", c.accounts[name])["status"]


def test_two_of_two_registrars_suspend_reactivate_and_withdraw_an_actor(listed):
    name = new_actor(listed)
    for wanted in ("suspended", "active", "withdrawn"):
        path, report = standing(listed, name, "--status", wanted, "--reason", "the licence")
        assert (report["registrarsSigned"], report["registrarsNeeded"]) == (1, 2)
        assert listed.run("registrar-2", "registrars", "sign", path)["registrarsSigned"] == 2
        listed.run("registrar-1", "registrars", "send", path)
        assert status(listed, name) == wanted
    back = refused(listed, "registrar-1", "actor", "standing", "--address", listed.accounts[name], "--status", "active",
                   "--out", listed.folder / "never.json")
    assert back.code == 3 and "final" in back.report["error"]


def test_a_sender_who_is_a_registrar_signs_by_sending(listed):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--status", "suspended")
    assert listed.run("registrar-2", "registrars", "send", path)["registrarsSigned"] == 2
    assert status(listed, name) == "suspended"


def test_an_actor_may_be_allowed_more_emergencies_and_keeps_its_status(listed):
    name = new_actor(listed, "hospital,emergency")
    path, report = standing(listed, name, "--emergencies-a-day", 40)
    assert (report["status"], report["emergenciesADay"]) == ("active", 40)
    listed.run("registrar-2", "registrars", "send", path)
    _, later = standing(listed, name, "--status", "suspended")
    assert later["emergenciesADay"] == 40


def test_one_registrar_of_two_is_too_few(listed):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--status", "suspended")
    few = refused(listed, name, "registrars", "send", path)
    assert few.code == 3 and "2 registrars have to sign, and 1 have" in few.report["error"]
    again = refused(listed, "registrar-1", "registrars", "send", path)  # its signature counts once
    assert again.code == 3 and status(listed, name) == "active"


def test_who_is_no_registrar_signs_nothing_and_spoils_nothing(listed):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--status", "suspended")
    stranger = refused(listed, name, "registrars", "sign", path)
    assert stranger.code == 3 and "no registrar" in stranger.report["error"]
    statement = json.loads(path.read_text())
    for forged in ("0x" + "11" * 64 + "1b", statement["signatures"][0][:-4] + "001b"):
        path.write_text(json.dumps({**statement, "signatures": [forged]}))
        assert refused(listed, "registrar-2", "registrars", "sign", path).code in (2, 3)
    path.write_text(json.dumps({**statement, "statement": {**statement["statement"], "status": 3}}))
    changed = refused(listed, "registrar-2", "registrars", "send", path)  # a signature of another statement
    assert changed.code == 3 and "signed something else" in changed.report["error"]
    assert status(listed, name) == "active"


def test_a_later_standing_voids_the_earlier_and_none_serves_twice(listed):
    name = new_actor(listed)
    held_back, _ = standing(listed, name, "--status", "withdrawn")
    listed.run("registrar-2", "registrars", "sign", held_back)
    later, _ = standing(listed, name, "--status", "suspended")
    listed.run("registrar-2", "registrars", "send", later)
    for path in (held_back, later):
        for command in ("sign", "send"):
            stale = refused(listed, "registrar-1", "registrars", command, path)
            assert stale.code == 3 and "the chain holds number 1" in stale.report["error"]
    assert status(listed, name) == "suspended"


@pytest.mark.parametrize("member, value, why", [("number", 2**64 - 1, "the chain holds number 0"), ("number", 2, "number 0"),
                                                ("deadline", 2**64 - 1, "longer than a week")])
def test_what_would_outlast_later_statements_is_signed_by_nobody(listed, member, value, why):
    """A number far ahead would leave the actor's standing as it is for good."""
    name = new_actor(listed)
    path, _ = standing(listed, name, "--emergencies-a-day", 20)
    made = json.loads(path.read_text())
    path.write_text(json.dumps({**made, "statement": {**made["statement"], member: value}, "signatures": []}))
    for command in (["sign"], ["sign", "--look"], ["send"]):
        far = refused(listed, "registrar-2", "registrars", *command, path)
        assert far.code == 3 and why in far.report["error"]
    assert json.loads(path.read_text())["signatures"] == []


@pytest.mark.parametrize("change", [{"chainId": 5}, {"directory": "0x" + "22" * 20}, {"type": "xinglin-action"},
                                    {"v": 2}, {"v": "1"}, {"v": None}, {"kind": "entry"}, {"statement": {}}, {"signatures": "0x"}])
def test_a_file_that_is_no_statement_of_this_directory_is_told(listed, change):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--emergencies-a-day", 20)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    bad = refused(listed, "registrar-2", "registrars", "sign", path)
    assert bad.code == (1 if change.get("v") == 2 else 2) and len(bad.report["error"]) > 20


def test_registrars_change_with_the_old_ones_and_the_newcomer(changing):
    c = changing
    hospital = new_actor(c)
    c.new_home("registrar-3")
    path, report = change(c, ["registrar-1", "registrar-3"], "--threshold", 2)
    assert (report["set"], report["newcomersNeeded"], report["newcomersSigned"]) == (1, 1, 0)
    missing = refused(c, "registrar-2", "registrars", "send", path)
    assert missing.code == 3 and "each new registrar has to sign" in missing.report["error"]
    c.run("registrar-3", "registrars", "sign", path)
    assert c.run("registrar-2", "registrars", "sign", path)["registrarsSigned"] == 2
    rival, _ = change(c, ["registrar-1", "registrar-2", "registrar-3"])
    c.run("registrar-1", "registrars", "send", path)
    shown = c.run(hospital, "registrars", "show")
    assert shown["set"] == 1 and set(shown["registrars"]) == {c.accounts["registrar-1"], c.accounts["registrar-3"]}
    for again in (path, rival):
        stale = refused(c, "registrar-1", "registrars", "send", again)
        assert stale.code == 3 and "the chain holds set 1" in stale.report["error"]
    late, _ = standing(c, hospital, "--status", "suspended")
    assert refused(c, "registrar-2", "registrars", "sign", late).code == 3  # it is none any more
    c.run("registrar-3", "registrars", "send", late)
    assert status(c, hospital) == "suspended"


def test_after_a_theft_only_affirmed_entries_count(changing):
    c = changing
    kept, lost = new_actor(c), new_actor(c)
    c.new_home("registrar-3")
    path, report = change(c, ["registrar-1", "registrar-3"], "--theft", "--affirm", c.accounts[kept])
    assert report["theft"] is True and report["affirmed"] == [c.accounts[kept]]
    c.run("registrar-3", "registrars", "sign", path)
    c.run("registrar-2", "registrars", "send", path)
    assert status(c, kept) == "active"
    fallen = refused(c, "registrar-1", "actor", "show", "--address", c.accounts[lost])
    assert fallen.code == 3 and "stolen" in fallen.report["error"]


@pytest.mark.parametrize("more", [["--threshold", 1], ["--threshold", 3], ["--affirm", "0x" + "11" * 20]])
def test_a_set_that_makes_no_sense_is_told(listed, more):
    to = f"{listed.accounts['registrar-1']},{listed.accounts['registrar-2']}"
    bad = refused(listed, "registrar-1", "registrars", "change", "--to", to, "--out", listed.folder / "bad.json", *more)
    assert bad.code == 2 and len(bad.report["error"]) > 20


def test_a_directory_that_would_fail_is_not_sent_and_the_chain_stays_open(tmp_path):
    """The deployer's first contract decides who is admitted: a failed one would use up its address."""
    home = tmp_path / "deployer"
    account = cli("wallet", "new", "--home", home, "--light-kdf")["account"]
    cli("init", "--data", tmp_path / "node", "--deployer", account, "--listed-only")
    node = Node(tmp_path / "node", "node")
    try:
        deploy = ("deploy", "--home", home, "--rpc", node.url, "--out", tmp_path / "d.json")
        with pytest.raises(Refused) as caught:
            cli(*deploy, "--registrars", f"{account},{account}", "--threshold", 2)  # one registrar, named twice
        assert caught.value.code == 3 and "nothing was sent" in caught.value.report["error"]
        assert int(node.rpc("eth_getTransactionCount", account, "pending"), 16) == 0
        cli(*deploy, "--registrars", account)
    finally:
        assert node.stop() == 0


# --- a key that registrars alone give ---


def secret_of(c, name):
    return Account.decrypt((c.home(name) / "wallet" / "account.json").read_text(), PASSWORD)


def give_key(c, name):
    """A key of the registrars' choice, which the account did not sign: sent raw."""
    deployment = json.loads(c.deployment.read_text())
    directory, genesis = to_checksum_address(deployment["directory"]["address"]), bytes.fromhex(deployment["genesis"][2:])
    who = c.accounts[name]
    words = c.rpc("eth_call", {"to": directory, "data": "0x" + (keccak(text="actorOf(address)")[:4]
                                                             + encode(["address"], [who])).hex()}, "latest")
    previous = bytes.fromhex(words[2:])[8 * 32:9 * 32]
    key = Key(name)
    x, y = key.x, key.y
    digest = keccak(encode(["string", "uint256", "address", "bytes32", "address", "uint32", "bytes32", "bytes32"],
                           ["xinglin key possession", deployment["chainId"], directory, genesis, who, 2, x, y]))
    names_and_types = [("actor", "address"), ("version", "uint32"), ("previous", "bytes32"), ("keyX", "bytes32"),
                       ("keyY", "bytes32"), ("factsKey", "bytes32"), ("stolen", "bool"), ("deadline", "uint64")]
    values = [who, 2, previous, x, y, bytes(32), False, int(time.time()) + 3600]
    signers = sorted(("registrar-1", "registrar-2"), key=lambda registrar: int(c.accounts[registrar], 16))
    signatures = [
        Account.sign_typed_data(
            secret_of(c, registrar),
            {"name": "xinglin directory", "version": "1", "chainId": deployment["chainId"],
             "verifyingContract": directory, "salt": genesis},
            {"KeyChange": [{"name": n, "type": t} for n, t in names_and_types]},
            dict(zip([n for n, _ in names_and_types], values)),
        ).signature
        for registrar in signers
    ]
    tuple_type = "(" + ",".join(t for _, t in names_and_types) + ")"
    data = keccak(text=f"changeKey({tuple_type},bytes,bytes,bytes,bytes[])")[:4] + encode(
        [tuple_type, "bytes", "bytes", "bytes", "bytes[]"],
        [values, key.sign(digest), b"", b"", signatures])
    sender = Account.from_key(secret_of(c, "registrar-1"))
    signed = sender.sign_transaction({
        "to": directory, "data": data, "gas": 2_000_000, "nonce": int(c.rpc("eth_getTransactionCount", sender.address,
                                                                            "pending"), 16),
        "value": 0, "type": 2, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "chainId": deployment["chainId"]})
    receipt = c.node.receipt(c.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex()))
    assert receipt["status"] == "0x1"


def test_a_key_of_registrars_alone_is_told_and_its_account_replaces_it(listed):
    c = listed
    name = new_actor(c, "professional")
    watcher = f"watcher-{next(names)}"
    c.new_home(watcher)
    assert c.run(watcher, "actor", "show", "--address", c.accounts[name])["keyByRegistrarsAlone"] is False
    give_key(c, name)
    shown = c.run(watcher, "actor", "show", "--address", c.accounts[name])
    assert (shown["keyVersion"], shown["keyChanged"], shown["keyByRegistrarsAlone"]) == (2, True, True)
    c.run(watcher, "folder", "open", "--label", "general", "--out", c.folder / f"{watcher}.json")
    c.run(new_actor(c), "relay", c.folder / f"{watcher}.json")
    folder = c.run(watcher, "folder", "list")["folders"][0]["folder"]
    warned = refused(c, watcher, "share", "--folder", folder, "--with", c.accounts[name], "--purpose", "TREAT", "--days", 1,
                     "--out", c.folder / "share.json")
    assert warned.code == 3 and "registrars alone gave this key, on 20" in warned.report["error"]
    c.run(name, "actor", "publish-key")
    replaced = c.run(watcher, "actor", "show", "--address", c.accounts[name])
    assert (replaced["keyVersion"], replaced["keyByRegistrarsAlone"]) == (3, False)
    own = c.run(name, "actor", "show", "--address", c.accounts[name])
    assert own["encryptionKey"] == replaced["encryptionKey"]
