"""Subscriptions over rest-hook, with real receivers: what is sent, to whom, how often, and where it never goes."""
import hashlib
import hmac
import json
import queue
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fhirs import Fhir, entry, observation, patient
from gateways import Gateway, new_token
from issuers import AUDIENCE, Issuer
from machine import Node, wait_for


def is_open(connection):
    """Has the client not ended it?"""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


class Receiver:
    """Answers each request with what `answers` says next, and then with 200; keeps what came."""

    def __init__(self, port=0):
        self.received, self.answers, self.gate = queue.Queue(), queue.Queue(), threading.Event()
        self.gate.set()
        self.is_deaf = False  # each subscription is answered 500 once, and then not before the gate is open
        self.known, self.deaf_to, self.most = set(), [], 0  # connections, and how many of them were open at once
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                subscription = self.headers["X-Hook-Subscription"]
                is_first = receiver.is_deaf and subscription not in receiver.known
                receiver.known.add(subscription)
                if receiver.is_deaf and not is_first:
                    receiver.most = max(receiver.most, 1 + sum(map(is_open, receiver.deaf_to)))
                    receiver.deaf_to.append(self.connection)
                if not is_first:
                    receiver.gate.wait()
                receiver.received.put((self.command, self.path, dict(self.headers.items()), body))
                status, headers, content = (200, {}, b"") if receiver.answers.empty() else receiver.answers.get()
                status = 500 if is_first else status
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    pass

            do_POST = do_PUT = do_GET = take

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        return self.received.get(timeout=60)

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    started = Node(tmp_path_factory.mktemp("fhir") / "dev", "dev", "--gateway")
    yield started
    assert started.stop() == 0, started.log.read_text()


@pytest.fixture(scope="module")
def fhir(node):
    return Fhir(node.started["fhir"], node.started["token"])


def subscription(url, criteria, payload="application/fhir+json", **more):
    channel = {"type": "rest-hook", "endpoint": url, "header": ["Authorization: Bearer of-the-app"]}
    return {"resourceType": "Subscription", "status": "requested", "reason": "a test", "criteria": criteria,
            "channel": channel | ({"payload": payload} if payload else {})} | more


def subscribed(fhir, url, criteria, **more):
    made = fhir.create(subscription(url, criteria, **more))
    assert made["status"] == "active"
    return made


def end(fhir, made):
    assert fhir.call("DELETE", f"Subscription/{made['id']}").status == 204


def status_of(fhir, made):
    return fhir.get(f"Subscription/{made['id']}").json["status"]


def of_code(code, subject="Patient/s"):
    return observation(subject, code, **{"code": {"coding": [{"system": "urn:s", "code": code}], "text": code}})


def test_a_write_that_meets_the_criteria_is_sent_as_an_update(fhir, receiver):
    made = subscribed(fhir, receiver.url, "Observation?code=urn:s|sent")
    fhir.create(of_code("other"))
    kept = fhir.post("Observation", of_code("sent"))
    method, path, headers, body = receiver.next()
    assert (method, path) == ("PUT", f"/hook/{kept.reference}") and body == kept.body
    assert headers["Authorization"] == "Bearer of-the-app" and headers["Content-Type"] == "application/fhir+json"
    assert headers["X-Hook-Subscription"] == made["id"]
    secret = fhir.get(f"Subscription/{made['id']}/$hook-secret").json["parameter"][0]["valueString"]
    moment, signature = (part.split("=")[1] for part in headers["X-Hook-Signature"].split(","))
    said = f"{moment}.PUT.{headers['X-Hook-Delivery']}.".encode() + body
    assert hmac.new(secret.encode(), said, hashlib.sha256).hexdigest() == signature
    changed = kept.json | {"valueString": "again"}
    assert fhir.put(kept.reference, changed).status == 200
    assert json.loads(receiver.next()[3])["valueString"] == "again"
    end(fhir, made)
    fhir.create(of_code("sent"))
    again = subscribed(fhir, receiver.url, "Observation?code=urn:s|last")
    fhir.create(of_code("last"))
    assert json.loads(receiver.next()[3])["code"]["text"] == "last" and receiver.received.empty()
    end(fhir, again)


def test_without_a_payload_nothing_of_the_resource_is_sent(fhir, receiver):
    made = subscribed(fhir, receiver.url, "Patient", payload=None)
    fhir.bundle("transaction", entry("POST", "Patient", patient("Secretive")),
                entry("POST", "Observation", of_code("x")))
    method, path, headers, body = receiver.next()
    assert (method, path, body) == ("POST", "/hook", b"") and "Content-Type" not in headers
    end(fhir, made)


