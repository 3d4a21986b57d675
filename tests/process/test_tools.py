"""Foundry's tools and viem, unmodified, against a development chain."""
import json
import os
import subprocess

import pytest
from eth_utils import to_checksum_address

import mpt
import notebook
from machine import DEV_KEYS, ROOT, rpc

FORGE = ROOT / "contracts/node_modules/@foundry-rs/forge-linux-amd64/bin/forge"
CAST = ROOT / "tests/node/node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
VIEM = ROOT / "tests/node/node_modules/viem"

COUNTER = """// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Counter {
    event Counted(address indexed who, uint256 value);
    error TooMany(uint256 value);
    uint256 public value;
    constructor(uint256 first) { value = first; }
    function add(uint256 more) external {
        if (more > 100) revert TooMany(more);
        value += more;
        emit Counted(msg.sender, value);
    }
}
"""
SCRIPT = """// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {Counter} from "../src/Counter.sol";
interface Vm { function startBroadcast() external; function stopBroadcast() external; }
contract Deploy {
    Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public IS_SCRIPT = true;
    function run() external {
        vm.startBroadcast();
        Counter counter = new Counter(40);
        counter.add(2);
        vm.stopBroadcast();
    }
}
"""
FORK_TEST = """// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {Counter} from "../src/Counter.sol";
contract ForkTest {
    function test_what_is_deployed() external {
        Counter counter = Counter(COUNTER);
        require(counter.value() == 7, "value");
        counter.add(3);
        require(counter.value() == 10, "added");
        require(address(RICH).balance > 1 ether && block.chainid == 31337, "chain");
    }
}
"""


