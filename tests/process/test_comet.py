"""Members of a consortium with real CometBFTs: one order of transactions, whoever is asked, whatever dies."""

import contextlib
import os
import re
import shutil
import signal
import time

import pytest

from consortia import FUNDED, Relay, running
from machine import RpcError, wait_for
from members import comet_program

FINALIZE, COMMIT = 20, 11  # the fields of ABCI's requests; an answer's is one more


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    with running(tmp_path_factory.mktemp("four") / "net", 4) as members:
        yield members


@pytest.fixture
def four_more(tmp_path):
    """Of which one will not come back."""
    with running(tmp_path / "net", 4) as members:
        yield members


@pytest.fixture
def alone(tmp_path):
    with running(tmp_path / "net", 1) as members:
        yield members[0]


def assert_same_blocks(members):
    """Everybody's blocks are the same, whole and with receipts."""
    newest = max(member.number() for member in members)
    wait_for(lambda: all(member.number() >= newest for member in members), 60)
    for at in range(1, newest + 1):
        blocks = [member.rpc("eth_getBlockByNumber", hex(at), True) for member in members]
        receipts = [member.rpc("eth_getBlockReceipts", hex(at)) for member in members]
        assert all(block == blocks[0] for block in blocks)
        assert all(found == receipts[0] for found in receipts)


def send_many(member, account, count):
    start = member.nonce(account)
    return [member.send(account, nonce) for nonce in range(start, start + count)]


def test_what_is_sent_to_any_member_is_in_a_block_at_all_of_them(four):
    sent = [four[i].send(FUNDED[i], four[i].nonce(FUNDED[i])) for i in range(4)]
    for one in sent:
        everywhere = [member.receipt(one) for member in four]
        assert everywhere[0]["status"] == "0x1"
        assert all(found == everywhere[0] for found in everywhere)
    assert_same_blocks(four)


def test_the_same_transaction_sent_to_all_stands_once(four):
    nonce = four[0].nonce(FUNDED[4])
    sent = {member.send(FUNDED[4], nonce) for member in four}
    assert len(sent) == 1
    found = [member.receipt(next(iter(sent))) for member in four]
    assert all(one == found[0] for one in found)
    assert four[2].nonce(FUNDED[4]) == nonce + 1


def test_a_gap_of_nonces_waits_and_a_failed_transaction_has_a_receipt(four):
    nonce = four[0].nonce(FUNDED[5])
    later = four[1].send(FUNDED[5], nonce + 1)
    failing = four[1].send(FUNDED[5], nonce + 2, to=None, data="0xfe", value=0, gas=100000)
    assert four[1].rpc("eth_getTransactionReceipt", later) is None
    four[3].send(FUNDED[5], nonce)  # the first one goes to somebody else
    assert four[0].receipt(later)["status"] == "0x1"
    assert four[0].receipt(failing)["status"] == "0x0"


def test_the_newest_block_is_final_and_nothing_happens_while_nobody_sends(four):
    member, nonce = four[0], four[0].nonce(FUNDED[6])
    member.receipt(member.send(FUNDED[6], nonce))
    number = member.number()
    wait_for(lambda: len({each.height() for each in four}) == 1, 60)
    height = member.height()
    assert member.rpc("eth_getBlockByNumber", "finalized", False)["number"] == hex(number)
    later = four[1].send(FUNDED[6], nonce + 7)  # waits in its pool for those before it
    assert four[1].rpc("eth_getTransactionReceipt", later) is None
    assert member.number() == number
    assert member.height() <= height + 1  # the block that proves the newest one may have been under way


def test_blocks_are_shown_with_the_commit_that_proves_them(four):
    member = four[1]
    found = member.receipt(member.send(FUNDED[1], member.nonce(FUNDED[1])))

    def proves(commit, block_hash):  # a header's field 11
        return b"\x5a\x20" + bytes.fromhex(block_hash[2:]) in bytes.fromhex(commit[2:])

    head = member.rpc("xinglin_head", "0x" + "11" * 32)
    assert head["hash"] == found["blockHash"]
    assert proves(head["commit"], head["hash"])
    assert proves(member.rpc("xinglin_sealOf", head["hash"])["commit"], head["hash"])
    first = member.rpc("eth_getBlockByNumber", "0x0", False)["hash"]
    assert proves(member.rpc("xinglin_lightBlock", "0x1"), first)
    assert member.rpc("xinglin_lightBlock", "0xffffff") is None
    assert member.rpc("xinglin_sealOf", "0x" + "22" * 32) is None
    info = member.rpc("xinglin_chainInfo")
    assert info["sealer"] is None and int(info["members"], 16) == 0xC04537


def test_one_of_four_dies_under_load_and_comes_back_to_the_same_chain(four):
    gone = four[3]
    sent = send_many(four[0], FUNDED[3], 20)
    gone.kill()
    sent += send_many(four[1], FUNDED[7], 20)
    assert all(four[2].receipt(one)["status"] == "0x1" for one in sent)
    gone.start()
    wait_for(gone.head)
    assert_same_blocks(four)


