"""Folders that change hands, trustees and keys: on a real node, through the command line."""
import base64
import json

import pytest
from eth_abi import decode, encode
from eth_account import Account
from eth_utils import to_checksum_address

from dealing import public, rewrite_rotation, seal_link, statements_of
from machine import PASSWORD, Refused

BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "HbA1c"}}}],
}


class Ward:
    """A patient whose folders a hospital writes into, and those who help with them."""

    def __init__(self, consortium):
        self.c, self.files = consortium, 0
        for name, roles in {"fo-hospital": "hospital", "fo-clinic": "professional", "fo-delegate": "professional",
                            "fo-lab": "professional", "fo-trustee": "trustee", "fo-other": "trustee",
                            "fo-er": "hospital,emergency"}.items():
            consortium.actor(name, roles)
        for name in ("fo-parent", "fo-heir", "fo-second"):
            consortium.new_home(name)

    def path(self):
        self.files += 1
        return self.c.folder / f"fo-{self.files}.json"

    def account(self, name):
        return self.c.accounts[name]

    def relay(self, path):
        return self.c.run("fo-hospital", "relay", path)

    def signed(self, name, *arguments):
        """Written to a file by this home, relayed by the hospital."""
        path = self.path()
        report = self.c.run(name, *arguments, "--out", path)
        self.relay(path)
        return report

    def open_folder(self, *more, by="fo-parent"):
        folder = self.signed(by, "folder", "open", "--label", "general", *more)["folder"]
        self.share(folder, "fo-hospital", "--rights", "read,write", by=by)
        return folder

    def share(self, folder, name, *more, by="fo-parent", days=9):
        return self.signed(by, "share", "--folder", folder, "--with", self.account(name), "--purpose", "TREAT",
                           "--days", days, *more)

    def add(self, folder):
        path = self.path()
        path.write_text(json.dumps(BUNDLE))
        return self.c.run("fo-hospital", "record", "add", path, "--folder", folder)["records"][0]["record"]

    def read(self, name, folder, record):
        """As whoever controls it, or wrote it, or as a grantee in a window."""
        if name in ("fo-clinic", "fo-lab", "fo-delegate"):
            self.c.run(name, "access", "ask", "--folder", folder, "--purpose", "TREAT")
        path = self.path()
        self.c.run(name, "record", "read", record, "--out", path)
        assert json.loads(path.read_text())["entry"][0]["resource"] == BUNDLE["entry"][0]["resource"]

    def show(self, name, folder):
        return self.c.run(name, "folder", "show", folder)

    def refused(self, name, *arguments, code=3):
        with pytest.raises(Refused) as caught:
            self.c.run(name, *arguments)
        assert caught.value.code == code, caught.value
        return caught.value.report.get("error") or caught.value.stderr

    def asking(self, folder, by="fo-heir"):
        path = self.path()
        self.c.run(by, "folder", "take-over", folder, "--label", "ours", "--out", path)
        return path

    def hand_over(self, folder, by="fo-parent", to="fo-heir"):
        """Both halves, relayed; the file that the new controller needs."""
        asking, given = self.asking(folder, to), self.path()
        self.c.run(by, "folder", "hand-over", asking, "--out", given)
        self.relay(given)
        return given


@pytest.fixture(scope="module")
def ward(consortium):
    return Ward(consortium)


# --- hand-over ---

