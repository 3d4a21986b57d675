"""Medicines from the maker to the patient, on a real node: the way that it should go, and the ways that it must not."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from machine import PASSWORD, ROOT, Refused, RpcError, binary, cli, in_threads

DATA = pathlib.Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
GS1 = DATA / "epcis" / "documents" / "gs1-epcis" / "JSON"


def check_digit(digits):
    total = sum((3 if i % 2 == 0 else 1) * int(d) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


GTIN = check_digit("0401234567890")


class Trade:
    """A regulator, a maker, a wholesaler and two pharmacies; a registered product. SSCCs are never used twice."""

    prefix, gtin, count = "md-", GTIN, 0
    actors = {"regulator": "regulator", "maker": "manufacturer", "other": "manufacturer", "wholesaler": "wholesaler",
              "pharmacy": "pharmacy", "pharmacy-2": "pharmacy"}

    def __init__(self, consortium):
        self.c = consortium
        for name, roles in self.actors.items():
            consortium.actor(self.prefix + name, roles)
        self.register(self.gtin)

    def run(self, name, *arguments, **options):
        return self.c.run(self.prefix + name, *arguments, **options)

    def address(self, name):
        return self.c.accounts[self.prefix + name]

    def path(self, suffix="sealed"):
        self.count += 1
        return self.c.folder / f"{self.prefix}{self.count}.{suffix}"

    def register(self, gtin, maker="maker"):
        return self.c.product(self.prefix + maker, gtin, self.prefix + "regulator")

    def sscc(self):
        self.count += 1
        return check_digit(f"34012345{self.count:09d}")

    def lot(self):
        self.count += 1
        return f"LOT-{self.count}"

    def commission(self, lot, count=4, expiry="2030-06-30", *more):
        return self.run("maker", "pack", "commission", "--gtin", self.gtin, "--lot", lot, "--expiry", expiry, "--count",
                        count, *more)["units"]

    def case(self, units, by="maker"):
        sscc = self.sscc()
        self.run(by, "pack", "aggregate", *units, "--sscc", sscc)
        return sscc

    def ship(self, sscc, to, by="maker", *more):
        sealed = self.path()
        self.run(by, "pack", "ship", "--sscc", sscc, "--to", self.address(to), "--out", sealed, *more)
        return sealed

    def deliver(self, units, to, by="maker"):
        """Packed, shipped, received, unpacked: the units stand loose with `to`."""
        sscc = self.case(units, by)
        self.run(to, "pack", "receive", "--document", self.ship(sscc, to, by))
        self.run(to, "pack", "aggregate", *units, "--sscc", sscc, "--unpack")


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


def refused(code, name, call, *arguments, **options):
    with pytest.raises(Refused) as caught:
        call(*arguments, **options)
    assert caught.value.code == code, caught.value
    text = json.dumps(caught.value.report)
    assert name in text, caught.value
    return caught.value.report


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


def test_real_documents_of_gs1(trade):
    """GS1's own example 9.6.1 ships two packs and receives one: commissioned first, since it does not say of which lot."""
    if not GS1.is_dir():
        pytest.skip(f"no EPCIS documents at {GS1}")
    example = json.loads((GS1 / "Example_9.6.1-ObjectEvent.jsonld").read_text())
    epcs = example["epcisBody"]["eventList"][0]["epcList"]
    gtin = "10614141073464"
    trade.register(gtin)
    event = {
        **example["epcisBody"]["eventList"][0],
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
    }
    made = trade.path("jsonld")
    made.write_text(json.dumps({**example, "epcisBody": {"eventList": [event]}}))
    with pytest.raises(Refused) as caught:
        trade.run("maker", "pack", "commission", "--epcis", made)
    assert caught.value.code == 2 and "--lot" in caught.value.stderr
    trade.run("maker", "pack", "commission", "--epcis", made, "--lot", "GS1-1", "--expiry", "2030-01-31")
    again = trade.run("maker", "pack", "commission", "--epcis", made, "--lot", "GS1-1", "--expiry", "2030-01-31")
    assert again["captures"][0]["repeated"] is True

    made.write_text(json.dumps({**example, "id": "urn:another", "epcisBody": {"eventList": [event]}}))
    refused(
        3,
        "DUPLICATE_SERIAL",
        trade.run,
        "maker",
        "pack",
        "commission",
        "--epcis",
        made,
        "--lot",
        "GS1-2",
        "--expiry",
        "2030-01-31",
    )
    shipping = trade.path("jsonld")
    shipping.write_text(json.dumps({**example, "epcisBody": {"eventList": example["epcisBody"]["eventList"][:1]}}))
    sealed = trade.path()
    trade.run("maker", "pack", "ship", "--epcis", shipping, "--to", trade.address("pharmacy"), "--out", sealed)
    trade.run("pharmacy", "pack", "receive", "--document", sealed, "--keep")
    receiving = trade.path("jsonld")
    receiving.write_text(json.dumps({**example, "epcisBody": {"eventList": example["epcisBody"]["eventList"][1:]}}))
    trade.run("pharmacy", "pack", "capture", receiving)
    assert trade.run("pharmacy", "pack", "verify", epcs[1])["state"] == "ACTIVE"
    assert trade.run("pharmacy", "pack", "verify", epcs[0])["state"] == "PACKED"
    assert trade.run("pharmacy", "pack", "dispense", epcs[1])["code"] == "OK"
    for name, words in (("Example_9.6.4-TransformationEvent", "nothing in this document is captured"),
                        ("Example_9.6.2-ObjectEvent", "quantities of a class")):
        refused(1, words, trade.run, "maker", "pack", "capture", GS1 / f"{name}.jsonld")


