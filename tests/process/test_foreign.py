"""Somebody else's chain: our node follows anvil or geth, keeps sealed content, and loses nothing when either dies."""
import os
import pathlib
import signal
import socket
import subprocess
import time

import eth_account
import pytest

from machine import ROOT, Node, Refused, RpcError, cli, rpc, wait_for
from test_demo import demo

CHAIN_ID = 31337
CHALLENGE = "0x" + "5c" * 32
RICH = eth_account.Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # anvil's first
TO = "0x" + "22" * 20


def anvil_program():
    path = ROOT / "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    if not path.exists():
        pytest.skip("npm has no anvil for this machine")
    return path


def geth_program():
    cache = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/xinglin-bench"))
    if not (cache / "bin/geth").exists():
        pytest.skip("geth is not built (make peers)")
    return cache / "bin/geth"


class Anvil:
    """A chain that is not ours. `state`: a file in which it survives."""

    def __init__(self, folder, state=None):
        self.folder, self.state = folder, state
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        state = ["--state", str(self.state)] if self.state else []
        command = [str(anvil_program()), "--port", str(self.port), "--chain-id", str(CHAIN_ID), "--gas-price", "0",
                   "--block-base-fee-per-gas", "0", "--silent", *state]
        with open(self.folder / "anvil.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self.answers)

    def answers(self):
        try:
            return rpc(self.url, "eth_blockNumber") is not None
        except OSError:
            return False

    def end(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)


@pytest.fixture
def followed(tmp_path):
    """anvil, and our node that takes the order of its transactions."""
    anvil = Anvil(tmp_path)
    cli("init", "--data", tmp_path / "node", "--deployer", RICH.address, "--chain-id", CHAIN_ID, "--for-another",
        "--fund", RICH.address)
    nodes = []

    def start():
        nodes.append(Node(tmp_path / "node", "node", "--follow", anvil.url, "--follow-order", "--poll-ms", "10"))
        return nodes[-1]

    yield anvil, start
    for node in nodes:
        node.kill()
    anvil.end(signal.SIGKILL)


def signed(nonce, value=1):
    tx = {"nonce": nonce, "to": TO, "value": value, "gas": 21000, "chainId": CHAIN_ID, "maxFeePerGas": 0,
          "maxPriorityFeePerGas": 0}
    return "0x" + bytes(RICH.sign_transaction(tx).raw_transaction).hex()


def signs(node):
    try:
        return node.rpc("xinglin_head", CHALLENGE)
    except RpcError as error:
        assert "signs nothing" in error.message
        return None


def test_a_returned_hash_survives_the_death_of_the_node_that_took_it(followed):
    anvil, start = followed
    node = start()
    hashes = [node.rpc("eth_sendRawTransaction", signed(nonce)) for nonce in range(40)]
    node.kill()
    node = start()
    numbers = [int(node.receipt(tx)["blockNumber"], 16) for tx in hashes]
    assert numbers == sorted(numbers)
    assert int(node.rpc("eth_getBalance", TO, "latest"), 16) == 40 == int(rpc(anvil.url, "eth_getBalance", TO, "latest"), 16)
    assert node.head() == int(rpc(anvil.url, "eth_blockNumber"), 16)


def test_what_others_send_to_the_other_node_is_executed_too(followed):
    anvil, start = followed
    node = start()
    theirs = rpc(anvil.url, "eth_sendRawTransaction", signed(0, 7))
    ours = node.rpc("eth_sendRawTransaction", signed(1, 8))
    assert int(node.receipt(theirs)["status"], 16) == 1 and int(node.receipt(ours)["status"], 16) == 1
    assert int(node.rpc("eth_getBalance", TO, "latest"), 16) == 15


def test_while_the_other_node_is_away_it_answers_takes_transactions_and_signs_no_new_head(followed):
    anvil, start = followed
    node = start()
    node.receipt(node.rpc("eth_sendRawTransaction", signed(0)))
    wait_for(lambda: signs(node))
    anvil.process.send_signal(signal.SIGSTOP)
    try:
        waiting = node.rpc("eth_sendRawTransaction", signed(1))
        assert node.rpc("eth_getTransactionReceipt", waiting) is None and node.head() == 1
    finally:
        anvil.process.send_signal(signal.SIGCONT)
    assert int(node.receipt(waiting)["blockNumber"], 16) == 2


def test_a_chain_that_begins_anew_is_another_branch(followed):
    anvil, start = followed
    node = start()
    for nonce in range(3):
        node.receipt(node.rpc("eth_sendRawTransaction", signed(nonce)))
    wait_for(lambda: signs(node))
    anvil.end(signal.SIGKILL)
    time.sleep(1.1)  # its first block has another second then
    anvil.start()
    wait_for(lambda: "shows another block 3" in node.log.read_text())
    assert signs(node) is None and node.head() == 3
    assert int(node.rpc("eth_getBalance", TO, "latest"), 16) == 3


def test_a_node_of_another_chain_is_not_followed(followed, tmp_path):
    anvil, _ = followed
    cli("init", "--data", tmp_path / "strange", "--deployer", RICH.address, "--chain-id", 4711, "--for-another")
    node = Node(tmp_path / "strange", "node", "--follow", anvil.url, "--follow-order")
    try:
        wait_for(lambda: "has the chain id 31337, and this chain 4711" in node.log.read_text())
        assert signs(node) is None
    finally:
        node.kill()


@pytest.mark.parametrize("program", [anvil_program, geth_program])
def test_the_main_job_runs_over_somebody_elses_chain(tmp_path, program):
    done = demo(tmp_path, "--chain", program(), "--out", "shown")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All nine steps are done" in done.stdout


def test_a_chain_that_nobody_seals_is_deployed_on_only_with_witnesses(tmp_path):
    home = cli("wallet", "new", "--home", tmp_path / "home", "--light-kdf")
    anvil = Anvil(tmp_path)
    cli("init", "--data", tmp_path / "node", "--deployer", home["account"], "--chain-id", CHAIN_ID, "--for-another")
    node = Node(tmp_path / "node", "node", "--follow", anvil.url, "--follow-order", "--poll-ms", "10")
    try:
        with pytest.raises(Refused, match="witnesses must say which is the newest"):
            cli("deploy", "--home", tmp_path / "home", "--rpc", node.url, "--registrars", home["account"],
                "--threshold", 1, "--out", tmp_path / "deployment.json")
        assert node.head() == 0
    finally:
        node.kill()
        anvil.end(signal.SIGKILL)