def test_a_folder_is_handed_over_and_its_new_controller_gives_it_a_new_key(ward):
    folder = ward.open_folder()
    ward.share(folder, "fo-clinic")
    old = ward.add(folder)
    asking, given = ward.asking(folder), ward.path()
    assert "not handed over to this home yet" in ward.refused(
        "fo-heir", "folder", "rotate", folder, "--out", ward.path(), code=4)
    report = ward.c.run("fo-parent", "folder", "hand-over", asking, "--out", given)
    assert ward.show("fo-parent", folder)["controlledHere"]  # a file alone changes nothing
    assert "hand the folder" in ward.relay(given)["summary"]
    shown = ward.show("fo-heir", folder)
    assert shown["controlledHere"] and shown["rotationOwed"] and shown["handOvers"] == 1
    assert shown["controller"] == report["controller"] and shown["label"] == "ours"
    rotated = ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    assert set(rotated["readers"]) == {ward.account("fo-hospital"), ward.account("fo-clinic")}
    assert rotated["leftOut"] == [] and not ward.show("fo-heir", folder)["rotationOwed"]
    new = ward.add(folder)
    for record in (old, new):
        ward.read("fo-heir", folder, record)
        ward.read("fo-clinic", folder, record)
    # Grants of the controller before are the new one's to take back, and it needs no file any more.
    path = ward.path()
    revoked = ward.c.run("fo-heir", "revoke", "--folder", folder, "--from", ward.account("fo-clinic"), "--out", path)
    assert revoked["readers"] == [ward.account("fo-hospital")]
    ward.relay(path)
    ward.relay(f"{path}.rotate")
    ward.read("fo-heir", folder, ward.add(folder))
    ward.read("fo-heir", folder, old)


def test_reads_are_the_controllers_of_their_time(ward):
    folder = ward.open_folder()
    record = ward.add(folder)
    ward.read("fo-parent", folder, record)
    before = ward.c.run("fo-parent", "access", "reads", "--folder", folder)
    assert before["complete"] and before["reads"]
    given = ward.hand_over(folder)
    ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    ward.read("fo-heir", folder, record)
    after = ward.c.run("fo-heir", "access", "reads", "--folder", folder)
    assert after["complete"] and after["reads"]
    old = [node["ofFormerController"] for node in after["nodes"] if "ofFormerController" in node]
    assert sum(old) >= len(before["reads"])
    assert all(read["who"] == ward.show("fo-heir", folder)["controller"] for read in after["reads"])
    ward.refused("fo-parent", "access", "reads", "--folder", folder)


def test_who_handed_a_folder_over_controls_and_reads_it_no_more(ward):
    folder = ward.open_folder()
    record = ward.add(folder)
    held_back = ward.path()
    ward.c.run("fo-parent", "share", "--folder", folder, "--with", ward.account("fo-lab"), "--purpose", "TREAT",
               "--days", 1, "--out", held_back)
    ward.hand_over(folder)
    assert not ward.show("fo-parent", folder)["controlledHere"]
    for command in (["folder", "rotate", folder], ["folder", "forget", folder], ["record", "erase", record],
                    ["share", "--folder", folder, "--with", ward.account("fo-lab"), "--purpose", "TREAT", "--days", 1]):
        assert "has handed the folder over" in ward.refused("fo-parent", *command, "--out", ward.path(), code=4)
    ward.refused("fo-parent", "record", "read", record, "--out", ward.path())
    ward.refused("fo-hospital", "relay", held_back)  # what it signed before is void


def test_a_new_controller_needs_the_hand_overs_file_once(ward):
    folder = ward.open_folder()
    given = ward.hand_over(folder)
    assert "rotate it, with the hand-over's file" in ward.refused(
        "fo-heir", "folder", "rotate", folder, "--out", ward.path())
    plain = ward.path()
    plain.write_text(json.dumps({k: v for k, v in json.loads(given.read_text()).items() if k != "key"}))
    assert "holds no folder's key" in ward.refused(
        "fo-heir", "folder", "rotate", folder, "--handed", plain, "--out", ward.path(), code=2)
    other = ward.hand_over(ward.open_folder())
    assert "is not this folder's" in ward.refused(
        "fo-heir", "folder", "rotate", folder, "--handed", other, "--out", ward.path())
    ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    ward.signed("fo-heir", "folder", "rotate", folder)


def test_a_new_controller_goes_on_without_the_file_and_without_the_past(ward):
    folder = ward.open_folder()
    old = ward.add(folder)
    ward.hand_over(folder)
    ward.signed("fo-heir", "folder", "rotate", folder, "--without-link")
    ward.read("fo-heir", folder, ward.add(folder))
    ward.refused("fo-heir", "record", "read", old, "--out", ward.path())
    ward.share(folder, "fo-delegate", "--rights", "read,rotate", by="fo-heir")
    assert "cuts the link" in ward.refused(
        "fo-delegate", "folder", "rotate", folder, "--without-link", "--out", ward.path())


