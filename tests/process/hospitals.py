"""Two hospitals that write past our client: containers put by requests that are signed here, registrations as raw transactions."""
import hashlib
import json
import os
import time
import urllib.error
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


def container(part):
    """A container of one part, and its name."""
    frame = b"XLC1" + (1).to_bytes(4, "big") + len(part).to_bytes(4, "big") + part
    return frame, "0x" + hashlib.sha256(b"\0" + part).hexdigest()


def sign_request(key, deployment, gate, action, name, part=0, expiry=None, nonce=None, node=None, account=None,
                 genesis=None):
    """The Authorization header of a request for a blob; what is given replaces what is right."""
    expiry = int(time.time()) + 60 if expiry is None else expiry
    nonce = int.from_bytes(os.urandom(8), "big") if nonce is None else nonce
    fields = [("action", "string"), ("node", "address"), ("name", "bytes32"), ("part", "uint32"), ("expiry", "uint64"),
              ("nonce", "uint64")]
    signed = Account.sign_typed_data(
        key,
        {"name": "xinglin blob", "version": "1", "chainId": deployment["chainId"], "verifyingContract": gate,
         "salt": bytes.fromhex((genesis or deployment["genesis"])[2:])},
        {"BlobRequest": [{"name": n, "type": t} for n, t in fields]},
        {"action": action, "node": to_checksum_address(node or deployment["sealer"]), "name": bytes.fromhex(name[2:]),
         "part": part, "expiry": expiry, "nonce": nonce},
    )
    account = account or Account.from_key(key).address
    return f"Xinglin account={account},expiry={expiry},nonce={nonce},signature={signed.signature.to_0x_hex()}"


class Two:
    """Two hospitals, each with a patient whose folder it writes into."""

    def __init__(self, consortium):
        self.c = consortium
        self.deployment = json.loads(consortium.deployment.read_text())
        self.folders, self.keys, self.sizes = {}, {}, {}  # sizes: of what was put, by name
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
        folder, size = bytes.fromhex(self.folders[name][2:]), self.sizes.get(blob, 1000)
        return (folder, 1, nonce, b"\x11" * 32, bytes.fromhex(blob[2:]), bytes(32), size)

    def register(self, name, blob, nonce, count=None):
        """A registration by this hospital that names `blob`, sent raw. The record's id is not needed."""
        return self.send(
            name, keccak(text=f"add({ADDITION})")[:4] + encode([ADDITION], [self.addition(name, blob, nonce)]), count
        )

    def register_many(self, name, blobs, nonce):
        additions = [self.addition(name, blob, nonce + i) for i, blob in enumerate(blobs)]
        return self.send(name, keccak(text=f"addMany({ADDITION}[])")[:4] + encode([f"{ADDITION}[]"], [additions]))

    def put(self, name, part):
        """A container of one part (docs/wire-formats.md §1), put in the hospital's name; its name."""
        frame, blob = container(part)
        status, answer = self.ask(name, "put", "records", blob, body=frame)
        assert status == 201, answer
        self.sizes[blob] = len(frame)
        return blob

    def ask(self, name, action, contract, target, part=0, body=None, **other):
        """A request that is signed here (docs/wire-formats.md §5): HTTP status, and the answer's bytes."""
        return self.send_request(self.request(name, action, contract, target, part, body, **other))

    def request(self, name, action, contract, target, part=0, body=None, **other):
        gate = to_checksum_address(self.deployment[contract]["address"])
        authorization = sign_request(self.keys[name], self.deployment, gate, action, target, part, **other)
        path = {"part": f"/{part}", "audit": "/audit" + (f"?before={part}" if part else "")}.get(action, "")
        return urllib.request.Request(
            f"{self.c.node.url}/blobs/{gate}/{target}{path}",
            body,
            method="PUT" if action == "put" else "GET",
            headers={"Authorization": authorization},
        )

    def send_request(self, request):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def send(self, name, data, count=None):
        """A raw transaction to Records; `count`: its nonce, if it is not the next one."""
        account = Account.from_key(self.keys[name])
        if count is None:
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
