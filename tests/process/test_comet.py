"""Members of a consortium with real CometBFTs: one order of transactions, whoever is asked, whatever dies."""

import os
import re
import signal
import socket
import time

import pytest

import consortia
from consortia import FUNDED, Network, Relay
from machine import binary

INFO, FINALIZE, COMMIT = 3, 20, 11  # the fields of ABCI's requests; an answer's is one more


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def needs_cometbft():
    if not os.path.exists(consortia.COMETBFT):
        pytest.skip("no CometBFT: run tools/cometbft, or name one in COMETBFT")


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    with Network(tmp_path_factory.mktemp("four"), 4, binary(), free_port) as net:
        yield net


@pytest.fixture
def four_more(tmp_path):
    """Of which one will not come back."""
    with Network(tmp_path, 4, binary(), free_port) as net:
        yield net


@pytest.fixture
def alone(tmp_path):
    with Network(tmp_path, 1, binary(), free_port) as net:
        yield net


def same_blocks(net, number):
    """Everybody's blocks 1 to `number`, whole and with receipts, are the same; gives the last one's hash."""
    for at in range(1, number + 1):
        net.wait(lambda: all(m.number() >= at for m in net.members), f"block {at} everywhere")
        blocks = [m.rpc("eth_getBlockByNumber", hex(at), True) for m in net.members]
        receipts = [m.rpc("eth_getBlockReceipts", hex(at)) for m in net.members]
        assert all(block == blocks[0] for block in blocks)
        assert all(found == receipts[0] for found in receipts)
    return blocks[0]["hash"]


def test_what_is_sent_to_any_member_is_in_a_block_at_all_of_them(four):
    sent = [four.members[i].send(FUNDED[i], 0) for i in range(4)]
    receipts = [[m.receipt(one) for m in four.members] for one in sent]
    for everywhere in receipts:
        assert everywhere[0]["status"] == "0x1"
        assert all(found == everywhere[0] for found in everywhere)
    same_blocks(four, four.members[0].number())


def test_the_same_transaction_sent_to_all_stands_once(four):
    sent = {m.send(FUNDED[4], 0) for m in four.members}
    assert len(sent) == 1
    found = [m.receipt(next(iter(sent))) for m in four.members]
    assert all(one == found[0] for one in found)
    assert four.members[2].rpc("eth_getTransactionCount", FUNDED[4].address, "latest") == "0x1"


def test_a_gap_of_nonces_waits_and_a_failed_transaction_has_a_receipt(four):
    later = four.members[1].send(FUNDED[5], 1)
    failing = four.members[1].send(FUNDED[5], 2, to=None, data="0xfe", value=0, gas=100000)
    assert four.members[1].rpc("eth_getTransactionReceipt", later) is None
    four.members[3].send(FUNDED[5], 0)  # the first one goes to somebody else
    assert four.members[0].receipt(later)["status"] == "0x1"
    assert four.members[0].receipt(failing)["status"] == "0x0"


def test_the_newest_block_is_final_and_nothing_happens_while_nobody_sends(four):
    member = four.members[0]
    member.receipt(member.send(FUNDED[6], 0))
    number = member.number()
    four.wait(lambda: len({m.kept_height() for m in four.members}) == 1, "one height everywhere")
    height = member.kept_height()
    assert member.block("finalized")["number"] == hex(number)
    later = four.members[1].send(FUNDED[6], 7)  # waits in its pool for those before it
    assert four.members[1].rpc("eth_getTransactionReceipt", later) is None
    assert member.number() == number
    assert member.kept_height() <= height + 1  # the block that proves the newest one may have been under way


def test_one_of_four_may_be_gone_and_comes_back_to_the_same_chain(four):
    gone = four.members[3]
    gone.kill("node")
    gone.kill("comet")
    start = int(four.members[0].rpc("eth_getTransactionCount", FUNDED[7].address, "latest"), 16)
    for nonce in range(start, start + 4):
        four.members[nonce % 3].receipt(four.members[nonce % 3].send(FUNDED[7], nonce))
    head = four.members[0].block()
    gone.start()
    four.wait(lambda: gone.number_or_none() == head["number"], "it has caught up")
    assert gone.block()["hash"] == head["hash"]


def test_two_of_four_stop_the_chain_and_one_more_lets_it_go_on(four):
    for member in four.members[2:]:
        member.kill("comet")
        member.kill("node")
    sender, nonce = FUNDED[0], int(four.members[0].rpc("eth_getTransactionCount", FUNDED[0].address, "latest"), 16)
    waiting = four.members[0].send(sender, nonce)
    number = four.members[0].number()
    assert four.members[1].number() == number
    four.members[2].start()
    assert four.members[0].receipt(waiting, 60)["status"] == "0x1"
    four.members[3].start()
    four.wait(lambda: (four.members[3].number_or_none() or "0x0") == hex(four.members[0].number()), "all are there")
    same_blocks(four, four.members[0].number())


