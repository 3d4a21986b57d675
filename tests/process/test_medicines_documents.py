"""EPCIS documents of the field: what is captured of them, and that it is all or nothing."""
import hashlib
import json
import os
import pathlib

import pytest

import trading
from machine import ROOT, Refused
from trading import born, capture, check_digit, document, happened, link, moved, refused

DATA = pathlib.Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
GS1 = DATA / "epcis" / "documents" / "gs1-epcis" / "JSON"
GTIN = check_digit("0401234567894")


class Trade(trading.Trade):
    prefix, gtin, count = "dc-", GTIN, 100000


@pytest.fixture(scope="module")
def trade(consortium):
    return Trade(consortium)


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
    assert {h["holderName"] for h in holders} == {"dc-pharmacy", "dc-wholesaler"}


def test_a_pack_is_no_case(trade):
    """Whoever could name a pack as the parent of others would make it vanish as a pack."""
    lot = trade.lot()
    units = trade.commission(lot, 3)
    packed = lambda parent, children: happened("AggregationEvent", action="ADD", bizStep="packing", parentID=parent,
                                               childEPCs=children)
    fresh, case_gtin = link(GTIN, f"{lot}-1"), check_digit("4" + GTIN[1:13])
    for by, events in (("maker", [packed(units[0], units[1:])]),
                       ("maker", [born([fresh], lot), packed(fresh, units[1:])]),
                       ("maker", [packed(link(GTIN, "never"), units[1:])]),
                       ("pharmacy", [packed(link(GTIN, "never"), units[1:])])):
        refused(2, "is a pack, and holds no others", capture, trade, by, events)
    assert trade.run("maker", "pack", "verify", units[0])["state"] == "ACTIVE"
    assert capture(trade, "maker", [packed(link(case_gtin, lot), units)])["code"] == "OK"
    assert trade.run("maker", "pack", "verify", units[0])["state"] == "PACKED"


def test_what_goes_on_is_not_deleted(trade):
    """Action DELETE says that packs are no more; dispensing may say so, shipping and holding may not."""
    units = trade.commission(trade.lot(), 2)
    trade.deliver(units, "pharmacy")
    for step in ("shipping", "receiving", "holding"):
        event = {**moved(step, units[:1]), "action": "DELETE"}
        refused(2, f"{step} has the action OBSERVE", capture, trade, "pharmacy", [event], "--to",
                trade.address("wholesaler"))
    assert trade.run("pharmacy", "pack", "verify", units[0])["state"] == "ACTIVE"
    assert capture(trade, "pharmacy", [{**moved("dispensing", units[:1]), "action": "DELETE"}])["code"] == "OK"
    refused(3, "DISPENSED", trade.run, "pharmacy", "pack", "verify", units[0])


def test_an_expiry_with_words_behind_it_is_none(trade):
    lot = trade.lot()
    event = born([link(GTIN, f"{lot}-1")], lot)
    event["ilmd"]["cbvmda:itemExpirationDate"] = "2030-06-30 or 2099"
    refused(2, "the event's expiry is not a date", capture, trade, "maker", [event])


@pytest.mark.parametrize("said", [
    "{link}?exp=2099-01-01", "{link}?LOT=OTHER", "{link}?expiry=301231", "{link}?ser=2",
    "https://id.gs1.org/10/OTHER/01/{gtin}/21/{serial}", "https://id.gs1.org/17/301231/01/{gtin}/21/{serial}"])
