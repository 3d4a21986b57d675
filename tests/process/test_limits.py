"""What a client may cost: every limit of docs/operations.md#limits, against a real node. Bombs end with the right
error, others are
served meanwhile, and the process never takes more memory than MEMORY_BOUND.

XINGLIN_OFFERED sets how many transactions the pool is offered (80,000, which is more than it takes; `make soak`: a million).
"""
import http.client
import json
import os
import re
import socket
import subprocess
import time

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_utils import keccak

from machine import Node, RpcError, binary, rpc, wait_for

OFFERED = int(os.environ.get("XINGLIN_OFFERED", "80000"))
# 256 MiB for the database, 512 MiB that may wait for clients (net/http_server.h), 256 MiB of waiting transactions and
# as much for their
# index, 128 MiB for each of two threads at work; the rest is the program.
MEMORY_BOUND = 1536 << 20
BOMB, OTHER = "0x" + "b0" * 20, "0x" + "0e" * 20
SECONDS = 60  # generous: the machine may be busy


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("limits") / "node")
    yield node
    assert peak_memory(node) < MEMORY_BOUND
    print(f"most memory that the node ever took: {peak_memory(node) >> 20} MiB")
    assert node.stop() == 0, node.log.read_text()


def peak_memory(node):
    with open(f"/proc/{node.process.pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) << 10


def fails(node, method, *params):
    """The error; and the node answers others."""
    began = time.monotonic()
    with pytest.raises(RpcError) as caught:
        node.rpc(method, *params, timeout=SECONDS)
    assert time.monotonic() - began < SECONDS
    assert node.rpc("eth_chainId") == "0x7a69"
    return caught.value


# --- code ---

def push(number):
    data = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(data)]) + data


def static_call(to, input_size, output_size=0):
    """Of `to`, with what stands at the beginning of memory, and all gas."""
    return push(output_size) + push(0) + push(input_size) + push(0) + push(to) + b"\x5a\xfa\x50"


def endless(body, data=b""):
    """`data` into memory, then `body` again and again."""
    for _ in range(2):
        before = push(len(data)) + push(0xFFFF if _ == 0 else offset) + b"\x5f\x39"
        code = before.ljust(16, b"\x5b") + b"\x5b" + body + push(16) + b"\x56"
        offset = len(code)
        before = push(len(data)) + (b"\x61" + offset.to_bytes(2, "big")) + b"\x5f\x39"
    return before.ljust(16, b"\x5b") + b"\x5b" + body + push(16) + b"\x56" + data


def run(node, code, others={}, **fields):
    overrides = {BOMB: {"code": "0x" + code.hex()}, **{at: {"code": "0x" + c.hex()} for at, c in others.items()}}
    return fails(node, "eth_call", {"to": BOMB, **fields}, "latest", overrides)


def word(number):
    return number.to_bytes(32, "big")


def modexp(base, exponent, modulus):
    return word(len(base)) + word(len(exponent)) + word(len(modulus)) + base + exponent + modulus


P1 = word(1) + word(2)
P2 = b"".join(word(n) for n in (
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
    8495653923123431417604973247489272438418190587263600148770280649306958101930))
BLS_PAIR = "".join(n.rjust(128, "0") for n in (  # the generators of both groups
    "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
    "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
    "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
    "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
    "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be"))
