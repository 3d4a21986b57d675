"""Sealed content among the members of a consortium: every member keeps it, whoever was given it."""
import contextlib
import hashlib
import http.server
import json
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
import members
from groves import Grove, answered_by, gone
from hospitals import container
from machine import binary, wait_for

MEMBERS_PATH = "/members/blobs"


@pytest.fixture(scope="module")
def grove(tmp_path_factory):
    made = Grove(tmp_path_factory.mktemp("grove"))
    yield made
    made.close()


@contextlib.contextmanager
def instead_of(member, answer):
    """At the member's HTTP port somebody else answers what other members ask: `answer(wishes)` gives the body."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == MEMBERS_PATH:
                asked.append(body)
            said = answer(body) if self.path == MEMBERS_PATH else None
            self.send_response(200 if said is not None else 500)
            self.send_header("Content-Length", str(len(said or b"")))
            self.end_headers()
            self.wfile.write(said or b"")

        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with answered_by(member, Handler):
        yield asked


def node_of(key):
    return hashlib.sha256(key).digest()[:20]


def is_receipt(grove, receipt, blob, size):
    """Did the member whose node has this key sign for this container of the hospital's?"""
    key = bytes.fromhex(receipt["key"][2:])
    text = b"xinglin held 1\n" + bytes.fromhex(grove.described["genesis"][2:]) + bytes.fromhex(
        grove.described["records"]["address"][2:]) + bytes.fromhex(blob[2:]) + size.to_bytes(8, "big") + bytes.fromhex(
        grove.accounts["hospital"][2:]) + receipt["time"].to_bytes(8, "big")
    public = ECC.import_key(bytes.fromhex("302a300506032b6570032100") + key)
    eddsa.new(public, "rfc8032").verify(text, bytes.fromhex(receipt["signature"][2:]))  # raises if it is not
    return any(bytes.fromhex(member.node[2:]) == node_of(key) for member in grove.members)


def put(grove, member, part, **other):
    frame, blob = container(part)
    status, answer = grove.ask(member, "put", blob, frame, **other)
    assert status == 201, answer
    return json.loads(answer), blob, len(frame)


def log_of(member):
    return member.log.read_text()


SEGMENT_HEAD = 104  # "XSEG", length, label, two sums; the content follows


def segments_of(member):
    return sorted((member.folder / "blobs" / "segments").glob("*.seg"))


def is_on_disk(member, content):
    return any(content in file.read_bytes() for file in segments_of(member))


def damage(member):
    """Flips a bit in each content that the member has."""
    for file in segments_of(member):
        with open(file, "r+b") as segment:
            at = 0
            while (head := segment.read(SEGMENT_HEAD)).startswith(b"XSEG"):
                size = int.from_bytes(head[4:8], "big")
                at += SEGMENT_HEAD + size
                segment.seek(at - 1)
                last = segment.read(1)
                segment.seek(at - 1)
                segment.write(bytes([last[0] ^ 1]))


# --- every member keeps it ---


def test_what_one_member_was_given_every_member_serves(grove):
    added = grove.add(grove.members[0])
    grove.wait_everywhere(added["record"])
    contents = {grove.content(member, added["record"]) for member in grove.members}
    assert len(contents) == 1


def test_a_record_is_read_after_the_member_that_took_it_is_gone(grove):
    giver, reader = grove.members[1], grove.members[2]
    added = grove.add(giver)
    with gone(giver):
        wait_for(lambda: grove.content(reader, added["record"]), 60)
        assert grove.at(reader, "hospital", "record", "read", added["record"])["resources"]


def test_a_put_is_answered_with_the_receipts_of_more_members_than_may_lie(grove):
    for number, member in enumerate(grove.members):
        said, blob, size = put(grove, member, b"put.at.%d" % number)
        assert len(said["held"]) == 2  # of four members one may lie
        assert len({receipt["key"] for receipt in said["held"]}) == 2
        assert all(is_receipt(grove, receipt, blob, size) for receipt in said["held"])
    said, _, _ = put(grove, grove.members[0], b"put.here.alone", here=True)
    assert len(said["held"]) == 1


def test_a_put_goes_round_a_member_that_does_not_answer(grove):
    with gone(grove.members[3]):
        for number in range(4):
            said, blob, size = put(grove, grove.members[0], b"while.one.is.gone.%d" % number)
            assert len(said["held"]) == 2 and all(is_receipt(grove, one, blob, size) for one in said["held"])


