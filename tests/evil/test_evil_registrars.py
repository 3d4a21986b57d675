"""Registrars who changed: a node that shows those of before, or hides that there are others, is believed by nobody."""
import json

import lies
import pytest
from evil_node import EvilNode
from machine import Consortium, Refused
from world import topic

CHANGED = topic("RegistrarsChanged(uint32,bytes32)")


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """Registrar 3 took the place of registrar 2 after block `before`, and `late` was listed by the new ones."""
    c = Consortium(tmp_path_factory.mktemp("evil-registrars"))
    c.new_home("registrar-3")
    c.new_home("reader")
    c.before = c.node.head()
    path = c.folder / "set.json"
    to = f"{c.accounts['registrar-1']},{c.accounts['registrar-3']}"
    c.run("registrar-1", "registrars", "change", "--to", to, "--out", path)
    c.run("registrar-3", "registrars", "sign", path)
    c.run("registrar-2", "registrars", "send", path)
    request = c.folder / "late.json"
    c.new_home("late")
    c.run("late", "actor", "request", "--name", "late", "--roles", "hospital", "--out", request)
    c.run("registrar-3", "actor", "endorse", request)
    c.run("registrar-1", "actor", "list", request)
    c.directory = json.loads(c.deployment.read_text())["directory"]["address"].lower()
    yield c
    assert c.node.stop() == 0


LIES = {
    "the state of before": lambda c: lies.Past(c.before, about=c.directory),
    "the change hidden": lambda c: lies.LeaveOut(CHANGED),
    "the state of before in its own head": lambda c: lies.Past(c.before, head="hidden"),
}


@pytest.mark.parametrize("name", LIES)
@pytest.mark.parametrize("program", [["registrars", "show"], ["actor", "show", "--address", "late"]])
def test_registrars_of_an_older_set_are_not_believed(changed, program, name):
    lie = LIES[name](changed)
    arguments = [changed.accounts.get(word, word) for word in program]
    with EvilNode(changed.node.url, lie) as node, pytest.raises(Refused) as caught:
        changed.run("reader", *arguments, "--rpc", node.url)
    assert lie.told and caught.value.code == 3, caught.value
    assert "registrars" not in caught.value.report, caught.value


def test_a_registrar_that_left_lists_and_endorses_nobody(changed):
    """By an honest node too: its signature counts for nothing any more."""
    changed.new_home("later")
    request = changed.folder / "later.json"
    changed.run("later", "actor", "request", "--name", "later", "--roles", "hospital", "--out", request)
    changed.run("registrar-2", "actor", "endorse", request)
    with pytest.raises(Refused) as caught:
        changed.run("registrar-1", "actor", "list", request)
    assert caught.value.code == 3, caught.value
