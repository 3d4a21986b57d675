"""Members of a consortium whose node and whose CometBFT a test starts and kills by itself, so that it decides what dies
and when; and a relay between the two, that sees each message."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading

from eth_account import Account

import members
from machine import binary, wait_for

CHAIN_ID = 7697
FUNDED = [Account.from_key(bytes(31) + bytes([i + 1])) for i in range(8)]


class Member(members.Member):
    def __init__(self, report):
        super().__init__(report)
        self.port = int(self.url.rsplit(":", 1)[1])
        self.app_socket, self.rpc_socket = self.folder / "abci.sock", self.folder / "comet.sock"
        self.comet_process = None

    def start_node(self, *options, environment=None, preexec=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [binary(), "node", "--data", self.folder, "--http-port", str(self.port), *options],
                stdout=log,
                stderr=log,
                env=environment,
                preexec_fn=preexec,
            )
        return self

    def start_both(self, program=None, **how):
        """As an operator does it: the node starts its CometBFT."""
        program = program or members.comet_program()
        return self.start_node("--comet-home", self.folder / "comet", "--comet-program", program, **how)

    def start_comet(self, over=None):
        """`over`: the socket that it takes for the node's."""
        program, app = members.comet_program(), f"unix://{over or self.app_socket}"
        self.rpc_socket.unlink(missing_ok=True)
        with open(self.folder / "comet.log", "ab") as log:
            self.comet_process = subprocess.Popen(
                [program, "start", "--home", self.folder / "comet", "--proxy_app", app]
                + ["--rpc.laddr", f"unix://{self.rpc_socket}"],
                stdout=log,
                stderr=log,
            )
        return self

    def start(self):
        self.start_node()
        wait_for(self.app_socket.exists)
        return self.start_comet()

    def end_comet(self, sign=signal.SIGTERM):
        if self.comet_process:
            self.comet_process.send_signal(sign)
            self.comet_process.wait(30)
            self.comet_process = None

    def processes(self):
        """The node's identifier, and that of the CometBFT which it runs."""
        started = re.findall(r"CometBFT is started: process (\d+)", self.log.read_text())
        return [self.process.pid] + [int(pid) for pid in started[-1:]]

    def kill(self):
        """Both, without warning."""
        self.end_comet(signal.SIGKILL)
        self.end(signal.SIGKILL)

    def number(self):
        head = self.head()
        return int(head["number"], 16) if head else -1

    def nonce(self, account):
        return int(self.rpc("eth_getTransactionCount", account.address, "latest"), 16)

    @staticmethod
    def sign(account, nonce, **fields):
        fields = {"to": "0x" + "12" * 20, "value": 3, "gas": 21000, **fields}
        fees = {"maxFeePerGas": 10, "maxPriorityFeePerGas": 1}
        return account.sign_transaction({"chainId": CHAIN_ID, "nonce": nonce, **fees, **fields})

    def send(self, account, nonce, **fields):
        signed = self.sign(account, nonce, **fields)
        return self.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())

    def receipt(self, transaction, seconds=60):
        return wait_for(lambda: self.rpc("eth_getTransactionReceipt", transaction), seconds)

    def height(self):
        """CometBFT's, by its own RPC; 0: it does not answer."""
        return int(self.comet("/status").get("sync_info", {}).get("latest_block_height", 0))


@contextlib.contextmanager
def running(folder, count, *more_funded, together=False, prepare=None):
    """`together`: each node runs its CometBFT, as an operator has it. `prepare(report, members)`: before they start."""
    funded = ",".join([account.address for account in FUNDED] + list(more_funded))
    report = members.init(folder, count, "--chain-id", CHAIN_ID, "--fund", funded)
    made = [Member(one) for one in report["members"]]
    if prepare:
        prepare(report, made)
    try:
        for member in made:
            member.start_both() if together else member.start()
        for member in made:
            wait_for(member.head)
        yield made
    finally:
        for member in made:
            member.kill()


class Relay:
    """Stands between a CometBFT and its node's socket, and sees every frame: so a test says at which message what dies.

    `at`: (is_answer, number of the message's field): a function that is called with such a frame's message when it has
    come. What it returns is passed on in its place, which has the same length; if that is False, nothing is.
    """

    def __init__(self, listen_at, pass_to):
        self.path, self.pass_to, self.at, self.ends = listen_at, pass_to, {}, []
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
