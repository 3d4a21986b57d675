"""The EPCIS server of a gateway, and requests to it."""
import json
import urllib.parse

from fhirs import Answer
from gateways import call
from machine import wait_for

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
EXAMPLE = "https://ns.example.com/epcis/"


class Epcis:
    """`base` is a server's, `token` one that it takes."""

    def __init__(self, base, token):
        self.base, self.token = base, token

    def call(self, method, path="", body=None, **headers):
        fields = {"Authorization": f"Bearer {self.token}"} | (
            {"Content_Type": "application/json"} if body is not None else {}) | headers
        url = path if path.startswith("http") else self.base + path
        return Answer(*call(url, method, body, **{name: value for name, value in fields.items() if value is not None}))

    def get(self, path="", **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.call("POST", path, body, **headers)

    def ended(self, location):
        """The capture job, once it does not run any more."""
        return wait_for(lambda: (lambda job: None if job["running"] else job)(self.get(location).json), 60)

    def capture(self, *events, context=CONTEXT, **headers):
        """The job that captured these events, ended."""
        answer = self.post("/capture", document(*events, context=context), **headers)
        assert answer.status == 202, answer.body
        return self.ended(answer.headers["location"])

    def captured(self, *events, **more):
        job = self.capture(*events, **more)
        assert job["success"] and job["errors"] == [], job
        return job

    def events(self, path="/events", **headers):
        """All events of a query, page by page, and how many pages there were."""
        found, pages = [], 0
        while path:
            answer = self.get(path, **headers)
            assert answer.status == 200, answer.body
            assert answer.json["type"] == "EPCISQueryDocument", answer.json
            found += events_of(answer.json)
            path, pages = next_of(answer), pages + 1
        return found, pages


def next_of(answer):
    """Where the next page is; None: this was the last."""
    link = answer.headers.get("link")
    if link is None:
        assert "gs1-next-page-token-expires" not in answer.headers
        return None
    assert link.endswith('>; rel="next"') and answer.headers["gs1-next-page-token-expires"]
    return link[1:link.index(">")]


def events_of(query_document):
    return query_document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]


def problem(answer, status, name):
    """The detail of a problem, which has this status and this name."""
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json
    assert (told["type"], told["status"]) == (f"epcisException:{name}", status), told
    assert told["title"]
    return told["detail"]


def document(*events, context=CONTEXT):
    return {"@context": context, "type": "EPCISDocument", "schemaVersion": "2.0",
            "creationDate": "2026-11-30T12:00:00Z", "epcisBody": {"eventList": list(events)}}


def event(step="storing", kind="ObjectEvent", **more):
    """An ObjectEvent that moves nothing, unless it says more."""
    return {"type": kind, "eventTime": "2026-11-30T10:00:00.000Z", "eventTimeZoneOffset": "+00:00",
            "action": "OBSERVE", "bizStep": step, **more}


def segment(text):
    """As one segment of a path."""
    return urllib.parse.quote(text, safe="")
