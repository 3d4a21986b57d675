"""Sharing, refusing, revoking, emergencies: on a real node, through the command line and past it."""
import json
import os
import pathlib
import subprocess
import time

import pytest

from machine import PASSWORD, Refused, binary, wait_for

DIRECT = pathlib.Path(__file__).with_name("direct.mjs")
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"family": "Li"}]}},
        {"resource": {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "HbA1c"}}},
    ],
}
REASON = "unconscious, suspected overdose"


class Scene:
    """A patient with a folder, a hospital that writes into it, others who want to look. Each test has a folder of its
    own, which nobody was granted but the hospital."""

    def __init__(self, consortium):
        self.c = consortium
        self.files = 0
        consortium.actor("cs-hospital", "hospital")
        consortium.actor("cs-clinic", "professional")
        consortium.actor("cs-er", "hospital,emergency")
        consortium.actor("cs-lab", "professional")
        consortium.actor("cs-trustee", "trustee")
        consortium.actor("cs-regulator", "regulator")
        consortium.actor("cs-stranger")  # a wallet, but in no directory
        consortium.new_home("cs-patient")

    def begin(self):
        self.folder = self.open_folder(glass_minutes=60)
        self.share("cs-hospital", "--rights", "write", "--days", 30)
        self.record = self.add()

    def path(self):
        self.files += 1
        return self.c.folder / f"cs-{self.files}.json"

    def relay(self, path, by="cs-hospital"):
        return self.c.run(by, "relay", path)

    def signed(self, *arguments):
        """A patient's action: written to a file, relayed by the hospital."""
        path = self.path()
        report = self.c.run("cs-patient", *arguments, "--out", path)
        self.relay(path)
        return report

    def open_folder(self, glass_minutes=0):
        glass = ["--glass-minutes", glass_minutes, "--trustee", self.c.accounts["cs-trustee"]] if glass_minutes else []
        return self.signed("folder", "open", "--label", f"folder {self.files}", *glass)["folder"]

    def share(self, name, *more, folder=None):
        return self.signed("share", "--folder", folder or self.folder, "--with", self.c.accounts[name], *more)

    def let_read(self, name):
        self.share(name, "--purpose", "TREAT", "--days", 7)
        self.ask(name)
        assert shows_bundle(self.read(name))

    def revoke(self, name, *more):
        path = self.path()
        self.c.run(
            "cs-patient", "revoke", "--folder", self.folder, "--from", self.c.accounts[name], "--out", path, *more
        )
        self.relay(path)
        if "--keep-key" not in more:
            self.relay(f"{path}.rotate")

    def add(self, by="cs-hospital"):
        path = self.path()
        path.write_text(json.dumps(BUNDLE))
        return self.c.run(by, "record", "add", path, "--folder", self.folder)["records"][0]["record"]

    def ask(self, name, purpose="TREAT", *more, folder=None):
        return self.c.run(name, "access", "ask", "--folder", folder or self.folder, "--purpose", purpose, *more)

    def refused(self, name, purpose="TREAT", *more, folder=None):
        """The contract's reason; the command must end with 3."""
        with pytest.raises(Refused) as caught:
            self.ask(name, purpose, *more, folder=folder)
        assert caught.value.code == 3
        assert caught.value.report["permitted"] is False and len(caught.value.report["why"]) > 10
        return caught.value.report["reason"]

    def read(self, name, record=None):
        """The record as a FHIR bundle."""
        path = self.path()
        self.c.run(name, "record", "read", record or self.record, "--out", path)
        return json.loads(path.read_text())

    def cannot_read(self, name, record=None):
        with pytest.raises(Refused) as caught:
            self.read(name, record)
        assert caught.value.code == 3, caught.value
        return caught.value.report["error"]

    def log(self, *more):
        """Newest first."""
        return self.c.run("cs-patient", "access", "log", "--folder", self.folder, *more)["accesses"]

    def review(self, name="cs-patient"):
        """The newest."""
        return self.c.run(name, "review", "list", "--folder", self.folder)["reviews"][0]

    def direct(self, name, verb, gate, what):
        if not (DIRECT.parents[1] / "node/node_modules/ethers").exists():
            pytest.skip("npm ci was not run in tests/node")
        account = self.c.home(name) / "wallet" / "account.json"
        command = ["node", DIRECT, verb, account, PASSWORD, self.c.deployment, gate, what]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def contract(self, name):
        return json.loads(self.c.deployment.read_text())[name]["address"]