def happened(kind="ObjectEvent", **members):
    return {"type": kind, "eventTime": "2026-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00", **members}


def document(trade, events):
    path = trade.path("jsonld")
    path.write_text(json.dumps({"@context": [], "type": "EPCISDocument", "schemaVersion": "2.0", "id": str(path),
                                "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": events}}))
    return path


def capture(trade, by, events, *more):
    """One document of these events, captured."""
    return trade.run(by, "pack", "capture", document(trade, events), *more)


def link(gtin, serial):
    return f"https://id.gs1.org/01/{gtin}/21/{serial}"


def born(packs, lot, **members):
    ilmd = {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": "2030-06-30"}
    return happened(action="ADD", bizStep="commissioning", epcList=packs, ilmd=ilmd, **members)


def moved(step, packs, **members):
    return happened(action="OBSERVE", bizStep=step, epcList=packs, **members)


def test_a_day_of_the_field_in_one_document(trade):
    """Units and cases in one event, cases by SGTIN as the US wants them, a pallet, two products, and the shipment."""
    case_gtin, second = check_digit("3" + GTIN[1:13]), check_digit("0401234567892")
    trade.register(second)
    lot, pallet = trade.lot(), "https://id.gs1.org/00/" + trade.sscc()
    units = [link(GTIN, f"D{i}") for i in range(4)]
    others = [link(second, f"D{i}") for i in range(2)]
    cases = [link(case_gtin, f"C{i}") for i in range(2)]
    packed = lambda parent, children: happened("AggregationEvent", action="ADD", bizStep="packing", parentID=parent,
                                               childEPCs=children)
    sealed = trade.path()
    done = capture(trade, "maker", [
        born([*units, *others, *cases], lot), packed(cases[0], units[:2]), packed(cases[1], units[2:] + others),
        happened(action="ADD", bizStep="commissioning", epcList=[pallet]), packed(pallet, cases),
        moved("shipping", [pallet])], "--to", trade.address("wholesaler"), "--out", sealed)
    assert done["code"] == "OK" and done["notCaptured"] == []
    assert trade.run("wholesaler", "pack", "receive", "--document", sealed)["units"] == 6
    trade.run("wholesaler", "pack", "aggregate", *cases, "--sscc", pallet, "--unpack")
    onward = trade.path()
    capture(trade, "wholesaler", [moved("shipping", cases[:1])], "--to", trade.address("pharmacy"), "--out", onward)
    assert trade.run("pharmacy", "pack", "receive", "--document", onward, "--sscc", cases[0])["units"] == 2
    trade.run("pharmacy", "pack", "aggregate", *units[:2], "--sscc", cases[0], "--unpack")
    assert trade.run("pharmacy", "pack", "dispense", units[0])["code"] == "OK"
    assert trade.run("wholesaler", "pack", "verify", others[0])["state"] == "PACKED"
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)["holders"]
    assert {h["holderName"] for h in holders} == {"md-pharmacy", "md-wholesaler"}


