"""`xinglin db repair`: a database with changed bytes is made again of its blocks, the same to the last receipt, or
nothing is changed and the lost block is named; also if it is killed in the middle."""
import os
import random
import shutil
import signal
import subprocess

import pytest

from machine import Node, Refused, binary, cli, wait_for
from test_db import fill

BLOCKS = 12


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A stopped node's folder, its receipts by transaction, its head's hash."""
    node = Node(tmp_path_factory.mktemp("repair") / "node")
    fill(node, BLOCKS)
    blocks = [node.rpc("eth_getBlockByNumber", hex(number), False) for number in range(node.head() + 1)]
    receipts = {tx: node.rpc("eth_getTransactionReceipt", tx) for block in blocks for tx in block["transactions"]}
    assert node.stop() == 0 and len(receipts) == BLOCKS
    return node.data, receipts, blocks[-1]["hash"]


def flip(file, at):
    content = bytearray(file.read_bytes())
    content[at] ^= 0x10
    file.write_bytes(content)


def is_damaged(data):
    try:
        cli("db", "verify", "--data", data, "--blocks", 10**6)
        return False
    except Refused as refused:
        assert refused.code == 1
        return True


def assert_same(data, good):
    _, receipts, head = good
    assert cli("db", "verify", "--data", data, "--blocks", 10**6)["transactions"] == BLOCKS
    node = Node(data)
    try:
        assert node.rpc("eth_getBlockByNumber", "latest", False)["hash"] == head
        assert {tx: node.rpc("eth_getTransactionReceipt", tx) for tx in receipts} == receipts
    finally:
        assert node.stop() == 0


def tables(data):
    return sorted((data / "chaindata").glob("*.sst"))


def repair(data, *options):
    return cli("db", "repair", "--data", data, *options)


def test_a_good_database_is_left_as_it_is(good, tmp_path):
    data = shutil.copytree(good[0], tmp_path / "node")
    report = repair(data)
    assert "damaged" not in report and "damagedBlob" not in report
    assert not (data / "chaindata.damaged").exists()


def test_changed_bytes_are_mended_or_the_lost_block_is_named(good, tmp_path):
    """A byte near the start of each table's file, where its rows are, and one anywhere, from a seed."""
    chance, mended = random.Random(83), 0
    for file in tables(good[0]):
        size = file.stat().st_size
        for at in (1, chance.randrange(size)):
            data = shutil.copytree(good[0], tmp_path / "node")
            flip(data / "chaindata" / file.name, at)
            damaged = is_damaged(data)
            try:
                report = repair(data)
                assert report.get("repaired", False) == (data / "chaindata.damaged").exists()
                assert report.get("repaired", False) or not damaged
                mended += report.get("repaired", False)
                if damaged:
                    assert_same(data, good)
            except Refused as refused:
                assert damaged and refused.code == 1 and "Nothing was changed" in str(refused)
                assert not (data / "chaindata.damaged").exists() and not (data / "chaindata.repairing").exists()
            shutil.rmtree(data)
    assert mended >= 8  # of twenty tables, at least state, receipts and indexes


def damaged_copy(good, to):
    """With a damage that can be mended."""
    for file in tables(good[0]):
        data = shutil.copytree(good[0], to)
        flip(data / "chaindata" / file.name, 1)
        try:
            if "damaged" in repair(data, "--dry-run"):
                return data
        except Refused:
            pass
        shutil.rmtree(data)
    raise AssertionError("nothing can be mended")


def test_a_dry_run_puts_nothing_in_place(good, tmp_path):
    data = damaged_copy(good, tmp_path / "node")
    assert is_damaged(data)
    assert not (data / "chaindata.damaged").exists() and not (data / "chaindata.repairing").exists()
    assert repair(data)["repaired"]
    with pytest.raises(Refused, match="what an earlier repair found"):
        repair(data)
    shutil.rmtree(data / "chaindata.damaged")
    assert "damaged" not in repair(data)
    assert_same(data, good)


def test_a_repair_that_is_killed_is_made_again(good, tmp_path):
    """As soon as its folder is there, and a little later each time; the last one is let be."""
    data = damaged_copy(good, tmp_path / "node")
    for files in range(0, 12, 2):
        process = subprocess.Popen([binary(), "db", "repair", "--data", data], stdout=subprocess.DEVNULL)
        fresh = data / "chaindata.repairing"
        wait_for(lambda: process.poll() is not None or (fresh.exists() and len(os.listdir(fresh)) >= files), 60, 0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert (data / "chaindata").exists()
        shutil.rmtree(data / "chaindata.damaged", ignore_errors=True)
    assert "damaged" not in repair(data) or not is_damaged(data)
    assert_same(data, good)


def test_a_running_node_is_not_repaired(start_node):
    node = start_node()
    before = node.head()
    with pytest.raises(Refused, match="another xinglin uses this folder"):
        repair(node.data)
    assert node.head() == before


def test_what_holds_no_chain_is_no_damage(tmp_path):
    with pytest.raises(Refused) as refused:
        repair(tmp_path / "nothing")
    assert refused.value.code == 4
    assert not (tmp_path / "nothing").exists()


def test_a_lost_table_of_contents_is_said_with_the_way_out(good, tmp_path):
    data = shutil.copytree(good[0], tmp_path / "node")
    for manifest in (data / "chaindata").glob("MANIFEST-*"):
        manifest.write_bytes(manifest.read_bytes()[:20])
    with pytest.raises(Refused, match="Restore a backup"):
        repair(data)
    assert not (data / "chaindata.damaged").exists() and not (data / "chaindata.repairing").exists()
