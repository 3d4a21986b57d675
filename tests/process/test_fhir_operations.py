"""Operations: $validate, $meta, $everything, $lastn, $match; and Binary as bytes."""
import pytest

from fhirs import FHIR_JSON, Fhir, entry, observation, patient
from machine import Node


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    yield Fhir(node.started["fhir"], node.started["token"])
    assert node.stop() == 0, node.log.read_text()


def parameters(*list_):
    return {"resourceType": "Parameters", "parameter": list(list_)}


def test_validate_says_what_is_wrong_and_keeps_nothing(fhir):
    good = fhir.post("Patient/$validate", patient())
    assert good.status == 200 and good.issues[0]["severity"] == "information"
    bad = fhir.post("Patient/$validate", parameters({"name": "resource", "resource": {"resourceType": "Patient", "gender": "m"}}))
    assert bad.status == 200 and bad.issues[0]["expression"] == ["Patient.gender"]
    assert fhir.post("Patient/$validate", {"resourceType": "Observation"}).issues[-1]["severity"] == "error"
    made = fhir.create(patient())
    assert fhir.get(f"Patient/{made['id']}/$validate").issues[0]["severity"] == "information"
    assert fhir.post("Patient/$validate", b"").status == 400
    assert fhir.get("Patient/$validate").status == 405


def test_validate_by_a_profile_that_is_not_there_is_no_success(fhir):
    base = "http://hl7.org/fhir/StructureDefinition/"
    assert fhir.post(f"Patient/$validate?profile={base}Patient", patient()).status == 200
    for answer in (fhir.post(f"Patient/$validate?profile={base}bmi", patient()),
                   fhir.post("Patient/$validate", parameters({"name": "resource", "resource": patient()},
                                                             {"name": "profile", "valueUri": "http://x.example/p"}))):
        assert (answer.status, answer.issues[0]["code"]) == (400, "not-supported"), answer.body


def test_meta_is_what_the_resource_has(fhir):
    made = fhir.create(patient(meta={"tag": [{"system": "urn:t", "code": "x"}]}))
    answer = fhir.get(f"Patient/{made['id']}/$meta").json
    assert answer["resourceType"] == "Parameters" and answer["parameter"][0]["valueMeta"] == made["meta"]
    assert fhir.get("Patient/not-there/$meta").status == 404


