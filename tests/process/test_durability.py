"""What a node acknowledged survives `kill -9`: a hash that was returned, a receipt that was shown, a blob that was taken.

XINGLIN_KILLS sets the number of kills (4). Each round loads the node with signed transactions, single and in batches,
and
with sealed blobs and their registrations; ends the process at a random moment, sometimes once more while it starts;
reads
the whole database (`xinglin db verify`); starts the node again on the same folder, and holds it to what it said. Folders
are left behind after FOLDER_KILLS kills, so that reading all of one stays quick; all begin as copies of one consortium.
"""
import http.client
import json
import os
import random
import shutil
import subprocess
import threading
import time

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_account import Account
from eth_utils import keccak, to_canonical_address

import notebook
from hospitals import Two
from machine import DEV_KEYS, Consortium, Node, binary, cli, in_threads, wait_for

KILLS = int(os.environ.get("XINGLIN_KILLS", "4"))
FOLDER_KILLS = 50
CHAIN_ID = 7697
RECEIVER = "0x" + "42" * 20
GWEI = 10**9
AHEAD = 400       # transactions that a sender has signed before a round begins
BATCH = 20        # and most of them in one request
UPLOADS = 2       # blobs put in one round
PENDING_SECONDS = 500  # a blob that nothing names is kept for 600
EVERY_BLOCK = 10**9
BLOB_NAMED = "0x" + keccak(text="BlobNamed(bytes32,bytes32,uint256)").hex()
DYING = (OSError, http.client.HTTPException, json.JSONDecodeError)  # what a client sees of a node that is killed


class Sender:
    """One account's row of transactions, and what the node said about them. The row is the same in every folder."""

    def __init__(self, key, book):
        self.account = Account.from_key(key)
        self.book = book
        self.signed = []   # by nonce; signed ahead, since signing in Python is slow
        self.begin_anew()

    def begin_anew(self):
        self.next = 0
        self.returned = {}  # hash -> nonce
        self.shown = {}     # hash -> receipt

    def sign_ahead(self):
        while len(self.signed) < self.next + min(AHEAD, 60 + self.next):
            nonce = len(self.signed)
            writes = nonce % 3 == 0  # every third one writes to a contract, and so has a log
            tx = {"nonce": nonce, "gas": 100000, "chainId": CHAIN_ID,
                  "maxFeePerGas": 20 * GWEI, "maxPriorityFeePerGas": GWEI,
                  "to": to_canonical_address(self.book if writes else RECEIVER), "value": 0 if writes else 1,
                  "data": notebook.selector("set(uint256)") + f"{nonce + 1:064x}" if writes else "0x"}
            self.signed.append("0x" + self.account.sign_transaction(tx).raw_transaction.hex().removeprefix("0x"))

    def load(self, port, stopped):
        """Sends, and asks for receipts in between, until the node is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

        def ask(method, parameters):
            calls = [call(i, method, parameter) for i, parameter in enumerate(parameters)]
            connection.request("POST", "/", json.dumps(calls if len(calls) > 1 else calls[0]),
                               {"Content-Type": "application/json"})
            answers = json.loads(connection.getresponse().read())
            answers = answers if isinstance(answers, list) else [answers]
            assert len(answers) == len(calls) and all("result" in answer for answer in answers), answers
            return [answer["result"] for answer in answers]

        try:
            while True:
                some = self.signed[self.next:self.next + random.choice((1, 1, 1, BATCH))]
                for tx_hash in ask("eth_sendRawTransaction", some) if some else ():
                    self.returned[tx_hash] = self.next
                    self.next += 1
                earlier = random.sample(list(self.returned), min(2, len(self.returned)))
                for tx_hash, receipt in zip(earlier, ask("eth_getTransactionReceipt", earlier)):
                    self.see(tx_hash, receipt)
        except DYING:
            assert stopped.is_set(), "the node broke a connection although nobody ended it"
        finally:
            connection.close()

    def see(self, tx_hash, receipt):
        if receipt is not None:
            assert self.shown.setdefault(tx_hash, receipt) == receipt
        else:
            assert tx_hash not in self.shown, f"a receipt was shown before and is gone: {tx_hash}"

    def hold_to_account(self, node, since=0):
        """Nothing returned is unknown, nothing shown is gone, from the nonce `since` on."""
        hashes = [tx_hash for tx_hash, nonce in self.returned.items() if nonce >= since]
        for tx_hash, tx in zip(hashes, asked(node, "eth_getTransactionByHash", hashes)):
            assert tx is not None, f"lost: {tx_hash}"
        for tx_hash, receipt in zip(hashes, asked(node, "eth_getTransactionReceipt", hashes)):
            self.see(tx_hash, receipt)

    def wait_until_mined(self, node):
        def all_mined():
            left = [tx_hash for tx_hash in self.returned if tx_hash not in self.shown]
            for tx_hash, receipt in zip(left, asked(node, "eth_getTransactionReceipt", left)):
                self.see(tx_hash, receipt)
            return len(self.shown) == len(self.returned)

        wait_for(all_mined, seconds=120, every=0.1)
        assert all(receipt["status"] == "0x1" for receipt in self.shown.values())

    def catch_up(self, node):
        """What was on its way when the node went may be known to it or not."""
        nonce = int(node.rpc("eth_getTransactionCount", self.account.address, "pending"), 16)
        assert self.next <= nonce <= self.next + BATCH
        self.next = nonce


class Uploader:
    """A hospital that puts sealed blobs and names them in registrations, and what the node said about them."""

    def __init__(self, hospitals):
        self.hospitals = hospitals
        self.begin_anew()

    def begin_anew(self):
        self.taken = {}     # blob -> its bytes, and when: put, and not yet named
        self.returned = {}  # hash of a registration -> the bytes that it names

    def load(self, stopped):
        try:
            for _ in range(UPLOADS):
                part = os.urandom(random.choice((40, 5000, 300000)))
                blob = self.hospitals.put("bl-one", part)
                self.taken[blob] = part, time.monotonic()
                tx_hash = self.hospitals.register("bl-one", blob, random.getrandbits(60))
                self.returned[tx_hash], _ = self.taken.pop(blob)
        except DYING:
            assert stopped.is_set(), "the node broke a connection although nobody ended it"

    def hold_to_account(self, node):
        for tx_hash, tx in zip(self.returned, asked(node, "eth_getTransactionByHash", list(self.returned))):
            assert tx is not None, f"lost: {tx_hash}"
        for blob, (part, since) in self.taken.items():
            if time.monotonic() > since + PENDING_SECONDS:
                continue
            # A registration that was under way may have named it since.
            files = (node.data / "blobs" / "segments").glob("*.seg")
            assert any(part in file.read_bytes() for file in files), f"a blob that was taken is gone: {blob}"

    def hold_to_items(self, node):
        """Of every registration: it succeeded, and its item has its content."""
        for tx_hash, part in self.returned.items():
            receipt = node.receipt(tx_hash)
            assert receipt["status"] == "0x1", receipt
            items = [log["topics"][1] for log in receipt["logs"] if log["topics"][0] == BLOB_NAMED]
            assert len(items) == 1
            status, content = self.hospitals.ask("bl-one", "get", "records", items[0])
            assert status == 200 and content.endswith(part)


def call(number, method, parameter):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": [parameter]}


def asked(node, method, parameters):
    """One method's answers for many parameters, in batches."""
    answers = []
    for start in range(0, len(parameters), 500):
        calls = [call(i, method, parameter) for i, parameter in enumerate(parameters[start:start + 500])]
        answers += [answer["result"] for answer in json.loads(node.post(calls))]
    return answers