def test_criteria_may_name_a_patient_and_an_update_takes_new_ones(fhir, receiver):
    fhir.put("Patient/sa", patient(id="sa"))
    fhir.put("Patient/sb", patient(id="sb"))
    made = subscribed(fhir, receiver.url, "Observation?patient=Patient/sa")
    fhir.create(of_code("b", "Patient/sb"))
    fhir.create(of_code("a", "Patient/sa"))
    assert json.loads(receiver.next()[3])["code"]["text"] == "a"
    changed = fhir.put(f"Subscription/{made['id']}", made | {"criteria": "Observation?patient=Patient/sb"})
    assert changed.status == 200
    fhir.create(of_code("a2", "Patient/sa"))
    fhir.create(of_code("b2", "Patient/sb"))
    assert json.loads(receiver.next()[3])["code"]["text"] == "b2"
    off = fhir.put(f"Subscription/{made['id']}", changed.json | {"status": "off"})
    assert off.json["status"] == "off"
    found = fhir.get(f"Subscription?status=off&_id={made['id']}").json
    assert [item["resource"]["id"] for item in found["entry"]] == [made["id"]]
    assert fhir.get(f"Subscription/{made['id']}/$hook-secret").status == 404


@pytest.mark.parametrize("change, where", [
    ({"channel": {"type": "websocket"}}, "channel.type"), ({"channel": {"type": "email", "endpoint": "mailto:a@b"}}, "channel.type"),
    ({"channel": {"type": "message", "endpoint": "https://x.example"}}, "channel.type"),
    ({"channel": {"type": "rest-hook"}}, "channel.endpoint"),
    ({"channel": {"type": "rest-hook", "endpoint": "ftp://x.example/"}}, "channel.endpoint"),
    ({"channel": {"type": "rest-hook", "endpoint": "file:///etc/passwd"}}, "channel.endpoint"),
    ({"channel": {"type": "rest-hook", "endpoint": "https://user:word@x.example/"}}, "channel.endpoint"),
    ({"channel": {"type": "rest-hook", "endpoint": "https://x.example/?a=b"}}, "channel.endpoint"),
    ({"channel": {"type": "rest-hook", "endpoint": "https://x.example/", "payload": "application/fhir+xml"}}, "channel.payload"),
    ({"channel": {"type": "rest-hook", "endpoint": "https://x.example/", "header": ["Host: inside"]}}, "channel.header"),
    ({"channel": {"type": "rest-hook", "endpoint": "https://x.example/", "header": ["A: b\r\nHost: c"]}}, "channel.header"),
    ({"channel": {"type": "rest-hook", "endpoint": "https://x.example/", "header": ["no colon"]}}, "channel.header"),
    ({"criteria": "Nothing?a=b"}, "criteria"), ({"criteria": "Observation?nonsense=1"}, "criteria"),
    ({"criteria": "Observation?_sort=date&status=final"}, "criteria"), ({"status": "error"}, "status"),
    ({"end": "2020-01-01T00:00:00Z"}, "end"),
])
def test_what_cannot_be_served_is_refused_when_it_is_written(fhir, change, where):
    answer = fhir.post("Subscription", subscription("https://x.example/", "Observation?status=final") | change)
    assert answer.status == 422, answer.body
    assert any(where in place for issue in answer.issues for place in issue["expression"]), answer.body


def test_a_receiver_that_fails_gets_it_again_and_in_order(fhir, receiver):
    made = subscribed(fhir, receiver.url, "Observation?code=urn:s|retry-1,urn:s|retry-2")
    receiver.answers.put((500, {}, b"x"))
    for number in (1, 2):
        fhir.create(of_code(f"retry-{number}"))
    got = [receiver.next() for _ in range(3)]
    assert [json.loads(body)["code"]["text"] for *_, body in got] == ["retry-1", "retry-1", "retry-2"]
    assert got[0][2]["X-Hook-Delivery"] == got[1][2]["X-Hook-Delivery"] != got[2][2]["X-Hook-Delivery"]
    end(fhir, made)


def test_a_receiver_that_is_gone_ends_the_subscription(fhir, receiver):
    made = subscribed(fhir, receiver.url, "Observation?code=urn:s|gone")
    receiver.answers.put((410, {}, b""))
    fhir.create(of_code("gone"))
    receiver.next()
    wait_for(lambda: status_of(fhir, made) == "error")
    ended = fhir.get(f"Subscription/{made['id']}").json
    assert "410" in ended["error"] and ended["meta"]["versionId"] == "2"
    again = fhir.put(f"Subscription/{made['id']}", ended | {"status": "requested"})
    assert again.json["status"] == "active" and "error" not in again.json
    fhir.create(of_code("gone"))
    assert receiver.next()[0] == "PUT" and receiver.received.empty()
    end(fhir, made)


