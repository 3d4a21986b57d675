"""What a custodian can make a receiver believe of the packs that it passes on, without the product's key: nothing."""
import re

import pytest

from custodian import Rewriter
from machine import Consortium
from trading import GTIN, Trade, check_digit, refused

OTHER_GTIN = check_digit("0401234567891")


class Passed:
    """A wholesaler has four packs of one lot and one of another, and ships them to a pharmacy in one case."""

    def __init__(self, folder):
        self.c = Consortium(folder)
        self.trade = Trade(self.c)
        self.lots = [self.trade.lot(), self.trade.lot()]
        self.packs = [*self.trade.commission(self.lots[0], 4), *self.trade.commission(self.lots[1], 1)]
        self.trade.deliver(self.packs, "wholesaler")
        self.case = self.trade.case(self.packs, "wholesaler")
        self.sealed = self.trade.ship(self.case, "pharmacy", "wholesaler")
        self.rewriter = Rewriter(self.trade, "wholesaler")

    def receive(self, change, *more):
        return self.trade.run("pharmacy", "pack", "receive", "--document", self.rewriter.rewrite(self.sealed, change),
                              *more)


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    made = Passed(tmp_path_factory.mktemp("passed") / "c")
    yield made
    made.c.node.stop()


def rename(place, **members):
    def change(plaintext):
        entries, at = place
        plaintext[entries][at].update(members)
    return change


def swap(member):
    """Of two packs of the larger lot."""
    def change(plaintext):
        one, other = [unit for unit in plaintext["units"] if unit["part"] == plaintext["units"][0]["part"]][:2]
        one[member], other[member] = other[member], one[member]
    return change


def exchange_lots(plaintext):
    one, other = plaintext["batches"]
    one["lot"], other["lot"] = other["lot"], one["lot"]


def exchange_batches(plaintext):
    one, other = plaintext["batches"]
    one["id"], other["id"] = other["id"], one["id"]


def add_lot(plaintext):
    plaintext["batches"].append({**plaintext["batches"][0], "lot": "FALSE",
                                 "id": plaintext["batches"][1]["id"][:-1] + "0"})


SERIALS = "what the chain holds has not this document's serials"
BATCH = "the chain holds another batch than the document says"
RENAMES = {
    "a serial": (rename(("units", 0), serial="FALSE1"), SERIALS),
    "a lot": (rename(("batches", 0), lot="FALSE"), SERIALS),
    "a GTIN": (rename(("batches", 0), gtin=OTHER_GTIN), SERIALS),
    "an expiry": (rename(("batches", 0), expiry=4102444800), BATCH),
    "two packs' serials": (swap("serial"), SERIALS),
    "two packs' places": (swap("index"), SERIALS),
    "two packs' tags": (swap("tag"), SERIALS),
    "two lots' names": (exchange_lots, SERIALS),
    "two lots' places": (exchange_batches, SERIALS),
    "the owner": (rename(("batches", 0), owner="0x" + 20 * "ab"), "its product has another owner than the document says"),
    "the regulator": (rename(("batches", 0), regulator="0x" + 20 * "ab"),
                      "the document names a regulator that the directory does not list"),
    "a lot that has no packs": (add_lot, BATCH),
}


@pytest.mark.parametrize("what", RENAMES)
def test_what_it_names_otherwise_is_refused_by_a_receiver_without_the_key(passed, what):
    change, why = RENAMES[what]
    report = refused(3, why, passed.receive, change, "--keep")
    assert re.fullmatch(rf"lot \S+: {re.escape(why)}", report["error"]), report


CONTAINERS = {
    "its case": lambda trade: {"code": trade.sscc()},
    "its case to none": lambda trade: {"code": ""},
    "who opened it": lambda trade: {"opener": trade.address("maker").lower()},
    "its salt": lambda trade: {"salt": "0x" + 32 * "ab"},
}


