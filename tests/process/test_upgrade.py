"""Four members are upgraded one at a time while transactions come: another program, and a rule that begins later. No
receipt is lost; a member that stays with the old rules stops, says so, and comes back once it has them."""
import json
import pathlib
import shutil
import threading
import time

from consortia import FUNDED, running
from machine import RpcError, binary, wait_for

OLD, NEW = b"xinglin/v0.1.0", b"xinglin/v0.1.1"
CLZ = "0x60011e5000"  # an initcode of Osaka's: before it, 0x1e is no instruction, and the creation fails


def another_build(folder):
    """The program with another version in it."""
    content = pathlib.Path(binary()).read_bytes()
    assert OLD in content
    program = folder / "xinglin"
    program.write_bytes(content.replace(OLD, NEW))
    program.chmod(0o755)
    return program


def set_osaka(member, at):
    """In its genesis file: at a time, or never."""
    file = member.folder / "genesis.json"
    genesis = json.loads(file.read_text())
    genesis["config"].pop("osakaTime", None)
    if at is not None:
        genesis["config"]["osakaTime"] = at
    file.write_text(json.dumps(genesis))


class Load:
    """One account's transfers, one after another, to whichever member takes them."""

    def __init__(self, members):
        self.members, self.accepted, self.ends = members, [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ends.is_set():
            nonce = len(self.accepted)
            for member in self.members:
                try:
                    self.accepted.append(member.send(FUNDED[1], nonce))
                    break
                except (OSError, ValueError, RpcError):  # it is away, or has it from before it went
                    signed = member.sign(FUNDED[1], nonce)
                    self.accepted += self.known(signed)
                    if len(self.accepted) > nonce:
                        break
            time.sleep(0.05)

    def known(self, signed):
        """A transaction that a member took whose answer got lost."""
        name = "0x" + signed.hash.hex().removeprefix("0x")
        for member in self.members:
            try:
                if member.rpc("eth_getTransactionByHash", name):
                    return [name]
            except (OSError, ValueError, RpcError):
                continue
        return []

    def end(self):
        self.ends.set()
        self.thread.join()
        return self.accepted


def version(member):
    try:
        return member.rpc("web3_clientVersion").encode()
    except OSError:
        return b""


def decides(member):
    """Its CometBFT has what the others have, and takes part."""
    try:
        return member.comet("/status")["sync_info"]["catching_up"] is False
    except (OSError, KeyError, ValueError):
        return False


def outcome(members, nonce):
    """The same status of a creation with Osaka's instruction at all of these members."""
    sent = members[0].send(FUNDED[0], nonce, to="", value=0, data=CLZ, gas=100000)
    receipts = [member.receipt(sent, 120) for member in members]
    assert len({(one["status"], one["blockHash"]) for one in receipts}) == 1
    return receipts[0]["status"]


def upgrade(member, others, monkeypatch, program):
    """As the runbook says: stop, replace, start, wait until it has what the others have."""
    member.end()
    monkeypatch.setenv("XINGLIN", str(program))
    member.start_both()
    wait_for(lambda: NEW in version(member), 120)
    there = max(other.number() for other in others)
    wait_for(lambda: member.number() >= there, 120)


def test_members_are_upgraded_one_at_a_time_and_a_new_rule_begins_everywhere_at_its_time(tmp_path, monkeypatch):
    program = another_build(tmp_path)

    def prepare(_, members):
        for member in members:
            set_osaka(member, None)

    with running(tmp_path / "n", 4, together=True, prepare=prepare) as members:
        assert outcome(members, 0) == "0x0"
        load = Load(members)
        try:
            begins = int(time.time()) + 1  # nothing depends on it until a transaction uses the rule
            for member in members:
                assert OLD in version(member)
                set_osaka(member, begins)
                others = [other for other in members if other is not member]
                upgrade(member, others, monkeypatch, program)
        finally:
            accepted = load.end()
        assert len(accepted) > 4
        assert all(member.receipt(accepted[-1], 120) for member in members)
        for sent in accepted:
            assert len({member.receipt(sent, 120)["blockHash"] for member in members}) == 1
        assert outcome(members, 1) == "0x1"

        # One goes back to the old rules.
        late, others = members[3], members[:3]
        late.end()
        set_osaka(late, None)
        late.start_both()
        wait_for(lambda: decides(late), 120)
        assert outcome(others, 2) == "0x1"
        sent = others[0].send(FUNDED[0], 3)  # the height after it says what the others came to
        assert all(member.receipt(sent, 120)["status"] == "0x1" for member in others)
        assert late.process.wait(120) != 0
        late.process = None
        assert "this node differs from the other members" in late.log.read_text()

        # It gets the rules, and its data from the others.
        set_osaka(late, begins)
        shutil.rmtree(late.folder / "chaindata")
        for path in (late.folder / "comet" / "data").iterdir():
            if path.name not in ("priv_validator_state.json", "place"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        late.start_both()
        wait_for(late.head, 120)
        assert late.receipt(sent, 120)["blockHash"] == others[0].receipt(sent)["blockHash"]
        assert outcome(members, 4) == "0x1"


def test_rules_of_the_past_cannot_be_changed(tmp_path):
    """A genesis file that makes another block 0 is refused with words, and nothing has changed."""
    with running(tmp_path / "n", 1, together=True) as [alone]:
        head = alone.number()
        alone.end()
        file = alone.folder / "genesis.json"
        good = file.read_text()
        genesis = json.loads(good)
        genesis["timestamp"] = hex(int(genesis["timestamp"], 16) - 1)
        file.write_text(json.dumps(genesis))
        alone.start_both()
        assert alone.process.wait(60) != 0
        alone.process = None
        assert "makes another block 0" in alone.log.read_text()
        file.write_text(good)
        alone.start_both()
        wait_for(alone.head, 60)
        assert alone.number() >= head
