"""What befalls members of a consortium, with real CometBFTs: nobody forks or loses a receipt, and each says what is
wrong with it.

XINGLIN_FAULTS=1 (make soak): every member in turn and every pair, and not one of each.
"""
import contextlib
import datetime
import hashlib
import itertools
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from consortia import FUNDED, Member, Relay, running
from exposition import families
from machine import RpcError, cli, free_port, wait_for
from members import change, comet_program, newcomer
from wires import Wires

PREPARE = 16  # the field of ABCI's request; its answer's is one more
THOROUGH = bool(os.environ.get("XINGLIN_FAULTS"))
SINGLES = range(4) if THOROUGH else [2]
PAIRS = list(itertools.combinations(range(4), 2)) if THOROUGH else [(1, 3)]


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    with running(tmp_path_factory.mktemp("f") / "n", 4, together=True) as members:
        yield members


@pytest.fixture(scope="module")
def wired(tmp_path_factory):
    """Four members, and the wires between them."""
    wires = Wires()
    with running(tmp_path_factory.mktemp("w") / "n", 4, together=True, prepare=wires.lay) as members:
        yield members, wires
    wires.close()


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


def test_a_member_that_was_killed_while_cometbft_made_its_databases_starts_all_the_same(tmp_path):
    """What a kill leaves there, after the first file and before the one that names it."""

    def interrupt(_, members):
        for name in ("blockstore", "state", "evidence"):
            folder = members[0].folder / f"comet/data/{name}.db"
            folder.mkdir()
            (folder / "LOCK").write_bytes(b"")
            (folder / "MANIFEST-000000").write_bytes(os.urandom(41))

    with running(tmp_path / "n", 1, together=True, prepare=interrupt) as (member,):
        assert member.receipt(member.send(FUNDED[0], 0))["status"] == "0x1"


def test_metrics_tell_height_peers_and_round(tmp_path, monkeypatch):
    port = free_port()
    monkeypatch.setenv("XINGLIN_NODE_METRICS_PORT", str(port))
    with running(tmp_path / "n", 1) as (member,):
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


def put_back(member, backup, names):
    for name in names:
        shutil.rmtree(member.folder / name)
        shutil.copytree(backup / name, member.folder / name)


def test_an_old_state_of_a_key_that_is_put_back_alone_is_noticed(tmp_path):
    """Files one by one, so that the folder and the key's file stay what they were."""
    with running(tmp_path / "n", 4, together=True) as members:
        asked, member, data = members[0], members[3], members[3].folder / "comet/data"
        assert_stand(members, send_some(members, FUNDED[0]))
        member.end()
        shutil.copytree(member.folder, tmp_path / "backup", symlinks=True)
        start(member)
        nonces = itertools.count(asked.nonce(FUNDED[1]))
        height = asked.height()
        while not any(voted(asked, member, at) for at in range(height + 3, asked.height() - 3)):
            assert_stand(members, [asked.send(FUNDED[1], next(nonces))])
        member.end()
        put_back(member, tmp_path / "backup", ["chaindata", *(f"comet/data/{name}" for name in (
            "blockstore.db", "state.db", "cs.wal"))])
        shutil.copy(tmp_path / "backup/comet/data/priv_validator_state.json", data / "priv_validator_state.json")
        member.start_both()
        assert member.process.wait(60) != 0
        assert "an old one was put back" in member.log.read_text()
        start(member)  # as the service manager does
        wait_for(lambda: "signs above height" in member.log.read_text(), 90)
        assert_stand(members, send_some(members, FUNDED[2]))


@pytest.mark.parametrize("which", SINGLES)
def test_a_member_that_is_cut_off_misses_nothing_once_its_wires_are_mended(wired, which):
    members, wires = wired
    lonely, others = members[which], [member for member in members if member is not members[which]]
    for wire in wires.of({which}):
        wire.cut()
    wait_for(lambda: not lonely.peers(), 60)
    late = lonely.send(FUNDED[4], lonely.nonce(FUNDED[4]))
    assert_stand(others, send_some(others, FUNDED[5]))
    assert lonely.rpc("eth_getTransactionReceipt", late) is None
    for wire in wires.of({which}):
        wire.mend()
    assert_stand(members, [late])


@pytest.mark.parametrize("pair", PAIRS)
def test_two_halves_that_do_not_hear_each_other_decide_nothing_and_then_the_same(wired, pair):
    members, wires = wired
    other = [i for i in range(4) if i not in pair]
    for wire in wires.of(set(pair)):
        wire.cut()
    for i in range(4):
        wait_for(lambda: len(members[i].peers()) <= 1, 60)
    number = members[0].number()
    sent = send_some([members[pair[0]]], FUNDED[6]) + send_some([members[other[0]]], FUNDED[7])
    assert all(member.number() == number for member in members)
    for wire in wires.of(set(pair)):
        wire.mend()
    assert_stand(members, sent)


