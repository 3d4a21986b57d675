"""What several registrars sign: who they are, an actor's standing, a key for an account that was lost. On a real node."""
import datetime
import itertools
import json
import re

import pytest

from gateways import Gateway
from machine import Consortium, Node, Refused, cli, wait_for

names = itertools.count()


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Two registrars who do not change, threshold 2; each test lists an actor of its own."""
    made = Consortium(tmp_path_factory.mktemp("registrars"))
    yield made
    assert made.node.stop() == 0


@pytest.fixture
def changing(tmp_path):
    """Registrars of one test's own."""
    made = Consortium(tmp_path / "consortium")
    yield made
    assert made.node.stop() == 0


def new_actor(c, roles="hospital"):
    name = f"actor-{next(names)}"
    c.actor(name, roles)
    return name


def standing(c, name, *what, by="registrar-1"):
    path = c.folder / f"standing-{next(names)}.json"
    return path, c.run(by, "actor", "standing", "--address", c.accounts[name], "--out", path, *what)


def change(c, members, *more, by="registrar-1"):
    path = c.folder / f"set-{next(names)}.json"
    to = ",".join(c.accounts[name] for name in members)
    return path, c.run(by, "registrars", "change", "--to", to, "--out", path, *more)


def refused(c, name, *arguments):
    with pytest.raises(Refused) as caught:
        c.run(name, *arguments)
    return caught.value


def status(c, name):
    return c.run("registrar-1", "actor", "show", "--address", c.accounts[name])["status"]


def test_two_of_two_registrars_suspend_reactivate_and_withdraw_an_actor(listed):
    name = new_actor(listed)
    for wanted in ("suspended", "active", "withdrawn"):
        path, report = standing(listed, name, "--status", wanted, "--reason", "the licence")
        assert (report["registrarsSigned"], report["registrarsNeeded"]) == (1, 2)
        assert listed.run("registrar-2", "registrars", "sign", path)["registrarsSigned"] == 2
        listed.run("registrar-1", "registrars", "send", path)
        assert status(listed, name) == wanted
    back = refused(listed, "registrar-1", "actor", "standing", "--address", listed.accounts[name], "--status", "active",
                   "--out", listed.folder / "never.json")
    assert back.code == 3 and "final" in back.report["error"]


def test_a_sender_who_is_a_registrar_signs_by_sending(listed):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--status", "suspended")
    assert listed.run("registrar-2", "registrars", "send", path)["registrarsSigned"] == 2
    assert status(listed, name) == "suspended"


def test_an_actor_may_be_allowed_more_emergencies_and_keeps_its_status(listed):
    name = new_actor(listed, "hospital,emergency")
    path, report = standing(listed, name, "--emergencies-a-day", 40)
    assert (report["status"], report["emergenciesADay"]) == ("active", 40)
    listed.run("registrar-2", "registrars", "send", path)
    _, later = standing(listed, name, "--status", "suspended")
    assert later["emergenciesADay"] == 40


def test_one_registrar_of_two_is_too_few(listed):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--status", "suspended")
    few = refused(listed, name, "registrars", "send", path)
    assert few.code == 3 and "2 registrars have to sign, and 1 have" in few.report["error"]
    again = refused(listed, "registrar-1", "registrars", "send", path)  # its signature counts once
    assert again.code == 3 and status(listed, name) == "active"


def test_who_is_no_registrar_signs_nothing_and_spoils_nothing(listed):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--status", "suspended")
    stranger = refused(listed, name, "registrars", "sign", path)
    assert stranger.code == 3 and "no registrar" in stranger.report["error"]
    statement = json.loads(path.read_text())
    for forged in ("0x" + "11" * 64 + "1b", statement["signatures"][0][:-4] + "001b"):
        path.write_text(json.dumps({**statement, "signatures": [forged]}))
        assert refused(listed, "registrar-2", "registrars", "sign", path).code in (2, 3)
    path.write_text(json.dumps({**statement, "statement": {**statement["statement"], "status": 3}}))
    changed = refused(listed, "registrar-2", "registrars", "send", path)  # a signature of another statement
    assert changed.code == 3 and "signed something else" in changed.report["error"]
    assert status(listed, name) == "active"


def test_a_later_standing_voids_the_earlier_and_none_serves_twice(listed):
    name = new_actor(listed)
    held_back, _ = standing(listed, name, "--status", "withdrawn")
    listed.run("registrar-2", "registrars", "sign", held_back)
    later, _ = standing(listed, name, "--status", "suspended")
    listed.run("registrar-2", "registrars", "send", later)
    for path in (held_back, later):
        for command in ("sign", "send"):
            stale = refused(listed, "registrar-1", "registrars", command, path)
            assert stale.code == 3 and "the chain holds number 1" in stale.report["error"]
    assert status(listed, name) == "suspended"