def test_a_redirect_is_not_followed_and_a_huge_answer_not_read(fhir, receiver):
    other = Receiver()
    try:
        made = subscribed(fhir, receiver.url, "Observation?code=urn:s|lead")
        receiver.answers.put((307, {"Location": other.url}, b""))
        receiver.answers.put((200, {}, b"x" * (1 << 20)))
        fhir.create(of_code("lead"))
        assert [receiver.next()[0] for _ in range(3)] == ["PUT"] * 3
        assert other.received.empty()
        end(fhir, made)
    finally:
        other.close()


def test_what_was_deleted_while_it_waited_is_not_sent(fhir, receiver):
    made = subscribed(fhir, receiver.url, "Observation?code=urn:s|held,urn:s|kept,urn:s|first")
    receiver.gate.clear()
    fhir.create(of_code("first"))
    gone = fhir.post("Observation", of_code("held"))
    assert fhir.call("DELETE", gone.reference).status == 204
    fhir.create(of_code("kept"))
    receiver.gate.set()
    assert [json.loads(receiver.next()[3])["code"]["text"] for _ in range(2)] == ["first", "kept"]
    end(fhir, made)


def test_a_slow_receiver_holds_up_no_write_and_no_other(fhir, receiver):
    quick = Receiver()
    try:
        receiver.gate.clear()
        slow = subscribed(fhir, receiver.url, "Observation?code=urn:s|both")
        other = subscribed(fhir, quick.url, "Observation?code=urn:s|both")
        for _ in range(30):
            fhir.create(of_code("both"))
        assert all(quick.next()[0] == "PUT" for _ in range(30))
        receiver.gate.set()
        assert all(receiver.next()[0] == "PUT" for _ in range(30))
        end(fhir, slow)
        end(fhir, other)
    finally:
        quick.close()


def test_one_client_does_not_take_every_place(fhir):
    """Each by itself: those that are written at one moment may be a few more."""
    made = [subscribed(fhir, "http://127.0.0.1:9/hook", "Observation?code=urn:s|never") for _ in range(64)]
    refused = fhir.post("Subscription", subscription("http://127.0.0.1:9/hook", "Observation"))
    assert refused.status == 413 and refused.issues[0]["code"] == "too-costly"
    for one in made:
        end(fhir, one)


def test_endpoints_that_do_not_answer_leave_a_sender_to_others(fhir, receiver):
    """Of those that have failed, one at a time is asked again."""
    deaf = Receiver()
    try:
        deaf.is_deaf = True
        deaf.gate.clear()
        made = [subscribed(fhir, deaf.url, "Observation?code=urn:s|deaf") for _ in range(3)]
        made.append(subscribed(fhir, receiver.url, "Observation?code=urn:s|heard"))
        fhir.create(of_code("deaf"))
        wait_for(lambda: deaf.deaf_to, seconds=60)
        fhir.create(of_code("heard"))
        assert receiver.next()[0] == "PUT"
        wait_for(lambda: len(deaf.deaf_to) >= 2, seconds=60)
        assert deaf.most == 1
        for one in made:
            end(fhir, one)
    finally:
        deaf.close()


# --- a gateway of its own ---


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    made.new_key("ES256", "ES256")
    yield made
    made.close()


@pytest.fixture
def start_gateway(consortium, issuer):
    started = []

    def start(name, *options):
        consortium.actor(name, "hospital")
        started.append(Gateway(consortium.home(name), "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE,
                               *options))
        started[-1].wait_ready()
        return started[-1]

    yield start
    for one in started:
        one.end(signal.SIGKILL)


def of_gateway(gateway, token=None):
    return Fhir(gateway.url + "/fhir", token or gateway.token)


def test_addresses_inside_get_nothing(start_gateway, receiver):
    gateway = start_gateway("hook-out", "--hooks-attempts", 1)
    fhir = of_gateway(gateway)
    plain = fhir.post("Subscription", subscription(receiver.url, "Observation"))
    assert plain.status == 422 and "https" in plain.body.decode()
    hosts = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"]
    made = [fhir.create(subscription(f"https://{host}:{receiver.port}/hook", "Patient")) for host in hosts]
    fhir.create(patient())
    for one in made:
        wait_for(lambda one=one: status_of(fhir, one) == "error")
        assert "cannot be reached" in fhir.get(f"Subscription/{one['id']}").json["error"]
    assert receiver.received.empty()