def test_everything_is_the_patient_its_compartment_and_what_they_name(fhir):
    fhir.bundle("transaction", entry("PUT", "Organization/ev-o", {"resourceType": "Organization", "id": "ev-o", "name": "W"}),
                entry("PUT", "Patient/ev", patient(id="ev", managingOrganization={"reference": "Organization/ev-o"})),
                entry("PUT", "Patient/ev-2", patient(id="ev-2")),
                *[entry("POST", "Observation", observation("Patient/ev", f"e{n}")) for n in range(5)],
                entry("POST", "Observation", observation("Patient/ev-2")))
    whole = fhir.get("Patient/ev/$everything?_count=100").json
    found = [item["resource"] for item in whole["entry"]]
    assert found[0]["id"] == "ev" and whole["type"] == "searchset"
    assert sum(resource["resourceType"] == "Observation" for resource in found) == 5
    assert not any(resource["id"] == "ev-2" for resource in found)
    assert any(resource["id"] == "ev-o" for resource in found)
    page, seen = fhir.get("Patient/ev/$everything?_count=2").json, []
    while page:
        seen += [item["resource"]["id"] for item in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        page = fhir.get(url).json if url else None
    assert len({*seen}) == len({resource["id"] for resource in found} & {*seen}) >= 6
    only = fhir.get("Patient/ev/$everything?_type=Observation").json["entry"]
    assert {item["resource"]["resourceType"] for item in only} == {"Observation"}
    dated = fhir.get("Patient/ev/$everything?start=2023-01-01")
    assert dated.status == 400 and dated.json["issue"][0]["code"] == "not-supported"
    assert fhir.get("Patient/not-there/$everything").status == 404
    assert fhir.get("Organization/ev-o/$everything").status == 404


def test_lastn_gives_the_newest_of_each_code(fhir):
    fhir.put("Patient/ln", patient(id="ln"))
    for code in ("a", "b"):
        for day in (1, 2, 3):
            fhir.create(observation("Patient/ln", code, effectiveDateTime=f"2020-01-0{day}"))
    newest = fhir.get("Observation/$lastn?patient=Patient/ln").json["entry"]
    assert {(item["resource"]["code"]["text"], item["resource"]["effectiveDateTime"]) for item in newest} == {
        ("a", "2020-01-03"), ("b", "2020-01-03")}
    assert len(fhir.get("Observation/$lastn?patient=Patient/ln&max=2").json["entry"]) == 4
    assert fhir.get("Observation/$lastn").status == 400


def test_match_grades_what_it_finds(fhir):
    name = [{"family": "Match, A|B", "given": ["Ann"]}]
    certain = fhir.create(patient(name=name, birthDate="1960-01-01", identifier=[{"system": "urn:m", "value": "1,2"}]))
    probable = fhir.create(patient(name=name, birthDate="1960-01-01"))
    possible = fhir.create(patient(name=[{"family": "Match, A|B", "given": ["Bea"]}], birthDate="1960-01-01"))
    fhir.create(patient(name=name, birthDate="1961-01-01"))
    asked = {"name": "resource", "resource": patient(name=name, birthDate="1960-01-01",
                                                     identifier=[{"system": "urn:m", "value": "1,2"}])}
    answer = fhir.post("Patient/$match", parameters(asked)).json
    assert [(item["resource"]["id"], item["search"]["extension"][0]["valueCode"], item["search"]["score"])
            for item in answer["entry"]] == [(certain["id"], "certain", 1.0), (probable["id"], "probable", 0.8),
                                             (possible["id"], "possible", 0.5)]
    only = fhir.post("Patient/$match", parameters(asked, {"name": "onlyCertainMatches", "valueBoolean": True})).json
    assert [item["resource"]["id"] for item in only["entry"]] == [certain["id"]]
    assert fhir.post("Patient/$match", parameters()).status == 400


def test_an_operation_that_is_not_there_is_named(fhir):
    for path in ("$nothing", "Patient/$nothing", "Patient/1/$nothing"):
        answer = fhir.post(path, parameters())
        assert answer.status == 404 and "$nothing" in answer.issues[0]["diagnostics"]


def test_bytes_come_and_go_as_they_are(fhir):
    raw = bytes(range(256)) * 3
    made = fhir.call("POST", "Binary", raw, Content_Type="application/pdf")
    assert made.status == 201 and made.json["contentType"] == "application/pdf"
    back = fhir.get(made.reference, Accept="application/pdf")
    assert back.body == raw and back.headers["content-type"] == "application/pdf" and back.headers["etag"] == 'W/"1"'
    assert "sandbox" in back.headers["content-security-policy"]
    assert fhir.get(made.reference, Accept="*/*").body == raw
    assert fhir.get(made.reference, Accept=FHIR_JSON).json["resourceType"] == "Binary"
    assert fhir.get(made.reference + "?_format=json", Accept="*/*").json["id"] == made.json["id"]
    put = fhir.call("PUT", "Binary/bytes", b"hello", Content_Type="text/plain")
    assert put.status == 201 and fhir.get("Binary/bytes", Accept="text/plain").body == b"hello"
    assert fhir.call("POST", "Patient", b"hello", Content_Type="text/plain").status == 415


def test_validate_asks_as_a_write_would(fhir):
    made = fhir.put("Patient/vm", patient(id="vm")).json
    for path, body in (("Patient/$validate?mode=create", patient()), ("Patient/vm/$validate?mode=update", made),
                       ("Patient/vm/$validate?mode=delete", None), ("Patient/vm/$validate?mode=delete", parameters())):
        answer = fhir.call("POST", path, body)
        assert answer.status == 200 and answer.issues[0]["severity"] == "information", (path, answer.body)
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    assert fhir.get(f"Patient/vm/$validate?mode=profile&profile={base}").issues[0]["severity"] == "information"
    assert fhir.get("Patient/vm/$validate?mode=delete").status == 200
    other = fhir.post("Patient/vm/$validate?mode=update", patient(id="other"))
    assert other.status == 200 and other.issues[0]["severity"] == "error"
    assert fhir.post("Patient/none/$validate?mode=delete", parameters()).status == 404
    for path, body in (("Patient/$validate?mode=guess", patient()), ("Patient/$validate?mode=update", patient()),
                       ("Patient/$validate?mode=delete", None), ("Patient/vm/$validate?mode=create", patient()),
                       ("Patient/vm/$validate?mode=update", None), ("Patient/vm/$validate?mode=profile", None),
                       (f"Patient/$validate?mode=profile&profile={base}", patient()), ("Patient/$validate", None)):
        answer = fhir.call("POST", path, body)
        assert answer.status == 400 and answer.issues[0]["diagnostics"], path
    by_parameters = fhir.post("Patient/vm/$validate", parameters({"name": "mode", "valueCode": "update"},
                                                                 {"name": "resource", "resource": made}))
    assert by_parameters.status == 200 and by_parameters.issues[0]["severity"] == "information"


def test_meta_is_added_to_and_taken_from_in_new_versions(fhir):
    tag, other = {"system": "urn:t", "code": "a"}, {"system": "urn:t", "code": "b", "display": "B"}
    fhir.put("Patient/ma", patient(id="ma", meta={"tag": [tag], "source": "urn:s"}))

    def change(operation, **meta):
        return fhir.post(f"Patient/ma/${operation}", parameters({"name": "meta", "valueMeta": meta}))

    added = change("meta-add", tag=[tag, other], security=[{"system": "urn:c", "code": "R"}],
                   profile=["http://x.example/p"])
    assert added.status == 200, added.body
    meta = added.json["parameter"][0]["valueMeta"]
    assert meta["tag"] == [tag, other] and meta["profile"] == ["http://x.example/p"] and meta["source"] == "urn:s"
    assert meta["versionId"] == "2" and fhir.get("Patient/ma").json["meta"] == meta
    taken = change("meta-delete", tag=[{"system": "urn:t", "code": "b"}, {"system": "urn:t", "code": "none"}],
                   security=[{"system": "urn:c", "code": "R"}]).json["parameter"][0]["valueMeta"]
    assert taken["tag"] == [tag] and "security" not in taken and taken["versionId"] == "3"
    assert fhir.get("Patient/ma").json["name"] == [{"family": "Chen"}]
    assert change("meta-add", tag="x").status == 400
    assert change("meta-add", tag=[{"code": 7}]).status == 422
    assert fhir.post("Patient/ma/$meta-add", parameters()).status == 400
    assert fhir.get("Patient/ma/$meta-add").status == 405
    assert fhir.post("Patient/none/$meta-add", parameters({"name": "meta", "valueMeta": {"tag": [tag]}})).status == 404
