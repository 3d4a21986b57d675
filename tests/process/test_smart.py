"""SMART App Launch 2 against a development gateway and its issuer: npm's fhirclient as the app, jose as a backend."""
import base64
import hashlib
import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from fhirs import Fhir, observation, patient
from gateways import call
from issuers import Issuer, base64url
from machine import Node, wait_for

NODE = pathlib.Path(__file__).resolve().parent.parent / "node"
VERIFIER = "v" * 43
CHALLENGE = base64url(hashlib.sha256(VERIFIER.encode()).digest())
REDIRECT = "http://127.0.0.1:9/app"


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("smart") / "dev", "dev", "--gateway")
    fhir = Fhir(node.started["fhir"], node.started["token"])
    for name in ("mine", "other"):
        assert fhir.put(f"Patient/{name}", patient(name, id=name)).status == 201
    yield node.started
    assert node.stop() == 0, node.log.read_text()


def post(url, **form):
    status, headers, body = call(url, "POST", urllib.parse.urlencode(form).encode(),
                                 Content_Type="application/x-www-form-urlencoded")
    return status, headers, body


def post_json(url, **form):
    status, _, body = post(url, **form)
    return status, json.loads(body)


def test_fhirclient_launches_reads_and_refreshes(dev):
    done = subprocess.run(
        ["node", NODE / "smart_app.mjs", dev["fhir"], "mine", "openid fhirUser launch/patient offline_access patient/*.rs"],
        capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["patient"] == "mine" and seen["family"] == "mine" and seen["user"] == "Practitioner/lin"
    assert seen["refreshed"] is True and seen["other"] == 404


def approve(dev, **more):
    """The code behind the redirection."""
    form = {"client_id": "app", "redirect_uri": REDIRECT, "scope": "user/*.rs offline_access", "state": "s&=x",
            "code_challenge": CHALLENGE, "patient": "mine", "user": "Practitioner/lin", **more}
    request = urllib.request.Request(dev["issuer"] + "/approve", urllib.parse.urlencode(form).encode(), method="POST")

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    try:
        urllib.request.build_opener(Stay).open(request, timeout=20)
    except urllib.error.HTTPError as answer:
        if answer.code != 302:
            return answer.code, None
        back = urllib.parse.urlsplit(answer.headers["location"])
        query = dict(urllib.parse.parse_qsl(back.query))
        assert query["state"] == "s&=x"
        return 302, query["code"]
    raise AssertionError("no redirection")


def exchange(dev, code, **more):
    return post_json(dev["issuer"] + "/token", **{"grant_type": "authorization_code", "code": code, "client_id": "app",
                                                  "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **more})


def test_a_code_is_for_its_verifier_and_once(dev):
    status, code = approve(dev)
    assert status == 302
    status, told = exchange(dev, code)
    assert status == 200 and told["token_type"] == "Bearer" and told["patient"] == "mine"
    assert Fhir(dev["fhir"], told["access_token"]).get("Patient/mine").status == 200
    assert exchange(dev, code) == (400, {"error": "invalid_grant", "error_description": "the code, its redirect_uri or "
                                         "its code_verifier is not right"})
    for wrong in (dict(code_verifier="w" * 43), dict(code_verifier=""), dict(redirect_uri=REDIRECT + "x")):
        code = approve(dev)[1]
        assert exchange(dev, code, **wrong)[0] == 400
        assert exchange(dev, code)[0] == 400, "a code that was tried is used up"


def test_a_refresh_token_is_used_once(dev):
    told = exchange(dev, approve(dev)[1])[1]
    status, again = post_json(dev["issuer"] + "/token", grant_type="refresh_token", refresh_token=told["refresh_token"])
    assert status == 200 and again["refresh_token"] != told["refresh_token"]
    assert post(dev["issuer"] + "/token", grant_type="refresh_token", refresh_token=told["refresh_token"])[0] == 400


def test_the_page_leads_to_this_machine_alone_and_repeats_no_markup(dev):
    page = dev["issuer"] + "/authorize?" + urllib.parse.urlencode(
        {"response_type": "code", "client_id": "<script>alert(1)</script>", "redirect_uri": REDIRECT, "scope": '"><b>',
         "code_challenge": CHALLENGE, "code_challenge_method": "S256"})
    status, headers, body = call(page)
    assert status == 200 and b"<script>" not in body and b'"><b>' not in body
    assert "default-src 'none'" in headers["content-security-policy"]
    for wrong in (("127.0.0.1%3A9", "evil.example"), ("S256", "plain"), (CHALLENGE, "short")):
        assert call(page.replace(*wrong))[0] == 400, wrong
    assert approve(dev, redirect_uri="https://evil.example/app")[0] == 400
    assert approve(dev, redirect_uri="http://localhost.evil.example/app")[0] == 400


def test_a_backend_service_asks_with_its_own_key(dev):
    service = Issuer()  # jose as the service's hand
    try:
        service.new_key("k", "ES384")
        status, _, body = call(dev["issuer"] + "/register", "POST", {"jwks": service.jwks()},
                               Content_Type="application/json")
        client = json.loads(body)["client_id"]
        assert status == 201

        def ask(kid="k", **claims):
            now = int(time.time())
            assertion = service.ask(sign=kid, header={"kid": "k"}, claims={
                "iss": client, "sub": client, "aud": dev["issuer"] + "/token", "exp": now + 200, "jti": str(time.time_ns()),
                **claims})
            return assertion, lambda: post_json(
                dev["issuer"] + "/token", grant_type="client_credentials", scope="system/Patient.rs",
                client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                client_assertion=assertion)

        _, send = ask()
        status, told = send()
        assert status == 200 and "refresh_token" not in told
        backend = Fhir(dev["fhir"], told["access_token"])
        assert backend.get("Patient/mine").status == 200
        assert backend.get("Observation/x").status == 403
        assert send()[0] == 401, "an assertion is used once"
        service.new_key("thief", "ES384", publish=False)
        for wrong in (dict(aud=dev["issuer"]), dict(sub="other"), dict(exp=int(time.time()) + 9999),
                      dict(exp=int(time.time()) - 100), dict(iss="other"), dict(kid="thief")):
            status, told = ask(**wrong)[1]()
            assert (status, told["error"]) == (401, "invalid_client"), wrong
    finally:
        service.close()


def test_introspection_says_what_a_token_says(dev):
    told = exchange(dev, approve(dev)[1])[1]
    status, seen = post_json(dev["issuer"] + "/introspect", token=told["access_token"])
    assert status == 200 and seen["active"] is True and seen["scope"] == "user/*.rs offline_access"
    head, claims, signature = told["access_token"].split(".")
    other = "A" if signature[0] != "A" else "B"
    assert post_json(dev["issuer"] + "/introspect", token=f"{head}.{claims}.{other}{signature[1:]}") == (
        200, {"active": False})


def test_an_id_token_opens_nothing(dev):
    told = exchange(dev, approve(dev, scope="openid user/*.rs")[1])[1]
    answer = Fhir(dev["fhir"], told["id_token"]).get("Patient/mine")
    assert answer.status == 401 and "audience" in answer.headers["www-authenticate"]
    claims = json.loads(base64.urlsafe_b64decode(told["id_token"].split(".")[1] + "=="))
    assert claims["aud"] == "app" and claims["fhirUser"] == "Practitioner/lin"


def exported(fhir):
    """How many lines of which type an export gives, and their ids."""
    begun = fhir.get("$export", Prefer="respond-async")
    assert begun.status == 202, begun.body
    answer = wait_for(lambda: (lambda told: told if told.status != 202 else None)(
        fhir.get(begun.headers["content-location"])))
    assert answer.status == 200, answer.body
    return {one["type"]: sorted(json.loads(line)["id"] for line in fhir.get(one["url"]).body.splitlines())
            for one in answer.json["output"]}


def test_an_export_holds_what_the_scopes_of_its_asker_allow(dev):
    owner = Fhir(dev["fhir"], dev["token"])
    for name in ("mine", "other"):
        assert owner.put(f"Observation/of-{name}", observation(f"Patient/{name}", id=f"of-{name}")).status == 201

    def as_app(scope):
        return Fhir(dev["fhir"], exchange(dev, approve(dev, scope=scope)[1])[1]["access_token"])

    assert exported(owner) == {"Observation": ["of-mine", "of-other"], "Patient": ["mine", "other"]}
    assert exported(as_app("user/Patient.rs")) == {"Patient": ["mine", "other"]}
    assert exported(as_app("patient/*.rs")) == {"Observation": ["of-mine"], "Patient": ["mine"]}
    assert as_app("user/*.cud").get("$export", Prefer="respond-async").status == 403