def test_nothing_is_lost_by_a_kill_nor_while_the_receiver_is_away(start_gateway):
    receiver = Receiver()
    gateway = start_gateway("hook-kill", "--hooks", "loopback")
    fhir = of_gateway(gateway)
    made = subscribed(fhir, receiver.url, "Patient?family=kept")
    fhir.create(patient("kept", birthDate="1970-01-01"))
    assert json.loads(receiver.next()[3])["birthDate"] == "1970-01-01"
    receiver.close()
    for year in (1971, 1972):
        fhir.create(patient("kept", birthDate=f"{year}-01-01"))
    gateway.end(signal.SIGKILL)
    again = Receiver(receiver.port)
    gateway.start()
    gateway.wait_ready()
    try:
        fhir = of_gateway(gateway)
        got = []
        while got[-1:] != ["1972-01-01"]:  # what was sent before may come once more: at least once
            got.append(json.loads(again.next()[3])["birthDate"])
        assert got[-2:] == ["1971-01-01", "1972-01-01"] and got[:-2] in ([], ["1970-01-01"])
        assert status_of(fhir, made) == "active"
    finally:
        again.close()


def test_a_subscriber_is_sent_what_his_token_may_read(start_gateway, issuer, receiver):
    gateway = start_gateway("hook-token", "--hooks", "loopback")
    everything = of_gateway(gateway)
    app = of_gateway(gateway, issuer.token("ES256", scope="system/Subscription.crus system/Observation.rs?code=urn:s|mine"))
    blind = of_gateway(gateway, issuer.token("ES256", scope="system/Subscription.c"))
    refused = blind.post("Subscription", subscription(receiver.url, "Observation"))
    assert refused.status == 422 and refused.issues[0]["code"] == "forbidden"
    made = subscribed(app, receiver.url, "Observation")
    everything.create(of_code("others"))
    everything.create(of_code("mine"))
    assert json.loads(receiver.next()[3])["code"]["text"] == "mine" and receiver.received.empty()
    assert everything.get(f"Subscription/{made['id']}/$hook-secret").status == 404
    assert app.get(f"Subscription/{made['id']}/$hook-secret").status == 200


def test_criteria_learn_nothing_of_what_the_token_may_not_see(start_gateway, issuer, receiver):
    """A chain into patients, by a token that may search observations alone and by one that may search both."""
    gateway = start_gateway("hook-chain", "--hooks", "loopback")
    everything = of_gateway(gateway)
    subject = "Patient/" + everything.create(patient("Smith"))["id"]
    blind, seeing = (of_gateway(gateway, issuer.token("ES256", scope=f"system/Subscription.crus system/Observation.rs{more}"))
                     for more in ("", " system/Patient.rs"))
    made = subscribed(blind, receiver.url, "Observation?subject:Patient.family=Smith")
    end(everything, subscribed(blind, receiver.url, "Observation"))
    second = Receiver()
    try:
        subscribed(seeing, second.url, "Observation?subject:Patient.family=Smith")
        everything.create(of_code("chained", subject))
        assert json.loads(second.next()[3])["code"]["text"] == "chained"
    finally:
        second.close()
    changed = blind.put(f"Subscription/{made['id']}", made | {"criteria": "Observation?code=urn:s|plain"})
    assert changed.status == 200, changed.body
    everything.create(of_code("plain", subject))
    assert json.loads(receiver.next()[3])["code"]["text"] == "plain", "and nothing was sent before"


def test_a_secret_is_of_who_wrote_the_subscription(start_gateway, issuer, receiver):
    gateway = start_gateway("hook-secret", "--hooks", "loopback")
    first, second = (of_gateway(gateway, issuer.token("ES256", sub=name, client_id=name,
                                                      scope="system/Subscription.cruds system/Observation.rs"))
                     for name in ("first", "second"))
    secret_of = lambda fhir: fhir.get("Subscription/twice/$hook-secret").json["parameter"][0]["valueString"]
    assert first.put("Subscription/twice", subscription(receiver.url, "Observation", id="twice")).status == 201
    kept = secret_of(first)
    assert second.put("Subscription/twice", subscription(receiver.url, "Observation", id="twice")).status == 200
    assert secret_of(second) != kept and first.get("Subscription/twice/$hook-secret").status == 404


def test_a_token_that_is_taken_away_ends_its_subscriptions(start_gateway, receiver):
    gateway = start_gateway("hook-ended", "--hooks", "loopback")
    old = gateway.tokens.read_text()
    made = subscribed(of_gateway(gateway), receiver.url, "Patient")
    gateway.tokens.unlink()
    fresh = new_token(gateway.tokens, "other", "all")
    assert gateway.tokens.read_text() != old
    gateway.process.send_signal(signal.SIGHUP)
    fhir = of_gateway(gateway, fresh)
    wait_for(lambda: fhir.get("Patient").status == 200)
    wait_for(lambda: status_of(fhir, made) == "error")
    assert "rights" in fhir.get(f"Subscription/{made['id']}").json["error"]
    fhir.create(patient())
    assert fhir.get("Patient").status == 200 and receiver.received.empty()
