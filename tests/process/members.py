"""Members of a consortium for tests, as `xinglin consortium init` makes them: each a node that runs its CometBFT."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from machine import PASSWORD, binary, cli, rpc, wait_for
from ports import PORTS

CACHE = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/xinglin-bench"))


def comet_program():
    """COMETBFT, or what tools/cometbft built of COMETBFT_LINE (0.38 or 0.40)."""
    line = os.environ.get("COMETBFT_LINE", "0.38")
    program = pathlib.Path(os.environ.get("COMETBFT", CACHE / "cometbft" / line / "cometbft"))
    if not program.exists():
        pytest.skip(f"CometBFT is not built: run tools/cometbft {line}")
    return program


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("comet", timeout=20)
        self.socket_path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.socket_path)


class Member:
    """One folder; `start` runs its node, which runs its CometBFT."""

    def __init__(self, report):
        self.config = pathlib.Path(report["config"])
        self.folder = self.config.parent
        self.account, self.key, self.node, self.url = report["account"], report["key"], report["node"], report["rpc"]
        self.log = self.folder / "node.log"
        self.process = None

    def start(self, *options):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([binary(), "node", "--config", self.config, *options], stdout=log,
                                            stderr=log)
        return self

    def end(self, sign=signal.SIGTERM):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(sign)
            self.process.wait(30)
            self.process = None

    def rpc(self, method, *params):
        return rpc(self.url, method, *params)

    def head(self):
        """None: it does not answer yet."""
        with contextlib.suppress(OSError):
            return self.rpc("eth_getBlockByNumber", "latest", False)

    def is_at(self, block):
        head = self.head()
        return head and head["hash"] == block["hash"]

    def comet(self, path):
        """What its CometBFT answers; {} while it does not, or has nothing to answer."""
        try:
            connection = UnixConnection(self.folder / "comet.sock")
            connection.request("GET", path)
            return json.loads(connection.getresponse().read()).get("result", {})
        except OSError:
            return {}

    def validators(self):
        return {one["pub_key"]["value"]: int(one["voting_power"]) for one in
                self.comet("/validators").get("validators", [])}

    def peers(self):
        return {one["node_info"]["id"] for one in self.comet("/net_info").get("peers", [])}

    def run(self, *arguments, node=None):
        """A command in the name of this member, to its own node or to another's."""
        return cli(*arguments, "--home", self.folder / "home", "--rpc", (node or self).url)


def init(folder, count, *options):
    """The report of `consortium init`."""
    ports = [] if {"--base-port", "--host"} & set(options) else ["--base-port", PORTS.row(2 * int(count))]
    return cli("consortium", "init", "--members", count, "--out", folder, "--light-kdf", *ports, *options)


def newcomer(folder, name):
    """Somebody with the network's folder, keys of its own, and no vote yet."""
    return Member(cli("consortium", "member", "new", "--network", folder / "network", "--out", folder / name,
                      "--base-port", PORTS.row(2), "--light-kdf", "--comet-program", comet_program()))


@contextlib.contextmanager
def running(folder, count, *options):
    """A network whose members are started; what was started is ended, newcomers that were appended too."""
    report = init(folder, count, "--comet-program", comet_program(), *options)
    members = [Member(one) for one in report["members"]]
    try:
        for member in members:
            member.start()
        for member in members:
            wait_for(member.head)
        yield members
    finally:
        for member in members:
            member.end(signal.SIGKILL)


def change(members, *proposal):
    """The first member proposes, and the next ones vote until it is done."""
    made = members[0].run("consortium", "member", "propose", *proposal)
    for member in members[1:]:
        if made.get("done"):
            break
        wait_for(lambda: member.rpc("eth_getTransactionReceipt", made["sent"]["transaction"]))
        made |= member.run("consortium", "member", "vote", "--proposer", members[0].account, "--number",
                           made["number"])
    assert made["done"]


__all__ = ["Member", "PASSWORD", "change", "comet_program", "init", "newcomer", "running"]