@pytest.fixture(scope="module")
def people(consortium):
    return Scene(consortium)


@pytest.fixture
def scene(people):
    people.begin()
    return people


def shows_bundle(bundle):
    return [entry["resource"] for entry in bundle["entry"]] == [entry["resource"] for entry in BUNDLE["entry"]]


def test_nobody_reads_without_a_grant(scene):
    assert scene.refused("cs-clinic") == "NO_GRANT"
    scene.cannot_read("cs-clinic")


def test_a_grant_lets_read_for_its_purpose_alone(scene):
    scene.share("cs-clinic", "--purpose", "TREAT,HPAYMT", "--days", 7)
    scene.cannot_read("cs-clinic")  # a grant alone opens no window
    assert scene.refused("cs-clinic", "HRESCH") == "WRONG_PURPOSE"
    scene.cannot_read("cs-clinic")
    answer = scene.ask("cs-clinic")
    assert answer["permitted"] and answer["reason"] == "PERMITTED"
    assert shows_bundle(scene.read("cs-clinic"))


def test_who_may_write_cannot_read(scene):
    assert scene.refused("cs-hospital") == "NO_READ_RIGHT"
    assert scene.ask("cs-hospital", "TREAT", "--record", scene.record)["reason"] == "AUTHOR"


def test_a_grant_that_begins_later(scene):
    folder = scene.open_folder()
    scene.share("cs-clinic", "--purpose", "TREAT", "--days", 7, "--not-before", int(time.time()) + 86400, folder=folder)
    assert scene.refused("cs-clinic", folder=folder) == "NOT_YET"


def test_a_record_shared_alone(scene):
    other = scene.add()
    scene.share("cs-lab", "--purpose", "TREAT", "--days", 7, "--record", scene.record)
    assert scene.refused("cs-lab") == "NO_GRANT"
    assert scene.refused("cs-lab", "TREAT", "--record", other) == "NO_GRANT"
    assert scene.ask("cs-lab", "TREAT", "--record", scene.record)["permitted"]
    assert shows_bundle(scene.read("cs-lab"))
    scene.cannot_read("cs-lab", other)


def test_the_patient_sees_every_look_and_every_refusal(scene):
    scene.refused("cs-clinic")
    scene.share("cs-clinic", "--purpose", "TREAT", "--days", 7)
    scene.refused("cs-clinic", "HRESCH")
    scene.ask("cs-clinic")
    entries = [e for e in scene.log() if e["who"] == scene.c.accounts["cs-clinic"]]
    assert [e["reason"] for e in entries] == ["PERMITTED", "WRONG_PURPOSE", "NO_GRANT"]
    assert [e["purpose"] for e in entries] == ["TREAT", "HRESCH", "TREAT"]
    assert all(e["name"] == "cs-clinic" and e["block"] > 0 and e["at"].startswith("20") for e in entries)


def test_the_log_is_paged_from_the_newest(scene):
    for purpose in ("TREAT", "HRESCH", "HPAYMT", "TREAT", "HRESCH"):
        scene.refused("cs-clinic", purpose)
    whole = scene.log()
    assert len(whole) == 5
    assert [e["entry"] for e in whole] == list(range(len(whole), 0, -1))
    assert scene.log("--limit", 2) == whole[:2]
    assert scene.log("--limit", 2, "--before", whole[1]["entry"]) == whole[2:4]
    assert scene.log("--before", 1) == []


