"""Trustees and their shares, past our client: keys from a wallet's words, a dealer and trustees that lie."""
import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

from Crypto.PublicKey import ECC
from eth_abi import decode, encode
from eth_account import Account
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from eth_utils import keccak, to_checksum_address

from hospitals import container, sign_request
from machine import PASSWORD, Refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "statements"))

from statements import TYPES, Deployment, abi_type, calldata  # noqa: E402 (its folder stands on no path)


def leaf(part):
    return hashlib.sha256(b"\0" + part).digest()


def root(leaves):
    """Of RFC 6962."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


def parts_of(frame):
    """A container's parts (docs/wire-formats.md §1)."""
    count = int.from_bytes(frame[4:8], "big")
    parts, at = [], 8 + 4 * count
    for i in range(count):
        length = int.from_bytes(frame[8 + 4 * i:12 + 4 * i], "big")
        parts.append(frame[at:at + length])
        at += length
    return parts


def frame_of(parts):
    lengths = b"".join(len(part).to_bytes(4, "big") for part in parts)
    return b"XLC1" + len(parts).to_bytes(4, "big") + lengths + b"".join(parts)


def derive_key_pair(secret):
    """RFC 9180 DeriveKeyPair of DHKEM(P-256, HKDF-SHA256): the secret key."""
    def labeled(label, value):
        return b"HPKE-v1" + b"KEM\x00\x10" + label + value

    prk = hmac.digest(bytes(32), labeled(b"dkp_prk", secret), "sha256")
    return hmac.digest(prk, b"\0\x20" + labeled(b"candidate", b"\0") + b"\1", "sha256")


def public(d):
    """x || y of a P-256 secret."""
    point = ECC.construct(curve="P-256", d=int.from_bytes(d, "big")).pointQ
    return b"".join(int(one).to_bytes(32, "big") for one in (point.x, point.y))


