"""Looks through a gateway are lines that a patient finds, proved under what the organisation anchored on the chain."""
import http.server
import json
import shutil
import signal
import threading

import pytest

from fhirs import Fhir, observation, patient
from gateways import Gateway, call
from machine import Refused, cli, wait_for

ANCHOR = ("--anchor-ms", 200)


class Ward:
    """Hospital `name` with a gateway, and a patient of it who controls the folder of his own."""

    def __init__(self, consortium, name):
        self.c, self.name, self.files = consortium, name, 0
        consortium.actor(name, "hospital")
        self.gateway = Gateway(consortium.home(name), *ANCHOR)
        self.connect()
        self.patients = {}

    def connect(self):
        self.fhir = Fhir(self.gateway.url + "/fhir", self.gateway.token)

    def new_patient(self):
        """A patient whose folder the hospital controls: the folder, and the patient's reference."""
        made = self.fhir.post("Patient", patient("Looked"))
        trail = self.c.run(self.name, "gateway", "trail", "--limit", 1)["entries"]
        return trail[0]["folders"][0], "Patient/" + made.json["id"]

    def reads(self, folder, *options, url=None):
        """The report, complete or not."""
        where = f"{self.c.accounts[self.name]}={url or self.gateway.url}"
        try:
            return self.c.run(self.name, "access", "reads", "--folder", folder, "--node", where, *options)
        except Refused as incomplete:
            assert incomplete.code == 3, incomplete
            return incomplete.report

    def shown(self, folder, **more):
        """What the patient's check shows: lines, the newest first, and the gateway's row."""
        report = self.reads(folder, **more)
        (row,) = [one for one in report["gateways"] if one["gateway"].lower() == self.c.accounts[self.name].lower()]
        return report["looks"], row

    def anchored(self, folder, count):
        wait_for(lambda: self.shown(folder)[1]["entries"] >= count)


@pytest.fixture(scope="module")
def ward(consortium):
    made = Ward(consortium, "lk")
    yield made
    assert made.gateway.end() == 0


def test_every_look_is_a_line_and_is_anchored(ward):
    folder, subject = ward.new_patient()
    other, _ = ward.new_patient()
    made = ward.fhir.create(observation(subject, "seen"))
    assert ward.fhir.get(f"Observation/{made['id']}").status == 200
    assert ward.fhir.get(f"Observation?patient={subject}&code=secret-code").status == 200
    assert ward.fhir.get(subject + "/$everything").status == 200
    ward.anchored(folder, 5)
    looks, row = ward.shown(folder)
    assert row["proved"] and "fault" not in row
    told = [(look["method"], look["what"], look["outcome"]) for look in looks]
    assert told == [("GET", f"/fhir/{subject}/$everything", "served"),
                    ("GET", "/fhir/Observation?patient&code", "served"),
                    ("GET", f"/fhir/Observation/{made['id']}", "served"), ("POST", "/fhir/Observation", "served"),
                    ("POST", "/fhir/Patient", "served")]
    assert all(look["anchored"] for look in looks) and "secret" not in json.dumps(looks)
    assert [look["what"] for look in ward.shown(other)[0]] == ["/fhir/Patient"]


def test_a_refused_look_is_a_line(ward):
    folder, subject = ward.new_patient()
    token = cli("gateway", "token", "new", "writer", "--rights", "write", "--tokens", ward.gateway.tokens)["token"]
    ward.gateway.process.send_signal(signal.SIGHUP)
    writer = Fhir(ward.gateway.url + "/fhir", token)
    wait_for(lambda: writer.get(subject).status == 403)
    newest = ward.shown(folder)[0][0]
    assert (newest["who"], newest["what"], newest["outcome"]) == ("writer", f"/fhir/{subject}", "refused")
    assert writer.get(f"Observation?patient={subject}").status == 403
    newest = ward.shown(folder)[0][0]
    assert (newest["what"], newest["status"]) == ("/fhir/Observation?patient", 403)


def test_a_look_at_two_patients_names_neither_to_the_other(ward):
    (one, first), (two, second) = ward.new_patient(), ward.new_patient()
    names = ",".join(name.split("/")[1] for name in (first, second))
    assert len(ward.fhir.get(f"Patient?_id={names}").json["entry"]) == 2
    group = ward.fhir.create({"resourceType": "Group", "type": "person", "actual": True,
                              "member": [{"entity": {"reference": first}}, {"entity": {"reference": second}}]})
    assert ward.fhir.get(f"Group?_id={group['id']}&_include=Group:member").status == 200
    for folder in (one, two):
        looks = [look["what"] for look in ward.shown(folder)[0]]
        assert looks[0] == "/fhir/Group?_id&_include" and "/fhir/Patient?_id" in looks
        assert not any(name.split("/")[1] in json.dumps(looks) for name in (first, second) if name not in looks)