class Beginning:
    """A stopped consortium with a contract more, whose folder every run starts from, and those who load it."""

    def __init__(self, folder):
        keys = [Account.from_key(key) for key in DEV_KEYS]
        funds = ",".join(account.address for account in keys)
        self.consortium = Consortium(folder, init_options=("--chain-id", CHAIN_ID, "--fund", funds))
        self.hospitals = Two(self.consortium)
        node = self.consortium.node
        creation = keys[4].sign_transaction({"nonce": 0, "gas": 300000, "gasPrice": 20 * GWEI, "chainId": CHAIN_ID,
                                             "data": notebook.CREATION})
        sent = node.rpc("eth_sendRawTransaction", "0x" + bytes(creation.raw_transaction).hex())
        book = node.receipt(sent)["contractAddress"]
        assert node.stop() == 0
        self.senders = [Sender(key, book) for key in DEV_KEYS[:4]]
        self.uploader = Uploader(self.hospitals)

    def copy(self, folder):
        shutil.copytree(self.consortium.data, folder)
        for one in (*self.senders, self.uploader):
            one.begin_anew()

    def start(self, folder, block_ms):
        """In development mode the chain's time may run ahead of the clock's, so that a block comes with every load."""
        self.consortium.node = Node(folder, "dev", "--block-ms", str(block_ms))
        return self.consortium.node


def load_and_kill(beginning, node):
    stopped = threading.Event()

    def kill():
        time.sleep(random.uniform(0, 0.3))
        stopped.set()
        node.kill()

    in_threads([kill, lambda: beginning.uploader.load(stopped),
                *(lambda sender=sender: sender.load(node.port, stopped) for sender in beginning.senders)])


