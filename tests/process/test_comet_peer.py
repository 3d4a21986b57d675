"""Peers of a CometBFT: of its other line; and one with a member's own key, in the encrypted connection, that says what
no honest node says (tests/comet/stranger): every node and its CometBFT stay up, and go on."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from consortia import FUNDED, running
from machine import ROOT, wait_for
from members import CACHE, comet_program

MODULE = ROOT / "third_party/cometbft/0.38"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    if not shutil.which("go"):
        pytest.skip("there is no Go")
    program = tmp_path_factory.mktemp("go") / "stranger"
    # As tools/cometbft builds, so that what it compiled serves. Nothing is downloaded.
    env = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-o", program, ROOT / "tests/comet/stranger/main.go"]
    built = subprocess.run(command, cwd=MODULE, env=env, capture_output=True, text=True, timeout=900)
    if built.returncode and "module lookup disabled" in built.stderr:
        pytest.skip("CometBFT's module is not on this machine")
    assert built.returncode == 0, built.stderr
    return program


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    with running(tmp_path_factory.mktemp("p") / "n", 4, together=True) as members:
        yield members


def talk(stranger, member, key):
    """Begins to talk to this member's CometBFT; ends by itself."""
    config = (member.folder / "comet/config/config.toml").read_text()
    port = re.search(r'\[p2p\][^[]*laddr = "tcp://[^"]*:(\d+)"', config)[1]
    chain = json.loads((member.folder / "comet/config/genesis.json").read_text())["chain_id"]
    return subprocess.Popen([stranger, f"127.0.0.1:{port}", key, chain], stdout=subprocess.PIPE, text=True)


def test_a_member_that_sends_garbage_inside_the_encrypted_connection_disturbs_nobody(four, stranger):
    liar, others = four[3], four[:3]
    liar.end(signal.SIGKILL)
    before = [member.processes() for member in others]
    talking = [talk(stranger, member, liar.folder / "comet/config/node_key.json") for member in others]
    sent = [others[i % 3].send(FUNDED[0], i) for i in range(6)]
    counts = [json.loads(one.communicate(timeout=300)[0]) for one in talking]
    for transaction in sent:
        for member in others:
            wait_for(lambda m=member, t=transaction: m.rpc("eth_getTransactionReceipt", t), 60)
    assert all(one["greeted"] > 0 for one in counts), counts
    assert [member.processes() for member in others] == before
    liar.start_both()
    wait_for(lambda: liar.is_at(others[0].head()), 90)


def test_who_is_no_member_comes_not_past_the_handshake(four, stranger, tmp_path):
    """The key of a network that is not this one."""
    with running(tmp_path / "n", 1) as elsewhere:
        key = elsewhere[0].folder / "comet/config/node_key.json"
        talking = talk(stranger, four[0], key)
        wait_for(lambda: "a peer that is no member is refused" in four[0].log.read_text(), 60)
        talking.kill()
        talking.communicate()
    assert four[0].head()


def test_a_member_changes_its_line_of_cometbft_and_both_lines_make_blocks_together(four):
    """There and back; while it is away, and with two of each line, transactions come into blocks everywhere."""
    own = comet_program()
    other = CACHE / "cometbft" / ("0.38" if "0.40" in str(own) else "0.40") / "cometbft"
    if not other.exists():
        pytest.skip("the other line of CometBFT is not built")
    nonce = four[0].nonce(FUNDED[1])
    for program in (other, own):
        for member in four[:2]:
            member.end()
            member.start_both(program)
            wait_for(lambda m=member: m.is_at(four[2].head()), 90)
            sent = member.send(FUNDED[1], nonce)
            nonce += 1
            for one in four:
                one.receipt(sent, 90)
        assert str(program) in (pathlib.Path("/proc") / str(four[0].processes()[1]) / "cmdline").read_text()
