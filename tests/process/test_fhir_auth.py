"""Who asks: tokens of an OAuth 2 issuer, made by npm's jose, and every way in which one is not taken."""
import base64
import hashlib
import json
import re
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from fhirs import Fhir, entry, observation, patient
from gateways import Gateway, call
from issuers import AUDIENCE, Issuer, base64url
from machine import Refused, binary, wait_for
from test_tls import make_certificates

ALGORITHMS = ["ES256", "ES384", "RS256", "PS256"]
NO_RECORD = "/records/0x" + "00" * 32  # there is none: 404 says that who asks may read


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    for alg in ALGORITHMS:
        made.new_key(alg, alg)
    yield made
    made.close()


@pytest.fixture(scope="module")
def gateway(consortium, issuer):
    consortium.actor("auth-ward", "hospital")
    started = Gateway(consortium.home("auth-ward"), "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE)
    started.wait_ready()
    yield started
    assert started.end() == 0, started.log.read_text()


def status_of(gateway, token, path=NO_RECORD, method="GET", **headers):
    return call(gateway.url + path, method, Authorization=f"Bearer {token}", **headers)[0]


def refusal(gateway, token):
    """Why a token is not taken: the error_description."""
    status, headers, _ = call(gateway.url + NO_RECORD, Authorization=f"Bearer {token}")
    assert status == 401, status
    field = headers["www-authenticate"]
    assert field.startswith('Bearer realm="xinglin", error="invalid_token", error_description="')
    return field.split("error_description=")[1].strip('"')


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_of_each_algorithm_is_taken(gateway, issuer, alg):
    assert status_of(gateway, issuer.token(alg)) == 404
    assert status_of(gateway, issuer.token(alg, aud=["other", AUDIENCE])) == 404


def test_the_file_of_tokens_is_still_taken(gateway):
    assert status_of(gateway, gateway.token) == 404
    assert "three parts" in refusal(gateway, gateway.token[:-1] + "!")


def test_without_a_token_there_is_nothing(gateway):
    for path in (NO_RECORD, "/fhir", "/fhir/Patient/x", "/fhir/Patient?name=a", "/fhir/Patient/x/_history", "/metrics"):
        status, headers, body = call(gateway.url + path)
        assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="xinglin"'), path
        answer = json.loads(body)
        if path.startswith("/fhir"):
            assert headers["content-type"].startswith("application/fhir+json")
            assert answer["resourceType"] == "OperationOutcome"
            assert (answer["issue"][0]["severity"], answer["issue"][0]["code"]) == ("error", "login")
        else:
            assert answer["code"] == "token"


def test_every_route_but_what_is_open_asks_who_it_is(gateway):
    rows = json.loads(subprocess.run([binary(), "routes", "--json"], capture_output=True, text=True, check=True).stdout)
    rows = [row for row in rows["routes"] if row["server"] == "gateway"]
    is_open = {"/livez", "/readyz", "/fhir/metadata", "/.well-known/smart-configuration",
               "/fhir/.well-known/smart-configuration"}
    assert len(rows) > 15 and is_open <= {row["path"] for row in rows}
    for row in rows:
        path = re.sub(r"\{[^}]*\}", "Patient", row["path"])
        status = call(gateway.url + path, row["method"], b"{}" if row["method"] in ("POST", "PUT", "PATCH") else None,
                      Content_Type="application/fhir+json")[0]
        assert (status != 401) == (row["path"] in is_open), (row["method"], row["path"], status)


def test_scopes_are_rights(gateway, issuer):
    assert status_of(gateway, issuer.token("ES256", scope="system/*.rs")) == 404
    assert status_of(gateway, issuer.token("ES256", scope="user/*.read")) == 404
    for scope in ("", "openid profile", "system/*.cud", "system/Patient.rs", "patient/*.rs", "metrics all read write",
                  "system/*.rs?category=x"):
        assert status_of(gateway, issuer.token("ES256", scope=scope, patient="p")) == 403, scope
    reader = issuer.token("ES256", scope="system/*.rs")
    assert status_of(gateway, reader, "/records?folder=0x" + "00" * 32, "POST") == 403
    assert status_of(gateway, issuer.token("ES256"), "/metrics") == 403


# --- FHIR ---


def fhir_as(gateway, issuer, scope, **claims):
    return Fhir(gateway.url + "/fhir", issuer.token("ES256", scope=scope, **claims))


@pytest.fixture(scope="module")
def two_patients(gateway, issuer):
    everything = fhir_as(gateway, issuer, "system/*.cruds")
    for name in ("mine", "other"):
        assert everything.put(f"Patient/{name}", patient(name, id=name)).status == 201
        assert everything.put(f"Observation/of-{name}", observation(f"Patient/{name}", id=f"of-{name}")).status == 201
    return everything


def test_a_scope_of_a_type_is_that_type_and_those_rights(gateway, issuer, two_patients):
    reader = fhir_as(gateway, issuer, "user/Observation.rs user/Patient.r")
    assert reader.get("Observation/of-mine").status == 200
    assert reader.get("Patient/mine").status == 200
    assert reader.get("Patient/mine/_history").status == 200
    for answer in (
        reader.get("Condition/x"),
        reader.get("Patient/_history"),
        reader.put("Observation/of-mine", observation("Patient/mine", id="of-mine")),
        reader.post("Observation", observation("Patient/mine")),
        reader.call("DELETE", "Observation/of-mine"),
    ):
        assert answer.status == 403 and answer.issues[0]["code"] == "forbidden", answer.body
    assert fhir_as(gateway, issuer, "").get("Patient/mine").status == 403
    creator = fhir_as(gateway, issuer, "user/Observation.c")
    made = creator.post("Observation", observation("Patient/mine"))
    assert made.status == 201
    assert creator.get(made.reference).status == 403


def test_an_app_with_a_patient_writes_into_no_other_record(gateway, issuer, two_patients):
    app = fhir_as(gateway, issuer, "patient/*.cud", patient="mine")
    assert app.post("Observation", observation("Patient/mine")).status == 201
    refused = [
        app.post("Observation", observation("Patient/other")),
        app.post("Observation", observation("Patient/other", performer=[{"reference": "Patient/mine"}])),
        app.post("Observation", observation("Patient/mine", performer=[{"reference": "Patient/other"}])),
        app.post("Observation", {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}),
        app.post("Observation", observation("urn:uuid:2f7e2c6e-0d3c-4a3b-9d1e-111111111111")),
        app.post("Patient", patient("new")),
        app.put("Patient/other", patient("stolen", id="other")),
        app.put("Observation/of-other", observation("Patient/mine", id="of-other")),
        app.call("DELETE", "Observation/of-other"),
        app.call("PATCH", "Observation/of-other", [{"op": "replace", "path": "/subject/reference",
                                                    "value": "Patient/mine"}],
                 Content_Type="application/json-patch+json"),
        app.bundle("transaction", entry("POST", "Observation", observation("Patient/mine")),
                   entry("POST", "Observation", observation("Patient/other"))),
    ]
    assert [answer.status for answer in refused] == [403] * len(refused), [answer.body for answer in refused]
    assert two_patients.get("Observation/of-other").json["meta"]["versionId"] == "1"
    batch = app.bundle("batch", entry("POST", "Observation", observation("Patient/mine")),
                       entry("POST", "Observation", observation("Patient/other")))
    assert [one["response"]["status"][:3] for one in batch.json["entry"]] == ["201", "403"]
    assert app.put("Patient/mine", patient("changed", id="mine")).status == 200
    assert fhir_as(gateway, issuer, "patient/*.cud").post("Observation", observation("Patient/mine")).status == 403


def of_category(subject, code, **more):
    return observation(subject, category=[{"coding": [{"system": "urn:c", "code": code}]}], **more)


def test_a_granular_scope_writes_what_it_finds_and_nothing_else(gateway, issuer, two_patients):
    app = fhir_as(gateway, issuer, "user/Observation.cu?category=laboratory user/Observation.d?category=survey")
    made = app.post("Observation", of_category("Patient/mine", "laboratory"))
    assert made.status == 201
    changed = of_category("Patient/mine", "laboratory", id=made.json["id"], valueString="x")
    assert app.put(made.reference, changed).status == 200
    survey = two_patients.create(of_category("Patient/mine", "survey"))["id"]
    refused = [
        app.post("Observation", of_category("Patient/mine", "survey")),
        app.post("Observation", observation("Patient/mine")),
        app.put(made.reference, of_category("Patient/mine", "survey", id=made.json["id"])),
        app.put(f"Observation/{survey}", of_category("Patient/mine", "laboratory", id=survey)),
        app.call("DELETE", made.reference),
        app.bundle("transaction", entry("POST", "Observation", of_category("Patient/mine", "survey"))),
    ]
    assert [answer.status for answer in refused] == [403] * len(refused), [answer.body for answer in refused]
    assert app.call("DELETE", f"Observation/{survey}").status == 204
    own = fhir_as(gateway, issuer, "patient/Observation.c?category=laboratory", patient="mine")
    assert own.post("Observation", of_category("Patient/mine", "laboratory")).status == 201
    assert own.post("Observation", of_category("Patient/other", "laboratory")).status == 403
    nonsense = fhir_as(gateway, issuer, "user/Observation.c?nonsense=1")
    assert nonsense.post("Observation", of_category("Patient/mine", "laboratory")).status == 403


def test_a_condition_is_a_search(gateway, issuer, two_patients):
    """Whoever may only write learns nothing of what is there from 201, 200 or 412."""
    two_patients.put("Patient/known", patient("Known", id="known"))
    blind = fhir_as(gateway, issuer, "user/Patient.cud")
    for family in ("known", "nobody"):
        answers = [blind.post("Patient", patient(), If_None_Exist=f"family={family}"),
                   blind.put(f"Patient?family={family}", patient()), blind.call("DELETE", f"Patient?family={family}")]
        assert [answer.status for answer in answers] == [403] * 3, [answer.body for answer in answers]
    seeing = fhir_as(gateway, issuer, "user/Patient.crs")
    assert seeing.post("Patient", patient(), If_None_Exist="family=known").status == 200


def test_a_place_in_pages_is_of_its_token(gateway, issuer, two_patients):
    wide = fhir_as(gateway, issuer, "user/*.rs")
    for path in ("Observation?_count=1", "Observation/_history?_count=1"):
        page = wide.get(path).json
        url = next(link["url"] for link in page["link"] if link["relation"] == "next")
        assert wide.get(url).status == 200
        for scope, claims in (("user/Observation.rs", {}), ("patient/*.rs", {"patient": "mine"})):
            assert fhir_as(gateway, issuer, scope, **claims).get(url).status in (400, 403), (path, scope)


def test_an_export_is_of_the_token_that_began_it(gateway, issuer, two_patients):
    """How many resources there are of each type stands in its manifest: a narrower token of the client is not told."""
    wide, renewed = [fhir_as(gateway, issuer, "system/*.rs", sub="exporter") for _ in range(2)]
    narrow = fhir_as(gateway, issuer, "system/Patient.rs", sub="exporter")
    begun = wide.get("$export", Prefer="respond-async", Accept="application/fhir+json")
    url = begun.headers["content-location"]
    assert narrow.get(url).status == narrow.call("DELETE", url).status == 404
    assert renewed.get(url).status in (200, 202) and renewed.call("DELETE", url).status == 202


def test_a_group_is_in_nobodys_record(gateway, issuer, two_patients):
    group = two_patients.create({"resourceType": "Group", "type": "person", "actual": True, "member": [
        {"entity": {"reference": "Patient/mine"}}, {"entity": {"reference": "Patient/other"}}]})
    for scope in ("patient/*.rs", "patient/Group.rs"):
        app = fhir_as(gateway, issuer, scope, patient="mine")
        assert app.get(f"Group/{group['id']}").status == 404
        assert app.get("Group").json.get("entry") is None
    assert two_patients.get(f"Group/{group['id']}").status == 200

def path_patch(path):
    """A FHIRPath Patch that fails in another way if the path finds nothing."""
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": path},
        {"name": "value", "valueCode": "final"}]}]}


