"""What a node hides or invents in its logs: releases, confirmations of deletions, keys."""
import copy

import lies
from eth_abi import encode
from eth_utils import keccak
from evil_node import EvilNode
from machine import rpc, wait_for
from programs import Under
from world import topic, word

RELEASED = topic("ShareReleased(uint64,address,uint32)")
ERASED = topic("BlobErased(bytes32)")
KEY_PUBLISHED = topic("KeyPublished(address,uint32,bytes32,bytes32)")
CONFIRMED = topic("ErasureConfirmed(bytes32,address)")


class ReleasesHidden(lies.LeaveOut):
    """And what is sent goes on to the chain."""

    def __init__(self):
        super().__init__(RELEASED)

    def taken(self, raw, ask):
        return ask("eth_sendRawTransaction", [raw])


class Confirming(lies.Lie):
    """Each confirmation is there once more, by another account, and said to be the log `further` of its block."""

    def __init__(self, account, further):
        super().__init__()
        self.account, self.further = word(account), further

    def answer(self, method, params, ask):
        result = ask(method, params)
        if method != "eth_getLogs":
            return result
        return self.changed(result, result + [self.copy(log) for log in result if log["topics"][0] == CONFIRMED])

    def copy(self, log):
        other = copy.deepcopy(log)
        other["topics"][2] = "0x" + self.account
        other["logIndex"] = hex(int(log["logIndex"], 16) + self.further)
        return other


def released_item(world, review):
    named = ["release", review, world.c.accounts["trustee"], 1]
    return "0x" + keccak(encode(["string", "uint64", "address", "uint32"], named)).hex()


def erased_items(world):
    return [log["topics"][1] for log in world.c.rpc(*world.logs("consent", ERASED))]


def test_a_release_that_a_node_hides_is_erased_with_its_folder(world):
    """A home takes what trustees may have released from the epochs' statements, and not from the node's logs."""
    folder = world.open_folder("to be forgotten", "trustee")
    world.share(folder, "hospital", "--rights", "read,write", "--purpose", "TREAT")
    world.add(folder)
    review = world.c.run("er", "break-glass", "--folder", folder, "--reason", "asleep")["review"]
    world.c.run("trustee", "trustee", "serve", "--once")
    item, forgotten, home = released_item(world, review), world.path(), world.home("hospital")
    assert rpc(world.c.node.url, *world.logs("consent", RELEASED, "0x" + word(review)))
    world.c.run("patient", "folder", "forget", folder, "--out", forgotten)
    with EvilNode(world.c.node.url, ReleasesHidden()) as node:
        assert not rpc(node.url, *world.logs("consent", RELEASED, "0x" + word(review)))
        outcome = Under(world, node).run("hospital", "relay", forgotten, home=home)
    assert outcome.code == 0, outcome
    assert item in erased_items(world)
    with EvilNode(world.c.node.url, lies.Lie()) as node:
        for later in (home, None):
            outcome = Under(world, node).run("hospital", "folder", "erase", folder, home=later)
            assert outcome.code == 0 and outcome.report["erased"] == 0, outcome


def test_keys_that_one_node_hides_are_found_at_the_next(world):
    """The home remembers no lie: it asks again, and says meanwhile what to do."""
    home = world.home("patient")
    with EvilNode(world.c.node.url, lies.LeaveOut(KEY_PUBLISHED)) as node:
        outcome = Under(world, node).run("patient", "actor", "show", "--address", world.c.accounts["doctor"], home=home)
    assert outcome.code == 3 and outcome.report["remedy"].startswith("nothing was done; ask another node"), outcome
    with EvilNode(world.c.node.url, lies.Lie()) as node:
        outcome = Under(world, node).run("patient", "actor", "show", "--address", world.c.accounts["doctor"], home=home)
    assert outcome.code == 0, outcome


def status_under(world, lie, record, home):
    with EvilNode(world.c.node.url, lie) as node:
        outcome = Under(world, node).run("patient", "record", "status", record, home=home)
    assert outcome.code == 0, outcome
    return outcome.report["erasureConfirmedBy"], outcome.report["confirmationsNotProved"]


def test_a_confirmation_that_a_node_invents_does_not_count(world):
    """It is said that it is not proved, and an honest node is believed by the same home afterwards."""
    folder = world.open_folder("to be erased", "trustee")
    world.share(folder, "hospital", "--rights", "read,write", "--purpose", "TREAT")
    record, home = world.add(folder), world.home("patient")
    world.signed("record", "erase", record)
    (node,) = wait_for(lambda: status_under(world, lies.Lie(), record, home)[0])
    assert node.lower() == world.deployment["sealer"].lower()
    for further in (1, 1000):
        lie = Confirming(world.account("clinic"), further)
        assert status_under(world, lie, record, home) == ([node], 1)
        assert lie.told
    assert status_under(world, lies.Lie(), record, home) == ([node], 0)
    hidden = lies.LeaveOut(CONFIRMED)
    assert status_under(world, hidden, record, home) == ([], 0) and hidden.told
    assert status_under(world, lies.Lie(), record, home) == ([node], 0)
