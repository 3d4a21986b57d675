"""What a node acknowledged survives `kill -9`: a hash that was returned, and a receipt that was shown.

XINGLIN_KILLS sets the number of kills (8). Each round loads the node with signed transactions from several threads, ends
the process at a random moment, starts it again on the same folder, and holds it to what it said in that round; at the
end, to everything that it ever said.
"""
import http.client
import json
import os
import random
import threading
import time

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_account import Account
from eth_utils import to_canonical_address

import notebook
from machine import DEV_CHAIN_ID, DEV_KEYS, in_threads, wait_for

KILLS = int(os.environ.get("XINGLIN_KILLS", "8"))
RECEIVER = "0x" + "42" * 20
GWEI = 10**9
BATCH = 60
DYING = (OSError, http.client.HTTPException, json.JSONDecodeError)  # what a client sees of a node that is killed


class Sender:
    """One account's row of transactions, and what the node said about them."""

    def __init__(self, key, book):
        self.account = Account.from_key(key)
        self.book = book
        self.signed = []   # by nonce; signed ahead, since signing in Python is slow
        self.next = 0
        self.returned = {}  # hash -> nonce
        self.shown = {}     # hash -> receipt

    def sign_ahead(self):
        while len(self.signed) < self.next + BATCH:
            nonce = len(self.signed)
            writes = nonce % 3 == 0  # every third one writes to a contract, and so has a log
            tx = {"nonce": nonce, "gas": 100000, "chainId": DEV_CHAIN_ID,
                  "maxFeePerGas": 20 * GWEI, "maxPriorityFeePerGas": GWEI,
                  "to": to_canonical_address(self.book if writes else RECEIVER), "value": 0 if writes else 1,
                  "data": notebook.selector("set(uint256)") + f"{nonce + 1:064x}" if writes else "0x"}
            self.signed.append("0x" + self.account.sign_transaction(tx).raw_transaction.hex().removeprefix("0x"))

    def load(self, port, stopped):
        """Sends one after another, and asks for receipts in between, until the node is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

        def ask(method, parameter):
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": [parameter]})
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
            assert "error" not in answer, answer
            return answer["result"]

        try:
            while True:
                if self.next < len(self.signed):
                    tx_hash = ask("eth_sendRawTransaction", self.signed[self.next])
                    self.returned[tx_hash] = self.next
                    self.next += 1
                for earlier in random.sample(list(self.returned), min(2, len(self.returned))):
                    self.see(earlier, ask("eth_getTransactionReceipt", earlier))
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
        shown = [tx_hash for tx_hash in hashes if tx_hash in self.shown]
        for tx_hash, receipt in zip(shown, asked(node, "eth_getTransactionReceipt", shown)):
            assert receipt == self.shown[tx_hash], f"another receipt than was shown: {tx_hash}"

    def wait_until_mined(self, node):
        for tx_hash in self.returned:
            if tx_hash not in self.shown:
                receipt = node.receipt(tx_hash)
                assert receipt["status"] == "0x1", receipt
                self.see(tx_hash, receipt)

    def catch_up(self, node):
        """The one transaction that was on its way when the node went may be known to it or not."""
        nonce = int(node.rpc("eth_getTransactionCount", self.account.address, "pending"), 16)
        assert nonce in (self.next, self.next + 1)
        self.next = nonce


def asked(node, method, parameters):
    """One method's answers for many parameters, in batches."""
    answers = []
    for start in range(0, len(parameters), 500):
        calls = [{"jsonrpc": "2.0", "id": i, "method": method, "params": [parameter]}
                 for i, parameter in enumerate(parameters[start:start + 500])]
        if calls:
            answers += [answer["result"] for answer in json.loads(node.post(calls))]
    return answers


def assert_chain_is_whole(node, until):
    """Every block from `until` (a block seen before) to the head names its parent."""
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    assert int(block["number"], 16) >= int(until["number"], 16)
    while int(block["number"], 16) > int(until["number"], 16):
        parent = node.rpc("eth_getBlockByNumber", hex(int(block["number"], 16) - 1), False)
        assert block["parentHash"] == parent["hash"]
        block = parent
    assert block == until


def test_kill_at_random_moments(tmp_path, start_node):
    def start(round_number):
        # Every second round seals rarely, so that much waits in the pool when the node is ended.
        return start_node(tmp_path / "node", "dev", "--block-ms", "300" if round_number % 2 else "0")

    node = start(0)
    deployer = Account.from_key(DEV_KEYS[4])
    tx = {"nonce": 0, "gas": 300000, "gasPrice": 20 * GWEI, "chainId": DEV_CHAIN_ID, "data": notebook.CREATION}
    signed = deployer.sign_transaction(tx)
    book = node.receipt(node.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()))["contractAddress"]
    senders = [Sender(key, book) for key in DEV_KEYS[:4]]
    waiting_at_kill = 0
    for round_number in range(1, KILLS + 1):
        for sender in senders:
            sender.sign_ahead()
        begin = [sender.next for sender in senders]
        newest = node.rpc("eth_getBlockByNumber", "latest", False)
        stopped = threading.Event()

        def kill():
            time.sleep(random.uniform(0, 0.3))
            stopped.set()
            node.kill()

        in_threads([kill, *(lambda sender=sender: sender.load(node.port, stopped) for sender in senders)])
        node = start(round_number)
        pool = node.rpc("txpool_status")
        waiting_at_kill += int(pool["pending"], 16)
        for sender, since in zip(senders, begin):
            sender.hold_to_account(node, since)
        assert_chain_is_whole(node, newest)
        for sender in senders:
            sender.wait_until_mined(node)
            sender.catch_up(node)
    for clean in range(2):  # Ctrl-C and the next start: nothing is different
        newest = node.rpc("eth_getBlockByNumber", "latest", False)
        assert node.stop() == 0
        node = start(0)
        assert_chain_is_whole(node, newest)
        for sender in senders:
            sender.hold_to_account(node)
    returned = sum(len(sender.returned) for sender in senders)
    wait_for(lambda: node.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"})
    paid = sum(1 for sender in senders for nonce in range(sender.next) if nonce % 3)
    assert int(node.rpc("eth_getBalance", RECEIVER, "latest"), 16) == paid
    assert node.stop() == 0
    print(f"{KILLS} kills, {returned} hashes returned, {waiting_at_kill} found waiting after a start, none lost")
    assert returned > 5 * KILLS


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
    transfer = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendTransaction",
                "params": [{"from": sender, "to": receiver, "value": "0x1", "gas": "0x5208", "gasPrice": hex(20 * GWEI)}]}
    for _ in range(20):
        hashes = [answer["result"] for answer in json.loads(node.post([transfer] * 200))]
        assert None not in asked(node, "eth_getTransactionByHash", hashes)
