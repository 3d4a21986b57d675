"""What was read, as a node says it, and what `access reads` makes of it: the node is named, and the exit code is 3."""
import json

import lies
import pytest

from evil_node import EvilNode
from machine import rpc
from programs import REFUSED, UNPROVED, Under
from reads import ACTOR_LISTED, LIES, Audit, honest_answer


def reads(world, lie, home=None, *more):
    with EvilNode(world.c.node.url, lie) as node:
        return Under(world, node).run("patient", "access", "reads", "--folder", world.a, *more, home=home)


def remembered(world, home):
    """The file in which a home that asked an honest node keeps its list: beside it is that of who wrote and looked."""
    outcome = reads(world, Audit(lambda answer: answer), home)
    assert outcome.code == 0, outcome
    count = outcome.report["nodes"][0]["entries"]
    (kept,) = [path for path in (home / "lists").glob("*.json") if json.loads(path.read_text())["count"] == count]
    return kept


def shown(answer):
    """What a program sees that checks nothing."""
    return [(entry["n"], entry["entry"]) for entry in answer["entries"]]


@pytest.mark.parametrize("name", LIES)
def test_it_names_the_node_that_lies(world, name):
    lie = LIES[name](world)
    outcome = reads(world, lie)
    assert lie.told, outcome
    assert outcome.code == REFUSED and outcome.report["complete"] is False, outcome
    node = outcome.report["nodes"][0]
    assert node["node"].lower() == world.deployment["sealer"].lower() and not node["proved"], outcome
    assert UNPROVED.search(node["fault"]), node


@pytest.mark.parametrize("name", [name for name in LIES if "proof" not in name or "empty" in name])
def test_a_plain_client_believes_it(world, name):
    honest = honest_answer(world, world.a)
    lie = LIES[name](world)
    assert shown(lie.change(honest_answer(world, world.a))) != shown(honest)


def test_an_honest_node_is_believed(world):
    outcome = reads(world, Audit(lambda answer: answer))
    assert outcome.code == 0 and outcome.report["complete"] is True, outcome
    assert outcome.report["nodes"][0]["entries"] == len(outcome.report["reads"]) > 4
    assert all(read["anchored"] for read in outcome.report["reads"])


def test_reads_that_were_shown_before_cannot_be_taken_back(world):
    """Under an anchor that the node makes anew, with fewer reads: a home that saw more says so."""
    home = world.home("patient")
    kept = remembered(world, home)
    kept.write_text(kept.read_text().replace('"count":', '"count":1'))  # as if it had seen ten times as many
    outcome = reads(world, Audit(lambda answer: answer), home)
    assert outcome.code == REFUSED and "had anchored" in outcome.report["nodes"][0]["fault"], outcome


@pytest.mark.parametrize("more", [(), ("--limit", 1)], ids=["all", "the newest"])
def test_reads_that_were_shown_before_cannot_be_exchanged(world, more):
    """As many and more, and others: the newest ones alone do not show it."""
    home = world.home("patient")
    kept = remembered(world, home)
    seen = json.loads(kept.read_text())
    oldest = honest_answer(world, world.a)["entries"][-2]  # its `before` is what the list was with one entry less
    assert reads(world, Audit(lambda answer: answer), home, *more).code == 0
    kept.write_text(json.dumps({"count": oldest["n"], "head": seen["head"]}))  # as if the first ones had been others
    outcome = reads(world, Audit(lambda answer: answer), home, *more)
    assert outcome.code == REFUSED and "shown before" in outcome.report["nodes"][0]["fault"], outcome
    kept.write_text(json.dumps({"count": oldest["n"] - 1, "head": oldest["before"]}))
    assert reads(world, Audit(lambda answer: answer), home, *more).code == 0
    assert json.loads(kept.read_text())["count"] >= seen["count"]  # what is new is remembered


def test_a_node_that_is_left_out_is_missed(world):
    """The directory's list is proved: without one of its entries nobody knows which nodes to ask."""
    sealer = world.deployment["sealer"][2:].lower()
    lie = lies.LeaveOut(ACTOR_LISTED, sealer)
    with EvilNode(world.c.node.url, lie) as node:  # a plain client believes it
        assert sealer not in str(rpc(node.url, *world.logs("directory", ACTOR_LISTED)))
    outcome = reads(world, lie)
    assert outcome.code == REFUSED and UNPROVED.search(outcome.text), outcome


@pytest.mark.parametrize("lie", [
    lambda world: lies.Past(world.before_revocation, about=world.address("consent")),
    lambda world: lies.Swap({anchored_root(world): "00" * 32}, proofs=True, about=world.address("consent")),
], ids=["an older anchor", "an anchor hidden"])
def test_an_anchor_is_proved(world, lie):
    told = lie(world)
    outcome = reads(world, told)
    assert told.told and outcome.code == REFUSED, outcome
    assert UNPROVED.search(outcome.text), outcome


def anchored_root(world):
    return world.words("consent", "anchorOf(address)", world.deployment["sealer"])[0]