@pytest.mark.parametrize(
    "is_answer, number, is_passed",
    [(False, FINALIZE, True), (True, FINALIZE + 1, False), (False, COMMIT, True), (True, COMMIT + 1, False)],
    ids=["while a block is decided", "once it is decided", "while it is committed", "once it is committed"],
)
def test_a_node_that_is_killed_comes_to_the_same_bytes(alone, is_answer, number, is_passed):
    member = alone.members[0]
    first = member.receipt(member.send(FUNDED[0], 0))
    member.kill("comet", signal.SIGTERM)
    relayed = member.data / "relay.sock"
    relay = Relay(relayed, member.data / "abci.sock")
    config = member.home / "config/config.toml"
    config.write_text(config.read_text().replace("abci.sock", "relay.sock"))
    member.start_comet()
    alone.wait(lambda: member.kept_height_or_none(), "CometBFT is there")

    def die(message):
        relay.at.clear()
        if is_passed:
            return message  # the frame is on its way, and the node dies of it a moment later
        member.node.kill()
        return False

    relay.at[(is_answer, number)] = die
    sent = member.send(FUNDED[0], 1)
    alone.wait(lambda: not relay.at, "the moment has come")
    if is_passed:
        member.node.kill()
    member.kill("node")
    member.kill("comet")
    relay.close()
    config.write_text(config.read_text().replace("relay.sock", "abci.sock"))
    member.start()
    found = member.receipt(sent)
    assert found["status"] == "0x1"
    assert member.receipt(first["transactionHash"]) == first
    assert member.receipt(member.send(FUNDED[0], 2))["status"] == "0x1"


def test_a_node_starts_its_comet_again_and_again_and_ends_it(alone):
    member = alone.members[0]
    member.stop()
    (member.data / "node.log").unlink()
    member.start_both()

    def started():
        return [int(found) for found in re.findall(r"CometBFT is started: process (\d+)", member.log())]

    alone.wait(member.number_or_none, "the node answers")
    member.receipt(member.send(FUNDED[0], 0))
    os.kill(started()[0], signal.SIGKILL)
    sent = member.send(FUNDED[0], 1)
    assert member.receipt(sent)["status"] == "0x1"
    assert len(started()) == 2
    member.node.send_signal(signal.SIGTERM)
    assert member.node.wait(30) == 0
    for pid in started():
        assert not os.path.exists(f"/proc/{pid}")


def test_a_comet_that_is_killed_finds_what_was_under_way_sent_again(alone):
    member = alone.members[0]
    member.receipt(member.send(FUNDED[0], 0))
    member.kill("comet")
    sent = [member.send(FUNDED[0], nonce) for nonce in (1, 2, 3)]
    member.start_comet()
    for one in sent:
        assert member.receipt(one)["status"] == "0x1"


def test_a_node_whose_data_is_lost_executes_all_heights_again(alone):
    member = alone.members[0]
    for nonce in range(5):
        member.receipt(member.send(FUNDED[0], nonce))
    head = member.block()
    member.kill("comet", signal.SIGTERM)
    member.kill("node", signal.SIGTERM)
    for child in member.data.iterdir():
        if child.name in ("chaindata",):
            consortia.shutil.rmtree(child)
    member.start()
    alone.wait(lambda: member.number_or_none() == head["number"], "all is executed again")
    assert member.block()["hash"] == head["hash"]


def test_blocks_are_shown_with_the_commit_that_proves_them(four):
    member = four.members[1]
    nonce = int(member.rpc("eth_getTransactionCount", FUNDED[1].address, "latest"), 16)
    found = member.receipt(member.send(FUNDED[1], nonce))
    head = member.rpc("xinglin_head", "0x" + "11" * 32)
    assert head["hash"] == found["blockHash"]
    app_hash = bytes.fromhex(head["hash"][2:])
    assert b"\x5a\x20" + app_hash in bytes.fromhex(head["commit"][2:])  # a header's field 11
    seal = member.rpc("xinglin_sealOf", head["hash"])
    assert b"\x5a\x20" + app_hash in bytes.fromhex(seal["commit"][2:])
    first = member.block(0)["hash"]
    assert b"\x5a\x20" + bytes.fromhex(first[2:]) in bytes.fromhex(member.rpc("xinglin_lightBlock", "0x1")[2:])
    assert member.rpc("xinglin_lightBlock", "0xffffff") is None
    assert member.rpc("xinglin_sealOf", "0x" + "22" * 32) is None
    info = member.rpc("xinglin_chainInfo")
    assert (info["sealer"], info["members"]) == (None, consortia.MEMBERS)


def test_a_member_that_comes_to_other_bytes_stops_and_says_what_it_holds(four_more):
    """Its node is told another time than the others, so its block of the next transaction is another one."""
    member = four_more.members[2]
    member.kill("comet")
    member.kill("node")
    wrapper = member.data / "cometbft-over-a-relay"
    wrapper.write_text(f"""#!/bin/bash\nexec {consortia.COMETBFT} "${{@//abci.sock/relay.sock}}"\n""")
    wrapper.chmod(0o755)
    relay = Relay(member.data / "relay.sock", member.data / "abci.sock")
    day = int(time.time())
    varint = bytes([(day >> 7 * i & 127) | (128 if i < 4 else 0) for i in range(5)])
    moment = re.compile(rb"(?s)\x08(.)(.)" + re.escape(varint[2:]))

    def another_time(message):
        return moment.sub(lambda found: bytes([8, found[1][0] ^ 1]) + found[2] + varint[2:], message)

    relay.at[(False, FINALIZE)] = another_time
    member.start_both(wrapper)
    four_more.wait(member.number_or_none, "the node answers")
    nonce = int(four_more.members[0].rpc("eth_getTransactionCount", FUNDED[2].address, "latest"), 16)
    four_more.members[0].receipt(four_more.members[0].send(FUNDED[2], nonce))
    four_more.members[0].receipt(four_more.members[0].send(FUNDED[2], nonce + 1))  # the others go on
    assert member.node.wait(60) != 0
    member.node = None
    relay.close()
    log = member.log()
    assert "this node differs from the other members" in log
    assert re.search(r"height \d+, block \d+: time \d+, gas 21000, hash 0x[0-9a-f]{64} ", log)
