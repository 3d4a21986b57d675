"""Nodes to measure: xinglin's own, and anvil from npm, each on a chain of its own."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CACHE = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/xinglin-bench"))
GENERATOR_PACKAGES = ["secp256k1@5", "@noble/hashes@2", "ethers@6"]
ANVIL_PACKAGE = "@foundry-rs/anvil@1.7.1"
START_PATIENCE_S = 120


def install(packages):
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (CACHE / "package.json").exists():
        (CACHE / "package.json").write_text('{"private":true}\n')
    return subprocess.run(["npm", "install", "--no-fund", "--no-audit", "--silent", *packages], cwd=CACHE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def has_generator():
    return (CACHE / "node_modules/ethers").exists() or install(GENERATOR_PACKAGES)


def anvil_program():
    """None where npm cannot install it."""
    pattern = "node_modules/@foundry-rs/anvil-*/bin/anvil"
    found = sorted(CACHE.glob(pattern))
    if not found and install([ANVIL_PACKAGE]):
        found = sorted(CACHE.glob(pattern))
    return str(found[0]) if found else None


def geth_program():
    """None unless tools/bench-peers (`make peers`) built it."""
    found = CACHE / "bin/geth"
    return str(found) if found.exists() else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(prefix="xinglin-bench-", dir=os.environ.get("BENCH_FOLDER")))


def own_chain(program, folder):
    """The folder of a consortium's chain: no fees, blocks of one second with the same timestamp."""
    command = [program, "init", "--data", folder, "--deployer", "0x" + "11" * 20, "--chain-id", "7697"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def command_of(kind, program, folder, port):
    """Kind "own" is xinglin on a chain of its own; "anvil, at once" and "geth" mine what comes when it comes, in memory."""
    if kind.startswith("anvil"):
        mining = [] if kind == "anvil, at once" else ["--no-mining"]
        return [program, "--port", str(port), "--gas-limit", "1000000000", "--silent", *mining]
    if kind == "geth":
        ports = ["--http", "--http.port", str(port), "--port", "0", "--authrpc.port", "0"]
        return [program, "--dev", *ports, "--nodiscover", "--ipcdisable"]
    if kind == "own":
        own_chain(program, folder)
    mode = ["node"] if kind == "own" else ["dev", "--bare"]
    return [program, *mode, "--data", str(folder), "--http-port", str(port)]


class Node:
    """A node that answers; `folder` holds its chain, and goes with it unless it was given."""

    def __init__(self, kind, program, folder=None, options=()):
        self.kind, self.port = kind, free_port()
        self.is_ours, self.folder = folder is None, folder or new_folder()
        command = [*command_of(kind, program, self.folder / "chain", self.port), *options]
        began = time.monotonic()
        self.said = self.folder / "stdout" if "--json" in options else pathlib.Path(os.devnull)
        with open(self.said, "wb") as stdout:
            self.process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.connection = None
        while not self.answers():
            if time.monotonic() - began > START_PATIENCE_S or self.process.poll() is not None:
                self.close()
                raise SystemExit(f"bench: {kind} does not start")
            time.sleep(0.001)
        self.start_ms = (time.monotonic() - began) * 1e3

    def answers(self):
        try:
            self.call("eth_chainId")
            return True
        except OSError:
            self.connection = None
            return False

    def call(self, method, *params):
        if not self.connection:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection = connection
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self.connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        if "error" in answer:
            raise SystemExit(f"bench: {self.kind}: {method}: {answer['error']}")
        return answer["result"]

    def ready_line(self):
        """What a node with --json says when all of it serves."""
        while not self.said.read_bytes().endswith(b"\n"):
            time.sleep(0.01)
        return json.loads(self.said.read_text())

    def rss_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self, seconds_max):
        """Waits until it has used less than a twentieth of a processor for a second. False: it never did."""
        for _ in range(seconds_max):
            before = self.cpu_seconds()
            time.sleep(1)
            if self.cpu_seconds() - before < 0.05:
                return True
        return False

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def close(self):
        self.stop()
        if self.is_ours:
            shutil.rmtree(self.folder, ignore_errors=True)
