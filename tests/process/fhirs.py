"""The FHIR server of a development gateway, and requests to it."""
import json

from gateways import call

FHIR_JSON = "application/fhir+json"


class Answer:
    """What came back: a status, headers in lower case, and the body as bytes; `json` reads it."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def issues(self):
        assert self.headers["content-type"] == FHIR_JSON, self.headers
        outcome = self.json
        assert outcome["resourceType"] == "OperationOutcome", outcome
        return outcome["issue"]

    @property
    def reference(self):
        """Type/id of what was written."""
        return "/".join(self.headers["location"].split("/_history/")[0].split("/")[-2:])


class Fhir:
    """`base` is a server's, `token` one that it takes."""

    def __init__(self, base, token):
        self.base, self.token = base, token

    def call(self, method, path="", body=None, **headers):
        fields = {"Authorization": f"Bearer {self.token}"} | (
            {"Content_Type": FHIR_JSON} if body is not None else {}) | headers
        url = path if path.startswith("http") else self.base + (path if path[:1] in ("", "?") else "/" + path)
        return Answer(*call(url, method, body, **{name: value for name, value in fields.items() if value is not None}))

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.call("POST", path, body, **headers)

    def put(self, path, body, **headers):
        return self.call("PUT", path, body, **headers)

    def create(self, resource):
        """The resource as it was kept."""
        answer = self.post(resource["resourceType"], resource)
        assert answer.status == 201, answer.body
        return answer.json

    def bundle(self, kind, *entries, **headers):
        return self.post("", {"resourceType": "Bundle", "type": kind, "entry": list(entries)}, **headers)


def entry(method, url, resource=None, full_url=None, **request):
    """An entry of a batch or a transaction."""
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url is not None:
        made["fullUrl"] = full_url
    return made


def patient(family="Chen", **more):
    return {"resourceType": "Patient", "name": [{"family": family}], **more}


def observation(subject, text="x", **more):
    return {"resourceType": "Observation", "status": "final", "code": {"text": text},
            "subject": {"reference": subject}, **more}
