"""A relay is nobody's deputy: it sends only what a folder's controller signed, and says what that is from what was signed."""
import json
import os
import pty
import subprocess

import pytest
from eth_abi import encode
from eth_utils import keccak

from machine import PASSWORD, Refused, binary

USAGE, REFUSED = 2, 3


class Office:
    """A patient who signs, and a hospital that relays."""

    def __init__(self, consortium, folder):
        self.consortium, self.folder = consortium, folder
        self.hospital = consortium.actor("relay-hospital", "hospital")
        self.other = consortium.actor("relay-other", "hospital")
        consortium.actor("relay-patient")
        self.contracts = json.loads(consortium.deployment.read_text())
        self.id = self.sign("folder", "open", "--label", "general")["folder"]
        self.relay()

    @property
    def path(self):
        return self.folder / "action.json"

    def sign(self, *command):
        return self.consortium.run("relay-patient", *command, "--out", self.path)

    def share(self):
        self.sign("share", "--folder", self.id, "--with", self.other, "--rights", "write", "--days", 5)
        return json.loads(self.path.read_text())

    def relay(self, by="relay-hospital"):
        return self.consortium.run(by, "relay", self.path)

    def refuses(self, action, code=REFUSED):
        self.path.write_text(json.dumps(action))
        before = self.nonce()
        with pytest.raises(Refused) as refusal:
            self.relay()
        assert refusal.value.code == code, refusal.value
        assert self.nonce() == before  # nothing was sent
        return str(refusal.value)

    def nonce(self):
        return self.consortium.rpc("eth_getTransactionCount", self.hospital, "pending")


@pytest.fixture(scope="module")
def office(consortium, tmp_path_factory):
    return Office(consortium, tmp_path_factory.mktemp("relay"))


def call(signature, *values):
    types = signature[signature.index("(") + 1:-1]
    return "0x" + (keccak(text=signature)[:4] + encode(types.split(",") if types else [], values)).hex()


def test_a_relay_says_what_was_signed(office):
    office.share()
    report = office.relay()
    assert report["summary"].startswith(f"share the folder {office.id} with {office.other.lower()} until ")
    assert report["summary"].endswith("; rights: write") and report["relayed"]["transaction"]


@pytest.mark.parametrize("contract, data", [
    ("consent", call("access(bytes32,bytes32,uint8)", bytes(32), bytes(32), 0)),
    ("consent", call("anchorAudit(bytes32,uint64)", bytes(32), 1)),
    ("medicines", call("recallBatch(bytes32,bytes32)", bytes(32), bytes(32))),
    ("records", call("eraseForgotten(bytes32,bytes32[])", bytes(32), [])),
    ("folders", call("refuseShare(bytes32)", bytes(32))),
])
def test_a_file_cannot_use_the_powers_of_the_relay(office, contract, data):
    action = {**office.share(), "to": office.contracts[contract]["address"], "data": data, "blobs": []}
    assert "this call is none of those" in office.refuses(action)


def test_a_call_of_a_contract_that_is_not_the_deployments_is_refused(office):
    assert "this call is none of those" in office.refuses({**office.share(), "to": office.other})


def test_a_signature_that_does_not_fit_is_refused(office):
    action = office.share()
    grantee = action["data"].index(office.other.lower()[2:])
    data = action["data"][:grantee] + office.hospital.lower()[2:] + action["data"][grantee + 40:]
    assert "the signature is not of the account" in office.refuses({**action, "data": data})
    assert "calldata" in office.refuses({**action, "data": action["data"] + 64 * "0"}, USAGE)


def test_a_blob_that_the_call_does_not_name_is_refused(office):
    office.sign("folder", "open", "--label", "another")
    blobs = json.loads(office.path.read_text())["blobs"]
    assert "a blob that its call does not name" in office.refuses({**office.share(), "blobs": blobs})


def test_what_the_file_says_of_itself_is_not_shown(office):
    action = {**office.share(), "summary": "nothing of importance"}
    office.path.write_text(json.dumps(action))
    assert office.relay()["summary"].startswith("share the folder")


@pytest.mark.parametrize("answer, code", [("yes\n", 0), ("y\n", REFUSED), ("no\n", REFUSED), ("\n", REFUSED)])
def test_on_a_terminal_a_person_is_asked(office, answer, code):
    office.share()
    before = office.nonce()
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    command = [binary(), "relay", office.path, "--home", office.consortium.home("relay-hospital")]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
    os.close(theirs)
    os.close(ours)
    assert done.returncode == code, done.stderr
    assert f"Somebody asks to share the folder {office.id} with {office.other.lower()}" in done.stderr
    assert (office.nonce() != before) == (code == 0)
