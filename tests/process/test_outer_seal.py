"""The outer seal: what a record's members release together, and what nobody opens without them."""
import os
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from eth_utils import to_checksum_address

import outer
from groves import Grove, NOBODY, gone
from hospitals import BUNDLE, sign_request
from machine import PASSWORD, Refused, binary, cli, wait_for
from members import change, newcomer
from sealed import READER, key_of, lead_of, read, release, sealed_grove, share, wish


@pytest.fixture(scope="module")
def grove(tmp_path_factory):
    made = sealed_grove(tmp_path_factory.mktemp("sealed"))
    yield made
    made.close()


def test_a_new_network_has_an_outer_seal_and_its_deployment_names_it(grove):
    shown = grove.members[1].run("consortium", "seal", "show", "--member", grove.members[1].folder)
    assert shown["number"] == 1 and shown["threshold"] == 2 and len(shown["holders"]) == 4
    assert shown["thisMemberHoldsAShare"]
    assert grove.described["outerSeal"] == shown["key"]
    assert lead_of(grove)[0] in (2, 3)  # a lock, and no JWE


def test_a_record_is_read_by_whom_members_release_it_to(grove):
    for name in ("patient", "clinic", "hospital"):
        for member in grove.members[:2]:
            assert read(grove, name, member=member)["entry"][0]["resource"] == BUNDLE["entry"][0]["resource"], name


def test_two_members_shares_open_a_lock_and_one_does_not(grove):
    lock, said = lead_of(grove), outer.label(grove.described, grove.record)
    held = dict(outer.shares(member.folder) for member in grove.members)
    assert sorted(held) == [1, 2, 3, 4]
    for i in held:
        assert outer.open_with(lock, said, {i: held[i]}) is None
    assert outer.open_with(lock, said, {1: held[1], 4: held[4]}).startswith(b"eyJ")


def test_a_member_gives_one_part_that_only_its_reader_opens(grove):
    lock, said = lead_of(grove), outer.label(grove.described, grove.record)
    for member in grove.members:
        status, _, answer = release(grove, member, wish(grove))
        assert status == 200 and answer[8] == 1 and len(answer) == 9 + outer.PART
        part = answer[9:]
        opened = outer.open_with(part, said, {1: READER})
        assert opened and outer.open_with(part, said, {1: READER + 1}) is None
        index, value = outer.shares(member.folder)
        assert opened[0] == index
        assert opened[1:34] == outer.tdh2.element(outer.tdh2.times(value, outer.point(lock[:33])))


def test_a_member_passes_a_wish_on_until_enough_gave_their_part(grove):
    for needed in (1, 2, 4):
        status, _, answer = release(grove, grove.members[0], wish(grove, needed=needed), here=False)
        assert status == 200 and answer[8] == needed


def test_a_lock_under_another_record_is_not_opened(grove):
    other = grove.add()["record"]
    grove.wait_everywhere(other)
    assert release(grove, grove.members[0], wish(grove), record=other)[:2] == (422, "other-lock")
    assert release(grove, grove.members[0], wish(grove, lead_of(grove, other)))[:2] == (422, "other-lock")
    assert release(grove, grove.members[0], wish(grove), record=other, here=False)[:2] == (422, "other-lock")


def test_a_wish_is_served_once_and_for_the_key_that_was_signed(grove):
    body = wish(grove)
    gate = to_checksum_address(grove.described["records"]["address"])
    header = sign_request(key_of(grove, "clinic"), grove.described, gate, outer.action(body), grove.record, node=NOBODY)
    assert release(grove, grove.members[1], body, header=header)[0] == 200
    assert release(grove, grove.members[1], body, header=header)[:2] == (401, "not-authenticated")
    swapped = outer.wish(lead_of(grove), 1, 2, READER + 1)
    assert release(grove, grove.members[2], swapped, header=header)[:2] == (401, "not-authenticated")
    assert release(grove, grove.members[2], body, header=header)[0] == 200


@pytest.mark.parametrize("change, wanted", [
    (lambda body: body[:-1], (400, "malformed")),
    (lambda body: b"", (400, "malformed")),
    (lambda body: body[:8] + bytes([0]) + body[9:], (400, "malformed")),
    (lambda body: body[:8] + bytes([65]) + body[9:], (400, "malformed")),
    (lambda body: body[:9] + bytes([4]) + body[10:], (400, "malformed")),
    (lambda body: body[:-33] + bytes(33), (400, "malformed")),
    (lambda body: (2).to_bytes(8, "big") + body[8:], (409, "other-seal")),
    (lambda body: body[:100] + bytes([body[100] ^ 1]) + body[101:], (422, "other-lock")),
    (lambda body: body + bytes(1), (413, None)),
])
def test_what_is_no_wish_is_refused(grove, change, wanted):
    status, code, _ = release(grove, grove.members[0], change(wish(grove)))
    assert status == wanted[0] and wanted[1] in (None, code)


