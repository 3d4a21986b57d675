"""A consortium by the command line: its folders, and who is a member of it, by votes, over real CometBFTs."""
import base64
import hashlib
import json
import shutil
import stat
import subprocess

import pytest

from machine import Refused, cli, wait_for
from members import change, comet_program, init, newcomer, running


def shown(key):
    """A validator's key, as CometBFT spells it."""
    return base64.b64encode(bytes.fromhex(key[2:])).decode()


def connected(members, gone):
    """Each has first members as its peers, and not the one that left; and no CometBFT was started anew for that."""
    for member in members:
        wait_for(lambda: len(member.peers()) >= 2 and gone.node[2:] not in member.peers(), 90)
        assert member.log.read_text().count("CometBFT is started") == 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("c") / "grove"
    return folder, init(folder, 4)


def test_each_member_has_a_folder_whose_files_are_its_own(made):
    folder, report = made
    assert [one["config"] for one in report["members"]] == [str(folder / f"member{i}/xinglin.conf") for i in range(1, 5)]
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    for name in ("genesis.json", "comet/config/genesis.json"):
        assert len({(folder / f"member{i}" / name).read_bytes() for i in range(1, 5)}) == 1
    ports = {one["peer"].split(":")[1] for one in report["members"]}
    ports |= {one["rpc"].split(":")[2] for one in report["members"]}
    assert len(ports) == 8
    for i in range(1, 5):
        assert cli("config", "check", folder / f"member{i}/xinglin.conf")["problems"] == []


def test_no_secret_is_reported_or_shared(made):
    folder, report = made
    told = json.dumps(report) + "".join(path.read_text() for path in (folder / "network").iterdir())
    for i in range(1, 5):
        member = folder / f"member{i}"
        assert (member / "node.key").read_text().strip() not in told
        for name in ("node_key", "priv_validator_key"):
            secret = base64.b64decode(json.loads((member / f"comet/config/{name}.json").read_text())["priv_key"]["value"])
            assert base64.b64encode(secret).decode() not in told
            assert secret[:32].hex() not in told


def test_the_genesis_lays_the_members_into_the_contract(made):
    folder, report = made
    genesis = json.loads((folder / "network/genesis.json").read_text())
    assert "sealer" not in genesis["config"]["xinglin"]
    slots = genesis["alloc"][genesis["config"]["xinglin"]["members"]]["storage"]
    assert len(slots) == 1 + 2 + 3 * 4 and int(slots["0x" + "0" * 64], 16) == 4
    statement = (folder / "member1/seal/1.statement").read_bytes()
    assert slots[f"0x{4:064x}"] == "0x" + hashlib.sha256(statement).hexdigest() and int(slots[f"0x{5:064x}"], 16) == 1
    values = set(slots.values())
    for one in report["members"]:
        assert one["key"] in values
        assert "0x" + "0" * 24 + one["node"][2:] in values
        assert f"0x{10:024x}{one['account'][2:].lower()}" in values
    comet = json.loads((folder / "network/comet-genesis.json").read_text())
    assert comet["chain_id"] == "xinglin-" + report["genesis"][2:42]
    assert comet["app_hash"] == report["genesis"][2:].upper()
    assert [v["pub_key"]["value"] for v in comet["validators"]] == [shown(one["key"]) for one in report["members"]]


def test_cometbft_reads_the_keys_as_they_were_reported(made):
    folder, report = made
    for i, one in enumerate(report["members"], 1):
        said = [subprocess.run([comet_program(), command, "--home", folder / f"member{i}/comet"], check=True,
                               capture_output=True, text=True).stdout.strip()
                for command in ("show-node-id", "show-validator")]
        assert said[0] == one["node"][2:] and json.loads(said[1])["value"] == shown(one["key"])


def test_a_folder_that_is_there_is_left_alone(made):
    folder, _ = made
    with pytest.raises(Refused, match="is there already"):
        init(folder, 4)
    with pytest.raises(Refused, match="File exists"):
        cli("consortium", "member", "new", "--network", folder / "network", "--out", folder / "member1", "--light-kdf")


@pytest.mark.parametrize("options, why", [
    (("--members", 0), "1 to 64"), (("--members", 65), "1 to 64"), (("--host", "a,b"), "2 hosts for 4 members"),
    (("--host", "a,b,c,d,e"), "more hosts"), (("--host", 'a"b'), "--host takes"), (("--host", "a" * 254), "--host takes"),
    (("--base-port", 65530), "too large"), (("--deployer", "0x12"), "--deployer")])
def test_what_makes_no_network_is_refused(tmp_path, options, why):
    with pytest.raises(Refused, match=why):
        cli("consortium", "init", "--out", tmp_path / "grove", "--light-kdf", *options)


def test_a_path_that_is_too_long_for_a_socket_is_refused(tmp_path):
    with pytest.raises(Refused, match="at most 107 bytes"):
        init(tmp_path / ("x" * 100), 1)


