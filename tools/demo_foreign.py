"""The demo over somebody else's chain: geth or anvil orders the transactions, and a node of ours follows it, keeps the
sealed content and signs the heads that the actors believe."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

PATIENCE_S = 60


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def rpc(url, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


class Foreign:
    """What the demo's World is for a chain of our own."""

    def __init__(self, xinglin, folder, program):
        self.xinglin, self.folder, self.program = xinglin, folder, program
        self.is_geth = "geth" in pathlib.Path(program).name
        self.processes = []
        self.url = None

    # --- their life ---

    def start(self, deployer, accounts):
        """The chain's id."""
        fees = ["--base-fee", "--fund", ",".join(accounts)] if self.is_geth else []
        made = self.init(deployer, fees)
        if self.is_geth:  # the node's own transactions cost something too, and its account is known by now
            (self.folder / "node" / "genesis.json").unlink()
            self.init(deployer, ["--base-fee", "--fund", ",".join([*accounts, made["node"]]), "--chain-id",
                                 str(made["chainId"])])
        self.foreign_url = self.start_geth() if self.is_geth else self.start_anvil(made["chainId"])
        order = [] if self.is_geth else ["--follow-order"]
        follower = [self.xinglin, "node", "--data", "node", "--http-port", "0", "--follow", self.foreign_url, *order,
                    "--poll-ms", "10", "--json"]
        line = self.spawn("node", follower, stdout=subprocess.PIPE).stdout.readline()
        if not line:
            raise RuntimeError(f"the node did not start; see {self.folder / 'node.log'}")
        self.url, self.account = json.loads(line)["rpc"], made["node"]
        return made["chainId"]

    def init(self, deployer, options):
        done = subprocess.run([self.xinglin, "init", "--data", "node", "--deployer", deployer, "--for-another", *options,
                               "--json"], cwd=self.folder, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def spawn(self, name, command, **options):
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, stderr=log, text=True,
                                       **{"stdout": log, **options})
        self.processes.append(process)
        return process

    def start_geth(self):
        data, port = ["--datadir", "foreign"], free_port()
        subprocess.run([self.program, "init", *data, "node/genesis.json"], cwd=self.folder, capture_output=True,
                       check=True)
        self.spawn("geth", [self.program, *data, "--dev", "--http", "--http.port", str(port), "--http.api",
                            "eth,debug,web3,net", "--port", "0", "--authrpc.port", str(free_port()), "--ipcdisable"])
        return self.reached(port)

    def start_anvil(self, chain_id):
        port = free_port()
        self.spawn("anvil", [self.program, "--port", str(port), "--chain-id", str(chain_id), "--gas-price", "0",
                             "--block-base-fee-per-gas", "0", "--gas-limit", "1000000000", "--silent"])
        return self.reached(port)

    def reached(self, port):
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_S
        while True:
            try:
                rpc(url, "eth_blockNumber")
                return url
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=30)

    # --- asking them ---

    def deploying(self):
        """Nobody seals these blocks: the node that follows is the witness whom the actors believe."""
        return ["--witnesses", f"{self.account}={self.url}", "--witness-threshold", "1"]

    def place(self, label, arguments):
        return []

    def settle(self):
        """There is one node that answers, and it has done what it was asked."""

    def audited(self):
        return ["--node", f"{self.account}={self.url}"]

    def node_keys(self):
        return [("Node 1", "node/node.key")]

    def describe(self):
        kind = "blocks" if self.is_geth else "order of transactions"
        return "A node", f"follows the {kind} of {os.path.basename(self.program)} on {self.foreign_url}"

    def rpc(self, method, *params):
        return rpc(self.url, method, *params)
