"""Keys in a PKCS #11 token (SoftHSM): `xinglin signer` signs with one, says what is wrong with a token, signs nothing
while it is gone, and goes on once it is back. Each is skipped without softhsm2."""
import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from consortia import FUNDED, running
from machine import Refused, cli, free_port, wait_for
from members import comet_program
from signers import Signer, comet, signing, state  # noqa: F401
from tokens import ED25519_HEAD, PIN, SECP_HEAD, token  # noqa: F401

A, B = b"\x0a", b"\x0b"
SEED = bytes(range(32))
NOTHING_SIGNED = '{"height":"0","round":0,"step":0}\n'


@pytest.fixture
def home(tmp_path):
    """A signer's folder without a key."""
    for folder in ("config", "data"):
        (tmp_path / "home" / folder).mkdir(parents=True)
    (tmp_path / "home" / "data" / "priv_validator_state.json").write_text(NOTHING_SIGNED)
    return tmp_path / "home"


def key_file(home):
    return home / "config" / "priv_validator_key.json"


def public_of(home):
    return base64.b64decode(json.loads(key_file(home).read_text())["pub_key"]["value"])


def openssl_verifies(tmp_path, public, message, signature):
    head = bytes.fromhex("302a300506032b6570032100")
    for name, content in (("public.der", head + public), ("message", message), ("signature", signature)):
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", "public.der",
                           "-in", "message", "-sigfile", "signature"], cwd=tmp_path, capture_output=True)
    return done.returncode == 0


@pytest.mark.parametrize("made", [False, True])
def test_a_key_in_a_token_signs_one_thing_at_a_place(token, home, comet, tmp_path, made):
    if made:
        token.make("EC:edwards25519", "consensus", "01")
    else:
        token.take(ED25519_HEAD, SEED, "consensus", "01")
    with signing(home, comet, "--key", token.uri()) as signer:
        first = comet.signature(5, 0, 1, A)
        said = state(home)
        assert base64.b64decode(said["signature"]) == first
        assert openssl_verifies(tmp_path, public_of(home), bytes.fromhex(said["signbytes"]), first)
        assert comet.signature(5, 0, 1, A, seconds=9) == first
        assert comet.signature(5, 0, 1, B) is None and comet.signature(4, 0, 1, B) is None
        assert signer.end() == 0
    with signing(home, comet, "--key", token.uri(more=";type=private")) as signer:
        assert comet.signature(5, 0, 1, B) is None and comet.signature(5, 0, 1, A) == first
    assert PIN not in signer.log.read_text() and "priv_key" not in key_file(home).read_text()


def refused(home, comet, uri):
    with pytest.raises(Refused) as caught:
        cli("signer", "--home", home, "--socket", comet.path, "--key", uri)
    assert PIN not in str(caught.value)
    return str(caught.value)


def test_what_is_wrong_with_a_token_is_said_at_the_start(token, home, comet):
    token.take(ED25519_HEAD, SEED, "consensus", "01")
    token.take(SECP_HEAD, SEED, "account", "02")
    token.take(ED25519_HEAD, bytes(32), "twice", "03")
    token.take(ED25519_HEAD, b"\1" * 32, "twice", "04")
    assert "is the one that the URI names" in refused(home, comet, token.uri(token="another"))
    assert "no private key that the URI names" in refused(home, comet, token.uri("another"))
    assert "is not of Ed25519" in refused(home, comet, token.uri("account"))
    assert "several private keys" in refused(home, comet, token.uri("twice"))
    assert "cannot load" in refused(home, comet, token.uri().replace("unplugged", "another"))
    assert "the token's PIN" in refused(home, comet, token.uri(pin=token.folder / "another"))
    assert "never in a URI" in refused(home, comet, token.uri() + f"&pin-value={PIN}".replace(PIN, "12"))
    assert "is a PKCS #11 URI" in refused(home, comet, "/etc/key")
    for fault, words in (("gone", "is the one that the URI names"), ("plain", "CKM_EDDSA"), ("last", "none is tried")):
        token.fault(fault)
        before = token.logins()
        assert words in refused(home, comet, token.uri())
        assert token.logins() == before
        token.fault(fault, False)
    assert not key_file(home).exists()


def test_a_wrong_pin_is_tried_once(token, home, comet):
    token.take(ED25519_HEAD, SEED, "consensus", "01")
    token.pin_file.write_text("wrong-one\n")
    said = refused(home, comet, token.uri())
    assert "locks itself" in said and "wrong-one" not in said
    assert token.logins() == 1


