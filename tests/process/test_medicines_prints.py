"""What is printed on a pack, or said of it in a document, against what is registered; and times that cannot be."""
import json

import pytest

import trading
from custodian import Rewriter
from dealing import jose, jwk_of, open_sealed, public
from trading import born, capture, check_digit, happened, link, moved, refused

GTIN = check_digit("0401234567896")


class Trade(trading.Trade):
    prefix, gtin, count = "pr-", GTIN, 300000


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


def test_another_lot_or_expiry_on_the_pack_is_never_saleable(trade):
    lot = trade.lot()
    (unit,) = trade.commission(lot, 1)
    serial = unit.rsplit("/", 1)[1]
    assert trade.run("maker", "pack", "verify", f"(01){GTIN}(21){serial}(10){lot}(17)300630")["saleable"] is True
    for printed, word in (("(10)OTHER", "wrong-lot"), ("(17)300629", "wrong-expiry"), ("(17)200101", "wrong-expiry")):
        report = refused(3, word, trade.run, "maker", "pack", "verify", f"(01){GTIN}(21){serial}{printed}")
        assert report["saleable"] is False and report["state"] == "ACTIVE"


OTHERS = (("wrong-lot", "(10)OTHER"), ("wrong-expiry", "(17)300629"), ("wrong-lot", "(17)300630(10)OTHER"))


def printed(unit, rest):
    """The pack as its label has it."""
    return f"(01){GTIN}(21){unit.rsplit('/', 1)[1]}{rest}"


def refused_before_sending(trade, word, *arguments):
    """With the field's own word, and nothing is sent."""
    head = trade.c.rpc("eth_blockNumber")
    refused(3, word, *arguments)
    assert trade.c.rpc("eth_blockNumber") == head


def test_a_pack_with_another_lot_or_expiry_in_print_moves_by_no_command(trade):
    lot = trade.lot()
    units = trade.commission(lot, 3)
    trade.deliver(units, "pharmacy")
    good = [printed(unit, f"(10){lot}(17)300630") for unit in units]
    for word, rest in OTHERS:
        bad = printed(units[0], rest)
        for command in (("dispense", bad), ("dispense", bad, "--partial"), ("dispense", good[1], bad),
                        ("aggregate", bad, "--sscc", trade.sscc())):
            refused_before_sending(trade, word, trade.run, "pharmacy", "pack", *command)
        refused_before_sending(trade, word, trade.run, "maker", "pack", "recall", bad, "--reason", "glass")
    assert trade.run("pharmacy", "pack", "dispense", good[0])["code"] == "OK"
    refused_before_sending(trade, "wrong-lot", trade.run, "pharmacy", "pack", "dispense", "--undo",
                           printed(units[0], "(10)OTHER"))
    trade.run("pharmacy", "pack", "dispense", "--undo", good[0])
    case = trade.sscc()
    trade.run("pharmacy", "pack", "aggregate", *good[1:], "--sscc", case)
    refused_before_sending(trade, "wrong-expiry", trade.run, "pharmacy", "pack", "aggregate", printed(units[1], "(17)300629"),
                           "--sscc", case, "--unpack")


def test_a_case_whose_label_names_another_lot_is_not_packed_shipped_or_received(trade):
    lot = trade.lot()
    units = trade.commission(lot, 2)
    case = trade.sscc()
    label = lambda rest: f"(00){case}{rest}"
    for word, rest in OTHERS:
        refused_before_sending(trade, word, trade.run, "maker", "pack", "aggregate", *units, "--sscc", label(rest))
    trade.run("maker", "pack", "aggregate", *units, "--sscc", label(f"(10){lot}(17)300630"))
    refused_before_sending(trade, "wrong-lot", trade.run, "maker", "pack", "ship", "--sscc", label("(10)OTHER"), "--to",
                           trade.address("pharmacy"))
    sealed = trade.ship(label(f"(10){lot}"), "pharmacy")
    refused_before_sending(trade, "wrong-expiry", trade.run, "pharmacy", "pack", "receive", "--document", sealed, "--sscc",
                           label("(17)300629"))
    trade.run("pharmacy", "pack", "receive", "--document", sealed, "--sscc", label(f"(10){lot}(17)300630"))