def test_a_record_that_two_members_hold_before_it_is_sent_outlives_the_one_that_took_it(grove):
    """The member dies with the transaction: one of the others has the content already."""
    giver = grove.members[0]
    added = grove.add(giver)
    with gone(giver):
        others = [member for member in grove.members if member is not giver]
        wait_for(lambda: all(grove.content(member, added["record"]) for member in others), 60)


# --- what is lost comes again ---


def test_a_member_whose_blobs_are_lost_has_them_again(grove):
    record, member = grove.add()["record"], grove.members[3]
    grove.wait_everywhere(record)
    honest = grove.content(grove.members[0], record)
    with gone(member):
        shutil.rmtree(member.folder / "blobs" / "segments")
    wait_for(lambda: grove.content(member, record) == honest, 60)
    assert is_on_disk(member, honest)


def test_a_content_that_changed_on_the_disk_is_not_served_and_comes_again(grove):
    record, member = grove.add()["record"], grove.members[2]
    grove.wait_everywhere(record)
    honest = grove.content(grove.members[0], record)
    damage(member)
    status, _ = grove.ask(member, "get", record)
    assert status == 404, "changed bytes were served"
    wait_for(lambda: grove.content(member, record) == honest, 60)


# --- members that lie ---


def forged(wishes):
    """A container for each wish, of another name."""
    count = int.from_bytes(wishes[4:8], "big")
    frame = container(b"forged")[0]
    return b"XLA1" + wishes[4:8] + count * (b"\1" + len(frame).to_bytes(4, "big")) + count * frame


def withheld(wishes):
    count = int.from_bytes(wishes[4:8], "big")
    return b"XLA1" + wishes[4:8] + count * (b"\2" + bytes(4))


def test_a_member_that_serves_forged_content_is_named_and_another_is_asked(grove):
    liar, victim = grove.members[1], grove.members[3]
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    honest = grove.content(grove.members[0], record)
    with instead_of(liar, forged):
        for _ in range(60):  # until the liar is the first to be asked
            damage(victim)
            wait_for(lambda: grove.content(victim, record) == honest, 60)
            if "serves what is not the blob" in log_of(victim):
                break
        line = next(line for line in log_of(victim).splitlines() if "serves what is not the blob" in line)
        assert liar.node[2:] in line


def test_a_member_that_withholds_is_passed_over(grove):
    quiet, victim = grove.members[1], grove.members[3]
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    with instead_of(quiet, withheld):
        for _ in range(3):
            damage(victim)
            wait_for(lambda: grove.content(victim, record), 60)


def test_only_members_are_given_blobs(grove):
    """A stranger's key, a request for another member, an old one."""
    body = b"XLQ1" + (1).to_bytes(4, "big") + bytes(84)
    url = grove.members[0].url + MEMBERS_PATH
    for authorization in (None, "Xinglin-Member", "Xinglin-Member key=0x" + "11" * 32 + ",expiry=1,signature=0x" +
                          "22" * 64):
        headers = {"Authorization": authorization} if authorization else {}
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20)
        assert refused.value.code == 401


# --- erasing ---


def test_a_member_that_was_down_never_serves_what_was_erased_meanwhile(grove):
    record, member = grove.add()["record"], grove.members[3]
    grove.wait_everywhere(record)
    content = grove.content(member, record)
    with gone(member):
        grove.erase(record)
        member.start()
        answers = set()

        def is_erased():
            with contextlib.suppress(OSError):
                answers.add(grove.ask(member, "get", record)[0])
            return 410 in answers

        wait_for(is_erased, 60, every=0.005)
    assert 200 not in answers and answers <= {403, 410, 503}  # 403: the block is there, and its events not yet
    assert not is_on_disk(member, content)


def test_an_erasure_is_confirmed_by_every_member(grove):
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    content = grove.content(grove.members[0], record)
    assert all(is_on_disk(member, content) for member in grove.members)
    grove.erase(record)

    def confirmed():
        return grove.run("patient", "record", "status", record)["erasureConfirmedBy"]

    wait_for(lambda: len(confirmed()) == 4, 60, every=0.5)
    assert not any(is_on_disk(member, content) for member in grove.members)


# --- settings ---


@pytest.mark.parametrize("peer", ["nobody", "0x12@http://127.0.0.1:1", "0x" + "12" * 20 + "@ftp://x"])
def test_a_malformed_place_of_a_member_is_refused(tmp_path, peer):
    report = members.init(tmp_path / "net", 1)["members"][0]
    done = subprocess.run([binary(), "node", "--config", report["config"], "--blob-peers", peer],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "blob-peers" in done.stderr and peer in done.stderr
