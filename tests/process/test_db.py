"""`xinglin db verify`: a good database is good, and one with a changed byte is reported by exit code 1 and in words."""
import shutil

import pytest
from eth_account import Account

from machine import DEV_CHAIN_ID, DEV_KEYS, Refused, cli

GWEI = 10**9


def fill(node, count):
    account = Account.from_key(DEV_KEYS[0])
    for nonce in range(count):
        tx = {
            "nonce": nonce,
            "gas": 21000,
            "chainId": DEV_CHAIN_ID,
            "maxFeePerGas": 20 * GWEI,
            "maxPriorityFeePerGas": GWEI,
            "to": (2**100 + nonce).to_bytes(20, "big"),
            "value": 7,
        }
        tx_hash = node.rpc(
            "eth_sendRawTransaction", "0x" + account.sign_transaction(tx).raw_transaction.hex().removeprefix("0x")
        )
        node.receipt(tx_hash)
    return node.head()


def test_db_verify(start_node, tmp_path):
    node = start_node()
    head = fill(node, 12)
    with pytest.raises(Refused) as busy:
        cli("db", "verify", "--data", node.data)
    assert busy.value.code == 1  # a node runs on it
    assert node.stop() == 0
    report = cli("db", "verify", "--data", node.data)
    assert report["head"] == head and report["blocks"] == head + 1
    assert report["transactions"] == 12 and report["accounts"] > 20
    assert cli("db", "verify", "--data", node.data, "--blocks", 3)["blocks"] == 3
    with pytest.raises(Refused) as absent:
        cli("db", "verify", "--data", tmp_path / "nothing")
    assert absent.value.code == 4
    assert not (tmp_path / "nothing").exists()


def test_a_changed_byte_is_told(start_node, tmp_path):
    node = start_node()
    fill(node, 12)
    assert node.stop() == 0
    tables = sorted((node.data / "chaindata").glob("*.sst"), key=lambda path: path.stat().st_size)[-5:]
    assert len(tables) == 5
    for number, table in enumerate(tables):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(node.data, copy)
        damaged = copy / "chaindata" / table.name
        content = bytearray(damaged.read_bytes())
        content[len(content) // 8] ^= 0x10  # among the rows, which stand first
        damaged.write_bytes(content)
        with pytest.raises(Refused) as reported:
            cli("db", "verify", "--data", copy)
        assert reported.value.code == 1, reported.value
        assert reported.value.report["error"]
