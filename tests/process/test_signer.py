"""`xinglin signer`: a real CometBFT makes blocks with it; whoever asks for two things at one place gets one signature,
also if the signer is killed between; a copy of its folder, and an old state, sign nothing twice."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from consortia import FUNDED, running
from machine import Refused, cli, free_port, wait_for
from members import comet_program
from signers import Comet, Signer, comet, fields, height_of, home, signing, state, uvarint, vote  # noqa: F401

A, B = b"\x0a", b"\x0b"


def test_one_thing_is_signed_at_a_place(home, comet):
    with signing(home, comet) as signer:
        first = comet.signature(5, 0, 1, A)
        assert len(first) == 64
        assert comet.signature(5, 0, 1, A) == first
        assert comet.signature(5, 0, 1, A, seconds=9) == first  # with the time that was signed
        assert comet.signature(5, 0, 1, B) is None
        assert comet.signature(4, 7, 2, A) is None
        assert comet.signature(5, 0, 2, B) is not None
        assert comet.signature(5, 0, 1, A) is None
        assert (state(home)["height"], state(home)["round"], state(home)["step"]) == ("5", 0, 3)
        assert signer.end() == 0


def test_a_second_cometbft_at_the_same_socket_gets_nothing_that_the_first_did_not(home, comet):
    with signing(home, comet):
        assert comet.signature(5, 0, 1, A) is not None
        os.unlink(comet.path)
        second = Comet(comet.path)
        assert comet.signature(5, 0, 2, A) is not None  # one is served at a time, and this one is
        comet.peer.close()
        comet.server.close()
        second.accept()
        assert second.signature(5, 0, 1, B) is None and second.signature(5, 0, 2, B) is None
        assert second.signature(5, 0, 2, A) is not None


def test_a_signer_that_is_killed_after_it_wrote_never_signs_another(home, comet):
    for height in range(10, 15):
        with signing(home, comet):
            comet.send(vote(height, 0, 1, A))
            wait_for(lambda: state(home)["height"] == str(height), 60, 0.001)
        with signing(home, comet):  # that was kill -9, and nobody read the answer
            assert comet.signature(height, 0, 1, B) is None
            assert comet.signature(height, 0, 1, A) is not None


def test_an_old_state_that_is_put_back_changes_nothing(home, comet):
    file = home / "data" / "priv_validator_state.json"
    with signing(home, comet):
        comet.signature(5, 0, 1, A)
        old = file.read_bytes()
        comet.signature(9, 0, 1, A)
    file.write_bytes(old)
    with signing(home, comet):
        assert comet.signature(9, 0, 1, B) is None and comet.signature(7, 0, 1, B) is None
        assert comet.signature(9, 0, 2, A) is not None


def refused(home, comet, *options):
    with pytest.raises(Refused) as caught:
        cli("signer", "--home", home, "--socket", comet.path, *options)
    return str(caught.value)


def test_a_copy_signs_nothing_until_it_is_told_from_where_on(home, comet, tmp_path):
    with signing(home, comet):
        comet.signature(5, 0, 1, A)
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    assert "is a copy" in refused(copy, comet)
    assert "cannot be lower" in refused(copy, comet, "--above", "4")
    with signing(copy, comet, "--above", "20"):
        assert comet.signature(20, 0, 2, B) is None and comet.signature(21, 0, 1, B) is not None
    with signing(copy, comet):  # from then on it is its own
        assert comet.signature(22, 0, 1, B) is not None


def test_two_signers_do_not_share_a_folder(home, comet):
    with signing(home, comet):
        assert "another signer" in refused(home, comet)


@pytest.mark.parametrize("name, content", [
    ("config/priv_validator_key.json", b"{}"), ("config/priv_validator_key.json", b"no"),
    ("data/priv_validator_state.json", b"{}"), ("data/priv_validator_state.json", b""),
    ("data/priv_validator_state.json", b'{"height":"-1","round":0,"step":0}'),
    ("data/priv_validator_state.json", b'{"height":"1","round":0,"step":9}'),
    ("data/signer_state.json", b'{"height":"1","round":0,"step":1,"signature":"AA==","signbytes":"00"}')])
def test_damaged_files_sign_nothing(home, comet, name, content):
    (home / name).write_bytes(content)
    refused(home, comet)


def test_a_file_at_the_sockets_place_is_refused_and_not_removed(home):
    """The system refuses a connection to a file as it does to a socket that nobody listens on."""
    key = home / "config" / "priv_validator_key.json"
    before = key.read_bytes()
    with pytest.raises(Refused, match="is not a socket"):
        cli("signer", "--home", home, "--socket", key, timeout=30)
    assert key.read_bytes() == before


def test_without_its_state_nothing_is_signed(home, comet):
    (home / "data" / "priv_validator_state.json").unlink()
    refused(home, comet)


@pytest.mark.parametrize("garbage", [b"\xff" * 11, b"\x80" * 11, b"\xff\xff\xff\x7f", b"\x02\x08\x01", b"\x00",
                                     b"\x02\x4a\x00", b"\x12GET / HTTP/1.1\r\n\r\n"])
def test_garbage_ends_the_connection_and_not_the_signer(home, comet, garbage):
    with signing(home, comet) as signer:
        comet.peer.sendall(garbage)
        assert comet.peer.recv(1) == b""
        comet.accept()  # it dials anew
        assert comet.ask(b"\x3a\x00") == {8: b""}
        assert comet.signature(5, 0, 1, A) is not None
        assert signer.process.poll() is None


def test_a_message_in_pieces_is_one(home, comet):
    with signing(home, comet):
        message = vote(5, 0, 1, A)
        for byte in uvarint(len(message)) + message:
            comet.peer.sendall(bytes([byte]))
        assert 1 in fields(comet.read()[4])


# --- a real one ---

def test_cometbft_makes_blocks_with_it_and_waits_while_it_is_killed(home, tmp_path):
    """CometBFT has no key of its own here: who signs has it elsewhere."""
    keeper, path, rpc = tmp_path / "keeper", tmp_path / "signer.sock", tmp_path / "rpc.sock"
    for folder in ("config", "data"):
        (keeper / folder).mkdir(parents=True)
    for name in ("config/priv_validator_key.json", "data/priv_validator_state.json"):
        shutil.move(home / name, keeper / name)
    config = home / "config" / "config.toml"
    config.write_text(re.sub(r'(?m)^priv_validator_laddr = .*$', f'priv_validator_laddr = "unix://{path}"',
                             config.read_text()))
    signer = Signer(keeper, path)
    with open(tmp_path / "comet.log", "wb") as log:
        comet = subprocess.Popen([comet_program(), "start", "--home", home, "--proxy_app", "kvstore", "--rpc.laddr",
                                  f"unix://{rpc}", "--p2p.laddr", f"tcp://127.0.0.1:{free_port()}"],
                                 stdout=log, stderr=log)
    try:
        for _ in range(3):
            before = height_of(rpc)
            wait_for(lambda: height_of(rpc) >= before + 3, 90)
            signer.end(signal.SIGKILL)
            signer = Signer(keeper, path)
        before = height_of(rpc)
        wait_for(lambda: height_of(rpc) >= before + 3, 90)
        assert int(state(keeper)["height"]) >= before
        assert "ConflictingVotes" not in (tmp_path / "comet.log").read_text()
    finally:
        comet.kill()
        comet.wait(30)
        signer.end(signal.SIGKILL)
    own, kept = ((folder / "config" / "priv_validator_key.json").read_text() for folder in (home, keeper))
    assert own != kept  # CometBFT made itself one, which has no vote


def test_a_member_whose_key_is_elsewhere_votes(tmp_path):
    """Three of four have to vote, and one of the others is away."""
    keeper, path, program = tmp_path / "keeper", tmp_path / "signer.sock", comet_program()

    def prepare(_, members):
        comet = members[3].folder / "comet"
        for folder in ("config", "data"):
            (keeper / folder).mkdir(parents=True)
        for name in ("config/priv_validator_key.json", "data/priv_validator_state.json"):
            shutil.copy(comet / name, keeper / name)
        other = subprocess.run([program, "gen-validator"], check=True, capture_output=True).stdout
        (comet / "config" / "priv_validator_key.json").write_text(json.dumps(json.loads(other)["Key"]))
        config = comet / "config" / "config.toml"
        changed, count = re.subn(r"(?m)^priv_validator_laddr = .*$", f'priv_validator_laddr = "unix://{path}"',
                                 config.read_text())
        config.write_text(changed if count else f'priv_validator_laddr = "unix://{path}"\n' + changed)
        stack.callback(Signer(keeper, path).end, signal.SIGKILL)

    with contextlib.ExitStack() as stack:
        made = stack.enter_context(running(tmp_path / "n", 4, together=True, prepare=prepare))
        made[0].end(signal.SIGKILL)
        sent = made[3].send(FUNDED[0], 0)
        assert all(member.receipt(sent, 120)["status"] == "0x1" for member in made[1:])
        assert int(state(keeper)["height"]) > 0
        assert state(made[3].folder / "comet")["height"] == "0"
        os.kill(made[3].processes()[1], signal.SIGKILL)  # its CometBFT leaves its socket, and binds it again
        sent = made[3].send(FUNDED[0], 1)
        assert all(member.receipt(sent, 120)["status"] == "0x1" for member in made[1:])
