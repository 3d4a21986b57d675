"""Searches through the gateway: forms, compartments, the system, pages and links, and conditional interactions."""
import concurrent.futures
import urllib.parse

import pytest

from fhirs import Fhir, entry, observation, patient
from machine import Node

URN = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    made = Fhir(node.started["fhir"], node.started["token"])
    entries = [entry("PUT", f"Patient/s{n}", patient(f"Family{n}", id=f"s{n}", birthDate=f"197{n}-01-01")) for n in range(5)]
    entries += [entry("POST", "Observation", observation(f"Patient/s{n}", f"o{k}", effectiveDateTime=f"2020-0{k}-01"))
                for n in range(2) for k in (1, 2, 3)]
    assert made.bundle("transaction", *entries).status == 200
    yield made
    assert node.stop() == 0, node.log.read_text()


def ids(answer):
    assert answer.status == 200, answer.body
    return [item["resource"]["id"] for item in answer.json.get("entry", []) if item["search"]["mode"] == "match"]


def next_of(bundle):
    return next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def test_a_search_is_the_same_by_get_and_by_form(fhir):
    by_get = fhir.get("Patient?family=Family3")
    assert ids(by_get) == ["s3"] and by_get.json["type"] == "searchset" and by_get.json["total"] == 1
    assert by_get.json["link"][0] == {"relation": "self", "url": f"{fhir.base}/Patient?family=Family3"}
    assert by_get.json["entry"][0]["fullUrl"] == f"{fhir.base}/Patient/s3"
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert ids(fhir.post("Patient/_search", b"family=Family3", **form)) == ["s3"]
    assert ids(fhir.post("Patient/_search?family=Family3", b"birthdate=1973", **form)) == ["s3"]
    assert fhir.post("Patient/_search", b"{}", Content_Type="application/json").status == 415


def test_a_compartment_and_the_system_are_searched(fhir):
    assert len(ids(fhir.get("Patient/s0/Observation"))) == 3
    assert len(ids(fhir.get("Patient/s0/Observation?date=2020-02-01"))) == 1
    assert ids(fhir.get("Patient/s2/Observation")) == []
    assert fhir.get("Organization/s0/Patient").status == 404
    assert len(ids(fhir.get("?_type=Patient,Observation&_count=50"))) == 11
    assert ids(fhir.get("?_type=Patient&_id=s1")) == ["s1"]


def test_pages_lead_through_everything_once_and_need_the_query_alone(fhir):
    bundle, found = fhir.get("Patient?_count=2&_sort=birthdate").json, []
    while True:
        found += [item["resource"]["id"] for item in bundle["entry"]]
        url = next_of(bundle)
        if not url:
            break
        assert url.startswith(f"{fhir.base}/Patient?") and "_count=2" in url and "_sort=birthdate" in url
        bundle = fhir.get("Patient?" + urllib.parse.urlsplit(url).query).json
    assert found == ["s0", "s1", "s2", "s3", "s4"]
    assert fhir.get("Patient?_count=2&cursor=nonsense").status == 400


def test_an_unknown_parameter_is_left_out_or_refused(fhir):
    lenient = fhir.get("Patient?nonsense=1&_id=s1")
    assert ids(lenient) == ["s1"] and "nonsense" not in lenient.json["link"][0]["url"]
    assert lenient.json["entry"][-1]["search"]["mode"] == "outcome"
    strict = fhir.get("Patient?nonsense=1", Prefer="handling=strict")
    assert strict.status == 400 and strict.issues[0]["diagnostics"]
    assert fhir.get("Patient?family:nonsense=1").status == 400


def test_a_search_shows_parts_and_counts(fhir):
    count = fhir.get("Patient?_summary=count").json
    assert count["total"] == 5 and "entry" not in count
    part = fhir.get("Patient?_id=s1&_elements=birthDate").json["entry"][0]["resource"]
    assert "name" not in part and part["birthDate"] == "1971-01-01"
    included = fhir.get("Observation?subject=Patient/s0&_include=Observation:subject").json["entry"]
    assert [item["search"]["mode"] for item in included] == ["match"] * 3 + ["include"]


# --- conditions ---


def coded(value, **more):
    return patient(identifier=[{"system": "urn:cond", "value": value}], **more)


def test_a_create_on_a_condition_makes_one(fhir):
    condition = {"If_None_Exist": "identifier=urn:cond|one"}
    first, second = (fhir.post("Patient", coded("one"), **condition) for _ in range(2))
    assert (first.status, second.status) == (201, 200) and first.reference == second.reference
    fhir.create(coded("one"))
    several = fhir.post("Patient", coded("one"), **condition)
    assert several.status == 412 and several.issues[0]["code"] == "multiple-matches"
    assert fhir.post("Patient", coded("x"), If_None_Exist="nonsense=1").status == 400


def test_creates_on_a_condition_at_once_make_one(fhir):
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: fhir.post("Patient", coded("race"), If_None_Exist="identifier=urn:cond|race"),
                                range(12)))
    assert sorted(answer.status for answer in answers) == [200] * 11 + [201]
    assert len({answer.reference for answer in answers}) == 1


def test_updates_patches_and_deletes_on_a_condition(fhir):
    made = fhir.put("Patient?identifier=urn:cond|up", coded("up"))
    again = fhir.put("Patient?identifier=urn:cond|up", coded("up", gender="other"))
    assert (made.status, again.status) == (201, 200) and made.reference == again.reference
    wrong = fhir.put("Patient?identifier=urn:cond|up", coded("up", id="other"))
    assert wrong.status == 400
    patch = [{"op": "replace", "path": "/gender", "value": "male"}]
    patched = fhir.call("PATCH", "Patient?identifier=urn:cond|up", patch, Content_Type="application/json-patch+json")
    assert patched.status == 200 and patched.json["gender"] == "male"
    assert fhir.call("DELETE", "Patient?identifier=urn:cond|up").status == 204
    assert fhir.get(made.reference).status == 410
    assert fhir.call("DELETE", "Patient?identifier=urn:cond|up").status == 204
    assert fhir.call("DELETE", "Patient?family=Family").status == 412


def test_conditions_inside_a_transaction_find_what_is_there_and_what_comes(fhir):
    fhir.create(coded("there"))
    answer = fhir.bundle(
        "transaction", entry("POST", "Patient", coded("there"), URN, ifNoneExist="identifier=urn:cond|there"),
        entry("POST", "Observation", observation(URN, "a")),
        entry("POST", "Observation", observation("Patient?identifier=urn:cond|there", "b")),
        entry("POST", "Patient", coded("comes")),
        entry("POST", "Observation", observation("Patient?identifier=urn:cond%7Ccomes", "c")),
        Prefer="return=representation")
    assert [item["response"]["status"][:3] for item in answer.json["entry"]] == ["200", "201", "201", "201", "201"]
    made = [item["resource"] for item in answer.json["entry"]]
    assert made[1]["subject"]["reference"] == made[2]["subject"]["reference"] == f"Patient/{made[0]['id']}"
    assert made[4]["subject"]["reference"] == f"Patient/{made[3]['id']}"
    none = fhir.bundle("transaction", entry("POST", "Observation", observation("Patient?identifier=urn:cond|none")))
    assert none.status == 400 and "exactly one" in none.issues[0]["diagnostics"]
