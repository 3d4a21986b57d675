"""The outbox as processes see it: `kill -9` at any moment loses nothing that was accepted and does nothing twice; two
programs on one home use no nonce and no controller key twice. XINGLIN_KILLS sets the number of kills (4)."""
import fcntl
import json
import os
import pathlib
import random
import subprocess
import threading
import time

import pytest
from eth_account import Account

from hospitals import BUNDLE
from machine import DEV_KEYS, PASSWORD, Refused, binary, cli, in_threads, wait_for
from segments import copies

KILLS = int(os.environ.get("XINGLIN_KILLS", "4"))
SINK = "0x514b" + "00" * 18
DRIVER = pathlib.Path(binary()).resolve().parents[2] / "tests" / "crash" / "xinglin-outbox-driver"


def driver(node, journal, first, count, *more):
    return subprocess.Popen([str(DRIVER), node.url, str(journal), DEV_KEYS[0], str(first), str(count), *more],
                            stdout=subprocess.PIPE, text=True)


def numbers(output, word):
    return [
        int(line.split()[1]) for line in output.splitlines() if line.startswith(word + " ") and line.count(" ") == 1
    ]


def on_chain(node):
    """How often each intent stands in a block."""
    counts = {}
    for number in range(node.head() + 1):
        for tx in node.rpc("eth_getBlockByNumber", hex(number), True)["transactions"]:
            if tx["to"] == SINK:
                intent = int(tx["input"], 16)
                counts[intent] = counts.get(intent, 0) + 1
    return counts


@pytest.mark.skipif(not DRIVER.exists(), reason="the driver is not built")
def test_what_was_accepted_is_on_the_chain_exactly_once_after_kills(start_node, tmp_path):
    node = start_node()
    journal = tmp_path / "outbox.journal"
    accepted, offered = [], []
    for _ in range(KILLS):
        process = driver(node, journal, len(offered), 100000)
        life = threading.Timer(random.uniform(0.05, 0.6), process.kill)
        life.start()
        output, _ = process.communicate(timeout=60)
        life.join()
        accepted += numbers(output, "accepted")
        offered += numbers(output, "offered")
    process = driver(node, journal, 0, 0)
    process.communicate(timeout=90)
    assert process.returncode == 0
    counts = on_chain(node)
    assert accepted, "nothing was accepted before the kills: they come too early"
    assert [n for n in accepted if counts.get(n) != 1] == []
    assert all(count == 1 for count in counts.values())
    assert set(counts) <= set(offered)
    assert not journal.exists()


@pytest.mark.skipif(not DRIVER.exists(), reason="the driver is not built")
def test_a_node_that_is_killed_too_loses_nothing(start_node, tmp_path):
    node = start_node(tmp_path / "dying")
    journal = tmp_path / "outbox.journal"
    process = driver(node, journal, 0, 200)
    for _ in range(20):
        process.stdout.readline()
    node.kill()
    again = start_node(tmp_path / "dying", port=node.port)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    last = driver(again, journal, 0, 0)
    last.communicate(timeout=90)
    assert last.returncode == 0
    assert on_chain(again) == {n: 1 for n in range(200)}


@pytest.mark.skipif(not DRIVER.exists(), reason="the driver is not built")
def test_threads_that_wait_each_get_their_receipt(start_node, tmp_path):
    node = start_node()
    process = driver(node, tmp_path / "outbox.journal", 0, 300, "waiting")
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 0
    assert sorted(numbers(output, "done")) == list(range(300))
    assert on_chain(node) == {n: 1 for n in range(300)}


@pytest.fixture(scope="module")
def hospital(consortium):
    """A hospital that may write into a patient's folder: its home's name and the folder."""
    consortium.actor("ob-hospital", "hospital")
    consortium.new_home("ob-patient")
    path = consortium.folder / "ob.json"
    folder = consortium.run("ob-patient", "folder", "open", "--label", "general", "--out", path)["folder"]
    consortium.run("ob-hospital", "relay", path)
    consortium.run(
        "ob-patient",
        "share",
        "--folder",
        folder,
        "--with",
        consortium.accounts["ob-hospital"],
        "--rights",
        "write",
        "--days",
        5,
        "--out",
        path,
    )
    consortium.run("ob-hospital", "relay", path)
    bundle = consortium.folder / "ob-bundle.json"
    bundle.write_text(json.dumps(BUNDLE))
    return "ob-hospital", folder, bundle


def records(consortium, folder):
    return [entry["record"] for entry in consortium.run("ob-patient", "record", "list", "--folder", folder)["records"]]