def test_an_export_is_a_line_of_each_patient(ward):
    folder, _ = ward.new_patient()
    begun = ward.fhir.get("$export?_type=Patient", Prefer="respond-async", Accept="application/fhir+json")
    status = begun.headers["content-location"].split("/fhir/")[1]
    wait_for(lambda: ward.fhir.get(status).status == 200)
    file = ward.fhir.get(status).json["output"][0]["url"].split("/fhir/")[1]
    assert ward.fhir.get(file, Accept="application/fhir+ndjson").status == 200
    assert ward.shown(folder)[0][0]["what"] == "/fhir/$export-file?job&type"


class Liar:
    """Between a patient and the gateway: `lie(page)` changes each answer."""

    def __init__(self, gateway, lie):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, _, body = call(gateway.url + self.path, Authorization=self.headers["Authorization"])
                if status == 200:
                    page = json.loads(body)
                    outer.lie(page)
                    body = json.dumps(page).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.lie = lie
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def leave_out(page):
    del page["entries"][1]


def move(page):
    one, two = page["entries"][:2]
    one["entry"], two["entry"] = two["entry"], one["entry"]


def say_fewer(page):
    newest = page["entries"].pop(0)
    page.update(count=page["count"] - 1, head=newest["before"])


def say_none(page):
    page.update(count=0, head="0x" + "00" * 24, entries=[])
    page.pop("next", None)


def retell(page):
    page["entries"][0]["time"] += 1


def prove_nothing(page):
    page["proof"] = "0x00"


@pytest.mark.parametrize("lie", [leave_out, move, say_fewer, say_none, retell, prove_nothing])
def test_a_gateway_that_lies_is_found_out(ward, lie):
    folder, subject = ward.new_patient()
    for _ in range(3):
        assert ward.fhir.get(subject).status == 200
    ward.anchored(folder, 4)
    with Liar(ward.gateway, lambda page: None) as honest:
        assert ward.shown(folder, url=honest.url)[1]["proved"]
    with Liar(ward.gateway, lie) as liar:
        report = ward.reads(folder, url=liar.url)
        (row,) = [one for one in report["gateways"] if one["gateway"] == ward.c.accounts["lk"]]
        assert not report["complete"] and not row["proved"] and row["fault"]


def test_nobody_else_is_told(ward):
    folder, _ = ward.new_patient()
    contract = json.loads(ward.c.deployment.read_text())["folders"]["address"]
    path = f"/blobs/{contract}/{folder}/audit"
    assert call(ward.gateway.url + path)[0] == 401
    assert ward.gateway.call(path)[0] == 401


@pytest.fixture
def another(consortium):
    """Homes whose trails are cut and forked."""
    made = []

    def start(name):
        made.append(Ward(consortium, name))
        return made[-1]

    yield start
    for ward in made:
        ward.gateway.end(signal.SIGKILL)


def test_kill_9_between_look_and_anchor_takes_no_line(another):
    ward = another("lk-kill")
    folder, subject = ward.new_patient()
    ward.anchored(folder, 1)
    for _ in range(5):
        assert ward.fhir.get(subject).status == 200
    ward.gateway.end(signal.SIGKILL)
    ward.gateway.start()
    ward.connect()
    ward.anchored(folder, 6)
    looks, row = ward.shown(folder)
    assert row["proved"] and [look["what"] for look in looks] == [f"/fhir/{subject}"] * 5 + ["/fhir/Patient"]


def test_lists_that_are_lost_follow_from_the_trail(another):
    ward = another("lk-lost")
    folder, subject = ward.new_patient()
    assert ward.fhir.get(subject).status == 200
    ward.anchored(folder, 2)
    before = ward.shown(folder)
    assert ward.gateway.end() == 0
    for path in ward.c.home("lk-lost").glob("looks.db*"):
        path.unlink()
    ward.gateway.start()
    ward.connect()
    wait_for(lambda: ward.shown(folder)[1]["proved"])
    assert ward.shown(folder)[0] == before[0]
    assert ward.fhir.get(subject).status == 200
    ward.anchored(folder, 3)


def test_a_trail_that_was_forked_is_not_anchored(another):
    ward = another("lk-fork")
    folder, subject = ward.new_patient()
    ward.anchored(folder, 1)
    home = ward.c.home("lk-fork")
    assert ward.gateway.end() == 0
    shutil.copytree(home / "trail", home / "trail.before")
    ward.gateway.start()
    ward.connect()
    for _ in range(3):
        assert ward.fhir.get(subject).status == 200
    ward.anchored(folder, 4)
    assert ward.gateway.end() == 0
    shutil.rmtree(home / "trail")
    (home / "trail.before").rename(home / "trail")
    for path in home.glob("looks.db*"):
        path.unlink()
    ward.gateway.start()
    ward.connect()
    wait_for(lambda: "fewer" in ward.gateway.readiness()[1]["trail"]["detail"])
    assert not ward.shown(folder)[1]["proved"]
    for _ in range(6):
        ward.fhir.get(subject)
    wait_for(lambda: "are not those" in ward.gateway.readiness()[1]["trail"]["detail"])
    looks, row = ward.shown(folder)
    assert not row["proved"]
