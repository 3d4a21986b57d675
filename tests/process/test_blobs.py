"""Blobs at the node's own door: whose content is kept, and that naming another's changes nothing. Past our client: raw transactions."""
import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

from hospitals import Two
from machine import RpcError, wait_for

NOT_PUT = "was not put here by its sender"


@pytest.fixture(scope="module")
def two(consortium):
    return Two(consortium)


def test_a_registration_needs_its_blob(two):
    with pytest.raises(RpcError) as refused:
        two.register("bl-one", "0x" + "ab" * 32, 1)
    assert NOT_PUT in refused.value.message


def test_every_blob_of_a_registration_of_several_is_asked_for(two):
    def records():
        shown = two.c.run("bl-one", "record", "list", "--folder", two.folders["bl-one"])["records"]
        return {entry["record"] for entry in shown}

    first, second, before = two.put("bl-one", b"one.sealed.part"), two.put("bl-one", b"another.sealed.part"), records()
    not_held, anothers = "0x" + "cd" * 32, two.put("bl-two", b"a.strangers.part")
    for blobs in ([first, not_held], [not_held, first], [first, second, anothers], [first, second, first]):
        with pytest.raises(RpcError) as refused:
            two.register_many("bl-one", blobs, 100)
        assert NOT_PUT in refused.value.message, blobs
    receipt = two.c.node.receipt(two.register_many("bl-one", [first, second], 100))
    assert receipt["status"] == "0x1"
    listed = records() - before
    assert len(listed) == 2
    for record in listed:
        assert two.c.run("bl-one-patient", "record", "status", record)["available"] == "yes"
    with pytest.raises(RpcError) as refused:
        two.register("bl-one", first, 102)  # it is an item's content by now
    assert NOT_PUT in refused.value.message


def test_nobody_keeps_anothers_content_by_naming_it(two):
    mine = two.add("bl-one")
    with pytest.raises(RpcError) as refused:
        two.register("bl-two", mine["blob"], 2)
    assert NOT_PUT in refused.value.message
    status, content = two.ask("bl-one", "get", "records", mine["record"])
    assert status == 200
    parts = [content[at:at + 64] for at in range(0, len(content) - 64, 64)]

    def kept():
        files = [file.read_bytes() for file in (two.c.data / "blobs").rglob("*") if file.is_file()]
        return [part for part in parts if any(part in file for file in files)]

    assert kept() == parts
    path = two.c.folder / "bl-erase.json"
    two.c.run("bl-one-patient", "record", "erase", mine["record"], "--out", path)
    two.c.run("bl-one", "relay", path)
    wait_for(lambda: two.c.run("bl-one-patient", "record", "status", mine["record"])["erasureConfirmedBy"])
    assert kept() == []
