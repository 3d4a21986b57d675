"""EPCIS 2.0 over HTTP: capture, queries, pages, resources, and what is refused."""
import concurrent.futures
import glob
import json
import os
import pathlib
import time
import xml.etree.ElementTree

import pytest

from epcis import CONTEXT, EXAMPLE, Epcis, document, event, events_of, next_of, problem, segment
from machine import ROOT, Node

DATA = pathlib.Path(os.environ.get("DATA", ROOT.parent / "shared" / "data")) / "epcis"
TOP = ["queries", "capture", "events", "eventTypes", "epcs", "readPoints", "bizLocations", "dispositions", "bizSteps"]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    made = Node(tmp_path_factory.mktemp("epcis") / "dev", "dev", "--gateway")
    yield made
    assert made.stop() == 0, made.log.read_text()


@pytest.fixture(scope="module")
def epcis(node):
    return Epcis(node.started["epcis"], node.started["token"])


@pytest.fixture(scope="module")
def packs(node, epcis):
    """Digital Links of ten packs of the registered product, commissioned."""
    made = [pack(node, f"P{i}") for i in range(10)]
    epcis.captured(commissioned(made, "PACKS"))
    return made


def pack(node, serial):
    return f"https://id.gs1.org/01/{node.started['gtin']}/21/{serial}"


def commissioned(epcs, lot):
    return event("commissioning", action="ADD", epcList=epcs,
                 ilmd={"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": "2030-06-30"})


def stray(serial, **more):
    """An event about a pack of a product that nobody registered here."""
    return event(epcList=[f"urn:epc:id:sgtin:0614141.107346.{serial}"], **more)


def order(name):
    return [{"type": "po", "bizTransaction": "urn:x:" + name}]


# --- what there is ---


def test_the_root_names_what_is_there_and_options_say_in_which_versions(epcis):
    for path in ("", "/"):
        root = epcis.get(path)
        assert root.status == 200 and root.json["type"] == "Collection" and root.json["member"] == TOP
        assert root.headers["gs1-epcis-version"] == "2.0.0"
    for path in ["", "/capture", "/events", "/events/x", "/capture/x", "/epcs", "/epcs/x", "/epcs/x/events", "/queries",
                 "/queries/x", "/queries/x/events"]:
        answer = epcis.call("OPTIONS", path)
        assert answer.status == 204 and answer.body == b"", path
        assert "GET" in answer.headers["allow"] and answer.headers["gs1-epcis-max"] == "2.0.0"
        assert ("gs1-epcis-capture-limit" in answer.headers) == path.startswith("/capture")
    assert "POST" in epcis.call("OPTIONS", "/capture").headers["allow"]
    problem(epcis.call("OPTIONS", "/nothing"), 404, "NoSuchResourceException")


# --- capture ---


def test_a_document_of_packs_moves_them_and_is_found(node, epcis, packs):
    job = epcis.capture(event("dispensing", epcList=[packs[0]]))
    assert job["success"] and job["captureErrorBehaviour"] == "rollback" and job["finishedAt"] >= job["createdAt"]
    found, _ = epcis.events(f"/events?MATCH_epc={segment(packs[0])}")
    assert [one["bizStep"] for one in found] == ["dispensing", "commissioning"]  # the newest first
    assert all(one["eventID"].startswith("ni:///sha-256;") and one["recordTime"] for one in found)
    # the chain knows that it is dispensed: not again
    for _ in range(2):
        again = epcis.capture(event("dispensing", epcList=[packs[0]], eventTime="2026-11-30T11:00:00Z"))
        assert not again["success"] and "DISPENSED" in again["errors"][0]["detail"], again
    assert len(epcis.events(f"/events?MATCH_epc={segment(packs[0])}")[0]) == 2


def test_all_events_of_a_document_are_captured_or_none(node, epcis, packs):
    bad = event("dispensing", epcList=[pack(node, "NOBODY-MADE-IT")])
    good = stray("roll-1")
    job = epcis.capture(good, bad)
    assert not job["success"] and "event 2" in job["errors"][0]["detail"], job
    assert epcis.events("/events?MATCH_epc=urn:epc:id:sgtin:0614141.107346.roll-1")[0] == []


