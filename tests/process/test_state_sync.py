"""Who joins a consortium late: by a snapshot, while the others work and one of them lies; and who only follows."""

import contextlib
import hashlib
import json
import re
import shutil
import signal
import threading

import pytest

rlp = pytest.importorskip("rlp", reason="the Python packages are not installed: PyPI could not be reached")

import consortia
from consortia import CHAIN_ID, FUNDED, Relay
from machine import RpcError, cli, post, wait_for
from members import Member, change, comet_program, init
from ports import PORTS

BLOCKS = 10  # between two snapshots
LOADED = 15  # the field of ABCI's answer to LoadSnapshotChunk


def configure(member, **settings):
    with open(member.config, "a") as config:
        for name, value in settings.items():
            config.write(f"{name.replace('_', '-')} = {value}\n")


def nonce(member, account):
    return int(member.rpc("eth_getTransactionCount", account.address, "latest"), 16)


def send(member, account, at, **fields):
    signed = consortia.Member.sign(account, at, **fields)
    return member.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())


def receipt(member, sent):
    return wait_for(lambda: member.rpc("eth_getTransactionReceipt", sent), 90)


class Load:
    """Makes a contract with each transaction, so that state, code and logs grow, until it is told to end."""

    CODE = "0x6001600055600260015560006000a0600160005360016000f3"  # two slots, an empty log, one byte of code

    def __init__(self, member, account):
        self.member, self.account, self.ended = member, account, threading.Event()
        self.receipts, self.failure = [], None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            at = nonce(self.member, self.account)
            while not self.ended.is_set():
                sent = send(self.member, self.account, at, to=None, value=0, gas=200000, data=self.CODE)
                self.receipts.append(receipt(self.member, sent))
                at += 1
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def end(self):
        self.ended.set()
        self.thread.join()
        assert self.failure is None
        return self.receipts


@contextlib.contextmanager
def network(folder):
    """Four members that make snapshots; who joins is appended and ended too."""
    funded = ",".join(account.address for account in FUNDED)
    report = init(folder, 4, "--chain-id", CHAIN_ID, "--fund", funded, "--comet-program", comet_program())
    members = [Member(one) for one in report["members"]]
    try:
        for member in members:
            configure(member, snapshot_blocks=BLOCKS)
            member.start()
        for member in members:
            wait_for(member.head)
        yield members
    finally:
        for member in members:
            member.end(signal.SIGKILL)


def joiner(folder, name, members, *options, what=("member", "new")):
    urls = ",".join(member.url for member in members)
    wallet = [] if what == ("follower",) else ["--light-kdf"]
    report = cli("consortium", *what, "--network", folder / "network", "--out", folder / name, "--from", urls,
                 "--base-port", PORTS.row(2), "--comet-program", comet_program(), *wallet, *options)
    return Member({"account": None, "key": None} | report), report


def height(member):
    return int(member.comet("/status").get("sync_info", {}).get("latest_block_height", 0))


def snapshot(member):
    """Those that its CometBFT can prove already: two heights are after them."""
    return [one for one in member.rpc("xinglin_snapshots") if int(one["height"], 16) + 2 <= height(member)]


def assert_same_heads(members):
    newest = max(int(member.head()["number"], 16) for member in members)
    wait_for(lambda: all(int(member.head()["number"], 16) >= newest for member in members), 90)
    blocks = [member.rpc("eth_getBlockByNumber", hex(newest), True) for member in members]
    receipts = [member.rpc("eth_getBlockReceipts", hex(newest)) for member in members]
    assert all(block == blocks[0] for block in blocks) and all(one == receipts[0] for one in receipts)


def assert_pruned(call):
    with pytest.raises(RpcError) as refused:
        call()
    assert refused.value.code == 4444 and "pruned history unavailable" in refused.value.message