def test_members_on_machines_of_their_own_have_the_usual_ports(tmp_path):
    report = init(tmp_path / "grove", 2, "--host", "a.example,b.example")
    assert [one["peer"] for one in report["members"]] == ["a.example:26656", "b.example:26656"]
    config = (tmp_path / "grove/member1/comet/config/config.toml").read_text()
    assert 'laddr = "tcp://0.0.0.0:26656"' in config and "@b.example:26656" in config


def test_ports_are_counted_from_the_one_that_is_named(tmp_path):
    report = init(tmp_path / "grove", 2, "--base-port", 4000)
    assert [(one["peer"], one["rpc"]) for one in report["members"]] == [
        ("127.0.0.1:4000", "http://127.0.0.1:4001"), ("127.0.0.1:4002", "http://127.0.0.1:4003")]


def test_members_join_are_replaced_and_leave_by_votes(tmp_path):
    with running(tmp_path / "n", 4) as members:
        fifth = newcomer(tmp_path / "n", "member5")
        change(members, "--joins", fifth.account, "--key", fifth.key, "--node", fifth.node)
        members.append(fifth.start())
        wait_for(lambda: fifth.is_at(members[0].head()), 60)
        wait_for(lambda: all(shown(fifth.key) in member.validators() for member in members), 60)

        sixth = newcomer(tmp_path / "n", "member6")
        change(members, "--leaves", members[1].account, "--joins", sixth.account, "--key", sixth.key, "--node",
               sixth.node)
        members.append(sixth.start())
        gone = members[1]
        staying = [member for member in members if member is not gone]
        wait_for(lambda: sixth.is_at(members[0].head()), 60)
        connected(staying, gone)
        wait_for(lambda: shown(gone.key) not in sixth.validators() and shown(sixth.key) in sixth.validators(), 60)

        change(staying, "--leaves", fifth.account)
        rest = [member for member in staying if member is not fifth]
        connected(rest, fifth)
        listed = wait_for(lambda: rest[-1].run("consortium", "member", "list"))["members"]
        assert {one["account"] for one in listed} == {member.account for member in rest}
        with pytest.raises(Refused, match="not a member"):
            gone.run("consortium", "member", "vote", "--proposer", members[0].account, "--number", 1, node=rest[0])


def test_a_stranger_is_no_peer_and_has_no_vote(tmp_path):
    with running(tmp_path / "n", 4) as members:
        stranger = newcomer(tmp_path / "n", "stranger")
        made = members[0].run("consortium", "member", "propose", "--joins", stranger.account, "--key", stranger.key,
                              "--node", stranger.node)
        members.append(stranger.start())
        wait_for(lambda: stranger.head() and "Stopping peer" in stranger.log.read_text() or
                 "Error dialing peer" in stranger.log.read_text(), 60)
        for member in members[:4]:
            assert stranger.node[2:] not in member.peers()
        assert stranger.head()["number"] == "0x0"
        with pytest.raises(Refused, match="not a member"):
            stranger.run("consortium", "member", "vote", "--proposer", members[0].account, "--number", 1,
                         node=members[0])
        assert made["votes"] == 1 and made["number"] == 1


def test_a_change_that_leaves_no_sound_list_is_refused_with_what_to_do(tmp_path):
    with running(tmp_path / "n", 1) as (member,):
        other = newcomer(tmp_path / "n", "other")
        joins = ("--joins", other.account, "--key", other.key, "--node", other.node)
        for wrong in (("--leaves", member.account), (*joins, "--power", 0), (*joins[:2], "--key", member.key, *joins[4:])):
            with pytest.raises(Refused, match="malformed"):
                member.run("consortium", "member", "propose", *wrong)
        with pytest.raises(Refused, match="--leaves, --joins or both"):
            member.run("consortium", "member", "propose")
        with pytest.raises(Refused, match="--number is needed"):
            member.run("consortium", "member", "vote", "--proposer", member.account)
        listed = member.run("consortium", "member", "list")["members"]
        assert [(one["account"], one["power"], one["key"]) for one in listed] == [(member.account, 10, member.key)]


def test_a_member_that_lost_its_data_gets_it_again_from_the_others(tmp_path):
    with running(tmp_path / "n", 4) as members:
        lost = members[3]
        members[0].run("consortium", "member", "propose", "--leaves", lost.account)
        wait_for(lambda: lost.is_at(members[0].head()), 60)
        lost.end()
        blocks = lost.folder / "comet/data/blockstore.db"
        shutil.rmtree(blocks)
        lost.start()
        assert lost.process.wait(30) != 0
        assert "CometBFT's data was lost" in lost.log.read_text()
        shutil.rmtree(lost.folder / "chaindata")
        for path in (lost.folder / "comet/data").iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        members[1].run("consortium", "member", "propose", "--leaves", members[2].account)
        lost.start()
        wait_for(lambda: lost.is_at(members[0].head()), 60)
