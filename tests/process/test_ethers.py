"""The npm package `ethers`, unmodified, against a development chain: the scenarios of tests/peers/ethers_chain.mjs."""
import json
import re
import subprocess

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import notebook
from machine import ROOT

SCRIPT = ROOT / "tests" / "peers" / "ethers_chain.mjs"
NAMES = re.findall(r"^  async (\w+)\(\) \{$", SCRIPT.read_text(), re.M)


@pytest.fixture(scope="module")
def answers(dev):
    if not (ROOT / "tests/node/node_modules/ethers").exists():
        pytest.skip("npm ci was not run in tests/node")
    book = {"abi": notebook.ABI, "creation": "0x" + notebook.CREATION.hex(), "error": "0x" + notebook.ERROR_WORDS.hex()}
    done = subprocess.run(
        ["node", SCRIPT, dev.url], input=json.dumps(book), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_scenario(answers, name):
    assert answers[name] == "ok", answers[name]


def test_all_scenarios_ran(answers):
    assert sorted(answers) == sorted(NAMES) and len(NAMES) > 10
