"""Clients of other languages and older ones, unmodified, against a development chain and against a chain of its own
that `xinglin node` seals. Each is a program that is given the node's URL and, on its standard input, the notebook
contract, and answers with scenario to "ok" or why not."""
import json
import os
import pathlib
import re
import subprocess

import eth_account
import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import notebook
from machine import DEV_KEYS, ROOT, Node, cli

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
# What such a chain does not serve: `xinglin node` holds no accounts, and seals what is sent and nothing else.
DEV_ONLY = {
    "impersonated": "anvil's helpers are a development chain's",
    "inspected": "it stops the sealing, and the node holds no account that could send",
    "anchor": "snapshots are a development chain's",
    "throughTheNode": "the node holds no account that could sign",
    "typedData": "the node holds no account that could sign",
    "typed_data": "the node holds no account that could sign",
}
RICH = eth_account.Account.from_key(DEV_KEYS[1])  # whom the programs send from
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


def needs(name):
    if not PROGRAMS[name][1].exists():
        pytest.skip(f"{name} is not there: its registry could not be reached, its compiler is not installed, "
                    "or `make peers` did not run")


def new_chain(folder, kind):
    """A chain on which RICH is rich: "dev", or "node" with blocks of equal timestamps and no base fee."""
    if kind == "node":
        cli("init", "--data", folder, "--deployer", RICH.address, "--chain-id", 31337)
        genesis = json.loads((folder / "genesis.json").read_text())
        genesis["alloc"][RICH.address] = {"balance": hex(10**22)}
        (folder / "genesis.json").write_text(json.dumps(genesis))
    return Node(folder, kind)


@pytest.fixture(scope="module", params=["dev", "node"])
def answers(request, tmp_path_factory):
    """answers(name): what a program says about its scenarios; each runs once a kind of chain."""
    node = new_chain(tmp_path_factory.mktemp("chain") / "data", request.param)
    book = {"abi": notebook.ABI, "creation": "0x" + notebook.CREATION.hex(),
            "error": "0x" + notebook.ERROR_WORDS.hex(), "accounts": 10 if request.param == "dev" else 0,
            "leastTip": 1 if request.param == "dev" else 0}
    kept = {}

    def ask(name):
        source, needed, command = PROGRAMS[name]
        needs(name)
        if name not in kept:
            last = [source] if source.suffix in (".mjs", ".py") else [] if command else [needed]
            done = subprocess.run([*command, *last, node.url], input=json.dumps(book), capture_output=True, text=True,
                                  timeout=240)
            assert done.returncode == 0, done.stderr
            kept[name] = json.loads(done.stdout.splitlines()[-1])
        return kept[name]

    ask.kind = request.param
    yield ask
    assert node.stop() == 0, node.log.read_text()


@pytest.mark.parametrize("name, scenario", scenarios())
def test_scenario(answers, name, scenario):
    if answers.kind == "node" and scenario in DEV_ONLY:
        pytest.skip(f"on a chain of its own: {DEV_ONLY[scenario]}")
    assert answers(name)[scenario] == "ok", answers(name)[scenario]


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_scenarios_ran(answers, name):
    assert sorted(answers(name)) == sorted(found for owner, found in scenarios() if owner == name)


# --- a node that is restarted while clients have filters and subscriptions ---

RESTARTED = {
    "ethclient": lambda url: [BUILT / "ethclient/program", url, "restarted"],
    "web3.js": lambda url: ["node", PEERS / "web3js_restart.mjs", url],
}


def make_block(node, kind):
    if kind == "dev":
        return node.rpc("evm_mine")
    tx = {"nonce": int(node.rpc("eth_getTransactionCount", RICH.address), 16), "to": RICH.address, "gas": 21000,
          "chainId": 31337, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    raw = "0x" + bytes(RICH.sign_transaction(tx).raw_transaction).hex()
    return node.receipt(node.rpc("eth_sendRawTransaction", raw))


@pytest.mark.parametrize("kind", ["dev", "node"])
@pytest.mark.parametrize("name", RESTARTED)
def test_a_client_is_told_that_its_filters_and_subscriptions_went(tmp_path, name, kind):
    needs(name)
    node = new_chain(tmp_path / "data", kind)
    program = subprocess.Popen(RESTARTED[name](node.url), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout.readline() == "ready\n"
        assert node.stop() == 0
        node = Node(node.data, kind, port=node.port)
        others = [node.rpc("eth_newBlockFilter") for _ in range(20)]  # another client's
        program.stdin.write("\n")
        program.stdin.flush()
        assert program.stdout.readline() == "listening\n", program.stdout.read()
        make_block(node, kind)
        assert json.loads(program.stdout.readline()) == {"filters": "ok", "subscriptions": "ok"}
        head = node.rpc("eth_getBlockByNumber", "latest", False)["hash"]
        assert all(node.rpc("eth_getFilterChanges", other) == [head] for other in others)
        assert program.wait(20) == 0
    finally:
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()
        node.kill()