def test_proceeding_captures_what_can_be_and_says_what_cannot(node, epcis, packs):
    bad = event("dispensing", epcList=[pack(node, "NOBODY-MADE-IT-2")])
    unknown = stray("go-2") | {"bizStep": "teleporting"}
    job = epcis.capture(stray("go-1"), bad, unknown, stray("go-3"), GS1_Capture_Error_Behaviour="proceed")
    assert not job["success"] and job["captureErrorBehaviour"] == "proceed" and len(job["errors"]) == 2, job
    assert "teleporting" in json.dumps(job["errors"])
    for serial, count in (("go-1", 1), ("go-2", 0), ("go-3", 1)):
        assert len(epcis.events(f"/events?MATCH_epc=urn:epc:id:sgtin:0614141.107346.{serial}")[0]) == count


def test_the_same_document_again_is_no_failure_and_nothing_new(epcis):
    for _ in range(2):
        epcis.captured(stray("same"))
    assert len(epcis.events("/events?MATCH_epc=urn:epc:id:sgtin:0614141.107346.same")[0]) == 1


@pytest.mark.parametrize("body, what", [
    (b"", "JSON"),
    (b"{", "JSON"),
    (b"{}", "@context"),
    (b"<html/>", "schemaVersion"),
    (json.dumps(document(stray("w1") | {"bizStep": "teleporting"})).encode(), "teleporting"),
    (json.dumps(document(stray("w2") | {"disposition": "lost_in_space"})).encode(), "lost_in_space"),
    (json.dumps(document(stray("w3") | {"madeUp": 1})).encode(), "madeUp"),
    (json.dumps(document(stray("w4") | {"nobody:knows": 1})).encode(), "nobody:knows"),
    (json.dumps(document(stray("w5") | {"eventTime": "2026-02-30T00:00:00Z"})).encode(), "eventTime"),
    (json.dumps(document(stray("w6") | {"action": "MOVE"})).encode(), "action"),
    (json.dumps(document(event(epcList=["https://id.gs1.org/01/09506000134353/21/x"]))).encode(), "check digit"),
    (json.dumps(document(event(epcList=["no-uri"]))).encode(), "no-uri"),
])
def test_what_is_no_document_is_refused_at_once(epcis, body, what):
    assert what in problem(epcis.post("/capture", body), 400, "ValidationException")


def test_other_bodies_headers_and_sizes_are_refused_by_their_names(epcis):
    problem(epcis.post("/capture", b"x", Content_Type="text/plain"), 415, "UnsupportedMediaTypeException")
    problem(epcis.post("/capture", document(stray("h")), GS1_Capture_Error_Behaviour="hope"), 400,
            "ValidationException")
    problem(epcis.get("/capture/3f0b6267-2266-437c-9871-255dc1315fc1"), 404, "NoSuchResourceException")
    problem(epcis.get("/events", Accept="text/html"), 406, "NotAcceptableException")
    problem(epcis.get("/events", GS1_EPCIS_Version="1.2"), 406, "NotAcceptableException")
    problem(epcis.get("/events", GS1_EPC_Format="Always_EPC_URN"), 406, "NotAcceptableException")
    problem(epcis.get("/events?EQ_bizStep=" + "x" * 9000), 414, "URITooLongException")
    problem(epcis.get("/nothing"), 404, "NoSuchResourceException")
    problem(epcis.call("DELETE", "/events"), 405, "ImplementationException")
    assert epcis.get("/events", GS1_EPCIS_Min="1.2", GS1_EPCIS_Max="2.0").status == 200
    assert epcis.get("/events", Accept="application/ld+json").status == 200


def test_jobs_are_listed_to_who_gave_them(epcis):
    for i in range(3):
        epcis.captured(stray(f"job-{i}"))
    first = epcis.get("/capture?perPage=2")
    assert isinstance(first.json, list) and len(first.json) == 2 and all(job["success"] for job in first.json)
    second = epcis.get(next_of(first))
    assert {job["captureID"] for job in second.json}.isdisjoint(job["captureID"] for job in first.json)