def run(*command, cwd=None, fails=False):
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "FOUNDRY_DISABLE_NIGHTLY_WARNING": "1"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=240
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout if not fails else done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    if not FORGE.exists() or not (ROOT / "contracts/node_modules/solc").exists():
        pytest.skip("npm ci was not run in contracts")
    folder = tmp_path_factory.mktemp("project")
    files = {
        "src/Counter.sol": COUNTER,
        "script/Deploy.s.sol": SCRIPT,
        "foundry.toml": "[profile.default]\noffline = true\n"
        f'solc = "{ROOT}/contracts/solc.mjs"\nevm_version = "cancun"\nlibs = []\nauto_detect_remappings = false\n',
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def create(dev, project, first):
    out = run(
        FORGE,
        "create",
        "src/Counter.sol:Counter",
        "--rpc-url",
        dev.url,
        "--private-key",
        DEV_KEYS[3],
        "--broadcast",
        "--json",
        "--constructor-args",
        first,
        cwd=project,
    )
    return json.loads(out[out.index("{"):])["deployedTo"]


def test_forge_create(dev, project):
    address = create(dev, project, 5)
    assert int(rpc(dev.url, "eth_getStorageAt", address, "0x0"), 16) == 5


def test_forge_script_broadcast(dev, project):
    run(
        FORGE,
        "script",
        "script/Deploy.s.sol:Deploy",
        "--rpc-url",
        dev.url,
        "--private-key",
        DEV_KEYS[3],
        "--broadcast",
        cwd=project,
    )
    receipts = json.loads((project / "broadcast/Deploy.s.sol/31337/run-latest.json").read_text())["receipts"]
    assert [int(receipt["status"], 16) for receipt in receipts] == [1, 1]
    assert int(rpc(dev.url, "eth_getStorageAt", receipts[0]["contractAddress"], "0x0"), 16) == 42


def test_forge_test_on_a_fork(dev, project):
    address = create(dev, project, 7)
    rich = rpc(dev.url, "eth_accounts")[0]
    (project / "test").mkdir(exist_ok=True)
    checked = to_checksum_address(address), to_checksum_address(rich)
    (project / "test/Fork.t.sol").write_text(FORK_TEST.replace("COUNTER", checked[0]).replace("RICH", checked[1]))
    assert "1 passed" in run(FORGE, "test", "--fork-url", dev.url, cwd=project)
    assert int(rpc(dev.url, "eth_getStorageAt", address, "0x0"), 16) == 7


def assert_cast_looks_inside(cast, dev, project, address, sent):
    """Blocks, the pool, overrides and proofs through cast's own commands; `sent` is the newest block's only transaction."""
    block, hash = json.loads(cast("block", "--json")), sent["transactionHash"]
    assert block["hash"] == sent["blockHash"] and block["transactions"] == [hash]
    assert json.loads(cast("block", "pending", "--json"))["number"] == hex(int(block["number"], 16) + 1)
    assert json.loads(cast("receipt", hash, "--json"))["logs"] == sent["logs"]
    assert cast("keccak", cast("tx", hash, "--raw"), offline=True) == hash
    assert json.loads(cast("tx-pool", "status"))["pending"] == "0x0"
    proof = json.loads(cast("proof", address, "0", "--block", block["hash"]))
    nodes = lambda texts: [bytes.fromhex(text[2:]) for text in texts]
    account = mpt.account(
        bytes.fromhex(block["stateRoot"][2:]), bytes.fromhex(address[2:]), nodes(proof["accountProof"])
    )
    assert mpt.slot(account[2], 0, nodes(proof["storageProof"][0]["proof"])) == 9
    assert "Counted" in cast("run", hash, "--with-local-artifacts") or "emit" in cast("run", hash)
    traced = cast("call", address, "add(uint256)", "1", "--trace")
    assert "emit" in traced or "SSTORE" in traced or "storage changes" in traced
    assert cast("call", address, "value()(uint256)", "--override-state-diff", f"{address}:0x0:0x2a") == "42"
    assert cast("call", address, "value()(uint256)", "--block", "pending") == "9"
    history = json.loads(cast("rpc", "eth_feeHistory", "0x1", "latest", "[50]"))
    assert history["baseFeePerGas"][0] == block["baseFeePerGas"]
    simulated = {"blockStateCalls": [{"calls": [{"to": address, "data": cast("sig", "value()", offline=True)}]}]}
    assert (
        int(json.loads(cast("rpc", "eth_simulateV1", json.dumps(simulated), "latest"))[0]["calls"][0]["returnData"], 16)
        == 9
    )
    traces = json.loads(cast("rpc", "debug_traceBlockByHash", block["hash"], '{"tracer":"prestateTracer"}'))
    assert traces[0]["txHash"] == hash and address.lower() in traces[0]["result"]


def test_cast(dev, project):
    if not CAST.exists():
        pytest.skip("npm ci was not run in tests/node")

    def cast(*command, offline=False, **more):
        return run(CAST, *command, *([] if offline else ["--rpc-url", dev.url]), cwd=project, **more).strip()

    assert cast("chain-id") == "31337"
    address = create(dev, project, 1)
    sent = json.loads(cast("send", address, "add(uint256)", "8", "--private-key", DEV_KEYS[4], "--json"))
    assert sent["status"] == "0x1" and len(sent["logs"]) == 1
    assert cast("call", address, "value()(uint256)") == "9"
    too_many = cast("sig", "TooMany(uint256)", offline=True)
    assert too_many + f"{101:064x}" in cast("call", address, "add(uint256)", "101", fails=True)
    assert int(cast("estimate", address, "add(uint256)", "1")) > 21000
    assert cast("storage", address, "0").endswith("09")
    assert cast("nonce", rpc(dev.url, "eth_accounts")[4]) == "1"
    assert sent["transactionHash"] in cast("logs", "--from-block", "0", "Counted(address indexed,uint256)")
    assert "successfully executed" in cast("run", sent["transactionHash"], "--quick").lower()
    assert (
        json.loads(cast("rpc", "debug_traceTransaction", sent["transactionHash"], '{"tracer":"callTracer"}'))["type"]
        == "CALL"
    )
    assert json.loads(cast("proof", address, "0"))["storageProof"][0]["value"] == "0x9"
    assert json.loads(cast("access-list", address, "add(uint256)", "1", "--json"))["accessList"]
    assert_cast_looks_inside(cast, dev, project, address, sent)
    cast("rpc", "anvil_setBalance", address, "0x64")
    assert cast("balance", address) == "100"


def viem(script, *arguments, stdin=None):
    if not VIEM.exists():
        pytest.skip("npm ci was not run in tests/node")
    done = subprocess.run(
        ["node", ROOT / "tests/peers" / script, *arguments], input=stdin, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_viem(dev):
    book = {"abi": notebook.ABI, "creation": "0x" + notebook.CREATION.hex()}
    answers = viem("viem_chain.mjs", dev.url, stdin=json.dumps(book))
    assert len(answers) == 12 and set(answers.values()) == {"ok"}, answers


@pytest.mark.parametrize("mode, count", [("anvil", 30), ("hardhat", 28)])
def test_every_action_of_viems_test_client(start_node, mode, count):
    answers = viem("viem_dev.mjs", start_node().url, mode)
    refused = {name for name in answers if answers[name] == "refused"}
    assert refused == {"dumpState", "loadState", "setMinGasPrice", "setRpcUrl"}, answers
    assert [answers[name] for name in answers if name not in refused] == ["ok"] * (count - 4), answers