@pytest.mark.parametrize("side", [{1}, {0, 1, 2, 3}], ids=["to one", "to all"])
def test_slow_wires_make_it_slow_and_nothing_else(wired, side):
    members, wires = wired
    slow = wires.all() if len(side) == 4 else wires.of(side)
    for wire in slow:
        wire.delay_s = 0.15
    assert_stand(members, send_some(members, FUNDED[4]))
    for wire in slow:
        wire.delay_s = 0.0
    assert_stand(members, send_some(members, FUNDED[5]))


def test_a_clock_that_is_an_hour_off_changes_no_byte(four, tmp_path):
    """The node's own clock; CometBFT's program asks the kernel without the C library, so its clock stays."""
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    library = tmp_path / "clock.so"
    source = """#define _GNU_SOURCE
        #include <time.h>
        #include <unistd.h>
        #include <sys/syscall.h>
        int clock_gettime(clockid_t clock, struct timespec *out) {
            int status = (int)syscall(SYS_clock_gettime, clock, out);
            if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += OFF_S;
            return status;
        }"""
    for member, off_s in ((four[1], 3600), (four[2], -3600)):
        subprocess.run([compiler, "-shared", "-fPIC", f"-DOFF_S={off_s}", "-x", "c", "-", "-o", library], check=True,
                       input=source, text=True)
        stop(member)
        member.start_both(environment={**os.environ, "LD_PRELOAD": str(library)})
        wait_for(member.head, 60)
        library = tmp_path / "other.so"
        written = datetime.datetime.fromisoformat(member.log.read_text().splitlines()[-1].split("Z")[0] + "+00:00")
        assert abs(written.timestamp() - os.stat(member.log).st_mtime - off_s) < 600
    newest = four[0].receipt(send_some(four, FUNDED[4], 1)[0])
    assert_stand(four, send_some(four, FUNDED[4]))
    assert abs(int(four[1].rpc("eth_getBlockByNumber", newest["blockNumber"], False)["timestamp"], 16) - time.time()) < 600
    for member in four[1:3]:
        stop(member)
        start(member)
    assert_stand(four, send_some(four, FUNDED[4]))


def test_a_proposer_that_puts_garbage_into_blocks_changes_none_and_is_voted_out(tmp_path):
    """Between one member's CometBFT and its node somebody spoils each proposal; its own node is honest."""
    spoilt = []

    def spoil(message):  # PrepareProposal's answer, which ends with the last transaction's signature
        if len(message) < 40:
            return message
        spoilt.append(len(message))
        return message[:-32] + b"\xff" * 32  # above the curve's order

    with running(tmp_path / "n", 4, together=True) as members:
        liar = members[1]
        stop(liar)
        wrapper = liar.folder / "cometbft-over-a-relay"
        wrapper.write_text(f'#!/bin/bash\nexec {comet_program()} "${{@//abci.sock/relay.sock}}"\n')
        wrapper.chmod(0o755)
        relay = Relay(liar.folder / "relay.sock", liar.app_socket)
        relay.at[True, PREPARE + 1] = spoil
        liar.start_both(wrapper)
        wait_for(lambda: is_ready(liar), 120)
        honest = [member for member in members if member is not liar]
        # One after the other without a pause, so that each height has some, and the liar's turns come among them. On a
        # machine that has much to do, others may give up waiting for one of its proposals before they have read it.
        nonces = itertools.count(liar.nonce(FUNDED[0]))
        wait_for(lambda: honest[0].send(FUNDED[0], next(nonces)) and any(
            "rejected a proposed block" in member.log.read_text() for member in honest), 120)
        assert spoilt
        assert_stand(members, send_some(members, FUNDED[1], 4))
        # It is voted out while it lies: nobody hears it any more, and it gets no new block.
        change(honest, "--leaves", liar.account)
        wait_for(lambda: all(len(member.validators()) == 3 for member in honest), 60)
        for member in honest:
            wait_for(lambda: liar.node[2:] not in member.peers(), 60)
        sent = send_some(honest, FUNDED[2], 4)
        assert_stand(honest, sent)
        assert all(liar.rpc("eth_getTransactionReceipt", one) is None for one in sent)
        relay.close()


def be_the_same_validator(twin, member):
    for name in ("config/priv_validator_key.json", "data/priv_validator_state.json"):
        shutil.copy(member.folder / "comet" / name, twin.folder / "comet" / name)


