"""A member of a consortium whose contents are in an object store, among three that keep files."""
import json
import urllib.error
import urllib.request

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import object_stores
from groves import Grove, gone, is_current
from machine import wait_for
from test_object_store import options_of


class StoredGrove(Grove):
    """The last of the four members keeps its contents in `store`."""

    def __init__(self, folder):
        self.store = object_stores.Store().start()
        super().__init__(folder)
        self.stored = self.members[3]
        words = options_of(self.store, folder)
        settings = {"blob-s3-path-style": "yes"}
        for name, value in zip(words, words[1:]):
            if name.startswith("--") and not value.startswith("--"):
                settings[name[2:]] = value
        text = self.stored.config.read_text().rstrip("\n")
        self.stored.end()
        self.stored.config.write_text(text + "\n" + "".join(f"{n} = {v}\n" for n, v in settings.items()))
        self.stored.start()
        wait_for(lambda: is_current(self.stored), 90)

    def change(self, how):
        """Each object of the store, but for its owner's mark, becomes how(it)."""
        with self.store.lock:
            for key in [key for key in self.store.objects if not key.endswith("owner")]:
                self.store.objects[key] = how(self.store.objects[key])


@pytest.fixture(scope="module")
def grove(tmp_path_factory):
    made = StoredGrove(tmp_path_factory.mktemp("stored"))
    yield made
    made.close()
    made.store.stop()


def says_the_store(member):
    """Is it not ready, and is that the store's fault?"""
    try:
        urllib.request.urlopen(member.url + "/readyz", timeout=30)
    except urllib.error.HTTPError as error:
        return any(not check["ok"] for check in json.load(error)["checks"] if check["name"] == "object-store")
    return False


def flipped(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def test_a_member_with_a_store_keeps_what_all_keep_and_gives_it_to_others(grove):
    record = grove.add(grove.stored)["record"]
    grove.wait_everywhere(record)
    content = grove.content(grove.stored, record)
    assert content in grove.store.contents().values()
    assert content == grove.content(grove.members[0], record)


def test_what_its_store_changed_is_fetched_from_the_others(grove):
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    content = grove.content(grove.members[0], record)
    grove.change(flipped)
    answers = set()

    def is_whole():
        answers.add(grove.content(grove.stored, record))
        return content in answers

    wait_for(is_whole, 90)
    assert answers <= {None, content}
    assert content in grove.store.contents().values()


def test_what_its_store_lost_is_fetched_from_the_others(grove):
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    content = grove.content(grove.members[0], record)
    with grove.store.lock:
        for key in [key for key, value in grove.store.objects.items() if value == content]:
            del grove.store.objects[key]
    wait_for(lambda: grove.content(grove.stored, record) == content, 90)
    assert content in grove.store.contents().values()


def test_while_its_store_is_down_consensus_goes_on_and_nothing_is_taken_for_lost(grove):
    before = grove.add()["record"]
    grove.wait_everywhere(before)
    puts = grove.store.count("PUT")
    grove.store.stop()
    record = grove.add()["record"]
    head = grove.members[0].head()
    wait_for(lambda: grove.stored.is_at(head) or int(grove.stored.head()["number"], 16) > int(head["number"], 16), 60)
    wait_for(lambda: says_the_store(grove.stored), 60)  # it has asked it by then
    assert grove.content(grove.stored, before) is None
    grove.store.again()
    wait_for(lambda: grove.content(grove.stored, record) and grove.content(grove.stored, before), 90)
    assert grove.store.count("PUT") <= puts + 2  # the new record, and perhaps one that was cut


def test_an_erasure_reaches_the_store_before_it_is_confirmed(grove):
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    content = grove.content(grove.stored, record)
    grove.erase(record)
    wait_for(lambda: len(grove.run("patient", "record", "status", record)["erasureConfirmedBy"]) == 4, 90, every=0.5)
    assert content not in grove.store.contents().values()


def test_a_store_that_is_lost_is_filled_again_once_the_operator_says_so(grove):
    record = grove.add()["record"]
    grove.wait_everywhere(record)
    content = grove.content(grove.members[0], record)
    with gone(grove.stored):
        with grove.store.lock:
            grove.store.objects.clear()
        grove.stored.start()
        assert grove.stored.process.wait(60) != 0
        assert "start once with --blob-s3-anew" in " ".join(grove.stored.log.read_text().split())
        grove.stored.start("--blob-s3-anew")
        wait_for(lambda: is_current(grove.stored), 90)
        wait_for(lambda: grove.content(grove.stored, record) == content, 90)
        assert content in grove.store.contents().values()
