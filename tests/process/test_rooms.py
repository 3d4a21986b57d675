"""The node's room for blobs cannot be filled, silenced or lied to. Each test first says what worked before."""
import json
import os
import socket

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_account import Account

from hospitals import Two, container
from machine import PASSWORD, Consortium, Node, RpcError, wait_for

MIB = 1 << 20
PAGE = 200  # audit entries in one answer
NOWHERE = "0x" + "fe" * 32


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A consortium of its own, since its node is stopped and started."""
    made = Two(Consortium(tmp_path_factory.mktemp("rooms")))
    made.keys["stranger"] = os.urandom(32)
    yield made
    assert made.c.node.stop() == 0, made.c.node.log.read_text()


@pytest.fixture(scope="module")
def record(two):
    return two.add("bl-one")["record"]


def restart(two, stop=lambda node: node.kill()):
    stop(two.c.node)
    two.c.node = Node(two.c.data, "node", port=two.c.node.port)


def reads_of(two, record):
    """The oldest first."""
    return two.c.run("bl-one-patient", "access", "reads", "--record", record)["reads"][::-1]


def code_of(answer):
    return json.loads(answer[1])["code"]


# --- requests ---


@pytest.mark.parametrize("stop", [lambda node: node.kill(), lambda node: node.stop()], ids=["killed", "stopped"])
def test_a_served_request_is_not_served_again_after_a_restart(two, record, stop):
    """Nonces were kept in memory: 200, then 401, and after a restart 200 again."""
    request = two.request("bl-one", "get", "records", record)
    assert two.send_request(request)[0] == 200
    status, body = two.send_request(request)
    assert status == 401 and b"already served" in body
    restart(two, stop)
    status, body = two.send_request(request)
    assert status == 401 and b"already served" in body
    assert two.ask("bl-one", "get", "records", record)[0] == 200  # a new one is served at once


WRONG = {
    "another node": dict(node="0x" + "22" * 20),
    "another chain": dict(genesis="0x" + "33" * 32),
    "another account": dict(account="0x" + "44" * 20),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrongly_addressed_request_puts_nobody_into_an_audit(two, record, wrong):
    """It was answered with 403, and a random account stood in the patient's audit as refused."""
    log = two.c.data / "blobs" / "audit.log"
    before = log.stat().st_size
    for action in ("get", "part", "audit"):
        status, body = two.ask("bl-one", action, "records", record, **wrong)
        assert status == 401 and code_of((status, body)) == "not-authenticated", body
    frame, blob = container(b"wrongly.addressed")
    assert two.ask("bl-one", "put", "records", blob, body=frame, **wrong)[0] == 401
    assert log.stat().st_size == before


def test_a_stranger_leaves_no_trace_and_learns_nothing(two, record):
    """Each request of an unlisted key was an entry in the patient's audit, and took one of 65,536 places for requests
    that all needed; it learned which items exist."""
    log, count = two.c.data / "blobs" / "audit.log", len(reads_of(two, record))
    size = log.stat().st_size
    request = two.request("stranger", "get", "records", record)
    answers = [two.send_request(request) for _ in range(3)]  # a nonce that is not remembered is not used up
    answers += [two.ask("stranger", "part", "records", record), two.ask("stranger", "get", "records", NOWHERE)]
    assert {(status, code_of((status, body))) for status, body in answers} == {(403, "get-refused")}
    assert two.ask("stranger", "audit", "records", record)[0] == 403
    frame, blob = container(b"of.a.stranger")
    assert two.ask("stranger", "put", "records", blob, body=frame)[0] == 403
    assert log.stat().st_size == size and len(reads_of(two, record)) == count
    assert two.ask("bl-two", "get", "records", record)[0] == 403  # listed, and not allowed: that is an entry
    assert len(reads_of(two, record)) == count + 1


def test_a_stranger_takes_no_place_for_large_bodies(two):
    """Four unlisted clients that began to put 60 MiB and sent nothing kept all others' large containers out."""
    _, blob = container(b"never.comes")
    waiting = []
    try:
        for _ in range(5):
            request = two.request("stranger", "put", "records", blob)
            sock = socket.create_connection(("127.0.0.1", two.c.node.port), timeout=20)
            waiting.append(sock)
            path = request.full_url.split(str(two.c.node.port), 1)[1]
            sock.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {60 * MIB}\r\n"
                         f"Authorization: {request.get_header('Authorization')}\r\n\r\n".encode())
        for sock in waiting:
            assert sock.recv(100).startswith(b"HTTP/1.1 403 ")  # before the body
        frame, name = big(100, 6 * MIB)
        assert two.ask("bl-two", "put", "records", name, body=frame)[0] == 201
    finally:
        for sock in waiting:
            sock.close()


# --- audit ---