def test_a_member_that_signs_twice_is_named_by_all_forks_nothing_and_is_voted_out(tmp_path, monkeypatch):
    """One validator's key in two CometBFTs, and nobody who guards it: what each proposes and votes is its own."""
    twins, port = [], free_port()

    def prepare(_, members):
        made = newcomer(members[0].folder.parent, "twin")
        twins.append(Member({"config": made.config, "account": made.account, "key": made.key, "node": made.node,
                             "rpc": made.url}))
        be_the_same_validator(twins[0], members[3])
        monkeypatch.setenv("XINGLIN_NODE_FOLLOWERS", made.node)  # so that all hear the second one, too

    def ask(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refused:  # not ready for another reason: it was just started
            return refused.read().decode()

    def start_with_metrics(member):
        member.kill()
        member.start_node("--metrics-port", str(port))
        wait_for(member.head)
        member.start_comet()
        wait_for(member.height, 60)

    def liars():
        return families(ask("/metrics"))["consensus_liars"][1][0][2]

    try:
        with running(tmp_path / "n", 4, prepare=prepare) as members:
            honest, liar, twin = members[:3], members[3], twins[0]
            start_with_metrics(honest[0])
            twin.start()
            wait_for(lambda: twin.height() and twin.peers(), 60)
            nonces, sent = itertools.count(), []

            def is_named():
                sent.append(honest[0].send(FUNDED[0], next(nonces)))
                return all("signed two things for one height" in member.log.read_text() for member in honest)

            wait_for(is_named, 240)
            assert_stand(honest, sent)
            assert liars() == 1
            start_with_metrics(honest[0])  # it remembers
            assert liars() == 1
            check = next(one for one in json.loads(ask("/readyz"))["checks"] if one["name"] == "members")
            assert check["ok"] and liar.account.lower() in check["detail"]
            change(honest, "--leaves", liar.account)
            wait_for(lambda: all(len(member.validators()) == 3 for member in honest), 60)
            assert_stand(honest, send_some(honest, FUNDED[1], 4))
            assert liars() == 0
    finally:
        for twin in twins:
            twin.kill()


def test_garbage_at_the_port_for_peers_disturbs_nobody(four):
    for member in four:
        config = (member.folder / "comet/config/config.toml").read_text()
        port = int(re.search(r'\[p2p\][^[]*laddr = "tcp://[^"]*:(\d+)"', config)[1])
        for garbage in (b"", b"GET / HTTP/1.1\r\n\r\n", os.urandom(5000), b"\xff" * 70000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
                stranger.sendall(garbage)
    assert_stand(four, send_some(four, FUNDED[6]))


def status_of(method, url, body):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


@pytest.mark.parametrize("method, path", [
    ("POST", "/"), ("POST", "/comet"), ("POST", "/members/blobs"), ("POST", "/members/names"),
    ("PUT", f"/blobs/0x{'12' * 20}/0x{'34' * 32}"), ("PUT", f"/blobs/0x{'12' * 20}/0x{'34' * 32}/here")])
def test_garbage_at_a_route_of_members_is_refused_and_disturbs_nobody(four, method, path):
    deep = b'{"jsonrpc":"2.0","id":1,"method":"commit","params":' + b"[" * 5000 + b"]" * 5000 + b"}"
    for garbage in (b"", b"\x00", b"{", b"XLQ1\xff\xff\xff\xff", b"XLN1" + b"\xff" * 52, deep, bytes(range(256)) * 300):
        for member in four:
            status, body = status_of(method, member.url + path, garbage)
            assert 400 <= status < 500 or (status == 200 and b'"error"' in body), (status, body)
    assert_stand(four, send_some(four, FUNDED[6]))


@pytest.mark.skipif(not THOROUGH, reason="1,300 blocks, one after the other: make soak")
def test_members_that_drop_old_blocks_go_on_are_whole_and_let_cometbft_drop_its_own(tmp_path, monkeypatch):
    for name, value in (("RETAIN_BLOCKS", 1024), ("RETAIN_DAYS", 0), ("SNAPSHOT_BLOCKS", 300)):
        monkeypatch.setenv(f"XINGLIN_NODE_{name}", str(value))
    with running(tmp_path / "n", 4, together=True) as members:
        nonces, first = itertools.count(), members[0].send(FUNDED[0], 0)
        while members[0].number() < 1300:
            nonce = next(nonces)
            members[nonce % 4].receipt(members[nonce % 4].send(FUNDED[1], nonce))
        for member in members:
            wait_for(lambda: int(member.comet("/status")["sync_info"]["earliest_block_height"]) > 1, 60)
            with pytest.raises(RpcError, match="pruned history unavailable"):
                member.rpc("eth_getTransactionReceipt", first)
        for member in members:  # one after the other, as for an upgrade
            member.end()
            kept = cli("db", "verify", "--data", member.folder)
            assert kept["head"] - kept["firstBlock"] == 1023
            start(member)
            assert_stand(members, send_some(members, FUNDED[2]))


def test_a_disk_that_takes_no_more_stops_its_member_alone_which_goes_on_later(four):
    """No file of its node and its CometBFT may grow: whichever fails first, what it has committed stands."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    full, others = four[3], four[:3]
    stop(full)
    full.start_both(preexec=limit)
    assert_stand(others, send_some(others, FUNDED[7], 40))
    wait_for(lambda: "file too large" in full.log.read_text().lower(), 60)
    stop(full)
    start(full)
    assert_stand(four, send_some([full], FUNDED[7]))
