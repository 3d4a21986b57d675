"""Blobs at the node's own door: whose content is kept, and that naming another's changes nothing. Past our client: raw transactions."""
import json

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_abi import encode
from eth_account import Account
from eth_utils import keccak, to_checksum_address

from machine import PASSWORD, RpcError, wait_for

ADD = "add((bytes32,uint32,uint64,bytes32,bytes32,bytes32,uint64))"
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient", "id": "p"}}]}


class Two:
    """Two hospitals, each with a patient whose folder it writes into."""

    def __init__(self, consortium):
        self.c = consortium
        self.deployment = json.loads(consortium.deployment.read_text())
        self.folders, self.keys = {}, {}
        for name in ("bl-one", "bl-two"):
            consortium.actor(name, "hospital")
            patient = name + "-patient"
            consortium.new_home(patient)
            path = consortium.folder / f"{name}.json"
            self.folders[name] = consortium.run(patient, "folder", "open", "--label", "general", "--out", path)["folder"]
            consortium.run(name, "relay", path)
            consortium.run(patient, "share", "--folder", self.folders[name], "--with", consortium.accounts[name], "--rights", "write",
                           "--days", 5, "--out", path)
            consortium.run(name, "relay", path)
            keystore = (consortium.home(name) / "wallet" / "account.json").read_text()
            self.keys[name] = Account.decrypt(keystore, PASSWORD)

    def add(self, name):
        path = self.c.folder / f"{name}-bundle.json"
        path.write_text(json.dumps(BUNDLE))
        return self.c.run(name, "record", "add", path, "--folder", self.folders[name])["records"][0]

    def register(self, name, blob, nonce):
        """A registration by this hospital that names `blob`, sent raw. The record's id is not needed."""
        data = keccak(text=ADD)[:4] + encode(
            ["bytes32", "uint32", "uint64", "bytes32", "bytes32", "bytes32", "uint64"],
            [bytes.fromhex(self.folders[name][2:]), 1, nonce, b"\x11" * 32, bytes.fromhex(blob[2:]), bytes(32), 1000])
        account = Account.from_key(self.keys[name])
        count = int(self.c.rpc("eth_getTransactionCount", account.address, "pending"), 16)
        signed = account.sign_transaction({
            "to": to_checksum_address(self.deployment["records"]), "data": data, "gas": 1_000_000, "nonce": count, "value": 0, "type": 2,
            "maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "chainId": self.deployment["chainId"]})
        return self.c.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())


@pytest.fixture(scope="module")
def two(consortium):
    return Two(consortium)


def test_a_registration_needs_its_blob(two):
    with pytest.raises(RpcError) as refused:
        two.register("bl-one", "0x" + "ab" * 32, 1)
    assert "was not put here by its sender" in refused.value.message


def test_nobody_keeps_anothers_content_by_naming_it(two):
    mine = two.add("bl-one")
    with pytest.raises(RpcError) as refused:
        two.register("bl-two", mine["blob"], 2)
    assert "was not put here by its sender" in refused.value.message
    path = two.c.folder / "bl-erase.json"
    two.c.run("bl-one-patient", "record", "erase", mine["record"], "--out", path)
    two.c.run("bl-one", "relay", path)
    wait_for(lambda: two.c.run("bl-one-patient", "record", "status", mine["record"])["erasureConfirmedBy"])
    kept = [file for file in (two.c.data / "blobs").rglob("*") if mine["blob"][2:] in file.name or mine["record"][2:] in file.name]
    assert kept == []