FULL = bytes(range(1, 256)) * 5
CODE_24K = b"\x00" + b"\x5b" * 24575
HASH_CODE = push(int(OTHER, 16)) + b"\x3f\x50"
COPY_CODE = push(24576) + b"\x5f\x5f" + push(int(OTHER, 16)) + b"\x3c"
BOMBS = {
    "a flat loop": endless(b"\x60\x01\x50"),
    "calls of 24 kB of code": endless(static_call(int(OTHER, 16), 0)),
    "its hash": endless(HASH_CODE),
    "copies of it": endless(COPY_CODE),
    "jumps in 24 kB of code": b"\x5b" * 24570 + b"\x5f\x56",
    "creations of 48 kB of init code": endless(push(49152) + b"\x5f\x5f\xf0\x50"),
    "creations by salt": endless(push(7) + push(49152) + b"\x5f\x5f\xf5\x50"),
    "keccak of much": endless(push(1 << 20) + b"\x5f\x20\x50"),
    "exponentiations": endless(b"\x5f\x19\x80\x0a\x50"),
    "memory moved": endless(push(1 << 20) + b"\x5f\x60\x01\x5e"),
    "logs of much": endless(push(1 << 16) + b"\x5f\xa0"),
    "slots never seen": endless(b"\x5a\x54\x50"),
    "accounts never seen": endless(b"\x5a\x31\x50"),
    "transient slots": endless(b"\x5a\x80\x5d"),
    "ecrecover": endless(static_call(1, 128), keccak(b"x") + word(27) + word(5) + word(9)),
    "sha-256": endless(static_call(2, 1 << 20)),
    "modexp, 32 bytes": endless(static_call(5, 192), modexp(FULL[:32], FULL[32:64], FULL[64:95] + b"\xff")),
    "modexp, 32 bytes, even": endless(static_call(5, 192), modexp(FULL[:32], FULL[32:64], FULL[64:95] + b"\xf0")),
    "modexp, 256 bytes": endless(static_call(5, 864), modexp(FULL[:256], FULL[:256], FULL[:255] + b"\xff")),
    "modexp, 1024 bytes, even": endless(static_call(5, 2080), modexp(FULL[:1024], b"\xff" * 32, FULL[:1023] + b"\xf0")),
    "modexp, 1024 bytes": endless(static_call(5, 3168), modexp(FULL[:1024], FULL[:1024], FULL[:1023] + b"\xff")),
    "bn254 multiplications": endless(static_call(7, 96), P1 + b"\xff" * 32),
    "bn254 pairings": endless(static_call(8, 192), P1 + P2),
    "bn254 pairings of many": endless(static_call(8, 192 * 64), (P1 + P2) * 64),
    "blake2f": endless(static_call(9, 213), (10**6).to_bytes(4, "big") + bytes(208) + b"\x01"),
    "kzg": endless(static_call(10, 192), bytes(192)),
    "bls12 g1 additions": endless(static_call(11, 256), bytes(256)),
    "bls12 pairings": endless(static_call(15, 384), bytes.fromhex(BLS_PAIR)),
    "p256": endless(static_call(0x100, 160), FULL[:160]),
    "recursion": push(0) * 5 + b"\x30\x5a\xf1" + endless(b"\x60\x01\x50")[16:17] + b"\x00",
    "returned data": endless(static_call(int("0c" * 20, 16), 0, 1 << 18)),
}
RETURNS_MUCH = push(1 << 20) + b"\x5f\xf3"


@pytest.mark.parametrize("name", [name for name in BOMBS if name != "recursion"])
def test_a_call_that_never_ends(node, name):
    """Gas ends it, or five seconds."""
    began = time.monotonic()
    error = run(node, BOMBS[name], {OTHER: CODE_24K, "0x" + "0c" * 20: RETURNS_MUCH})
    assert error.code == -32000
    assert error.message == "out of gas" or error.message == "execution aborted (timeout = 5s)", error
    print(f"{name}: {error.message} after {time.monotonic() - began:.2f} s")


def test_the_deepest_call(tmp_path, start_node):
    """1,024 frames, which needs more gas than one call gets by default; and calls that only time ends."""
    node = start_node(None, "dev", "--rpc-gascap", str(10**15), "--rpc-evmtimeout", "500")
    deepest = push(0) * 5 + b"\x30\x5a\xf1\x15" + push(20) + b"\x57\x00"  # STOP where the call went well
    code = deepest.ljust(20, b"\x00") + b"\x5b\x00"
    override = {BOMB: {"code": "0x" + code.hex()}}
    assert node.rpc("eth_call", {"to": BOMB}, "latest", override, timeout=SECONDS) == "0x"
    error = run(node, endless(static_call(4, 0)))
    assert (error.code, error.message) == (-32000, "execution aborted (timeout = 500ms)")
    # Twice at every level: 2^1024 calls.
    twice = (push(0) * 5 + b"\x30\x5a\xf1\x50") * 2
    assert run(node, twice).message == "execution aborted (timeout = 500ms)"
    # an estimate stops at what a transaction may have (EIP-7825)
    for method in ("eth_createAccessList", "debug_traceCall"):
        override = {BOMB: {"code": "0x" + twice.hex()}}
        config = {"stateOverrides": override, "tracer": "callTracer"} if method == "debug_traceCall" else override
        error = fails(node, method, {"to": BOMB}, "latest", config)
        assert error.code in (-32000, -32003), error
    assert peak_memory(node) < MEMORY_BOUND


