"""`xinglin db backup` and `db restore`: beside load, through kill -9, of a node alone and of a member; a flipped bit is
found, in the backup and in each table of a database."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading

import pytest
from eth_account import Account

from consortia import FUNDED, running
from machine import DEV_CHAIN_ID, DEV_KEYS, Refused, binary, cli, wait_for
from members import comet_program

GWEI = 10**9


def transfer(key, nonce):
    tx = {"nonce": nonce, "gas": 21000, "chainId": DEV_CHAIN_ID, "maxFeePerGas": 20 * GWEI, "maxPriorityFeePerGas": GWEI,
          "to": (2**100 + nonce).to_bytes(20, "big"), "value": 7}
    return "0x" + Account.from_key(key).sign_transaction(tx).raw_transaction.hex().removeprefix("0x")


def fill(node, count, key=DEV_KEYS[0], first=0):
    for nonce in range(first, first + count):
        node.receipt(node.rpc("eth_sendRawTransaction", transfer(key, nonce)))


def block(node, number):
    return node.rpc("eth_getBlockByNumber", hex(number), False)


class Load:
    """Sends transfers of one account until it is ended."""

    def __init__(self, node):
        self.node, self.is_over, self.sent = node, False, 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over:
            self.node.rpc("eth_sendRawTransaction", transfer(DEV_KEYS[1], self.sent))
            self.sent += 1

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.sent > 3, 60)
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()


def leftovers(data):
    return [path.name for path in data.iterdir() if path.name.startswith("backup-")]


def test_a_backup_beside_load_is_a_whole_chain_at_another_place(start_node, tmp_path):
    node = start_node()
    fill(node, 5)
    with Load(node) as load:
        made = cli("db", "backup", "--data", node.data, "--out", tmp_path / "backup", "--keys", "--light-kdf")
        sent = load.sent
        wait_for(lambda: load.sent > sent, 60)  # nobody had to wait for it
    assert block(node, made["head"])["hash"] == made["headHash"] and made["head"] >= 5
    assert leftovers(node.data) == []
    (tmp_path / "else").mkdir()
    restored = cli("db", "restore", tmp_path / "backup", "--data", tmp_path / "else" / "where")
    assert (restored["head"], restored["headHash"]) == (made["head"], made["headHash"])
    assert restored["blocks"] == made["head"] + 1 and restored["keys"]
    assert (tmp_path / "else" / "where" / "node.key").stat().st_mode & 0o777 == 0o600
    head = node.head()
    assert node.stop() == 0
    again = start_node(tmp_path / "else" / "where")
    assert again.head() >= made["head"] and block(again, made["head"])["hash"] == made["headHash"]
    fill(again, 1, DEV_KEYS[2])
    assert head >= made["head"]


def test_a_stopped_node_has_a_backup_too_and_keys_are_not_in_it_unasked(start_node, tmp_path):
    node = start_node()
    fill(node, 3)
    assert node.stop() == 0
    made = cli("db", "backup", "--data", node.data, "--out", tmp_path / "backup")
    assert not made["keys"] and not (tmp_path / "backup" / "keys.sealed").exists()
    secret = (node.data / "node.key").read_text().strip().encode()
    for path in (tmp_path / "backup").rglob("*"):
        assert path.is_dir() or secret not in path.read_bytes(), path
    cli("db", "restore", tmp_path / "backup", "--data", tmp_path / "restored")
    assert not (tmp_path / "restored" / "node.key").exists()
    shutil.copy(node.data / "node.key", tmp_path / "restored" / "node.key")
    assert start_node(tmp_path / "restored").head() >= 3


def test_what_is_there_is_not_written_over(start_node, tmp_path):
    node = start_node()
    (tmp_path / "there").mkdir()
    for command in (["backup", "--data", node.data, "--out", tmp_path / "there"],
                    ["restore", tmp_path / "x", "--data", tmp_path / "there"]):
        with pytest.raises(Refused, match="there already"):
            cli("db", *command)
    for command, code in ((["backup", "--data", tmp_path / "no", "--out", tmp_path / "out"], 4),
                          (["restore", tmp_path / "no", "--data", tmp_path / "out"], 4)):
        with pytest.raises(Refused) as refused:
            cli("db", *command)
        assert refused.value.code == code and not (tmp_path / "out").exists()


@pytest.fixture
def backup(start_node, tmp_path):
    node = start_node()
    fill(node, 12)
    made = cli("db", "backup", "--data", node.data, "--out", tmp_path / "backup", "--keys", "--light-kdf")
    assert node.stop() == 0
    made["folder"], made["origin"] = tmp_path / "backup", node.data
    return made


def refuse(backup, tmp_path, *options, env=None):
    """Nothing is there afterwards."""
    with pytest.raises(Refused) as refused:
        cli("db", "restore", backup["folder"], "--data", tmp_path / "restored", *options, env=env)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("restored")]
    return str(refused.value)


def test_a_flipped_bit_in_any_file_is_refused_and_named(backup, tmp_path):
    files = [entry["name"] for entry in json.loads((backup["folder"] / "backup.json").read_text())["files"]]
    assert "chaindata/CURRENT" in files and len(files) == backup["files"]
    for name in files:
        path = backup["folder"] / "data" / name
        whole = path.read_bytes()
        if not whole:
            continue
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert f"file {name} is not what was written" in refuse(backup, tmp_path)
        path.write_bytes(whole)
    path.unlink()
    assert f"has no file {name}" in refuse(backup, tmp_path)


def test_a_forged_list_does_not_make_a_chain(backup, tmp_path):
    """Whoever can write the backup can write its list too. The content proves itself."""
    path = backup["folder"] / "backup.json"
    listed = json.loads(path.read_text())
    forgeries = [{**listed, "headHash": "0x" + "11" * 32}, {**listed, "format": 1}, {**listed, "format": 3},
                 {**listed, "head": "x"}, {**listed, "keys": 1}, {**listed, "files": [7]}, {**listed, "files": []}]
    forgeries += [{**listed, "files": [{**listed["files"][0], "name": name}]}
                  for name in ("../outside", "/etc/passwd", "a/../../b", "", "a//b", "a/", "a\nb", "x" * 600)]
    for forged in forgeries:
        path.write_text(json.dumps(forged))
        refuse(backup, tmp_path)
    for text in ("", "{", "[]", "{}" * 2):
        path.write_text(text)
        refuse(backup, tmp_path)
    assert not (tmp_path / "outside").exists()


def test_a_key_in_the_open_list_is_refused(backup, tmp_path):
    """Whoever can write the backup would else choose the node's key."""
    path = backup["folder"] / "backup.json"
    listed = json.loads(path.read_text())
    for name in ("node.key", "comet/config/priv_validator_key.json", "comet/config/node_key.json", "seal/1.share"):
        content = b"11" * 32
        place = backup["folder"] / "data" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        entry = {"name": name, "bytes": len(content), "sha256": "0x" + hashlib.sha256(content).hexdigest()}
        path.write_text(json.dumps({**listed, "files": listed["files"] + [entry]}))
        assert "is not one of a backup" in refuse(backup, tmp_path, "--without-keys")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()])