def kill_while_starting(folder):
    process = subprocess.Popen([binary(), "dev", "--bare", "--data", str(folder), "--http-port", "0"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(0, 0.1))
    process.kill()
    process.wait()


def verify(folder, senders):
    """The stopped node's whole database; and no block that a receipt was shown of is missing."""
    found = cli("db", "verify", "--data", folder, "--blocks", EVERY_BLOCK)
    assert found["blocks"] == found["head"] + 1
    assert found["transactions"] >= sum(len(sender.shown) for sender in senders)
    return found


class Tally:
    kills = kills_at_start = verified = returned = shown = blobs = waiting = 0


def rounds_on_one_folder(beginning, folder, kills, tally):
    beginning.copy(folder)
    senders, uploader = beginning.senders, beginning.uploader
    node = beginning.start(folder, 0)
    for number in range(1, kills + 1):
        for sender in senders:
            sender.sign_ahead()
        begin = [sender.next for sender in senders]
        newest = node.rpc("eth_getBlockByNumber", "latest", False)
        load_and_kill(beginning, node)
        if random.random() < 0.2:
            kill_while_starting(folder)
            tally.kills_at_start += 1
        assert verify(folder, senders)["head"] >= int(newest["number"], 16)
        # Every second round seals rarely, so that much waits in the pool when the node is ended.
        node = beginning.start(folder, 300 if number % 2 else 0)
        tally.waiting += int(node.rpc("txpool_status")["pending"], 16)
        assert node.rpc("eth_getBlockByNumber", newest["number"], False) == newest
        for sender, since in zip(senders, begin):
            sender.hold_to_account(node, since)
            sender.catch_up(node)
        uploader.hold_to_account(node)
        tally.kills += 1
        tally.verified += 1
    for _ in range(2):  # Ctrl-C and the next start: nothing is different
        newest = node.rpc("eth_getBlockByNumber", "latest", False)
        assert node.stop() == 0
        verify(folder, senders)
        tally.verified += 1
        node = beginning.start(folder, 0)
        assert node.rpc("eth_getBlockByNumber", newest["number"], False) == newest
        for sender in senders:
            sender.hold_to_account(node)
    hold_to_the_end(beginning, node, tally)


def hold_to_the_end(beginning, node, tally):
    """All that was ever returned is mined, and the chain holds it once."""
    for sender in beginning.senders:
        sender.wait_until_mined(node)
    beginning.uploader.hold_to_items(node)
    wait_for(lambda: node.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}, seconds=60)
    paid = sum(1 for sender in beginning.senders for nonce in range(sender.next) if nonce % 3)
    assert int(node.rpc("eth_getBalance", RECEIVER, "latest"), 16) == paid
    assert node.stop() == 0
    verify(node.data, beginning.senders)
    tally.verified += 1
    tally.returned += sum(len(one.returned) for one in (*beginning.senders, beginning.uploader))
    tally.shown += sum(len(sender.shown) for sender in beginning.senders)
    tally.blobs += len(beginning.uploader.returned) + len(beginning.uploader.taken)


def test_kill_at_random_moments(tmp_path):
    beginning, tally = Beginning(tmp_path / "consortium"), Tally()
    try:
        while tally.kills < KILLS:
            folder = tmp_path / f"node-{tally.kills}"
            rounds_on_one_folder(beginning, folder, min(FOLDER_KILLS, KILLS - tally.kills), tally)
            shutil.rmtree(folder)
            print(
                f"{tally.kills} kills and {tally.kills_at_start} more during a start, {tally.verified} whole verifications without a "
                f"difference, {tally.returned} hashes returned, {tally.shown} receipts shown, {tally.blobs} blobs taken, "
                f"{tally.waiting} found waiting after a start; none lost",
                flush=True,
            )
    finally:
        beginning.consortium.node.kill()
    assert tally.returned > 5 * KILLS


def test_stop_is_clean_and_the_chain_continues(start_node, tmp_path):
    node = start_node(tmp_path / "node", "dev", "--block-ms", "60000")
    accounts = node.rpc("eth_accounts")
    sent = node.rpc("eth_sendTransaction", {"from": accounts[0], "to": RECEIVER, "value": "0x1"})
    assert node.stop() == 0
    again = start_node(tmp_path / "node")
    assert again.started["sealer"] == node.started["sealer"]
    assert again.receipt(sent)["status"] == "0x1"
    assert again.rpc("eth_getBalance", RECEIVER, "latest") == "0x1"


def test_a_returned_hash_is_never_unknown(start_node):
    """Not even while a block takes it out of the pool."""
    node = start_node()
    sender, receiver = node.rpc("eth_accounts")[:2]
    transfer = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_sendTransaction",
        "params": [{"from": sender, "to": receiver, "value": "0x1", "gas": "0x5208", "gasPrice": hex(20 * GWEI)}],
    }
    for _ in range(20):
        hashes = [answer["result"] for answer in json.loads(node.post([transfer] * 200))]
        assert None not in asked(node, "eth_getTransactionByHash", hashes)