def test_a_refused_write_says_nothing_of_what_is_there(gateway, issuer, two_patients):
    """A patch's test, a path and an If-Match are questions; they are not answered about another patient's record."""
    app = fhir_as(gateway, issuer, "patient/*.cud", patient="mine")

    def patched(patch, kind="application/fhir+json"):
        return app.call("PATCH", "Observation/of-other", patch, Content_Type=kind)

    answers = [patched(path_patch(f"Observation.where(code.text.startsWith('{guess}')).status")) for guess in "xyz"]
    answers += [patched([{"op": "test", "path": "/code/text", "value": guess}], "application/json-patch+json")
                for guess in "xyz"]
    answers += [app.put("Observation/of-other", observation("Patient/mine", id="of-other"), If_Match=f'W/"{version}"')
                for version in (1, 2)]
    answers += [app.call("DELETE", "Observation/of-other", If_Match='W/"9"')]
    assert [answer.status for answer in answers] == [403] * len(answers)
    assert len({answer.body for answer in answers}) == 1


def test_a_patch_shows_what_was_there_to_readers_alone(gateway, issuer, two_patients):
    made = two_patients.create(observation("Patient/mine", "kept back"))
    for scope, shows in (("user/Observation.u", False), ("user/Observation.ru", True)):
        fhir = fhir_as(gateway, issuer, scope)
        answer = fhir.call("PATCH", f"Observation/{made['id']}", path_patch("Observation.status"))
        assert answer.status == 200 and (b"kept back" in answer.body) == shows
        answer = fhir.bundle("batch", entry("PATCH", f"Observation/{made['id']}", path_patch("Observation.status")),
                             Prefer="return=representation")
        assert answer.json["entry"][0]["response"]["status"] == "200 OK"
        assert (b"kept back" in answer.body) == shows