def jwk_of(xy, d=None):
    def text(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    key = {"kty": "EC", "crv": "P-256", "x": text(xy[:32]), "y": text(xy[32:])}
    return {**key, "d": text(d)} if d else key


def jose(verb, key, data, *header):
    """What the npm package jose seals or opens."""
    with tempfile.NamedTemporaryFile("w", suffix=".jwk") as jwk:
        json.dump(key, jwk)
        jwk.flush()
        done = subprocess.run(["node", ROOT / "tests/node/jose_peer.mjs", verb, jwk.name, *header], input=data,
                              capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def open_sealed(part, d):
    """The plaintext of a compact JWE."""
    return jose("open", jwk_of(public(d), d), part)


def seal_link(folder, epoch, d, to):
    """A link (docs/wire-formats.md §3): the secret `d`, as epoch's, sealed to x || y of a later one."""
    header = {"cty": "jwk+json", "typ": "xinglin-link", "fld": "0x" + folder.hex(), "epo": epoch}
    return jose("seal", jwk_of(to), json.dumps(jwk_of(public(d), d)).encode(), json.dumps(header))


def statements_of(deployment):
    """What signs for the deployment that this deployment.json describes."""
    statements = Deployment(deployment["chainId"])
    statements.genesis = bytes.fromhex(deployment["genesis"][2:])
    statements.contracts = {one: to_checksum_address(deployment[one]["address"])
                            for one in ("directory", "folders", "records", "consent")}
    return statements


def rewrite_rotation(statements, path, signer_of, change):
    """A rotation's file again, after `change` of its message and of its wraps' parts, signed by signer_of(its `by`)."""
    action = json.loads(path.read_text())
    values, _ = decode([abi_type("Rotate"), "bytes"], bytes.fromhex(action["data"][2:])[4:])
    message = dict(zip((one.split(" ")[1] for one in TYPES["Rotate"].split(",")), values))
    message["glass"] = dict(zip((one.split(" ")[1] for one in TYPES["Glass"].split(",")), message["glass"]))
    for name in ("by", "relay"):
        message[name] = to_checksum_address(message[name])
    message["glass"].update(trustees=[to_checksum_address(one) for one in message["glass"]["trustees"]],
                            commitments=list(message["glass"]["commitments"]))
    message["recipients"] = [to_checksum_address(one) for one in message["recipients"]]
    parts = parts_of(base64.urlsafe_b64decode(action["blobs"][0]["container"] + "=="))
    change(message, parts)
    frame, name = frame_of(parts), root([leaf(part) for part in parts])
    message.update(wraps=name, wrapsSize=len(frame))
    signature = bytes(signer_of(message["by"]).sign_message(statements.signable("Rotate", message)).signature)
    action["data"] = "0x" + calldata("Rotate", message, signature).hex()
    action["blobs"][0].update(blob="0x" + name.hex(), container=base64.urlsafe_b64encode(frame).decode().rstrip("="))
    path.write_text(json.dumps(action))


class Ward:
    """A patient, a hospital, an emergency actor, and trustees by the dozen; names begin with `name`."""

    def __init__(self, consortium, name, trustees):
        self.c, self.name, self.files = consortium, name, 0
        self.deployment = json.loads(consortium.deployment.read_text())
        self.statements = statements_of(self.deployment)
        consortium.actor(f"{name}-hospital", "hospital")
        consortium.actor(f"{name}-er", "hospital,emergency")
        consortium.new_home(f"{name}-patient")
        self.trustees = [f"{name}-trustee-{i}" for i in range(trustees)]
        for one in self.trustees:
            consortium.actor(one, "trustee")

    # --- what people do ---

    def run(self, who, *arguments):
        return self.c.run(f"{self.name}-{who}", *arguments)

    def path(self):
        self.files += 1
        return self.c.folder / f"{self.name}-{self.files}.json"

    def relay(self, path):
        return self.run("hospital", "relay", path)

    def signed(self, *arguments):
        path = self.path()
        report = self.run("patient", *arguments, "--out", path)
        self.relay(path)
        return report

    def open(self, count, *more, label="general"):
        """A folder with the first `count` trustees, into which the hospital may write."""
        named = ",".join(self.c.accounts[one] for one in self.trustees[:count])
        report = self.signed("folder", "open", "--label", label, "--glass-minutes", 60, "--trustee", named, *more)
        self.signed("share", "--folder", report["folder"], "--with", self.c.accounts[f"{self.name}-hospital"],
                    "--rights", "write", "--days", 9)
        return report

    def add(self, folder):
        path = self.path()
        path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [
            {"resource": {"resourceType": "Patient", "id": "p"}}]}))
        return self.run("hospital", "record", "add", path, "--folder", folder)["records"][0]["record"]

    def read(self, record):
        return self.run("er", "record", "read", record, "--out", self.path())

    def broken(self, folder):
        return self.run("er", "break-glass", "--folder", folder, "--reason", "unconscious")["review"]

    def serve(self, trustee):
        return self.c.run(self.trustees[trustee], "trustee", "serve", "--once")

    def gives(self, trustee, folder):
        """How many shares the trustee releases for the folder's newest emergency; it serves those of other tests too."""
        before = self.review(folder)["releases"]
        try:
            self.serve(trustee)
        except Refused as failed:
            assert failed.code == 1, failed
        return self.review(folder)["releases"] - before

    def show(self, folder):
        return self.run("patient", "folder", "show", folder)

    def review(self, folder):
        """The newest."""
        return self.run("patient", "review", "list", "--folder", folder)["reviews"][0]

    # --- past the client ---

    def seed(self, home):
        return seed_from_mnemonic(self.c.run(home, "wallet", "phrase")["phrase"], "")

    def key(self, home, path):
        """The P-256 secret at a path of the wallet (docs/wire-formats.md §4)."""
        return derive_key_pair(key_from_seed(self.seed(home), path))

    def account_key(self, home):
        return Account.decrypt((self.c.home(home) / "wallet" / "account.json").read_text(), PASSWORD)

    def ask(self, home, action, contract, name, body=None):
        gate = to_checksum_address(self.deployment[contract]["address"])
        signed = sign_request(self.account_key(home), self.deployment, gate, action, name)
        request = urllib.request.Request(f"{self.c.node.url}/blobs/{gate}/{name}", body, {"Authorization": signed},
                                         method="PUT" if body else "GET")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def wraps(self, folder, epoch, home):
        """The parts of an epoch's wraps, as the node gives them to a trustee."""
        return parts_of(self.ask(home, "get", "folders", item("wraps", "bytes32", bytes.fromhex(folder[2:]), "uint32",
                                                              epoch)))

    def send(self, home, contract, data):
        """A raw transaction of this account; it must succeed."""
        account = Account.from_key(self.account_key(home))
        count = int(self.c.rpc("eth_getTransactionCount", account.address, "pending"), 16)
        raw = account.sign_transaction({
            "to": to_checksum_address(self.deployment[contract]["address"]), "data": data, "gas": 2_000_000,
            "nonce": count, "chainId": self.deployment["chainId"], "maxFeePerGas": 0, "maxPriorityFeePerGas": 0,
            "type": 2})
        receipt = self.c.node.receipt(self.c.rpc("eth_sendRawTransaction", raw.raw_transaction.to_0x_hex()))
        assert receipt["status"] == "0x1", receipt

    def release(self, trustee, review, epoch, frame, blob):
        """This trustee releases what we like."""
        home = self.trustees[trustee]
        self.ask(home, "put", "consent", blob, frame)
        from_abi = keccak(text="release(uint64,uint32,bytes32,uint32)")[:4]
        self.send(home, "consent", from_abi + word(review) + word(epoch) + bytes.fromhex(blob[2:]) + word(len(frame)))

    def released(self, trustee, review, epoch):
        """What this trustee released."""
        home = self.trustees[trustee]
        return self.ask(home, "get", "consent", item("release", "uint64", review, "address", self.c.accounts[home],
                                                     "uint32", epoch))

    def deal_false(self, folder, index, trustee):
        """A rotation in which one trustee's share is another one's."""
        path = self.path()
        self.run("patient", "folder", "rotate", folder, "--out", path)
        def change(message, parts):
            parts[index + 1] = parts[trustee + 1]

        rewrite_rotation(self.statements, path, self.controller, change)
        self.relay(path)

    def controller(self, address):
        seed = self.seed(f"{self.name}-patient")
        for i in range(64):
            account = Account.from_key(key_from_seed(seed, f"m/44'/60'/0'/0/{i}'"))
            if account.address.lower() == address.lower():
                return account
        raise AssertionError(f"no controller {address}")

    def suspend(self, home):
        """By both registrars."""
        actor = self.c.accounts[home]
        message = {"actor": actor, "status": 2, "emergenciesADay": 0, "reason": bytes(32), "number": 1,
                   "deadline": int(time.time()) + 3600}
        registrars = sorted((Account.from_key(self.account_key(one)) for one in ("registrar-1", "registrar-2")),
                            key=lambda account: int(account.address, 16))
        signable = self.statements.signable("Standing", message)
        signatures = [bytes(one.sign_message(signable).signature) for one in registrars]
        self.send("registrar-1", "directory", calldata("Standing", message, signatures))


def word(number):
    return number.to_bytes(32, "big")


def item(label, *typed):
    """keccak256(abi.encode(label, …))."""
    return "0x" + keccak(encode(["string", *typed[::2]], [label, *typed[1::2]])).hex()


def garbage():
    """A container of one part that is sealed to nobody, and its name."""
    return container(b"no share at all")
