"""Which block a command believes to be the newest: a node that replays, goes back, or shows two histories is refused."""
import json
import shutil
import time

import pytest

from machine import Consortium, Node, Refused, cli, wait_for
from recorder import Recorder

REFUSED, FAILED = 3, 1


class Scene:
    """A consortium of its own, whose node can be stopped, copied, and stood behind a proxy."""

    def __init__(self, folder):
        self.c = Consortium(folder)
        self.nodes, self.proxies = [self.c.node], []

    def look(self, home="registrar-2"):
        """A command that reads the chain and changes nothing."""
        return self.c.run(home, "actor", "show", "--address", self.c.accounts["registrar-1"])

    def refused(self, words, code=REFUSED, home="registrar-2"):
        with pytest.raises(Refused) as caught:
            self.look(home)
        assert caught.value.code == code and words in caught.value.report["error"], caught.value
        return caught.value.report

    def file(self, name, home="registrar-2"):
        return self.c.home(home) / name

    def mine(self, node=None):
        """A block: an actor's new key, which it sends itself, past any proxy."""
        cli("actor", "publish-key", "--home", self.c.home("registrar-1"), "--rpc", (node or self.c.node).url)

    def copy(self, name):
        """The stopped node's folder, as it is now."""
        shutil.copytree(self.c.data, self.c.folder / name)

    def start(self, name):
        self.nodes.append(Node(self.c.folder / name, "node"))
        self.c.rpc_url = self.nodes[-1].url
        return self.nodes[-1]

    def behind_proxy(self, change):
        self.proxies.append(Recorder(int(self.nodes[-1].port)))
        self.proxies[-1].change = change
        self.c.rpc_url = self.proxies[-1].url

    def end(self):
        for proxy in self.proxies:
            proxy.close()
        for node in self.nodes:
            node.kill()


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Registrar 1 is listed, so that it can be shown and can publish keys."""
    scene = Scene(tmp_path_factory.mktemp("heads"))
    scene.c.list_actor("registrar-1", "Registrar", "hospital")
    yield scene
    scene.end()


@pytest.fixture
def scene(listed):
    """The same chain behind its own node; homes forget which head they saw."""
    listed.c.rpc_url = None
    for home in ("registrar-1", "registrar-2"):
        for name in ("head.json", "evidence.json"):
            listed.file(name, home).unlink(missing_ok=True)
    return listed


def is_head(answer):
    result = answer.get("result") if isinstance(answer, dict) else None
    return isinstance(result, dict) and {"number", "hash", "signature"} <= set(result)


def changing(change):
    """For a proxy: `change` gets each signed head and gives another."""
    def answer(_, body):
        parsed = json.loads(body)
        if is_head(parsed):
            parsed["result"] = change(parsed["result"])
        return json.dumps(parsed).encode()
    return answer


def test_a_head_that_answered_somebody_else_is_not_believed(scene):
    first = []

    def replay(head):
        first.append(head)
        return first[0]

    scene.behind_proxy(changing(replay))
    scene.look()
    scene.mine()
    assert "nothing was done" in scene.refused("did not sign it")["remedy"]


@pytest.mark.parametrize("member, words", [("signature", "did not sign it"), ("header", "did not sign it")])
def test_a_changed_head_is_not_believed(scene, member, words):
    def change(head):
        text = head[member]
        return {**head, member: text[:90] + ("1" if text[90] == "0" else "0") + text[91:]}

    scene.look()
    before = scene.file("head.json").read_text()
    scene.behind_proxy(changing(change))
    scene.refused(words)
    assert scene.file("head.json").read_text() == before


def test_a_node_that_went_back_is_not_believed(scene):
    scene.c.node.stop()
    scene.copy("earlier")
    scene.nodes.append(Node(scene.c.data, "node", port=scene.c.node.port))
    scene.c.node = scene.nodes[-1]
    scene.mine()
    scene.look()
    seen = json.loads(scene.file("head.json").read_text())["number"]
    scene.start("earlier")
    scene.refused(f"this home has seen block {seen}")
    scene.c.rpc_url = None
    scene.look()


def test_two_histories_stop_a_home_and_are_kept(scene):
    """The sealer's own key seals two blocks of one height; the home sees both."""
    scene.c.node.stop()
    scene.copy("other")
    scene.nodes.append(Node(scene.c.data, "node", port=scene.c.node.port))
    scene.c.node = scene.nodes[-1]
    scene.mine()
    scene.look()
    for name in ("head.json", "outbox.journal"):  # the sender's home has seen the first branch
        scene.file(name, "registrar-1").unlink(missing_ok=True)
    other = scene.start("other")
    latest = int(scene.c.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    wait_for(lambda: time.time() >= latest + 1)  # or both would seal the same block
    scene.mine(other)
    report = scene.refused("two signed blocks of one height", FAILED)
    assert "evidence.json" in json.dumps(report)
    evidence = json.loads(scene.file("evidence.json").read_text())
    assert evidence["kept"]["header"] != evidence["shown"]["header"]
    assert evidence["height"] == evidence["kept"]["number"]
    # It stays so with the honest node, until a person decides; what needs no chain goes on.
    scene.c.rpc_url = None
    scene.refused("two signed blocks", FAILED)
    assert cli("wallet", "show", "--home", scene.c.home("registrar-2"))["account"]
    scene.file("evidence.json").unlink()
    scene.look()


def test_a_home_that_names_a_witness_believes_no_head_without_it(scene):
    genesis = scene.c.data / "genesis.json"
    witness = Node(scene.c.folder / "witness", "witness", "--node", scene.c.node.url, "--genesis", genesis,
                   "--poll-ms", "10")
    scene.nodes.append(witness)
    deployment = json.loads(scene.c.deployment.read_text())
    deployment["witnesses"] = {"accounts": [witness.started["witness"].lower()], "urls": [witness.url], "threshold": 1}
    named = scene.c.folder / "witnessed.json"
    named.write_text(json.dumps(deployment))
    scene.c.new_home("careful", trust=False)
    assert scene.c.run("careful", "trust", named)["witnesses"] == 1
    wait_for(lambda: witness.head() == scene.c.node.head())
    scene.look("careful")
    scene.mine()
    scene.look("careful")  # the witness is behind for a moment, and waited for
    witness.kill()
    scene.refused("0 of 1 witnesses signed it", home="careful")