def test_commands_at_once_on_one_home_wait_for_each_other(consortium, hospital):
    name, folder, bundle = hospital
    before = len(records(consortium, folder))
    added = []

    def add():
        added.append(consortium.run(name, "record", "add", bundle, "--folder", folder)["records"][0]["record"])

    in_threads([add] * 4)
    assert len(set(added)) == 4
    assert set(added) <= set(records(consortium, folder))
    assert len(records(consortium, folder)) == before + 4


def test_a_strangers_flood_of_logs_stops_nobody(consortium, hospital):
    """Each creation makes 2 MB of receipt, for nothing; whoever proves how its own ended reads all of a block's."""
    name, folder, bundle = hospital
    strangers = [Account.create() for _ in range(8)]

    def talkative(account, nonce):
        tx = {"type": 2, "nonce": nonce, "gas": 16_700_000, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "value": 0,
              "chainId": int(consortium.node.rpc("eth_chainId"), 16), "data": "0x" + "620180005fa0" * 20}
        return account.sign_transaction(tx).raw_transaction.to_0x_hex()

    floods = [[talkative(account, nonce) for account in strangers] for nonce in range(3)]

    def flood():
        for raws in floods:
            calls = [{"jsonrpc": "2.0", "id": i, "method": "eth_sendRawTransaction", "params": [raw]}
                     for i, raw in enumerate(raws)]
            assert all("result" in answer for answer in json.loads(consortium.node.post(calls)))

    def add():
        for _ in range(3):
            consortium.run(name, "record", "add", bundle, "--folder", folder)

    before = len(records(consortium, folder))
    in_threads([flood, add])
    assert len(records(consortium, folder)) == before + 3
    assert not (consortium.home(name) / "outbox.journal").exists()


def test_a_home_that_a_service_has_is_refused_with_its_pid(consortium, hospital):
    name, folder, bundle = hospital
    with open(consortium.home(name) / "lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()} service\n")
        lock.flush()
        # Reading goes on: it takes no lock.
        assert consortium.run("ob-patient", "record", "list", "--folder", folder)
        assert consortium.run(name, "wallet", "show")["account"] == consortium.accounts[name]
        with pytest.raises(Refused) as refused:
            consortium.run(name, "record", "add", bundle, "--folder", folder)
    assert refused.value.code == 1
    assert f"process {os.getpid()}" in str(refused.value)
    consortium.run(name, "record", "add", bundle, "--folder", folder)


