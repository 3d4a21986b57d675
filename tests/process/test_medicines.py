"""Medicines from the maker to the patient, on a real node: the way that it should go, and the ways that it must not."""
import json

import pytest

from machine import Refused, RpcError, cli, in_threads
from trading import GTIN, Trade, check_digit, refused


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


def test_from_the_maker_to_the_patient(trade):
    lot = trade.lot()
    units = trade.commission(lot, 6)
    assert len(set(units)) == 6
    first = units[0]
    assert trade.run("maker", "pack", "verify", first)["state"] == "ACTIVE"

    sscc = trade.case(units)
    assert trade.run("maker", "pack", "verify", first)["state"] == "PACKED"
    sealed = trade.ship(sscc, "wholesaler")
    assert trade.run("maker", "pack", "verify", first)["state"] == "IN_TRANSIT"
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert [(h["holderName"], h["inTransitToName"], h["units"]) for h in holders["holders"]] == [
        ("md-maker", "md-wholesaler", 6)
    ]

    received = trade.run("wholesaler", "pack", "receive", "--document", sealed)
    assert received["fromName"] == "md-maker" and received["units"] == 6
    trade.run("pharmacy", "pack", "receive", "--document", trade.ship(sscc, "pharmacy", "wholesaler"))
    refused(3, "NOT_LOOSE", trade.run, "pharmacy", "pack", "dispense", first)
    trade.run("pharmacy", "pack", "aggregate", *units, "--sscc", sscc, "--unpack")

    assert trade.run("pharmacy", "pack", "dispense", first)["code"] == "OK"
    report = refused(3, "ALREADY_DISPENSED", trade.run, "pharmacy", "pack", "dispense", first)
    assert report["alerts"][0]["byName"] == report["alerts"][0]["otherName"] == "md-pharmacy"
    verdict = refused(3, "offers a copy", trade.run, "pharmacy", "pack", "verify", first)
    assert verdict["state"] == "DISPENSED" and verdict["saleable"] is False
    assert "md-" not in json.dumps(verdict), "verifying names nobody"

    history = trade.run("maker", "pack", "trace", first)["history"]
    assert [h["what"] for h in history] == [
        "opened",
        "commissioned",
        "packed",
        "shipped",
        "accepted",
        "shipped",
        "accepted",
        "alert",
        "unpacked",
        "changed",
        "alert",
    ]
    assert history[-2]["state"] == "DISPENSED" and history[5]["fromName"] == "md-wholesaler"

    recall = trade.run("maker", "pack", "recall", "--gtin", GTIN, "--lot", lot, "--reason", "glass in vials")
    assert recall["recalled"] and recall["commissioned"] == 6 and recall["ended"] == 1 and recall["live"] == 5
    assert [(h["holderName"], h["units"]) for h in recall["holders"]] == [("md-pharmacy", 5)]
    refused(3, "IS_RECALLED", trade.run, "pharmacy", "pack", "dispense", units[1])
    assert refused(3, "BATCH_RECALLED", trade.run, "pharmacy", "pack", "verify", units[1])["recalled"]
    trade.run("pharmacy", "pack", "acknowledge", "--gtin", GTIN, "--lot", lot)
    shown = trade.run("regulator", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert [a["byName"] for a in shown["acknowledged"]] == ["md-pharmacy"]


def test_a_copied_code_at_another_pharmacy(trade):
    units = trade.commission(trade.lot(), 2)
    trade.deliver(units, "pharmacy")
    trade.run("pharmacy", "pack", "dispense", units[0])
    # The second pharmacy bought a copy: no document of its names the pack, so it asks the maker.
    refused(4, "UNKNOWN", trade.run, "pharmacy-2", "pack", "verify", units[0])
    refused(4, "no document of this home", trade.run, "pharmacy-2", "pack", "dispense", units[0])
    reference = trade.path()
    trade.run("maker", "pack", "reference", units[0], "--for", trade.address("pharmacy-2"), "--out", reference)
    refused(3, "offers a copy", trade.run, "pharmacy-2", "pack", "verify", units[0], "--document", reference)
    report = refused(
        3, "ALREADY_DISPENSED", trade.run, "pharmacy-2", "pack", "dispense", units[0], "--document", reference
    )
    assert (report["alerts"][0]["byName"], report["alerts"][0]["otherName"]) == ("md-pharmacy-2", "md-pharmacy")
    for side in ("pharmacy", "pharmacy-2"):
        alert = trade.run(side, "pack", "alerts")["alerts"][-1]
        assert (alert["code"], alert["byName"], alert["otherName"]) == (
            "ALREADY_DISPENSED",
            "md-pharmacy-2",
            "md-pharmacy",
        )
    # What the other has not dispensed cannot be dispensed from here either.
    trade.run("maker", "pack", "reference", units[1], "--for", trade.address("pharmacy-2"), "--out", reference)
    refused(3, "NOT_CUSTODIAN", trade.run, "pharmacy-2", "pack", "dispense", units[1], "--document", reference)
    assert trade.run("pharmacy", "pack", "dispense", units[1])["code"] == "OK"


def test_refusals_of_the_trade(trade):
    lot = trade.lot()
    units = trade.commission(lot, 3)
    sscc = trade.case(units)
    refused(4, "no key of product", trade.run, "other", "pack", "commission", "--gtin", GTIN, "--lot", "X", "--expiry",
            "2030-01-01", "--count", 1)
    refused(2, "is in the past", trade.commission, trade.lot(), 1, "2020-01-01")
    refused(3, "NOT_LOOSE", trade.case, units)
    refused(3, "INACTIVE_PARTNER", trade.run, "maker", "pack", "ship", "--sscc", sscc, "--to", "0x" + "11" * 20)
    sealed = trade.ship(sscc, "pharmacy")
    refused(3, "PENDING", trade.run, "maker", "pack", "aggregate", units[0], "--sscc", sscc, "--unpack")
    refused(3, "not sealed to this actor", trade.run, "pharmacy-2", "pack", "receive", "--document", sealed)
    refused(3, "NOT_PENDING", trade.run, "maker", "pack", "receive", "--document", sealed)
    broken = bytearray(sealed.read_bytes())
    broken[len(broken) // 2] ^= 1
    damaged = trade.path()
    damaged.write_bytes(broken)
    with pytest.raises(Refused) as caught:
        trade.run("pharmacy", "pack", "receive", "--document", damaged)
    assert caught.value.code in (1, 2, 3)  # damaged, malformed or not sealed for this: it depends on the byte
    trade.run("pharmacy", "pack", "receive", "--document", sealed)
    refused(3, "NOT_PENDING", trade.run, "pharmacy", "pack", "receive", "--document", sealed)
    refused(3, "NOT_CUSTODIAN", trade.ship, sscc, "wholesaler")
    refused(
        3,
        "no regulator",
        trade.run,
        "maker",
        "product",
        "new",
        "--gtin",
        check_digit("0401234567899"),
        "--regulator",
        trade.address("wholesaler"),
        "--out",
        trade.path("json"),
    )


def test_a_race_of_two_dispensers(trade):
    """The same pack at the same moment: one is handed out, the other gets the code, both see the alert."""
    (unit,) = trade.commission(trade.lot(), 1)
    trade.deliver([unit], "pharmacy")
    reference = trade.path()
    trade.run("maker", "pack", "reference", unit, "--for", trade.address("pharmacy-2"), "--out", reference)
    codes = []

    def attempt(*arguments):
        try:
            codes.append(trade.run(*arguments)["code"])
        except Refused as refusal:
            codes.append(refusal.report["code"])

    in_threads([lambda: attempt("pharmacy", "pack", "dispense", unit),
                lambda: attempt("pharmacy-2", "pack", "dispense", unit, "--document", reference)])
    assert codes.count("OK") == 1
    assert set(codes) - {"OK"} <= {"ALREADY_DISPENSED", "NOT_CUSTODIAN"}
    assert trade.run("pharmacy", "pack", "alerts")["alerts"][-1]["byName"] == "md-pharmacy-2"


def test_bad_scans_get_a_diagnosis(trade):
    units = trade.commission(trade.lot(), 1)
    serial = units[0].rsplit("/", 1)[1]
    swapped = units[0].replace(serial, serial.swapcase())
    if swapped != units[0]:
        assert "caps lock" in refused(3, "advice", trade.run, "maker", "pack", "verify", swapped)["advice"]
    report = refused(3, "advice", trade.run, "maker", "pack", "verify", f"01{GTIN}21{serial}17300630")
    assert "separator" in report["advice"]
    report = refused(3, "wrong-lot", trade.run, "maker", "pack", "verify", f"(01){GTIN}(21){serial}(10)OTHER")
    assert report["state"] == "ACTIVE"
    report = refused(3, "never commissioned", trade.run, "maker", "pack", "verify", f"(01){GTIN}(21)NOSUCH")
    assert report["commissioned"] is False
    for scan, fault in ((f"]D201{GTIN}21{serial}", "caps-lock"), ("04012345678902", "wrong-check-digit"), ("", "empty"),
                        (f"01{GTIN}21" + "A" * 21, "missing-separator"), ("hello", "not-a-gs1-code")):
        with pytest.raises(Refused) as caught:
            cli("pack", "read", scan)
        assert caught.value.report["fault"] == fault and caught.value.code == 3
    assert cli("pack", "read", "81234567890123456789")["form"] == "nmpa"


def test_past_the_command_line(trade, consortium):
    """The contract refuses what the command line would not even send."""
    medicines = json.loads(consortium.deployment.read_text())["medicines"]["address"]

    def call(data, sender):
        with pytest.raises(RpcError) as caught:
            consortium.rpc("eth_call", {"from": sender, "to": medicines, "data": data}, "latest")
        return caught.value

    def selector(signature):
        return consortium.rpc("web3_sha3", "0x" + signature.encode().hex())[2:10]

    refused_selector = "0x" + selector("Refused(uint8,bytes32)")
    word = "00" * 31
    stranger = "0x" + "77" * 20
    # capture(bytes32,bytes32,uint32,bytes[]) with no operations: by a stranger, NOT_LISTED (1)
    empty = (
        "0x"
        + selector("capture(bytes32,bytes32,uint32,bytes[])")
        + "11" * 32
        + "22" * 32
        + "00" * 32
        + word
        + "80"
        + "00" * 32
    )
    assert call(empty, stranger).data[:10 + 64] == refused_selector + word + "01"
    # a listed actor with no operations: TOO_MANY (32)
    assert call(empty, trade.address("maker")).data[:10 + 64] == refused_selector + word + "20"
    # an operation outside a capture: NOT_IN_CAPTURE (31)
    accept = "0x" + selector("accept(bytes32)") + "33" * 32
    assert call(accept, trade.address("maker")).data[:10 + 64] == refused_selector + word + "1f"
    # a maker withdraws a product by itself: WRONG_ROLE (2)
    withdraw = "0x" + selector("withdrawProduct(bytes32,bool,uint32)") + "44" * 32 + word + "01" + "00" * 32
    assert call(withdraw, trade.address("maker")).data[:10 + 64] == refused_selector + word + "02"