def test_the_statement_of_capabilities_says_how_to_ask(gateway, issuer):
    status, _, body = call(gateway.url + "/fhir/metadata")
    security = json.loads(body)["rest"][0]["security"]
    assert status == 200 and security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    told = {one["url"]: one["valueUri"] for one in security["extension"][0]["extension"]}
    assert told == {"authorize": issuer.url + "/authorize", "token": issuer.url + "/token"}


# --- confusion ---


def unsigned(claims, header):
    return f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}."


def test_no_signature_is_no_token(gateway, issuer):
    for alg in ("none", "None", "nOnE", "NONE"):
        bare = unsigned(issuer.claims(), {"alg": alg})
        for text in (bare, bare + "AA", bare[:-1]):
            assert status_of(gateway, text) == 401
    taken = issuer.token("ES256")
    head, claims, signature = taken.split(".")
    assert status_of(gateway, taken) == 404
    assert status_of(gateway, f"{head}.{claims}.") == 401
    assert status_of(gateway, f"{base64url(json.dumps({'alg': 'none'}).encode())}.{claims}.{signature}") == 401


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_public_key_is_no_secret(gateway, issuer, alg):
    token = issuer.ask(hmac=alg, header={"kid": alg}, claims=issuer.claims())
    assert refusal(gateway, token) == "the algorithm is none of ES256, ES384, RS256 and PS256"


