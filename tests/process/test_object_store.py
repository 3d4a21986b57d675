"""Blobs of a node in an S3 store that lies, stalls, loses and forgets: nothing that was answered is lost, no wrong byte
is served, nobody hangs."""
import json
import subprocess
import threading
import urllib.error
import urllib.request

import pytest

pytest.importorskip("web3", reason="the Python packages are not installed: PyPI could not be reached")

import object_stores
from hospitals import Two, container
from machine import Consortium, Node, Refused, binary, cli, wait_for


def instead(options, *more):
    """The options, but for those that `more` gives anew: pairs."""
    anew = dict(zip(more[::2], more[1::2]))
    taken = {at for at, word in enumerate(options) if word in anew or (at > 0 and options[at - 1] in anew)}
    return [word for at, word in enumerate(options) if at not in taken] + list(more)


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

    def config(self):
        """The same settings in a file."""
        pairs = zip(self.options, self.options[1:])
        lines = [f"{name[2:]} = {value}" for name, value in pairs if name[:2] == "--" and value[:2] != "--"]
        path = self.c.folder / "xinglin.conf"
        path.write_text("\n".join(["[node]", "blob-s3-path-style = yes", *lines]) + "\n")
        return path

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


def problems_of(world):
    """What /readyz says of the store; None: all is well."""
    request = urllib.request.Request(world.c.node.url + "/readyz")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:
        said = json.load(error)
    return None if said["ready"] else json.dumps(said)


def content_of(world, record):
    return world.two.ask("bl-one", "get", "records", record)


def key_of(world, content):
    return next(key for key, value in world.store.contents().items() if value == content)


def failing(times, what, method="PUT"):
    """The next so many requests of this method go wrong."""
    left = [times]

    def fault(asked, key):
        if asked != method or key.endswith("owner") or left[0] == 0:
            return None
        left[0] -= 1
        return what

    return fault


@pytest.mark.parametrize("what", ["slow-down", "internal", "cut", "late"])
def test_a_put_is_tried_again_until_it_is_done(world, what):
    world.store.fault = failing(2, what)
    record = world.two.add("bl-one")["record"]
    world.store.fault = failing(2, what, "GET")
    status, content = content_of(world, record)
    assert status == 200 and content in world.store.contents().values()


@pytest.mark.parametrize("what", ["change", "other", "garbage"])
def test_a_byte_that_the_store_changed_is_never_served(world, what):
    record, _ = world.two.add("bl-one")["record"], world.two.add("bl-two")
    right = content_of(world, record)[1]
    world.store.fault = failing(1000, what, "GET")
    status, said = content_of(world, record)
    assert status >= 400 and right not in said
    world.store.fault = lambda method, key: None
    assert content_of(world, record) == (200, right)


def test_verifying_reads_what_is_in_the_store(world):
    world.two.add("bl-one")
    assert cli_verify(world)["unseenItems"] == 0


def test_a_put_that_the_store_loses_is_no_wrong_answer(world):
    world.store.fault = failing(1, "lose")
    lost = world.two.add("bl-one")["record"]
    assert content_of(world, lost)[0] == 404
    with pytest.raises(Refused):
        cli_verify(world)
    assert world.store.contents()


def cli_verify(world):
    """db verify of the stopped node, with its store; the node is started again."""
    assert world.c.node.stop() == 0
    try:
        return cli("db", "verify", "--data", world.c.data, "--config", world.config())
    finally:
        world.again()


def test_a_store_that_is_down_is_said_and_stops_no_block(world):
    record = world.two.add("bl-one")["record"]
    head = world.c.node.head()
    world.store.stop()
    assert world.two.ask("bl-one", "put", "records", container(b"a part for nobody")[1],
                         body=container(b"a part for nobody")[0])[0] == 507
    assert content_of(world, record)[0] == 507
    assert "object-store" in problems_of(world)
    world.c.run("registrar-1", "actor", "request", "--name", "x", "--roles", "hospital", "--out", world.c.folder / "r")
    world.c.new_home("while-down")  # its trust is asked of the chain
    assert world.c.node.head() >= head
    world.c.node.kill()
    world.again()  # it starts without its store
    assert "object-store" in problems_of(world)
    world.store.again()
    wait_for(lambda: problems_of(world) is None, 60)
    assert content_of(world, record)[0] == 200


def test_an_erasure_is_confirmed_when_the_store_has_deleted(world):
    record = world.two.add("bl-one")["record"]
    content = content_of(world, record)[1]
    world.store.fault = failing(10 ** 9, "denied", "DELETE")
    path = world.c.folder / "erase-late.json"
    world.c.run("bl-one-patient", "record", "erase", record, "--out", path)
    world.c.run("bl-one", "relay", path)
    wait_for(lambda: world.store.count("DELETE") > 0)

    def confirmed():
        return world.c.run("bl-one-patient", "record", "status", record)["erasureConfirmedBy"]

    assert not confirmed() and content in world.store.contents().values()
    assert content_of(world, record)[0] == 410
    world.store.fault = lambda method, key: None
    wait_for(confirmed, 90)
    assert content not in world.store.contents().values()


