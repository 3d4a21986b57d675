"""`xinglin import` and `export`: chains that other clients made, to their heads; what is invalid is refused; a node runs on the result."""
import json
import os
import pathlib

import pytest

from machine import ROOT, Node, Refused, cli

TESTS = pathlib.Path(os.environ.get("DATA") or ROOT.parent / "shared/data").resolve() / "ethereum"
pytestmark = pytest.mark.skipif(not TESTS.is_dir(), reason="the official chains are not here")
BESU, RPC = TESTS / "chains-besu", TESTS / "rpc"
OSAKA = RPC / "osaka-bpo2-2026"
OSAKA_HEAD = "0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7"
CHAINS = {
    "osaka": (OSAKA / "genesis.json", OSAKA / "chain.rlp", 54, OSAKA_HEAD),
    "cancun": (RPC / "cancun-2023/genesis.json", RPC / "cancun-2023/chain.rlp", 9, None),
    "london": (BESU / "london-5/testLondonGenesis.json", BESU / "london-5/testLondonBlockchain.blocks", 5, None),
    "snap": (BESU / "snap-500/snapGenesis.json", BESU / "snap-500/testBlockchain.blocks", 500, None),
    "upgraded": (BESU / "forks-10/genesis-upgraded.json", BESU / "forks-10/fork-upgraded.blocks", 10, None),
    "mainnet": (BESU / "mainnet-first-1000/mainnet-genesis.json", BESU / "mainnet-first-1000/1000.blocks", 999, None),
}


def items(content):
    """The RLP items of a file, one after another."""
    at = 0
    while at < len(content):
        first = content[at]
        assert first >= 0xc0
        size = first - 0xf7 if first > 0xf7 else 0
        length = int.from_bytes(content[at + 1:at + 1 + size], "big") if size else first - 0xc0
        yield content[at:at + 1 + size + length]
        at += 1 + size + length


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_to_its_head(name, tmp_path):
    genesis, blocks, head, head_hash = CHAINS[name]
    data = tmp_path / "data"
    report = cli("import", "--data", data, "--genesis", genesis, blocks)
    assert report["imported"] == report["head"] == head and report["keptAside"] == 0
    assert head_hash in (None, report["headHash"])
    again = cli("import", "--data", data, blocks)
    assert again["imported"] == 0 and again["known"] >= head and again["headHash"] == report["headHash"]
    assert cli("db", "verify", "--data", data, "--blocks", 10000)["blocks"] == head + 1
    given = blocks.read_bytes()
    has_genesis = len(list(items(given))) == head + 1
    assert cli("export", "--data", data, "--from", 0 if has_genesis else 1, tmp_path / "out.rlp")["to"] == head
    assert (tmp_path / "out.rlp").read_bytes() == given


def test_the_branch_without_the_fix(tmp_path):
    """Besu's forks-10: one branch is valid with EIP-1283 after block 6, the other without; neither is under the other's genesis."""
    folder = BESU / "forks-10"
    genesis = json.loads((folder / "genesis-outdated.json").read_text())
    genesis["config"]["petersburgBlock"] = 1000000  # in geth's format its absence would mean: with Constantinople
    (tmp_path / "genesis.json").write_text(json.dumps(genesis))
    outdated = cli("import", "--data", tmp_path / "a", "--genesis", tmp_path / "genesis.json", folder / "common.blocks",
                   folder / "fork-outdated.blocks")
    assert outdated["head"] == 10
    upgraded = cli(
        "import",
        "--data",
        tmp_path / "b",
        "--genesis",
        folder / "genesis-upgraded.json",
        folder / "common.blocks",
        folder / "fork-upgraded.blocks",
    )
    assert upgraded["head"] == 10 and upgraded["headHash"] != outdated["headHash"]
    for data, other in (("a", "fork-upgraded.blocks"), ("b", "fork-outdated.blocks")):
        before = cli("db", "verify", "--data", tmp_path / data)["stateRoot"]
        aside = cli("import", "--data", tmp_path / data, folder / other)  # as heavy as what is there: not executed
        assert aside["keptAside"] == aside["imported"] > 0 and aside["head"] == 10 and aside["branchChanges"] == 0
        assert cli("db", "verify", "--data", tmp_path / data)["stateRoot"] == before


