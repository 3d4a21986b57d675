"""What a node says about a transaction: its nonce, its gas, an error, its end."""
import pathlib

import pytest
import rlp
from eth_account import Account
from eth_utils import to_checksum_address

from evil_node import EvilNode
from lies import Sent
from machine import RpcError
from programs import FAILED, PROGRAMS, REFUSED, Under, hearing
from told import LIES

SENDERS = ["access ask", "record add", "relay", "break-glass", "publish-key", "gateway POST", "folder open, sent",
           "folder rotate, sent", "share, sent", "revoke, sent"]
NONCE, GAS_LIMIT = 1, 4  # of the fields of a transaction of type 2
TRANSACTION_GAS = 16_777_216  # EIP-7825
KEPT = "nothing is believed, and this home keeps it"


def send(world, program, name):
    """What came of it, and the fields of each transaction that was sent."""
    lie = LIES[name].make(world)
    with EvilNode(world.c.node.url, lie) as node:
        outcome = PROGRAMS[program](Under(world, node))
    assert lie.told, outcome
    return outcome, [[int.from_bytes(field, "big") if isinstance(field, bytes) else field
                      for field in rlp.decode(bytes.fromhex(raw[4:]))] for raw in node.sent]


def assert_kept(program, outcome):
    """It says that nothing is believed, and that what was to be sent is kept."""
    assert outcome.code in (REFUSED, FAILED), outcome
    if program.startswith("gateway"):
        assert "not-proved" in outcome.text, outcome
        assert '"registered"' not in outcome.text, outcome
    else:
        assert outcome.code == REFUSED and outcome.report["remedy"].startswith(KEPT), outcome
        assert "not proved: " in outcome.report["error"], outcome


@pytest.mark.parametrize("program, lie", hearing(["a nonce too high", "a nonce too low"], SENDERS))
def test_a_false_nonce_is_not_signed(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert not sent, sent
    assert_kept(program, outcome)


@pytest.mark.parametrize("program, lie", [
    *hearing(["an absurd estimate of gas"], SENDERS),
    *hearing(["no gas at all"], ["access ask", "relay"]),
])
def test_no_more_gas_is_signed_than_a_transaction_may_use(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert outcome.code in (REFUSED, FAILED), outcome
    assert all(fields[GAS_LIMIT] <= TRANSACTION_GAS for fields in sent), sent


@pytest.mark.parametrize("program, lie", hearing(["an error text that gives orders"], SENDERS))
def test_an_error_text_moves_no_terminal_and_begins_no_line(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert outcome.code in (REFUSED, FAILED) and not sent, outcome
    assert "\x1b" not in outcome.text and "\nxinglin: and" not in outcome.text, outcome.text


@pytest.mark.parametrize("program, lie", hearing(["success of what was never sent"], SENDERS))
def test_success_is_not_invented(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert sent
    assert_kept(program, outcome)


@pytest.mark.parametrize("program, lie", hearing(
    ["failure of what succeeded", "failure, of a node that proves no receipts", "receipts of another block",
     "a receipt left out", "a receipt cut off from its root", "another block", "a block without its transactions"],
    ["access ask"]))
def test_a_false_end_is_not_believed(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert sent
    assert_kept(program, outcome)


class Bombed(Sent):
    """Each transaction has company that logs 2 MB for nothing, and all receipts of a block are too much to show."""

    LOGS = 20
    LOG_98304_BYTES = bytes.fromhex("620180006000a0")  # PUSH3 size, PUSH1 0, LOG0

    def __init__(self, world):
        super().__init__(debug_getRawReceipts=self.too_large)
        self.world, self.stranger, self.nonce = world, Account.create(), 0
        code = self.LOG_98304_BYTES * self.LOGS
        made = self.transact(None, bytes.fromhex(f"60{len(code):02x}600c60003960{len(code):02x}6000f3") + code, 300_000)
        self.bomb = world.c.node.receipt(made)["contractAddress"]

    def transact(self, to, data, gas):
        fields = {"data": data, "gas": gas, "value": 0, "type": 2, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0,
                  "chainId": self.world.deployment["chainId"], "nonce": self.nonce, **({"to": to_checksum_address(to)} if to else {})}
        self.nonce += 1
        signed = self.stranger.sign_transaction(fields)
        return self.world.c.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())

    def too_large(self, *_):
        raise RpcError({"code": -32003, "message": "response too large"})

    def taken(self, raw, ask):
        bombs = [self.transact(self.bomb, b"", 16_700_000) for _ in range(4)]
        taken = super().taken(raw, ask)
        for bomb in bombs:
            assert len(self.world.c.node.receipt(bomb)["logs"]) == self.LOGS
        return taken


def test_the_end_is_proved_whatever_else_stands_in_the_block(world):
    """A stranger's logs, which cost nothing, hide nobody's success from an honest node."""
    lie = Bombed(world)
    with EvilNode(world.c.node.url, lie) as node:
        outcome = PROGRAMS["access ask"](Under(world, node))
    assert node.sent and outcome.report["reason"] == "WRONG_PURPOSE", outcome
    assert "xinglin_receiptProofs" in node.asked and "debug_getRawReceipts" not in node.asked, node.asked


@pytest.mark.parametrize("lie", ["a nonce too high", "success of what was never sent"])
def test_a_trustee_releases_nothing_by_a_lie_and_goes_on(world, lie):
    outcome, _ = send(world, "trustee serve (owed)", lie)
    assert outcome.code == FAILED and (outcome.report["failed"], outcome.report["released"]) == (1, 0), outcome
    assert "not proved: " in outcome.text, outcome


def test_a_refusal_of_what_was_taken_is_no_end(world):
    """What became of it stands in a block, whatever the node said when it took it."""
    outcome, _ = send(world, "access ask", "a refusal of what was taken")
    assert outcome.report.get("permitted") is False and outcome.report["reason"] == "WRONG_PURPOSE", outcome


def test_what_was_kept_goes_on_with_an_honest_node(world):
    """The lie costs time: the next command of the same home finds what the first one sent."""
    home = world.home("clinic")
    with EvilNode(world.c.node.url, LIES["success of what was never sent"].make(world)) as node:
        under = Under(world, node)
        outcome = under.run("clinic", "access", "ask", "--folder", world.a, "--purpose", "HRESCH", home=home)
    assert_kept("access ask", outcome)
    assert (pathlib.Path(home) / "outbox.journal").exists()
    before = int(world.c.rpc("eth_getTransactionCount", world.c.accounts["clinic"], "latest"), 16)
    with EvilNode(world.c.node.url, Sent()) as node:
        Under(world, node).run("clinic", "access", "ask", "--folder", world.a, "--purpose", "HRESCH", home=home)
    assert int(world.c.rpc("eth_getTransactionCount", world.c.accounts["clinic"], "latest"), 16) == before + 2
    assert not (pathlib.Path(home) / "outbox.journal").exists()
