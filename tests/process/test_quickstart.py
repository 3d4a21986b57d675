"""examples/web3_quickstart.py, run as a reader would run it."""
import re
import subprocess
import sys

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from machine import ROOT

EXAMPLE = ROOT / "examples" / "web3_quickstart.py"


def run(*arguments):
    return subprocess.run([sys.executable, EXAMPLE, *arguments], capture_output=True, text=True, timeout=60)


def test_sends_and_reads_back(dev):
    done = run("--url", dev.url, "--text", "杏林: eight bytes? no")
    assert done.returncode == 0, done.stderr
    assert 'data        "杏林: eight bytes? no"' in done.stdout
    assert "now has 1 ether" in done.stdout
    sent = re.search(r"sent +(0x[0-9a-f]{64})", done.stdout)[1]
    receipt = dev.rpc("eth_getTransactionReceipt", sent)
    assert receipt["status"] == "0x1" and int(receipt["blockNumber"], 16) == 2
    tx = dev.rpc("eth_getTransactionByHash", sent)
    assert tx["value"] == hex(10**18) and tx["gas"] == hex(200000)
    assert bytes.fromhex(tx["input"][2:]).decode() == "杏林: eight bytes? no"


def test_without_a_node_it_says_what_to_do():
    done = run("--url", "http://127.0.0.1:9")
    assert done.returncode != 0 and "xinglin dev" in done.stderr