def test_a_token_of_another_audience_issuer_or_time_is_refused(gateway, issuer):
    now = int(time.time())
    cases = [
        (dict(aud="https://elsewhere.example/fhir"), "the token is for another audience"),
        (dict(aud=AUDIENCE + "/"), "the token is for another audience"),
        (dict(aud=None), "the token is for another audience"),
        (dict(iss="https://elsewhere.example"), "the token is of another issuer"),
        (dict(iss=issuer.url + "/"), "the token is of another issuer"),
        (dict(iss=None), "the token is of another issuer"),
        (dict(exp=now - 61), "the token has expired"),
        (dict(exp=None), "the token has no time of its end (exp)"),
        (dict(exp="9999999999"), "the token has no time of its end (exp)"),
        (dict(nbf=now + 120), "the token is not valid yet (nbf)"),
        (dict(iat=now + 120), "the token is not valid yet (iat)"),
        (dict(typ="ID"), "the token is not an access token"),
        (dict(purpose_of_use="MARKETING"), "the token's purpose of use is not one that the contract has"),
        (dict(patient="../../x"), "the token's patient is not an id"),
        (dict(client_id=None, sub=None), "the token names neither a client (client_id, azp) nor a subject (sub)"),
        (dict(cnf={"jkt": "x"}), "the token is bound in a way that is not supported (cnf)"),
    ]
    for claims, why in cases:
        assert refusal(gateway, issuer.token("ES256", **claims)) == why, claims
    assert status_of(gateway, issuer.token("ES256", exp=now - 30)) == 404  # clocks differ


