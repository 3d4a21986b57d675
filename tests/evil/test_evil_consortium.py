"""A member that lies, under a program: its node shows heads that the consortium did not decide."""
import json

import rlp
from eth_account import Account
from eth_utils import keccak

import pytest

import members
from evil_node import EvilNode
from lies import Blob, Lie, Lost
from light_blocks import APP, CHAIN, HEIGHT, TIME, Key, LightBlock, VARINT, fields_of, key_of, message
from machine import Consortium, Refused, cli, wait_for
from programs import DISBELIEF, REFUSED

BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [
    {"resource": {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "planted"}}}]}
STATE_ROOT = 3  # of an Ethereum header
NOT_PROVEN = 5
OTHER_CHAIN = b"xinglin-" + b"f" * 40
STRANGERS = [Key(bytes([i + 1]) * 32) for i in range(4)]


class Decided(Consortium):
    """The usual actors over the nodes of four members, of whom the first one lies."""

    def __init__(self, folder):
        self.folder, self.accounts, self.rpc_url, self.files = folder, {}, None, 0
        for name in ("registrar-1", "registrar-2"):
            self.new_home(name, trust=False)
        self.network = members.running(folder / "grove", 4, "--deployer", self.accounts["registrar-1"])
        self.members = self.network.__enter__()
        try:
            self.deploy()
        except BaseException:
            self.close()
            raise

    def deploy(self):
        self.deployment = self.folder / "deployment.json"
        registrars = f"{self.accounts['registrar-1']},{self.accounts['registrar-2']}"
        nodes = [(Account.from_key((one.folder / "node.key").read_text().strip()).address, one.url)
                 for one in self.members]
        self.run("registrar-1", "deploy", "--registrars", registrars, "--threshold", 2, "--out", self.deployment,
                 "--nodes", ",".join(f"{account}={url}" for account, url in nodes), "--rpc", self.members[0].url)
        self.run("registrar-2", "trust", self.deployment)
        self.actor("hospital", "hospital")
        self.new_home("patient")
        self.keys = [key_of(member.folder) for member in self.members]
        self.old = self.head()
        self.open_folder()

    def open_folder(self):
        action = self.path()
        self.folder_id = self.run("patient", "folder", "open", "--label", "x", "--out", action)["folder"]
        self.run("hospital", "relay", action)
        self.run("patient", "share", "--folder", self.folder_id, "--with", self.accounts["hospital"], "--rights",
                 "read,write", "--purpose", "TREAT", "--days", 5, "--out", (action := self.path()))
        self.run("hospital", "relay", action)
        self.bundle = self.path()
        self.bundle.write_text(json.dumps(BUNDLE))
        self.record = self.run("hospital", "record", "add", self.bundle, "--folder", self.folder_id)["records"][0][
            "record"]

    def path(self):
        self.files += 1
        return self.folder / f"file-{self.files}.json"

    def head(self):
        return self.members[0].rpc("xinglin_head", "0x" + "c4" * 32)

    def close(self):
        self.network.__exit__(None, None, None)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = Decided(tmp_path_factory.mktemp("decided"))
    yield made
    made.close()


# --- the lies ---


class Head(Lie):
    """Heads are what `forge` makes of the honest one and its light block."""

    def __init__(self, forge):
        super().__init__()
        self.forge = forge

    def answer(self, method, params, ask):
        honest = ask(method, params)
        return self.changed(honest, self.forge(honest)) if method == "xinglin_head" else honest


def with_state(answer):
    """The head with the state of another, and its light block that nobody has decided yet."""
    header = rlp.decode(bytes.fromhex(answer["header"][2:]))
    header[STATE_ROOT] = keccak(header[STATE_ROOT])
    encoded = rlp.encode(header)
    block = LightBlock(answer["commit"])
    block.header[APP] = keccak(encoded)
    return {**answer, "header": "0x" + encoded.hex(), "hash": "0x" + keccak(encoded).hex()}, block


def decided(change=lambda block: None, **votes):
    """Forges a head: `change`s its light block, and those whose keys are given in `votes` vote for it."""

    def forge(answer):
        false, block = with_state(answer)
        change(block)
        return {**false, "commit": block.decide(**votes).text()}

    return Head(forge)


def named(block):
    block.name_validators(STRANGERS)


def of_another_chain(block):
    block.header[CHAIN] = OTHER_CHAIN


def an_hour_later(block):
    """And higher, as a head of an hour later would be."""
    seconds = {number: value for number, _, value in fields_of(block.header[TIME])}[1] + 3600
    block.header[TIME] = message((1, VARINT, seconds))
    block.header[HEIGHT] += 60