def test_a_folder_goes_on_to_a_third_and_back(ward):
    folder = ward.open_folder()
    record = ward.add(folder)
    for by, to in (("fo-parent", "fo-heir"), ("fo-heir", "fo-second"), ("fo-second", "fo-parent")):
        given = ward.hand_over(folder, by, to)
        ward.signed(to, "folder", "rotate", folder, "--handed", given)
        ward.read(to, folder, record)
    assert ward.show("fo-parent", folder)["handOvers"] == 3


def test_an_asking_is_answered_only_as_it_was_signed(ward):
    folder = ward.open_folder()
    asking = ward.asking(folder)
    changed = json.loads(asking.read_text())
    signer = changed["data"][10 + 64 * 3 + 24:10 + 64 * 4]  # the new controller
    false = ward.path()
    false.write_text(json.dumps({**changed, "data": changed["data"].replace(signer, "11" * 20)}))
    assert "did not sign the asking" in ward.refused("fo-parent", "folder", "hand-over", false, "--out", ward.path())
    assert "signature" in ward.refused("fo-hospital", "relay", asking)  # half an action
    share = ward.path()
    ward.c.run("fo-parent", "share", "--folder", folder, "--with", ward.account("fo-lab"), "--purpose", "TREAT",
               "--days", 1, "--out", share)
    assert "asks for no folder" in ward.refused("fo-parent", "folder", "hand-over", share, "--out", ward.path(), code=2)
    assert "not the folder's controller" in ward.refused(
        "fo-second", "folder", "hand-over", asking, "--out", ward.path(), code=4)
    ward.refused("fo-parent", "folder", "take-over", folder, "--label", "mine", "--out", ward.path(), code=2)
    for label in ("", "x" * 64):
        assert "1 to 63 bytes" in ward.refused(
            "fo-second", "folder", "take-over", folder, "--label", label, "--out", ward.path(), code=2)
    ward.c.run("fo-parent", "folder", "hand-over", asking, "--out", ward.path())
    assert "ask again" in ward.refused("fo-parent", "folder", "hand-over", asking, "--out", ward.path())


def test_an_asking_that_would_stand_for_longer_than_a_day_is_not_answered(ward):
    """Its maker could hold the answer back for years."""
    folder = ward.open_folder()
    asking = ward.asking(folder)
    made = json.loads(asking.read_text())
    far = ward.path()
    far.write_text(json.dumps({**made, "data": asked_until(ward, made["data"], 2**63)}))
    answer = ward.path()
    assert "longer than a day" in ward.refused("fo-parent", "folder", "hand-over", far, "--out", answer)
    assert not answer.exists()
    ward.c.run("fo-parent", "folder", "hand-over", asking, "--out", answer)  # it used up no number


def asked_until(ward, data, deadline):
    """The same asking with another deadline, by an account of its own."""
    fields = [field.split() for field in (
        "bytes32 folder,uint32 handOver,bytes32 previous,address controller,bytes32 auditX,bytes32 auditY,"
        "address relay,uint64 number,uint64 deadline").split(",")]
    struct = f"({','.join(kind for kind, _ in fields)})"
    values, _, _ = decode([struct, "bytes", "bytes"], bytes.fromhex(data[10:]))
    asker, deployment = Account.create(), json.loads(ward.c.deployment.read_text())
    said = {**dict(zip((name for _, name in fields), values)), "controller": asker.address, "deadline": deadline}
    domain = {"name": "xinglin folders", "version": "1", "chainId": deployment["chainId"],
              "verifyingContract": to_checksum_address(deployment["folders"]["address"]),
              "salt": bytes.fromhex(deployment["genesis"][2:])}
    types = {"HandOver": [{"name": name, "type": kind} for kind, name in fields]}
    signature = bytes(asker.sign_typed_data(domain, types, said).signature)
    return data[:10] + encode([struct, "bytes", "bytes"], [tuple(said.values()), b"", signature]).hex()


