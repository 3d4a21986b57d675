"""What the R4 specification demands of a server, request by request: each row is one, with the status and the shape
that http.html, search.html or an operation's page gives. Reads and writes have a server each: rows stand in any order.
"""
import base64
import gzip
import http.client
import json
import urllib.parse

import pytest

from fhirs import FHIR_JSON, Fhir, entry, observation, patient
from machine import Node

FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"
LOINC = "http://loinc.org"
MRN = "urn:oid:1.2.3"


def coded(code, system=LOINC):
    return {"coding": [{"system": system, "code": code}]}


WORLD = [
    {"resourceType": "Organization", "id": "o", "name": "Ward Seven", "active": True},
    {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Doctor"}]},
    patient("Alder", id="a", birthDate="1970-03-05", gender="female", active=True,
            identifier=[{"system": MRN, "value": "A1"}], managingOrganization={"reference": "Organization/o"},
            generalPractitioner=[{"reference": "Practitioner/d"}], address=[{"city": "Basel", "postalCode": "4001"}],
            telecom=[{"system": "phone", "value": "555"}],
            text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Alder of Basel</div>'}),
    patient("Alderman", id="b", birthDate="1971", gender="male", identifier=[{"system": MRN, "value": "B1"}]),
    patient("Birch, Jr", id="c", deceasedBoolean=True),
    {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
     "subject": {"reference": "Patient/a"}, "period": {"start": "2024-01-10", "end": "2024-01-12"}},
    observation("Patient/a", id="o1", code=coded("8867-4"), effectiveDateTime="2024-01-10T10:00:00Z",
                encounter={"reference": "Encounter/e"},
                valueQuantity={"value": 72, "unit": "beats", "system": "http://unitsofmeasure.org", "code": "/min"}),
    observation("Patient/a", id="o2", code=coded("8867-4"), effectiveDateTime="2024-02-10T10:00:00Z",
                valueQuantity={"value": 80, "system": "http://unitsofmeasure.org", "code": "/min"}),
    observation("Patient/a", id="o3", code=coded("29463-7"), effectiveDateTime="2024-03-01", status="preliminary",
                category=[coded("vital-signs", "http://terminology.hl7.org/CodeSystem/observation-category")],
                valueQuantity={"value": 70.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}),
    observation("Patient/b", id="o4", code=coded("29463-7"), valueString="heavy"),
    {"resourceType": "Condition", "id": "k", "subject": {"reference": "Patient/a"}, "code": coded("38341003", "urn:s")},
    {"resourceType": "List", "id": "l", "status": "current", "mode": "working",
     "entry": [{"item": {"reference": "Patient/a"}}, {"item": {"reference": "Patient/b"}}]},
    {"resourceType": "Binary", "id": "bin", "contentType": "text/plain", "data": base64.b64encode(b"plain bytes").decode()},
    {"resourceType": "ValueSet", "id": "vs", "status": "draft", "url": "http://x.example/vs/one", "version": "1"},
    patient("Gone", id="gone"),
]


def started(folder):
    node = Node(folder / "dev", "dev", "--gateway")
    server = Fhir(node.started["fhir"], node.started["token"])
    made = server.bundle("transaction", *[entry("PUT", f"{one['resourceType']}/{one['id']}", one) for one in WORLD])
    assert made.status == 200, made.body
    assert server.call("DELETE", "Patient/gone").status == 204
    assert server.put("Patient/b", WORLD[3] | {"active": False}).headers["etag"] == 'W/"2"'
    yield server
    assert node.stop() == 0, node.log.read_text()


@pytest.fixture(scope="module")
def fhir(tmp_path_factory):
    yield from started(tmp_path_factory.mktemp("read"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Another server, so that writes change no answer of the first one."""
    yield from started(tmp_path_factory.mktemp("written"))


# --- what a row demands; each gives a function of the answer that says what is wrong, or nothing ---

def header(name, value=None):
    def check(answer):
        found = answer.headers.get(name)
        good = found is not None and (value is None or found == value or (callable(value) and value(found)))
        return None if good else f"{name} is {found}"
    return check


def no_header(name):
    return lambda answer: f"{name} is there" if name in answer.headers else None


def is_json(answer):
    kind = answer.headers.get("content-type", "")
    return None if kind.split(";")[0] == FHIR_JSON and ("charset" not in kind or "utf-8" in kind.lower()) else kind


def kind(resource_type):
    return lambda answer: None if answer.json["resourceType"] == resource_type else answer.json["resourceType"]


def issue(code, severity="error", expression=None):
    def check(answer):
        found = [(one["severity"], one["code"]) for one in answer.issues]
        named = expression is None or any(expression in one.get("expression", []) for one in answer.issues)
        told = all(one.get("diagnostics") or one.get("details") for one in answer.issues)
        return None if (severity, code) in found and named and told else answer.body
    return check


def has(path, value=...):
    """"entry.0.search.mode" of the body is there, or is the value."""
    def check(answer):
        at = answer.json
        for step in path.split("."):
            at = at[int(step)] if step.isdigit() and isinstance(at, list) and int(step) < len(at) else (
                at.get(step) if isinstance(at, dict) else None)
        return None if (at is not None if value is ... else at == value) else f"{path} is {at}"
    return check


def lacks(path):
    return lambda answer: None if has(path)(answer) else f"{path} is there"


def ids(*wanted, ordered=False, mode="match"):
    def check(answer):
        found = [one["resource"]["id"] for one in answer.json.get("entry", []) if one["search"]["mode"] == mode]
        return None if (found if ordered else sorted(found)) == (list(wanted) if ordered else sorted(wanted)) else f"found {found}"
    return check


def searchset(answer):
    """What bdl-1 and bundle.html demand of every page of a search."""
    bundle, base = answer.json, answer.base
    selves = [one["url"] for one in bundle["link"] if one["relation"] == "self"]
    good = bundle["resourceType"] == "Bundle" and bundle["type"] == "searchset" and len(selves) == 1
    good = good and selves[0].startswith(base) and bundle.get("entry") != []
    for one in bundle.get("entry", []):
        resource = one["resource"]
        if one["search"]["mode"] == "outcome":
            good = good and resource["resourceType"] == "OperationOutcome"
        else:
            good = good and one["fullUrl"] == f"{base}/{resource['resourceType']}/{resource['id']}" and "response" not in one
    return None if good else answer.body


def history(*wanted):
    """bdl-3, bdl-4: each entry has a request and a response; what was deleted has no resource."""
    def check(answer):
        entries = answer.json.get("entry", [])
        good = answer.json["type"] == "history" and all("search" not in one for one in entries)
        for one in entries:
            deleted = one["request"]["method"] == "DELETE"
            good = good and ("resource" in one) != deleted and one["response"]["status"][:3].isdigit()
            good = good and one["response"]["etag"] and one["response"]["lastModified"] and one["fullUrl"].startswith(answer.base)
        found = [one["request"]["method"] + one["response"]["etag"][2:] for one in entries]
        return None if good and (not wanted or found == list(wanted)) else answer.body
    return check


def link_self(text):
    """Occurs in the self link, decoded; with "!" before it: does not."""
    def check(answer):
        url = urllib.parse.unquote_plus(next(one["url"] for one in answer.json["link"] if one["relation"] == "self"))
        return None if (text[1:] not in url if text[0] == "!" else text in url) else url
    return check


def versioned(number):
    return header("etag", f'W/"{number}"')


def location(pattern):
    return header("location", lambda found: found.startswith("http") and pattern in found and "/_history/" in found)


def empty(answer):
    return answer.body or None


OUTCOME = kind("OperationOutcome")
PAGE = (is_json, searchset)


def row(method, path, status, *checks, body=None, **headers):
    return pytest.param(method, path, status, checks, body, headers, id=f"{method} {path[:60]}")


def ask(fhir, method, path, status, checks, body, headers):
    answer = fhir.call(method, path, body, **headers)
    answer.base = fhir.base
    assert answer.status == status, (answer.status, answer.body[:600])
    for check in checks:
        wrong = check(answer)
        assert not wrong, wrong
    if answer.status >= 400 and method != "HEAD":
        assert is_json(answer) is None and OUTCOME(answer) is None, answer.body


READS = [
    row("GET", "Patient/a", 200, is_json, kind("Patient"), versioned(1), header("last-modified"), has("meta.versionId", "1"),
        has("meta.lastUpdated"), has("id", "a")),
    row("GET", "Patient/b", 200, versioned(2), has("meta.versionId", "2")),
    row("GET", "Patient/b/_history/1", 200, versioned(1), has("meta.versionId", "1"), lacks("active")),
    row("GET", "Patient/b/_history/2", 200, versioned(2), has("active", False)),
    row("GET", "Patient/b/_history/3", 404, issue("not-found")),
    row("GET", "Patient/b/_history/x_y", 404, OUTCOME),
    row("GET", "Patient/nobody", 404, issue("not-found"), no_header("etag")),
    row("GET", "Patient/nobody/_history/1", 404, issue("not-found")),
    row("GET", "Patient/gone", 410, issue("deleted")),
    row("GET", "Patient/gone/_history/1", 200, has("id", "gone")),
    row("GET", "Patient/gone/_history/2", 410, issue("deleted")),
    row("GET", "Nothing/a", 404, OUTCOME),
    row("GET", "patient/a", 404, OUTCOME),
    row("GET", "Resource/a", 404, OUTCOME),
    row("GET", "Patient/a_b", 404, OUTCOME),
    row("GET", "Patient/" + "a" * 65, 404, OUTCOME),
    row("GET", "Patient/a/b/c/d", 404, OUTCOME),
    row("HEAD", "Patient/a", 200, versioned(1), header("last-modified"), header("content-type"), empty),
    row("HEAD", "Patient/nobody", 404, empty),
    row("HEAD", "Patient/gone", 410, empty),
    row("HEAD", "Patient", 200, empty),
    row("HEAD", "metadata", 200, empty),
    row("GET", "Patient/a", 304, versioned(1), empty, If_None_Match='W/"1"'),
    row("GET", "Patient/a", 304, empty, If_None_Match='"1"'),
    row("GET", "Patient/a", 304, empty, If_None_Match='W/"7", W/"1"'),
    row("GET", "Patient/a", 200, If_None_Match='W/"2"'),
    row("GET", "Patient/a", 304, empty, If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT"),
    row("GET", "Patient/a", 200, If_Modified_Since="Sat, 01 Jan 2000 00:00:00 GMT"),
    row("GET", "Patient/a", 200, If_Modified_Since="yesterday"),
    # what form is wanted
    *[row("GET", f"Patient/a?_format={text}", 200, is_json, kind("Patient")) for text in (
        "json", "application/json", "application/fhir%2Bjson", "application/fhir+json", "text/json", "application/json%2Bfhir")],
    *[row("GET", f"Patient/a?_format={text}", 406, issue("not-supported")) for text in (
        "xml", "application/fhir%2Bxml", "text/xml", "ttl", "nonsense")],
    row("GET", "Patient/a?_format=json", 200, is_json, Accept="application/fhir+xml"),
    *[row("GET", "Patient/a", 200, is_json, Accept=text) for text in (
        "application/fhir+json", "application/json", "application/json+fhir", "*/*", "application/*", "text/json",
        "application/fhir+json;q=1.0, application/json+fhir;q=0.9", "application/fhir+xml;q=0.2, application/fhir+json;q=0.9",
        "application/fhir+json; charset=utf-8", "application/fhir+json; fhirVersion=4.0", "text/html,application/xhtml+xml,*/*;q=0.8")],
    *[row("GET", "Patient/a", 406, issue("not-supported"), Accept=text) for text in (
        "application/fhir+xml", "text/turtle", "text/html", "application/fhir+json; fhirVersion=3.0", "application/fhir+json;q=0")],
    row("GET", "Patient/a?_pretty=true", 200, lambda answer: None if b"\n  " in answer.body else answer.body),
    row("GET", "Patient/a?_pretty=false", 200, kind("Patient")),
    row("GET", "metadata", 200, header("content-encoding", "gzip"), header("vary"), Accept_Encoding="gzip, deflate, br"),
    # parts
    row("GET", "Patient/a?_summary=true", 200, lacks("text"), has("active"), lacks("generalPractitioner"),
        has("meta.tag.0.code", "SUBSETTED")),
    row("GET", "Patient/a?_summary=text", 200, has("text"), has("id"), has("meta"), lacks("name")),
    row("GET", "Patient/a?_summary=data", 200, lacks("text"), has("name"), has("meta.tag.0.code", "SUBSETTED")),
    row("GET", "Patient/a?_summary=false", 200, has("text"), has("name"), lacks("meta.tag")),
    row("GET", "Patient/a?_summary=nonsense", 400, issue("value")),
    row("GET", "Patient/a?_elements=name,birthDate", 200, has("name"), has("birthDate"), lacks("gender"),
        has("meta.tag.0.code", "SUBSETTED")),
    row("GET", "Patient/a?_elements=Patient.name", 200, has("name"), lacks("gender")),
    row("GET", "Observation/o1?_elements=id", 200, has("status"), has("code"), lacks("subject")),
    # as clients write paths
    row("GET", "Patient/a/", 200, kind("Patient")),
    row("GET", "Patient/", 200, *PAGE),
    row("GET", "%50atient/%61", 200, kind("Patient")),
    # Binary
    row("GET", "Binary/bin", 200, is_json, kind("Binary"), Accept="application/fhir+json"),
    row("GET", "Binary/bin", 200, header("content-type", lambda found: found.startswith("text/plain")),
        lambda answer: None if answer.body == b"plain bytes" else answer.body, Accept="text/plain"),
    row("GET", "Binary/bin?_format=json", 200, kind("Binary")),
    row("GET", "Binary/none", 404, issue("not-found"), Accept="text/plain"),
]

CAPABILITIES = [
    row("GET", "metadata", 200, is_json, kind("CapabilityStatement"), has("fhirVersion", "4.0.1"), has("status"), has("date"),
        has("kind", "instance"), has("format"), has("rest.0.mode", "server"), has("implementation.url"), has("software.name"),
        has("rest.0.security"), has("rest.0.resource.0.interaction"), has("rest.0.interaction"), Authorization=None),
    row("GET", "metadata?mode=full", 200, kind("CapabilityStatement")),
    row("GET", "metadata?mode=normative", 200, kind("CapabilityStatement")),
    row("GET", "metadata?_format=json", 200, kind("CapabilityStatement"), Accept="text/html"),
    row("GET", "metadata/", 200, kind("CapabilityStatement"), Authorization=None),
    row("GET", "metadata", 406, issue("not-supported"), Accept="application/fhir+xml", Authorization=None),
    row("POST", "metadata", 405, header("allow"), body={}),
    row("GET", "Patient/a", 401, issue("login"), header("www-authenticate", lambda found: found.startswith("Bearer")),
        Authorization=None),
    row("GET", "Patient/a", 401, issue("login"), Authorization="Bearer nonsense"),
    row("GET", "Patient/a", 401, issue("login"), Authorization="Basic YTpi"),
]

SEARCHES = [
    row("GET", "Patient", 200, *PAGE, ids("a", "b", "c"), has("total", 3)),
    row("GET", "Patient?_id=a", 200, *PAGE, ids("a"), has("total", 1), link_self("_id=a"), has("entry.0.search.mode", "match")),
    row("GET", "Patient?_id=a,b,nobody", 200, *PAGE, ids("a", "b")),
    row("GET", "Patient?_id=nobody", 200, *PAGE, has("total", 0), lacks("entry")),
    row("GET", "Patient?_id=gone", 200, *PAGE, has("total", 0)),
    row("GET", "Nothing?_id=a", 404, OUTCOME),
    # strings
    row("GET", "Patient?family=ald", 200, *PAGE, ids("a", "b")),
    row("GET", "Patient?family=ALDER", 200, ids("a", "b")),
    row("GET", "Patient?family:exact=Alder", 200, ids("a"), link_self("family:exact=Alder")),
    row("GET", "Patient?family:exact=alder", 200, ids()),
    row("GET", "Patient?family:contains=derma", 200, ids("b")),
    row("GET", "Patient?family=Birch%5C, Jr".replace(" ", "%20"), 200, ids("c")),
    row("GET", "Patient?family=birch,alderm", 200, ids("b", "c")),
    row("GET", "Patient?name=alder&address-city=basel", 200, ids("a")),
    row("GET", "Patient?name=alder&name=birch", 200, ids()),
    row("GET", "Patient?phone=555", 200, ids("a")),
    # tokens
    row("GET", f"Patient?identifier={MRN}|A1", 200, ids("a")),
    row("GET", f"Patient?identifier={MRN}%7CA1", 200, ids("a")),
    row("GET", "Patient?identifier=A1", 200, ids("a")),
    row("GET", f"Patient?identifier={MRN}|", 200, ids("a", "b")),
    row("GET", "Patient?identifier=|A1", 200, ids()),
    row("GET", "Patient?gender=male,female", 200, ids("a", "b")),
    row("GET", "Patient?gender:not=male", 200, ids("a", "c")),
    row("GET", "Patient?gender:missing=true", 200, ids("c")),
    row("GET", "Patient?gender:missing=false", 200, ids("a", "b")),
    row("GET", "Patient?gender:missing=maybe", 400, issue("value")),
    row("GET", "Patient?active=true", 200, ids("a")),
    row("GET", "Patient?deceased=true", 200, ids("c")),
    row("GET", "Observation?code=8867-4", 200, ids("o1", "o2")),
    row("GET", f"Observation?code={LOINC}|8867-4,{LOINC}|29463-7", 200, ids("o1", "o2", "o3", "o4")),
    row("GET", "Observation?code:in=http://hl7.org/fhir/ValueSet/nosuch", 400, issue("not-supported")),
    row("GET", "Observation?code:below=8867-4", 400, issue("not-supported")),
    row("GET", "Observation?status=preliminary", 200, ids("o3")),
    row("GET", "Observation?category=vital-signs", 200, ids("o3")),
    # references
    row("GET", "Observation?subject=Patient/b", 200, ids("o4")),
    row("GET", "Observation?patient=b", 200, ids("o4")),
    row("GET", "Observation?patient=Patient/b", 200, ids("o4")),
    row("GET", "Observation?subject:Patient=b", 200, ids("o4")),
    row("GET", "Observation?subject.family=alderman", 200, ids("o4")),
    row("GET", "Observation?subject:Patient.family=alderman", 200, ids("o4")),
    row("GET", "Observation?patient.organization.name=ward", 200, ids("o1", "o2", "o3")),
    row("GET", "Observation?subject:Practitioner.name=x", 400, OUTCOME),
    row("GET", "Observation?patient.nosuch=x", 400, OUTCOME),
    row("GET", "Patient?_has:Observation:patient:code=29463-7", 200, ids("a", "b")),
    row("GET", "Patient?_has:Observation:patient:status=preliminary", 200, ids("a")),
    row("GET", "Patient?_has:Observation:nosuch:code=x", 400, OUTCOME),
    row("GET", "Patient?organization=Organization/o", 200, ids("a")),
    row("GET", "Encounter?subject=Patient/a&date=2024-01", 200, ids("e")),
    # dates
    row("GET", "Patient?birthdate=1970-03-05", 200, ids("a")),
    row("GET", "Patient?birthdate=1970", 200, ids("a")),
    row("GET", "Patient?birthdate=1971", 200, ids("b")),
    row("GET", "Patient?birthdate=1971-06", 200, ids()),
    row("GET", "Patient?birthdate=gt1970-12-31", 200, ids("b")),
    row("GET", "Patient?birthdate=lt1971", 200, ids("a")),
    row("GET", "Patient?birthdate=ge1970&birthdate=le1970", 200, ids("a")),
    row("GET", "Patient?birthdate=ne1970", 200, ids("b")),
    row("GET", "Patient?birthdate=sa1970-03-05", 200, ids("b")),
    row("GET", "Patient?birthdate=eb1971", 200, ids("a")),
    row("GET", "Patient?birthdate=notadate", 400, issue("value")),
    row("GET", "Patient?birthdate=1970-13-45", 400, issue("value")),
    row("GET", "Observation?date=2024-01-10T10:00:00Z", 200, ids("o1")),
    row("GET", "Observation?date=2024-01-10T11:00:00%2B01:00", 200, ids("o1")),
    row("GET", "Observation?date=2024-01-10T11:00:00+01:00", 200, ids("o1")),
    row("GET", "Observation?date=2024-01-10", 200, ids("o1")),
    row("GET", "Observation?date=ge2024-02", 200, ids("o2", "o3")),
    row("GET", "Patient?_lastUpdated=gt2000-01-01", 200, ids("a", "b", "c")),
    row("GET", "Patient?_lastUpdated=lt2000-01-01", 200, ids()),
    # quantities, composites, uris
    row("GET", "Observation?value-quantity=72", 200, ids("o1")),
    row("GET", "Observation?value-quantity=gt75", 200, ids("o2")),
    row("GET", "Observation?value-quantity=70.5|http://unitsofmeasure.org|kg", 200, ids("o3")),
    row("GET", "Observation?value-quantity=70.5||kg", 200, ids("o3")),
    row("GET", "Observation?value-quantity=70500|http://unitsofmeasure.org|g", 200, ids("o3")),
    row("GET", "Observation?value-quantity=abc", 400, issue("value")),
    row("GET", "Observation?code-value-quantity=8867-4$gt75", 200, ids("o2")),
    row("GET", f"Observation?code-value-quantity={LOINC}|8867-4$lt75", 200, ids("o1")),
    row("GET", "Observation?value-string=heavy", 200, ids("o4")),
    row("GET", "ValueSet?url=http://x.example/vs/one", 200, ids("vs")),
    row("GET", "ValueSet?url:below=http://x.example/vs", 200, ids("vs")),
    # what is not known
    row("GET", "Patient?nosuch=1", 200, *PAGE, has("total", 3), link_self("!nosuch"),
        has("entry.3.search.mode", "outcome")),
    row("GET", "Patient?nosuch=1&family=birch", 200, *PAGE, ids("c"), link_self("!nosuch"), link_self("family=birch")),
    row("GET", "Patient?nosuch=1", 400, issue("not-supported"), Prefer="handling=strict"),
    row("GET", "Patient?nosuch=1", 200, *PAGE, Prefer="handling=lenient"),
    row("GET", "Patient?family:nosuch=1", 400, OUTCOME),
    row("GET", "Patient?gender:exact=male", 400, OUTCOME),
    row("GET", "Patient?family=", 200, *PAGE),
    row("GET", "Location?near=1|2|3", 400, issue("not-supported")),
    # results
    row("GET", "Patient?_count=2&_sort=family", 200, *PAGE, ids("a", "b", ordered=True),
        lambda answer: None if any(one["relation"] == "next" for one in answer.json["link"]) else answer.body),
    row("GET", "Patient?_sort=-family", 200, ids("c", "b", "a", ordered=True)),
    row("GET", "Patient?_sort=birthdate,family", 200, ids("a", "b", "c")),
    row("GET", "Patient?_sort=nosuch", 400, OUTCOME),
    row("GET", "Observation?_sort=-date&_count=1&code=8867-4", 200, ids("o2")),
    row("GET", "Patient?_count=0", 200, *PAGE, has("total", 3), lacks("entry")),
    row("GET", "Patient?_count=nonsense", 400, issue("value")),
    row("GET", "Patient?_summary=count", 200, *PAGE, has("total", 3), lacks("entry")),
    row("GET", "Patient?_summary=true&_id=a", 200, *PAGE, lacks("entry.0.resource.text"),
        has("entry.0.resource.meta.tag.0.code", "SUBSETTED")),
    row("GET", "Patient?_elements=gender&_id=a", 200, has("entry.0.resource.gender"), lacks("entry.0.resource.name")),
    row("GET", "Patient?_total=accurate&_count=1", 200, has("total", 3)),
    row("GET", "Patient?_total=none", 200, *PAGE),
    row("GET", "Patient?_total=nonsense", 400, issue("value")),
    row("GET", "Patient?_text=basel", 200, ids("a")),
    row("GET", "Patient?_content=alderman", 200, ids("b")),
    row("GET", "Patient?_list=l", 200, ids("a", "b")),
    row("GET", "Patient?_filter=family%20eq%20%22alder%22%20or%20birthdate%20gt%201970-12-31", 200, ids("a", "b")),
    row("GET", "Patient?_filter=((", 400, issue("invalid")),
    row("GET", "Patient?_query=nosuch", 400, OUTCOME),
    row("GET", "Observation?_id=o1&_include=Observation:subject", 200, *PAGE, ids("o1"), ids("a", mode="include"), has("total", 1)),
    row("GET", "Observation?_id=o1&_include=Observation:subject:Patient&_include=Observation:encounter", 200,
        ids("a", "e", mode="include")),
    row("GET", "Observation?_id=o1&_include=Observation:subject:Group", 200, ids(mode="include")),
    row("GET", "Observation?_id=o1&_include=Observation:patient&_include:iterate=Patient:organization", 200,
        ids("a", "o", mode="include")),
    row("GET", "Observation?_id=o1&_include=*", 200, ids("a", "e", mode="include")),
    row("GET", "Patient?_id=b&_revinclude=Observation:subject", 200, ids("b"), ids("o4", mode="include")),
    row("GET", "Observation?_include=Observation:nosuch", 400, OUTCOME),
    row("GET", "Observation?_include=nonsense", 400, OUTCOME),
    # system, compartments, forms
    row("GET", "?_type=Patient,Encounter", 200, *PAGE, ids("a", "b", "c", "e")),
    row("GET", "?_id=a", 200, *PAGE, ids("a")),
    row("GET", "?_type=Nothing", 400, issue("value")),
    row("GET", "Patient/a/Observation", 200, *PAGE, ids("o1", "o2", "o3"), link_self("Patient/a/Observation")),
    row("GET", "Patient/a/Observation?code=29463-7", 200, ids("o3")),
    row("GET", "Patient/a/*", 200, *PAGE, ids("a", "e", "k", "o1", "o2", "o3")),
    row("GET", "Encounter/e/Observation", 200, ids("o1")),
    row("GET", "Organization/o/Patient", 404, OUTCOME),
    row("GET", "Patient/a/Nothing", 404, OUTCOME),
    row("POST", "Patient/_search", 200, *PAGE, ids("a"), link_self("Patient?"), body=b"family:exact=Alder", Content_Type=FORM),
    row("POST", "Patient/_search", 200, ids("a"), body=f"identifier={MRN}%7CA1".encode(), Content_Type=FORM + "; charset=utf-8"),
    row("POST", "Patient/_search?family=alder", 200, ids("b"), body=b"gender=male", Content_Type=FORM),
    row("POST", "Patient/_search?_format=json", 200, ids("a", "b", "c"), body=b"", Content_Type=FORM),
    row("POST", "Patient/_search", 406, OUTCOME, body=b"_format=xml", Content_Type=FORM),
    row("POST", "_search", 200, *PAGE, ids("a", "e"), body=b"_type=Patient,Encounter&_id=a,e", Content_Type=FORM),
    row("POST", "Patient/a/Observation/_search", 200, ids("o3"), body=b"code=29463-7", Content_Type=FORM),
    row("POST", "Patient/_search", 415, OUTCOME, body={"a": 1}),
    row("GET", "Patient/_search?family:exact=Alder", 200, ids("a")),
]

HISTORIES = [
    row("GET", "Patient/b/_history", 200, is_json, history("PUT\"2\"", "PUT\"1\""), has("type", "history"), has("total", 2)),
    row("GET", "Patient/gone/_history", 200, history("DELETE\"2\"", "PUT\"1\""), has("entry.0.response.status"), has("total", 2)),
    row("GET", "Patient/b/_history?_count=1", 200, history("PUT\"2\""),
        lambda answer: None if any(one["relation"] == "next" for one in answer.json["link"]) else answer.body),
    row("GET", "Patient/b/_history?_since=2100-01-01", 200, has("type", "history"), lacks("entry")),
    row("GET", "Patient/b/_history?_since=2000-01-01T00:00:00Z", 200, history("PUT\"2\"", "PUT\"1\"")),
    row("GET", "Patient/b/_history?_at=2100", 200, has("type", "history")),
    row("GET", "Patient/b/_history?_since=nonsense", 400, issue("value")),
    row("GET", "Patient/b/_history?_count=nonsense", 400, issue("value")),
    row("GET", "Patient/nobody/_history", 404, issue("not-found")),
    row("GET", "Patient/_history", 200, history()),
    row("GET", "_history?_count=3", 200, history()),
    row("GET", "Nothing/_history", 404, OUTCOME),
    row("GET", "Patient/b/_history?_format=xml", 406, OUTCOME),
    row("POST", "Patient/b/_history", 405, header("allow"), body={}),
]


@pytest.mark.parametrize("method, path, status, checks, body, headers", READS + CAPABILITIES + SEARCHES + HISTORIES)
def test_a_question_is_answered_as_the_specification_says(fhir, method, path, status, checks, body, headers):
    ask(fhir, method, path, status, checks, body, headers)


# --- writes: each row has resources of its own ---

def patch_of(kind_, path, value=None, name=None):
    parts = [{"name": "type", "valueCode": kind_}, {"name": "path", "valueString": path}]
    parts += [{"name": "name", "valueString": name}] if name else []
    parts += [{"name": "value", **value}] if value else []
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


MINIMAL = {"Prefer": "return=minimal"}
BAD_STATUS = {"resourceType": "Observation", "status": "nonsense", "code": {"text": "x"}}

WRITES = [
    row("POST", "Patient", 201, is_json, versioned(1), location("/Patient/"), header("last-modified"), kind("Patient"),
        has("id"), has("meta.versionId", "1"), body=patient("New")),
    row("POST", "Patient", 201, lambda answer: None if answer.json["id"] != "chosen" else "took the client's id",
        body=patient(id="chosen")),
    row("POST", "Patient", 201, empty, versioned(1), location("/Patient/"), body=patient(), **MINIMAL),
    row("POST", "Patient", 201, OUTCOME, location("/Patient/"), body=patient(), Prefer="return=OperationOutcome"),
    row("POST", "Patient", 201, kind("Patient"), body=patient(), Prefer="return=representation"),
    row("POST", "Patient", 201, kind("Patient"), body=patient(), Content_Type="application/json"),
    row("POST", "Patient", 201, kind("Patient"), body=patient(), Content_Type="application/fhir+json; charset=UTF-8"),
    row("POST", "Patient", 201, kind("Patient"), body=patient(), Content_Type="application/json+fhir"),
    row("POST", "Patient/", 201, kind("Patient"), body=patient()),
    row("POST", "Patient?_format=json", 201, kind("Patient"), body=patient()),
    row("POST", "Patient", 201, kind("Patient"), body=gzip.compress(json.dumps(patient()).encode()), Content_Encoding="gzip"),
    row("POST", "Patient", 406, OUTCOME, body=patient(), Accept="application/fhir+xml"),
    row("POST", "Patient", 415, issue("not-supported"), body=b"<Patient/>", Content_Type="application/fhir+xml"),
    row("POST", "Patient", 415, OUTCOME, body=patient(), Content_Type="text/plain"),
    row("POST", "Patient", 400, issue("structure"), body=b'{"resourceType": "Patient"'),
    row("POST", "Patient", 400, issue("structure"), body=b""),
    row("POST", "Patient", 400, OUTCOME, body=b"[]"),
    row("POST", "Patient", 400, OUTCOME, body={"name": []}),
    row("POST", "Patient", 400, issue("invalid"), body=observation("Patient/a")),
    row("POST", "Nothing", 404, OUTCOME, body={"resourceType": "Nothing"}),
    row("POST", "Observation", 422, issue("code-invalid", expression="Observation.status"), body=BAD_STATUS),
    row("POST", "Observation", 422, issue("required", expression="Observation"),
        body={"resourceType": "Observation", "status": "final"}),
    row("POST", "Patient", 422, issue("structure"), body=patient(nosuch=1)),
    row("POST", "Patient", 422, issue("value", expression="Patient.birthDate"), body=patient(birthDate="1970-13-01")),
    row("POST", "Patient", 422, issue("value", expression="Patient.active"), body=patient(active="true")),
    row("POST", "Patient/a", 405, header("allow"), body=patient()),
    row("POST", "Patient", 200, versioned(1), has("id", "a"), location("/Patient/a/"), body=patient(),
        If_None_Exist=f"identifier={MRN}|A1"),
    row("POST", "Patient", 200, has("id", "a"), body=patient(), If_None_Exist=f"identifier={MRN}%7CA1"),
    row("POST", "Patient", 200, has("id", "a"), body=patient(), If_None_Exist=f"Patient?identifier={MRN}|A1"),
    row("POST", "Patient", 201, body=patient(), If_None_Exist="identifier=none-has-this-one"),
    row("POST", "Patient", 412, issue("multiple-matches"), body=patient(), If_None_Exist="gender=male,female"),
    row("POST", "Patient", 400, OUTCOME, body=patient(), If_None_Exist="nosuch=1"),
    # update
    row("PUT", "Patient/w1", 201, is_json, versioned(1), location("/Patient/w1/_history/1"), has("id", "w1"), body=patient(id="w1")),
    row("PUT", "Patient/w2", 201, empty, location("/Patient/w2/"), body=patient(id="w2"), **MINIMAL),
    row("PUT", "Patient/a", 400, OUTCOME, body=patient()),
    row("PUT", "Patient/a", 400, OUTCOME, body=patient(id="b")),
    row("PUT", "Patient/a", 400, OUTCOME, body=observation("Patient/a", id="a")),
    row("PUT", "Patient/a", 412, issue("conflict"), body=patient(id="a"), If_Match='W/"9"'),
    row("PUT", "Patient/unwritten", 412, issue("conflict"), body=patient(id="unwritten"), If_Match='W/"1"'),
    row("PUT", "Patient/a", 412, OUTCOME, body=patient(id="a"), If_None_Match="*"),
    row("PUT", "Patient/w3", 201, versioned(1), body=patient(id="w3"), If_None_Match="*"),
    row("PUT", "Patient/a_b", 400, OUTCOME, body=patient(id="a_b")),
    row("PUT", "Nothing/a", 404, OUTCOME, body={"resourceType": "Nothing", "id": "a"}),
    row("PUT", "Observation/w4", 422, issue("code-invalid"), body=BAD_STATUS | {"id": "w4"}),
    row("PUT", "Patient/a", 415, OUTCOME, body=b"x", Content_Type="text/plain"),
    row("PUT", "Patient/a/_history/1", 405, header("allow"), body=patient(id="a")),
    row("PUT", "Patient", 400, OUTCOME, body=patient()),
    row("PUT", "Patient?identifier=upsert-1", 201, location("/Patient/"), body=patient(identifier=[{"value": "upsert-1"}])),
    row("PUT", "Patient?identifier=upsert-2", 201, has("id", "upsert-2"), body=patient(id="upsert-2")),
    row("PUT", f"Patient?identifier={MRN}|A1", 400, OUTCOME, body=patient(id="other")),
    row("PUT", "Patient?identifier=none-has-it", 409, issue("conflict"), body=patient(id="a")),
    row("PUT", "Patient?gender=male,female", 412, issue("multiple-matches"), body=patient()),
    row("PUT", "Patient?nosuch=1", 400, OUTCOME, body=patient()),
    # delete
    row("DELETE", "Patient/never-there", 204, empty),
    row("DELETE", "Patient/gone", 204, empty),
    row("DELETE", "Patient/a", 412, issue("conflict"), If_Match='W/"9"'),
    row("DELETE", "Nothing/a", 404, OUTCOME),
    row("DELETE", "Patient", 400, OUTCOME),
    row("DELETE", "Patient?identifier=none-has-it", 204, empty),
    row("DELETE", "Patient?gender=male,female", 412, issue("multiple-matches")),
    row("DELETE", "Patient/a/_history/1", 405, header("allow")),
    row("DELETE", "Patient/a/_history", 405, header("allow")),
    # patch
    row("PATCH", "Patient/never-there", 404, issue("not-found"), body=[], Content_Type=JSON_PATCH),
    row("PATCH", "Patient/gone", 410, issue("deleted"), body=[], Content_Type=JSON_PATCH),
    row("PATCH", "Patient/a", 415, OUTCOME, body={"active": True}, Content_Type="application/merge-patch+json"),
    row("PATCH", "Patient/a", 415, OUTCOME, body={"active": True}, Content_Type="application/json"),
    row("PATCH", "Patient/a", 400, issue("structure"), body={}, Content_Type=JSON_PATCH),
    row("PATCH", "Patient/a", 400, issue("structure"), body=[{"op": "nosuch", "path": "/x"}], Content_Type=JSON_PATCH),
    row("PATCH", "Patient/a", 422, OUTCOME, body=[{"op": "test", "path": "/active", "value": False}], Content_Type=JSON_PATCH),
    row("PATCH", "Patient/a", 422, OUTCOME, body=[{"op": "replace", "path": "/id", "value": "z"}], Content_Type=JSON_PATCH),
    row("PATCH", "Patient/a", 422, issue("value"), body=[{"op": "replace", "path": "/birthDate", "value": "x"}], Content_Type=JSON_PATCH),
    row("PATCH", "Patient/a", 412, issue("conflict"), body=[], Content_Type=JSON_PATCH, If_Match='W/"9"'),
    row("PATCH", "Practitioner/d", 200, has("id", "d"), header("etag"), header("location"), body=patch_of("delete", "Practitioner.photo")),
    row("PATCH", "Practitioner/d", 200, has("gender", "other"), body=patch_of("add", "Practitioner", {"valueCode": "other"}, "gender")),
    row("PATCH", "Practitioner/d", 200, has("active", True),
        body=[{"op": "add", "path": "/active", "value": True}], Content_Type=JSON_PATCH),
    row("PATCH", "Practitioner/d", 200, empty, body=[], Content_Type=JSON_PATCH, **MINIMAL),
    row("PATCH", "Patient/a", 400, OUTCOME, body=patch_of("nosuch", "Patient.name")),
    # transactions and batches
    row("POST", "", 400, OUTCOME, body={"resourceType": "Bundle", "type": "collection"}),
    row("POST", "", 400, OUTCOME, body=patient()),
    row("POST", "", 200, kind("Bundle"), has("type", "batch-response"), lacks("entry"),
                      body={"resourceType": "Bundle", "type": "batch"}),
    row("POST", "", 200, has("type", "transaction-response"), has("entry.0.response.status", "201 Created"),
        has("entry.0.response.etag", 'W/"1"'), has("entry.0.response.lastModified"), lacks("total"), lacks("entry.0.search"),
        has("entry.0.response.location"), body={"resourceType": "Bundle", "type": "transaction",
                                                "entry": [entry("POST", "Patient", patient())]}),
    row("POST", "", 200, has("entry.0.resource.id"), Prefer="return=representation",
        body={"resourceType": "Bundle", "type": "transaction", "entry": [entry("POST", "Patient", patient())]}),
    row("POST", "", 200, has("entry.0.response.status", "200 OK"), has("entry.0.resource.id", "a"),
        has("entry.1.response.status", "404 Not Found"), has("entry.1.response.outcome.resourceType", "OperationOutcome"),
        has("entry.2.resource.type", "searchset"), has("entry.3.response.status", "410 Gone"),
        has("entry.4.response.status", "304 Not Modified"), has("entry.5.response.status", "400 Bad Request"),
        body={"resourceType": "Bundle", "type": "batch", "entry": [
            entry("GET", "Patient/a"), entry("GET", "Patient/nobody"), entry("GET", "Patient?_id=a"), entry("GET", "Patient/gone"),
            entry("GET", "Patient/a", ifNoneMatch='W/"1"'), entry("GET", "Patient?birthdate=x")]}),
    row("POST", "", 404, issue("not-supported", expression="Bundle.entry[1]"), body={
        "resourceType": "Bundle", "type": "transaction", "entry": [entry("POST", "Patient", patient()),
                                                                   entry("POST", "Nothing", {"resourceType": "Nothing"})]}),
    row("POST", "", 422, issue("code-invalid", expression="Bundle.entry[0].resource.status"), body={
        "resourceType": "Bundle", "type": "transaction", "entry": [entry("POST", "Observation", BAD_STATUS)]}),
    row("POST", "", 200, has("entry.0.response.status", "422 Unprocessable Content"), has("entry.1.response.status", "201 Created"),
        body={"resourceType": "Bundle", "type": "batch", "entry": [entry("POST", "Observation", BAD_STATUS),
                                                                   entry("POST", "Patient", patient())]}),
    row("POST", "", 412, OUTCOME, body={"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("PUT", "Patient/a", patient(id="a"), ifMatch='W/"9"')]}),
    row("POST", "", 400, OUTCOME, body={"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("PUT", "Patient/x1", patient(id="x1")), entry("DELETE", "Patient/x1")]}),
    row("POST", "", 200, has("entry.0.response.status", "200 OK"), body={
        "resourceType": "Bundle", "type": "transaction", "entry": [
            entry("POST", "Patient", patient(), ifNoneExist=f"identifier={MRN}|A1")]}),
    row("POST", "", 200, has("entry.0.response.status", "204 No Content"), body={
        "resourceType": "Bundle", "type": "transaction", "entry": [entry("DELETE", "Patient/never-there")]}),
    # operations
    row("POST", "Patient/$validate", 200, OUTCOME, issue("informational", "information"), body=patient()),
    row("POST", "Observation/$validate", 200, issue("code-invalid", expression="Observation.status"), body=BAD_STATUS),
    row("POST", "Patient/%24validate", 200, OUTCOME, body=patient()),
    row("POST", "Patient/$validate", 200, OUTCOME, body={"resourceType": "Parameters", "parameter": [
        {"name": "resource", "resource": patient()}, {"name": "mode", "valueCode": "create"}]}),
    row("POST", "Patient/$validate?profile=http://nosuch.example/p", 400, issue("not-supported"), body=patient()),
    row("GET", "Patient/a/$validate", 200, OUTCOME),
    row("GET", "Patient/a/$everything", 200, *PAGE),
    row("GET", "Patient/a/%24everything?_count=1", 200, *PAGE),
    row("POST", "Patient/a/$everything", 200, *PAGE, body={"resourceType": "Parameters"}),
    row("GET", "Patient/a/$everything?_type=Observation", 200, *PAGE),
    row("GET", "Encounter/e/$everything", 200, *PAGE, has("entry.0.resource.id", "e")),
    row("GET", "Patient/$everything?_count=2", 200, *PAGE, link_self("Patient/$everything?_count=2")),
    row("GET", "Patient/$everything?_type=Encounter", 200, *PAGE, ids("e")),
    row("GET", "Patient/nobody/$everything", 404, issue("not-found")),
    row("GET", "Patient/a/$meta", 200, kind("Parameters"), has("parameter.0.name", "return"), has("parameter.0.valueMeta.versionId", "1")),
    row("GET", "Observation/$lastn?patient=Patient/a", 200, *PAGE),
    row("GET", "Observation/$lastn", 400, OUTCOME),
    row("POST", "Patient/$match", 200, kind("Bundle"), has("type", "searchset"), body={"resourceType": "Parameters", "parameter": [
        {"name": "resource", "resource": patient(identifier=[{"system": MRN, "value": "A1"}])}]}),
    row("POST", "Patient/$nosuch", 404, issue("not-supported"), body={}),
    row("GET", "$nosuch", 404, issue("not-supported")),
    row("GET", "ValueSet/$expand?url=x", 404, issue("not-supported")),
    row("GET", "Patient/$validate", 405, header("allow", "POST")),
    row("GET", "$export", 202, header("content-location"), Prefer="respond-async", Accept="application/fhir+json"),
]


@pytest.mark.parametrize("method, path, status, checks, body, headers", WRITES)
def test_a_write_is_answered_as_the_specification_says(written, method, path, status, checks, body, headers):
    ask(written, method, path, status, checks, body, headers)


VALUES = {"number": "5", "date": "2024", "string": "a", "token": "s|c", "reference": "Patient/1", "uri": "http://x",
          "quantity": "5|http://u|mg"}


def claims(statement):
    """A search for each parameter and each include that it claims, but for composites, whose values differ."""
    for resource in statement["rest"][0]["resource"]:
        for search in resource["searchParam"]:
            if search["type"] in VALUES:
                yield f"{resource['type']}?{search['name']}={VALUES[search['type']]}"
        for name in ("searchInclude", "searchRevInclude"):
            for one in resource.get(name, []):
                yield f"{resource['type']}?_{name[6:].lower()}={one}"


def test_what_the_statement_of_capabilities_claims_is_served(fhir):
    """By one connection: there are thousands."""
    address = urllib.parse.urlsplit(fhir.base)
    connection = http.client.HTTPConnection(address.netloc)
    fields = {"Authorization": f"Bearer {fhir.token}", "Prefer": "handling=strict"}
    wrong, asked = [], 0
    for path in claims(fhir.get("metadata").json):
        connection.request("GET", f"{address.path}/{path}", headers=fields)
        answer = connection.getresponse()
        asked += 1
        if (answer.status, answer.read()[:31]) != (200, b'{"resourceType":"Bundle","meta"'):
            wrong.append(path)
    connection.close()
    assert not wrong and asked > 5000


@pytest.mark.parametrize("path", [
    "metadata", "Patient", "Patient?_id=nobody", "Patient?nosuch=1", "Patient?_count=0", "Patient?_count=1",
    "Patient?_include=*&_revinclude=*", "Patient?_summary=true", "Observation?_elements=value", "Patient/b/_history",
    "Patient/gone/_history", "_history", "Patient/a/$everything", "Observation/$lastn?patient=a", "Patient/nobody",
    "Patient/gone", "Patient?birthdate=x", "Nothing"])
def test_what_is_answered_is_valid_itself(fhir, path):
    answer = fhir.get(path).json
    found = fhir.post(f"{answer['resourceType']}/$validate", answer)
    assert [one["severity"] for one in found.issues] == ["information"], found.body


def test_there_are_as_many_rows_as_were_promised():
    assert len(READS + CAPABILITIES + SEARCHES + HISTORIES + WRITES) >= 300