LIES = {
    "a commit with forged votes": (lambda w: decided(keys=w.keys[:1], others="forged"), "not its validator's"),
    "a commit of too few": (lambda w: decided(keys=w.keys[:2]), "more than two thirds are needed"),
    "a commit of its own alone": (lambda w: decided(keys=w.keys[:1]), "needed|no block leads"),
    "a commit of nobody": (lambda w: decided(keys=[]), "needed|no block leads"),
    "a commit of another chain": (lambda w: decided(of_another_chain, keys=w.keys), "another chain"),
    "votes for another chain": (lambda w: decided(keys=w.keys, chain=OTHER_CHAIN), "not its validator's"),
    "a set of strangers": (lambda w: decided(named, keys=STRANGERS),
                           "of the trusted power 40 voted|no block leads|not the ones that the block before named"),
    "a head of an hour later": (lambda w: decided(an_hour_later, keys=w.keys), "in front of the clock"),
    "the commit of the honest head": (lambda w: Head(lambda a: {**with_state(a)[0], "commit": a["commit"]}),
                                      "of another head"),
    "no commit": (lambda w: Head(lambda a: {k: v for k, v in a.items() if k != "commit"}), "not believed"),
    "an older head": (lambda w: Head(lambda a: w.old), "this home has seen block"),
}
PROGRAMS = {
    "actor show": lambda w, url, out: w.run("patient", "actor", "show", "--address", w.accounts["hospital"], "--rpc", url),
    "record add": lambda w, url, out: w.run("hospital", "record", "add", w.bundle, "--folder", w.folder_id, "--rpc", url),
    "record read": lambda w, url, out: w.run("patient", "record", "read", w.record, "--out", out, "--rpc", url),
    "share": lambda w, url, out: w.run("patient", "share", "--folder", w.folder_id, "--with", w.accounts["hospital"],
                                       "--purpose", "HRESCH", "--days", 5, "--out", out, "--rpc", url),
}


def heard(world, program, lie):
    """The program's refusal, after which nothing was sealed, sent, written or shown."""
    out = world.path()
    with EvilNode(world.members[0].url, lie) as node:
        with pytest.raises(Refused) as refused:
            PROGRAMS[program](world, node.url, out)
    assert lie.told and not node.puts and not node.sent and not out.exists(), refused.value
    assert "planted" not in str(refused.value)
    return refused.value


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", LIES)
def test_what_was_not_decided_is_not_believed(world, program, name):
    make, words = LIES[name]
    refused = heard(world, program, make(world))
    assert refused.code == REFUSED and refused.report["remedy"].startswith(DISBELIEF), refused
    assert any(part in refused.report["error"] for part in words.split("|")), refused


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_member_that_lies_may_carry_the_truth(world, program):
    with EvilNode(world.members[0].url, Lie()) as node:
        try:
            PROGRAMS[program](world, node.url, world.path())
        except Refused:
            assert node.puts or node.sent  # what is sent for good stays with the proxy


# --- what one member does not give, another one does ---


@pytest.mark.parametrize("make", [
    lambda record: Lost(record),
    lambda record: Blob(record, lambda honest: honest[:-1] + bytes([honest[-1] ^ 1])),
    lambda record: Blob(record, lambda honest: b"no container"),
    lambda record: Blob(record, lambda honest: b""),
], ids=["withheld", "forged", "senseless", "empty"])
def test_a_record_is_read_from_another_member_than_the_one_that_lies(world, make):
    lie, out = make(world.record), world.path()
    with EvilNode(world.members[0].url, lie) as node:
        world.run("patient", "record", "read", world.record, "--out", out, "--rpc", node.url)
    assert lie.told and "planted" in out.read_text()


# --- what is not held by enough members is not registered ---


class Keeps(Lie):
    """The member takes puts for itself, and answers them with receipts of its own making."""

    def __init__(self, receipts):
        super().__init__()
        self.receipts = receipts

    def put(self, path, put):
        self.told += 1
        return 201, json.dumps({"held": self.receipts(put)}).encode()


def own_receipt(put):
    return json.loads(put("/here")[1])["held"]


def unsigned(put):
    return [{**one, "key": "0x" + "77" * 32} for one in own_receipt(put)]


@pytest.mark.parametrize("receipts", [lambda put: [], own_receipt, lambda put: 5 * own_receipt(put), unsigned],
                         ids=["none", "its own", "its own again and again", "of a stranger"])
def test_what_too_few_members_hold_is_not_registered(world, receipts):
    lie = Keeps(receipts)
    with EvilNode(world.members[0].url, lie) as node:
        with pytest.raises(Refused) as refused:
            PROGRAMS["record add"](world, node.url, None)
    assert lie.told and not node.sent and "too few members" in refused.value.report["error"], refused.value


