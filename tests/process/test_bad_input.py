"""Bad input at the node's door: each gives a clear error with a code, and leaves everything as it was."""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import rlp
from eth_account import Account
from eth_utils import to_canonical_address

from machine import DEV_CHAIN_ID, DEV_KEYS, Refused, RpcError, cli

GWEI = 10**9
ETHER = 10**18
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
RECEIVER = to_canonical_address("0x" + "42" * 20)
rich = Account.from_key(DEV_KEYS[0])


@pytest.fixture
def standing(dev):
    """The sender's nonce; afterwards neither chain nor pool has moved."""
    nonce = int(dev.rpc("eth_getTransactionCount", rich.address, "latest"), 16)
    before = dev.rpc("eth_getBlockByNumber", "latest", False), dev.rpc("txpool_status")
    yield nonce
    assert (dev.rpc("eth_getBlockByNumber", "latest", False), dev.rpc("txpool_status")) == before


def signed(account=rich, **fields):
    tx = {"nonce": 0, "to": RECEIVER, "value": 1, "gas": 21000, "chainId": DEV_CHAIN_ID,
          "maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": GWEI, **fields}
    return bytes(account.sign_transaction(tx).raw_transaction)


def send(node, raw):
    return node.rpc("eth_sendRawTransaction", "0x" + raw.hex())


def refusals(node, envelopes):
    """One batch with all of them; each must be refused with geth's code. The messages."""
    calls = [{"jsonrpc": "2.0", "id": i, "method": "eth_sendRawTransaction", "params": ["0x" + raw.hex()]}
             for i, raw in enumerate(envelopes)]
    answers = json.loads(node.post(calls))
    assert [answer["id"] for answer in answers] == list(range(len(calls)))
    for answer, raw in zip(answers, envelopes):
        assert "error" in answer, f"taken in: {raw.hex()}"
        assert answer["error"]["code"] == -32000 and answer["error"]["message"], answer
    return [answer["error"]["message"] for answer in answers]


# --- envelopes that are no transactions ---

def test_every_truncation_is_refused(dev, standing):
    raw = signed(nonce=standing)
    refusals(dev, [raw[:length] for length in range(len(raw))])
    refusals(dev, [raw + b"\0", raw + raw, b"\0" + raw])


def test_every_flipped_bit_is_refused(dev, standing):
    raw = signed(nonce=standing)
    flipped = [raw[:i] + bytes([raw[i] ^ 1 << bit]) + raw[i + 1:] for i in range(len(raw)) for bit in range(8)]
    for start in range(0, len(flipped), 500):
        refusals(dev, flipped[start:start + 500])


def fields_of(raw):
    return rlp.decode(raw[1:])


def with_field(raw, index, value):
    fields = fields_of(raw)
    fields[index] = value
    return raw[:1] + rlp.encode(fields)


def test_only_canonical_rlp_is_taken(dev, standing):
    raw = signed(nonce=standing)
    assert with_field(raw, 5, RECEIVER) == raw
    body = raw[1:]
    assert body[0] == 0xF8  # a list whose length takes one byte
    payload = body[2:]
    refusals(dev, [
        with_field(raw, 1, b"\0"),                              # zero is the empty string
        with_field(raw, 4, b"\0\x52\x08"),                      # a leading zero in a number
        with_field(raw, 6, b"\1" + bytes(32)),                  # a number over 256 bits
        with_field(raw, 5, RECEIVER[:19]),                      # an address of 19 bytes
        with_field(raw, 5, RECEIVER + b"\0"),                   # and of 21
        with_field(raw, 7, [b"data"]),                          # a list where a string belongs
        with_field(raw, 8, b"list"),                            # a string where a list belongs
        with_field(raw, 8, [[RECEIVER, [bytes(31)]]]),          # a storage key of 31 bytes
        raw[:1] + rlp.encode(fields_of(raw)[:-1]),              # a field too few
        raw[:1] + rlp.encode(fields_of(raw) + [b""]),           # and one too many
        raw[:1] + b"\xf9\0" + bytes([len(payload)]) + payload,  # a length with a leading zero
        raw[:1] + b"\xf8\x05" + b"\x81\x01\x01\x01\x01",        # a byte below 0x80 in the long form
        raw[:1] + b"\xbf" + b"\xff" * 8,                        # a length near 2^64
        raw[:1] + b"\xc0" * 3, b"", b"\xc0", b"\x02", b"\x05\xc0", b"\x7f" + body, b"\x00" + body, b"\xf8",
        raw[:1] + b"\xc1" * 100000,                             # lists in lists
    ])