def test_a_key_that_the_token_brings_is_not_believed(gateway, issuer):
    evil = Issuer()
    try:
        key = evil.new_key("ES256")
        bare = {name: value for name, value in key.items() if name not in ("alg", "use", "kid")}
        for header in ({}, {"jwk": bare}, {"jku": evil.url + "/keys"}, {"x5u": evil.url + "/keys"}):
            token = evil.token("ES256", header, iss=issuer.url)
            assert refusal(gateway, token) == "the signature is not the issuer's", header
        assert evil.asked == {}
        for kid in ("../../../etc/passwd", evil.url + "/keys", "' OR 1=1 --"):
            assert status_of(gateway, evil.token("ES256", {"kid": kid}, iss=issuer.url)) in (401, 503)
    finally:
        evil.close()


def test_scopes_cannot_be_widened_by_whoever_holds_a_token(gateway, issuer):
    token = issuer.token("ES256", scope="patient/*.rs", patient="p")
    assert status_of(gateway, token) == 403
    head, claims, signature = token.split(".")
    wider = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    wider["scope"] = "system/*.cruds"
    assert status_of(gateway, f"{head}.{base64url(json.dumps(wider).encode())}.{signature}") == 401
    twice = json.dumps(issuer.claims())[:-1] + ',"scope":"system/*.cruds"}'
    token = issuer.ask(sign="ES256", header={"kid": "ES256"}, text=twice)
    assert status_of(gateway, token) == 401


def test_huge_tokens_and_odd_fields_are_refused(gateway, issuer):
    assert refusal(gateway, issuer.token("ES256", filler="x" * 9300)) == "a token has at most 12288 bytes"
    assert status_of(gateway, "a." * 4000) == 401
    assert status_of(gateway, "x" * 40000) == 431
    for field in ("Bearer", "Bearer ", "bearer\tx", "Basic eDp5", "DPoP " + issuer.token("ES256")):
        assert call(gateway.url + NO_RECORD, Authorization=field)[0] == 401


def test_logs_name_who_asked_and_hold_no_token(gateway, issuer):
    token = issuer.token("ES256", sub="dr-lin")
    assert status_of(gateway, token) == 404
    wait_for(lambda: "app dr-lin" in gateway.log.read_text())
    assert token not in gateway.log.read_text() and token.split(".")[2] not in gateway.log.read_text()


# --- keys that change ---


@pytest.fixture
def start_gateway():
    started = []

    def start(*arguments, **more):
        started.append(Gateway(*arguments, **more))
        return started[-1]

    yield start
    for one in started:
        one.end(signal.SIGKILL)


def test_a_file_of_keys_is_read_again_and_old_keys_end(consortium, issuer, start_gateway, tmp_path):
    path = tmp_path / "keys.json"
    consortium.actor("auth-file", "hospital")
    path.write_text(json.dumps({"keys": [issuer.keys["ES256"]]}))
    gateway = start_gateway(consortium.home("auth-file"), "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE,
                            "--oauth-jwks", path)
    old, new = issuer.token("ES256"), issuer.token("RS256")
    assert status_of(gateway, old) == 404
    assert refusal(gateway, new) == "the issuer has no such key"
    path.write_text('{"keys":[]}')
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the issuer's keys stay as they were" in gateway.log.read_text())
    assert status_of(gateway, old) == 404
    path.write_text(json.dumps({"keys": [issuer.keys["RS256"]]}))
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: status_of(gateway, new) == 404)
    assert refusal(gateway, old) == "the issuer has no such key"


