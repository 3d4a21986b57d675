"""Blobs of a node in an S3 store that lies, stalls, loses and forgets: nothing that was answered is lost, no wrong byte
is served, nobody hangs."""
import threading

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import object_stores
from hospitals import Two
from machine import Consortium, Node, Refused, wait_for


def options_of(store, folder, prefix="node-1"):
    """The settings of a node whose blobs are in this store."""
    keys = folder / "s3-keys"
    if not keys.exists():
        keys.touch(0o600)
        keys.write_text(f"[default]\naws_access_key_id = {object_stores.ACCESS_KEY}\n"
                        f"aws_secret_access_key = {object_stores.SECRET_KEY}\n")
    return ["--blob-store", "s3", "--blob-s3-endpoint", store.url, "--blob-s3-bucket", object_stores.BUCKET,
            "--blob-s3-prefix", prefix, "--blob-s3-path-style", "--blob-s3-credentials", str(keys)]


class World:
    """A consortium of one node over a store, and two hospitals that write."""

    def __init__(self, folder):
        self.store = object_stores.Store().start()
        self.options = options_of(self.store, folder)
        self.c = Consortium(folder / "world", node_options=self.options)
        self.two = Two(self.c)

    def again(self, *more):
        self.c.node = Node(self.c.data, "node", *self.options, *more, port=self.c.node.port)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("store"))
    yield made
    assert made.c.node.stop() == 0, made.c.node.log.read_text()
    made.store.stop()


@pytest.fixture(autouse=True)
def nothing_wrong(request):
    yield
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        world.store.fault = lambda method, key: None


def test_what_is_put_is_in_the_bucket_and_is_read_and_erased(world):
    record = world.two.add("bl-one")
    status, content = world.two.ask("bl-one", "get", "records", record["record"])
    assert status == 200
    assert content in world.store.contents("node-1/").values()
    assert not any((world.c.data / "blobs" / "segments").glob("*"))
    path = world.c.folder / "erase.json"
    world.c.run("bl-one-patient", "record", "erase", record["record"], "--out", path)
    world.c.run("bl-one", "relay", path)
    wait_for(lambda: world.c.run("bl-one-patient", "record", "status", record["record"])["erasureConfirmedBy"])
    assert content not in world.store.contents().values()