@pytest.mark.parametrize("what", CONTAINERS)
def test_a_case_that_it_names_otherwise_is_refused(passed, what):
    members = CONTAINERS[what](passed.trade)
    report = refused(3, "the chain holds no container", passed.receive, rename(("containers", 0), **members), "--keep")
    code = members.get("code") or ("of a loose shipment" if "code" in members else passed.case)
    assert report["error"] == f"the chain holds no container {code} as the document describes it"


def test_a_regulator_that_is_another_actor_is_none(passed):
    report = refused(3, RENAMES["the regulator"][1], passed.receive,
                     rename(("batches", 0), regulator=passed.trade.address("wholesaler").lower()), "--keep")
    assert passed.lots[0] in report["error"]


def test_a_lot_that_it_adds_without_packs_is_believed_by_nobody_without_the_key(passed):
    """Whoever has the product's key sees by it that the lot is another one."""
    other = passed.trade.commission(passed.trade.lot(), 1)[0]

    def change(plaintext):
        real = plaintext["batches"].pop()
        plaintext["batches"] += [real, {**real, "lot": "FALSE", "id": changed["id"]}]

    trade, changed, path = passed.trade, {}, passed.trade.path()
    trade.run("maker", "pack", "reference", other, "--for", trade.address("wholesaler"), "--out", path)
    passed.rewriter.rewrite(path, lambda plaintext: changed.update(plaintext["batches"][0]))
    refused(3, "lot FALSE: the document names none of its packs, so it proves nothing without the product's key",
            passed.receive, change, "--keep")


def test_a_reference_that_it_renames_is_refused(passed):
    trade, path = passed.trade, passed.trade.path()
    trade.run("wholesaler", "pack", "reference", passed.packs[0], "--for", trade.address("pharmacy"), "--out", path)
    reader = Rewriter(trade, "pharmacy")
    renamed = reader.rewrite(path, rename(("units", 0), serial="FALSE1"))
    report = refused(3, SERIALS, trade.run, "pharmacy", "pack", "verify", f"https://id.gs1.org/01/{GTIN}/21/FALSE1",
                     "--document", renamed)
    assert "saleable" not in report
    shown = reader.rewrite(path, lambda plaintext: None)
    assert trade.run("pharmacy", "pack", "verify", passed.packs[0], "--document", shown)["state"] == "IN_TRANSIT"


def test_a_document_of_the_version_before_is_refused_by_its_version(passed):
    refused(2, "this is a sealed document of version 1, and this program reads version 2", passed.receive,
            lambda plaintext: plaintext.update(v=1), "--keep")


def test_what_it_leaves_as_it_was_is_received(passed):
    passed.receive(lambda plaintext: None)
    for pack in passed.packs:
        assert passed.trade.run("pharmacy", "pack", "verify", pack)["saleable"] is True


def test_whoever_names_a_code_first_does_not_own_it(passed):
    """The wholesaler opens a case with the code of a case that the maker ships, and gives it along with another shipment."""
    trade = passed.trade
    code = trade.sscc()
    first, second = trade.commission(trade.lot(), 2), trade.commission(trade.lot(), 2)
    trade.deliver(first, "wholesaler")
    trade.run("wholesaler", "pack", "aggregate", first[0], "--sscc", code)
    false = passed.rewriter.read(trade.ship(code, "pharmacy-2", "wholesaler"))["containers"]
    case = trade.case([first[1]], "wholesaler")
    along = lambda plaintext: plaintext["containers"].extend(false)
    shipped = passed.rewriter.rewrite(trade.ship(case, "pharmacy", "wholesaler"), along)
    trade.run("pharmacy", "pack", "receive", "--document", shipped)
    trade.run("maker", "pack", "receive", "--document", shipped, "--keep")
    trade.run("maker", "pack", "aggregate", *second, "--sscc", code)
    received = trade.run("pharmacy", "pack", "receive", "--document", trade.ship(code, "pharmacy"))
    assert received["units"] == 2
    trade.run("pharmacy", "pack", "aggregate", *second, "--sscc", code, "--unpack")
    assert all(trade.run("pharmacy", "pack", "verify", unit)["saleable"] for unit in second)