def test_a_document_whose_packs_say_another_lot_or_expiry_is_refused_whole(trade):
    """Digital Links with a lot or an expiry, in each kind of event; and ilmd beside packs that exist already."""
    lot = trade.lot()
    named = lambda serial, lot_, expiry: f"https://id.gs1.org/01/{GTIN}/10/{lot_}/21/{serial}?17={expiry}"
    packs = [f"{lot}-{i}" for i in range(3)]
    for word, lot_, expiry in (("wrong-lot", "OTHER", "300630"), ("wrong-expiry", lot, "300629")):
        wrong = [named(packs[0], lot, "300630"), named(packs[1], lot_, expiry)]
        refused_before_sending(trade, word, capture, trade, "maker", [born(wrong, lot)])
    refused(3, "never commissioned", trade.run, "maker", "pack", "verify", link(GTIN, packs[0]))
    capture(trade, "maker", [born([named(serial, lot, "300630") for serial in packs], lot)])
    case = "https://id.gs1.org/00/" + trade.sscc()
    to = "--to", trade.address("pharmacy")
    for word, bad in (("wrong-lot", named(packs[0], "OTHER", "300630")), ("wrong-expiry", named(packs[0], lot, "300629"))):
        pair = [link(GTIN, packs[1]), bad]
        packing = happened("AggregationEvent", action="ADD", bizStep="packing", parentID=case, childEPCs=pair)
        for events in ([moved("shipping", pair)], [packing], [moved("holding", pair)], [moved("dispensing", pair)],
                       [moved("inspecting", pair[:1]), moved("shipping", pair)]):
            refused_before_sending(trade, word, capture, trade, "maker", events, *to)
    for word, ilmd in (("wrong-lot", {"cbvmda:lotNumber": "OTHER"}),
                       ("wrong-expiry", {"cbvmda:itemExpirationDate": "2030-06-29"})):
        said = moved("shipping", [link(GTIN, packs[0])], ilmd=ilmd)
        refused_before_sending(trade, word, capture, trade, "maker", [said], *to)
    recall = happened(action="OBSERVE", bizStep="holding", persistentDisposition={"set": ["recalled"]}, quantityList=[
        {"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{lot}?17=300629"}])
    refused_before_sending(trade, "wrong-expiry", capture, trade, "maker", [recall])
    sealed = trade.path()
    right = {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": "2030-06-30"}
    capture(trade, "maker", [moved("shipping", [named(packs[0], lot, "300630")], ilmd=right)], *to, "--out", sealed)
    trade.run("pharmacy", "pack", "receive", "--document", sealed, "--keep")
    wrong = [moved("receiving", [named(packs[0], "OTHER", "300630")])]
    refused_before_sending(trade, "wrong-lot", capture, trade, "pharmacy", wrong)


def test_a_pack_that_a_document_dispenses_twice_leaves_no_alert(trade):
    (first, second) = trade.commission(trade.lot(), 2)
    trade.deliver([first, second], "pharmacy")
    count = len(trade.run("pharmacy", "pack", "alerts")["alerts"])
    head = trade.c.rpc("eth_blockNumber")
    for attempt in (lambda: trade.run("pharmacy", "pack", "dispense", first, second, first),
                    lambda: capture(trade, "pharmacy", [moved("dispensing", [first]), moved("dispensing", [second, first])])):
        refused(2, "dispensed twice", attempt)
    assert trade.c.rpc("eth_blockNumber") == head
    assert len(trade.run("pharmacy", "pack", "alerts")["alerts"]) == count
    assert trade.run("pharmacy", "pack", "dispense", first, second)["code"] == "OK"


def test_an_event_of_the_future_is_refused(trade):
    lot = trade.lot()
    for members in ({"eventTime": "9999-01-01T00:00:00Z"}, {"recordTime": "2999-01-01T00:00:00+14:00"},
                    {"errorDeclaration": {"declarationTime": "2100-01-01T00:00:00Z"}}):
        late = {**moved("dispensing", [link(GTIN, "F1")]), **members}
        refused(2, "in the future", capture, trade, "maker", [born([link(GTIN, "F1")], lot), late])
    no_day = {**moved("inspecting", [link(GTIN, "F1")]), "eventTime": "2026-02-30T00:00:00Z"}
    refused(2, "eventTime", capture, trade, "maker", [no_day])


def test_a_lot_has_one_expiry_in_a_document(trade):
    for lot in (trade.lot(), "OLD"):
        if lot == "OLD":
            trade.commission(lot, 1)
        other = {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": "2031-06-30"}
        late = {**born([link(GTIN, f"{lot}-b")], lot), "ilmd": other}
        refused(2, "two expiries", capture, trade, "maker", [born([link(GTIN, f"{lot}-a")], lot), late])


def test_what_ilmd_says_of_a_shipment_is_compared_or_refused(trade):
    """No lot is so long, no pack has such a date, and one thing has one lot: none of it passes unlooked at."""
    (unit,) = trade.commission(trade.lot(), 1)
    to = "--to", trade.address("pharmacy")
    for code, word, ilmd in ((2, "1 to 20", {"cbvmda:lotNumber": "L" * 21}),
                             (2, "expiry", {"cbvmda:itemExpirationDate": "1930-06-30"}),
                             (2, "expiry", {"cbvmda:itemExpirationDate": "2130-06-30"}),
                             (2, "expiry", {"cbvmda:itemExpirationDate": "soon"}),
                             (3, "wrong-expiry", {"cbvmda:itemExpirationDate": "290630"}),
                             (2, "two things", {"lotNumber": "A", "cbvmda:lotNumber": "B"})):
        refused(code, word, capture, trade, "maker", [moved("shipping", [unit], ilmd=ilmd)], *to)
    capture(trade, "maker", [moved("shipping", [unit], ilmd={"cbvmda:itemExpirationDate": "300600"})], *to)


def pretend(trade, name, own, gtin):
    """A maker's program of its own: what it commissions as `gtin` stands in the table of its product `own`."""
    trade.register(own, name)
    products, secret = trade.c.home(trade.prefix + name) / "products", Rewriter(trade, name).secret
    kept = json.loads(open_sealed((products / f"{own}.jwe").read_bytes(), secret))
    sealed = jose("seal", jwk_of(public(secret)), json.dumps({**kept, "gtin": gtin}).encode(),
                  json.dumps({"typ": "xinglin-product-key"}))
    (products / f"{gtin}.jwe").write_bytes(sealed)


def test_two_makers_who_claim_one_gtin_and_serial_are_seen_by_whoever_has_documents_of_both(trade):
    units = trade.commission(trade.lot(), 3)
    trade.deliver(units, "pharmacy")
    assert trade.run("pharmacy", "pack", "verify", units[0])["saleable"] is True
    lot = trade.lot()
    pretend(trade, "other", check_digit("0401234567797"), GTIN)
    assert capture(trade, "other", [born(units[:2], lot)])["code"] == "OK"
    case = trade.case(units[:2], "other")
    sealed = trade.ship(case, "pharmacy", "other")
    shown = refused(3, "two-packs", trade.run, "pharmacy", "pack", "verify", units[0], "--document", sealed)
    assert shown["saleable"] is False and trade.run("pharmacy", "pack", "verify", units[0])["saleable"] is True
    trade.run("pharmacy", "pack", "receive", "--document", sealed)
    for unit in units[:2]:
        report = refused(3, "two-packs", trade.run, "pharmacy", "pack", "verify", unit)
        assert report["saleable"] is False and lot in report["dispute"]
        assert all(trade.address(name).lower() in report["dispute"].lower() for name in ("maker", "other"))
        refused_before_sending(trade, "two-packs", trade.run, "pharmacy", "pack", "dispense", unit)
    trade.run("pharmacy", "pack", "dispense", units[2])
    assert trade.run("maker", "pack", "verify", units[0])["saleable"] is True  # it has no document of the other's
