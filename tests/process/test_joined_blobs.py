"""A member that joined by a snapshot has what was named before it, by the word of the others; and nothing else."""
import contextlib
import http.server
import json
import re
import signal

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_account import Account
from groves import Grove, answered_by, gone
from machine import wait_for
from members import change
from test_member_blobs import is_on_disk, log_of, withheld
from test_state_sync import configure, joiner, snapshot

BLOCKS = 10
SNAPSHOT_BLOCKS_BYTES = 8 << 20  # of the newest blocks, in a snapshot
FILLER_BYTES = 100_000
FILLER = Account.from_key(b"\x5a" * 32)
NAMES_PATH = "/members/names"


def bury(grove):
    """So many bytes of blocks follow that no snapshot has the blocks before them."""
    for nonce in range(SNAPSHOT_BLOCKS_BYTES // FILLER_BYTES + 2):
        fields = {"to": "0x" + "12" * 20, "value": 0, "gas": 10_000_000, "gasPrice": 0, "nonce": nonce}
        signed = FILLER.sign_transaction({"chainId": grove.described["chainId"], "data": bytes(FILLER_BYTES), **fields})
        sent = grove.members[0].rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    wait_for(lambda: grove.members[0].rpc("eth_getTransactionReceipt", sent), 120)


def settle(grove):
    """Each member has a snapshot of everything so far, and no snapshot has the blocks that named it."""
    bury(grove)
    for member in grove.members:
        with gone(member):
            configure(member, snapshot_blocks=BLOCKS)
    newest = int(grove.members[0].head()["number"], 16)

    def is_made():
        grove.add()
        return all(any(int(one["number"], 16) >= newest for one in snapshot(member)) for member in grove.members)

    wait_for(is_made, 120)


def join(grove, name, *options, **how):
    member, _ = joiner(grove.folder / "grove", name, grove.members[:3], *options, **how)
    configure(member, snapshot_blocks=BLOCKS)
    return member


@contextlib.contextmanager
def inventing(grove, member, joined):
    """At the member's HTTP port somebody says that the chain names what it does not, and nothing else. Who says so of a
    block that the joiner has not followed yet is passed over without a word; so it does for the snapshot's own."""
    gate = bytes.fromhex(grove.described["records"]["address"][2:])
    name = gate + b"\x66" * 32 + b"\x77" * 32 + (100).to_bytes(8, "big")

    def newest():
        return json.dumps({"number": int(grove.members[0].head()["number"], 16)}).encode()

    def followed():
        return int(re.search(r"what was named up to block (\d+) is asked", log_of(joined))[1])

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            is_asked = self.path == "/members/head"
            self.answer(200 if is_asked else 500, newest() if is_asked else b"")

        def do_POST(self):
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != NAMES_PATH:
                return self.answer(200, withheld(asked))
            names = [name] if asked[4:56] < name[:52] else []
            head = b"XLP1" + followed().to_bytes(8, "big") + b"\1" + len(names).to_bytes(4, "big")
            self.answer(200, head + b"".join(names))

        def log_message(self, *_):
            pass

    with answered_by(member, Handler):
        yield


@pytest.fixture
def grove(tmp_path):
    made = Grove(tmp_path)
    yield made
    made.close()


def vote_in(grove, member):
    change(grove.members[:4], "--joins", member.account, "--key", member.key, "--node", member.node)


def test_a_member_that_joined_by_a_snapshot_serves_all_that_stands_and_nothing_that_was_erased(grove):
    kept = [grove.add(member)["record"] for member in grove.members]
    erased = grove.add()["record"]
    grove.wait_everywhere(erased)
    content = grove.content(grove.members[0], erased)
    contents = {record: grove.content(grove.members[0], record) for record in kept}
    grove.erase(erased)
    settle(grove)
    late = grove.add()["record"]
    contents[late] = grove.content(grove.members[0], late)
    fifth = join(grove, "fifth")
    vote_in(grove, fifth)
    grove.members.append(fifth.start())
    answers = set()

    def is_served():
        with contextlib.suppress(OSError):
            status, body = grove.ask(fifth, "get", kept[0])
            answers.add(status)
            return status == 200 and body == contents[kept[0]]

    wait_for(is_served, 120)
    assert "is taken in" in log_of(fifth) and answers <= {200, 403, 404, 503}
    grove.members[0].end(signal.SIGKILL)
    for record, honest in contents.items():
        wait_for(lambda: grove.content(fifth, record) == honest, 60)
        assert grove.at(fifth, "hospital", "record", "read", record)["resources"]
    assert grove.ask(fifth, "get", erased)[0] in (403, 404, 410)
    assert not is_on_disk(fifth, content)
    assert "are known by the word of the other members" in log_of(fifth)


def test_a_member_that_invents_names_is_named_and_adds_none(grove):
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    honest = grove.content(grove.members[0], record)
    settle(grove)
    fifth, liar = join(grove, "fifth"), grove.members[3]
    vote_in(grove, fifth)
    with inventing(grove, liar, fifth):
        grove.members.append(fifth.start())
        wait_for(lambda: grove.content(fifth, record) == honest, 120)
        line = next(line for line in log_of(fifth).splitlines() if "it says that the chain names this so" in line)
        assert liar.node[2:] in line and "66" * 32 in line
        assert grove.ask(fifth, "get", "0x" + "66" * 32)[0] in (403, 404)


def test_a_follower_that_its_members_know_has_every_blob(grove):
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    honest = grove.content(grove.members[0], record)
    settle(grove)
    follower = join(grove, "follower", what=("follower",))
    stranger = join(grove, "stranger", what=("follower",))
    for member in grove.members:
        with gone(member):
            configure(member, followers=follower.node)
    grove.members += [follower.start(), stranger.start()]
    wait_for(lambda: grove.content(follower, record) == honest, 120)
    later = grove.add()["record"]
    wait_for(lambda: grove.content(follower, later), 60)
    assert len(grove.members[0].validators()) == 4
    assert grove.content(stranger, record) is None