@pytest.mark.parametrize("member, value, why", [("number", 2**64 - 1, "the chain holds number 0"), ("number", 2, "number 0"),
                                                ("deadline", 2**64 - 1, "longer than a week")])
def test_what_would_outlast_later_statements_is_signed_by_nobody(listed, member, value, why):
    """A number far ahead would leave the actor's standing as it is for good."""
    name = new_actor(listed)
    path, _ = standing(listed, name, "--emergencies-a-day", 20)
    made = json.loads(path.read_text())
    path.write_text(json.dumps({**made, "statement": {**made["statement"], member: value}, "signatures": []}))
    for command in (["sign"], ["sign", "--look"], ["send"]):
        far = refused(listed, "registrar-2", "registrars", *command, path)
        assert far.code == 3 and why in far.report["error"]
    assert json.loads(path.read_text())["signatures"] == []


@pytest.mark.parametrize("change", [{"chainId": 5}, {"directory": "0x" + "22" * 20}, {"type": "xinglin-action"},
                                    {"v": 2}, {"v": "1"}, {"v": None}, {"kind": "entry"}, {"statement": {}}, {"signatures": "0x"}])
def test_a_file_that_is_no_statement_of_this_directory_is_told(listed, change):
    name = new_actor(listed)
    path, _ = standing(listed, name, "--emergencies-a-day", 20)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    bad = refused(listed, "registrar-2", "registrars", "sign", path)
    assert bad.code == (1 if change.get("v") == 2 else 2) and len(bad.report["error"]) > 20


def test_registrars_change_with_the_old_ones_and_the_newcomer(changing):
    c = changing
    hospital = new_actor(c)
    c.new_home("registrar-3")
    path, report = change(c, ["registrar-1", "registrar-3"], "--threshold", 2)
    assert (report["set"], report["newcomersNeeded"], report["newcomersSigned"]) == (1, 1, 0)
    missing = refused(c, "registrar-2", "registrars", "send", path)
    assert missing.code == 3 and "each new registrar has to sign" in missing.report["error"]
    c.run("registrar-3", "registrars", "sign", path)
    assert c.run("registrar-2", "registrars", "sign", path)["registrarsSigned"] == 2
    rival, _ = change(c, ["registrar-1", "registrar-2", "registrar-3"])
    c.run("registrar-1", "registrars", "send", path)
    shown = c.run(hospital, "registrars", "show")
    assert shown["set"] == 1 and set(shown["registrars"]) == {c.accounts["registrar-1"], c.accounts["registrar-3"]}
    for again in (path, rival):
        stale = refused(c, "registrar-1", "registrars", "send", again)
        assert stale.code == 3 and "the chain holds set 1" in stale.report["error"]
    late, _ = standing(c, hospital, "--status", "suspended")
    assert refused(c, "registrar-2", "registrars", "sign", late).code == 3  # it is none any more
    c.run("registrar-3", "registrars", "send", late)
    assert status(c, hospital) == "suspended"


def test_after_a_theft_only_affirmed_entries_count(changing):
    c = changing
    kept, lost = new_actor(c), new_actor(c)
    c.new_home("registrar-3")
    path, report = change(c, ["registrar-1", "registrar-3"], "--theft", "--affirm", c.accounts[kept])
    assert report["theft"] is True and report["affirmed"] == [c.accounts[kept]]
    c.run("registrar-3", "registrars", "sign", path)
    c.run("registrar-2", "registrars", "send", path)
    assert status(c, kept) == "active"
    fallen = refused(c, "registrar-1", "actor", "show", "--address", c.accounts[lost])
    assert fallen.code == 3 and "stolen" in fallen.report["error"]


@pytest.mark.parametrize("more", [["--threshold", 1], ["--threshold", 3], ["--affirm", "0x" + "11" * 20]])
def test_a_set_that_makes_no_sense_is_told(listed, more):
    to = f"{listed.accounts['registrar-1']},{listed.accounts['registrar-2']}"
    bad = refused(listed, "registrar-1", "registrars", "change", "--to", to, "--out", listed.folder / "bad.json", *more)
    assert bad.code == 2 and len(bad.report["error"]) > 20