def test_a_stranger_is_given_nothing(grove):
    grove.new_home("nobody")
    assert release(grove, grove.members[0], wish(grove), name="nobody")[:2] == (403, "get-refused")
    assert release(grove, grove.members[0], wish(grove), name="nobody", here=False)[:2] == (403, "get-refused")


def test_each_release_is_in_the_audit_of_the_member_that_gave_it(grove):
    read(grove, "clinic")
    reads = grove.run("patient", "access", "reads", "--record", grove.record)["reads"]
    released = [one for one in reads if one.get("released")]
    assert len({one["node"] for one in released}) >= 2 and "served" in {one["outcome"] for one in released}
    assert {one["name"] for one in released} >= {"clinic"}


def test_with_one_of_four_down_records_are_read_and_with_one_left_nobody_reads(grove):
    with gone(grove.members[3]):
        assert read(grove, "clinic")["resourceType"] == "Bundle"
        with gone(grove.members[2]):
            with gone(grove.members[1]):
                with pytest.raises(Refused):
                    read(grove, "clinic")
    wait_for(lambda: read_works(grove), 60)


def read_works(grove):
    try:
        return bool(read(grove, "clinic"))
    except Refused:
        return False


def test_a_member_that_is_silent_is_passed_over(grove):
    grove.members[3].process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(3):
            assert read(grove, "clinic")["resourceType"] == "Bundle"
    finally:
        grove.members[3].process.send_signal(signal.SIGCONT)


def test_a_false_part_does_not_stop_a_reader_and_its_member_is_named(grove):
    """The member that is asked has another's value under its own index, so what it gives is not what was stated."""
    liar = grove.members[2]
    place = liar.folder / "seal" / "1.share"
    kept = place.read_bytes()
    place.write_bytes(kept[:1] + (grove.members[3].folder / "seal" / "1.share").read_bytes()[1:])
    holders = liar.run("consortium", "seal", "show", "--member", liar.folder)["holders"]
    try:
        command = [binary(), "record", "read", grove.record, "--out", grove.path(), "--home", grove.home("clinic"),
                   "--rpc", liar.url]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120,
                              env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
    finally:
        place.write_bytes(kept)
    assert done.returncode == 0, done.stderr
    assert f"member {holders[kept[0] - 1].lower()} gives a false part" in done.stderr.lower()


def test_a_member_without_a_share_says_so_and_passes_on(grove):
    share_file = grove.members[0].folder / "seal" / "1.share"
    kept = share_file.read_bytes()
    share_file.unlink()
    try:
        assert release(grove, grove.members[0], wish(grove))[:2] == (409, "no-share")
        assert release(grove, grove.members[0], wish(grove), here=False)[2][8] == 2
        assert read(grove, "clinic")["resourceType"] == "Bundle"
    finally:
        share_file.write_bytes(kept)


def test_a_grant_of_one_record_is_locked_too(grove):
    grove.actor("lab", "hospital")
    action = grove.path()
    grove.run("patient", "share", "--folder", grove.folder_id, "--record", grove.record, "--with",
              grove.accounts["lab"], "--rights", "read", "--purpose", "TREAT", "--days", 5, "--out", action)
    grove.run("hospital", "relay", action)
    with pytest.raises(Refused):
        read(grove, "lab")
    grove.run("lab", "access", "ask", "--folder", grove.folder_id, "--record", grove.record, "--purpose", "TREAT")
    assert read(grove, "lab")["resourceType"] == "Bundle"


def test_the_key_is_dealt_again_and_records_stay(grove, tmp_path):
    """By two of the four; the other two gather it as well. Old shares do not fit to new ones."""
    before = lead_of(grove)
    old = dict(outer.shares(member.folder) for member in grove.members)
    for i, member in enumerate(grove.members):
        cli("consortium", "seal", "offer", "--member", member.folder, "--out", tmp_path / f"offer-{i}")
    offers = [tmp_path / f"offer-{i}" for i in range(4)]
    for i in (0, 2):
        dealt = grove.members[i].run("consortium", "seal", "deal", *offers, "--member", grove.members[i].folder, "--out",
                                     tmp_path / f"dealing-{i}")
        assert dealt["number"] == 2 and dealt["threshold"] == 2
    dealings = [tmp_path / "dealing-0", tmp_path / "dealing-2"]
    assert read(grove, "clinic")["resourceType"] == "Bundle"
    for i, member in enumerate(grove.members):
        gathered = member.run("consortium", "seal", "gather", *dealings, "--member", member.folder)
    assert gathered["done"] and "sent" not in gathered  # the vote was over, and the fourth keeps its share
    assert gathered["number"] == 2 and gathered["key"] == grove.described["outerSeal"]
    assert release(grove, grove.members[0], wish(grove))[:2] == (409, "other-seal")
    assert lead_of(grove) == before and read(grove, "clinic")["resourceType"] == "Bundle"
    new = dict(outer.shares(member.folder, 2) for member in grove.members[:3])
    said = outer.label(grove.described, grove.record)
    i, j = list(new)[:2]
    assert outer.open_with(before, said, {i: new[i], j: new[j]}).startswith(b"eyJ")
    assert outer.open_with(before, said, {i: new[i], j: old[j]}) is None
    assert len({*old.values(), *new.values()}) == 7


