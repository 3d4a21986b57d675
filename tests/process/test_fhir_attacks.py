"""What an attacker with a token sends to a FHIR server: it costs little, is refused in FHIR's words, and harms nobody."""
import pytest

from fhirs import Fhir, entry, observation, patient
from gateways import call
from machine import Node

def coded(code):
    return {"coding": [{"system": "urn:s", "code": code}]}


FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    yield Fhir(node.started["fhir"], node.started["token"])
    assert node.stop() == 0, node.log.read_text()


def test_a_form_and_its_words_are_bounded(fhir):
    assert fhir.post("Patient/_search", b"name=" + b"a" * (1 << 20), **FORM).status == 413
    words = fhir.post("Patient/_search", b"_content=" + b"a+" * 400_000, **FORM)
    assert words.status == 400 and words.issues[0]["code"] == "too-costly"


@pytest.mark.parametrize("host", ["127.0.0.1:80@evil.example", '127.0.0.1:"><b>', "127.0.0.1:1/x", "[::1]evil.example"])
def test_links_are_made_of_no_crooked_host(fhir, host):
    status, _, body = call(fhir.base + "/Patient?_count=0", Authorization=f"Bearer {fhir.token}", Host=host)
    assert status == 403 and host.encode() not in body


def test_an_export_is_not_begun_inside_a_batch(fhir):
    answer = fhir.bundle("batch", entry("GET", "$export"), entry("GET", "$export-file?job=1&type=Patient"),
                         entry("GET", "metadata"))
    assert [one["response"]["status"][:3] for one in answer.json["entry"]] == ["501", "501", "200"]


def test_one_client_does_not_take_every_place_of_exports(fhir):
    answers = [fhir.get("$export", Prefer="respond-async") for _ in range(17)]
    assert [answer.status for answer in answers] == [202] * 16 + [429]
    for answer in answers[:16]:
        assert fhir.call("DELETE", answer.headers["content-location"]).status == 202


@pytest.mark.parametrize("path", ["Patient/known/", "%50atient/known", "Patient/known/%24meta", "Patient/", "metadata/"])
def test_a_path_is_read_as_clients_write_it(fhir, path):
    fhir.put("Patient/known", patient(id="known"))
    assert fhir.get(path).status == 200 and fhir.get(fhir.base + "/").status == 200


@pytest.mark.parametrize("path", ["Patient%2Fknown", "Patient%3Fname=a", "/Patient/known", "Patient/known%00"])
def test_an_escape_makes_no_other_path(fhir, path):
    assert fhir.get(path).status in (400, 404)


def test_a_resource_whose_values_take_too_long_to_find_holds_up_nothing(fhir):
    """It is sealed before it is indexed, and whoever writes next waits until it is."""
    component = [{"code": coded(str(number)), "valueString": "x"} for number in range(4000)]
    heavy = fhir.post("Observation", observation("Patient/heavy", component=component, code=coded("found")))
    assert heavy.status == 201, heavy.body
    assert fhir.post("Patient", patient()).status == 201
    assert fhir.get(f"Observation?_id={heavy.json['id']}&code=found&patient=heavy").json["total"] == 1