def test_a_hand_overs_key_opens_for_nobody_else(ward):
    folder = ward.open_folder()
    given = ward.hand_over(folder)
    asking = ward.asking(folder, "fo-second")
    answer = ward.path()
    assert "has no key since then" in ward.refused(
        "fo-heir", "folder", "hand-over", asking, "--out", answer)  # it has no key yet to give on
    header = json.loads(given.read_text())["key"].split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["typ"] == "xinglin-wrap"
    ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    assert "not handed over to this home yet" in ward.refused(
        "fo-second", "folder", "rotate", folder, "--handed", given, "--out", ward.path(), code=4)


# --- trustees and the glass ---

def test_a_patient_changes_trustees_and_minutes_with_the_key(ward):
    folder = ward.open_folder("--glass-minutes", 60, "--trustee", ward.account("fo-trustee"))
    record = ward.add(folder)
    rotated = ward.signed("fo-parent", "folder", "rotate", folder, "--trustee", ward.account("fo-other"),
                          "--glass-minutes", 20)
    assert rotated["trustees"] == [ward.account("fo-other")] and ward.show("fo-parent", folder)["glassMinutes"] == 20
    kept = ward.signed("fo-parent", "folder", "rotate", folder)
    assert kept["trustees"] == [ward.account("fo-other")] and ward.show("fo-parent", folder)["glassMinutes"] == 20
    ward.c.run("fo-er", "break-glass", "--folder", folder, "--reason", "unconscious")
    assert releases(ward, folder, "fo-trustee") == 0  # it is none any more
    assert releases(ward, folder, "fo-other") == 1
    path = ward.path()
    ward.c.run("fo-er", "record", "read", record, "--out", path)
    ward.signed("fo-parent", "folder", "rotate", folder, "--no-trustee", "--glass-minutes", 0)
    assert "EMERGENCY_NOT_ALLOWED" == refused_glass(ward, folder)


def releases(ward, folder, trustee):
    """Of the folder's newest emergency, once this trustee has served: it serves those of other tests too."""
    try:
        ward.c.run(trustee, "trustee", "serve", "--once")
    except Refused as failed:
        assert failed.code == 1, failed
    return ward.c.run("fo-parent", "review", "list", "--folder", folder)["reviews"][0]["releases"]


def refused_glass(ward, folder):
    with pytest.raises(Refused) as caught:
        ward.c.run("fo-er", "break-glass", "--folder", folder, "--reason", "again")
    return caught.value.report["reason"]


def test_trustees_are_refused_by_name(ward):
    folder = ward.open_folder("--glass-minutes", 60, "--trustee", ward.account("fo-trustee"))
    clinic, trustee = ward.account("fo-clinic"), ward.account("fo-trustee")
    for arguments, words, code in (
            (["--trustee", clinic], f"{clinic} cannot be a trustee", 3),
            (["--trustee", f"{trustee},{trustee}"], "named twice", 2),
            (["--trustee", ",".join([trustee] * 9)], "at most 8", 3),
            (["--trustee", trustee, "--no-trustee"], "exclude each other", 2),
            (["--no-trustee", "--glass-minutes", 5], "needs at least one trustee", 2),
            (["--glass-minutes", 65536], "--glass-minutes takes", 2)):
        assert words in ward.refused("fo-parent", "folder", "rotate", folder, *arguments, "--out", ward.path(),
                                     code=code), arguments


def test_a_trustee_with_an_unknown_key_blocks_no_rotation(ward):
    ward.c.actor("fo-hostile", "trustee")
    both = f"{ward.account('fo-hostile')},{ward.account('fo-trustee')}"
    folder = ward.open_folder("--glass-minutes", 60, "--trustee", both, "--trustee-threshold", 1)
    ward.c.run("fo-hostile", "actor", "publish-key")
    rotated = ward.signed("fo-parent", "folder", "rotate", folder)
    assert rotated["trustees"] == [ward.account("fo-trustee")]
    (left,) = rotated["leftOut"]
    assert left["account"] == ward.account("fo-hostile") and left["as"] == "trustee" and left["name"] == "fo-hostile"
    assert "another encryption key" in left["why"]


def test_fewer_trustees_than_it_takes_are_none(ward):
    """Two of two, and one is lost: what is left alone is given no more say than it had."""
    ward.c.actor("fo-lost", "trustee")
    both = [ward.account("fo-lost"), ward.account("fo-trustee")]
    folder = ward.open_folder("--glass-minutes", 60, "--trustee", ",".join(both))
    ward.c.run("fo-lost", "actor", "publish-key")
    rotated = ward.signed("fo-parent", "folder", "rotate", folder)
    assert rotated["trustees"] == [] and {left["account"] for left in rotated["leftOut"]} == set(both)