def test_a_shipment_of_recalled_packs_is_both(trade):
    lot = trade.lot()
    units = trade.commission(lot, 2)
    recalled = {"persistentDisposition": {"set": ["recalled"]}}
    refused(3, "IS_HELD", capture, trade, "maker", [moved("shipping", units, **recalled)], "--to",
            trade.address("wholesaler"))
    assert trade.run("maker", "pack", "verify", units[0])["state"] == "ACTIVE"  # neither
    refused(3, "NOT_ITS_ORIGIN", capture, trade, "maker", [moved("shipping", units, **recalled)], "--to",
            trade.address("wholesaler"), "--purpose", "destruction")
    sealed = trade.path()
    done = capture(trade, "maker", [moved("shipping", units, **recalled)], "--to", trade.address("regulator"),
                   "--purpose", "destruction", "--out", sealed)
    assert done["notCaptured"] == []
    trade.run("regulator", "pack", "receive", "--document", sealed)
    report = refused(3, "RECALLED", trade.run, "regulator", "pack", "verify", units[0])
    assert report["recalled"] and not report["saleable"]


def test_all_of_a_document_or_none(trade):
    lot = trade.lot()
    unit = link(GTIN, "N1")
    correction = moved("shipping", [unit], errorDeclaration={"declarationTime": "2026-01-01T00:00:00Z"})
    quantity = happened(action="OBSERVE", bizStep="shipping", quantityList=[{"epcClass": link(GTIN, "x")[:-5]}])
    for second in (correction, quantity):
        refused(1, "event 2", capture, trade, "maker", [born([unit], lot), second])
        refused(3, "never commissioned", trade.run, "maker", "pack", "verify", unit)
    done = capture(trade, "maker", [born([unit], lot), moved("inspecting", [unit])])
    assert [skipped["event"] for skipped in done["notCaptured"]] == [2]


def test_another_lot_or_expiry_on_the_pack_is_never_saleable(trade):
    lot = trade.lot()
    (unit,) = trade.commission(lot, 1)
    serial = unit.rsplit("/", 1)[1]
    assert trade.run("maker", "pack", "verify", f"(01){GTIN}(21){serial}(10){lot}(17)300630")["saleable"] is True
    for printed, word in (("(10)OTHER", "wrong-lot"), ("(17)300629", "wrong-expiry"), ("(17)200101", "wrong-expiry")):
        report = refused(3, word, trade.run, "maker", "pack", "verify", f"(01){GTIN}(21){serial}{printed}")
        assert report["saleable"] is False and report["state"] == "ACTIVE"


def test_nobody_confirms_a_guessed_document(trade):
    """The chain's hash is not that of the plain document, and the same document gives the same again."""
    plain, lot = trade.path("jsonld"), trade.lot()
    done = trade.run("maker", "pack", "commission", "--gtin", GTIN, "--lot", lot, "--expiry", "2030-06-30", "--count", 1,
                     "--epcis-out", plain)
    assert done["documentHash"] != "0x" + hashlib.sha256(plain.read_bytes()).hexdigest()
    again = trade.run("maker", "pack", "commission", "--epcis", plain)
    assert again["documentHash"] == done["documentHash"] and again["captures"][0]["repeated"] is True


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


@pytest.mark.parametrize("count", [500, 557, 1000])
def test_a_lot_of_any_size_with_the_defaults(trade, count):
    lot, serials = trade.lot(), trade.path("txt")
    report = trade.run("maker", "pack", "commission", "--gtin", GTIN, "--lot", lot, "--expiry", "2031-01-31",
                       "--count", count)
    assert len(set(report["units"])) == count
    serials.write_text("\n".join(report["units"]))
    case = trade.sscc()
    trade.run("maker", "pack", "aggregate", f"@{serials}", "--sscc", case)
    trade.run("pharmacy", "pack", "receive", "--document", trade.ship(case, "pharmacy"))
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert [h["units"] for h in holders["holders"]] == [count] and holders["live"] == count