def test_xml_is_captured_as_json_is(epcis):
    if not DATA.is_dir():
        pytest.skip(f"no EPCIS documents at {DATA}")
    text = (DATA / "documents/gs1-epcis/XML/Example_9.6.1-ObjectEvent.xml").read_bytes() if (
        DATA / "documents/gs1-epcis/XML/Example_9.6.1-ObjectEvent.xml").exists() else None
    names = sorted(glob.glob(str(DATA / "documents/gs1-epcis/XML/**/*.xml"), recursive=True))
    text = text or next(body for body in (pathlib.Path(name).read_bytes() for name in names)
                        if b"EventList" in body and b"ObjectEvent" in body)
    xml.etree.ElementTree.fromstring(text)
    answer = epcis.post("/capture", text, Content_Type="application/xml")
    assert answer.status == 202, answer.body
    assert epcis.ended(answer.headers["location"])["success"]


def test_every_document_of_gs1_is_taken_or_refused_with_a_reason(epcis):
    if not DATA.is_dir():
        pytest.skip(f"no EPCIS documents at {DATA}")
    taken = refused = 0
    for name in sorted(glob.glob(str(DATA / "documents/gs1-epcis/JSON/**/*.jsonld"), recursive=True)):
        answer = epcis.post("/capture", pathlib.Path(name).read_bytes())
        if answer.status == 202:
            job = epcis.ended(answer.headers["location"])
            # twins of one event have one hash: the second is there already
            assert job["success"] or "ResourceAlreadyExists" in job["errors"][0]["type"], (name, job)
            taken += 1
        else:
            assert "stands twice" in problem(answer, 400, "ValidationException"), name
            refused += 1
    assert taken > 35 and refused <= 1, (taken, refused)


# --- single events ---


def test_one_event_is_captured_while_its_sender_waits(epcis):
    one = stray("one", **{"@context": [CONTEXT, {"example": EXAMPLE}], "example:part": "7"})
    made = epcis.post("/events", one)
    assert made.status == 201, made.body
    assert made.json["eventID"].startswith("ni:///sha-256;") and made.json["recordTime"]
    assert made.json["example:part"] == "7" and made.json["epcList"] == ["https://id.gs1.org/01/10614141073464/21/one"]
    read = epcis.get(made.headers["location"])
    assert [found["eventID"] for found in events_of(read.json)] == [made.json["eventID"]]
    assert events_of(epcis.get(made.headers["location"], GS1_EPC_Format="Never_Translates").json)[0]["epcList"] == [
        "urn:epc:id:sgtin:0614141.107346.one"]
    problem(epcis.post("/events", one), 409, "ResourceAlreadyExistsException")
    declared = one | {"eventID": made.json["eventID"],
                      "errorDeclaration": {"declarationTime": "2026-11-30T11:00:00Z", "reason": "incorrect_data"}}
    assert epcis.post("/events", declared).status == 201
    both = events_of(epcis.get(made.headers["location"]).json)
    assert [("errorDeclaration" in found) for found in both] == [False, True]
    problem(epcis.post("/events", declared), 409, "ResourceAlreadyExistsException")
    problem(epcis.post("/events", stray("bare")), 400, "ValidationException")
    problem(epcis.get("/events/urn:nobody"), 404, "NoSuchResourceException")


def test_nobody_who_waits_carries_out_the_events_of_others_for_ever(epcis):
    """16 senders leave the line never empty until each of them got three answers."""
    answers = [0] * 16
    until = time.monotonic() + 50

    def send(sender):
        while min(answers) < 3 and time.monotonic() < until:
            answer = epcis.post("/events", stray(f"line-{sender}-{answers[sender]}", **{"@context": CONTEXT}))
            assert answer.status == 201, answer.body
            answers[sender] += 1

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(16)))
    assert min(answers) >= 3 and time.monotonic() < until, answers


def test_more_senders_than_workers_wait_for_their_events_at_once(epcis):
    events = [stray(f"at-once-{i}", **{"@context": CONTEXT}) for i in range(48)]
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(lambda one: epcis.post("/events", one), events))
    assert [answer.status for answer in answers] == [201] * 48
    assert len({answer.json["eventID"] for answer in answers}) == 48