def test_a_look_inside_an_open_window_is_no_new_entry(scene):
    scene.share("cs-clinic", "--purpose", "TREAT", "--days", 7)
    alone = ["TREAT", "--record", scene.record]
    first, own = scene.ask("cs-clinic"), scene.ask("cs-hospital", *alone)
    before = scene.log()
    again, author = scene.ask("cs-clinic"), scene.ask("cs-hospital", *alone)
    assert again["permitted"] and again["reason"] == "PERMITTED" and again["until"] == first["until"]
    assert author["permitted"] and author["reason"] == "AUTHOR" and author["until"] == own["until"]
    assert scene.log() == before


def test_the_patient_sees_what_was_served(scene):
    scene.cannot_read("cs-clinic")
    scene.let_read("cs-clinic")
    reads = scene.c.run("cs-patient", "access", "reads", "--record", scene.record)["reads"]
    clinic = [r["outcome"] for r in reads if r["who"] == scene.c.accounts["cs-clinic"]]
    assert clinic.count("served") >= 1 and clinic[-1] == "refused"
    assert [r["entry"] for r in reads] == sorted((r["entry"] for r in reads), reverse=True)
    assert {r["what"] for r in reads} == {"record"} and {r["item"] for r in reads} == {scene.record}


def test_nobody_else_sees_what_was_served(scene):
    scene.let_read("cs-clinic")
    for name in ("cs-clinic", "cs-hospital", "cs-regulator", "registrar-1"):
        with pytest.raises(Refused):
            scene.c.run(name, "access", "reads", "--record", scene.record)
    kept = (scene.c.data / "blobs" / "audit.log").read_bytes()
    for secret in (scene.c.accounts["cs-clinic"][2:].lower().encode(), b"served", b"outcome"):
        assert secret not in kept  # the operator keeps it sealed


def entries_of(log, folder):
    """Where the sealed entries of a folder stand in the node's audit.log: folder 32, time 8, length 4, JWE."""
    at, content = 0, log.read_bytes()
    while at < len(content):
        length = int.from_bytes(content[at + 40:at + 44], "big")
        if content[at:at + 32] == bytes.fromhex(folder[2:]):
            yield at + 44, length
        at += 44 + length


def test_the_patient_is_told_of_a_changed_log(scene):
    scene.let_read("cs-clinic")
    log = scene.c.data / "blobs" / "audit.log"
    at, length = list(entries_of(log, scene.folder))[-1]
    place = at + length // 2
    with log.open("r+b") as file:
        file.seek(place)
        kept = file.read(1)
        file.seek(place)
        file.write(b"A" if kept != b"A" else b"B")
    try:
        with pytest.raises(Refused) as caught:
            scene.c.run("cs-patient", "access", "reads", "--record", scene.record)
        (node,) = caught.value.report["nodes"]
        assert caught.value.code == 3 and not node["proved"] and "is not the one" in node["fault"]
    finally:
        with log.open("r+b") as file:
            file.seek(place)
            file.write(kept)
    assert scene.c.run("cs-patient", "access", "reads", "--record", scene.record)["reads"]


def test_an_account_in_no_directory(scene):
    with pytest.raises(Refused) as caught:
        scene.ask("cs-stranger")
    assert caught.value.code == 3 and "NotListed" in caught.value.report["error"]
    scene.cannot_read("cs-stranger")


def test_a_patient_cannot_send_but_learns_how(scene):
    with pytest.raises(Refused) as caught:
        scene.c.run("cs-patient", "share", "--folder", scene.folder, "--with", scene.c.accounts["cs-clinic"],
                    "--purpose", "TREAT", "--days", 1, "--send")
    assert caught.value.code == 3 and "--out FILE" in caught.value.report["remedy"]


