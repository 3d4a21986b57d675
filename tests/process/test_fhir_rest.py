"""FHIR's interactions with one resource: versions, preconditions, what is preferred, and what is refused how."""
import concurrent.futures
import http.client
import json

import pytest

from fhirs import FHIR_JSON, Answer, Fhir, observation, patient
from machine import Node


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    yield Fhir(node.started["fhir"], node.started["token"])
    assert node.stop() == 0, node.log.read_text()


def test_a_create_gives_an_identity_and_keeps_every_other_byte(fhir):
    sent = b'{"resourceType":"Observation", "status":"final","code":{"text":"\\u00e9"},"valueQuantity":{"value":1.00}}'
    made = fhir.post("Observation", sent)
    assert made.status == 201 and made.headers["etag"] == 'W/"1"' and "last-modified" in made.headers
    kept = made.json
    assert made.headers["location"] == f"{fhir.base}/Observation/{kept['id']}/_history/1"
    assert kept["meta"]["versionId"] == "1" and kept["meta"]["lastUpdated"].endswith("Z")
    assert b'"code":{"text":"\\u00e9"},"valueQuantity":{"value":1.00}}' in made.body
    assert fhir.get(f"Observation/{kept['id']}").body == made.body
    assert fhir.get(f"Observation/{kept['id']}/_history/1").body == made.body


def test_an_update_makes_a_version_and_the_old_one_stays(fhir):
    one = fhir.put("Patient/up-1", patient("One", id="up-1"))
    two = fhir.put("Patient/up-1", patient("Two", id="up-1"))
    assert (one.status, two.status) == (201, 200) and two.headers["etag"] == 'W/"2"'
    assert fhir.get("Patient/up-1").json["name"][0]["family"] == "Two"
    assert fhir.get("Patient/up-1/_history/1").json["name"][0]["family"] == "One"
    assert fhir.get("Patient/up-1/_history/3").status == 404
    assert fhir.get("Patient/up-1/_history/abc").status == 404


def test_a_stale_version_is_not_overwritten(fhir):
    fhir.put("Patient/match", patient("One", id="match"))
    assert fhir.put("Patient/match", patient("Two", id="match"), If_Match='W/"1"').status == 200
    stale = fhir.put("Patient/match", patient("Three", id="match"), If_Match='W/"1"')
    assert stale.status == 412 and stale.issues[0]["code"] == "conflict"
    assert fhir.call("DELETE", "Patient/match", If_Match='W/"1"').status == 412
    patch = [{"op": "replace", "path": "/name/0/family", "value": "Four"}]
    answer = fhir.call("PATCH", "Patient/match", patch, Content_Type="application/json-patch+json", If_Match='W/"1"')
    assert answer.status == 412
    assert fhir.get("Patient/match").json["name"][0]["family"] == "Two"


def test_what_a_client_has_is_not_sent_again(fhir):
    made = fhir.put("Patient/known", patient(id="known"))
    again = fhir.get("Patient/known", If_None_Match=made.headers["etag"])
    assert again.status == 304 and again.body == b"" and again.headers["etag"] == 'W/"1"'
    assert fhir.get("Patient/known", If_None_Match='W/"7"').status == 200


def test_a_deleted_resource_is_gone_and_comes_back_by_an_update(fhir):
    fhir.put("Patient/gone", patient(id="gone"))
    assert fhir.call("DELETE", "Patient/gone").status == 204
    assert fhir.call("DELETE", "Patient/gone").status == 204
    gone = fhir.get("Patient/gone")
    assert gone.status == 410 and gone.issues[0]["code"] == "deleted"
    assert fhir.get("Patient/gone/_history/1").status == 200
    assert fhir.get("Patient/gone/_history/2").status == 410
    assert fhir.put("Patient/gone", patient(id="gone")).headers["etag"] == 'W/"3"'
    assert fhir.get("Patient/gone").status == 200
    assert fhir.call("DELETE", "Patient/never-there").status == 204