def test_members_disks_and_a_revoked_grantee_open_nothing_together(grove):
    """Last: the grantee has read other records, and has the folder's key; one member's disk has everything."""
    later = grove.add()["record"]
    grove.wait_everywhere(later)
    assert release(grove, grove.members[0], wish(grove, lead_of(grove, later), number=2), record=later)[0] == 200
    action = grove.path()
    grove.run("patient", "revoke", "--folder", grove.folder_id, "--from", grove.accounts["clinic"], "--keep-key", "--out",
              action)
    grove.run("hospital", "relay", action)
    for member in grove.members:
        assert release(grove, member, wish(grove, lead_of(grove, later), number=2), record=later)[0] == 403
    with pytest.raises(Refused):
        read(grove, "clinic", record=later)
    lock, said = lead_of(grove, later), outer.label(grove.described, later)
    for member in grove.members[:3]:  # up to f disks: one, whichever it is, with old shares and new ones
        found = [outer.shares(member.folder, number) for number in (1, 2)]
        for index, value in found:
            assert outer.open_with(lock, said, {index: value}) is None
        if found[0][0] != found[1][0]:
            assert outer.open_with(lock, said, dict(found)) is None


def test_who_was_replaced_holds_a_share_that_fits_to_none_and_the_newcomer_one_that_does(grove, tmp_path):
    """The very last: the fourth member is another one from then on."""
    left = grove.members[3]
    joined = newcomer(grove.folder / "grove", "member5")
    grove.members.append(joined)
    change(grove.members[:3], "--leaves", left.account, "--joins", joined.account, "--key", joined.key, "--node",
           joined.node)
    left.end(signal.SIGKILL)
    joined.start()
    wait_for(joined.head, 60)
    now = [*grove.members[:3], joined]
    for i, member in enumerate(now):
        cli("consortium", "seal", "offer", "--member", member.folder, "--out", tmp_path / f"offer-{i}")
    offers = [tmp_path / f"offer-{i}" for i in range(4)]
    with pytest.raises(Refused, match="no share"):
        grove.members[0].run("consortium", "seal", "deal", *offers, "--member", joined.folder, "--out", tmp_path / "no")
    for i in (0, 1):
        now[i].run("consortium", "seal", "deal", *offers, "--member", now[i].folder, "--out", tmp_path / f"dealing-{i}")
    for member in (joined, *now[:3]):
        gathered = member.run("consortium", "seal", "gather", tmp_path / "dealing-0", tmp_path / "dealing-1", "--member",
                              member.folder, node=grove.members[0])
    assert gathered["done"]
    number = gathered["number"]
    assert left.node.lower() not in (holder.lower() for holder in gathered["holders"])
    new, old = dict([outer.shares(joined.folder, number)]), dict([outer.shares(left.folder, number - 1)])
    lock, said = lead_of(grove), outer.label(grove.described, grove.record)
    first = dict([outer.shares(grove.members[0].folder, number)])
    assert outer.open_with(lock, said, {**first, **new}).startswith(b"eyJ")
    if not set(old) & set(first):
        assert outer.open_with(lock, said, {**first, **old}) is None
    assert read(grove, "patient")["resourceType"] == "Bundle"


class AloneGrove(Grove):
    """Readers know one node."""
    names_nodes = False


def test_a_useless_part_makes_the_reader_ask_for_all(tmp_path):
    """Each other member is asked first in two of six readings. One lies: it gives a part under the index of the node
    that passes wishes on, which the reader has already."""
    grove = AloneGrove(tmp_path)
    try:
        record = grove.add()["record"]
        grove.wait_everywhere(record)
        place = grove.members[3].folder / "seal" / "1.share"
        place.write_bytes((grove.members[0].folder / "seal" / "1.share").read_bytes()[:1] + place.read_bytes()[1:])
        for _ in range(6):
            assert read(grove, "patient", record=record)["resourceType"] == "Bundle"
    finally:
        grove.close()
