"""A consortium on loopback for tests: members' folders written by hand, real CometBFTs, real nodes.

Every member is a folder with its genesis, its CometBFT home and its two sockets. A test starts and kills the node and
the CometBFT of each by itself, so that it decides what dies and when.
"""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

from eth_account import Account
from eth_utils import keccak

MEMBERS = "0x0000000000000000000000000000000000c04537"
CHAIN_ID = 7697
CACHE = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/xinglin-bench"))
COMETBFT = os.environ.get("COMETBFT", str(CACHE / "cometbft/0.38/cometbft"))
FUNDED = [Account.from_key(bytes(31) + bytes([i + 1])) for i in range(8)]

FAST = {
    "timeout_propose": "400ms",
    "timeout_propose_delta": "100ms",
    "timeout_prevote": "100ms",
    "timeout_prevote_delta": "50ms",
    "timeout_precommit": "100ms",
    "timeout_precommit_delta": "50ms",
    "timeout_commit": "0s",
    "create_empty_blocks": False,
    "create_empty_blocks_interval": "60s",
    "peer_gossip_sleep_duration": "10ms",
    "flush_throttle_timeout": "1ms",
    "send_rate": 52428800,
    "recv_rate": 52428800,
    "recheck": False,
    "indexer": "null",
    "discard_abci_responses": True,
    "pex": False,
    "addr_book_strict": False,
    "allow_duplicate_ip": True,
    "filter_peers": True,
    "log_level": "error",
    "max_request_batch_size": 20,
}


def word(value: int) -> str:
    return "0x" + value.to_bytes(32, "big").hex()


def members_storage(members) -> dict:
    """The contract's list, as src/ledger/consensus/members.h reads it."""
    first = int.from_bytes(keccak(bytes(32)), "big")
    slots = {word(0): word(len(members))}
    for i, member in enumerate(members):
        account = int(member.account.address, 16)
        slots[word(first + 3 * i)] = word(10 << 160 | account)
        slots[word(first + 3 * i + 1)] = "0x" + member.key.hex()
        slots[word(first + 3 * i + 2)] = word(int(member.node_id, 16))
    return slots


class Member:
    def __init__(self, net, index):
        self.net, self.index = net, index
        self.data = net.folder / f"m{index}"
        self.home = self.data / "comet"
        self.account = Account.from_key(bytes(30) + bytes([1, index + 1]))
        self.node = self.comet = None
        self.data.mkdir()
        self.run_comet("init")
        validator = json.loads((self.home / "config/priv_validator_key.json").read_text())
        self.key = base64.b64decode(validator["pub_key"]["value"])
        self.node_id = self.run_comet("show-node-id").strip()
        self.p2p_port, self.http_port = net.free_port(), net.free_port()

    def run_comet(self, *arguments) -> str:
        return subprocess.run(
            [COMETBFT, *arguments, "--home", self.home], check=True, capture_output=True, text=True
        ).stdout

    def configure(self, peers):
        path = self.home / "config/config.toml"
        own = {
            "proxy_app": f"unix://{self.data}/abci.sock",
            "persistent_peers": ",".join(f"{p.node_id}@127.0.0.1:{p.p2p_port}" for p in peers if p is not self),
        }
        lines, section = [], ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            name = line.split(" = ")[0]
            value = {**FAST, **own}.get(name) if " = " in line else None
            if name == "laddr" and section == "rpc":
                value = f"unix://{self.data}/comet.sock"
            if name == "laddr" and section == "p2p":
                value = f"tcp://127.0.0.1:{self.p2p_port}"
            if name == "prometheus":
                value = False
            lines.append(f"{name} = {json.dumps(value)}" if value is not None else line)
        path.write_text("\n".join(lines) + "\n")

    def start_node(self, *options):
        log = open(self.data / "node.log", "a", encoding="utf-8")
        self.node = subprocess.Popen(
            [self.net.program, "node", "--data", self.data, "--http-port", str(self.http_port), *options],
            stdout=log,
            stderr=log,
        )
        return self

    def start_both(self, program=COMETBFT):
        """As an operator does it: the node starts its CometBFT."""
        return self.start_node("--comet-home", str(self.home), "--comet-program", str(program))

    def start_comet(self):
        log = open(self.data / "comet.log", "a", encoding="utf-8")
        (self.data / "comet.sock").unlink(missing_ok=True)
        self.comet = subprocess.Popen([COMETBFT, "start", "--home", self.home], stdout=log, stderr=log)
        return self

    def start(self):
        self.start_node()
        self.net.wait(lambda: (self.data / "abci.sock").exists(), "the node listens")
        return self.start_comet()

    def kill(self, which, sign=signal.SIGKILL):
        process = getattr(self, which)
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(sign)
        process.wait(30)
        setattr(self, which, None)

    def stop(self):
        self.kill("comet", signal.SIGTERM)
        self.kill("node", signal.SIGTERM)

    def rpc(self, method, *params):
        return self.net.ask(f"http://127.0.0.1:{self.http_port}", method, list(params))

    def number(self) -> int:
        return int(self.rpc("eth_blockNumber"), 16)

    def number_or_none(self):
        return self.rpc("eth_blockNumber")

    def block(self, number="latest"):
        return self.rpc("eth_getBlockByNumber", number if isinstance(number, str) else hex(number), False)

    def send(self, account, nonce, **fields):
        fields = {"to": "0x" + "12" * 20, "value": 3, "gas": 21000, **fields}
        signed = account.sign_transaction(
            {"chainId": CHAIN_ID, "nonce": nonce, "maxFeePerGas": 10, "maxPriorityFeePerGas": 1, **fields}
        )
        return self.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())

    def receipt(self, transaction, seconds=30):
        return self.net.wait(
            lambda: self.rpc("eth_getTransactionReceipt", transaction), f"a receipt of {transaction}", seconds
        )

    def log(self) -> str:
        return (self.data / "node.log").read_text()

    def kept_height(self):
        """CometBFT's height, by its own RPC."""
        answer = subprocess.run(
            ["curl", "-s", "--unix-socket", self.data / "comet.sock", "http://comet/status"],
            check=True,
            capture_output=True,
        ).stdout
        return int(json.loads(answer)["result"]["sync_info"]["latest_block_height"])

    def kept_height_or_none(self):
        try:
            return self.kept_height()
        except subprocess.CalledProcessError:
            return None


