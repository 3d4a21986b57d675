"""Our sealed records, opened by the npm package `jose` and by docs/wire-formats.md §1 to §3 written down once more here.

RECORDS_TOOL names our test program (default: the newest under build*/). `npm ci` in tests/node brings the package.
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = ROOT / "tests" / "node"
FOLDER, EPOCH, RECORD = bytes(32), 7, b"\x01" + bytes(31)
KEY = {  # the key pair of RFC 7517, A.2
    "kty": "EC", "crv": "P-256", "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}
RESOURCES = [
    '{"resourceType":"Patient","id":"p","name":[{"family":"Größe"}]}',
    '{ "resourceType" : "Observation", "status":"final", "valueQuantity": {"value": 1.00} }',
    json.dumps({"resourceType": "DocumentReference", "description": "x" * 9000}),
]
DOCUMENT = '{"resourceType":"Bundle","type":"collection","entry":[%s]}' % ",".join(
    '{"resource":%s}' % resource for resource in RESOURCES)


def be32(number):
    return number.to_bytes(4, "big")


def b64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def hkdf(secret, info):
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def leaf(data):
    return hashlib.sha256(b"\x00" + data).digest()


def root(leaves):
    """RFC 6962 §2.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def parts_of(container):
    assert container[:4] == b"XLC1"
    count = int.from_bytes(container[4:8], "big")
    at, parts = 8 + 4 * count, []
    for i in range(count):
        size = int.from_bytes(container[8 + 4 * i:12 + 4 * i], "big")
        parts.append(container[at:at + size])
        at += size
    assert at == len(container)
    return parts


def header(jwe):
    return json.loads(b64(jwe.split(b".")[0].decode()))


def jose_open(key, jwe, tmp_path):
    path = tmp_path / "key.jwk"
    path.write_text(json.dumps(key))
    done = subprocess.run(["node", NODE / "jose_peer.mjs", "open", path], input=jwe, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    if not (NODE / "node_modules" / "jose").exists():
        pytest.skip("npm ci was not run in tests/node")
    tool = os.environ.get("RECORDS_TOOL")
    if not tool:
        built = sorted(ROOT.glob("build*/src/health/records/records_tool"), key=lambda path: path.stat().st_mtime)
        if not built:
            pytest.skip("records_tool is not built; name it in RECORDS_TOOL")
        tool = built[-1]
    key = tmp_path_factory.mktemp("records-peers") / "folder.jwk"
    key.write_text(json.dumps(KEY))
    done = subprocess.run([tool, key], input=DOCUMENT.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_the_lead_the_segments_and_the_commitment(sealed, tmp_path):
    parts = parts_of(bytes.fromhex(sealed["container"][2:]))
    assert len(parts) == 1 + len(RESOURCES)
    assert root([leaf(part) for part in parts]).hex() == sealed["blob"][2:]
    of_lead = header(parts[0])
    del of_lead["epk"]
    place = hashlib.sha256(b"xinglin/place/1" + FOLDER + be32(EPOCH) + RECORD).digest()
    assert of_lead == {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "application/json", "typ": "xinglin-record",
                       "at": base64.urlsafe_b64encode(place[:16]).rstrip(b"=").decode()}
    lead = json.loads(jose_open(KEY, parts[0], tmp_path))
    assert lead["v"] == 2 and [entry["type"] for entry in lead["resources"]] == [
        "Patient",
        "Observation",
        "DocumentReference",
    ]
    assert [entry["size"] for entry in lead["resources"]] == [len(resource.encode()) for resource in RESOURCES]
    leaves = []
    for i, resource in enumerate(RESOURCES, 1):
        assert header(parts[i]) == {"alg": "dir", "enc": "A256GCM", "zip": "DEF", "typ": "xinglin-segment"}
        key = hkdf(b64(lead["key"]), b"xinglin/segment/1" + FOLDER + be32(EPOCH) + RECORD + be32(i))
        jwk = {"kty": "oct", "k": base64.urlsafe_b64encode(key).rstrip(b"=").decode()}
        assert jose_open(jwk, parts[i], tmp_path) == resource.encode()
        assert len(b64(parts[i].split(b".")[3].decode())) % (256 if len(resource) < 8192 else 2048) == 0
        leaves.append(leaf(hkdf(b64(lead["seed"]), b"xinglin/leaf/1" + be32(i)) + resource.encode()))
    assert root(leaves).hex() == sealed["root"][2:]


def test_a_wrap(sealed, tmp_path):
    wrap = sealed["wrap"].encode()
    of_wrap = header(wrap)
    del of_wrap["epk"]
    assert of_wrap == {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "jwk+json", "typ": "xinglin-wrap",
                       "fld": "0x" + FOLDER.hex(), "epo": EPOCH}
    assert json.loads(jose_open(KEY, wrap, tmp_path)) == KEY


def test_the_author_signed_the_record(sealed, tmp_path):
    from eth_account import Account
    from eth_account.messages import encode_typed_data

    lead = json.loads(jose_open(KEY, parts_of(bytes.fromhex(sealed["container"][2:]))[0], tmp_path))
    domain = {"name": "xinglin records", "version": "1", "chainId": 7, "verifyingContract": "0x03" + 19 * "00",
              "salt": b"\x04" + bytes(31)}
    types = {"Record": [{"name": name, "type": kind} for name, kind in (
        ("record", "bytes32"), ("folder", "bytes32"), ("epoch", "uint32"), ("root", "bytes32"), ("facts", "bytes32"))]}
    said = {"record": RECORD, "folder": FOLDER, "epoch": EPOCH, "root": bytes.fromhex(sealed["root"][2:]),
            "facts": bytes(32)}
    author = Account.recover_message(encode_typed_data(domain, types, said), signature=lead["signature"])
    assert author.lower() == lead["author"] == Account.from_key((5).to_bytes(32, "big")).address.lower()
