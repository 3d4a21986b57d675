"""Our key files against two other wallets, each way: the npm package `ethers` and Python's `eth_account`."""
import json
import os

import pytest

from test_envelope_peers import NODE, ours, refused, run

PASSWORD = "correct horse battery"


def ethers_peer(verb, data):
    if not (NODE / "node_modules" / "ethers").exists():
        pytest.skip("npm ci was not run in tests/node")
    return run(["node", NODE / "ethers_peer.mjs", verb, PASSWORD], data)


def eth_account_peer(verb, data):
    account = pytest.importorskip("eth_account", reason="eth_account is not installed").Account
    if verb == "open":
        return bytes(account.decrypt(data.decode(), PASSWORD))
    return json.dumps(account.encrypt(data, PASSWORD, kdf="scrypt", iterations=4096)).encode()


@pytest.fixture(params=[ethers_peer, eth_account_peer], ids=["ethers", "eth_account"])
def peer(request):
    return request.param


@pytest.fixture(params=["random", "leading zeros"])
def secret(request):
    return os.urandom(32) if request.param == "random" else bytes(5) + os.urandom(27)


def test_peer_opens_ours(peer, secret):
    assert peer("open", ours("keystore-seal", PASSWORD, secret)) == secret


def test_we_open_the_peers(peer, secret):
    sealed = peer("seal", secret)
    assert ours("keystore-open", PASSWORD, sealed) == secret
    refused(lambda: ours("keystore-open", "wrong", sealed))