def test_what_an_older_copy_of_the_bucket_brings_back_is_deleted(world):
    record = world.two.add("bl-one")["record"]
    content = content_of(world, record)[1]
    key = key_of(world, content)
    path = world.c.folder / "erase-copy.json"
    world.c.run("bl-one-patient", "record", "erase", record, "--out", path)
    world.c.run("bl-one", "relay", path)
    wait_for(lambda: content not in world.store.contents().values())
    kept = len(world.store.contents())
    world.c.node.stop()
    world.store.objects.update({key: content, **{f"node-1/{n:016x}-{n:064x}": b"old" for n in range(1, 1500)}})
    world.again()
    wait_for(lambda: len(world.store.contents()) == kept, 60)
    assert content not in world.store.contents().values()


def test_kill_9_in_the_middle_of_puts_loses_nothing_that_was_answered(world):
    answered, ends = [], threading.Event()
    world.store.late_s = 0.05
    world.store.fault = lambda method, key: "late" if method == "PUT" else None

    def puts(number):
        for i in range(1000):
            if ends.is_set():
                return
            frame, blob = container(b"part %d of %d" % (i, number))
            try:
                if world.two.ask("bl-one", "put", "records", blob, body=frame)[0] == 201:
                    answered.append((blob, frame))
            except OSError:
                return

    threads = [threading.Thread(target=puts, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answered) >= 20, 60)
    world.c.node.kill()
    ends.set()
    for thread in threads:
        thread.join()
    world.store.fault = lambda method, key: None
    world.again()
    for blob, frame in answered[:5]:
        world.two.sizes[blob] = len(frame)
    receipt = world.c.node.receipt(world.two.register_many("bl-one", [blob for blob, _ in answered[:5]], 7000))
    assert receipt["status"] == "0x1"
    contents = set(world.store.contents().values())
    assert all(frame in contents for _, frame in answered)


def fails_to_start(world, store, *more):
    data = world.c.folder / "other"
    if not data.exists():
        cli("init", "--data", data, "--deployer", world.c.accounts["registrar-1"])
    options = instead(options_of(store, world.c.folder), *more)
    done = subprocess.run([binary(), "node", "--data", data, "--http-port", "0", *options], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode != 0
    assert object_stores.SECRET_KEY not in done.stderr + done.stdout
    return " ".join(done.stderr.split())


def test_a_store_that_must_not_be_used_ends_the_start_with_its_reason(world):
    assert "another node keeps its blobs under this prefix" in fails_to_start(world, world.store)
    versions = object_stores.Store().start()
    versions.versioning = "Suspended"
    assert "keeps versions" in fails_to_start(world, versions)
    versions.versioning, versions.secret = None, "another"
    assert "SignatureDoesNotMatch" in fails_to_start(world, versions)
    versions.secret, versions.fault = object_stores.SECRET_KEY, lambda method, key: "skew"
    assert "this machine's clock differs" in fails_to_start(world, versions)
    versions.fault = lambda method, key: None
    assert "no such bucket" in fails_to_start(world, versions, "--blob-s3-bucket", "another")
    assert "another region" in fails_to_start(world, versions, "--blob-s3-region", "eu-west-9")
    versions.stop()


@pytest.mark.parametrize("more, said", [
    (["--blob-s3-endpoint", "http://store.example"], "http:// only leads to this machine"),
    (["--blob-s3-endpoint", "http://127.0.0.1.example"], "http:// only leads to this machine"),
    (["--blob-s3-endpoint", "https://host/path"], "is not https://HOST"),
    (["--blob-s3-bucket", "UPPER"], "a bucket's name has"),
    (["--blob-s3-prefix", "../up"], "a prefix has"),
    (["--blob-s3-prefix", "a b"], "a prefix has"),
    (["--blob-s3-region", "us east"], "a region has")])
def test_a_malformed_setting_is_refused(world, more, said):
    assert said in fails_to_start(world, world.store, *more)


@pytest.mark.parametrize("text, said", [
    ("", "does not have both"), ("aws_access_key_id = a", "does not have both"), ("[other]\n", ":1:"),
    ("[default]\naws_access_key_id = a\nfoo = bar\n", ":3:"), ("[default]\naws_secret_access_key =\n", ":2:")])
def test_a_malformed_file_of_keys_is_refused(world, tmp_path, text, said):
    keys = tmp_path / "keys"
    keys.touch(0o600)
    keys.write_text(text)
    assert said in fails_to_start(world, world.store, "--blob-s3-credentials", keys)
    keys.chmod(0o644)
    assert "keys" in fails_to_start(world, world.store, "--blob-s3-credentials", keys)


def test_the_secret_is_in_no_log(world):
    assert object_stores.SECRET_KEY not in world.c.node.log.read_text(errors="replace")