def test_a_lot_grows_over_hours_and_each_document_has_its_part(trade):
    lot = trade.lot()
    first, second = trade.commission(lot, 3), trade.commission(lot, 2)
    both = capture(trade, "maker", [born([link(GTIN, f"{lot}-A")], lot), born([link(GTIN, f"{lot}-B")], lot)])
    assert both["code"] == "OK"
    trade.deliver([first[0], second[1], link(GTIN, f"{lot}-B")], "pharmacy")  # proofs of three parts
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert sorted(h["units"] for h in holders["holders"]) == [3, 4] and holders["commissioned"] == 7
    refused(2, "another expiry", trade.commission, lot, 1, "2031-06-30")


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


def parts_of(trade, name, events):
    """A document, and a command that captures it, not started."""
    path = document(trade, events)
    return path, [binary(), "pack", "capture", str(path), "--home", str(trade.c.home("md-" + name)), "--json"]


def test_a_document_goes_on_from_where_it_was_killed(trade, consortium):
    """Killed after each of its parts; another document of the same lot goes in between."""
    lot = trade.lot()
    packs = [link(GTIN, f"{lot}-{i}") for i in range(3000)]
    case = "https://id.gs1.org/00/" + trade.sscc()
    path, command = parts_of(trade, "maker", [
        born(packs, lot), happened("AggregationEvent", action="ADD", bizStep="packing", parentID=case,
                                   childEPCs=[*packs[:100], *packs[2900:]])])
    kept, kills = trade.c.home("md-maker") / "plans", 0
    while True:
        head = consortium.rpc("eth_blockNumber")
        run = subprocess.Popen(command, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD}, stdout=subprocess.PIPE)
        while run.poll() is None and consortium.rpc("eth_blockNumber") == head:
            pass
        run.kill()
        run.wait()
        if not any(kept.glob("*")):
            break
        kills += 1
        if kills == 1:
            trade.commission(lot, 2)
        assert kills < 20  # each run brings it further
    assert kills >= 1
    done = trade.run("maker", "pack", "capture", path)
    assert done["code"] == "OK" and not any(kept.glob("*"))
    holders = trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)
    assert sorted(h["units"] for h in holders["holders"]) == [200, 2802]
    for at in (0, 1500, 2999):
        expected = "ACTIVE" if at == 1500 else "PACKED"
        assert trade.run("maker", "pack", "verify", packs[at])["state"] == expected


def kept_plans(trade):
    """Of the maker's home; a kill in the middle of a write leaves a file that was not renamed."""
    return [path for path in (trade.c.home("md-maker") / "plans").glob("*") if path.suffix != ".part"]


def test_a_document_of_several_waves_ends_however_often_it_is_killed_and_no_part_goes_twice(trade, consortium):
    """Killed later and later, while parts are tried, signed, on their way together, and settled."""
    lot, account = trade.lot(), trade.address("maker")
    packs = [link(GTIN, f"{lot}-{i}") for i in range(9000)]
    path, command = parts_of(trade, "maker", [born(packs, lot)])
    before = int(consortium.rpc("eth_getTransactionCount", account, "latest"), 16)
    for wait_s in (0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25, 0.3):
        run = subprocess.Popen(command, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD}, stdout=subprocess.PIPE)
        time.sleep(wait_s)
        run.kill()
        run.wait()
    done = trade.run("maker", "pack", "capture", path)
    assert done["code"] == "OK" and not kept_plans(trade)
    sent = int(consortium.rpc("eth_getTransactionCount", account, "latest"), 16) - before
    parts = {part["captureId"] for part in done["captures"]}
    assert sent == len(parts) == len(done["captures"]) > 3
    assert trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)["live"] == 9000
    assert trade.run("maker", "pack", "verify", packs[4321])["state"] == "ACTIVE"


def run_at_once(commands):
    """Reports of commands that begin together."""
    environment = {**os.environ, "XINGLIN_PASSWORD": PASSWORD}
    runs = [subprocess.Popen([binary(), *map(str, command), "--json"], env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE) for command in commands]
    reports = []
    for run in runs:
        out, problem = run.communicate(timeout=300)
        assert run.returncode == 0, problem
        reports.append(json.loads(out))
    return reports


