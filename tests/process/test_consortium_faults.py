"""What befalls members of a consortium, with real CometBFTs: nobody forks or loses a receipt, and each says what is
wrong with it.

XINGLIN_FAULTS=1 (make soak): every member in turn and every pair, and not one of each.
"""
import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import urllib.error
import urllib.request

import pytest

from consortia import FUNDED, running
from exposition import families
from machine import free_port, wait_for

THOROUGH = bool(os.environ.get("XINGLIN_FAULTS"))
SINGLES = range(4) if THOROUGH else [2]
PAIRS = list(itertools.combinations(range(4), 2)) if THOROUGH else [(1, 3)]


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    with running(tmp_path_factory.mktemp("f") / "n", 4, together=True) as members:
        yield members


@pytest.fixture
def alone(tmp_path):
    with running(tmp_path / "n", 1, together=True) as (member,):
        yield member


def readiness(member):
    """What is wrong with it, by name; None while it does not answer."""
    with contextlib.suppress(OSError):
        try:
            with urllib.request.urlopen(member.url + "/readyz", timeout=20) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as refused:
            found = json.load(refused)
        assert found["ready"] == all(check["ok"] for check in found["checks"])
        return {check["name"]: check["detail"] for check in found["checks"] if not check["ok"]}


def is_ready(member):
    return readiness(member) == {}


def pause(member):
    for pid in member.processes():
        os.kill(pid, signal.SIGSTOP)


def resume(member):
    for pid in reversed(member.processes()):
        os.kill(pid, signal.SIGCONT)


def stop(member):
    member.end(signal.SIGKILL)


def start(member):
    member.start_both()
    wait_for(member.head, 60)


def send_some(members, account, count=10):
    """Transactions of one account, each to the next member; their hashes."""
    first = members[0].nonce(account)
    return [members[0].send(account, first + i) for i in range(count)]


def assert_stand(members, sent):
    """They are in the same blocks at all members, and all have one head."""
    for one in sent:
        receipts = [member.receipt(one) for member in members]
        assert receipts[0]["status"] == "0x1"
        assert all(receipt == receipts[0] for receipt in receipts)
    newest = max(member.number() for member in members)
    wait_for(lambda: all(member.number() >= newest for member in members), 60)
    heads = [member.rpc("eth_getBlockByNumber", hex(newest), False)["hash"] for member in members]
    assert len(set(heads)) == 1


@pytest.mark.parametrize("which", SINGLES)
@pytest.mark.parametrize("away, back", [(stop, start), (pause, resume)], ids=["killed", "paused"])
def test_three_go_on_without_one_which_then_has_all_that_it_missed(four, which, away, back):
    gone, others = four[which], [member for member in four if member is not four[which]]
    sent = send_some([gone], FUNDED[0])
    assert_stand(four, sent)
    sent = send_some([gone], FUNDED[1])
    away(gone)
    sent = [one for one in sent if others[0].rpc("eth_getTransactionByHash", one)] + send_some(others, FUNDED[2])
    assert_stand(others, sent)
    back(gone)
    assert_stand(four, sent)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("away, back", [(stop, start), (pause, resume)], ids=["killed", "paused"])
def test_two_alone_decide_nothing_and_say_so_until_one_is_back(four, pair, away, back):
    gone = [four[i] for i in pair]
    left = [member for member in four if member not in gone]
    for member in gone:
        away(member)
    number = left[0].number()
    sent = send_some(left, FUNDED[3])
    if away is stop:  # it takes 15 seconds until a node says so
        wait_for(lambda: "no height for" in (readiness(left[0]) or {}).get("consensus", ""), 60)
    assert left[0].number() == number
    for member in gone:
        back(member)
    assert_stand(four, sent)
    for member in four:
        wait_for(lambda: is_ready(member), 60)


def test_readiness_says_that_cometbft_does_not_answer(four):
    member = four[0]
    wait_for(lambda: is_ready(member), 60)
    comet = member.processes()[1]
    os.kill(comet, signal.SIGSTOP)
    wait_for(lambda: "CometBFT does not answer" in (readiness(member) or {}).get("consensus", ""), 60)
    os.kill(comet, signal.SIGCONT)
    wait_for(lambda: is_ready(member), 60)


def test_metrics_tell_height_peers_and_round(tmp_path):
    port = free_port()
    with running(tmp_path / "n", 1) as (member,):
        member.kill()
        member.start_node("--metrics-port", str(port)).start_comet()
        wait_for(member.head, 60)
        member.receipt(member.send(FUNDED[0], 0))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            found = families(answer.read().decode())
        value = {name: found[name][1][0][2] for name in found if name.startswith("consensus_")}
        assert value["consensus_height"] >= 1 and value["consensus_comet_up"] == 1
        assert value["consensus_peers"] == value["consensus_round"] == value["consensus_catching_up"] == 0
        assert value["consensus_quiet_milliseconds"] < 120000


def voted(asked, member, height):
    """Is the member's vote in the commit of this height?"""
    signatures = asked.comet(f"/commit?height={height}")["signed_header"]["commit"]["signatures"]
    address = hashlib.sha256(bytes.fromhex(member.key[2:])).hexdigest()[:40].upper()
    return address in {one["validator_address"] for one in signatures}


def test_a_member_from_an_old_backup_signs_nothing_that_it_may_have_signed(tmp_path):
    with running(tmp_path / "n", 4, together=True) as members:
        asked, member = members[0], members[3]
        assert_stand(members, send_some(members, FUNDED[0]))
        member.end()
        shutil.copytree(member.folder, tmp_path / "backup", symlinks=True)
        start(member)
        assert_stand(members, send_some(members, FUNDED[1]))
        member.end()
        shutil.rmtree(member.folder)
        shutil.copytree(tmp_path / "backup", member.folder, symlinks=True)
        start(member)
        assert "signs nothing until it has caught up" in member.log.read_text()
        above = int(wait_for(lambda: re.search(r"signs above height (\d+)", member.log.read_text()), 90)[1])
        assert above >= asked.height()
        wait_for(lambda: is_ready(member), 60)
        # The others go on without its vote, and then it votes again.
        for nonce in itertools.count(asked.nonce(FUNDED[2])):
            assert_stand(members, [asked.send(FUNDED[2], nonce)])
            if asked.height() > above + 4 and any(voted(asked, member, at) for at in range(above + 1, asked.height())):
                break
        first = member.height() - 40
        assert not any(voted(asked, member, at) for at in range(max(above - 1, first, 1), above + 1))
        assert not any("signed two things" in one.log.read_text() for one in members)