def test_a_member_joins_by_a_snapshot_under_load_and_goes_on_without_the_oldest(tmp_path):
    folder = tmp_path / "net"
    with network(folder) as members:
        load = Load(members[1], FUNDED[0])
        wait_for(lambda: all(snapshot(member) for member in members), 120)
        fifth, report = joiner(folder, "fifth", members[:3])
        assert report["snapshot"] > 0 and report["trustHeight"] >= report["snapshot"]
        change(members, "--joins", fifth.account, "--key", fifth.key, "--node", fifth.node)
        configure(fifth, snapshot_blocks=BLOCKS)
        members.append(fifth.start())
        wait_for(lambda: fifth.head() and int(fifth.head()["number"], 16) >= BLOCKS, 120)
        assert "is taken in" in fifth.log.read_text()
        assert fifth.rpc("eth_getBlockByNumber", "0x0", False) == members[0].rpc("eth_getBlockByNumber", "0x0", False)
        wait_for(lambda: fifth.peers() == {member.node[2:] for member in members[:4]}, 60)
        wait_for(lambda: len(fifth.validators()) == 5, 60)
        receipts = load.end()
        assert_same_heads(members)
        early = receipts[0]
        assert fifth.rpc("eth_getCode", early["contractAddress"], "latest") == "0x01"
        assert fifth.rpc("eth_getStorageAt", early["contractAddress"], "0x1", "latest") == "0x" + f"{2:064x}"
        assert_pruned(lambda: fifth.rpc("eth_getBalance", FUNDED[0].address, "0x1"))

        oldest = members.pop(0)
        oldest.end(signal.SIGKILL)
        sent = [send(fifth, FUNDED[1], at) for at in range(5)]
        for one in sent:
            assert all(receipt(member, one) == receipt(fifth, one) for member in members)
        assert_same_heads(members)
        wait_for(lambda: fifth.rpc("xinglin_snapshots") or not send_one(fifth), 120)
        wait_for(lambda: members[0].rpc("xinglin_snapshots")[0] == fifth.rpc("xinglin_snapshots")[0], 60)
        members.append(oldest.start())  # it was away for long: block sync brings what it missed
        wait_for(oldest.head)
        assert_same_heads(members)
        members.remove(fifth)
        fifth.end()
        assert cli("db", "verify", "--data", fifth.folder)["firstBlock"] >= 1


def send_one(member):
    return receipt(member, send(member, FUNDED[1], nonce(member, FUNDED[1])))


def test_a_forged_chunk_is_refused_and_its_sender_is_not_asked_again(tmp_path):
    folder = tmp_path / "net"
    funded = ",".join(account.address for account in FUNDED)
    report = init(folder, 4, "--chain-id", CHAIN_ID, "--fund", funded)
    members, relays, joined = [consortia.Member(one) for one in report["members"]], [], []
    lies = []

    def lie(message):
        """Whoever sends the first chunk sends another one."""
        for relay in relays:
            relay.at.clear()
        lies.append(message)
        return message[:-1] + bytes([message[-1] ^ 1])

    try:
        for member in members:
            member.start_node("--snapshot-blocks", str(BLOCKS))
            wait_for(member.app_socket.exists)
            relays.append(Relay(member.folder / "relay.sock", member.app_socket))
            member.start_comet(relays[-1].path)
        for member in members:
            wait_for(member.head)
        load = Load(members[0], FUNDED[0])
        wait_for(lambda: all(snapshot(member) for member in members), 120)
        load.end()
        fifth, report = joiner(folder, "fifth", members)
        change(members, "--joins", fifth.account, "--key", fifth.key, "--node", fifth.node)
        for relay in relays:
            relay.at[(True, LOADED)] = lie
        joined.append(fifth.start())
        wait_for(lambda: fifth.head() and int(fifth.head()["number"], 16) >= BLOCKS, 120)
        assert len(lies) == 1
        log = fifth.log.read_text()
        liar = next(member for member in members if f"of {member.node[2:]} is forged" in log)
        assert log.index(liar.node[2:]) < log.index("is taken in")
        assert_same_heads(members + joined)
    finally:
        for relay in relays:
            relay.close()
        for member in members:
            member.kill()
        for member in joined:
            member.end(signal.SIGKILL)


def snapshot_folder(member, height):
    return member.folder / "snapshots" / str(height)


def with_manifest(folder, **other):
    """The manifest names these chunks, or this moment, instead of its own."""
    names = ["format", "genesis", "height", "header", "chunks"]
    manifest = dict(zip(names, rlp.decode((folder / "manifest").read_bytes()))) | other
    (folder / "manifest").write_bytes(rlp.encode([manifest[name] for name in names]))
    return manifest


def change_state(folder, _):
    """The last account's or slot's last byte, and a list of chunks that fits."""
    chunks = list(rlp.decode((folder / "manifest").read_bytes())[4])
    last = folder / str(len(chunks) - 1)
    content = last.read_bytes()
    last.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    chunks[-1] = hashlib.sha256(last.read_bytes()).digest()
    with_manifest(folder, chunks=chunks)