@pytest.mark.parametrize("lines", ["AB", "ABCD"])
def test_lines_commission_into_one_lot_at_once(trade, lines):
    """Each with a document of several parts, of which the last one counts on the places of its packs."""
    lot, home = trade.lot(), trade.c.home("md-maker")
    held = lambda line, at: link(GTIN, f"{lot}-{line}-{at}")
    documents = [document(trade, [born([held(line, i) for i in range(1500)], lot), moved("holding", [held(line, 7)])])
                 for line in lines]
    for done in run_at_once(["pack", "capture", path, "--home", home] for path in documents):
        assert done["code"] == "OK"
    assert trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)["live"] == 1500 * len(lines)
    for line in lines:
        refused(3, "HELD", trade.run, "maker", "pack", "verify", held(line, 7))
        assert trade.run("maker", "pack", "verify", held(line, 8))["state"] == "ACTIVE"


def test_nothing_of_a_large_document_is_sent_if_its_last_part_would_be_refused(trade, consortium):
    """Each takes several transactions, and what is wrong with it stands at its end."""
    lot, other, sold = trade.lot(), trade.lot(), trade.commission(trade.lot(), 2)
    trade.deliver(sold[:1], "pharmacy")
    packs = [link(GTIN, f"{lot}-{i}") for i in range(3000)]
    case = "https://id.gs1.org/00/" + trade.sscc()
    packing = lambda children: happened("AggregationEvent", action="ADD", bizStep="packing", parentID=case,
                                        childEPCs=children)
    stranger = f"did:pkh:eip155:{int(consortium.rpc('eth_chainId'), 16)}:0x" + "77" * 20
    wrong = {
        "DUPLICATE_SERIAL": [born([*packs, sold[1]], lot)],
        "NOT_CUSTODIAN": [born(packs, lot), packing([*packs[:9], sold[0]])],
        "UNKNOWN_PRODUCT|holds no key": [born(packs, lot), born([link(check_digit("0401234599999"), "1")], other)],
        "is commissioned twice": [born([*packs, packs[7]], lot)],
        "is not in the directory": [born(packs, lot), packing(packs), moved("shipping", [case], destinationList=[
            {"type": "possessing_party", "destination": stranger}])],
    }
    for why, events in wrong.items():
        path, head = document(trade, events), consortium.rpc("eth_blockNumber")
        with pytest.raises(Refused) as caught:
            trade.run("maker", "pack", "capture", path)
        assert re.search(why, json.dumps(caught.value.report)), (why, caught.value)
        assert consortium.rpc("eth_blockNumber") == head, why
        assert not kept_plans(trade), why
    assert capture(trade, "maker", [born(packs, lot)])["code"] == "OK"


def test_a_home_that_lost_its_documents_asks_the_chain_for_serials(trade):
    lot, lost = trade.lot(), trade.path("home")
    packs = [link(GTIN, f"{lot}-{i}") for i in range(1500)]
    assert capture(trade, "maker", [born(packs[:20], lot)])["code"] == "OK"
    shutil.copytree(trade.c.home("md-maker"), lost)
    shutil.rmtree(lost / "documents")
    for path in lost.glob("index.db*"):
        path.unlink()
    head = trade.c.rpc("eth_blockNumber")
    with pytest.raises(Refused) as caught:
        cli("pack", "capture", document(trade, [born([*packs[20:], packs[19]], lot)]), "--home", lost)
    assert "DUPLICATE_SERIAL" in json.dumps(caught.value.report) and trade.c.rpc("eth_blockNumber") == head


def test_lines_of_several_lots_pack_and_ship_at_once(trade):
    """As in a plant: each line commissions, packs and ships its own lot, and none is turned away."""
    home, lots = trade.c.home("md-maker"), [trade.lot() for _ in range(4)]
    cases = ["https://id.gs1.org/00/" + trade.sscc() for _ in lots]
    serials = [[link(GTIN, f"{lot}-{i}") for i in range(50)] for lot in lots]
    whole = [[born(packs, lot), happened("AggregationEvent", action="ADD", bizStep="packing", parentID=case,
                                         childEPCs=packs), moved("shipping", [case])]
             for lot, case, packs in zip(lots, cases, serials)]
    to = trade.address("wholesaler")
    for done in run_at_once(["pack", "capture", document(trade, events), "--to", to, "--home", home]
                            for events in whole):
        assert done["code"] == "OK" and done["notCaptured"] == []
    for packs in serials:
        assert trade.run("maker", "pack", "verify", packs[0])["state"] == "IN_TRANSIT"
