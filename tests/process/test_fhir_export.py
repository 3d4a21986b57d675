"""Bulk export: asked for once, polled, fetched as NDJSON by whoever asked."""
import json

import pytest

from fhirs import Fhir, entry, observation, patient
from machine import Node, wait_for


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    made = Fhir(node.started["fhir"], node.started["token"])
    answer = made.bundle("transaction", *[entry("PUT", f"Patient/e{n}", patient(f"F{n}\n", id=f"e{n}")) for n in range(3)],
                         entry("POST", "Observation", observation("Patient/e0")),
                         entry("POST", "Organization", {"resourceType": "Organization", "name": "W"}))
    assert answer.status == 200, answer.body
    yield made
    assert node.stop() == 0, node.log.read_text()


def begin(fhir, path="$export", **headers):
    answer = fhir.get(path, Prefer="respond-async", Accept="application/fhir+json", **headers)
    assert answer.status == 202, answer.body
    return answer.headers["content-location"]


def manifest(fhir, url):
    answer = wait_for(lambda: (polled := fhir.get(url)).status == 200 and polled)
    assert answer.headers["content-type"] == "application/json"
    return answer.json


def lines(fhir, output):
    answer = fhir.get(output["url"], Accept="application/fhir+ndjson")
    assert answer.status == 200 and answer.headers["content-type"] == "application/fhir+ndjson"
    return [json.loads(line) for line in answer.body.decode().splitlines()]


def test_everything_is_exported_by_type(fhir):
    told = manifest(fhir, begin(fhir))
    assert told["requiresAccessToken"] is True and told["request"] == f"{fhir.base}/$export" and told["error"] == []
    assert {output["type"]: output["count"] for output in told["output"]} == {
        "Patient": 3, "Observation": 1, "Organization": 1}
    for output in told["output"]:
        found = lines(fhir, output)
        assert len(found) == output["count"] and {one["resourceType"] for one in found} == {output["type"]}
    stored = next(output for output in told["output"] if output["type"] == "Patient")
    assert {one["id"] for one in lines(fhir, stored)} == {"e0", "e1", "e2"}


def test_patients_types_and_times_make_it_narrower(fhir):
    of_patients = manifest(fhir, begin(fhir, "Patient/$export"))
    assert {output["type"] for output in of_patients["output"]} == {"Patient", "Observation"}
    of_type = manifest(fhir, begin(fhir, "$export?_type=Organization"))
    assert [output["type"] for output in of_type["output"]] == ["Organization"]
    (file,) = of_type["output"]
    assert fhir.get(file["url"].replace("type=Organization", "type=Patient")).status == 404
    later = manifest(fhir, begin(fhir, f"$export?_since={of_type['transactionTime']}"))
    assert later["output"] == []
    for query in ("_outputFormat=csv", "_type=Nothing", "_since=yesterday", "_typeFilter=Patient%3Fa",
                  "_typeFilter=Patient%3F_sort%3Dname", "_typeFilter=Patient",
                  "_typeFilter=Patient%3Factive%3Dtrue,Patient%3Fname%3Dx",
                  "_typeFilter=" + "x" * 2000):
        assert fhir.get(f"$export?{query}").status == 400, query


def test_an_export_is_its_askers_and_can_be_ended(fhir):
    url = begin(fhir)
    output = manifest(fhir, url)["output"][0]
    assert fhir.get(url, Authorization=None).status == 401
    assert fhir.get(output["url"], Authorization=None).status == 401
    assert fhir.call("DELETE", url).status == 202
    assert fhir.get(url).status == 404 and fhir.get(output["url"]).status == 404
    assert fhir.get("$export-poll-status?job=nonsense").status == 404


def test_a_groups_export_is_of_its_members(fhir):
    group = fhir.create({"resourceType": "Group", "type": "person", "actual": True, "member": [
        {"entity": {"reference": "Patient/e0"}}, {"entity": {"reference": "Patient/e1"}},
        {"entity": {"reference": "Patient/e2"}, "inactive": True}, {"entity": {"reference": "Practitioner/x"}}]})
    told = manifest(fhir, begin(fhir, f"Group/{group['id']}/$export"))
    assert {output["type"]: output["count"] for output in told["output"]} == {"Patient": 2, "Observation": 1}
    patients = next(output for output in told["output"] if output["type"] == "Patient")
    assert {one["id"] for one in lines(fhir, patients)} == {"e0", "e1"}
    assert fhir.get("Group/none/$export").status == 404
    empty = fhir.create({"resourceType": "Group", "type": "person", "actual": True})
    assert manifest(fhir, begin(fhir, f"Group/{empty['id']}/$export"))["output"] == []
    assert fhir.call("DELETE", f"Group/{group['id']}").status == 204
    assert fhir.call("DELETE", f"Group/{empty['id']}").status == 204


def test_filters_and_elements_narrow_each_type(fhir):
    told = manifest(fhir, begin(fhir, "$export?_type=Patient,Observation&_typeFilter=Patient%3F_id%3De0,e1"
                                      "&_elements=Patient.name"))
    assert {output["type"]: output["count"] for output in told["output"]} == {"Patient": 2, "Observation": 1}
    found = {output["type"]: lines(fhir, output) for output in told["output"]}
    assert {one["id"] for one in found["Patient"]} == {"e0", "e1"} and "code" in found["Observation"][0]
    assert all("name" in one and one["meta"]["tag"][0]["code"] == "SUBSETTED" for one in found["Patient"])
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "_type", "valueString": "Patient"}, {"name": "_type", "valueString": "Organization"},
        {"name": "_typeFilter", "valueString": "Patient?_id=e2"}]}
    begun = fhir.post("$export", body, Prefer="respond-async")
    assert begun.status == 202, begun.body
    told = manifest(fhir, begun.headers["content-location"])
    assert {output["type"]: output["count"] for output in told["output"]} == {"Patient": 1, "Organization": 1}