def test_a_reader_with_an_unknown_key_is_left_out_by_name(ward):
    ward.c.actor("fo-renewed", "professional")
    folder = ward.open_folder()
    ward.share(folder, "fo-renewed")
    ward.c.run("fo-renewed", "actor", "publish-key")
    rotated = ward.signed("fo-parent", "folder", "rotate", folder)
    assert rotated["readers"] == [ward.account("fo-hospital")]
    assert [(left["name"], left["as"]) for left in rotated["leftOut"]] == [("fo-renewed", "reader")]


def test_a_grant_to_a_renewed_key_is_read_with_it(ward):
    ward.c.actor("fo-anew", "professional")
    folder = ward.open_folder()
    record = ward.add(folder)
    ward.share(folder, "fo-anew")
    ward.c.run("fo-anew", "actor", "publish-key")
    ward.share(folder, "fo-anew", "--accept-changed-key")  # in the same epoch: a new wrap, under a new name
    ward.c.run("fo-anew", "access", "ask", "--folder", folder, "--purpose", "TREAT")
    path = ward.path()
    ward.c.run("fo-anew", "record", "read", record, "--out", path)
    assert "HbA1c" in path.read_text()


# --- delegates ---

def test_a_delegate_shares_and_takes_back_what_it_shared(ward):
    folder = ward.open_folder()
    record = ward.add(folder)
    ward.share(folder, "fo-delegate", "--rights", "read,share")
    ward.share(folder, "fo-lab", by="fo-delegate", days=3)
    ward.read("fo-lab", folder, record)
    rotated = ward.signed("fo-parent", "folder", "rotate", folder)
    assert ward.account("fo-lab") in rotated["readers"]  # what a delegate gave counts
    path = ward.path()
    back = ["revoke", "--folder", folder, "--from", ward.account("fo-lab"), "--out", path]
    assert "--keep-key" in ward.refused("fo-delegate", *back, code=4)  # it may not rotate
    ward.c.run("fo-delegate", *back, "--keep-key")
    ward.relay(path)
    ward.refused("fo-lab", "access", "ask", "--folder", folder, "--purpose", "TREAT")
    assert ward.show("fo-parent", folder)["rotationOwed"]


def test_a_delegate_sends_its_own_actions(ward):
    folder = ward.open_folder()
    ward.share(folder, "fo-delegate", "--rights", "read,share,rotate")
    ward.c.run("fo-delegate", "share", "--folder", folder, "--with", ward.account("fo-lab"), "--purpose", "TREAT",
               "--days", 1, "--send")
    ward.c.run("fo-delegate", "folder", "rotate", folder, "--send")
    assert ward.show("fo-parent", folder)["epoch"] == 2


def test_what_a_delegate_may_not_is_refused_by_name(ward):
    folder = ward.open_folder("--glass-minutes", 60, "--trustee", ward.account("fo-trustee"))
    lab, clinic = ward.account("fo-lab"), ward.account("fo-clinic")

    def share(days=1, purpose="TREAT", account=lab, rights="read"):
        return ["share", "--folder", folder, "--with", account, "--purpose", purpose, "--days", days, "--rights",
                rights, "--out", ward.path()]

    assert "the right to share there now" in ward.refused("fo-delegate", *share(), code=4)
    assert "the right to rotate there now" in ward.refused(
        "fo-delegate", "folder", "rotate", folder, "--out", ward.path(), code=4)
    ward.share(folder, "fo-delegate", "--rights", "read,share", days=5)
    ward.share(folder, "fo-clinic")
    for command, words, code in (
            (share(days=30), "would outlast this home's own", 3),
            (share(purpose="HRESCH"), "for all the purposes", 3),
            (share(rights="write"), "does not hold all the rights", 3),
            (share(rights="read,share"), "only the folder's controller grants", 3),
            (share(account=clinic), "only the folder's controller changes it", 3),
            (share(account=ward.account("fo-delegate")), "grants itself nothing", 2)):
        assert words in ward.refused("fo-delegate", *command, code=code), command
    assert "only the folder's controller changes it" in ward.refused(
        "fo-delegate", "revoke", "--folder", folder, "--from", clinic, "--keep-key", "--out", ward.path())
    ward.share(folder, "fo-delegate", "--rights", "read,rotate", days=5)
    assert "only the folder's controller changes trustees" in ward.refused(
        "fo-delegate", "folder", "rotate", folder, "--no-trustee", "--out", ward.path())
    assert "not the folder's controller" in ward.refused(
        "fo-delegate", "folder", "forget", folder, "--out", ward.path(), code=4)