def test_the_newest_read_is_found_however_many_there_are(two):
    """Listing ended at the oldest 50,000 entries of an item: reads after a flood were hidden."""
    record = two.add("bl-one")["record"]
    many = 2 * PAGE + 7
    for _ in range(many):
        assert two.ask("bl-one", "part", "records", record)[0] == 200
    assert two.ask("bl-two", "get", "records", record)[0] == 403
    reads = reads_of(two, record)
    assert len(reads) == many + 1
    assert [read["outcome"] for read in reads] == ["served"] * many + ["refused"]
    assert reads[-1]["who"] == two.c.accounts["bl-two"]
    restart(two)  # the rows that find entries are there, or are made again from the log
    again = reads_of(two, record)
    assert [{**read, "anchored": True} for read in again] == [{**read, "anchored": True} for read in reads]


def test_rows_of_the_audit_are_made_again_from_the_log(two):
    """What was appended and acknowledged is listed, though the node was killed right behind it; a torn tail is not."""
    record = two.add("bl-one")["record"]
    log = two.c.data / "blobs" / "audit.log"
    for _ in range(3):
        assert two.ask("bl-one", "part", "records", record)[0] == 200
    two.c.node.kill()
    whole = log.stat().st_size
    with log.open("ab") as file:
        file.write(b"\x01" * 100)
    two.c.node = Node(two.c.data, "node", port=two.c.node.port)
    assert log.stat().st_size == whole
    assert len(reads_of(two, record)) == 3


def test_a_log_that_was_cut_is_missed(two, record):
    """What is gone from the log was acknowledged: a node that went on without a word would hide reads."""
    log = two.c.data / "blobs" / "audit.log"
    assert two.ask("bl-one", "get", "records", record)[0] == 200
    two.c.node.stop()
    kept = log.read_bytes()
    log.write_bytes(kept[:-1])
    try:
        with pytest.raises(AssertionError, match="were written and acknowledged"):
            Node(two.c.data, "node", port=two.c.node.port)
    finally:
        log.write_bytes(kept)
        two.c.node = Node(two.c.data, "node", port=two.c.node.port)
    assert reads_of(two, record)[-1]["outcome"] == "served"


def test_a_log_that_the_operator_removed_begins_anew(tmp_path):
    """The way out if it is lost: the node says so in its own log, and what it has anchored on the chain stays."""
    two = Two(Consortium(tmp_path))  # its own, since its patients may be told that entries were changed
    record = two.add("bl-one")["record"]
    log = two.c.data / "blobs" / "audit.log"
    assert two.ask("bl-one", "get", "records", record)[0] == 200
    two.c.node.stop()
    log.unlink()
    two.c.node = Node(two.c.data, "node", port=two.c.node.port)
    assert "a new one begins" in two.c.node.log.read_text()
    assert log.stat().st_size == 0
    assert two.ask("bl-one", "get", "records", record)[0] == 200
    assert log.stat().st_size > 0
    restart(two)
    assert two.ask("bl-one", "get", "records", record)[0] == 200
    assert two.c.node.stop() == 0


# --- sizes and quotas ---


@pytest.mark.parametrize("claimed", [1, 999_999])
def test_a_transaction_cannot_say_another_size_than_its_blob_has(two, claimed):
    """8 MiB that were registered with a size of 1 were served, and no quota noticed."""
    blob = two.put("bl-one", b"honest.bytes." + str(claimed).encode())
    honest, two.sizes[blob] = two.sizes[blob], claimed
    with pytest.raises(RpcError, match="the size that it says is not that of the blob"):
        two.register("bl-one", blob, 7000 + claimed)
    two.sizes[blob] = honest
    assert two.c.node.receipt(two.register("bl-one", blob, 7000 + claimed))["status"] == "0x1"


def big(number, size):
    """Parts are at most 16 MiB."""
    return container(number.to_bytes(4, "big") + os.urandom(size - 16))


def test_what_waits_is_charged_to_its_putter(two):
    """96 MiB were put on a gate that lets an account put 64 MiB a day, all answered with 201; ten minutes of that would
    have filled the disk that the chain lives on."""
    answers = []
    for number in range(9):
        frame, blob = big(number, 8 * MIB - 4096)
        answers.append(two.ask("bl-two", "put", "folders", blob, body=frame))
        if number == 0:  # the same again is not charged again
            assert two.ask("bl-two", "put", "folders", blob, body=frame)[0] == 201
    assert [status for status, _ in answers] == [201] * 8 + [503]
    assert code_of(answers[8]) == "quota-waits"
    frame, blob = container(b"of.another.account")
    assert two.ask("bl-one", "put", "folders", blob, body=frame)[0] == 201
    assert two.ask("bl-two", "put", "records", blob, body=frame)[0] == 201  # another gate, another quota
    for number in range(9):  # where a day's bytes are more than one container's
        frame, blob = big(20 + number, 8 * MIB - 4096)
        assert two.ask("bl-two", "put", "records", blob, body=frame)[0] == 201
    restart(two)
    frame, blob = big(9, 8 * MIB - 4096)
    assert code_of(two.ask("bl-two", "put", "folders", blob, body=frame)) == "quota-waits"