def test_a_pin_that_is_refused_later_is_not_tried_again(token, home, comet):
    token.take(ED25519_HEAD, SEED, "consensus", "01")
    with signing(home, comet, "--key", token.uri()):
        assert comet.signature(5, 0, 1, A) is not None
        token.fault("gone")
        assert comet.signature(6, 0, 1, A) is None
        token.pin_file.write_text("wrong-one\n")
        token.fault("gone", False)
        before = token.logins()
        for round_ in range(5):
            assert comet.signature(6, round_, 1, A) is None
        assert token.logins() == before + 1


def readiness(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_pulled_token_signs_nothing_and_goes_on_once_it_is_back(token, home, comet):
    token.take(ED25519_HEAD, SEED, "consensus", "01")
    port = free_port()
    with signing(home, comet, "--key", token.uri(), "--ops-port", str(port)) as signer:
        assert comet.signature(5, 0, 1, A) is not None
        assert readiness(port)[0] == 200
        token.fault("gone")
        code, said = readiness(port)
        assert code == 503 and "not there" in [one for one in said["checks"] if one["name"] == "token"][0]["detail"]
        before = state(home)
        assert comet.signature(6, 0, 1, A) is None  # an answer with an error, on the same connection
        assert state(home) == before
        token.fault("gone", False)
        assert comet.signature(6, 0, 1, B) is not None
        assert readiness(port)[0] == 200
        assert comet.signature(6, 0, 1, A) is None and comet.signature(5, 0, 1, B) is None
        assert signer.process.poll() is None


def test_a_signature_that_is_wrong_is_not_given_out(token, home, comet):
    token.take(ED25519_HEAD, SEED, "consensus", "01")
    with signing(home, comet, "--key", token.uri()):
        token.fault("lies")
        assert comet.signature(5, 0, 1, A) is None
        token.fault("lies", False)
        assert comet.signature(5, 0, 1, A) is not None


def test_the_folder_knows_which_key_it_is_for(token, home, comet):
    token.take(ED25519_HEAD, SEED, "consensus", "01")
    token.take(ED25519_HEAD, bytes(32), "another", "02")
    with signing(home, comet, "--key", token.uri()):
        assert comet.signature(5, 0, 1, A) is not None
    assert "is not the one that" in refused(home, comet, token.uri("another"))
    with pytest.raises(Refused, match="--key says which token does"):
        cli("signer", "--home", home, "--socket", comet.path)
    subprocess.run([comet_program(), "init", "--home", home.with_name("other")], check=True, capture_output=True)
    key_file(home).write_text(key_file(home.with_name("other")).read_text())
    assert "still holds a secret" in refused(home, comet, token.uri())


def test_a_member_whose_key_is_in_a_token_votes(token, tmp_path):
    """Three of four have to vote, and one of the others is away. CometBFT checks each signature."""
    keeper, path = tmp_path / "keeper", tmp_path / "signer.sock"

    def prepare(_, members):
        folder = members[3].folder / "comet"
        file = key_file(folder)
        secret = base64.b64decode(json.loads(file.read_text())["priv_key"]["value"])
        token.take(ED25519_HEAD, secret[:32], "consensus", "01")
        for name in ("config", "data"):
            (keeper / name).mkdir(parents=True)
        (keeper / "data" / "priv_validator_state.json").write_text(NOTHING_SIGNED)
        other = subprocess.run([comet_program(), "gen-validator"], check=True, capture_output=True).stdout
        file.write_text(json.dumps(json.loads(other)["Key"]))
        config = folder / "config" / "config.toml"
        rest = re.sub(r"(?m)^priv_validator_laddr = .*\n", "", config.read_text())
        config.write_text(f'priv_validator_laddr = "unix://{path}"\n' + rest)
        stack.callback(Signer(keeper, path, "--key", token.uri()).end, signal.SIGKILL)

    with contextlib.ExitStack() as stack:
        made = stack.enter_context(running(tmp_path / "n", 4, together=True, prepare=prepare))
        made[0].end(signal.SIGKILL)
        sent = made[3].send(FUNDED[0], 0)
        assert all(member.receipt(sent, 120)["status"] == "0x1" for member in made[1:])
        assert int(state(keeper)["height"]) > 0
        token.fault("gone")
        head = made[1].number()
        sent = made[3].send(FUNDED[0], 1)
        wait_for(lambda: "nothing is signed" in keeper.with_name("keeper.log").read_text(), 120)
        assert made[1].number() == head  # two of four decide nothing
        token.fault("gone", False)
        os.kill(made[3].processes()[1], signal.SIGKILL)  # a CometBFT does not ask again in a round: as the runbook says
        assert all(member.receipt(sent, 120)["status"] == "0x1" for member in made[1:])
