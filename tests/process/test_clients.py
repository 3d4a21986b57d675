"""Clients of other languages and older ones, unmodified, against a development chain. Each is a program that is given
the node's URL
and, on its standard input, the notebook contract, and answers with scenario to "ok" or why not."""
import json
import os
import pathlib
import re
import subprocess

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import notebook
from machine import ROOT

PEERS, CLIENTS = ROOT / "tests/peers", ROOT / "tests/clients"
BUILT = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/xinglin-bench")) / "clients"
BOA = ROOT / ".venv-titanoboa"

# name: (the file that has its scenarios, what it is to have, its command)
PROGRAMS = {
    "ethers 5": (PEERS / "ethers_5_chain.mjs", ROOT / "tests/node/node_modules/ethers-5", ["node"]),
    "web3.js": (PEERS / "web3js_chain.mjs", ROOT / "tests/node/node_modules/web3", ["node"]),
    "titanoboa": (PEERS / "titanoboa_chain.py", BOA / "requirements.txt", [BOA / "bin/python"]),
    "ethclient": (CLIENTS / "ethclient/main.go", BUILT / "ethclient/program", []),
    "web3j": (
        CLIENTS / "web3j/Chain.java",
        BUILT / "web3j/Chain.class",
        ["java", "-cp", f"{BUILT}/web3j:{BUILT}/web3j/jars/*", "Chain"],
    ),
    "alloy": (CLIENTS / "alloy/src/main.rs", BUILT / "alloy/program", []),
}
SCENARIO = {
    ".mjs": r"^  async (\w+)\(\) \{$",
    ".py": r"^def (\w+)\(env\):$",
    ".go": r"^func (\w+)\(w \*world\) \{$",
    ".java": r"^    static void (\w+)\(World world\) throws Exception \{$",
    ".rs": r"^async fn (\w+)\(world: &World\) -> Answer \{$",
}


def scenarios():
    return [(name, found) for name, (source, _, _) in PROGRAMS.items() if source.exists()
            for found in re.findall(SCENARIO[source.suffix], source.read_text(), re.M)]


@pytest.fixture(scope="module")
def answers(dev):
    """answers(name): what a program says about its scenarios; each runs once."""
    book = {"abi": notebook.ABI, "creation": "0x" + notebook.CREATION.hex(), "error": "0x" + notebook.ERROR_WORDS.hex()}
    kept = {}

    def ask(name):
        source, needed, command = PROGRAMS[name]
        if not needed.exists():
            pytest.skip(
                f"{name} is not there: its registry could not be reached, its compiler is not installed, or `make peers` did not run"
            )
        if name not in kept:
            last = [source] if source.suffix in (".mjs", ".py") else [] if command else [needed]
            done = subprocess.run(
                [*command, *last, dev.url], input=json.dumps(book), capture_output=True, text=True, timeout=240
            )
            assert done.returncode == 0, done.stderr
            kept[name] = json.loads(done.stdout.splitlines()[-1])
        return kept[name]

    return ask


@pytest.mark.parametrize("name, scenario", scenarios())
def test_scenario(answers, name, scenario):
    assert answers(name)[scenario] == "ok", answers(name)[scenario]


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_scenarios_ran(answers, name):
    assert sorted(answers(name)) == sorted(found for owner, found in scenarios() if owner == name)
