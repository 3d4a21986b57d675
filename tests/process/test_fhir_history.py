"""Histories of a resource, a type and the system: what they show, in which order, from when, and by pages."""
import pytest

from fhirs import Fhir, patient
from machine import Node


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    made = Fhir(node.started["fhir"], node.started["token"])
    for family in ("One", "Two"):
        made.put("Patient/h", patient(family, id="h"))
    made.call("PATCH", "Patient/h", [{"op": "add", "path": "/gender", "value": "other"}],
              Content_Type="application/json-patch+json")
    made.call("DELETE", "Patient/h")
    made.create({"resourceType": "Organization", "name": "Ward"})
    yield made
    assert node.stop() == 0, node.log.read_text()


def pages(fhir, path):
    """Every page's Bundle, found by its next links."""
    while path:
        bundle = fhir.get(path).json
        assert bundle["type"] == "history" and bundle["link"][0]["relation"] == "self"
        yield bundle
        path = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def test_the_newest_version_comes_first_with_what_was_asked_and_answered(fhir):
    entries = fhir.get("Patient/h/_history").json["entry"]
    asked = [(item["request"]["method"], item["request"]["url"], item["response"]["status"][:3]) for item in entries]
    assert asked == [("DELETE", "Patient/h", "204"), ("PATCH", "Patient/h", "200"), ("PUT", "Patient/h", "200"),
                     ("PUT", "Patient/h", "201")]
    assert "resource" not in entries[0]
    assert [item["resource"]["meta"]["versionId"] for item in entries[1:]] == ["3", "2", "1"]
    for item in entries:
        assert item["fullUrl"] == f"{fhir.base}/Patient/h"
        assert item["response"]["etag"] and item["response"]["lastModified"]


def test_a_type_and_the_system_have_histories_too(fhir):
    assert len(fhir.get("Patient/_history").json["entry"]) == 4
    assert [item["request"]["url"] for item in fhir.get("_history").json["entry"]][0] == "Organization"
    assert len(fhir.get("_history?_count=100").json["entry"]) == 5
    assert fhir.get("Practitioner/_history").json.get("entry") is None
    assert fhir.get("Patient/not-there/_history").status == 404


def test_pages_lead_to_every_version_once(fhir):
    found = list(pages(fhir, "Patient/h/_history?_count=1"))
    assert [len(page["entry"]) for page in found] == [1] * 4
    assert [page["entry"][0]["response"]["etag"] for page in found] == ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']
    assert "_count=1" in found[0]["link"][1]["url"]


def test_a_moment_limits_what_is_shown(fhir):
    third = fhir.get("Patient/h/_history/3").json["meta"]["lastUpdated"].replace("+", "%2B")
    assert len(fhir.get(f"Patient/h/_history?_since={third}").json["entry"]) == 2
    assert fhir.get("Patient/h/_history?_since=2100-01-01").json.get("entry") is None
    assert fhir.get(f"Patient/h/_history?_at={third}").json["entry"][0]["response"]["etag"] == 'W/"3"'


@pytest.mark.parametrize("query", ["_since=yesterday", "_count=many", "_at=never", "cursor=nonsense"])
def test_a_parameter_that_makes_no_sense_is_refused(fhir, query):
    answer = fhir.get(f"Patient/h/_history?{query}")
    assert answer.status == 400 and answer.issues[0]["diagnostics"]


def test_an_unknown_parameter_is_left_out_or_refused(fhir):
    lenient = fhir.get("Patient/h/_history?family=x").json
    assert "family" not in lenient["link"][0]["url"]
    assert fhir.get("Patient/h/_history?family=x", Prefer="handling=strict").status == 400
