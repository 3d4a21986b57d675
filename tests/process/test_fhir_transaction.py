"""Batches and transactions: their order, links between their entries, and that a transaction is whole or not at all."""
import base64

import pytest

from fhirs import Fhir, entry, observation, patient
from machine import Node

URN = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    yield Fhir(node.started["fhir"], node.started["token"])
    assert node.stop() == 0, node.log.read_text()


def statuses(answer):
    assert answer.status == 200, answer.body
    return [made["response"]["status"][:3] for made in answer.json["entry"]]


def test_entries_are_linked_by_their_new_identities(fhir):
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}">she</a></div>'
    answer = fhir.bundle(
        "transaction",
        entry("POST", "Observation", observation(URN, text="link", extension=[{"url": "http://e.org", "valueUri": URN}]) | {
            "text": {"status": "generated", "div": div}}),
        entry("POST", "Patient", patient("Linked"), URN),
        Prefer="return=representation")
    assert answer.json["type"] == "transaction-response" and statuses(answer) == ["201", "201"]
    made, linked = (item["resource"] for item in answer.json["entry"])
    assert made["subject"]["reference"] == f"Patient/{linked['id']}"
    assert made["extension"][0]["valueUri"] == f"Patient/{linked['id']}"
    assert f'href="Patient/{linked["id"]}"' in made["text"]["div"]
    for item in answer.json["entry"]:
        response = item["response"]
        assert response["etag"] == 'W/"1"' and response["location"].endswith("/_history/1")
        assert response["lastModified"] == item["resource"]["meta"]["lastUpdated"]
        assert fhir.get(item["fullUrl"]).json == item["resource"]


def test_a_transaction_is_whole_or_not_at_all(fhir):
    answer = fhir.bundle("transaction", entry("PUT", "Patient/whole", patient(id="whole")),
                         entry("POST", "Patient", {"resourceType": "Patient", "gender": "m"}))
    assert answer.status == 422
    assert answer.issues[0]["expression"] == ["Bundle.entry[1].resource.gender"]
    assert fhir.get("Patient/whole").status == 404
    stale = fhir.bundle("transaction", entry("PUT", "Patient/whole", patient(id="whole")),
                        entry("PUT", "Patient/other", patient(id="other"), ifMatch='W/"4"'))
    assert stale.status == 412 and fhir.get("Patient/whole").status == 404


def test_entries_of_a_batch_stand_alone(fhir):
    answer = fhir.bundle("batch", entry("PUT", "Patient/batch", patient(id="batch")),
                         entry("POST", "Patient", {"resourceType": "Patient", "gender": "m"}),
                         entry("GET", "Patient/not-there"), entry("GET", "Nothing/1"), entry("DELETE", "Patient/none"),
                         entry("POST", "Patient/$nothing", patient()))
    assert statuses(answer) == ["201", "422", "404", "404", "204", "501"]
    for item in answer.json["entry"][1:4]:
        assert item["response"]["outcome"]["issue"][0]["diagnostics"]
    assert fhir.get("Patient/batch").status == 200


def test_deletes_come_first_and_reads_last(fhir):
    fhir.put("Patient/old", patient("Old", id="old"))
    fhir.put("Patient/new", patient("Old", id="new"))
    answer = fhir.bundle("transaction", entry("GET", "Patient/new"), entry("PUT", "Patient/new", patient("New", id="new")),
                         entry("DELETE", "Patient/old"), entry("HEAD", "Patient/new"))
    assert statuses(answer) == ["200", "200", "204", "200"]
    assert answer.json["entry"][0]["resource"]["name"] == [{"family": "New"}]
    assert "resource" not in answer.json["entry"][3]
    assert fhir.get("Patient/old").status == 410


def test_patches_are_entries_too(fhir):
    fhir.put("Patient/pe", patient("Old", id="pe"))
    patch = base64.b64encode(b'[{"op":"replace","path":"/name/0/family","value":"New"}]').decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch}
    assert statuses(fhir.bundle("transaction", entry("PATCH", "Patient/pe", binary))) == ["200"]
    parts = [{"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Patient"},
             {"name": "name", "valueString": "gender"}, {"name": "value", "valueCode": "other"}]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    assert statuses(fhir.bundle("batch", entry("PATCH", "Patient/pe", parameters))) == ["200"]
    kept = fhir.get("Patient/pe").json
    assert (kept["name"][0]["family"], kept["gender"], kept["meta"]["versionId"]) == ("New", "other", "3")
    bad = binary | {"data": base64.b64encode(b"{").decode()}
    assert fhir.bundle("transaction", entry("PATCH", "Patient/pe", bad)).status == 400


def test_one_identity_is_written_once(fhir):
    twice = [entry("PUT", "Patient/twice", patient(id="twice")), entry("DELETE", "Patient/twice")]
    answer = fhir.bundle("transaction", *twice)
    assert answer.status == 400 and answer.issues[0]["code"] == "duplicate"
    same = fhir.bundle("transaction", entry("POST", "Patient", patient(), URN), entry("POST", "Patient", patient(), URN))
    assert same.status == 400


def test_what_is_no_batch_is_refused(fhir):
    for body in ({"resourceType": "Bundle", "type": "collection"}, {"resourceType": "Patient"},
                 {"resourceType": "Bundle", "type": "transaction", "entry": {}},
                 {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": patient()}]}):
        answer = fhir.post("", body)
        assert answer.status == 400 and answer.issues[0]["diagnostics"], body
    assert fhir.bundle("transaction").json["type"] == "transaction-response"


def test_many_patients_are_written_at_once(fhir):
    urns = [f"urn:uuid:00000000-0000-4000-8000-{n:012}" for n in range(5)]
    answer = fhir.bundle("transaction", *[entry("POST", "Patient", patient(str(n)), urn) for n, urn in enumerate(urns)],
                         *[entry("POST", "Observation", observation(urn)) for urn in urns])
    assert statuses(answer) == ["201"] * 10
    too_many = fhir.bundle("transaction", *[entry("PUT", f"Patient/m{n}", patient(id=f"m{n}")) for n in range(65)])
    assert too_many.status == 413 and "divide" in too_many.issues[0]["diagnostics"]
    assert fhir.get("Patient/m0").status == 404


def test_a_conditional_reference_does_not_find_what_the_transaction_deletes(fhir):
    made = fhir.post("Patient", patient("Leaving") | {"identifier": [{"system": "urn:leaves", "value": "1"}]}).json
    answer = fhir.bundle("transaction", entry("DELETE", f"Patient/{made['id']}"),
                         entry("POST", "Observation", observation("Patient?identifier=urn:leaves|1", text="late")))
    assert answer.status == 400 and answer.json["issue"][0]["code"] == "not-found", answer.body
    assert fhir.get(f"Patient/{made['id']}").status == 200


def test_a_link_that_leads_nowhere_refuses_a_transaction(fhir):
    lost = "urn:uuid:99999999-9999-4999-8999-999999999999"
    answer = fhir.bundle("transaction", entry("POST", "Patient", patient(), URN),
                         entry("POST", "Observation", observation(lost)))
    assert answer.status == 400 and answer.issues[0]["code"] == "not-found" and lost in answer.issues[0]["diagnostics"]
    document = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": lost, "resource": patient()},
        {"fullUrl": "urn:uuid:99999999-9999-4999-8999-999999999998", "resource": observation(lost)}]}
    assert statuses(fhir.bundle("transaction", entry("POST", "Bundle", document))) == ["201"]
    assert fhir.post("Observation", observation(lost)).status == 201
