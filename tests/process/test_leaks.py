"""No word of a patient's record is in a node's folder, its log, or what goes over the wire. First the search itself is
proven: it finds leaks that are planted, however they are dressed."""
import base64
import gzip
import json
import os
import zlib

import pytest

from leaks import database_rows, forms, search
from machine import Consortium, Refused
from recorder import Recorder

# Words that nothing but the record and the patient's own labels can bring here.
FAMILY, DRUG, NOTE = "Quetzalbrunnen", "zibotentanil", "größenverblümt morgens"
LABEL, REASON = "kaleidoskopmappe", "bewusstlos im Heißluftballon"
WORDS = [FAMILY, DRUG, NOTE, LABEL, REASON]
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [
    {"resource": {"resourceType": "Patient", "id": "p", "name": [{"family": FAMILY, "given": ["Ada"]}]}},
    {"resource": {"resourceType": "MedicationStatement", "id": "m", "status": "active",
                  "medicationCodeableConcept": {"text": DRUG}, "subject": {"reference": "Patient/p"},
                  "note": [{"text": NOTE}]}}]}


def raw_deflate(data):
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def in_hex(data):
    return data.hex().encode()


DRESSES = {
    "plain": lambda data: data,
    "UTF-16": lambda data: data.decode().encode("utf-16-le"),
    "JSON escapes": lambda data: json.dumps({"x": data.decode()}).encode(),
    "hex": in_hex,
    "HEX": lambda data: in_hex(data).upper(),
    "Base64": base64.b64encode,
    "Base64, one byte on": lambda data: base64.b64encode(b"x" + data + b"y"),
    "Base64url, two bytes on": lambda data: base64.urlsafe_b64encode(b"xy" + data).rstrip(b"="),
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "raw deflate": raw_deflate,
    "raw deflate in Base64url": lambda data: base64.urlsafe_b64encode(raw_deflate(data)).rstrip(b"="),
    "zlib in hex": lambda data: in_hex(zlib.compress(data)),
    "hex in zlib": lambda data: zlib.compress(in_hex(data)),
    "Base64 of gzip in hex": lambda data: in_hex(base64.b64encode(gzip.compress(data))),
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("dress", DRESSES)
def test_the_search_finds_a_planted_leak(dress, word):
    pattern = forms(WORDS)
    hay = os.urandom(3001)
    leak = DRESSES[dress](json.dumps({"text": f"some {word} text"}, ensure_ascii=False).encode())
    assert search(hay + leak + hay, pattern), "the planted leak was not found"
    assert search(hay + hay, pattern) is None


class Scene:
    """A consortium whose actors speak to the node through a recorder only."""

    def __init__(self, folder):
        self.c = Consortium(folder)
        self.recorder = Recorder(self.c.node.port)
        self.c.rpc_url = self.recorder.url
        for name, roles in (("hospital", "hospital"), ("clinic", "professional"), ("er", "hospital,emergency"),
                            ("trustee", "trustee")):
            self.c.actor(name, roles)
        self.c.new_home("patient")
        self.input = self.c.folder / "input.json"
        self.input.write_text(json.dumps(BUNDLE, ensure_ascii=False))
        self.action = self.c.folder / "action.json"
        self.id = self.sign("folder", "open", "--label", LABEL, "--glass-minutes", 30,
                            "--trustee", self.c.accounts["trustee"])["folder"]
        self.sign("share", "--folder", self.id, "--with", self.c.accounts["hospital"], "--rights", "write", "--days", 9)

    def sign(self, *command):
        """The patient signs, the hospital sends."""
        report = self.c.run("patient", *command, "--out", self.action)
        self.c.run("hospital", "relay", self.action)
        return report

    def add(self):
        return self.c.run("hospital", "record", "add", self.input, "--folder", self.id)["records"][0]["record"]

    def read(self, who, record):
        out = self.c.folder / f"{who}.out.json"
        self.c.run(who, "record", "read", record, "--out", out)
        return out.read_text()

    def everything(self):
        """All that a record goes through."""
        record = self.add()
        self.sign("share", "--folder", self.id, "--with", self.c.accounts["clinic"], "--purpose", "TREAT", "--days", 9)
        self.c.run("clinic", "access", "ask", "--folder", self.id, "--purpose", "TREAT")
        texts = [self.read(who, record) for who in ("patient", "hospital", "clinic")]
        assert all(word in text for text in texts for word in (FAMILY, DRUG, NOTE))
        self.c.run("er", "break-glass", "--folder", self.id, "--reason", REASON, "--wait", 0)
        self.c.run("patient", "access", "log", "--folder", self.id)
        self.c.run("patient", "proof", record, "--index", 1, "--out", self.c.folder / "proof.json")
        self.sign("record", "erase", self.add())
        return record


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("leaks"))
    yield made
    made.recorder.close()
    made.c.node.kill()


def test_a_flipped_bit_is_noticed(scene):
    """A node, or whoever stands between, changes one bit of what was sealed."""
    record = scene.add()
    changed = []

    def flip(path, body):
        if not path.startswith("/blobs/") or len(body) < 100:
            return body
        changed.append(path)
        at = int.from_bytes(os.urandom(4), "big") % len(body)
        return body[:at] + bytes([body[at] ^ 1 << os.urandom(1)[0] % 8]) + body[at + 1:]

    for _ in range(10):
        scene.recorder.change = flip
        try:
            with pytest.raises(Refused) as caught:
                scene.read("patient", record)
        finally:
            scene.recorder.change = None
        assert len(caught.value.report["error"]) > 10
    assert len(changed) >= 10
    assert FAMILY in scene.read("patient", record)


def test_another_records_content_is_noticed(scene):
    """A node hands out one record's sealed bytes in the place of another's."""
    first, second = scene.add(), scene.add()
    containers = []

    def keep(path, body):
        if body.startswith(b"XLC1"):
            containers.append(body)
        return body

    scene.recorder.change = keep
    scene.read("patient", first)
    assert containers
    scene.recorder.change = lambda path, body: containers[0] if body.startswith(b"XLC1") else body
    try:
        with pytest.raises(Refused) as caught:
            scene.read("patient", second)
    finally:
        scene.recorder.change = None
    assert len(caught.value.report["error"]) > 10


def test_no_word_of_a_record_leaks(scene):
    scene.everything()
    node, pattern = scene.c.node, forms(WORDS)
    assert node.stop() == 0
    traffic = b"\n".join(scene.recorder.traffic)
    assert len(scene.recorder.traffic) > 100 and b"eth_sendRawTransaction" in traffic and b"/blobs/" in traffic
    places = {"traffic": traffic, "log": node.log.read_bytes()}
    places |= {str(path): path.read_bytes() for path in node.data.rglob("*") if path.is_file()}
    rows = list(database_rows(node.data / "chaindata"))
    assert len(rows) > 500
    places["rows of the database"] = b"\n".join(key + value for key, value in rows)
    leaks = {place: search(data, pattern) for place, data in places.items()}
    assert not any(leaks.values()), leaks
    # The same search over the same bytes, with one more planted among them.
    middle = len(traffic) // 2
    assert search(
        traffic[:middle] + base64.b64encode(raw_deflate(f"so {DRUG} it is".encode())) + traffic[middle:], pattern
    )