def test_head_is_a_read_without_its_body(fhir):
    fhir.put("Patient/head", patient(id="head"))
    answer = fhir.call("HEAD", "Patient/head")
    assert answer.status == 200 and answer.body == b"" and answer.headers["etag"] == 'W/"1"'
    assert fhir.call("HEAD", "Patient/not-there").status == 404


def test_a_client_says_how_much_it_wants_back(fhir):
    minimal = fhir.post("Patient", patient(), Prefer="return=minimal")
    assert minimal.status == 201 and minimal.body == b"" and "location" in minimal.headers
    outcome = fhir.post("Patient", patient(), Prefer="return=OperationOutcome")
    assert outcome.status == 201 and outcome.issues[0]["severity"] == "information"
    assert fhir.post("Patient", patient(), Prefer="return=representation").json["resourceType"] == "Patient"


def test_a_resource_is_shown_in_part(fhir):
    fhir.put("Patient/part", patient(id="part", photo=[{"url": "http://x.org/p.png"}], birthDate="1970-01-01"))
    part = fhir.get("Patient/part?_elements=birthDate").json
    assert part["birthDate"] == "1970-01-01" and "name" not in part and part["id"] == "part"
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "photo" not in fhir.get("Patient/part?_summary=true").json
    assert fhir.get("Patient/part?_summary=perhaps").status == 400
    assert b'\n  "id"' in fhir.get("Patient/part?_pretty=true").body


@pytest.mark.parametrize(("path", "accept", "status"), [
    ("Patient/form", "application/fhir+json", 200),
    ("Patient/form", "application/json", 200),
    ("Patient/form", "text/html, */*;q=0.1", 200),
    ("Patient/form", "application/fhir+xml", 406),
    ("Patient/form?_format=json", "application/fhir+xml", 200),
    ("Patient/form?_format=application/fhir%2Bjson", None, 200),
    ("Patient/form?_format=xml", None, 406),
])
def test_json_is_the_one_form(fhir, path, accept, status):
    fhir.put("Patient/form", patient(id="form"))
    answer = fhir.get(path, Accept=accept)
    assert answer.status == status
    if status == 406:
        assert "JSON" in answer.issues[0]["diagnostics"]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "code"), [
    ("POST", "Patient", b"{", {}, 400, "structure"),
    ("POST", "Patient", b"", {}, 400, "structure"),
    ("POST", "Patient", b"[]", {}, 400, "structure"),
    ("POST", "Patient", b"<Patient/>", {"Content_Type": "application/fhir+xml"}, 415, "not-supported"),
    ("POST", "Patient", b'{"resourceType":"Observation"}', {}, 400, "invalid"),
    ("POST", "Patient", b'{"resourceType":"Patient","gender":"m"}', {}, 422, "code-invalid"),
    ("POST", "Nothing", b'{"resourceType":"Nothing"}', {}, 404, "not-supported"),
    ("PUT", "Patient/a", b'{"resourceType":"Patient","id":"b"}', {}, 400, "invalid"),
    ("PUT", "Patient/a", b'{"resourceType":"Patient"}', {}, 400, "invalid"),
    ("PUT", "Patient/a_b", b'{"resourceType":"Patient","id":"a_b"}', {}, 400, "value"),
    ("PUT", "Patient", b'{"resourceType":"Patient"}', {}, 400, "required"),
    ("GET", "Patient/not-there", None, {}, 404, "not-found"),
    ("GET", "Nothing/1", None, {}, 404, "not-supported"),
    ("GET", "no/such/path/at/all/ever", None, {}, 404, "not-found"),
    ("PATCH", "Patient/not-there", b"[]", {"Content_Type": "application/json-patch+json"}, 404, "not-found"),
    ("PATCH", "Patient/a", b'{"gender":"male"}', {"Content_Type": "application/json"}, 415, "not-supported"),
    ("PATCH", "Patient/a", b'{"gender":"male"}', {"Content_Type": "application/merge-patch+json"}, 415, "not-supported"),
])
def test_a_refusal_says_what_is_wrong_and_what_to_do(fhir, method, path, body, headers, status, code):
    answer = fhir.call(method, path, body, **headers)
    assert answer.status == status, answer.body
    issue = answer.issues[0]
    assert issue["severity"] in ("error", "fatal") and issue["code"] == code and len(issue["diagnostics"]) > 20