def test_a_directory_that_would_fail_is_not_sent_and_the_chain_stays_open(tmp_path):
    """The deployer's first contract decides who is admitted: a failed one would use up its address."""
    home = tmp_path / "deployer"
    account = cli("wallet", "new", "--home", home, "--light-kdf")["account"]
    cli("init", "--data", tmp_path / "node", "--deployer", account, "--listed-only")
    node = Node(tmp_path / "node", "node")
    try:
        deploy = ("deploy", "--home", home, "--rpc", node.url, "--out", tmp_path / "d.json")
        with pytest.raises(Refused) as caught:
            cli(*deploy, "--registrars", f"{account},{account}", "--threshold", 2)  # one registrar, named twice
        assert caught.value.code == 3 and "nothing was sent" in caught.value.report["error"]
        assert int(node.rpc("eth_getTransactionCount", account, "pending"), 16) == 0
        cli(*deploy, "--registrars", account)
    finally:
        assert node.stop() == 0


# --- a new key in place of one that is lost ---


def ask_key(c, home, *more):
    path = c.folder / f"key-{next(names)}.json"
    return path, c.run(home, "actor", "ask-key", "--out", path, *more)


def shown(c, watcher, name):
    return c.run(watcher, "actor", "show", "--address", c.accounts[name])


def test_the_account_and_registrars_give_a_key_that_is_in_force_at_once(listed):
    c, name = listed, new_actor(listed)
    path, report = ask_key(c, name)
    assert (report["keyVersion"], report["accountSigned"], report["registrarsSigned"]) == (2, True, 0)
    assert c.run("registrar-1", "registrars", "sign", path)["registrarsSigned"] == 1
    c.run("registrar-2", "registrars", "send", path)
    found = shown(c, "registrar-1", name)
    assert (found["keyVersion"], found["keyByRegistrarsAlone"]) == (2, False)
    assert found["encryptionKey"] == report["encryptionKey"]
    at = c.rpc("eth_getBlockByNumber", "latest", False)["timestamp"]
    assert datetime.datetime.fromisoformat(found["keyInForceFrom"]).timestamp() <= int(at, 16)
    late, _ = ask_key(c, name)
    c.run(name, "actor", "publish-key")
    stale = refused(c, "registrar-1", "registrars", "sign", late)
    assert stale.code == 3 and "the chain holds key 3" in stale.report["error"]


def test_a_key_of_registrars_alone_is_told_and_its_account_replaces_it(listed):
    """Somebody says that an account is lost: everybody sees who gave the key, and its owner has 48 hours."""
    c = listed
    name, watcher, other = new_actor(c, "professional"), f"watcher-{next(names)}", f"other-{next(names)}"
    c.new_home(watcher)
    c.new_home(other)
    assert shown(c, watcher, name)["keyByRegistrarsAlone"] is False
    path, report = ask_key(c, other, "--address", c.accounts[name])
    assert report["accountSigned"] is False and report["actor"] == c.accounts[name]
    c.run("registrar-1", "registrars", "sign", path)
    few = refused(c, other, "registrars", "send", path)
    assert few.code == 3 and "2 registrars have to sign, and 1 have" in few.report["error"]
    c.run("registrar-2", "registrars", "send", path)
    found = shown(c, watcher, name)
    assert (found["keyVersion"], found["keyChanged"], found["keyByRegistrarsAlone"]) == (2, True, True)
    assert found["encryptionKey"] == report["encryptionKey"]
    c.run(watcher, "folder", "open", "--label", "general", "--out", c.folder / f"{watcher}.json")
    c.run(new_actor(c), "relay", c.folder / f"{watcher}.json")
    folder = c.run(watcher, "folder", "list")["folders"][0]["folder"]
    warned = refused(c, watcher, "share", "--folder", folder, "--with", c.accounts[name], "--purpose", "TREAT", "--days", 1,
                     "--out", c.folder / "share.json")
    assert warned.code == 3 and "registrars alone gave this key, on 20" in warned.report["error"]
    c.run(name, "actor", "publish-key")
    replaced = shown(c, watcher, name)
    assert (replaced["keyVersion"], replaced["keyByRegistrarsAlone"]) == (3, False)
    assert shown(c, name, name)["encryptionKey"] == replaced["encryptionKey"]


@pytest.mark.parametrize("member, value, why", [
    ("possession", "0x" + "11" * 64, "in the hands of its owner"), ("version", 3, "the chain holds key 1"),
    ("previous", "0x" + "22" * 32, "the chain holds key 1"), ("keyX", "0x" + "01" * 32, "in the hands of its owner"),
    ("deadline", 2**64 - 1, "longer than a week")])
def test_a_key_that_nobody_is_proved_to_hold_is_signed_by_nobody(listed, member, value, why):
    name, other = new_actor(listed), f"other-{next(names)}"
    listed.new_home(other)
    path, _ = ask_key(listed, other, "--address", listed.accounts[name])
    made = json.loads(path.read_text())
    where = made if member in made else made["statement"]
    where[member] = value
    path.write_text(json.dumps(made))
    for command in (["sign"], ["sign", "--look"], ["send"]):
        false = refused(listed, "registrar-1", "registrars", *command, path)
        assert false.code == 3 and why in false.report["error"], false
    assert shown(listed, "registrar-1", name)["keyVersion"] == 1