def test_oversized(dev, standing):
    message, = refusals(dev, [signed(nonce=standing, data=bytes(128 * 1024), gas=10_000_000)])
    assert message == "oversized data"


def with_signature(raw, parity, r, s):
    number = lambda value: value.to_bytes((value.bit_length() + 7) // 8, "big")
    return raw[:1] + rlp.encode(fields_of(raw)[:9] + [number(parity), number(r), number(s)])


def test_bad_signatures(dev, standing):
    raw = signed(nonce=standing)
    parity, r, s = (int.from_bytes(field, "big") for field in fields_of(raw)[9:])
    assert with_signature(raw, parity, r, s) == raw
    sender = int.from_bytes(to_canonical_address(rich.address), "big")
    messages = refusals(dev, [
        with_signature(raw, 1 - parity, r, ORDER - s),  # the twin with a high s, as valid as the other before EIP-2
        with_signature(raw, parity, 0, s), with_signature(raw, parity, r, 0), with_signature(raw, parity, 0, 0),
        with_signature(raw, parity, ORDER, s), with_signature(raw, parity, r, ORDER), with_signature(raw, 2, r, s),
        with_signature(raw, 27, r, s),
        # how the pool's journal marks what nobody signed (dev mode): never from outside
        with_signature(raw, 0, sender, 0),
    ])
    assert set(messages) <= {"invalid sender", "RLP: parity is neither 0 nor 1"}, messages


# --- transactions that this chain refuses, with geth's words ---

POOR = Account.create()
BLOB = {"type": 3, "maxFeePerBlobGas": GWEI, "blobVersionedHashes": ["0x01" + "11" * 31]}
REFUSED = {
    "another chain": (dict(chainId=1), "invalid chain id for signer"),
    "another chain, legacy": (dict(chainId=1, gasPrice=10 * GWEI), "invalid chain id for signer"),
    "intrinsic gas": (dict(gas=20999), "intrinsic gas too low"),
    "intrinsic gas of data": (dict(data=b"\1" * 100, gas=22599), "intrinsic gas too low"),
    "floor gas of data (EIP-7623)": (dict(data=b"\1" * 100, gas=24999), "insufficient gas for floor data gas cost"),
    "no money": (dict(account=POOR), "insufficient funds for gas * price + value"),
    "too little money": (dict(value=10**6 * ETHER), "insufficient funds for gas * price + value"),
    "cost over 256 bits": (dict(value=2**256 - 1, maxFeePerGas=2**255, gas=2**24), "insufficient funds"),
    "over the transaction's gas cap (EIP-7825)": (dict(gas=2**24 + 1), "transaction gas limit too high"),
    "a tip above the fee": (dict(maxFeePerGas=GWEI, maxPriorityFeePerGas=2 * GWEI),
                            "max priority fee per gas higher than max fee per gas"),
    "init code too large (EIP-3860)": (dict(to=b"", data=b"\0" * 49153, gas=10**7), "max initcode size exceeded"),
    "the last nonce (EIP-2681)": (dict(nonce=2**64 - 1), "nonce has max value"),
    "blobs without a sidecar": (BLOB, "missing sidecar in blob transaction"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_geths_words(dev, standing, name):
    fields, words = REFUSED[name]
    fields = dict(fields)
    if "account" not in fields:
        fields.setdefault("nonce", standing)
    if "gasPrice" in fields:
        fields |= dict(maxFeePerGas=None, maxPriorityFeePerGas=None)
    account = fields.pop("account", rich)
    tx = {"nonce": 0, "to": RECEIVER, "value": 1, "gas": 21000, "chainId": DEV_CHAIN_ID,
          "maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": GWEI, **fields}
    raw = bytes(
        account.sign_transaction({key: value for key, value in tx.items() if value is not None}).raw_transaction
    )
    message, = refusals(dev, [raw])
    assert words in message


def test_nonce_gaps_wait_and_are_filled(dev):
    owner = Account.create()
    paid = send(dev, signed(nonce=int(dev.rpc("eth_getTransactionCount", rich.address, "latest"), 16),
                            to=to_canonical_address(owner.address), value=ETHER))
    dev.receipt(paid)
    late = [send(dev, signed(owner, nonce=nonce)) for nonce in (3, 1, 2)]
    status = dev.rpc("txpool_status")
    assert status == {"pending": "0x0", "queued": "0x3"}
    assert all(dev.rpc("eth_getTransactionReceipt", tx_hash) is None for tx_hash in late)
    first = send(dev, signed(owner, nonce=0))
    receipts = {tx_hash: dev.receipt(tx_hash) for tx_hash in [first, *late]}
    assert all(receipt["status"] == "0x1" for receipt in receipts.values())
    place = lambda tx_hash: (int(receipts[tx_hash]["blockNumber"], 16), int(receipts[tx_hash]["transactionIndex"], 16))
    assert place(first) < place(late[1]) < place(late[2]) < place(late[0])
    with pytest.raises(RpcError, match="nonce too low"):
        send(dev, signed(owner, nonce=2, value=2))
    # Too far ahead: geth holds 64 of a sender behind a gap.
    for nonce in range(10, 74):
        send(dev, signed(owner, nonce=nonce))
    with pytest.raises(RpcError, match="too many queued"):
        send(dev, signed(owner, nonce=74))


# --- JSON-RPC ---

MALFORMED = {
    "no JSON": (b"{", -32700),
    "nothing": (b"", -32700),
    "JSON and more": (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"} x', -32700),
    "bad UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', -32700),
    "NaN": (b'{"jsonrpc":"2.0","id":NaN,"method":"eth_chainId"}', -32700),
    "a name twice": (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"eth_chainId"}', -32700),
    "too deep": (b"[" * 100000, -32700),
    "a number": (b"1", -32600),
    "an empty batch": (b"[]", -32600),
    "another version": (b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600),
    "no version": (b'{"id":1,"method":"eth_chainId"}', -32600),
    "no method": (b'{"jsonrpc":"2.0","id":1}', -32600),
    "an id that is an object": (b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600),
    "parameters by name": (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602),
    "odd hex": (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x0"]}', -32602),
    "no hex": (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["zz"]}', -32602),
    "a number for a string": (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":[5]}', -32602),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_json_rpc(dev, name):
    body, code = MALFORMED[name]
    answer = json.loads(dev.post(body))
    assert answer["jsonrpc"] == "2.0" and answer["error"]["code"] == code and answer["error"]["message"]
    assert int(dev.rpc("eth_chainId"), 16) == DEV_CHAIN_ID


def test_a_batch_answers_each_alone(dev):
    call = b'"jsonrpc":"2.0","method":"eth_chainId"'
    answers = json.loads(dev.post(b'[1, {"id":7,' + call + b'}, {' + call + b'}]'))
    assert [(a["id"], a.get("error", {}).get("code")) for a in answers] == [(None, -32600), (7, None)]


JSON = {"Content-Type": "application/json"}
HTTP = {
    "a form of another page": (dict(data=b"{}", headers={"Content-Type": "text/plain"}), "/", 415),
    "a foreign host (DNS rebinding)": (dict(data=b"{}", headers={"Host": "evil.example", **JSON}), "/", 403),
    "another path": (dict(data=b"{}", headers=JSON), "/nowhere", 404),
    "another method": (dict(data=b"{}", method="PUT", headers=JSON), "/", 405),
    "a blob of no name": (dict(), "/blobs/zz", 404),
}


@pytest.mark.parametrize("name", HTTP)
def test_http(dev, name):
    options, path, status = HTTP[name]
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(dev.url + path, **options), timeout=10)
    assert caught.value.code == status
    assert caught.value.read().strip()


def test_a_body_that_never_ends_is_refused(dev):
    with socket.create_connection(("127.0.0.1", dev.port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 99999999999999\r\n\r\n[")
        assert b" 413 " in client.recv(1000).split(b"\r\n")[0]
    assert dev.head() >= 0


# --- folders, ports, files ---

def start_and_fail(data, *options, mode="node", code=1):
    """The node does not start; its words."""
    with pytest.raises(Refused) as caught:
        cli(mode, "--data", data, "--http-port", "0", *options, timeout=30)
    assert caught.value.code == code, caught.value
    assert caught.value.report["error"] in caught.value.stderr
    return caught.value.report["error"]


def test_a_node_with_test_methods_seals_nothing(tmp_path):
    assert "--block-ms" in start_and_fail(tmp_path / "node", "--test-methods", "--block-ms", "5", code=2)


def test_a_second_process_on_the_same_folder(start_node):
    first = start_node()
    accounts = first.rpc("eth_accounts")
    pay = {"from": accounts[0], "to": accounts[1], "value": "0x1"}
    first.receipt(first.rpc("eth_sendTransaction", pay))
    words = start_and_fail(first.data, mode="dev")
    assert "another xinglin uses this folder" in words and str(first.data) in words
    first.receipt(first.rpc("eth_sendTransaction", pay))
    assert first.head() == 2 and first.stop() == 0
    assert start_node(first.data).head() == 2


def test_a_port_in_use(start_node):
    node = start_node()
    node.receipt(node.rpc("evm_mine") and node.rpc("eth_sendTransaction", {
        "from": node.rpc("eth_accounts")[0], "to": "0x" + "42" * 20, "value": "0x1"}))
    head = node.rpc("eth_getBlockByNumber", "latest", False)
    assert node.stop() == 0
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Refused) as caught:
            cli("dev", "--data", node.data, "--http-port", port)
        assert caught.value.code == 1
        assert f"port {port} on 127.0.0.1 is in use" in caught.value.report["error"]
    assert start_node(node.data).rpc("eth_getBlockByNumber", "latest", False) == head


def new_folder(path):
    cli("init", "--data", path, "--deployer", rich.address, "--chain-id", 7)
    return path / "genesis.json"


def test_init_never_changes_a_genesis(tmp_path):
    genesis = new_folder(tmp_path / "node")
    before = genesis.read_bytes()
    with pytest.raises(Refused, match="is there already") as caught:
        new_folder(tmp_path / "node")
    assert caught.value.code == 3 and genesis.read_bytes() == before


BAD_GENESIS = {
    "cut off": lambda text: text[:-20],
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "no settings": lambda text: json.dumps({**json.loads(text), "config": None}),
    "a chain id that is none": lambda text: text.replace('"chainId":7', '"chainId":"seven"'),
    "a negative gas limit": lambda text: re.sub('"gasLimit":"[^"]*"', '"gasLimit":-1', text),
    "a bad address": lambda text: text.replace('"alloc":{"0x', '"alloc":{"0xzz'),
    "another sealer": lambda text: json.dumps({**json.loads(text), "config": {
        **json.loads(text)["config"], "xinglin": {"sealer": "0x" + "11" * 20, "zeroBaseFee": True, "blobGates": []}}}),
}


@pytest.mark.parametrize("name", BAD_GENESIS)
def test_bad_genesis(tmp_path, name):
    genesis = new_folder(tmp_path / "node")
    good = genesis.read_text()
    bad = BAD_GENESIS[name](good)
    assert bad != good
    genesis.write_text(bad)
    with pytest.raises(Refused) as caught:
        cli("node", "--data", tmp_path / "node", "--http-port", 0, timeout=30)
    assert caught.value.code in (2, 3) and "genesis" in caught.value.report["error"]


def test_a_chain_keeps_its_genesis(tmp_path, start_node):
    genesis = new_folder(tmp_path / "node")
    node = start_node(tmp_path / "node", "node")
    block = node.rpc("eth_getBlockByNumber", "0x0", False)
    assert node.stop() == 0
    good = genesis.read_text()
    other_gas, other_id = json.loads(good), json.loads(good)
    other_gas["gasLimit"] = hex(int(other_gas["gasLimit"], 16) + 1)
    other_id["config"]["chainId"] += 1
    for other in (other_gas, other_id):
        genesis.write_text(json.dumps(other))
        with pytest.raises(Refused, match="genesis"):
            cli("node", "--data", tmp_path / "node", "--http-port", 0, timeout=30)
    genesis.write_text(good)
    assert start_node(tmp_path / "node", "node").rpc("eth_getBlockByNumber", "0x0", False) == block


def test_a_folder_without_genesis_or_with_a_bad_key(tmp_path):
    assert "xinglin init" in start_and_fail(tmp_path / "empty", code=4)
    new_folder(tmp_path / "node")
    (tmp_path / "node" / "node.key").write_text("short\n")
    assert "node.key" in start_and_fail(tmp_path / "node")


# --- a full disk ---

def fill(node):
    """Sends data until the node refuses or is gone: the hashes that it returned, and its words."""
    account = node.rpc("eth_accounts")[0]
    returned = []
    tx = {"from": account, "to": "0x" + "42" * 20, "gas": hex(600000), "maxFeePerGas": hex(100 * GWEI),
          "maxPriorityFeePerGas": hex(GWEI)}
    for _ in range(3000):
        try:
            returned.append(node.rpc("eth_sendTransaction", {**tx, "data": "0x" + os.urandom(12000).hex()}))
        except RpcError as refused:
            assert refused.code == -32603, refused
            return returned, refused.message
        except OSError:
            return returned, ""  # it ended while the request was on its way
    raise AssertionError("the disk never became full")


def held_to_its_word(start_node, data, returned, shown):
    """After space was given: nothing that was acknowledged is lost, and the chain goes on."""
    again = start_node(data)
    for tx_hash, receipt in shown.items():
        assert again.rpc("eth_getTransactionReceipt", tx_hash) == receipt
    for tx_hash in returned:
        assert again.receipt(tx_hash)["status"] == "0x1"
    paid = again.rpc(
        "eth_sendTransaction", {"from": again.rpc("eth_accounts")[1], "to": "0x" + "43" * 20, "value": "0x1"}
    )
    assert again.receipt(paid)["status"] == "0x1"
    assert again.stop() == 0


def ask_for_receipts(node, returned):
    shown = {}
    try:
        for tx_hash in returned:
            receipt = node.rpc("eth_getTransactionReceipt", tx_hash)
            if receipt:
                shown[tx_hash] = receipt
    except OSError:
        pass  # it stopped by itself
    return shown


def full_disk(start_node, data, make_room, **more):
    node = start_node(data, **more)
    first = node.rpc(
        "eth_sendTransaction", {"from": node.rpc("eth_accounts")[0], "to": "0x" + "43" * 20, "value": "0x1"}
    )
    shown = {first: node.receipt(first)}
    returned, words = fill(node)
    shown |= ask_for_receipts(node, returned)
    if node.process.poll() is None and words:
        node.process.send_signal(signal.SIGINT)
    code = node.process.wait(30)
    said = words + node.log.read_text()
    assert code in (0, 1) and ("No space left" in said or "File too large" in said), (code, said)
    assert len(returned) > 20
    make_room()
    held_to_its_word(start_node, data, returned, shown)


def test_a_file_that_cannot_grow(start_node, tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    full_disk(start_node, tmp_path / "node", lambda: None, preexec=limit)


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "xinglin-test", path], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", path], check=True)


def test_a_full_disk(start_node, small_disk, tmp_path):
    filler = small_disk / "filler"
    filler.write_bytes(bytes(6 << 20))
    full_disk(start_node, small_disk / "node", filler.unlink)