def test_a_body_that_is_too_large_is_refused_in_fhirs_words(fhir):
    host = fhir.base.split("/")[2]
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.putrequest("POST", "/fhir/Patient")
    connection.putheader("Authorization", f"Bearer {fhir.token}")
    connection.putheader("Content-Type", FHIR_JSON)
    connection.putheader("Content-Length", str(200 << 20))
    connection.endheaders()
    answer = connection.getresponse()
    refusal = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    assert refusal.status == 413 and refusal.issues[0]["code"] == "too-long"
    connection.close()


def test_every_issue_of_an_invalid_resource_is_named_with_its_place(fhir):
    answer = fhir.post("Patient", {"resourceType": "Patient", "gender": "m", "birthDate": "yesterday", "nonsense": 1})
    assert answer.status == 422
    places = {place for issue in answer.issues for place in issue.get("expression", [])}
    assert {"Patient.gender", "Patient.birthDate", "Patient.nonsense"} <= places


def test_without_a_token_there_is_no_data(fhir):
    assert fhir.get("metadata", Authorization=None).json["resourceType"] == "CapabilityStatement"
    for method, path in (("GET", "Patient/x"), ("GET", "_history"), ("POST", "Patient"), ("DELETE", "Patient/x")):
        answer = fhir.call(method, path, {} if method == "POST" else None, Authorization=None)
        assert answer.status == 401 and answer.issues[0]["code"] == "login", (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_json_patch_changes_what_it_names(fhir):
    fhir.put("Patient/jp", patient(id="jp"))
    patch = [{"op": "replace", "path": "/name/0/family", "value": "New"}, {"op": "add", "path": "/gender", "value": "other"}]
    answer = fhir.call("PATCH", "Patient/jp", patch, Content_Type="application/json-patch+json")
    assert answer.status == 200 and answer.headers["etag"] == 'W/"2"'
    assert fhir.get("Patient/jp").json["name"] == [{"family": "New"}]
    bad = fhir.call("PATCH", "Patient/jp", [{"op": "add", "path": "/gender", "value": "m"}],
                    Content_Type="application/json-patch+json")
    assert bad.status == 422
    moved = fhir.call("PATCH", "Patient/jp", [{"op": "replace", "path": "/id", "value": "other"}],
                      Content_Type="application/json-patch+json")
    assert moved.status == 422 and fhir.get("Patient/jp").headers["etag"] == 'W/"2"'


def test_a_fhirpath_patch_changes_what_it_names(fhir):
    fhir.put("Patient/fp", patient(id="fp", birthDate="1970-01-01"))
    parts = [{"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Patient.birthDate"},
             {"name": "value", "valueDate": "1971-02-03"}]
    answer = fhir.call("PATCH", "Patient/fp",
                       {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})
    assert answer.status == 200 and fhir.get("Patient/fp").json["birthDate"] == "1971-02-03"


def test_versions_of_many_writers_are_one_row(fhir):
    """Sixteen updates at once: each gets a version of its own, and none is lost."""
    fhir.put("Patient/row", patient("0", id="row"))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: fhir.put("Patient/row", patient(str(n), id="row")), range(1, 17)))
    assert sorted(int(answer.headers["etag"][3:-1]) for answer in answers) == list(range(2, 18))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda n: fhir.put("Patient/row", patient(f"x{n}", id="row"), If_Match='W/"17"').status, range(8)))
    assert sorted(answers) == [200] + [412] * 7


def test_one_patients_data_and_anothers_are_never_in_one_record(fhir):
    """Two patients' resources in one batch of writes: each is found again by its own identity."""
    for name in ("a", "b"):
        fhir.put(f"Patient/of-{name}", patient(id=f"of-{name}"))
        made = fhir.create(observation(f"Patient/of-{name}", name))
        assert fhir.get(f"Observation/{made['id']}").json["code"]["text"] == name


