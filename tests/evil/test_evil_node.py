"""Whom a program believes: every lie of a node, under every program that could act on it."""
import pytest

import lies
from evil_node import EvilNode
from machine import RpcError, rpc
from programs import FAILED, PROGRAMS, REFUSED, Under, heard, hearing, ignores, judge
from told import LIES

ACTORS = ["the grantee's key", "an actor's key, in proofs too"]
FOLDERS = ["the folder's key", "the folder's key, in proofs too", "an older epoch", "another controller"]
CONTROLLERS = ["a former controller", "a former controller, in proofs too", "a hand-over hidden"]
GRANTS = ["a grant that is none", "a grant left out", "a revocation hidden"]
RECORDS = ["another author", "another root", "another record's registration"]
BLOBS = ["another record's container", "a container cut short"]
CHAINS = ["another genesis and sealer", "a signature of another deployment", "a replayed head",
          "a head from the future"]
READERS = ["record read (patient)", "record read (author)", "record read (grantee)", "gateway GET"]


def answer(url, question):
    try:
        return rpc(url, *question)
    except RpcError as error:
        return str(error)


@pytest.mark.parametrize("name", [name for name, told in LIES.items() if told.plain])
def test_a_plain_client_believes_it(world, name):
    lie = LIES[name].make(world)
    question = LIES[name].plain(world)
    honest = answer(world.c.node.url, question)
    with EvilNode(world.c.node.url, lie) as node:
        assert answer(node.url, question) != honest
    assert lie.told


@pytest.mark.parametrize("program, lie", [
    *hearing(FOLDERS, ["record add", "folder show", "folder rotate", "share", "revoke", "break-glass",
                       "gateway POST", "record erase", "folder forget", "folder take-over", "folder hand-over"]),
    *hearing(["another controller"], ["folder list"]),
    *hearing(["an older epoch"], ["review close"]),
])
def test_a_false_folder(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", [
    *hearing(CONTROLLERS, ["folder show (handed over)", "folder rotate (former controller)",
                           "share (former controller)", "folder rotate (new controller)", "record add (handed over)",
                           "folder rotate (delegate)"]),
    *hearing(["a delegate's right hidden"], ["share (delegate)", "revoke (delegate)", "folder rotate (delegate)"]),
    *hearing(["a right that was taken back"], ["share (former delegate)", "folder rotate (former delegate)"]),
])
def test_who_controls_a_folder_is_proved(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", [
    *hearing(ACTORS, ["share", "actor show"]),
    *hearing(["the trustee's key"], ["folder open", "folder rotate"]),
    *hearing(["the emergency actor's key"], ["trustee serve (owed)"]),
])
def test_a_false_key_of_an_actor(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", hearing(GRANTS, ["folder rotate", "revoke"]))
def test_a_false_grant(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("name", ["a revocation that cannot be read", "a revocation that cannot be read, of another"])
def test_what_cannot_be_read_gives_nobody_a_key(world, name):
    """It stops no rotation; whose right was taken back has no key, and is named."""
    lie = LIES[name].make(world)
    with EvilNode(world.c.node.url, lie) as node:
        outcome = PROGRAMS["folder rotate"](Under(world, node))
    assert lie.told and outcome.code == 0, outcome
    nurse = world.c.accounts["nurse"]
    assert nurse not in outcome.report["readers"] and world.c.accounts["hospital"] in outcome.report["readers"]
    assert nurse in [left["account"] for left in outcome.report["leftOut"]]


@pytest.mark.parametrize("program, lie", [
    *hearing(RECORDS, [*READERS, "record status", "proof"]),
    *hearing(["another root", "another record's registration"], ["access reads", "record read (own copy)"]),
    *hearing(["a record left out of a forgotten folder"], ["folder erase"]),
    *hearing(["a record invented", "a record left out", "another author"], ["record list"]),
])
def test_a_false_record(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", hearing(BLOBS, READERS))
def test_false_content(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", [
    *hearing(["an access left out", "an access invented"], ["access log"]),
    *hearing(["an emergency hidden"], ["review list"]),
])
def test_a_false_trace(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", hearing(
    ["an emergency of another actor", "an emergency of another actor, in proofs too", "an emergency not yet seen"],
    ["trustee serve (owed)"]))
def test_a_false_emergency(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", hearing(
    ["another share", "another trustee", "other commitments"], ["trustee serve (owed)"]))