def test_a_link_that_says_lot_or_expiry_where_it_is_not_read_is_refused(trade, said):
    """It would be passed over, and the pack found to be saleable."""
    unit = trade.commission(trade.lot(), 1)[0]
    text = said.format(link=unit, gtin=GTIN, serial=unit.rsplit("/", 1)[1])
    report = refused(3, "this web address", trade.run, "maker", "pack", "verify", text)
    assert "saleable" not in report
    assert trade.run("maker", "pack", "verify", unit + "?linkType=gs1:pip&experiment=1")["saleable"] is True


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
    classes = [{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/OTHER", "quantity": 9}]
    beside = moved("shipping", [unit], quantityList=classes)
    packing = happened("AggregationEvent", action="ADD", bizStep="packing", childEPCs=[unit], childQuantityList=classes,
                       parentID="https://id.gs1.org/00/" + trade.sscc())
    for second in (correction, quantity, beside, packing):
        refused(1, "event 2", capture, trade, "maker", [born([unit], lot), second])
        refused(3, "never commissioned", trade.run, "maker", "pack", "verify", unit)
    done = capture(trade, "maker", [born([unit], lot), moved("inspecting", [unit])])
    assert [skipped["event"] for skipped in done["notCaptured"]] == [2]


def test_nobody_confirms_a_guessed_document(trade):
    """The chain's hash is not that of the plain document, and the same document gives the same again."""
    plain, lot = trade.path("jsonld"), trade.lot()
    done = trade.run("maker", "pack", "commission", "--gtin", GTIN, "--lot", lot, "--expiry", "2030-06-30", "--count", 1,
                     "--epcis-out", plain)
    assert done["documentHash"] != "0x" + hashlib.sha256(plain.read_bytes()).hexdigest()
    again = trade.run("maker", "pack", "commission", "--epcis", plain)
    assert again["documentHash"] == done["documentHash"] and again["captures"][0]["repeated"] is True


def test_a_document_captured_again_is_sealed_to_its_receiver_again(trade):
    """The first file may be lost: by a kill before it is written, or a full disk."""
    units = trade.commission(trade.lot(), 2)
    chain = int(trade.c.rpc("eth_chainId"), 16)
    party = f"did:pkh:eip155:{chain}:{trade.address('wholesaler').lower()}"
    named = moved("shipping", units[1:], destinationList=[{"type": "possessing_party", "destination": party}])
    for event, to in ((moved("shipping", units[:1]), ("--to", trade.address("wholesaler"))), (named, ())):
        again, path = trade.path(), document(trade, [event])
        refused(1, "cannot", trade.run, "maker", "pack", "capture", path, *to, "--out", path / "no" / "folder")
        trade.run("maker", "pack", "capture", path, *to, "--out", again)
        assert trade.run("wholesaler", "pack", "receive", "--document", again)["units"] == 1


DSCSA = """<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda"
 xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
 schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z">
 <EPCISHeader><sbdh:StandardBusinessDocumentHeader><sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>
 </sbdh:StandardBusinessDocumentHeader></EPCISHeader>
 <EPCISBody><EventList>
  <ObjectEvent><eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
   <epcList>{packs}</epcList><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep>
   <disposition>urn:epcglobal:cbv:disp:active</disposition>
   <extension><ilmd><cbvmda:lotNumber>{lot}</cbvmda:lotNumber>
    <cbvmda:itemExpirationDate>2030-06-30</cbvmda:itemExpirationDate></ilmd></extension></ObjectEvent>
  <AggregationEvent><eventTime>2026-01-01T01:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
   <parentID>urn:epc:id:sscc:4012345.3{serial}</parentID><childEPCs>{packs}</childEPCs><action>ADD</action>
   <bizStep>urn:epcglobal:cbv:bizstep:packing</bizStep></AggregationEvent>
  <ObjectEvent><eventTime>2026-01-01T02:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
   <epcList><epc>urn:epc:id:sscc:4012345.3{serial}</epc></epcList><action>OBSERVE</action>
   <bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep></ObjectEvent>
 </EventList></EPCISBody>
</epcis:EPCISDocument>"""


def test_a_document_of_dscsa_in_xml_is_captured_sealed_and_received(trade):
    lot, sscc = trade.lot(), trade.sscc()
    serials = trade.sound("xml", 3)
    urn = f"urn:epc:id:sgtin:{GTIN[1:8]}.{GTIN[0]}{GTIN[8:13]}."
    path, sealed = trade.path("xml"), trade.path()
    path.write_text(DSCSA.format(packs="".join(f"<epc>{urn}{serial}</epc>" for serial in serials), lot=lot, serial=sscc[8:17]))
    capture_it = ("maker", "pack", "capture", path, "--to", trade.address("pharmacy"), "--out", sealed)
    assert trade.run(*capture_it)["captures"]
    assert trade.run(*capture_it)["captures"][0]["repeated"] is True
    assert trade.run("pharmacy", "pack", "receive", "--document", sealed)["units"] == 3
    for serial in serials:
        assert trade.run("pharmacy", "pack", "verify", link(GTIN, serial))["saleable"] is True


@pytest.mark.parametrize("broken, why", [
    ('<!DOCTYPE x [<!ENTITY a "b">]><x/>', "line 1"), ('<?xml version="1.0"?><other/>', "schemaVersion"),
    ('<EPCISDocument schemaVersion="0.9" creationDate="2026-01-01T00:00:00Z"/>', "schemaVersion"),
    ('<EPCISDocument schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z"><EPCISBody/></EPCISDocument>', "EventList"),
    ('<EPCISDocument schemaVersion="1.2" creationDate="today"><EPCISBody><EventList/></EPCISBody></EPCISDocument>',
     "creationDate")])
def test_xml_that_is_no_document_of_events_is_refused(trade, broken, why):
    path = trade.path("xml")
    path.write_text(broken)
    refused(2, why, trade.run, "maker", "pack", "capture", path)


def test_rejects_of_a_line_are_void_by_its_maker_alone_and_a_case_that_is_given_up_is_nothing(trade):
    lot, case = trade.lot(), "https://id.gs1.org/00/" + trade.sscc()
    packs = [link(GTIN, serial) for serial in trade.sound(f"{lot}-", 6)]
    rejected = happened(action="DELETE", bizStep="decommissioning", epcList=[*packs[:2], case])
    packing = [happened("AggregationEvent", action=action, bizStep="packing", parentID=case, childEPCs=packs[:3])
               for action in ("ADD", "DELETE")]
    assert capture(trade, "maker", [born(packs, lot), *packing, rejected])["code"] == "OK"
    for pack in packs[:2]:
        assert refused(3, "VOID", trade.run, "maker", "pack", "verify", pack)["saleable"] is False
    assert trade.run("maker", "pack", "holders", "--gtin", GTIN, "--lot", lot)["live"] == 4
    refused(3, "FINAL", capture, trade, "maker", [{**rejected, "epcList": packs[:1]}])
    trade.deliver(packs[3:], "pharmacy")
    refused(3, "NOT_ALLOWED", capture, trade, "pharmacy", [{**rejected, "epcList": packs[3:4]}])