def test_memory_is_paid_for(node):
    # In geth's words: too dear; of a size that has no price; ending beyond 64 bits.
    offsets = {
        "out of gas": [1 << 30],
        "out of gas: gas uint64 overflow": [1 << 40],
        "gas uint64 overflow": [(1 << 64) - 1, 1 << 64, (1 << 256) - 1],
    }
    for message, values in offsets.items():
        for offset in values:
            assert run(node, push(1) + push(offset) + b"\x52").message == message, offset
    assert run(node, endless(b"\x59\x60\x20\x01\x51\x50")).message == "out of gas"  # a word more each time


# --- answers ---

def test_large_outputs(node):
    """Four MiB returned are an answer; many such in a batch are too large, and what follows is not carried out."""
    override = {BOMB: {"code": "0x" + (push(4 << 20) + b"\x5f\xf3").hex()}}
    call = {"jsonrpc": "2.0", "method": "eth_call", "params": [{"to": BOMB}, "latest", override]}
    assert len(node.rpc("eth_call", *call["params"])) == 2 + (8 << 20)
    answers = json.loads(node.post([{**call, "id": i} for i in range(1000)]))
    codes = [answer.get("error", {}).get("code") for answer in answers]
    assert codes == [None] * 2 + [-32003] * 998
    assert {answer["error"]["message"] for answer in answers[2:]} == {"response too large"}
    error = run(node, push(4 << 20) + b"\x5f\xfd")
    assert error.code == 3 and len(error.data) == 2 + (8 << 20)