def test_an_issuer_that_is_away_at_the_start_is_waited_for(consortium, start_gateway):
    late = Issuer()
    try:
        late.new_key("k")
        late.is_broken = True
        consortium.actor("auth-late", "hospital")
        gateway = start_gateway(
            consortium.home("auth-late"), "--oauth-issuer", late.url, "--oauth-audience", AUDIENCE
        )
        wait_for(lambda: "the issuer's keys cannot be fetched" in gateway.log.read_text())
        assert gateway.readiness()[1]["issuer"]["ok"] is False
        assert status_of(gateway, gateway.token) == 404  # the file's tokens need no issuer
        assert status_of(gateway, late.token("k")) in (401, 503)
        for _ in range(50):  # whoever sends what has no key does not make it ask more often
            status_of(gateway, late.token("k", {"kid": "other"}))
        assert sum(late.asked.values()) <= 3
    finally:
        late.close()


# --- what apps read ---


@pytest.mark.parametrize("path", ["/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration"])
def test_the_smart_configuration_is_open(gateway, issuer, path):
    status, headers, body = call(gateway.url + path)
    told = json.loads(body)
    assert status == 200 and headers["content-type"] == "application/json"
    assert told["issuer"] == issuer.url
    assert told["authorization_endpoint"] == issuer.url + "/authorize"
    assert told["token_endpoint"] == issuer.url + "/token"
    assert told["jwks_uri"] == issuer.url + "/keys"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert {"permission-v2", "launch-standalone", "client-confidential-asymmetric"} <= set(told["capabilities"])


# --- certificates ---


def ask_with(gateway, folder, client, token):
    tls = ssl.create_default_context(cafile=folder / "ca.crt")
    if client:
        tls.load_cert_chain(folder / f"{client}.crt", folder / f"{client}.key")
    request = urllib.request.Request(gateway.url + NO_RECORD, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20, context=tls) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def thumbprint(path):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(path.read_text())).digest()


def test_certificates_bind_tokens_and_name_organisations(consortium, issuer, start_gateway, tmp_path):
    make_certificates(tmp_path)
    client = thumbprint(tmp_path / "client.crt")
    names = tmp_path / "organisations"
    names.write_text(f"sha256:{client.hex()} Organization/laboratory\n")
    consortium.actor("auth-tls", "hospital")
    gateway = start_gateway(
        consortium.home("auth-tls"), "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE, "--tls-cert",
        tmp_path / "server.crt", "--tls-key", tmp_path / "server.key", "--tls-client-ca", tmp_path / "ca.crt",
        "--tls-client-optional", "--client-organisations", names,
    )
    gateway.url = gateway.url.replace("127.0.0.1", "localhost")
    bound = issuer.token("ES256", cnf={"x5t#S256": base64url(client)})
    wait_for(lambda: ask_with(gateway, tmp_path, "client", bound) == 404)
    assert ask_with(gateway, tmp_path, None, bound) == 401
    assert ask_with(gateway, tmp_path, "client", issuer.token("ES256", cnf={"x5t#S256": base64url(b"x" * 32)})) == 401
    assert ask_with(gateway, tmp_path, None, issuer.token("ES256")) == 404
    assert ask_with(gateway, tmp_path, "client", issuer.token("ES256", organization="Organization/laboratory")) == 404
    assert ask_with(gateway, tmp_path, "client", issuer.token("ES256", organization="Organization/ward")) == 401


# --- settings ---


@pytest.mark.parametrize("options, why", [
    (["--oauth-issuer", "https://a"], "belong together"),
    (["--oauth-audience", "x"], "belong together"),
    (["--oauth-issuer", "http://issuer.example", "--oauth-audience", "x"], "https"),
    (["--oauth-issuer", "https://a", "--oauth-audience", "x", "--oauth-jwks", "http://issuer.example/keys"], "https"),
    (["--oauth-jwks", "keys.json"], "needs oauth-issuer"),
    (["--tls-client-optional"], "needs tls-client-ca"),
    (["--oauth-purpose", "FUN"], "TREAT"),
    *[(["--fhir-url", url], "without / at its end") for url in (
        "fhir.example", "https://", "https:///r4", "https://fhir.example/", "https://a?b", "https://a@b", 'https://a"')],
])  # fmt: skip
def test_settings_that_contradict_are_refused(options, why, tmp_path):
    done = subprocess.run([binary(), "gateway", "--home", tmp_path, *options], capture_output=True, text=True)
    assert done.returncode != 0 and why in done.stderr, done.stderr