# --- what nobody put in time ---


def missing(two, part, nonce):
    """An item that a transaction named and no node holds: two transactions name one blob, which becomes the content of
    the first. Both records, and the frame."""
    frame, blob = container(part)
    assert two.put("bl-one", part) == blob
    account = Account.from_key(two.keys["bl-one"]).address
    count = int(two.c.rpc("eth_getTransactionCount", account, "pending"), 16)
    second = two.register("bl-one", blob, nonce + 1, count=count + 1)  # waits behind a gap
    first = two.register("bl-one", blob, nonce, count=count)
    records = []
    for tx in (first, second):
        receipt = two.c.node.receipt(tx)
        assert receipt["status"] == "0x1"
        named = [log for log in receipt["logs"] if len(log["topics"]) == 3 and log["topics"][2] == blob]
        records.append(named[0]["topics"][1])
    assert two.ask("bl-one", "get", "records", records[0]) == (200, frame)
    status, body = two.ask("bl-one", "get", "records", records[1])
    assert status == 404 and code_of((status, body)) == "not-here"
    return records[1], blob, frame


def test_what_was_named_and_never_put_can_be_put_later(two):
    """It was lost for ever: a relay destroyed a folder by sending the patient's rotation without its wraps."""
    record, blob, frame = missing(two, b"put.later", 9000)
    assert two.ask("stranger", "put", "records", blob, body=frame)[0] == 403
    other, other_name = container(b"put.later.but.not.this")
    assert two.ask("bl-two", "put", "records", blob, body=other)[0] == 409
    assert two.ask("bl-two", "put", "records", blob, body=frame)[0] == 201  # any listed actor
    assert two.ask("bl-one", "get", "records", record) == (200, frame)
    restart(two)
    assert two.ask("bl-one", "get", "records", record) == (200, frame)


def test_nothing_is_put_later_once_it_is_erased(two):
    record, blob, frame = missing(two, b"put.too.late", 9100)
    path = two.c.folder / "rooms-erase.json"
    two.c.run("bl-one-patient", "record", "erase", record, "--out", path)
    two.c.run("bl-one", "relay", path)
    wait_for(lambda: two.c.run("bl-one-patient", "record", "status", record)["erasureConfirmedBy"])
    assert two.ask("bl-one", "put", "records", blob, body=frame)[0] == 201  # waits, as any blob that it may put
    assert two.ask("bl-one", "get", "records", record)[0] == 410


def test_a_grant_that_is_given_again_can_be_read_again(two):
    """Its item stayed erased for the epoch: revoked, shared again, and 410 for ever."""
    record, reader = two.add("bl-one")["record"], two.c.actor("bl-reader", "professional")
    path = two.c.folder / "rooms-grant.json"

    def act(*arguments):
        two.c.run("bl-one-patient", *arguments, "--out", path)
        two.c.run("bl-one", "relay", path)

    share = ["share", "--folder", two.folders["bl-one"], "--with", reader, "--purpose", "TREAT",
             "--days", 1]
    act(*share)
    act("revoke", "--folder", two.folders["bl-one"], "--from", reader)
    act(*share)
    two.c.run("bl-reader", "access", "ask", "--folder", two.folders["bl-one"], "--purpose", "TREAT")
    read = two.c.folder / "rooms-read.json"
    two.c.run("bl-reader", "record", "read", record, "--out", read)
    assert b"Patient" in read.read_bytes()


# --- whose transactions are taken ---


def test_a_listed_only_chain_takes_nothing_of_strangers(tmp_path):
    """An account that nobody knew wrote 20,000 slots a second, for ever and for nothing, where fees are zero."""
    chain = Consortium(tmp_path, init_options=("--listed-only",))  # deploying and listing work all the same
    try:
        assert chain.rpc("xinglin_chainInfo")["admission"] == json.loads(chain.deployment.read_text())["directory"]["address"].lower()
        chain.actor("listed", "hospital")
        keystore = (chain.home("listed") / "wallet" / "account.json").read_text()
        fields = {"gas": 100_000, "value": 0, "type": 2, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "nonce": 0,
                  "chainId": int(chain.rpc("eth_chainId"), 16), "data": "0x600160005500"}
        signed = Account.create().sign_transaction(fields)
        head = chain.node.head()
        with pytest.raises(RpcError, match="takes no transactions of this sender"):
            chain.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
        assert chain.node.head() == head and chain.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}
        signed = Account.from_key(Account.decrypt(keystore, PASSWORD)).sign_transaction(fields)
        assert chain.node.receipt(chain.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex()))
    finally:
        assert chain.node.stop() == 0