# --- queries ---


def test_a_query_is_paged_and_pages_stand_still(epcis):
    epcis.captured(*[stray(f"page-{i}", bizTransactionList=order("pages")) for i in range(7)])
    path = "/events?EQ_bizTransaction_po=urn:x:pages&perPage=3"
    first = epcis.get(path)
    epcis.captured(stray("page-late", bizTransactionList=order("pages")))
    rest = events_of(epcis.get(next_of(first)).json)
    assert len(events_of(first.json)) == 3 and len(rest) == 3
    found, pages = epcis.events(path)
    assert len(found) == 8 and pages == 3
    # a token is of its query and its asker
    token = next_of(first).split("nextPageToken=")[1].split("&")[0]
    problem(epcis.get(f"/events?EQ_bizTransaction_po=urn:x:other&nextPageToken={token}"), 400,
            "QueryParameterException")
    problem(epcis.get("/events?perPage=0"), 400, "QueryParameterException")
    problem(epcis.get("/events?nextPageToken=forged"), 400, "QueryParameterException")


def test_orders_and_limits_are_as_the_standard_says(epcis):
    epcis.captured(*[stray(f"order-{i}", bizTransactionList=order("order"), eventTime=f"2026-11-0{9 - i}T00:00:00Z")
                     for i in range(5)])
    query = "/events?EQ_bizTransaction_po=urn:x:order"
    times = [found["eventTime"] for found in epcis.events(query + "&orderBy=eventTime&orderDirection=ASC")[0]]
    assert times == sorted(times) and len(times) == 5
    down = [found["eventTime"] for found in epcis.events(query + "&orderBy=eventTime")[0]]
    assert down == times[::-1]
    limited, _ = epcis.events(query + "&orderBy=eventTime&eventCountLimit=3&perPage=2")
    assert [found["eventTime"] for found in limited] == down[:3]
    problem(epcis.get(query + "&maxEventCount=4"), 413, "QueryTooLargeException")
    assert len(epcis.events(query + "&maxEventCount=5")[0]) == 5
    for wrong in ("eventCountLimit=3", "orderBy=eventTime&orderDirection=UP", "EQ_action=MOVE", "EQ_nothing=1",
                  "orderBy=eventTime&eventCountLimit=3&maxEventCount=3"):
        problem(epcis.get(f"{query}&{wrong}"), 400, "QueryParameterException")


def test_fields_of_ones_own_are_found_by_their_prefix(epcis):
    context = [CONTEXT, {"own": EXAMPLE}]
    epcis.captured(stray("own-1", **{"own:colour": "red", "own:weight": 2.5}),
                   stray("own-2", **{"own:colour": "blue", "own:box": {"own:size": 3}}), context=context)
    extensions = {"GS1_Extensions": f"any={EXAMPLE}"}
    for query, serials in (("EQ_any:colour=red", ["own-1"]), ("EQ_any:colour=red%7Cblue", ["own-2", "own-1"]),
                           ("GT_any:weight=2", ["own-1"]), ("EQ_INNER_any:size=3", ["own-2"]),
                           ("EXISTS_any:box=true", ["own-2"]), ("EQ_any:size=3", [])):
        found, _ = epcis.events("/events?" + query, **extensions)
        assert [one["epcList"][0].rsplit("/", 1)[1] for one in found] == serials, query
    answer = epcis.get("/events?EQ_any:colour=red", **extensions)
    assert {"own": EXAMPLE} in answer.json["@context"]
    problem(epcis.get("/events?EQ_any:colour=red"), 400, "QueryParameterException")


# --- top-level resources ---