def test_only_an_active_actor_gets_a_new_key_and_strangers_sign_none(listed):
    name, other = new_actor(listed), new_actor(listed)
    path, _ = ask_key(listed, name)
    stranger = refused(listed, other, "registrars", "sign", path)
    assert stranger.code == 3 and "not the actor itself" in stranger.report["error"]
    suspended, _ = standing(listed, name, "--status", "suspended")
    listed.run("registrar-2", "registrars", "send", suspended)
    for home, command in ((name, ("actor", "ask-key", "--out", listed.folder / "never.json")),
                          ("registrar-1", ("registrars", "sign", path))):
        late = refused(listed, home, *command)
        assert late.code == 3 and "not active" in late.report["error"], late


def test_a_gateway_tells_its_owner_that_somebody_gave_its_account_another_key(listed):
    """Whoever has lost nothing has 48 hours, and hears of it unasked."""
    name, other = new_actor(listed), f"other-{next(names)}"
    listed.new_home(other)
    path, _ = ask_key(listed, other, "--address", listed.accounts[name])
    listed.run("registrar-1", "registrars", "sign", path)
    listed.run("registrar-2", "registrars", "send", path)
    said = r"ERROR.*the newest key of this account is not of this home, version 2; registrars alone gave this key"
    gateway = Gateway(listed.home(name))
    try:
        wait_for(lambda: re.search(said, gateway.log.read_text(), re.I), seconds=60)
    finally:
        gateway.end()
    listed.run(name, "actor", "publish-key")
    gateway.log.unlink()
    gateway.start()
    try:
        gateway.wait_ready()
    finally:
        gateway.end()
    assert not re.search(said, gateway.log.read_text(), re.I)


# --- a key that was stolen ---


class Stolen:
    """A folder whose newest key one reader and one trustee hold."""

    def __init__(self, c):
        self.c = c
        self.reader, self.trustee, self.er = new_actor(c), new_actor(c, "trustee"), new_actor(c, "hospital,emergency")
        self.patient = f"patient-{next(names)}"
        c.new_home(self.patient)
        self.folder = self.signed("folder", "open", "--label", "general", "--glass-minutes", 60, "--trustee",
                                  c.accounts[self.trustee])["folder"]
        self.share()

    def signed(self, *arguments):
        path = self.c.folder / f"signed-{next(names)}.json"
        report = self.c.run(self.patient, *arguments, "--out", path)
        self.c.run(self.er, "relay", path)
        return report

    def share(self, *more):
        return self.signed("share", "--folder", self.folder, "--with", self.c.accounts[self.reader], "--purpose",
                           "TREAT", "--days", 5, *more)

    def owes(self):
        return self.c.run(self.patient, "folder", "show", self.folder)["owes"]


@pytest.fixture
def stolen(listed):
    return Stolen(listed)


def test_a_folder_that_is_wrapped_to_a_stolen_key_owes_a_rotation(stolen):
    c, reader, trustee = stolen.c, stolen.reader, stolen.trustee
    assert stolen.owes() == []
    c.run(reader, "actor", "publish-key")  # in calm: nothing is owed
    assert stolen.owes() == []
    c.run(reader, "actor", "publish-key", "--stolen")
    c.run(trustee, "actor", "publish-key", "--stolen")
    wanted = [{"why": "key-stolen", "who": c.accounts[name]} for name in (trustee, reader)]
    assert stolen.owes() == wanted
    kept = stolen.signed("folder", "rotate", stolen.folder)
    assert {left["account"] for left in kept["leftOut"]} == {c.accounts[reader], c.accounts[trustee]}
    assert stolen.owes() == []


def test_registrars_alone_report_a_theft_and_no_program_uses_the_key_from_then_on(stolen):
    c, er = stolen.c, stolen.er
    other = f"other-{next(names)}"
    c.new_home(other)
    path, _ = ask_key(c, other, "--address", c.accounts[er], "--stolen")
    c.run("registrar-1", "registrars", "sign", path)
    c.run("registrar-2", "registrars", "send", path)
    c.run(er, "break-glass", "--folder", stolen.folder, "--reason", "asleep")
    with pytest.raises(Refused) as caught:
        c.run(stolen.trustee, "trustee", "serve", "--once")
    assert caught.value.report["released"] == 0 and caught.value.report["failed"] == 1
    assert "told stolen" in caught.value.stderr
