"""A node's blobs in a real S3 server of others: versitygw, over files. It is built by `make peers`."""
import contextlib
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import object_stores
from hospitals import Two, container
from machine import Consortium, Node, binary, in_threads, wait_for
from ports import PORTS
from test_object_store import instead, options_of

PROGRAM = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/xinglin-bench")) / "versitygw/versitygw"


class Gateway:
    """versitygw over a folder; the bucket is a folder in it."""

    def __init__(self, folder):
        if not PROGRAM.exists():
            pytest.skip("versitygw is not built: make peers")
        self.folder, self.port, self.process = folder, PORTS.row(1), None
        (folder / "data" / object_stores.BUCKET).mkdir(parents=True)
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        keys = {"ROOT_ACCESS_KEY": object_stores.ACCESS_KEY, "ROOT_SECRET_KEY": object_stores.SECRET_KEY}
        with open(self.folder / "versitygw.log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--port", f"127.0.0.1:{self.port}", "posix", self.folder / "data"], stdout=log, stderr=log,
                env={**os.environ, **keys})
        wait_for(self.answers)
        return self

    def answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=5)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def end(self):
        self.process.kill()
        self.process.wait(20)

    def contents(self):
        found = []
        for file in (self.folder / "data" / object_stores.BUCKET / "node-1").glob("*-*"):
            with contextlib.suppress(OSError):  # it was deleted meanwhile
                found.append(file.read_bytes())
        return found


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    made = Gateway(tmp_path_factory.mktemp("gateway"))
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def world(gateway, tmp_path_factory):
    class World:
        folder = tmp_path_factory.mktemp("world")
        options = options_of(gateway, folder)
        c = Consortium(folder / "world", node_options=options)
        two = Two(c)

        def again(self):
            self.c.node = Node(self.c.data, "node", *self.options, port=self.c.node.port)

    made = World()
    yield made
    assert made.c.node.stop() == 0, made.c.node.log.read_text()


def test_the_peer_keeps_gives_and_deletes(world, gateway):
    record = world.two.add("bl-one")["record"]
    status, content = world.two.ask("bl-one", "get", "records", record)
    assert status == 200 and content in gateway.contents()
    gateway.end()
    assert world.two.ask("bl-one", "get", "records", record)[0] == 507
    gateway.start()
    wait_for(lambda: world.two.ask("bl-one", "get", "records", record) == (200, content), 60)
    assert world.c.node.stop() == 0
    world.again()
    assert world.two.ask("bl-one", "get", "records", record) == (200, content)
    path = world.c.folder / "erase.json"
    world.c.run("bl-one-patient", "record", "erase", record, "--out", path)
    world.c.run("bl-one", "relay", path)
    wait_for(lambda: world.c.run("bl-one-patient", "record", "status", record)["erasureConfirmedBy"], 60)
    assert content not in gateway.contents()


def test_a_list_of_more_than_a_page_is_read_to_its_end(world, gateway):
    """1,500 objects of nobody's, and those of the node among them."""
    frame, blob = container(b"a part that stays")
    assert world.two.ask("bl-one", "put", "records", blob, body=frame)[0] == 201
    assert world.c.node.stop() == 0
    folder = gateway.folder / "data" / object_stores.BUCKET / "node-1"
    for number in range(1, 1501):
        (folder / f"{number:016x}-{number:064x}").write_bytes(b"stray")
    world.again()
    wait_for(lambda: b"stray" not in gateway.contents(), 120)
    assert frame in gateway.contents()


def test_puts_at_once_are_all_kept(world, gateway):
    frames = [container(b"put at once %d" % number) for number in range(100)]

    def put(some):
        for frame, blob in some:
            assert world.two.ask("bl-two", "put", "records", blob, body=frame)[0] == 201

    in_threads([lambda part=part: put(frames[part::8]) for part in range(8)])
    kept = set(gateway.contents())
    assert all(frame in kept for frame, _ in frames)


def test_a_wrong_key_is_said_in_words(world, gateway, tmp_path):
    keys = tmp_path / "keys"
    keys.touch(0o600)
    keys.write_text(f"aws_access_key_id = {object_stores.ACCESS_KEY}\naws_secret_access_key = wrong\n")
    assert world.c.node.stop() == 0
    try:
        done = subprocess.run([binary(), "node", "--data", world.c.data, "--http-port", "0",
                               *instead(world.options, "--blob-s3-credentials", keys)], capture_output=True, text=True, timeout=60)
        assert done.returncode != 0 and "SignatureDoesNotMatch" in done.stderr
    finally:
        world.again()
