"""A chain's time: an own chain keeps to the clock however many blocks come, and its blocks go where its rule is known."""
import json
import time

import eth_account
import pytest

from machine import Node, Refused, cli
from test_websocket import Raw

CHAIN_ID = 4242
BLOCKS = 80  # with a second a block, the last of them would wait for the clock
sender = eth_account.Account.from_key("0x" + "31" * 32)


def send(node, nonce):
    tx = {"nonce": nonce, "to": "0x" + "11" * 20, "value": 0, "gas": 21000, "chainId": CHAIN_ID,
          "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    return node.rpc("eth_sendRawTransaction", "0x" + bytes(sender.sign_transaction(tx).raw_transaction).hex())


def seconds_of(block):
    return int(block["timestamp"], 16)


@pytest.fixture(scope="module")
def own_chain(tmp_path_factory):
    """The folder of a chain whose client waited for each receipt; what it saw of each block."""
    data = tmp_path_factory.mktemp("own") / "node"
    cli("init", "--data", data, "--deployer", sender.address, "--chain-id", CHAIN_ID)
    node = Node(data, "node")
    seen = []
    subscriber = Raw(node.url)
    subscriber.call("eth_subscribe", "newHeads")
    for nonce in range(BLOCKS):
        block_hash = node.receipt(send(node, nonce))["blockHash"]
        now_ms = time.time_ns() // 1000000
        seen.append((node.rpc("eth_getBlockByHash", block_hash, False), node.rpc("xinglin_sealOf", block_hash), now_ms))
    reported = [subscriber.answer()["params"]["result"]["hash"] for _ in range(BLOCKS)]
    assert reported == [block["hash"] for block, _, _ in seen]
    assert node.rpc("xinglin_chainInfo")["equalTimestamps"] is True
    assert node.stop() == 0
    return data, seen


def test_blocks_never_run_ahead_of_the_clock(own_chain):
    _, seen = own_chain
    assert [int(block["number"], 16) for block, _, _ in seen] == list(range(1, BLOCKS + 1))
    times = [int(seal["timeMs"], 16) for _, seal, _ in seen]
    assert times == sorted(times)
    for (block, _, now_ms), time_ms in zip(seen, times):
        assert time_ms // 1000 == seconds_of(block) and time_ms <= now_ms


def test_such_a_chain_goes_into_another_folder(own_chain, tmp_path):
    data, seen = own_chain
    out = tmp_path / "chain.rlp"
    cli("export", "--data", data, out)
    report = cli("import", "--data", tmp_path / "copy", "--genesis", data / "genesis.json", out)
    assert report["head"] == BLOCKS and report["headHash"] == seen[-1][0]["hash"]
    for folder in (data, tmp_path / "copy"):
        assert cli("db", "verify", "--data", folder, "--blocks", BLOCKS + 1)["blocks"] == BLOCKS + 1


def test_mainnets_rules_refuse_it(own_chain, tmp_path):
    data, seen = own_chain
    out = tmp_path / "chain.rlp"
    cli("export", "--data", data, out)
    genesis = json.loads((data / "genesis.json").read_text())
    del genesis["config"]["xinglin"]["equalTimestamps"]
    (tmp_path / "genesis.json").write_text(json.dumps(genesis))
    with pytest.raises(Refused, match="not later than its parent") as caught:
        cli("import", "--data", tmp_path / "copy", "--genesis", tmp_path / "genesis.json", out)
    assert caught.value.code == 3
    # Nor does the chain itself change its rule.
    (data / "genesis.json").rename(tmp_path / "kept.json")
    (data / "genesis.json").write_text(json.dumps(genesis))
    with pytest.raises(Refused, match="equalTimestamps"):
        cli("node", "--data", data, "--http-port", 0)
    (tmp_path / "kept.json").rename(data / "genesis.json")


def test_a_development_chain_stays_a_second_apart(start_node):
    node = start_node()
    for _ in range(5):
        node.rpc("evm_mine")
    times = [seconds_of(node.rpc("eth_getBlockByNumber", hex(number), False)) for number in range(1, 6)]
    assert all(later > before for before, later in zip(times, times[1:]))