def test_a_delegate_rotates_and_everybody_reads_on(ward):
    folder = ward.open_folder("--glass-minutes", 60, "--trustee", ward.account("fo-trustee"))
    old = ward.add(folder)
    ward.share(folder, "fo-delegate", "--rights", "read,rotate")
    rotated = ward.signed("fo-delegate", "folder", "rotate", folder)
    assert rotated["trustees"] == [ward.account("fo-trustee")]
    new = ward.add(folder)
    for record in (old, new):
        ward.read("fo-parent", folder, record)
        ward.read("fo-delegate", folder, record)
    ward.signed("fo-parent", "folder", "rotate", folder)  # the controller goes on from a delegate's key
    ward.read("fo-parent", folder, ward.add(folder))
    given = ward.hand_over(folder)  # and so does the next controller
    ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    assert ward.account("fo-delegate") in ward.signed("fo-delegate", "folder", "rotate", folder)["readers"]
    for record in (old, new, ward.add(folder)):
        ward.read("fo-heir", folder, record)


# --- delegates that lie ---

def capture(ward, folder, change):
    """The delegate rotates, its wraps and statement changed by `change`; anybody relays it."""
    key = Account.from_key(Account.decrypt((ward.c.home("fo-delegate") / "wallet" / "account.json").read_text(), PASSWORD))
    path = ward.path()
    ward.c.run("fo-delegate", "folder", "rotate", folder, "--out", path)
    rewrite_rotation(statements_of(json.loads(ward.c.deployment.read_text())), path, lambda by: key, change)
    ward.relay(path)


def other_key(message, parts):
    """The wraps hold another key than the statement names."""
    xy = public(message["epoch"].to_bytes(32, "big"))
    message.update(keyX=xy[:32], keyY=xy[32:])


def garbage_wraps(message, parts):
    parts[:] = [b"no wrap at all"]


def no_link(message, parts):
    """The wraps are right, and nothing leads back."""
    del parts[-1]


def garbage_link(message, parts):
    parts[-1] = b"no link at all"


def false_link(message, parts):
    """It is well formed, and holds another key than the epoch before has."""
    parts[-1] = seal_link(message["folder"], message["epoch"] - 1, b"\x07" * 32, message["keyX"] + message["keyY"])


def captured(ward, *more):
    """A folder with a record, and a delegate that may rotate."""
    folder = ward.open_folder("--glass-minutes", 60, "--trustee", ward.account("fo-trustee"), *more)
    record = ward.add(folder)
    ward.share(folder, "fo-delegate", "--rights", "read,share,rotate")
    return folder, record


def emergency_reads(ward, folder, *records):
    ward.c.run("fo-er", "break-glass", "--folder", folder, "--reason", "unconscious")
    ward.c.run("fo-trustee", "trustee", "serve", "--once")
    for record in records:
        ward.read("fo-er", folder, record)