def test_a_file_of_keys_that_is_none_stops_the_start(consortium, issuer, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{**issuer.keys["ES256"], "d": "AA"}]}))
    with pytest.raises((AssertionError, Refused), match="private"):
        consortium.actor("auth-secret", "hospital")
        Gateway(consortium.home("auth-secret"), "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE,
                "--oauth-jwks", path)


# --- a proxy in front ---


def test_links_are_of_the_url_that_the_operator_says(consortium, start_gateway):
    """And not of what a request says of itself."""
    consortium.actor("auth-proxied", "hospital")
    gateway = start_gateway(consortium.home("auth-proxied"), "--fhir-url", "https://fhir.example/r4")
    proxied = {"Forwarded": "host=evil.example;proto=https", "X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "ftp"}
    fhir = Fhir(gateway.url + "/fhir", gateway.token)
    page = fhir.get("Patient?_count=0", **proxied)
    assert page.json["link"][0]["url"] == "https://fhir.example/r4/Patient?_count=0"
    made = fhir.post("Basic", {"resourceType": "Basic", "code": {"text": "x"}}, **proxied)
    assert made.headers["location"].startswith("https://fhir.example/r4/Basic/"), made.body
    assert fhir.get("metadata").json["implementation"]["url"] == "https://fhir.example/r4"
    batch = fhir.bundle("batch", entry("GET", "https://fhir.example/r4/Basic?_count=1"))
    assert batch.json["entry"][0]["response"]["status"] == "200 OK"


# --- the trail ---


def trail(consortium, name, *options):
    return consortium.run(name, "gateway", "trail", *options)


def test_persons_of_one_organisation_are_told_apart_in_the_trail(consortium, issuer, gateway):
    for person in ("Practitioner/lin", "Practitioner/wei"):
        token = issuer.token("ES256", sub=person[-3:], fhirUser=person, organization="Organization/ward",
                             purpose_of_use="ETREAT", scope="user/*.rs")
        call(gateway.url + "/fhir/Observation?code=http://loinc.org%7CLP8480-6&patient=secret-value",
             Authorization=f"Bearer {token}", X_Request_Id=f"trail-{person[-3:]}")
        assert status_of(gateway, token, "/records?folder=0x" + "00" * 32, "POST") == 403
    assert call(gateway.url + "/fhir/Patient/stranger", Authorization="Bearer a.b.c")[0] == 401
    shown = trail(consortium, "auth-ward", "--what", "/fhir/Observation")
    mine = [entry for entry in shown["entries"] if entry["request"].startswith("trail-")]
    assert [(entry["person"], entry["who"]) for entry in mine] == [
        ("Practitioner/lin", "app lin"), ("Practitioner/wei", "app wei")
    ]
    for entry in mine:
        assert (entry["organisation"], entry["purpose"], entry["method"]) == ("Organization/ward", "ETREAT", "GET")
        assert entry["what"] == "/fhir/Observation?code&patient"
    everything = json.dumps(trail(consortium, "auth-ward"))
    assert "secret-value" not in everything and "LP8480" not in everything and "stranger" not in everything
    refused = [entry for entry in trail(consortium, "auth-ward", "--who", "app lin")["entries"]
               if entry["status"] == 403]
    assert refused and refused[-1]["what"] == "/records?folder"
    newest = trail(consortium, "auth-ward", "--limit", 1)
    assert len(newest["entries"]) == 1 and newest["entries"][0]["entry"] == newest["count"]


def test_kill_9_takes_no_entry_and_a_change_is_noticed(consortium, issuer, start_gateway):
    consortium.actor("auth-trail", "hospital")
    home = consortium.home("auth-trail")
    gateway = start_gateway(home)
    for i in range(20):
        assert status_of(gateway, gateway.token, NO_RECORD[:-2] + f"{i:02x}") == 404
    gateway.end(signal.SIGKILL)
    before = trail(consortium, "auth-trail")
    assert [entry["what"][-2:] for entry in before["entries"]] == [f"{i:02x}" for i in range(20)]
    gateway = start_gateway(home)
    assert status_of(gateway, gateway.token) == 404
    after = trail(consortium, "auth-trail")
    assert after["count"] == 21 and after["entries"][:20] == before["entries"]
    assert gateway.end() == 0
    path = home / "trail" / "00000001.log"
    text = bytearray(path.read_bytes())
    assert b"all" not in text and b"GET" not in text
    text[200] ^= 1
    path.write_bytes(text)
    with pytest.raises(Refused, match="the chain does not hold"):
        trail(consortium, "auth-trail")


def test_each_entry_of_a_bundle_is_in_the_trail(consortium, gateway, issuer, two_patients):
    app = fhir_as(gateway, issuer, "user/*.cruds", sub="bundler")
    answer = app.bundle("batch", entry("PUT", "Patient/in-trail", patient("secret-name", id="in-trail")),
                        entry("GET", "Patient/in-trail"), entry("GET", "Observation?code=secret-code"),
                        entry("GET", "Patient/nobody"), X_Request_Id="trail-bundle")
    assert answer.status == 200
    shown = [one for one in trail(consortium, "auth-ward", "--who", "app bundler")["entries"]
             if one["request"] == "trail-bundle"]
    assert {(one["method"], one["what"], one["status"]) for one in shown} == {
        ("PUT", "/fhir/Patient/in-trail", 201), ("GET", "/fhir/Patient/in-trail", 200),
        ("GET", "/fhir/Observation?code", 200), ("GET", "/fhir/Patient/nobody", 404), ("POST", "/fhir", 200)}
    assert [one["made"] for one in shown if one["method"] == "PUT"] == ["Patient/in-trail/_history/1"]
    assert "secret" not in json.dumps(shown)


def category(code):
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return [{"coding": [{"system": system, "code": code}]}]


def found(answer):
    """References of what a search or a history shows, and its total."""
    assert answer.status == 200, answer.body
    bundle = answer.json
    names = sorted(f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", []))
    return names, bundle.get("total")


def test_searches_hold_only_what_scopes_allow(gateway, issuer, two_patients):
    for name, code, whose in (("lab-mine", "laboratory", "mine"), ("vital-mine", "vital-signs", "mine"),
                              ("lab-other", "laboratory", "other")):
        made = two_patients.put(f"Observation/{name}",
                                observation(f"Patient/{whose}", id=name, category=category(code)))
        assert made.status in (200, 201)
    app = fhir_as(gateway, issuer, "patient/*.rs", patient="mine")
    names, total = found(app.get("Observation?_id=lab-mine,vital-mine,lab-other,of-other&_total=accurate"))
    assert (names, total) == (["Observation/lab-mine", "Observation/vital-mine"], 2)
    assert found(app.get("Patient?_id=mine,other")) == (["Patient/mine"], 1)
    assert found(app.get("Observation?_id=lab-other&_summary=count")) == ([], 0)
    assert found(app.get("Observation?subject=Patient/other&_summary=count")) == ([], 0)
    assert app.get("Observation/lab-other").status == 404
    assert app.get("Observation/lab-other/_history").status == 404
    assert found(app.get("Patient?_has:Observation:patient:_id=lab-other&_summary=count")) == ([], 0)
    granular = fhir_as(gateway, issuer, "patient/Observation.rs?category=laboratory", patient="mine")
    assert found(granular.get("Observation?_id=lab-mine,vital-mine,lab-other"))[0] == ["Observation/lab-mine"]
    assert granular.get("Observation/lab-mine").status == 200
    assert granular.get("Observation/vital-mine").status == 404
    included = found(granular.get("Observation?_id=lab-mine&_include=Observation:subject"))[0]
    assert included == ["Observation/lab-mine"], "a type without a scope is not included"
    assert found(granular.get("Observation?_id=lab-mine&subject:Patient.name=mine&_summary=count"))[1] == 0
    nonsense = fhir_as(gateway, issuer, "user/Observation.rs?nonsense=1")
    assert nonsense.get("Observation/lab-mine").status in (403, 404)
