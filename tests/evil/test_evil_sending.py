"""What a node says about a transaction: its nonce, its gas, an error, its end."""
import pytest
import rlp

from evil_node import EvilNode
from programs import FAILED, PROGRAMS, REFUSED, Under, hearing
from told import LIES

SENDERS = ["access ask", "record add", "relay"]
SENDER = {"access ask": "clinic", "record add": "hospital", "relay": "hospital"}
NONCE, GAS_LIMIT = 1, 4  # of the fields of a transaction of type 2
BLOCK_GAS = 1_000_000_000


def send(world, program, name):
    """What came of it, and the fields of each transaction that was sent."""
    lie = LIES[name].make(world)
    with EvilNode(world.c.node.url, lie) as node:
        outcome = PROGRAMS[program](Under(world, node))
    assert lie.told, outcome
    return outcome, [[int.from_bytes(field, "big") if isinstance(field, bytes) else field
                      for field in rlp.decode(bytes.fromhex(raw[4:]))] for raw in node.sent]


@pytest.mark.parametrize("program, lie", hearing(["a nonce too high", "a nonce too low"], SENDERS))
def test_a_false_nonce_is_not_signed(world, program, lie):
    honest = int(world.c.rpc("eth_getTransactionCount", world.c.accounts[SENDER[program]], "latest"), 16)
    outcome, sent = send(world, program, lie)
    assert outcome.code in (REFUSED, FAILED), outcome
    assert all(fields[NONCE] == honest for fields in sent), sent


@pytest.mark.parametrize("program, lie", hearing(["an absurd estimate of gas"], SENDERS))
def test_no_more_gas_is_signed_than_a_block_has(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert outcome.code in (REFUSED, FAILED), outcome
    assert all(fields[GAS_LIMIT] <= BLOCK_GAS for fields in sent), sent


@pytest.mark.parametrize("program, lie", hearing(["an error text that gives orders"], SENDERS))
def test_an_error_text_moves_no_terminal_and_begins_no_line(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert outcome.code in (REFUSED, FAILED) and not sent, outcome
    assert "\x1b" not in outcome.text and "\nxinglin: and" not in outcome.text, outcome.text


@pytest.mark.parametrize("program, lie", [
    *hearing(["success of what was never sent"], SENDERS),
    *hearing(["failure of what succeeded"], ["access ask"]),
])
def test_a_false_receipt_is_not_believed(world, program, lie):
    outcome, sent = send(world, program, lie)
    assert sent and outcome.code in (REFUSED, FAILED), outcome
    assert outcome.report.get("remedy", "").startswith("nothing"), outcome
