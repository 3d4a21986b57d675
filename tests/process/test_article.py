"""The client that articles print (an account, one ether with data and 200,000 gas, signed, sent raw), in both
spellings of web3.py, at
http://localhost:8545 as they print it."""
import importlib.util
import json
import socket
import subprocess
import sys

import pytest

from machine import DEV_KEYS, ROOT

OLD_PYTHON = ROOT / ".venv-web3-5/bin/python"
ETHER = 10**18


def python_of(spelling):
    if spelling == "new":
        if importlib.util.find_spec("web3") is None:
            pytest.skip("the Python packages are not installed: PyPI could not be reached")
        return sys.executable
    if not (ROOT / ".venv-web3-5/requirements.txt").exists():
        pytest.skip("web3.py 5 is not installed: PyPI could not be reached, or has no wheels for this Python")
    return OLD_PYTHON


@pytest.mark.parametrize("spelling, version", [("old", "5."), ("new", "8.")])
def test_article(start_node, spelling, version):
    python = python_of(spelling)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8545))
        except OSError:
            pytest.skip("port 8545 is taken")
    node = start_node(port=8545)
    done = subprocess.run(
        [python, "-W", "ignore", ROOT / f"tests/peers/article_{spelling}.py", "http://localhost:8545", DEV_KEYS[0]],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["version"].startswith(version) and reported["status"] == 1 and reported["block"] == 2
    assert (reported["gas"], reported["value"], reported["left"]) == (200000, ETHER, 2 * ETHER - reported["paid"])
    sent = node.rpc("eth_getTransactionByHash", reported["hash"])
    assert bytes.fromhex(sent["input"][2:]).decode() == "杏林"


def test_web3_5_beyond_the_article(dev):
    """Contracts, events, filters, proofs, fees, the pool and a WebSocket in the spelling of then."""
    python = python_of("old")
    notebook = pytest.importorskip(
        "notebook", reason="the Python packages are not installed: PyPI could not be reached"
    )
    book = {"abi": notebook.ABI, "creation": "0x" + notebook.CREATION.hex()}
    done = subprocess.run(
        [python, "-W", "ignore", ROOT / "tests/peers/web3_5_chain.py", dev.url],
        input=json.dumps(book),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stdout == "ok\n", done.stderr
