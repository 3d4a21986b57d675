"""What process tests stand on: a node that is a real process, the command line, and a small deployed consortium."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from ports import PORTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "open sesame"
DEV_CHAIN_ID = 31337
# The first accounts of the well-known phrase "test test test test test test test test test test test junk".
DEV_KEYS = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
]


def binary():
    """The program under test: XINGLIN, or the newest under build*/."""
    named = os.environ.get("XINGLIN")
    if named:
        return named
    built = sorted(ROOT.glob("build*/src/app/xinglin"), key=lambda path: path.stat().st_mtime)
    if not built:
        pytest.skip("xinglin is not built; name it in XINGLIN")
    return str(built[-1])


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


def free_port():
    return PORTS.one()


def post(url, body, timeout=30, **headers):
    """The answer's bytes; `body` is bytes or what becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read()


def rpc(url, method, *params, timeout=30):
    answer = json.loads(post(url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, timeout))
    if "error" in answer:
        raise RpcError(answer["error"])
    return answer["result"]


def wait_for(what, seconds=20, every=0.02):
    """Asks until the answer is true, and gives it."""
    until = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < until, f"nothing after {seconds} s"
        time.sleep(every)


class Node:
    """A node's process. `mode` is "dev" or "node"; `data` its folder; `log` holds what it wrote to standard error."""

    def __init__(self, data, mode="dev", *options, port=0, preexec=None):
        self.data = pathlib.Path(data)
        self.log = self.data.with_name(self.data.name + ".log")
        bare = ["--bare"] if mode == "dev" and "--gateway" not in options else []
        command = [binary(), mode, "--data", str(data), "--http-port", str(port), "--json", *bare, *options]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, preexec_fn=preexec)
        line = self.process.stdout.readline()
        if not line.startswith(b'{"rpc"'):
            rest = line + self.process.stdout.read()
            code = self.process.wait()
            raise AssertionError(f"the node ended with {code}: {rest.decode()}\n{self.log.read_text(errors='replace')}")
        self.started = json.loads(line)
        self.url = self.started["rpc"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def rpc(self, method, *params, **options):
        return rpc(self.url, method, *params, **options)

    def post(self, body, **headers):
        return post(self.url, body, **headers)

    def receipt(self, tx_hash, seconds=20):
        return wait_for(lambda: self.rpc("eth_getTransactionReceipt", tx_hash), seconds)

    def head(self):
        return int(self.rpc("eth_blockNumber"), 16)

    def end(self, number, seconds=30):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.process.stdout.close()
        return code

    def stop(self):
        """As Ctrl-C; gives the exit code."""
        return self.end(signal.SIGINT)

    def kill(self):
        return self.end(signal.SIGKILL)


class Refused(Exception):
    """A command that did not end well: its exit code and its report."""

    def __init__(self, code, report, stderr):
        super().__init__(f"exit code {code}: {report}\n{stderr}")
        self.code, self.report, self.stderr = code, report, stderr


def cli(*arguments, stdin=None, env=None, timeout=120):
    """Runs `xinglin ARGUMENTS --json` and gives its report; Refused where it does not end with 0."""
    done = subprocess.run([binary(), *map(str, arguments), "--json"], input=stdin, capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, "XINGLIN_PASSWORD": PASSWORD, **(env or {})})
    try:
        report = json.loads(done.stdout) if done.stdout.strip() else {}
    except json.JSONDecodeError:
        report = {"text": done.stdout}
    if done.returncode != 0:
        raise Refused(done.returncode, report, done.stderr)
    return report


class Consortium:
    """A node with the contracts deployed, two registrars (a threshold of two), and actors that each have a home."""

    def __init__(self, folder, node_options=(), init_options=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.accounts = {}
        self.rpc_url = None  # asked instead of the deployment's, where set (a recording proxy)
        for name in ("registrar-1", "registrar-2"):
            self.new_home(name, trust=False)
        self.data = self.folder / "node"
        cli("init", "--data", self.data, "--deployer", self.accounts["registrar-1"], *init_options)
        self.node = Node(self.data, "node", *node_options)
        self.deployment = self.folder / "deployment.json"
        registrars = f"{self.accounts['registrar-1']},{self.accounts['registrar-2']}"
        self.run("registrar-1", "deploy", "--registrars", registrars, "--threshold", 2, "--out", self.deployment,
                 "--rpc", self.node.url)
        self.run("registrar-2", "trust", self.deployment)
        self.list_actor("registrar-1", "Node 1", "node", "--node-key", self.data / "node.key")

    def home(self, name):
        return self.folder / name

    def new_home(self, name, trust=True, phrase=None):
        words = ["--phrase-file", phrase] if phrase else []
        report = cli("wallet", "new", "--home", self.home(name), "--light-kdf", *words)
        self.accounts[name] = report["account"]
        if trust:
            self.run(name, "trust", self.deployment)
        return report["account"]

    def list_actor(self, home, title, roles, *options):
        request = self.folder / f"{title}.request.json"
        self.run(home, "actor", "request", "--name", title, "--roles", roles, "--out", request, *options)
        self.run("registrar-2", "actor", "endorse", request)
        return self.run("registrar-1", "actor", "list", request)

    def actor(self, name, roles=None, title=None):
        """A new home; with roles it is listed in the directory. Its account."""
        account = self.new_home(name)
        if roles:
            self.list_actor(name, title or name, roles)
        return account

    def found_tags(self):
        """The key of products' tags, founded once; one regulator, tags-regulator, holds it alone."""
        if "tags-regulator" in self.accounts:
            return
        account = self.actor("tags-regulator", "regulator")
        dealing, statement = self.folder / "tags.dealing.json", self.folder / "tags.json"
        self.run("tags-regulator", "tag", "deal", "--holders", account, "--threshold", 1, "--out", dealing)
        self.run("tags-regulator", "tag", "gather", dealing, "--out", statement)
        self.run("registrar-1", "registrars", "sign", statement)
        self.run("registrar-2", "registrars", "send", statement)

    def product(self, maker, gtin, regulator):
        """Registers a product of the home `maker`; the home `regulator` keeps its key."""
        self.found_tags()
        request = self.folder / f"{gtin}.product.json"
        self.run(maker, "product", "new", "--gtin", gtin, "--regulator", self.accounts[regulator], "--out", request)
        self.run("tags-regulator", "product", "answer", request)
        registered = self.run(maker, "product", "register", request, "--gtin", gtin)
        self.run(regulator, "product", "keep", request)
        return registered

    def run(self, name, *arguments, **options):
        """A command of this actor; its report."""
        more = ["--rpc", self.rpc_url] if self.rpc_url else []
        return cli(*arguments, "--home", self.home(name), *more, **options)

    def rpc(self, method, *params):
        return self.node.rpc(method, *params)


def in_threads(jobs):
    """Runs callables at once, and raises what the first failing one raised."""
    failures = []

    def run(job):
        try:
            job()
        except BaseException as failure:  # handed to the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