def test_a_false_share(world, program, lie):
    """And no trustee complains on the chain of what the node, and not the patient, has made false."""
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", [
    *hearing(["a share that is not given"], ["trustee serve (owed)"]),
    *hearing(["another release", "a release that is not given", "another link"], ["record read (emergency)"]),
])
def test_a_false_release(world, program, lie):
    """And the emergency actor accuses no trustee of what the node has made false."""
    judge(world, program, lie, disbelief=False)


def test_a_review_closed_by_another(world):
    judge(world, "review list", "a review closed by another")


def test_how_a_review_was_closed_is_asked_of_the_chain_alone(world):
    ignores(world, "review list", "a closing hidden")


@pytest.mark.parametrize("program", ["trustee serve", "review list"])
def test_nothing_is_asked_that_could_be_an_invented_emergency(world, program):
    ignores(world, program, "an emergency invented")


@pytest.mark.parametrize("program, lie", hearing(CHAINS, ["record add", "record list", "share", "trustee serve (owed)",
                                                          "access ask", "access log", "access reads", "relay",
                                                          "actor show", "gateway POST", "gateway GET"]))
def test_a_false_chain(world, program, lie):
    judge(world, program, lie)


@pytest.mark.parametrize("program, lie", [
    *hearing(["another code"], ["record add", "folder show", "share", "folder rotate"]),
    *hearing(["an old head"], ["record add", "share", "folder rotate", "trustee serve (owed)"]),
    *hearing(["another chain id"], ["record add", "share", "actor show"]),
])
def test_a_chain_that_is_not_this_one_now(world, program, lie):
    judge(world, program, lie, disbelief=lie != "another chain id")


@pytest.mark.parametrize("program, lie", hearing(["no answer", "half an answer", "an answer of 200 MB"],
                                                 ["record add", "record list", "share", "trustee serve (owed)"]))
def test_a_broken_answer(world, program, lie):
    judge(world, program, lie, disbelief=False)


@pytest.mark.parametrize("program, lie", [
    *hearing(["no list of logs"], ["actor show", "access log", "record list", "share"]),
    *hearing(["calldata of 20 MiB"], ["actor show", "share"]),
])
def test_an_answer_that_makes_no_sense(world, program, lie):
    judge(world, program, lie, disbelief=False)
    with EvilNode(world.c.node.url, LIES[lie].make(world)) as node:
        outcome = PROGRAMS[program](Under(world, node))
    assert outcome.code == REFUSED and outcome.report["remedy"].startswith("nothing was done"), outcome


@pytest.mark.parametrize("program", ["actor show", "share", "record add"])
def test_a_long_error_text_is_cut(world, program):
    _, outcome = heard(world, program, "an error text of 5,000 bytes")
    assert outcome.code == REFUSED and "A" * 100 in outcome.text and "A" * 201 not in outcome.text, outcome


@pytest.mark.parametrize("program", ["access log", "access reads"])
def test_a_false_name_is_not_shown(world, program):
    """The address alone says who it was."""
    lie = LIES["another name of an actor"].make(world)
    with EvilNode(world.c.node.url, lie) as node:
        outcome = PROGRAMS[program](Under(world, node))
    assert lie.told and outcome.code == 0, outcome
    assert world.c.accounts["clinic"] in outcome.text and "a ward" not in outcome.text, outcome


def test_a_head_of_another_branch_stops_a_home_that_saw_the_chain(world):
    """The sealer signed it, and it does not descend from what this home was shown: that is said. If it stands right
    above that block, it names another block of its height, which is kept as evidence."""
    home = world.home("patient")
    with EvilNode(world.c.node.url, lies.Lie()) as node:
        assert Under(world, node).run("patient", "folder", "show", world.a, home=home).code == 0
    lie = LIES["a head of another branch"].make(world)
    with EvilNode(world.c.node.url, lie) as node:
        outcome = Under(world, node).run("patient", "folder", "show", world.a, home=home)
    assert lie.told, outcome
    if (home / "evidence.json").exists():
        assert outcome.code == FAILED and "two signed blocks of one height" in outcome.text, outcome
    else:
        assert outcome.code == REFUSED, outcome
        assert "the head is not believed: the node does not show that it descends from block" in outcome.text, outcome