def test_the_head_is_named(tmp_path):
    data = tmp_path / "data"
    report = cli(
        "import",
        "--data",
        data,
        "--genesis",
        OSAKA / "genesis.json",
        "--forkchoice",
        OSAKA / "headfcu.json",
        OSAKA / "chain.rlp",
    )
    assert report["headHash"] == OSAKA_HEAD
    call = json.loads((OSAKA / "headfcu.json").read_text())
    none = "0x" + "00" * 32
    call["params"][0].update(headBlockHash=report["headHash"], safeBlockHash="0x" + "11" * 32, finalizedBlockHash=none)
    (tmp_path / "fcu.json").write_text(json.dumps(call))
    with pytest.raises(Refused) as unknown:
        cli("import", "--data", data, "--forkchoice", tmp_path / "fcu.json", OSAKA / "chain.rlp")
    assert unknown.value.code == 3
    node = Node(data, "node")
    try:
        assert node.head() == 54
        parent = node.rpc("eth_getBlockByNumber", hex(40), False)["hash"]
    finally:
        assert node.stop() == 0
    call["params"][0].update(headBlockHash=parent, safeBlockHash=none)
    (tmp_path / "fcu.json").write_text(json.dumps(call))
    back = cli("import", "--data", data, "--forkchoice", tmp_path / "fcu.json", OSAKA / "chain.rlp")
    assert back["head"] == 40 and back["headHash"] == parent
    assert cli("db", "verify", "--data", data)["head"] == 40
    call["params"][0].update(headBlockHash=OSAKA_HEAD)
    (tmp_path / "fcu.json").write_text(json.dumps(call))
    assert cli("import", "--data", data, "--forkchoice", tmp_path / "fcu.json", OSAKA / "chain.rlp")["head"] == 54
    assert cli("db", "verify", "--data", data)["blocks"] == 55


def test_what_is_refused(tmp_path):
    data, part = tmp_path / "data", tmp_path / "part.rlp"
    blocks = list(items((OSAKA / "chain.rlp").read_bytes()))
    with pytest.raises(Refused) as nothing:
        cli("import", "--data", data, OSAKA / "chain.rlp")
    assert nothing.value.code == 2  # no genesis
    part.write_bytes(b"".join(blocks[:5]) + blocks[5][:-1])
    with pytest.raises(Refused) as cut:
        cli("import", "--data", data, "--genesis", OSAKA / "genesis.json", part)
    assert cut.value.code == 3 and "item 5" in cut.value.report["error"]
    part.write_bytes(b"\x80")
    with pytest.raises(Refused) as no_list:
        cli("import", "--data", data, part)
    assert no_list.value.code == 3
    part.write_bytes(blocks[7])
    with pytest.raises(Refused) as orphan:
        cli("import", "--data", data, part)
    assert orphan.value.code == 3 and "parent is unknown" in orphan.value.report["error"]
    with pytest.raises(Refused) as other:
        cli("import", "--data", data, "--genesis", RPC / "cancun-2023/genesis.json", part)
    assert other.value.code == 2
    with pytest.raises(Refused) as far:
        cli("export", "--data", data, "--to", 9, part)
    assert far.value.code == 2
    assert cli("import", "--data", data, OSAKA / "chain.rlp")["imported"] == 49  # the first five were there


def test_a_merge_that_the_genesis_does_not_name(tmp_path):
    """Besu's hive-34 ends with two blocks after a merge whose total difficulty its genesis leaves out: they are
    refused, and taken once the genesis says it."""
    genesis, blocks = BESU / "hive-34/testGenesis.json", BESU / "hive-34/testBlockchain.blocks"
    with pytest.raises(Refused) as unnamed:
        cli("import", "--data", tmp_path / "a", "--genesis", genesis, blocks)
    assert unnamed.value.code == 3 and "item 33" in unnamed.value.report["error"]
    assert cli("db", "verify", "--data", tmp_path / "a")["head"] == 32
    reported = json.loads(genesis.read_text())
    reported["config"]["terminalTotalDifficulty"] = 4357120  # of block 32
    (tmp_path / "genesis.json").write_text(json.dumps(reported))
    report = cli("import", "--data", tmp_path / "b", "--genesis", tmp_path / "genesis.json", blocks)
    assert (
        report["head"] == 34
        and report["headHash"] == "0x4859ea10d276f6df988eabd48a02e0696cfd3deb769d2a5e0e416a5f3191028a"
    )


def test_the_block_that_was_meant_to_be_bad(tmp_path):
    """cancun-2023/bad.rlp: its generator raised the header's gas used by one and then wrote the block without that (go-ethereum's
    WithSeal returns a copy). So the file is valid, and what was meant is refused."""
    folder, data = RPC / "cancun-2023", tmp_path / "data"
    cli("import", "--data", data, "--genesis", folder / "genesis.json", folder / "chain.rlp")
    written = (folder / "bad.rlp").read_bytes()
    meant = written.replace(bytes.fromhex("825208"), bytes.fromhex("825209"), 1)
    (tmp_path / "meant.rlp").write_bytes(meant)
    with pytest.raises(Refused) as bad:
        cli("import", "--data", data, tmp_path / "meant.rlp")
    assert bad.value.code == 3 and "gas used" in bad.value.report["error"]
    assert cli("import", "--data", data, folder / "bad.rlp")["head"] == 10