def test_metadata_names_what_is_there(fhir):
    statement = fhir.get("metadata").json
    assert statement["resourceType"] == "CapabilityStatement" and statement["fhirVersion"] == "4.0.1"
    types = {resource["type"] for resource in statement["rest"][0]["resource"]}
    assert {"Patient", "Observation", "Bundle", "Binary"} <= types and len(types) == 146
    assert statement["implementation"]["url"] == fhir.base and FHIR_JSON in statement["format"]
    rest = statement["rest"][0]
    assert fhir.post("CapabilityStatement", json.dumps(statement).encode()).status == 201
    for parameter in rest["searchParam"]:  # each is one that a search takes
        value = {"_filter": "active%20eq%20true", "_list": "1", "_type": "Patient"}.get(parameter["name"], "x")
        name = "_has:Observation:patient:code" if parameter["name"] == "_has" else parameter["name"]
        path = "" if parameter["name"] == "_type" else "Patient"
        answer = fhir.get(f"{path}?{name}={value}", Prefer="handling=strict")
        assert answer.status == 200, (name, answer.body)
    one = {resource["type"]: resource for resource in rest["resource"]}["Patient"]
    assert {operation["name"] for operation in one["operation"]} == {
        "validate", "meta", "meta-add", "meta-delete", "everything", "export", "match"}
    assert one["conditionalRead"] == "full-support"


@pytest.mark.parametrize("kind, status", [
    ("application/fhir+json; charset=UTF-8", 201), ("application/fhir+json;charset=\"utf-8\"", 201),
    ("application/json; fhirVersion=4.0", 201), ("application/fhir+json; charset=utf-16", 415),
    ("application/fhir+json; charset=iso-8859-1", 415), ("application/fhir+json; fhirVersion=5.0", 415)])
def test_a_body_is_of_utf_8_and_of_fhir_4(fhir, kind, status):
    answer = fhir.post("Patient", patient(), Content_Type=kind)
    assert answer.status == status, answer.body
    if status == 415:
        assert answer.issues[0]["code"] == "not-supported"


@pytest.mark.parametrize("accept, status", [
    ("application/fhir+json; fhirVersion=4.0", 200), ("application/fhir+json; charset=utf-8; q=0.5", 200),
    ("application/fhir+json; fhirVersion=3.0", 406), ("application/fhir+json;q=0, text/html", 406),
    ("application/fhir+json; fhirVersion=5.0, application/fhir+json; q=0.1", 200)])
def test_an_answer_is_of_the_version_and_the_form_that_are_accepted(fhir, accept, status):
    assert fhir.get("Patient", Accept=accept).status == status
    assert fhir.get("Patient?_format=application/fhir%2Bjson;fhirVersion=5.0").status == 406


def test_what_did_not_change_since_is_not_sent_again(fhir):
    made = fhir.put("Patient/since", patient(id="since"))
    last = made.headers["last-modified"]
    same = fhir.get("Patient/since", If_Modified_Since=last)
    assert same.status == 304 and same.body == b"" and same.headers["etag"] == 'W/"1"'
    assert fhir.get("Patient/since", If_Modified_Since="Sun, 06 Nov 1994 08:49:37 GMT").status == 200
    assert fhir.get("Patient/since", If_Modified_Since=last, If_None_Match='W/"9"').status == 200
    assert fhir.get("Patient/since", If_Modified_Since="yesterday").status == 200


def test_a_query_of_many_parameters_is_answered(fhir):
    assert fhir.get("Patient?" + "&".join(["active=true"] * 900)).status == 200
    assert fhir.get("Patient?" + "&".join(["a=b"] * 1001)).status == 400
    assert fhir.get("Patient?" + "&" * 8000 + "active=true").status == 400
    assert fhir.get("Patient?x=" + "y" * 40000).status in (414, 431)
