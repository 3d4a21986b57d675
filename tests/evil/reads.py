"""Lies about who read: what a node answers of its audit, changed on the way. Each begins with an honest answer."""
import base64
import json
import os
import pathlib
import subprocess
import time

from eth_account import Account
from eth_utils import keccak

import lies
from evil_node import EvilNode

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTHING = "0x" + "00" * 24
ACTOR_LISTED = "0x" + keccak(text="ActorListed(address,uint32,string,uint64,bytes24)").hex()


def envelope_tool():
    built = sorted(ROOT.glob("build*/tests/envelope_peers/envelope_tool"), key=lambda path: path.stat().st_mtime)
    built += sorted(ROOT.glob("build*/src/envelope/envelope_tool"), key=lambda path: path.stat().st_mtime)
    return os.environ.get("ENVELOPE_TOOL") or built[-1]


class Audit(lies.Lie):
    """`change` makes another answer of the honest one; both are JSON. `heard` are the honest ones."""

    def __init__(self, change):
        super().__init__()
        self.change, self.heard = change, []

    def blob(self, path, get):
        status, honest = get(path)
        if "/audit" not in path or status != 200:
            return status, honest
        self.heard.append(json.loads(honest))
        false = json.dumps(self.change(json.loads(honest))).encode()
        self.told += json.loads(false) != json.loads(honest)
        return 200, false


def honest_answer(world, folder):
    """What the node answers about a folder now, as its patient gets it."""
    lie = Audit(lambda answer: answer)
    with EvilNode(world.c.node.url, lie) as node:
        world.c.run("patient", "access", "reads", "--folder", folder, "--rpc", node.url)
    return lie.heard[0]


def without(index):
    def change(answer):
        del answer["entries"][index]
        return answer
    return change


def without_the_newest(answer):
    """As the node would answer before the newest read."""
    newest = answer["entries"].pop(0)
    return {**answer, "count": answer["count"] - 1, "head": newest["before"]}


def empty(answer):
    return {**answer, "count": 0, "head": NOTHING, "entries": []}


def empty_and_absent(answer):
    """With a proof that the map is empty."""
    return {**empty(answer), "proof": "0x00"}


def with_proof(proof):
    return lambda answer: {**answer, "proof": proof}


def base64url(number):
    return base64.urlsafe_b64encode(bytes.fromhex(number)).decode().rstrip("=")


def sealed(world, entry):
    """To the folder's audit key, which everybody knows."""
    x, y = world.words("folders", "auditKeyOf(bytes32)", world.a)
    key = world.file("audit-key.jwk", json.dumps({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)}))
    done = subprocess.run([envelope_tool(), "ecdh-seal", key, '{"typ":"xinglin-audit"}'],
                          input=json.dumps(entry).encode(), stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


def invented(world):
    """A read of the record by the doctor, who never asked for it: signed by another key."""
    now = int(time.time())
    signature = Account.create().unsafe_sign_hash(keccak(b"a request")).signature.to_0x_hex()
    jwe = sealed(world, {"v": 2, "gate": world.address("records"), "item": world.record, "action": "get", "part": 0,
                         "who": "0x" + world.account("doctor"), "expiry": now + 60, "nonce": 7,
                         "signature": signature, "at": 1000 * now, "outcome": "served"})
    return lambda answer: with_one_more(answer, jwe, now)


def with_one_more(answer, jwe, time_s):
    """The list with another entry on top, as its node would append it."""
    n, before = answer["count"] + 1, answer["head"]
    words = bytes.fromhex(before[2:]) + bytes(8) + n.to_bytes(32, "big") + time_s.to_bytes(32, "big")
    entry = {"n": n, "time": time_s, "before": before, "entry": jwe}
    head = "0x" + keccak(words + keccak(text=jwe))[:24].hex()
    return {**answer, "count": n, "head": head, "entries": [entry, *answer["entries"]]}


def entered_twice(answer):
    newest = answer["entries"][0]
    return with_one_more(answer, newest["entry"], newest["time"])


def replayed(answer):
    return lambda _: answer


LIES = {
    "no reads at all": lambda world: Audit(empty),
    "no reads, with a proof of an empty map": lambda world: Audit(empty_and_absent),
    "the newest read left out": lambda world: Audit(without_the_newest),
    "a read left out in the middle": lambda world: Audit(without(1)),
    "the oldest read left out": lambda world: Audit(without(-1)),
    "the reads of an earlier anchor": lambda world: Audit(replayed(world.earlier_reads)),
    "the proof of another folder": lambda world: Audit(with_proof(honest_answer(world, world.b)["proof"])),
    "no proof": lambda world: Audit(lambda answer: {k: v for k, v in answer.items() if k != "proof"}),
    "a read invented": lambda world: Audit(invented(world)),
    "a read entered twice": lambda world: Audit(entered_twice),
}