@pytest.mark.parametrize("change", [other_key, garbage_wraps])
def test_a_delegates_epoch_without_a_good_key_cuts_nothing_else_off(ward, change):
    folder, old = captured(ward)
    capture(ward, folder, change)
    lost = ward.add(folder)
    ward.read("fo-parent", folder, old)
    path = ward.path()
    share = ["share", "--folder", folder, "--with", ward.account("fo-clinic"), "--purpose", "TREAT", "--days", 1]
    for command in (share, ["record", "read", lost]):
        said = ward.refused("fo-parent", *command, "--out", path)
        assert f"epoch 2, which {ward.account('fo-delegate')} started" in said
    assert ward.signed("fo-parent", "folder", "rotate", folder)["lostEpochs"] == [2]
    new = ward.add(folder)
    assert ward.signed("fo-parent", "folder", "rotate", folder)["lostEpochs"] == [2]  # it was looked for again
    assert ward.signed("fo-parent", "folder", "rotate", folder)["lostEpochs"] == []
    ward.share(folder, "fo-clinic")
    for record in (old, new):
        ward.read("fo-parent", folder, record)
        ward.read("fo-clinic", folder, record)
    assert "epoch 2, which" in ward.refused("fo-clinic", "record", "read", lost, "--out", ward.path())
    emergency_reads(ward, folder, old, new)
    given = ward.hand_over(folder)
    ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    for record in (old, new):
        ward.read("fo-heir", folder, record)


def test_several_captured_epochs_are_passed_over_in_one(ward):
    folder, old = captured(ward)
    for _ in range(3):
        capture(ward, folder, other_key)
    assert ward.signed("fo-parent", "folder", "rotate", folder)["lostEpochs"] == [4, 3, 2]
    ward.share(folder, "fo-clinic")
    ward.read("fo-clinic", folder, old)
    emergency_reads(ward, folder, old)


@pytest.mark.parametrize("change", [no_link, garbage_link, false_link])
def test_a_delegates_epoch_without_a_good_link_cuts_nothing_off(ward, change):
    folder, old = captured(ward)
    capture(ward, folder, change)
    between = ward.add(folder)
    rotated = ward.signed("fo-parent", "folder", "rotate", folder)
    assert rotated["lostEpochs"] == []
    ward.share(folder, "fo-clinic")
    for record in (old, between, ward.add(folder)):
        ward.read("fo-parent", folder, record)
        ward.read("fo-clinic", folder, record)
    emergency_reads(ward, folder, old, between)


def test_an_honest_delegate_goes_on_over_a_captured_epoch(ward):
    folder, old = captured(ward)
    capture(ward, folder, other_key)
    assert ward.signed("fo-delegate", "folder", "rotate", folder)["lostEpochs"] == [2]
    for name in ("fo-parent", "fo-delegate"):
        ward.read(name, folder, old)
        ward.read(name, folder, ward.add(folder))


@pytest.mark.parametrize("change", [other_key, garbage_wraps, no_link, false_link])
def test_a_hand_overs_file_serves_although_a_delegate_rotated_since(ward, change):
    folder, old = captured(ward)
    given = ward.hand_over(folder)
    capture(ward, folder, change)
    ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    ward.share(folder, "fo-clinic", by="fo-heir")
    for name in ("fo-heir", "fo-clinic"):
        ward.read(name, folder, old)
    emergency_reads(ward, folder, old)


def test_numbers_of_a_delegate_rise_without_the_chain(ward):
    folder = ward.open_folder()
    ward.share(folder, "fo-delegate", "--rights", "read,share")
    first, second = ward.path(), ward.path()
    for path, name in ((first, "fo-lab"), (second, "fo-clinic")):
        ward.c.run("fo-delegate", "share", "--folder", folder, "--with", ward.account(name), "--purpose", "TREAT",
                   "--days", 1, "--out", path)
    ward.relay(first)
    ward.relay(second)


def test_the_words_find_a_folder_that_was_handed_over(ward):
    folder = ward.open_folder()
    record = ward.add(folder)
    given = ward.hand_over(folder)
    ward.signed("fo-heir", "folder", "rotate", folder, "--handed", given)
    words = ward.path()
    words.write_text(ward.c.run("fo-heir", "wallet", "phrase")["phrase"])
    ward.c.new_home("fo-again", phrase=words)
    assert ward.c.run("fo-again", "folder", "recover")["found"] > 0
    ward.read("fo-again", folder, record)
    ward.c.new_home("fo-before", phrase=parent_words(ward))
    ward.c.run("fo-before", "folder", "recover")
    known = [one["folder"] for one in ward.c.run("fo-before", "folder", "list")["folders"]]
    assert folder not in known  # it is not theirs any more


def parent_words(ward):
    words = ward.path()
    words.write_text(ward.c.run("fo-parent", "wallet", "phrase")["phrase"])
    return words