def take_older_state(folder, older):
    """Every chunk of an older snapshot, under the newer one's header."""
    chunks = rlp.decode((older / "manifest").read_bytes())[4]
    for number in range(len(chunks)):
        shutil.copy(older / str(number), folder / str(number))
    with_manifest(folder, chunks=chunks)


@pytest.mark.parametrize("forge", [change_state, take_older_state])
def test_a_forged_snapshot_is_refused_whole_and_the_next_one_is_taken(tmp_path, forge):
    """A joiner that knows a liar alone stays at block 0; once it knows the others, it takes theirs."""
    folder = tmp_path / "net"
    with network(folder) as members:
        liar, honest = members[3], members[:3]
        while not all(snapshot(member) for member in members) or len(snapshot(liar)) < 2:
            send_one(members[0])
        newest, older = sorted((int(one["height"], 16) for one in snapshot(liar)), reverse=True)[:2]
        liar.end()
        forge(snapshot_folder(liar, newest), snapshot_folder(liar, older))
        shutil.rmtree(snapshot_folder(liar, older))
        settings = liar.config.read_text()  # it makes no more, and serves what is there
        liar.config.write_text(settings.replace(f"snapshot-blocks = {BLOCKS}", "snapshot-blocks = 0"))
        liar.start()
        wait_for(lambda: liar.head() and height(liar) and len(liar.peers()) == 3, 60)
        fifth, _ = joiner(folder, "fifth", honest)
        change(members, "--joins", fifth.account, "--key", fifth.key, "--node", fifth.node)
        config = fifth.folder / "comet/config/config.toml"
        whole = config.read_text()
        peers = re.search(r'persistent_peers = "([^"]*)"', whole)[1]
        of_liar = next(peer for peer in peers.split(",") if peer.startswith(liar.node[2:]))
        config.write_text(whole.replace(peers, of_liar))
        fifth.start()
        wait_for(lambda: "it is forged, and thrown away" in fifth.log.read_text(), 120)
        assert int(fifth.head()["number"], 16) == 0
        fifth.end()
        config.write_text(whole)
        wait_for(lambda: send_one(members[0]) and all(snapshot(member) for member in honest), 60)
        members.append(fifth.start())
        wait_for(lambda: int((fifth.head() or {"number": "0x0"})["number"], 16) >= BLOCKS, 120)
        assert "is taken in" in fifth.log.read_text()
        assert_same_heads(members)


def test_a_follower_has_all_blocks_and_no_vote(tmp_path):
    folder = tmp_path / "net"
    with network(folder) as members:
        early = [send_one(members[0]) for _ in range(3)]
        follower, report = joiner(folder, "follower", members[:1], what=("follower",))
        assert "snapshot" not in report  # there is none yet: it takes all blocks
        stranger, _ = joiner(folder, "stranger", members[:1], what=("follower",))
        for member in members[:2]:
            member.end()
            configure(member, followers=follower.node)
            member.start()
        members += [follower.start(), stranger.start()]
        wait_for(follower.head)
        assert receipt(follower, early[0]["transactionHash"]) == early[0]
        assert receipt(follower, send_one(members[3])["transactionHash"])["status"] == "0x1"
        sent = send(follower, FUNDED[2], 0)  # what it is sent is passed on
        assert receipt(members[3], sent)["status"] == "0x1"
        assert len(members[3].validators()) == 4
        assert "commit" in follower.rpc("xinglin_head", "0x" + "11" * 32)
        assert_same_heads(members[:-1])
        assert int(stranger.head()["number"], 16) == 0 and stranger.peers() == set()


def test_only_what_a_joiner_needs_is_passed_on_to_cometbft(tmp_path):
    folder = tmp_path / "net"
    with network(folder) as members:
        url = members[0].url + "/comet"

        def ask(method, **params):
            return json.loads(post(url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))["result"]

        wait_for(lambda: height(members[0]))
        assert ask("commit", height="1")["signed_header"]["header"]["height"] == "1"
        assert len(ask("validators", height="1")["validators"]) == 4
        assert ask("consensus_params", height="1")["consensus_params"]["block"]["max_gas"] == "-1"
        for body in ({"method": "broadcast_tx_async"}, {"method": "dump_consensus_state"}, [{"method": "commit"}], b"{"):
            with pytest.raises(OSError) as refused:
                post(url, body)
            assert refused.value.code == 403
