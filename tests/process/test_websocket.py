"""WebSocket on the node's port: subscriptions with real clients, and a raw one that breaks the rules (RFC 6455)."""
import asyncio
import base64
import hashlib
import json
import os
import pathlib
import socket
import struct
import subprocess
import time
import urllib.parse

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from web3 import AsyncWeb3, WebSocketProvider

import notebook
from machine import ROOT, rpc, wait_for

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Raw:
    """A client that sends the frames that the test names."""

    def __init__(self, url, **headers):
        at = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((at.hostname, at.port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {
            "Host": at.netloc,
            "Upgrade": "websocket",
            "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        self.socket.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
        self.rest = b""
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.socket.recv(4096)
            assert part, head
            head += part
        head, self.rest = head.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        if self.status == 101:
            wanted = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            assert b"Sec-WebSocket-Accept: " + wanted in head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frame(self, opcode, payload=b"", fin=True, masked=True, length=None, rsv=0):
        first = (0x80 if fin else 0) | rsv << 4 | opcode
        size = len(payload) if length is None else length
        head = bytes([first, (0x80 if masked else 0) | (size if size < 126 else 126 if size < 65536 else 127)])
        head += struct.pack(">H", size) if 126 <= size < 65536 else struct.pack(">Q", size) if size >= 65536 else b""
        mask = os.urandom(4) if masked else b""
        wide = int.from_bytes((mask * (len(payload) // 4 + 1))[:len(payload)], "big") if masked else 0
        body = (int.from_bytes(payload, "big") ^ wide).to_bytes(len(payload), "big")
        self.socket.sendall(head + mask + body)

    def bytes(self, count):
        while len(self.rest) < count:
            part = self.socket.recv(65536)
            if not part:
                raise EOFError
            self.rest += part
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def read(self):
        first, size = self.bytes(2)
        assert first & 0x80 and not size & 0x80, "one unmasked frame a message"
        if size == 126:
            size = struct.unpack(">H", self.bytes(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.bytes(8))[0]
        return first & 15, self.bytes(size)

    def send(self, method, *params, id=1):
        self.frame(TEXT, json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode())

    def answer(self):
        opcode, payload = self.read()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def call(self, method, *params):
        self.send(method, *params)
        answer = self.answer()
        assert "result" in answer, answer
        return answer["result"]

    def close_code(self):
        """Of the close frame that must come, before the connection ends; None where it gives no reason."""
        while True:
            opcode, payload = self.read()
            if opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if payload else None
                with pytest.raises((EOFError, ConnectionResetError)):
                    self.frame(CLOSE, payload[:2])
                    self.bytes(1)
                return code


def pay(node, value=1):
    accounts = rpc(node.url, "eth_accounts")
    return rpc(node.url, "eth_sendTransaction", {"from": accounts[0], "to": accounts[1], "value": hex(value)})


def test_the_same_methods(dev):
    with Raw(dev.url) as client:
        assert client.call("eth_chainId") == hex(31337)
        client.frame(
            TEXT, b'[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","id":2,"method":"nothing"}]'
        )
        first, second = client.answer()
        assert first["result"] == hex(31337) and second["error"]["code"] == -32601
        client.frame(BINARY, b'{"jsonrpc":"2.0","id":3,"method":"eth_chainId"}')  # as web3.py does
        assert client.answer()["id"] == 3
        client.frame(TEXT, b"nonsense")
        assert client.answer()["error"]["code"] == -32700
        client.frame(TEXT, b'{"jsonrpc":"2.0","method":"eth_chainId"}')  # a notification is not answered
        for number in range(200):  # in order, however fast they come
            client.send("eth_blockNumber", id=number)
        assert [client.answer()["id"] for _ in range(200)] == list(range(200))


def test_fragments_pings_and_closing(dev):
    request = b'{"jsonrpc":"2.0","id":7,"method":"eth_chainId"}'
    with Raw(dev.url) as client:
        client.frame(TEXT, request[:5], fin=False)
        client.frame(PING, b"are you there")
        assert client.read() == (PONG, b"are you there")
        client.frame(0, request[5:9], fin=False)
        client.frame(0, request[9:])
        assert client.answer()["id"] == 7
        client.frame(PONG, b"nobody asked")
        assert client.call("net_version") == "31337"
        client.frame(CLOSE, struct.pack(">H", 1000))
        assert client.read() == (CLOSE, struct.pack(">H", 1000))


@pytest.mark.parametrize("why, code, act", [
    ("unmasked", 1002, lambda client: client.frame(TEXT, b"{}", masked=False)),
    ("reserved bit", 1002, lambda client: client.frame(TEXT, b"{}", rsv=4)),
    ("unknown opcode", 1002, lambda client: client.frame(5, b"{}")),
    ("a fragmented ping", None, lambda client: client.frame(PING, b"", fin=False)),
    ("a long ping", None, lambda client: client.frame(PING, bytes(126))),
    ("a continuation of nothing", 1002, lambda client: client.frame(0, b"{}")),
    ("no UTF-8", 1007, lambda client: client.frame(TEXT, b'"\xff\xfe"')),
    ("too long", 1009, lambda client: client.frame(TEXT, b"{", length=1 << 32)),
])
def test_broken_frames(dev, why, code, act):
    with Raw(dev.url) as client:
        act(client)
        assert client.close_code() == code, why
    with Raw(dev.url) as client:
        assert client.call("eth_chainId") == hex(31337)


def test_handshakes_that_are_none(dev):
    for status, fields in [(426, {"Sec_WebSocket_Version": "8"}), (400, {"Sec_WebSocket_Key": "short"}),
                           (400, {"Sec_WebSocket_Key": None}), (403, {"Origin": "https://evil.example"}),
                           (403, {"Host": "evil.example"})]:
        with Raw(dev.url, **fields) as client:
            assert client.status == status, fields
    with pytest.raises(Exception, match="-32601"):
        rpc(dev.url, "eth_subscribe", "newHeads")


def test_subscriptions(dev):
    owner = rpc(dev.url, "eth_accounts")[0]
    hash = rpc(dev.url, "eth_sendTransaction", {"from": owner, "data": "0x6005600c60003960056000f360006000a000"})
    with Raw(dev.url) as client:
        contract = wait_for(lambda: rpc(dev.url, "eth_getTransactionReceipt", hash))["contractAddress"]
        heads, pending = (
            client.call("eth_subscribe", "newHeads"),
            client.call("eth_subscribe", "newPendingTransactions"),
        )
        full = client.call("eth_subscribe", "newPendingTransactions", True)
        logs = client.call("eth_subscribe", "logs", {"address": contract})
        others = client.call("eth_subscribe", "logs", {"address": owner})
        assert len({heads, pending, full, logs, others}) == 5
        sent = rpc(dev.url, "eth_sendTransaction", {"from": owner, "to": contract})
        reported = {}
        while len(reported) < 4:
            message = client.answer()
            assert message["method"] == "eth_subscription"
            reported[message["params"]["subscription"]] = message["params"]["result"]
        receipt = rpc(dev.url, "eth_getTransactionReceipt", sent)
        block = rpc(dev.url, "eth_getBlockByHash", receipt["blockHash"], False)
        assert reported[pending] == sent and reported[full]["hash"] == sent
        assert reported[logs] == receipt["logs"][0]
        assert reported[heads] == {name: block[name] for name in reported[heads]} and "transactions" not in reported[heads]
        assert client.call("eth_unsubscribe", heads) is True
        client.send("eth_unsubscribe", heads)
        assert client.answer()["error"] == {"code": -32000, "message": "subscription not found"}
        pay(dev)
        for _ in range(2):
            assert client.answer()["params"]["subscription"] in (pending, full)
        assert client.call("eth_unsubscribe", client.call("eth_subscribe", "syncing")) is True
        client.send("eth_subscribe", "nothing")
        assert client.answer()["error"]["code"] == -32601
        client.send("eth_subscribe", "logs", {"address": "0x12"})
        assert client.answer()["error"]["code"] == -32602


def test_logs_of_a_block_taken_back_are_told_as_removed(dev):
    owner = rpc(dev.url, "eth_accounts")[0]
    hash = rpc(dev.url, "eth_sendTransaction", {"from": owner, "data": "0x6005600c60003960056000f360006000a000"})
    contract = wait_for(lambda: rpc(dev.url, "eth_getTransactionReceipt", hash))["contractAddress"]
    with Raw(dev.url) as client:
        snapshot = rpc(dev.url, "evm_snapshot")
        client.call("eth_subscribe", "logs", {"address": contract})
        client.call("eth_subscribe", "logs", {"address": owner})

        def emit():
            rpc(dev.url, "eth_sendTransaction", {"from": owner, "to": contract})
            return client.answer()["params"]["result"]

        reported = [emit(), emit()]
        assert [log["removed"] for log in reported] == [False, False]
        assert rpc(dev.url, "evm_revert", snapshot) is True
        for log in reversed(reported):
            assert client.answer()["params"]["result"] == {**log, "removed": True}
        again = emit()
        assert again["removed"] is False and again["blockNumber"] == reported[0]["blockNumber"]


def test_subscriptions_are_counted(dev):
    with Raw(dev.url) as client:
        for _ in range(100):
            client.call("eth_subscribe", "newHeads")
        client.send("eth_subscribe", "newHeads")
        assert client.answer()["error"]["code"] == -32000


def test_unwound_blocks_are_told_anew(dev):
    with Raw(dev.url) as client:
        client.call("eth_subscribe", "newHeads")
        snapshot = rpc(dev.url, "evm_snapshot")
        pay(dev, 2)
        first = client.answer()["params"]["result"]
        assert rpc(dev.url, "evm_revert", snapshot)
        pay(dev, 3)
        second = client.answer()["params"]["result"]
        assert first["number"] == second["number"] and first["hash"] != second["hash"]


def test_blocks_that_went_before_are_not_told(dev):
    sealed = lambda value: wait_for(lambda hash=pay(dev, value): rpc(dev.url, "eth_getTransactionReceipt", hash))
    snapshot = rpc(dev.url, "evm_snapshot")
    for value in (4, 5):
        sealed(value)
    assert rpc(dev.url, "evm_revert", snapshot)
    for value in (6, 7):
        sealed(value)
    with Raw(dev.url) as client:
        client.call("eth_subscribe", "newHeads")
        assert sealed(8)["blockHash"] == client.answer()["params"]["result"]["hash"]


def test_connections_are_counted_and_a_stop_is_told(start_node):
    node = start_node()
    clients = [Raw(node.url) for _ in range(129)]
    assert all(client.status == 101 for client in clients)
    assert Raw(node.url).status == 503
    assert rpc(node.url, "eth_chainId") == hex(31337)  # requests still find room
    clients.pop().socket.close()
    wait_for(lambda: Raw(node.url).status == 101)
    node.process.terminate()
    assert clients[0].close_code() == 1001
    assert node.process.wait(20) == 0


def test_a_client_that_does_not_read(start_node):
    """It is held back, not the node; and its place is free again once it goes."""
    node = start_node()
    with Raw(node.url) as client:
        client.socket.setblocking(False)
        request = (
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", True]})
            .encode()
            .ljust(200)
        )
        frame = bytes([0x81, 0x80 | 126]) + struct.pack(">H", len(request)) + bytes(4) + request
        with pytest.raises(BlockingIOError):
            for _ in range(1000000):
                client.socket.sendall(frame * 16)
        with Raw(node.url) as other:
            assert other.call("eth_chainId") == hex(31337)
        memory = int(pathlib.Path(f"/proc/{node.process.pid}/statm").read_text().split()[1]) * 4096
        assert memory < 500 << 20


def test_silence_is_answered_with_a_ping_and_then_the_end(start_node):
    node = start_node(None, "dev", "--ping-ms", "300")
    with Raw(node.url) as alive, Raw(node.url) as dead:
        began = time.monotonic()
        for _ in range(4):
            assert alive.read() == (PING, b"")
            alive.frame(PONG)
        assert time.monotonic() - began > 1.1
        assert dead.read() == (PING, b"")
        with pytest.raises((EOFError, ConnectionResetError)):
            while True:
                assert dead.read()[0] == PING
        assert alive.call("eth_chainId") == hex(31337)


LOUD = "0x600b380380600b5f395ff3" + "62030d405fa0" + "00"  # a contract whose every call logs 200,000 zero bytes


def test_a_subscriber_that_does_not_read_is_dropped(start_node):
    """What waits for it is bounded (32 MiB); then it goes, and nobody else notices."""
    node = start_node()
    owner = node.rpc("eth_accounts")[0]
    loud = node.receipt(node.rpc("eth_sendTransaction", {"from": owner, "data": LOUD}))["contractAddress"]
    with Raw(node.url) as slow, Raw(node.url) as other:
        for _ in range(60):
            slow.call("eth_subscribe", "logs", {"address": loud})
        other.call("eth_subscribe", "logs", {"address": loud})
        for _ in range(4):  # 24 MB each for the slow one
            receipt = node.receipt(node.rpc("eth_sendTransaction", {"from": owner, "to": loud, "gas": hex(3000000)}))
            assert receipt["status"] == "0x1" and len(receipt["logs"][0]["data"]) == 400002
            assert other.answer()["params"]["result"] == receipt["logs"][0]
        with pytest.raises((EOFError, ConnectionResetError)):
            reported = 0
            while True:
                reported += slow.read()[0] == TEXT
        assert 0 < reported < 4 * 60
        assert other.call("eth_chainId") == hex(31337)
    memory = int(pathlib.Path(f"/proc/{node.process.pid}/statm").read_text().split()[1]) * 4096
    assert memory < 500 << 20


def test_messages_have_a_size(dev):
    """5 MiB, in one frame or in many."""
    request = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
    with Raw(dev.url) as client:
        client.frame(TEXT, request.ljust(5 << 20), masked=True)
        assert client.answer()["result"] == hex(31337)
        half = b" " * (5 << 19)
        client.frame(TEXT, half, fin=False)
        client.frame(0, half, fin=False)
        client.frame(0, request)
        assert client.close_code() == 1009


def test_web3_subscriptions(dev):
    async def listen():
        async with AsyncWeb3(WebSocketProvider(dev.url.replace("http", "ws"))) as w3:
            hash = await w3.eth.send_transaction(
                {"from": (await w3.eth.accounts)[0], "data": "0x6005600c60003960056000f360006000a000"}
            )
            contract = (await w3.eth.wait_for_transaction_receipt(hash, poll_latency=0.02)).contractAddress
            names = {
                await w3.eth.subscribe("newHeads"): "head",
                await w3.eth.subscribe("newPendingTransactions"): "pending",
                await w3.eth.subscribe("newPendingTransactions", True): "full",
                await w3.eth.subscribe("syncing"): "syncing",
                await w3.eth.subscribe("logs", {"address": contract}): "log",
            }
            sent = await w3.eth.send_transaction({"from": (await w3.eth.accounts)[0], "to": contract})
            reported = {}
            async for message in w3.socket.process_subscriptions():
                reported[names[message["subscription"]]] = message["result"]
                if len(reported) == 4:
                    break
            receipt = await w3.eth.get_transaction_receipt(sent)
            for subscription in names:
                assert await w3.eth.unsubscribe(subscription)
            return reported, sent, receipt

    reported, sent, receipt = asyncio.run(asyncio.wait_for(listen(), 30))
    assert reported["head"].number == receipt.blockNumber and reported["head"].hash == receipt.blockHash
    assert reported["pending"] == sent and reported["full"].hash == sent
    assert reported["log"] == receipt.logs[0]


def test_ethers_websocket_provider(dev):
    if not (ROOT / "tests/node/node_modules/ethers").exists():
        pytest.skip("npm ci was not run in tests/node")
    book = {"abi": notebook.ABI, "creation": "0x" + notebook.CREATION.hex()}
    script = ROOT / "tests" / "peers" / "ethers_websocket.mjs"
    done = subprocess.run(["node", script, dev.url.replace("http", "ws")], input=json.dumps(book), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"blocks": "ok", "pending": "ok", "events": "ok"}