def test_the_node_refuses_whoever_goes_past_our_client(scene):
    records, consent = scene.contract("records"), scene.contract("consent")
    for name in ("cs-stranger", "cs-regulator", "registrar-1"):
        answer = scene.direct(name, "get", records, scene.record)
        assert answer["status"] == 403, answer
    scene.share("cs-lab", "--purpose", "TREAT", "--days", 7, "--record", scene.record)
    folders, wraps = scene.contract("folders"), item(scene, "wraps", scene.folder, 1)
    assert scene.direct("cs-lab", "get", folders, wraps)["status"] == 403  # one record is no key of the folder
    nothing = subprocess.run(["node", "-e", f"fetch('{scene.c.node.url}/blobs/{records}/{scene.record}')"
                              ".then(a => console.log(a.status))"], capture_output=True, text=True, timeout=30)
    assert nothing.stdout.strip() == "401"
    call = "0x" + selector("access(bytes32,bytes32,uint8)", scene) + scene.folder[2:] + "0" * 64 + "0" * 64
    sent = scene.direct("cs-stranger", "send", consent, call)
    assert sent.get("status") in (0, None), sent  # reverted, or not even taken
    assert scene.c.accounts["cs-stranger"] not in [e["who"] for e in scene.log()]


def keccak(scene, data):
    return scene.c.rpc("web3_sha3", "0x" + data.hex())


def selector(signature, scene):
    return keccak(scene, signature.encode())[2:10]


def item(scene, kind, folder, epoch):
    """keccak256(abi.encode("wraps", folder, epoch)): docs/wire-formats.md §3."""
    words = [(96).to_bytes(32, "big"), bytes.fromhex(folder[2:]), epoch.to_bytes(32, "big")]
    text = len(kind).to_bytes(32, "big") + kind.encode().ljust(32, b"\0")
    return keccak(scene, b"".join(words) + text)


def not_relayed(scene, path, error):
    with pytest.raises(Refused) as caught:
        scene.relay(path)
    assert caught.value.code == 3 and error in caught.value.report["error"]


def test_a_signed_action_cannot_be_changed_or_used_twice(scene):
    path, false = scene.path(), scene.path()
    scene.c.run("cs-patient", "share", "--folder", scene.folder, "--with", scene.c.accounts["cs-regulator"],
                "--purpose", "TREAT", "--days", 1, "--out", path)
    text = path.read_text()
    grantee = scene.c.accounts["cs-regulator"][2:].lower()
    assert text.count(grantee) == 1
    false.write_text(text.replace(grantee, scene.c.accounts["cs-er"][2:].lower()))
    not_relayed(scene, false, "the signature is not of the account")
    scene.relay(path)
    not_relayed(scene, path, "StaleNumber")  # its number is used up
    scene.revoke("cs-regulator")
    assert scene.refused("cs-er") == "NO_GRANT" and scene.refused("cs-regulator") == "REVOKED"


def test_a_later_action_voids_those_that_were_held_back(scene):
    scene.share("cs-regulator", "--purpose", "TREAT", "--days", 1)
    path = scene.path()
    scene.c.run(
        "cs-patient", "revoke", "--folder", scene.folder, "--from", scene.c.accounts["cs-regulator"], "--out", path
    )
    scene.relay(f"{path}.rotate")
    not_relayed(scene, path, "StaleNumber")
    scene.revoke("cs-regulator")
    assert scene.refused("cs-regulator") == "REVOKED"


def test_a_revocation_owes_a_rotation(scene):
    scene.share("cs-regulator", "--purpose", "TREAT", "--days", 1)
    path = scene.path()
    scene.c.run(
        "cs-patient", "revoke", "--folder", scene.folder, "--from", scene.c.accounts["cs-regulator"], "--out", path
    )
    scene.relay(path)
    assert scene.c.run("cs-patient", "folder", "show", scene.folder)["rotationOwed"]
    scene.relay(f"{path}.rotate")
    assert not scene.c.run("cs-patient", "folder", "show", scene.folder)["rotationOwed"]