def test_what_enough_members_hold_is_registered(world):
    """The same proxy, and receipts that are true."""
    lie = Keeps(lambda put: json.loads(put("")[1])["held"])
    with EvilNode(world.members[0].url, lie) as node:
        with pytest.raises(Refused):  # the proxy keeps the transaction
            PROGRAMS["record add"](world, node.url, None)
    assert lie.told and node.sent


# --- proofs that need no node ---


@pytest.fixture(scope="module")
def proof(world):
    path = world.path()
    world.run("patient", "proof", world.record, "--index", 1, "--out", path)
    return json.loads(path.read_text())


def verify(world, proof):
    path = world.path()
    path.write_text(json.dumps(proof))
    try:
        return cli("verify", path, "--trust", world.deployment)
    except Refused as refused:
        assert refused.code == NOT_PROVEN
        return refused.report


def test_a_proof_is_checked_with_the_anchor_alone(world, proof):
    assert verify(world, proof)["proven"] is True
    votes = LightBlock(proof["commit"])
    assert len(votes.keys) == 4
    # As few votes as must be prove it too.
    assert verify(world, {**proof, "commit": votes.decide(world.keys[1:]).text()})["proven"] is True


@pytest.mark.parametrize("forge, words", [
    (lambda w, block: block.decide(w.keys[2:]), "more than two thirds"),
    (lambda w, block: block.decide(w.keys[:1], others="forged"), "not its validator's"),
    (lambda w, block: named(block) or block.decide(STRANGERS), "of the trusted power 40 voted"),
    (lambda w, block: of_another_chain(block) or block.decide(w.keys), "another chain"),
    (lambda w, block: block.header.update({APP: b"\1" * 32}) or block.decide(w.keys), "of another block"),
])
def test_a_forged_commit_proves_nothing(world, proof, forge, words):
    report = verify(world, {**proof, "commit": forge(world, LightBlock(proof["commit"])).text()})
    assert report["proven"] is False and words in report["reason"], report


# --- two blocks, and who left; last, since they change the world ---


def test_two_decided_blocks_of_one_height_stop_the_program_for_good(world):
    """More than a third of the members would have to lie: then it is seen, and both commits are kept."""
    world.new_home("witness")
    ask = ("actor", "show", "--address", world.accounts["hospital"])
    world.run("witness", *ask)
    refused = None
    with EvilNode(world.members[0].url, decided(keys=world.keys)) as node:
        with pytest.raises(Refused) as refused:
            world.run("witness", *ask, "--rpc", node.url)
    assert refused.value.report["remedy"] == DISBELIEF[2] + ": show evidence.json to those who run it"
    evidence = json.loads((world.home("witness") / "evidence.json").read_text())
    blocks = [LightBlock(block) for block in evidence["blocks"]]
    assert len({block.hash() for block in blocks}) == 2
    assert {tuple(block.keys) for block in blocks} == {tuple(blocks[0].keys)}
    with pytest.raises(Refused):  # the honest nodes are believed no more either, until a person has decided
        world.run("witness", *ask)


def answers(run, *arguments):
    try:
        return run(*arguments)
    except Refused:
        return None


def test_a_member_that_leaves_is_followed(world):
    members.change(world.members[:3], "--leaves", world.members[3].account)
    # The others begin their CometBFT anew, so that it drops who is no member any more.
    wait_for(lambda: answers(world.run, "hospital", "record", "add", world.bundle, "--folder", world.folder_id), 60)
    world.run("patient", "actor", "show", "--address", world.accounts["hospital"])
    trusted = LightBlock(json.loads((world.home("patient") / "validators.json").read_text())["trusted"])
    assert len(trusted.keys) == 3 and world.keys[3].public not in trusted.keys


def test_the_anchor_is_handed_on_with_those_who_decide_now(world):
    fresh = world.path()
    report = world.run("patient", "anchor", "--out", fresh)
    before, after = json.loads(world.deployment.read_text()), json.loads(fresh.read_text())
    assert report["validators"] == 3 and len(after["validators"]["set"]) == 3
    assert {**before, "validators": 0} == {**after, "validators": 0}
    world.new_home("newcomer", trust=False)
    world.run("newcomer", "trust", fresh)
    world.run("newcomer", "actor", "show", "--address", world.accounts["hospital"])
    world.run("hospital", "trust", fresh)  # a home that trusts the deployment already goes on with it
    world.run("hospital", "actor", "show", "--address", world.accounts["hospital"])