def test_batches(node):
    call = {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId"}
    assert len(json.loads(node.post([call] * 1000))) == 1000
    answer, = json.loads(node.post([{"jsonrpc": "2.0", "method": "eth_chainId"}] + [call] * 1000))
    assert answer == {"jsonrpc": "2.0", "id": 7, "error": {"code": -32600, "message": "batch too large"}}


@pytest.fixture(scope="module")
def long_transaction(node):
    """A sealed one that takes as many steps, and one that makes as many calls, as 16,777,216 gas allow."""
    sender = node.rpc("eth_accounts")[0]
    hashes = []
    for code in (endless(b"\x60\x01\x50"), endless(static_call(4, 0))):
        node.rpc("anvil_setCode", BOMB, "0x" + code.hex())
        hashes.append(node.rpc("eth_sendTransaction", {"from": sender, "to": BOMB, "gas": hex(2**24)}))
        assert node.receipt(hashes[-1], seconds=SECONDS)["gasUsed"] == hex(2**24)
    return hashes


@pytest.mark.parametrize("config", [{}, {"enableMemory": True}, {"disableStack": True}, {"tracer": "callTracer"}],
                         ids=["steps", "memory", "no stack", "calls"])
def test_long_traces(node, long_transaction, config):
    steps, calls = long_transaction
    error = fails(node, "debug_traceTransaction", calls if "tracer" in config else steps, config)
    assert (error.code, error.message) in ((-32003, "response too large"), (-32000, "execution aborted (timeout = 5s)"))
    if "tracer" not in config:
        assert (
            len(node.rpc("debug_traceTransaction", steps, {**config, "limit": 100}, timeout=SECONDS)["structLogs"])
            == 100
        )


def test_simulations(node):
    blocks = lambda count, calls: {"blockStateCalls": [{"calls": [{}] * calls}] * count}
    assert fails(node, "eth_simulateV1", blocks(257, 1)).code == -38026
    assert fails(node, "eth_simulateV1", blocks(1, 5001)).code == -38026
    assert fails(node, "eth_simulateV1", blocks(150, 5000)).code < 0  # of 750,000 calls gas allows 2,380
    assert (
        fails(node, "eth_simulateV1", {"blockStateCalls": [{"blockOverrides": {"number": hex(2**63)}}]}).code == -38026
    )
    endless_calls = {"blockStateCalls": [{"stateOverrides": {BOMB: {"code": "0x" + BOMBS["bn254 pairings"].hex()}},
                                          "calls": [{"to": BOMB}] * 100}]}
    try:
        assert node.rpc("eth_simulateV1", endless_calls, timeout=SECONDS)[0]["calls"][0]["status"] == "0x0"
    except RpcError as error:
        assert error.code < 0


# --- filters ---

def test_filters(tmp_path, start_node):
    node = start_node()
    filters = [node.rpc("eth_newFilter", {}) for _ in range(1024)]
    error = fails(node, "eth_newBlockFilter")
    assert error.code == -32000 and "too many filters" in error.message
    assert node.rpc("eth_uninstallFilter", filters[0])
    assert node.rpc("eth_newBlockFilter")
    many = ["0x" + f"{i:040x}" for i in range(1001)]
    assert fails(node, "eth_getLogs", {"address": many}).code == -32602
    assert fails(node, "eth_getLogs", {"topics": [["0x" + f"{i:064x}" for i in range(1001)]]}).code == -32602
    assert fails(node, "eth_getLogs", {"topics": [None] * 5}).code == -32602
    assert node.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": many[:1000]}) == []


def test_more_logs_than_one_answer_holds(node):
    """One transaction of 16,777,216 gas writes some 40,000 empty logs."""
    code = b"\x5b\x5f\x5f\xa0" + push(1000) + b"\x5a\x11\x5f\x57\x00"
    node.rpc("anvil_setCode", OTHER, "0x" + code.hex())
    sent = node.rpc("eth_sendTransaction", {"from": node.rpc("eth_accounts")[0], "to": OTHER, "gas": hex(2**24)})
    assert node.receipt(sent, seconds=SECONDS)["status"] == "0x1"
    error = fails(node, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": OTHER})
    assert error.code == -32000 and "more than 10000 logs" in error.message


# --- bytes ---

CALL = b'{"jsonrpc":"2.0","id":%s,"method":"eth_chainId"%s}'
TEXTS = {
    "brackets": (b"[" * (5 << 20), -32700),
    "braces": (b'{"a":' * (1 << 19), -32700),
    "a list in an argument": (CALL % (b"1", b',"params":' + b"[" * 100 + b"]" * 100), -32700),
    "more than a million values": (b"[" + b"1," * 1_000_001 + b"1]", -32700),
    "a number of a million digits": (CALL % (b"1", b',"params":[' + b"9" * 10**6 + b"]"), -32602),
    "an exponent": (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":[1e999999999,false]}', -32602),
    "a block number of a million digits": (
        b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x' + b"f" * 10**6 + b'",false]}',
        -32602,
    ),
    "text that is no UTF-8": (CALL % (b'"\xc0\xaf"', b""), -32700),
    "half a surrogate": (CALL % (b'"\\ud800"', b""), -32700),
    "a NUL": (CALL % (b"1\0", b""), -32700),
    "a method twice": (CALL % (b"1", b',"method":"eth_accounts"'), -32700),
    "a long method": (b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 10**6 + b'"}', -32601),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(node, name):
    body, code = TEXTS[name]
    answer = json.loads(node.post(body))
    assert answer["error"]["code"] == code and len(answer["error"]["message"]) < 2000
    assert node.rpc("eth_chainId") == "0x7a69"


def exchange(node, text, seconds=SECONDS):
    """What comes back until the other side closes, or the first answer is whole."""
    with socket.create_connection(("127.0.0.1", node.port), timeout=seconds) as client:
        try:
            client.sendall(text)
        except OSError:
            pass  # refused before it was all sent
        answer = b""
        while part := client.recv(65536):
            answer += part
            length = re.search(rb"\r\ncontent-length: (\d+)\r\n", answer, re.I)
            if length and len(answer) >= answer.index(b"\r\n\r\n") + 4 + int(length[1]):
                break
        return answer


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = CALL % (b"1", b"")
SMUGGLED = b"0\r\n\r\nPOST / HTTP/1.1\r\nHost: localhost\r\n\r\n"
REQUESTS = {
    "two lengths": (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + SMUGGLED, 400),
    "the same length twice": (HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n" + SMUGGLED, 400),
    "a length and chunks": (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED, 400),
    "chunked twice": (HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + SMUGGLED, 400),
    "another coding": (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED, 501),
    "a signed length": (HEAD + b"Content-Length: +5\r\n\r\n" + SMUGGLED, 400),
    "a length over 64 bits": (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", 413),
    "a chunk over 64 bits": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n", 413),
    "a chunk of a negative size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
    "a body of 5 MiB and a byte": (HEAD + b"Content-Length: %d\r\n\r\n" % ((5 << 20) + 1), 413),
    "chunks of 6 MiB": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 96 + b"0\r\n\r\n",
        413,
    ),
    "a long header": (HEAD + b"X-A: " + b"a" * 100000 + b"\r\n\r\n", 431),
    "many fields": (HEAD + b"".join(b"X-%d: a\r\n" % i for i in range(70)) + b"\r\n", 431),
    "a long path": (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "two hosts": (HEAD + b"Host: evil.example\r\nContent-Length: 0\r\n\r\n", 400),
    "no host": (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
    "a foreign host": (b"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", 403),
    "an absolute target with a foreign host": (
        b"POST http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        403,
    ),
    "a folded field": (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type:\r\n application/json\r\nContent-Length: 0\r\n\r\n",
        400,
    ),
    "a name with a blank": (HEAD + b"Content-Length : 5\r\n\r\n" + SMUGGLED, 400),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(node, name):
    text, status = REQUESTS[name]
    answer = exchange(node, text)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    # Nothing smuggled. The library's own refusals repeat their header in the body.
    assert set(re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)) == {b"%d" % status}
    assert node.rpc("eth_chainId") == "0x7a69"


# --- hosts and origins ---

def asks(node, method="POST", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=SECONDS)
    connection.request(
        method, "/", BODY, {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


def test_hosts_and_origins(node, start_node):
    page = "https://a.example"
    assert (
        asks(node, Host="localhost:1")[0] == asks(node, Host="10.0.0.7")[0] == asks(node, Host="[::1]:8545")[0] == 200
    )
    status, text, _ = asks(node, Host="node.example")
    assert status == 403 and json.loads(text)["detail"] == "invalid host specified"
    status, _, headers = asks(node, Origin=page)
    assert status == 200 and "Access-Control-Allow-Origin" not in headers
    assert (
        "Access-Control-Allow-Origin" not in asks(node, "OPTIONS", Origin=page, Access_Control_Request_Method="POST")[2]
    )
    open_node = start_node(
        None, "dev", "--http-vhosts", "node.example,other.example", "--http-corsdomain", f"{page},https://b.example"
    )
    for host in ("node.example", "OTHER.example:99", "127.0.0.1"):
        assert asks(open_node, Host=host)[0] == 200
    assert asks(open_node, Host="localhost")[0] == asks(open_node, Host="evil.example")[0] == 403
    for origin in (page, "https://b.example"):
        status, _, headers = asks(
            open_node,
            "OPTIONS",
            Host="node.example",
            Origin=origin,
            Access_Control_Request_Method="POST",
            Access_Control_Request_Headers="content-type",
        )
        assert status == 204 and headers["Access-Control-Allow-Origin"] == origin
        assert (
            "POST" in headers["Access-Control-Allow-Methods"]
            and headers["Access-Control-Allow-Headers"] == "content-type"
        )
        assert asks(open_node, Host="node.example", Origin=origin)[2]["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Origin" not in asks(open_node, Host="node.example", Origin="https://evil.example")[2]
    any_node = start_node(None, "dev", "--http-vhosts", "*", "--http-corsdomain", "*")
    assert asks(any_node, Host="evil.example", Origin=page)[2]["Access-Control-Allow-Origin"] == "*"


def test_only_the_methods_that_are_listed_are_served(start_node, tmp_path):
    node = start_node(None, "dev", "--rpc-methods", "eth_*,web3_clientVersion")
    assert node.rpc("eth_chainId") and node.rpc("web3_clientVersion")
    batch = [{"jsonrpc": "2.0", "id": i, "method": method, "params": []} for i, method in enumerate(
        ["net_version", "evm_mine", "web3_sha3", "eth_blockNumber", "ETH_chainId", "eth_"])]
    answers = json.loads(node.post(batch))
    assert [answer.get("error", {}).get("code") for answer in answers] == [-32601, -32601, -32601, None, -32601, -32601]
    done = subprocess.run([binary(), "dev", "--data", tmp_path / "n", "--rpc-methods", "eth_*,eth_chainid"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "no method of JSON-RPC is called eth_chainid" in done.stderr


# --- clients that are slow ---

def dial(node):
    return socket.create_connection(("127.0.0.1", node.port), timeout=SECONDS)


def test_clients_that_dribble(node):
    """More of them than there are connections, in headers and in bodies: all others are served meanwhile."""
    slow = []
    for i in range(600):
        slow.append(dial(node))
        slow[-1].sendall((HEAD if i % 2 else HEAD + b"Content-Length: 1000\r\n\r\n[")[:40 + i % 90])
        if i % 50 == 0:
            assert rpc(node.url, "eth_chainId", timeout=SECONDS) == "0x7a69"
    for client in slow:
        try:
            client.sendall(b"x")
        except OSError:
            pass  # it had to go for another
    assert rpc(node.url, "eth_chainId", timeout=SECONDS) == "0x7a69"
    for client in slow:
        client.close()


def test_clients_that_never_read(node):
    """Two hundred answers of 16 MB are asked for, which would be 3.2 GB."""
    override = {BOMB: {"code": "0x" + (push(4 << 20) + b"\x5f\xf3").hex()}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": BOMB}, "latest", override]}
    body = json.dumps([call, call]).encode()
    clients = []
    for i in range(200):
        clients.append(dial(node))
        clients[-1].sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    for _ in range(20):  # 503 until those who had to go are gone
        assert wait_for(lambda: asks(node)[0] == 200, SECONDS)
        time.sleep(0.1)
    assert peak_memory(node) < MEMORY_BOUND
    for client in clients:
        client.close()


def test_websockets_have_their_share(node):
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    clients = []
    for _ in range(140):
        clients.append(dial(node))
        clients[-1].sendall(upgrade)
    statuses = [int(client.recv(1000).split()[1]) for client in clients]
    assert sorted(statuses) == [101] * 129 + [503] * 11
    assert rpc(node.url, "eth_chainId", timeout=SECONDS) == "0x7a69"
    for client in clients:
        client.close()


# --- transactions ---

def test_a_million_transactions_are_offered(start_node):
    """By senders that the node impersonates, so that nothing needs to be signed; nobody seals meanwhile."""
    node = start_node(None, "dev", "--block-ms", "3600000")
    senders = ["0x" + f"{i:040x}" for i in range(0x10000, 0x10000 + 250)]
    price, count = hex(10**11), OFFERED // 1000
    node.rpc("anvil_autoImpersonateAccount", True)
    for sender in senders:
        node.rpc("anvil_setBalance", sender, hex(10**24))
    taken, refused = 0, {}
    for batch in range(count):
        calls = [{"jsonrpc": "2.0", "id": i, "method": "eth_sendTransaction", "params": [{
            "from": senders[(batch + i) % 250], "to": OTHER, "gas": "0x5208", "gasPrice": price,
            "nonce": hex(batch * 4 + i // 250)}]} for i in range(1000)]
        for answer in json.loads(node.post(calls)):
            if "result" in answer:
                taken += 1
            else:
                assert answer["error"]["code"] == -32000, answer
                message = answer["error"]["message"]
                refused[message] = refused.get(message, 0) + 1
    status = {name: int(value, 16) for name, value in node.rpc("txpool_status").items()}
    print(f"{count * 1000} offered, {taken} taken, refused: {refused}; {status}; {peak_memory(node) >> 20} MiB")
    assert sum(status.values()) <= 65536 and taken >= sum(status.values())
    assert taken + sum(refused.values()) == count * 1000
    assert peak_memory(node) < MEMORY_BOUND
    node.rpc("evm_mine", timeout=SECONDS)
    assert int(node.rpc("txpool_status")["pending"], 16) < status["pending"]
    assert node.stop() == 0
