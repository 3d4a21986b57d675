"""Two hospitals that write past our client: containers put by requests that are signed here, registrations as raw transactions."""
import hashlib
import json
import os
import time
import urllib.request

from eth_abi import encode
from eth_account import Account
from eth_utils import keccak, to_checksum_address

from machine import PASSWORD

ADDITION = "(bytes32,uint32,uint64,bytes32,bytes32,bytes32,uint64)"
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient", "id": "p"}}],
}


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
            self.folders[name] = consortium.run(patient, "folder", "open", "--label", "general", "--out", path)[
                "folder"
            ]
            consortium.run(name, "relay", path)
            consortium.run(
                patient,
                "share",
                "--folder",
                self.folders[name],
                "--with",
                consortium.accounts[name],
                "--rights",
                "write",
                "--days",
                5,
                "--out",
                path,
            )
            consortium.run(name, "relay", path)
            keystore = (consortium.home(name) / "wallet" / "account.json").read_text()
            self.keys[name] = Account.decrypt(keystore, PASSWORD)

    def add(self, name):
        path = self.c.folder / f"{name}-bundle.json"
        path.write_text(json.dumps(BUNDLE))
        return self.c.run(name, "record", "add", path, "--folder", self.folders[name])["records"][0]

    def addition(self, name, blob, nonce):
        return (bytes.fromhex(self.folders[name][2:]), 1, nonce, b"\x11" * 32, bytes.fromhex(blob[2:]), bytes(32), 1000)

    def register(self, name, blob, nonce):
        """A registration by this hospital that names `blob`, sent raw. The record's id is not needed."""
        return self.send(
            name, keccak(text=f"add({ADDITION})")[:4] + encode([ADDITION], [self.addition(name, blob, nonce)])
        )

    def register_many(self, name, blobs, nonce):
        additions = [self.addition(name, blob, nonce + i) for i, blob in enumerate(blobs)]
        return self.send(name, keccak(text=f"addMany({ADDITION}[])")[:4] + encode([f"{ADDITION}[]"], [additions]))

    def put(self, name, part):
        """A container of one part (docs/wire-formats.md §1), put in the hospital's name by a request that is signed here; its name."""
        container = b"XLC1" + (1).to_bytes(4, "big") + len(part).to_bytes(4, "big") + part
        blob = hashlib.sha256(b"\0" + part).digest()
        gate = to_checksum_address(self.deployment["records"]["address"])
        node = to_checksum_address(self.deployment["sealer"])
        expiry, nonce = int(time.time()) + 60, int.from_bytes(os.urandom(8), "big")
        signed = Account.sign_typed_data(
            self.keys[name],
            {"name": "xinglin blob", "version": "1", "chainId": self.deployment["chainId"], "verifyingContract": gate},
            {
                "BlobRequest": [
                    {"name": n, "type": t}
                    for n, t in (
                        ("action", "string"),
                        ("node", "address"),
                        ("name", "bytes32"),
                        ("part", "uint32"),
                        ("expiry", "uint64"),
                        ("nonce", "uint64"),
                    )
                ]
            },
            {"action": "put", "node": node, "name": blob, "part": 0, "expiry": expiry, "nonce": nonce},
        )
        request = urllib.request.Request(
            f"{self.c.node.url}/blobs/{gate}/0x{blob.hex()}",
            container,
            method="PUT",
            headers={
                "Authorization": f"Xinglin expiry={expiry},nonce={nonce},signature={signed.signature.to_0x_hex()}"
            },
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())["blob"]

    def send(self, name, data):
        account = Account.from_key(self.keys[name])
        count = int(self.c.rpc("eth_getTransactionCount", account.address, "pending"), 16)
        signed = account.sign_transaction(
            {
                "to": to_checksum_address(self.deployment["records"]["address"]),
                "data": data,
                "gas": 1_000_000,
                "nonce": count,
                "value": 0,
                "type": 2,
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
                "chainId": self.deployment["chainId"],
            }
        )
        return self.c.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())
