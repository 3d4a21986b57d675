"""The outer seal in an emergency, after a loss, and beside a reader that asks without end."""
import json
import signal
import threading

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from dealing import Ward
from groves import gone, is_current
from machine import Refused, free_port, wait_for
from sealed import lead_of, read, release, sealed_grove, wish


@pytest.fixture(scope="module")
def grove(tmp_path_factory):
    made = sealed_grove(tmp_path_factory.mktemp("sealed"))
    yield made
    made.close()


def number(member):
    return int(member.rpc("eth_blockNumber"), 16)


def test_an_emergency_is_released_by_members_once_trustees_gave_their_shares_and_not_before(grove):
    """With one member gone. Before, the members refuse the lock, though the reader could ask for it."""
    ward = Ward(grove, "em", 3)
    folder = ward.open(3)["folder"]
    record = ward.add(folder)
    for expected in ("before", "broken"):
        with pytest.raises(Refused):
            ward.read(record)
        if expected == "before":
            ward.broken(folder)
    assert [ward.gives(trustee, folder) for trustee in (2, 0)] == [1, 1]
    with gone(grove.members[3]):
        path = ward.path()
        ward.run("er", "record", "read", record, "--out", path, "--rpc", grove.members[1].url)
        assert json.loads(path.read_text())["resourceType"] == "Bundle"
    reads = grove.run("em-patient", "access", "reads", "--record", record)["reads"]
    released = [one for one in reads if one.get("released") and one["outcome"] == "served"]
    assert len({one["node"] for one in released}) >= 2 and {one["name"] for one in released} == {"em-er"}


def test_who_has_only_the_words_left_reads_through_members_again(grove):
    words = grove.folder / "words"
    words.write_text(grove.run("patient", "wallet", "phrase")["phrase"] + "\n")
    grove.new_home("patient-anew", phrase=words)
    grove.run("patient-anew", "folder", "recover")
    for member in grove.members[1:3]:
        assert read(grove, "patient-anew", member=member)["resourceType"] == "Bundle"


def test_a_flood_of_one_accounts_wishes_stops_neither_blocks_nor_other_readers(grove):
    member, lock, over, statuses = grove.members[0], lead_of(grove), threading.Event(), []

    def flood():
        while not over.is_set():
            statuses.append(release(grove, member, wish(grove, lock, needed=4), here=False)[0])

    flooding = [threading.Thread(target=flood, daemon=True) for _ in range(24)]
    for thread in flooding:
        thread.start()
    wait_for(lambda: len(statuses) > 24, 60)
    before = number(member)
    for _ in range(3):
        record = grove.add(member)["record"]
        assert read(grove, "patient", member=member)["resourceType"] == "Bundle"
    assert read(grove, "hospital", record, member)["resourceType"] == "Bundle"
    assert number(member) >= before + 3
    over.set()
    for thread in flooding:
        thread.join(60)
    assert 200 in statuses and set(statuses) <= {200, 429, 503}, statuses


def rewrite(member, old, new):
    text = member.config.read_text()
    assert str(old) in text
    member.config.write_text(text.replace(str(old), str(new)))


def test_a_member_that_moved_is_asked_again_once_others_reloaded_where_it_is(grove):
    """Last: the fourth member is elsewhere from then on. Its CometBFT stays where it was."""
    first, moved = grove.members[0], grove.members[3]
    old, port = moved.url, free_port()
    moved.end()
    rewrite(moved, f"http-port = {old.rsplit(':', 1)[1]}", f"http-port = {port}")
    moved.url = f"http://127.0.0.1:{port}"
    moved.start()
    wait_for(lambda: is_current(moved), 90)
    assert parts(grove, first) == 3
    rewrite(first, old, "ftp://no")
    first.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "blob-peers are not taken" in first.log.read_text())
    rewrite(first, "ftp://no", moved.url)
    first.process.send_signal(signal.SIGHUP)
    wait_for(lambda: parts(grove, first) == 4)


def parts(grove, member):
    """Of how many members it gets a part."""
    status, _, answer = release(grove, member, wish(grove, needed=4), here=False)
    assert status == 200, status
    return answer[8]