def test_what_is_no_file_is_not_restored(backup, tmp_path, make):
    """A pipe would keep the restore waiting, and a device would fill the disk."""
    name = json.loads((backup["folder"] / "backup.json").read_text())["files"][0]["name"]
    path = backup["folder"] / "data" / name
    path.unlink()
    make(path)
    refuse(backup, tmp_path)


def test_a_link_to_a_folder_of_devices_does_not_fill_the_disk(backup, tmp_path):
    path = backup["folder"] / "backup.json"
    listed = json.loads(path.read_text())
    (backup["folder"] / "data" / "far").symlink_to("/dev")
    path.write_text(json.dumps({**listed, "files": [{**listed["files"][0], "name": "far/zero"}]}))
    assert "not a regular file" in refuse(backup, tmp_path)


def test_the_keys_open_with_their_password_alone(backup, tmp_path):
    assert "password" in refuse(backup, tmp_path, env={"XINGLIN_PASSWORD": "wrong"})
    sealed = backup["folder"] / "keys.sealed"
    whole = sealed.read_bytes()
    sealed.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    refuse(backup, tmp_path)
    sealed.write_bytes(whole)
    report = cli("db", "restore", backup["folder"], "--data", tmp_path / "restored", "--without-keys")
    assert not report["keys"] and not (tmp_path / "restored" / "node.key").exists()