def test_revoking_ends_the_window_and_the_future(scene):
    scene.let_read("cs-clinic")
    scene.revoke("cs-clinic")
    scene.cannot_read("cs-clinic")  # the window was open: it ended at once
    assert scene.direct("cs-clinic", "get", scene.contract("records"), scene.record)["status"] == 403
    epoch = scene.c.run("cs-patient", "folder", "show", scene.folder)["epoch"]
    wraps = item(scene, "wraps", scene.folder, epoch)
    assert scene.direct("cs-clinic", "get", scene.contract("folders"), wraps)["status"] == 403
    assert scene.direct("cs-trustee", "get", scene.contract("folders"), wraps)["status"] == 200
    assert scene.refused("cs-clinic") == "REVOKED"
    later = scene.add()
    scene.cannot_read("cs-clinic", later)
    assert shows_bundle(scene.read("cs-patient", later))
    with pytest.raises(Refused) as caught:
        scene.revoke("cs-clinic")
    assert caught.value.code == 4  # there is nothing left to revoke


def test_others_read_on_after_a_rotation(scene):
    scene.c.actor("cs-gp", "professional")
    scene.share("cs-gp", "--purpose", "TREAT", "--days", 7)
    scene.c.actor("cs-other", "professional")
    scene.share("cs-other", "--purpose", "TREAT", "--days", 7)
    scene.revoke("cs-other")
    later = scene.add()
    scene.ask("cs-gp")
    assert shows_bundle(scene.read("cs-gp", later))
    assert shows_bundle(scene.read("cs-gp", scene.record))  # of an earlier epoch: through links


def test_only_emergency_actors_break_the_glass(scene):
    with pytest.raises(Refused) as caught:
        scene.c.run("cs-clinic", "break-glass", "--folder", scene.folder, "--reason", REASON)
    assert caught.value.code == 3 and caught.value.report["reason"] == "EMERGENCY_NOT_ALLOWED"
    closed = scene.open_folder()
    with pytest.raises(Refused) as caught:
        scene.c.run("cs-er", "break-glass", "--folder", closed, "--reason", REASON)
    assert caught.value.report["reason"] == "EMERGENCY_NOT_ALLOWED"
    scene.cannot_read("cs-er")


def test_breaking_the_glass(scene):
    scene.share("cs-clinic", "--purpose", "TREAT", "--days", 7)
    scene.revoke("cs-clinic")  # and a rotation
    with pytest.raises(Refused) as caught:
        scene.c.run("cs-er", "break-glass", "--folder", scene.folder, "--reason", REASON, "--wait", 1)
    broken = caught.value.report
    assert caught.value.code == 1 and broken["permitted"] and broken["review"] >= 1 and not broken["keyReleased"]
    scene.cannot_read("cs-er")  # the window is open, but no trustee gave the key
    served = scene.c.run("cs-trustee", "trustee", "serve", "--once")
    assert served == {"failed": 0, "limited": 0, "refused": 0, "released": 1}
    assert scene.c.run("cs-trustee", "trustee", "serve", "--once")["released"] == 0
    assert shows_bundle(scene.read("cs-er"))  # epoch 1, though the folder was rotated since
    latest = scene.add()
    assert shows_bundle(scene.read("cs-er", latest))


def test_the_review(scene):
    scene.c.run("cs-er", "break-glass", "--folder", scene.folder, "--reason", REASON)
    scene.c.run("cs-trustee", "trustee", "serve", "--once")
    assert shows_bundle(scene.read("cs-er"))
    review = scene.review()
    assert review["statedReason"] == REASON and review["state"] == "open" and review["releases"] == 1
    assert review["who"] == scene.c.accounts["cs-er"] and review["windowOpen"]
    others = scene.review("cs-hospital")
    assert "statedReason" not in others
    with pytest.raises(Refused) as caught:
        scene.c.run("cs-clinic", "review", "close", review["review"], "--justified", "--send")
    assert caught.value.code == 3
    scene.signed("review", "close", review["review"], "--unjustified")
    scene.cannot_read("cs-er")  # closing ends the window
    closed = scene.review()
    assert closed["state"] == "unjustified"
    assert scene.log()[0]["reason"] == "EMERGENCY"