class Network:
    """Use as a context: what was started is ended with it."""

    def __init__(self, folder, count, program, free_port):
        self.folder, self.program, self.free_port = pathlib.Path(folder), program, free_port
        self.members = [Member(self, i) for i in range(count)]
        genesis = self.genesis()
        for member in self.members:
            (member.data / "genesis.json").write_text(json.dumps(genesis))
            member.configure(self.members)
        self.genesis_hash = self.hash_of_genesis()
        for member in self.members:
            self.write_comet_genesis(member)

    def genesis(self):
        forks = ["homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul"]
        config = {f"{fork}Block": 0 for fork in forks + ["berlin", "london"]}
        config |= {"chainId": CHAIN_ID, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0}
        config |= {"pragueTime": 0, "osakaTime": 0}
        config["xinglin"] = {"zeroBaseFee": True, "equalTimestamps": True, "members": MEMBERS}
        alloc = {account.address: {"balance": hex(10**24)} for account in FUNDED}
        alloc |= {account: {"balance": hex(10**24)} for account in self.more_funded}
        alloc[MEMBERS] = {"balance": "0x0", "code": "0x00", "storage": members_storage(self.members)}
        for system in ("0x00000961Ef480Eb55e80D19ad83579A64c007002", "0x0000BBdDc7CE488642fb579F8B00f3a590007251"):
            alloc[system] = {"balance": "0x0", "code": "0x00"}
        return {
            "config": config,
            "difficulty": "0x0",
            "gasLimit": hex(1_000_000_000),
            "timestamp": hex(int(time.time()) - 60),
            "alloc": alloc,
        }

    more_funded: list = []

    def hash_of_genesis(self) -> str:
        scratch = self.folder / "scratch"
        scratch.mkdir()
        shutil.copy(self.members[0].data / "genesis.json", scratch)
        text = (scratch / "genesis.json").read_text().replace(f', "members": "{MEMBERS}"', "")
        (scratch / "genesis.json").write_text(text)
        port = self.free_port()
        node = subprocess.Popen(
            [self.program, "node", "--data", scratch, "--http-port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        found = self.wait(lambda: self.ask(url, "eth_getBlockByNumber", ["0x0", False]), "the genesis block")
        node.terminate()
        node.wait(30)
        return found["hash"]

    def write_comet_genesis(self, member):
        path = member.home / "config/genesis.json"
        genesis = json.loads(path.read_text())
        genesis["genesis_time"] = "2026-01-01T00:00:00Z"
        genesis["chain_id"] = "xinglin-" + self.genesis_hash[2:42]
        genesis["consensus_params"]["block"]["max_bytes"] = "4194304"
        genesis["validators"] = [
            {
                "address": hashlib.sha256(m.key).digest()[:20].hex().upper(),
                "pub_key": {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(m.key).decode()},
                "power": "10",
                "name": "",
            }
            for m in self.members
        ]
        path.write_text(json.dumps(genesis))

    def __enter__(self):
        for member in self.members:
            member.start()
        for member in self.members:
            self.wait(member.number_or_none, "the node answers")
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.kill("comet")
            member.kill("node")

    @staticmethod
    def ask(url, method, params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                found = json.load(answer)
        except OSError:
            return None
        if "error" in found:
            raise RuntimeError(f"{method}: {found['error']}")
        return found["result"]

    @staticmethod
    def wait(ask, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = ask()
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(f"in {seconds} s not: {what}")


class Relay:
    """Stands between a CometBFT and its node's socket, and sees every frame: so a test says at which message what dies.

    `at`: (is_answer, number of the message's field): a function that is called with such a frame's message when it has
    come. What it returns is passed on in its place, which has the same length; if that is False, nothing is.
    """

    def __init__(self, listen_at, pass_to):
        self.pass_to, self.at, self.ends = pass_to, {}, []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(listen_at))
        self.server.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self.pass_to))
            except OSError:
                near.close()
                continue
            self.ends += [near, far]
            for source, sink, is_answer in ((near, far, False), (far, near, True)):
                threading.Thread(target=self.copy, args=(source, sink, is_answer), daemon=True).start()

    def copy(self, source, sink, is_answer):
        stream = source.makefile("rb")
        try:
            while frame := self.read_frame(stream):
                number = frame[1][0] >> 3 if frame[1][0] < 128 else (frame[1][0] & 127 | frame[1][1] << 7) >> 3
                watcher = self.at.get((is_answer, number))
                message = watcher(frame[1]) if watcher else frame[1]
                if message is False:
                    break
                sink.sendall(frame[0] + message)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def read_frame(stream):
        head, length = b"", 0
        while not head or head[-1] & 128:
            byte = stream.read(1)
            if not byte:
                return None
            length |= (byte[0] & 127) << 7 * len(head)
            head += byte
        body = stream.read(length)
        return (head, body) if len(body) == length else None

    def close(self):
        self.server.close()
        for end in self.ends:
            end.close()