def test_a_killed_backup_leaves_nothing_that_counts(start_node, tmp_path):
    node = start_node()
    fill(node, 5)
    for _ in range(3):
        process = subprocess.Popen([binary(), "db", "backup", "--data", node.data, "--out", tmp_path / "backup"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: leftovers(node.data) or process.poll() is not None, 60, 0.001)
        process.kill()
        if process.wait() == 0:  # it was done already
            shutil.rmtree(tmp_path / "backup")
        assert not (tmp_path / "backup").exists()
    fill(node, 1, first=5)
    cli("db", "backup", "--data", node.data, "--out", tmp_path / "backup")
    assert cli("db", "restore", tmp_path / "backup", "--data", tmp_path / "restored")["head"] >= 6


def test_a_node_that_is_killed_in_the_middle_starts_and_is_backed_up_later(start_node, tmp_path):
    node = start_node()
    fill(node, 5)
    (node.data / "backup-wanted").write_text("")
    wait_for(lambda: not (node.data / "backup-wanted").exists() or leftovers(node.data) != ["backup-wanted"], 60, 0.001)
    node.kill()
    node = start_node(node.data)
    made = cli("db", "backup", "--data", node.data, "--out", tmp_path / "backup")
    assert made["head"] >= 5 and leftovers(node.data) == []


def family(table):
    """The table of a RocksDB file, from its properties."""
    found = re.search(rb"rocksdb\.column\.family\.name.{0,4}?([a-z_]+?)rocksdb", table.read_bytes(), re.S)
    return found[1].decode() if found else None


def test_a_flipped_bit_is_found_in_each_table(backup, tmp_path):
    """Among the rows, which stand first in a file."""
    data = backup["origin"]
    tables = {}
    for path in sorted((data / "chaindata").glob("*.sst")):
        tables.setdefault(family(path) or path.name, path)
    assert len(tables) >= 12, tables
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    for table, path in tables.items():
        damaged = copy / "chaindata" / path.name
        content = bytearray(path.read_bytes())
        content[4] ^= 0x10
        damaged.write_bytes(content)
        with pytest.raises(Refused) as reported:
            cli("db", "verify", "--data", copy)
        assert reported.value.code == 1, table
        damaged.write_bytes(path.read_bytes())
    cli("db", "verify", "--data", copy)


def send_some(members, account):
    """In blocks at all members."""
    first = members[0].nonce(account)
    sent = [members[0].send(account, first + i) for i in range(5)]
    for one in sent:
        assert all(member.receipt(one)["status"] == "0x1" for member in members)


def test_a_members_backup_is_made_while_it_runs_and_signs_nothing_twice(tmp_path):
    comet_program()
    with running(tmp_path / "n", 4, together=True) as members:
        member, asked = members[3], members[0]
        send_some(members, FUNDED[0])
        made = cli("db", "backup", "--data", member.folder, "--out", tmp_path / "backup", "--keys", "--light-kdf",
                   timeout=300)
        names = {entry["name"] for entry in json.loads((tmp_path / "backup" / "backup.json").read_text())["files"]}
        assert "comet/data/priv_validator_state.json" in names and "comet/config/config.toml" in names
        assert not [name for name in names
                    if name.endswith(("priv_validator_key.json", "node_key.json", "node.key", ".share"))]
        assert "seal/1.statement" in names
        share = (member.folder / "seal" / "1.share").read_bytes()
        assert not any(share[1:] in path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file())
        send_some(members, FUNDED[1])
        member.end()
        moved = tmp_path / "moved"
        cli("db", "restore", tmp_path / "backup", "--data", moved, timeout=300)
        for name in ("1.share", "1.statement"):
            assert (moved / "seal" / name).read_bytes() == (member.folder / "seal" / name).read_bytes()
        assert (moved / "seal" / "1.share").stat().st_mode & 0o777 == 0o600
        conf = (moved / "xinglin.conf").read_text()
        settings = [line for line in conf.splitlines() if not line.startswith("#")]
        assert f"data = {moved}" in settings and f"comet-home = {moved}/comet" in settings
        member.folder, member.log = moved, moved / "node.log"
        member.start_both()
        wait_for(lambda: "signs nothing until it has caught up" in member.log.read_text(), 60)
        wait_for(lambda: re.search(r"signs above height (\d+)", member.log.read_text()), 120)
        newest = asked.number()
        wait_for(lambda: member.number() >= newest, 120)
        assert newest > made["head"]
        send_some(members, FUNDED[2])
        assert not any("signed two things" in one.log.read_text() for one in members)


def test_a_member_from_a_backup_without_its_keys_state_signs_nothing(tmp_path):
    """The list was cut short: what the key signed last is not in it."""
    comet_program()
    with running(tmp_path / "n", 4, together=True) as members:
        send_some(members, FUNDED[0])
        cli("db", "backup", "--data", members[3].folder, "--out", tmp_path / "backup", "--keys", "--light-kdf",
            timeout=300)
    path = tmp_path / "backup" / "backup.json"
    listed = json.loads(path.read_text())
    listed["files"] = [entry for entry in listed["files"] if entry["name"] != "comet/data/priv_validator_state.json"]
    path.write_text(json.dumps(listed))
    cli("db", "restore", tmp_path / "backup", "--data", tmp_path / "moved", timeout=300)
    state = json.loads((tmp_path / "moved" / "comet" / "data" / "priv_validator_state.json").read_text())
    assert int(state["height"]) > 2**60