def test_a_command_that_is_killed_loses_no_record_that_it_accepted(consortium, hospital):
    name, folder, bundle = hospital
    home = consortium.home(name)
    environment = {**os.environ, "XINGLIN_PASSWORD": PASSWORD}
    for _ in range(KILLS):
        process = subprocess.Popen(
            [binary(), "record", "add", str(bundle), "--folder", folder, "--home", str(home), "--json"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        time.sleep(random.uniform(0.0, 0.25))
        process.kill()
        process.wait()
    journal = home / "outbox.journal"
    last = consortium.run(name, "record", "add", bundle, "--folder", folder)["records"][0]["record"]
    wait_for(lambda: not journal.exists())
    listed = records(consortium, folder)
    assert last in listed and len(listed) == len(set(listed))
    # Whoever registers has the author's copy: it is written before anything is sent.
    assert set(listed) <= set(copies(home))


def test_of_three_that_make_a_wallet_at_once_one_does_and_the_others_are_refused(tmp_path):
    made, refused = [], []

    def make():
        try:
            made.append(cli("wallet", "new", "--home", tmp_path / "home", "--light-kdf")["account"])
        except Refused as failure:
            refused.append(failure.code)

    in_threads([make] * 3)
    assert refused == [3, 3]
    assert [cli("wallet", "show", "--home", tmp_path / "home")["account"]] == made


def test_folders_that_are_opened_at_once_get_keys_of_their_own(consortium):
    consortium.new_home("ob-many")
    paths = [consortium.folder / f"ob-many-{i}.json" for i in range(5)]
    in_threads(
        [lambda path=path: consortium.run("ob-many", "folder", "open", "--label", "x", "--out", path) for path in paths]
    )
    described = [json.loads(path.read_text()) for path in (consortium.home("ob-many") / "folders").glob("*.json")]
    assert sorted(folder["index"] for folder in described) == [0, 1, 2, 3, 4]


# --- backup and restore ---


def backup(consortium, name, path):
    return cli("home", "backup", path, "--home", consortium.home(name), "--light-kdf")


def test_a_backup_that_is_made_under_load_restores_a_home_that_works(consortium, hospital, tmp_path):
    name, folder, bundle = hospital
    stop = threading.Event()

    def load():
        while not stop.is_set():
            consortium.run(name, "record", "add", bundle, "--folder", folder)

    def save():
        try:
            for i in range(3):
                backup(consortium, name, tmp_path / f"{i}.backup")
        finally:
            stop.set()

    in_threads([load, save])
    for i in range(3):
        home = tmp_path / f"restored-{i}"
        report = cli("home", "restore", tmp_path / f"{i}.backup", "--home", home)
        assert report["account"] == consortium.accounts[name]
    added = cli("record", "add", bundle, "--folder", folder, "--home", tmp_path / "restored-2")["records"][0]["record"]
    listed = records(consortium, folder)
    assert added in listed and len(listed) == len(set(listed))


def test_a_restored_home_asks_the_chain_which_folders_keys_are_in_use(consortium, hospital, tmp_path):
    consortium.new_home("ob-old")
    path = tmp_path / "open.json"

    def open_folder(home):
        cli("folder", "open", "--label", "x", "--out", path, "--home", home)
        consortium.run("ob-hospital", "relay", path)

    def indexes(home):
        return sorted(json.loads(file.read_text())["index"] for file in (home / "folders").glob("*.json"))

    open_folder(consortium.home("ob-old"))
    backup(consortium, "ob-old", tmp_path / "old.backup")
    open_folder(consortium.home("ob-old"))
    open_folder(consortium.home("ob-old"))
    cli("home", "restore", tmp_path / "old.backup", "--home", tmp_path / "home")
    assert indexes(tmp_path / "home") == [0]
    open_folder(tmp_path / "home")
    open_folder(tmp_path / "home")
    new = set(indexes(tmp_path / "home")) - {0}
    assert len(new) == 2 and not new & set(indexes(consortium.home("ob-old")))


def test_no_folder_gets_the_key_of_one_that_was_recovered(consortium, hospital, tmp_path):
    consortium.new_home("ob-first")
    path, words = tmp_path / "open.json", tmp_path / "words"
    words.write_text(consortium.run("ob-first", "wallet", "phrase")["phrase"])

    def open_folder(name):
        cli("folder", "open", "--label", "x", "--out", path, "--home", consortium.home(name))
        consortium.run("ob-hospital", "relay", path)

    def indexes(name):
        files = (consortium.home(name) / "folders").glob("*.json")
        return sorted(json.loads(file.read_text())["index"] for file in files)

    for _ in range(2):
        open_folder("ob-first")
    consortium.new_home("ob-again", phrase=words)
    counts = consortium.home("ob-again") / "counts.json"
    for kept in ('{"v":2,"folders":0}', '{"v":1,"folders":0}'):  # version 1 may be behind what was recovered before
        for file in (consortium.home("ob-again") / "folders").glob("*.json"):
            if kept.startswith('{"v":2'):
                file.unlink()
        counts.write_text(kept)
        consortium.run("ob-again", "folder", "recover")
        open_folder("ob-again")
        got = indexes("ob-again")
        assert len(got) == len(set(got)) >= 3


def test_a_backup_is_restored_into_a_new_home_only_and_damage_is_told(consortium, hospital, tmp_path):
    whole = tmp_path / "whole"
    backup(consortium, "ob-patient", whole)
    content = whole.read_bytes()

    def refusal(changed, code, text, **more):
        file = tmp_path / "changed"
        file.write_bytes(changed)
        with pytest.raises(Refused) as refused:
            cli("home", "restore", file, "--home", tmp_path / "home", **more)
        assert refused.value.code == code and text in str(refused.value)
        assert not (tmp_path / "home").exists() and list(tmp_path.glob("home.*")) == []

    refusal(content, 3, "wrong password", env={"XINGLIN_PASSWORD": "another"})
    refusal(content[:-1], 1, "damaged or cut short")
    refusal(content[:40], 1, "damaged or cut short")
    refusal(content + b"x", 1, "damaged or cut short")
    refusal(b"", 2, "not a backup")
    for at in random.sample(range(8, len(content)), 6):
        refusal(content[:at] + bytes([content[at] ^ 1]) + content[at + 1:], 1, "damaged")
    with pytest.raises(Refused) as refused:
        cli("home", "restore", whole, "--home", consortium.home("ob-patient"))
    assert refused.value.code == 3 and "not empty" in str(refused.value)
    (tmp_path / "home").mkdir()
    assert cli("home", "restore", whole, "--home", tmp_path / "home")["account"] == consortium.accounts["ob-patient"]


def test_a_device_is_written_to_and_not_replaced(consortium, hospital):
    for device, fine in (("/dev/full", False), ("/dev/null", True)):
        try:
            backup(consortium, "ob-patient", device)
            assert fine
        except Refused as refused:
            assert not fine and "No space left" in str(refused)
        assert pathlib.Path(device).is_char_device()