def test_a_member_that_was_paused_catches_up(four):
    paused = four[1]
    for process in (paused.process, paused.comet_process):
        process.send_signal(signal.SIGSTOP)
    sent = send_many(four[0], FUNDED[3], 10)
    assert all(four[2].receipt(one)["status"] == "0x1" for one in sent)
    for process in (paused.process, paused.comet_process):
        process.send_signal(signal.SIGCONT)
    assert paused.receipt(sent[-1])["status"] == "0x1"
    assert_same_blocks(four)


def test_two_of_four_stop_the_chain_and_one_more_lets_it_go_on(four):
    for member in four[2:]:
        member.kill()
    waiting = four[0].send(FUNDED[0], four[0].nonce(FUNDED[0]))
    number = four[0].number()
    assert four[1].number() == number
    four[2].start()
    assert four[0].receipt(waiting)["status"] == "0x1"
    four[3].start()
    assert_same_blocks(four)


@pytest.mark.parametrize(
    "is_answer, number, is_passed",
    [(False, FINALIZE, True), (True, FINALIZE + 1, False), (False, COMMIT, True), (True, COMMIT + 1, False)],
    ids=["while a block is decided", "once it is decided", "while it is committed", "once it is committed"],
)
def test_a_node_that_is_killed_comes_to_the_same_bytes(alone, is_answer, number, is_passed):
    first = alone.receipt(alone.send(FUNDED[0], 0))
    alone.end_comet()
    relay = Relay(alone.folder / "relay.sock", alone.app_socket)
    alone.start_comet(relay.path)
    wait_for(alone.height)

    def die(message):
        relay.at.clear()
        alone.process.kill()  # with the message on its way, or without
        return message if is_passed else False

    relay.at[(is_answer, number)] = die
    sent = "0x" + bytes(alone.sign(FUNDED[0], 1).hash).hex()
    with contextlib.suppress(OSError):  # it may die of the transaction before it answers
        alone.send(FUNDED[0], 1)
    wait_for(lambda: not relay.at, 60)
    alone.kill()
    relay.close()
    alone.start()
    wait_for(alone.head)
    with contextlib.suppress(RpcError):  # it has it, unless it died of the height before
        alone.send(FUNDED[0], 1)
    assert alone.receipt(sent)["status"] == "0x1"
    assert alone.receipt(first["transactionHash"]) == first
    assert alone.receipt(alone.send(FUNDED[0], 2))["status"] == "0x1"


def test_a_node_starts_its_comet_again_and_again_and_ends_it(alone):
    alone.end_comet()
    alone.end()
    alone.log.unlink()
    alone.start_both()

    def started():
        return [int(found) for found in re.findall(r"CometBFT is started: process (\d+)", alone.log.read_text())]

    wait_for(alone.head)
    alone.receipt(alone.send(FUNDED[0], 0))
    os.kill(started()[0], signal.SIGKILL)
    assert alone.receipt(alone.send(FUNDED[0], 1))["status"] == "0x1"
    assert len(started()) == 2
    alone.process.send_signal(signal.SIGTERM)
    assert alone.process.wait(30) == 0
    for pid in started():
        assert not os.path.exists(f"/proc/{pid}")


def test_a_comet_that_is_killed_finds_what_was_under_way_sent_again(alone):
    alone.receipt(alone.send(FUNDED[0], 0))
    alone.end_comet(signal.SIGKILL)
    sent = [alone.send(FUNDED[0], nonce) for nonce in (1, 2, 3)]
    alone.start_comet()
    for one in sent:
        assert alone.receipt(one)["status"] == "0x1"


def test_a_node_whose_data_is_lost_executes_all_heights_again(alone):
    for nonce in range(5):
        alone.receipt(alone.send(FUNDED[0], nonce))
    head = alone.head()
    alone.end_comet()
    alone.end()
    shutil.rmtree(alone.folder / "chaindata")
    alone.start()
    wait_for(lambda: alone.is_at(head), 60)


def test_a_member_that_comes_to_other_bytes_stops_and_says_what_it_holds(four_more):
    """Its node is told another time than the others, so its block of the next transaction is another one."""
    member, asked = four_more[2], four_more[0]
    member.kill()
    wrapper = member.folder / "cometbft-over-a-relay"
    wrapper.write_text(f'#!/bin/bash\nexec {comet_program()} "${{@//abci.sock/relay.sock}}"\n')
    wrapper.chmod(0o755)
    relay = Relay(member.folder / "relay.sock", member.app_socket)
    now = int(time.time())
    varint = bytes([(now >> 7 * i & 127) | (128 if i < 4 else 0) for i in range(5)])
    moment = re.compile(rb"(?s)\x08(.)(.)" + re.escape(varint[2:]))

    def another_time(message):
        return moment.sub(lambda found: bytes([8, found[1][0] ^ 1]) + found[2] + varint[2:], message)

    relay.at[(False, FINALIZE)] = another_time
    member.start_both(wrapper)
    wait_for(member.head)
    nonce = asked.nonce(FUNDED[2])
    asked.receipt(asked.send(FUNDED[2], nonce))
    asked.receipt(asked.send(FUNDED[2], nonce + 1))  # the others go on
    assert member.process.wait(60) != 0
    relay.close()
    log = member.log.read_text()
    assert "this node differs from the other members" in log
    assert re.search(r"height \d+, block \d+: time \d+, gas 21000, hash 0x[0-9a-f]{64} ", log)
