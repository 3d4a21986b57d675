"""Our envelopes against two other implementations of JWE, each way: the npm package `jose` and Debian's `jose` command.

ENVELOPE_TOOL names our test program (default: the newest under build*/). `npm ci` in tests/node brings the npm package.
A peer that is not installed is skipped with its reason.
"""
import base64
import json
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = ROOT / "tests" / "node"
PLAINTEXTS = {
    "resource": json.dumps({"resourceType": "Patient", "name": [{"family": "Größe"}], "note": "x" * 3000}).encode(),
    "short": b"a",
    "binary": bytes(range(256)) * 40,
}
MEMBERS = json.dumps({"cty": "application/fhir+json", "kid": "folder-1", "folder": "0x2a"})


def tool_path():
    named = os.environ.get("ENVELOPE_TOOL")
    if named:
        return named
    built = sorted(ROOT.glob("build*/src/envelope/envelope_tool"), key=lambda path: path.stat().st_mtime)
    if not built:
        pytest.skip("envelope_tool is not built; name it in ENVELOPE_TOOL")
    return str(built[-1])


def run(command, data):
    done = subprocess.run([str(part) for part in command], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def ours(verb, key, data, *more):
    return run([tool_path(), verb, key, *more], data)


def npm_peer(verb, key, data, *more):
    if not (NODE / "node_modules" / "jose").exists():
        pytest.skip("npm ci was not run in tests/node")
    return run(["node", NODE / "jose_peer.mjs", verb, key, *more], data)


def debian_peer(verb, key, data, header="{}"):
    if not shutil.which("jose"):
        pytest.skip("Debian's jose is not installed")
    if verb == "open":
        return run(["jose", "jwe", "dec", "-i-", "-k", key, "-O-"], data)
    alg = "ECDH-ES+A256KW" if json.loads(key.read_text())["kty"] == "EC" else "dir"
    template = json.dumps({"protected": {"alg": alg, "enc": "A256GCM", **json.loads(header)}})
    return run(["jose", "jwe", "enc", "-i", template, "-I-", "-k", key, "-c", "-o-"], data)


PEERS = {"npm": npm_peer, "debian": debian_peer}


@pytest.fixture(params=PEERS)
def peer(request):
    return PEERS[request.param]


@pytest.fixture(params=PLAINTEXTS)
def plaintext(request):
    return PLAINTEXTS[request.param]


@pytest.fixture
def ec_key(tmp_path):
    path = tmp_path / "ec.jwk"  # the key pair of RFC 7517, A.2
    path.write_text(json.dumps({
        "kty": "EC", "crv": "P-256", "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    }))
    return path


@pytest.fixture
def shared_key(tmp_path):
    path = tmp_path / "oct.jwk"
    key = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    path.write_text(json.dumps({"kty": "oct", "k": key}))
    return path


def flip_last(sealed):
    """One bit of the tag's first byte, which canonical base64url keeps canonical."""
    head, tag = sealed.rsplit(b".", 1)
    return head + b"." + (b"B" if tag[:1] == b"A" else b"A") + tag[1:]


def refused(call):
    with pytest.raises(AssertionError):
        call()


def test_peer_opens_our_ecdh(peer, plaintext, ec_key):
    sealed = ours("ecdh-seal", ec_key, plaintext, MEMBERS)
    assert peer("open", ec_key, sealed) == plaintext
    refused(lambda: peer("open", ec_key, flip_last(sealed)))


@pytest.mark.parametrize("bucket", ["0", "1024"])
def test_peer_opens_our_dir(peer, plaintext, shared_key, bucket):
    sealed = ours("dir-seal", shared_key, plaintext, MEMBERS, bucket)
    assert peer("open", shared_key, sealed) == plaintext
    refused(lambda: peer("open", shared_key, flip_last(sealed)))


def test_we_open_the_peers_ecdh(peer, plaintext, ec_key):
    sealed = peer("seal", ec_key, plaintext, MEMBERS)
    assert ours("ecdh-open", ec_key, sealed) == plaintext
    refused(lambda: ours("ecdh-open", ec_key, flip_last(sealed)))


def test_we_open_the_peers_dir(peer, plaintext, shared_key):
    sealed = peer("seal", shared_key, plaintext, MEMBERS)
    assert ours("dir-open", shared_key, sealed) == plaintext


def test_we_open_what_npm_deflated(plaintext, shared_key):
    header = json.dumps({"zip": "DEF", "cty": "application/fhir+json"})
    assert ours("dir-open", shared_key, npm_peer("seal", shared_key, plaintext, header)) == plaintext


def test_we_open_the_agreed_parties(plaintext, ec_key):
    """apu and apv take part in the key derivation (RFC 7518, 4.6.2)."""
    header = json.dumps({"apu": "QWxpY2U", "apv": "Qm9i"})
    if not shutil.which("jose"):
        pytest.skip("Debian's jose is not installed")
    assert ours("ecdh-open", ec_key, debian_peer("seal", ec_key, plaintext, header)) == plaintext
