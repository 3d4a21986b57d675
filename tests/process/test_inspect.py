"""Documents looked at before anything is sent: record inspect and pack inspect need no home, no node and no wallet."""
import hashlib
import json

import pytest

from machine import Refused, cli

PATIENT = '{"resourceType": "Patient", "id": "p1", "name": [{"family": "Größe"}], "multipleBirthInteger": 1}'


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def event(**members):
    return {"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00", **members}


def epcis(*events):
    return {"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
            "schemaVersion": "2.0", "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": list(events)}}


def test_a_single_resource_is_shown_with_the_digest_of_its_bytes(tmp_path):
    shown = cli("record", "inspect", write(tmp_path / "patient.json", PATIENT))
    assert len(shown["patients"]) == 1 and "Größe" in shown["patients"][0]["display"]
    resource, = shown["resources"]
    assert (resource["type"], resource["id"], resource["bytes"]) == ("Patient", "p1", len(PATIENT.encode()))
    assert resource["sha256"] == "0x" + hashlib.sha256(PATIENT.encode()).hexdigest()


def test_each_patient_of_a_bundle_is_named(tmp_path):
    entries = [{"fullUrl": f"urn:uuid:0f1a0000-0000-4000-8000-00000000000{i}", "resource": {"resourceType": "Patient"}}
               for i in (1, 2)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    shown = cli("record", "inspect", write(tmp_path / "two.json", bundle))
    assert [p["key"] for p in shown["patients"]] == [e["fullUrl"] for e in entries]
    assert [r["patient"] for r in shown["resources"]] == [e["fullUrl"] for e in entries]


def test_packs_lots_and_last_days_of_events(tmp_path):
    born = event(action="ADD", bizStep="https://ref.gs1.org/cbv/BizStep-commissioning",
                 epcList=["urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/00/106141412345678908"],
                 ilmd={"cbvmda:lotNumber": "L1", "cbvmda:itemExpirationDate": "2030-06-30"})
    seen = event(action="OBSERVE", bizStep="shipping", epcList=["urn:epc:id:sgtin:0614141.107346.2017"])
    first, second = cli("pack", "inspect", write(tmp_path / "e.jsonld", epcis(born, seen)))["events"]
    assert (first["kind"], first["action"], first["bizStep"]) == ("ObjectEvent", "ADD", "commissioning")
    assert (first["lot"], first["expiry"], first["identifiers"]) == ("L1", "2030-06-30", 2)
    assert first["packs"] == [{"gtin": "10614141073464", "serial": "2017",
                               "digitalLink": "https://id.gs1.org/01/10614141073464/21/2017"}]
    assert json.loads(second["source"]) == seen and "lot" not in second


def test_an_event_has_one_hash_however_it_is_written(tmp_path):
    urn = event(action="OBSERVE", bizStep="urn:epcglobal:cbv:bizstep:shipping", eventID="urn:uuid:1",
                epcList=["urn:epc:id:sscc:4012345.0000000111", "urn:epc:id:sgtin:0614141.107346.2017"])
    link = event(action="OBSERVE", bizStep="shipping", recordTime="2026-01-02T00:00:00Z",
                 epcList=["https://here.example/01/10614141073464/21/2017?x=1", "https://id.gs1.org/00/040123450000001112"])
    link["eventTime"] = "2026-01-01T01:00:00.0000+01:00"
    other = {**link, "eventTimeZoneOffset": "+01:00"}
    events = cli("pack", "inspect", write(tmp_path / "e.jsonld", epcis(urn, link, other)))["events"]
    prehash = ("eventType=ObjectEventeventTime=2026-01-01T00:00:00.000ZeventTimeZoneOffset=+00:00epcList"
               "epc=https://id.gs1.org/00/040123450000001112epc=https://id.gs1.org/01/10614141073464/21/2017"
               "action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-shipping")
    assert events[0]["hash"] == f"ni:///sha-256;{hashlib.sha256(prehash.encode()).hexdigest()}?ver=CBV2.0"
    assert events[1]["hash"] == events[0]["hash"] != events[2]["hash"]


def test_xml_is_shown_as_the_json_that_it_would_be(tmp_path):
    text = ('<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" xmlns:x="urn:x" xmlns:m="urn:epcglobal:cbv:mda" '
            'schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList><ObjectEvent>'
            "<eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>"
            "<epcList><epc>urn:epc:id:sgtin:0614141.107346.2017</epc></epcList><action>ADD</action>"
            "<bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><extension><ilmd><m:lotNumber>L\u4e2d</m:lotNumber>"
            "</ilmd></extension><x:a>1</x:a><x:a><x:b>2</x:b></x:a></ObjectEvent></EventList></EPCISBody></e:EPCISDocument>")
    shown = cli("pack", "inspect", write(tmp_path / "e.xml", text))
    assert json.loads(shown["context"])[1] == {"cbvmda": "urn:epcglobal:cbv:mda", "x": "urn:x"}
    assert json.loads(shown["events"][0]["source"]) == event(
        epcList=["urn:epc:id:sgtin:0614141.107346.2017"], action="ADD", bizStep="urn:epcglobal:cbv:bizstep:commissioning",
        ilmd={"cbvmda:lotNumber": "L\u4e2d"}, **{"x:a": ["1", {"x:b": "2"}]})
    (tmp_path / "latin.xml").write_bytes(text.replace("L\u4e2d", "L\u00e9").encode("latin-1"))
    with pytest.raises(Refused, match="UTF-8"):
        cli("pack", "inspect", tmp_path / "latin.xml")


@pytest.mark.parametrize("kind, content", [
    ("pack", "null"), ("pack", {"epcisBody": None}), ("pack", epcis(None)), ("pack", "<epcis/>"), ("pack", ""),
    ("pack", epcis(event(action="ADD", bizStep="commissioning", epcList=[7]))),
    ("record", "[]"), ("record", {"resourceType": "Nonsense"}), ("record", "\x1f\x8b"), ("record", PATIENT[:-1])])
def test_what_is_no_document_is_refused_with_its_file(tmp_path, kind, content):
    path = write(tmp_path / "bad.json", content)
    with pytest.raises(Refused) as refused:
        cli(kind, "inspect", path)
    assert refused.value.code in (2, 3) and str(path) in refused.value.stderr
