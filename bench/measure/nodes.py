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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(prefix="xinglin-bench-", dir=os.environ.get("BENCH_FOLDER")))


class Node:
    """A node that answers; `folder` holds its chain, and goes with it unless it was given."""

    def __init__(self, kind, program, folder=None, options=()):
        self.kind, self.port = kind, free_port()
        self.is_ours, self.folder = folder is None, folder or new_folder()
        command = [program, "dev", "--data", str(self.folder / "chain"), "--http-port", str(self.port), *options]
        if kind == "anvil":
            command = [program, "--port", str(self.port), "--gas-limit", "1000000000", "--no-mining", "--silent"]
        began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
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

    def rss_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def close(self):
        self.stop()
        if self.is_ours:
            shutil.rmtree(self.folder, ignore_errors=True)