def test_resources_list_what_events_have_and_lead_to_them(epcis):
    place = "https://id.gs1.org/414/4012345000016"
    epcis.captured(stray("top", disposition="in_progress", readPoint={"id": place}, bizLocation={"id": place}))
    for resource, value in (("eventTypes", "ObjectEvent"), ("bizSteps", "storing"), ("dispositions", "in_progress"),
                            ("readPoints", place), ("bizLocations", place),
                            ("epcs", "https://id.gs1.org/01/10614141073464/21/top")):
        members, path = [], f"/{resource}?perPage=1000"
        while path:
            answer = epcis.get(path)
            members += answer.json["member"]
            path = next_of(answer)
        assert value in members and members == sorted(set(members)), (resource, members)
        assert epcis.get(f"/{resource}/{segment(value)}").json["member"] == ["events"]
        found, _ = epcis.events(f"/{resource}/{segment(value)}/events?EQ_bizStep=storing")
        assert found
        problem(epcis.get(f"/{resource}/{segment('urn:nobody:has:it')}"), 404, "NoSuchResourceException")
        problem(epcis.get(f"/{resource}/{segment('urn:nobody:has:it')}/events"), 404, "NoSuchResourceException")
    # by the other spellings, too
    assert epcis.events("/bizSteps/cbv:BizStep-storing/events")[0]
    assert epcis.events("/epcs/urn:epc:id:sgtin:0614141.107346.top/events")[0]
    first = epcis.get("/epcs?perPage=1")
    assert len(first.json["member"]) == 1 and len(epcis.get(next_of(first)).json["member"]) == 1


# --- named queries ---


def test_a_query_has_a_name_until_it_is_forgotten(epcis):
    epcis.captured(*[stray(f"named-{i}", bizTransactionList=order("named")) for i in range(4)])
    asked = {"eventType": ["ObjectEvent"], "EQ_bizTransaction_po": ["urn:x:named"], "orderBy": "recordTime"}
    made = epcis.post("/queries", {"name": "mine", "query": asked})
    assert made.status == 201 and made.json == {"name": "mine", "query": asked}, made.body
    assert epcis.get(made.headers["location"]).json == made.json
    assert made.json in epcis.get("/queries").json
    problem(epcis.post("/queries", {"name": "mine", "query": asked}), 409, "ResourceAlreadyExistsException")
    answer = epcis.get("/queries/mine/events?perPage=3")
    assert answer.json["epcisBody"]["queryResults"]["queryName"] == "mine"
    found, pages = epcis.events("/queries/mine/events?perPage=3")
    assert len(found) == 4 and pages == 2
    problem(epcis.get("/queries/mine/events?stream=true"), 501, "ImplementationException")
    problem(epcis.get("/queries/mine/events?EQ_action=ADD"), 400, "QueryParameterException")
    epcis.post("/queries", {"name": "other", "query": {}})
    first = epcis.get("/queries?perPage=1")
    assert len(first.json) == 1 and len(epcis.get(next_of(first)).json) == 1
    assert epcis.call("DELETE", "/queries/mine").status == 204
    for method, path in (("GET", "/queries/mine"), ("DELETE", "/queries/mine"), ("GET", "/queries/mine/events")):
        problem(epcis.call(method, path), 404, "NoSuchNameException")
    problem(epcis.call("DELETE", "/nextPageToken/x"), 501, "ImplementationException")


@pytest.mark.parametrize("body, name", [
    ([], "QueryValidationException"),
    ({"name": "x"}, "QueryValidationException"),
    ({"name": "a b", "query": {}}, "QueryValidationException"),
    ({"name": "x", "query": {}, "more": 1}, "QueryValidationException"),
    ({"name": "x", "query": []}, "QueryValidationException"),
    ({"name": "x", "query": {"EQ_bizStep": {"a": 1}}}, "QueryValidationException"),
    ({"name": "x", "query": {"EQ_nothing": ["1"]}}, "QueryParameterException"),
    ({"name": "x", "query": {"EQ_action": ["MOVE"]}}, "QueryParameterException"),
])
def test_what_is_no_query_gets_no_name(epcis, body, name):
    problem(epcis.post("/queries", body), 400, name)


# --- who asks ---


def test_without_a_token_nothing_is_told(epcis):
    for method, path in (("GET", "/events"), ("GET", "/epcs"), ("POST", "/capture"), ("OPTIONS", "/events")):
        stranger = epcis.call(method, path, document() if method == "POST" else None, Authorization="Bearer nobody")
        problem(stranger, 401, "SecurityException")
    problem(epcis.get("/events", Authorization=None), 401, "SecurityException")