def test_a_regulator_closes_a_review(scene):
    broken = scene.c.run("cs-er", "break-glass", "--folder", scene.folder, "--reason", REASON)
    scene.c.run("cs-regulator", "review", "close", broken["review"], "--justified", "--send")
    closed = scene.review()
    assert closed["state"] == "justified" and closed["closedBy"] == scene.c.accounts["cs-regulator"]


def test_waiting_for_a_trustee_that_serves(scene):
    command = [binary(), "trustee", "serve", "--every", "100", "--home", scene.c.home("cs-trustee")]
    serving = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
    try:
        broken = scene.c.run("cs-er", "break-glass", "--folder", scene.folder, "--reason", REASON, "--wait", 30)
        assert broken["keyReleased"] is True
        assert shows_bundle(scene.read("cs-er"))
    finally:
        serving.terminate()
        assert serving.wait(30) == 0


def test_reads_are_anchored_within_a_minute(scene):
    scene.direct("cs-lab", "get", scene.contract("records"), scene.record)

    def newest():
        return scene.c.run("cs-patient", "access", "reads", "--folder", scene.folder, "--limit", 1)["reads"][0]

    assert newest()["who"] == scene.c.accounts["cs-lab"]
    wait_for(lambda: newest()["anchored"], seconds=180, every=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["share", "--folder", "0x12", "--with", "0x" + "11" * 20, "--purpose", "TREAT", "--days", "1", "--send"],
        [
            "share",
            "--folder",
            "0x" + "12" * 32,
            "--with",
            "0x" + "11" * 20,
            "--purpose",
            "CURIOSITY",
            "--days",
            "1",
            "--send",
        ],
        [
            "share",
            "--folder",
            "0x" + "12" * 32,
            "--with",
            "0x" + "11" * 20,
            "--purpose",
            "TREAT",
            "--days",
            "0",
            "--send",
        ],
        ["share", "--folder", "0x" + "12" * 32, "--with", "0x" + "11" * 20, "--purpose", "TREAT", "--days", "1"],
        ["share", "--folder", "0x" + "12" * 32, "--with", "0x" + "11" * 20, "--days", "1", "--send"],
        ["access", "ask", "--folder", "0x" + "12" * 32],
        ["review", "close", "-1", "--justified", "--send"],
        ["review", "close", "1", "--send"],
        ["break-glass", "--folder", "0x" + "12" * 32],
        ["trustee", "serve", "--every", "0"],
    ],
)
def test_wrong_use_is_told(scene, arguments):
    with pytest.raises(Refused) as caught:
        scene.c.run("cs-clinic", *arguments)
    assert caught.value.code == 2 and len(caught.value.report["error"]) > 20


def test_a_changed_key_is_told_until_it_is_accepted(scene):
    """A patient's home pins the keys that it has seen: the same warning at every look, not only at the first."""
    scene.c.actor("cs-renewed", "professional")
    who = scene.c.accounts["cs-renewed"]
    scene.share("cs-renewed", "--purpose", "TREAT", "--days", 1)
    scene.c.run("cs-renewed", "actor", "publish-key")
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            scene.share("cs-renewed", "--purpose", "TREAT", "--days", 1)
        assert caught.value.code == 3 and "another encryption key" in caught.value.stderr
    assert scene.c.run("cs-patient", "actor", "show", "--address", who)["keyChanged"] is True
    scene.share("cs-renewed", "--purpose", "TREAT", "--days", 1, "--accept-changed-key")
    assert scene.c.run("cs-patient", "actor", "show", "--address", who)["keyChanged"] is False


def test_a_home_that_never_saw_an_actor_confirms_a_key_younger_than_48_hours(scene):
    who = scene.c.actor("cs-new-key", "professional")
    scene.c.run("cs-new-key", "actor", "publish-key")
    scene.c.new_home("cs-first-look")
    for _ in range(2):  # a look pins nothing
        assert scene.c.run("cs-first-look", "actor", "show", "--address", who)["keyChanged"] is True
    scene.c.run("cs-first-look", "actor", "show", "--address", who, "--accept-key")
    assert scene.c.run("cs-first-look", "actor", "show", "--address", who)["keyChanged"] is False
