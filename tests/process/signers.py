"""CometBFT's end of the socket of `xinglin signer`, and the signer as a process."""
import contextlib
import json
import signal
import socket
import subprocess

import pytest

from machine import binary
from members import UnixConnection, comet_program

CHAIN = b"a-chain"


# --- the wire ---

def uvarint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def number(field, value):
    return uvarint(field << 3) + uvarint(value % 2**64) if value else b""


def text(field, value):
    return uvarint(field << 3 | 2) + uvarint(len(value)) + value


def fields(message):
    out, at = {}, 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = take()
        value = take()
        if tag & 7 == 2:
            at, value = at + value, message[at:at + value]
        out[tag >> 3] = value
    return out


def vote(height, round_, kind, block, seconds=1):
    parts = number(1, 1) + text(2, block * 32)
    body = number(1, kind) + number(2, height) + number(3, round_) + text(4, text(1, block * 32) + text(2, parts))
    return text(3, text(1, body + text(5, number(1, seconds))) + text(2, CHAIN))


class Comet:
    """CometBFT's end of the socket."""

    def __init__(self, path):
        self.path = str(path)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(4)
        self.server.settimeout(60)
        self.peer = None

    def accept(self):
        if self.peer:
            self.peer.close()
        self.peer = self.server.accept()[0]
        self.peer.settimeout(60)
        return self

    def send(self, message):
        self.peer.sendall(uvarint(len(message)) + message)

    def ask(self, message):
        self.send(message)
        return self.read()

    def read(self):
        length = self.peer.recv(1)[0]
        if length & 0x80:
            length = length & 0x7F | self.peer.recv(1)[0] << 7
        got = b""
        while len(got) < length:
            got += self.peer.recv(length - len(got))
        return fields(got)

    def signature(self, *about, **more):
        """None: it refused."""
        answer = fields(self.ask(vote(*about, **more))[4])
        assert (2 in answer) == (8 not in fields(answer.get(1, b"")))
        return fields(answer[1]).get(8) if 2 not in answer else None


class Signer:
    def __init__(self, home, path, *options):
        self.log = home.with_name(home.name + ".log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([binary(), "signer", "--home", home, "--socket", path, *options],
                                            stdout=log, stderr=log)

    def end(self, sign=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(30)


@pytest.fixture
def home(tmp_path):
    """A validator's folder as CometBFT makes it, which has signed nothing."""
    home = tmp_path / "home"
    subprocess.run([comet_program(), "init", "--home", home], check=True, stdout=subprocess.DEVNULL)
    return home


@pytest.fixture
def comet(tmp_path):
    return Comet(tmp_path / "signer.sock")


@contextlib.contextmanager
def signing(home, comet, *options):
    signer = Signer(home, comet.path, *options)
    try:
        comet.accept()
        yield signer
    finally:
        signer.end(signal.SIGKILL)


def state(home):
    return json.loads((home / "data" / "priv_validator_state.json").read_text())


def height_of(path):
    try:
        connection = UnixConnection(path)
        connection.request("GET", "/status")
        return int(json.loads(connection.getresponse().read())["result"]["sync_info"]["latest_block_height"])
    except (OSError, KeyError, ValueError):
        return 0
