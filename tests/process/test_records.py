"""Records end to end: a folder, sealed documents, reading back, proofs, rotation, erasure; a real node and real files."""
import base64
import json
import os
import pathlib
import subprocess

import pytest

from machine import PASSWORD, ROOT, Refused, binary, cli, wait_for
from recorder import Recorder
from segments import copies

DATA = pathlib.Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
SYNTHEA = DATA / "fhir" / "synthea-r4-v2"
FAILED, USAGE, REFUSED, NOT_FOUND, NOT_PROVEN = 1, 2, 3, 4, 5

SMALL = """{
  "resourceType": "Bundle", "type": "collection", "entry": [
    {"fullUrl": "urn:uuid:0f1a0000-0000-4000-8000-000000000001",
     "resource": {"resourceType": "Patient", "id": "0f1a0000-0000-4000-8000-000000000001", "name": [{"family": "Größe"}]}},
    {"resource": { "resourceType" : "Observation", "status":"final",  "valueQuantity":{"value":1.00,"unit":"mmol/L"},
       "subject": {"reference": "urn:uuid:0f1a0000-0000-4000-8000-000000000001"}, "code": {"text": "glucose"} }},
    {"resource": {"resourceType": "Organization", "name": "General Hospital"}}
  ]
}"""


def raw_resources(text):
    """The exact source text of each entry's resource."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while (at := text.find('"resource"', at)) >= 0:
        begin = text.index("{", at + len('"resource"'))
        end = decoder.raw_decode(text, begin)[1]
        found.append(text[begin:end])
        at = end
    return found


def refused(code, call, *arguments, **options):
    with pytest.raises(Refused) as refusal:
        call(*arguments, **options)
    assert refusal.value.code == code, refusal.value
    return str(refusal.value)


class Ward:
    """A patient with a folder that a hospital writes into, and nobody else reads."""

    def __init__(self, consortium, tmp_path_factory):
        self.consortium, self.run = consortium, consortium.run
        self.folder = tmp_path_factory.mktemp("records")
        self.hospital = consortium.actor("records-hospital", "hospital")
        self.trustee = consortium.actor("records-trustee", "trustee")
        consortium.actor("records-patient")
        self.id = self.open_folder("general", "--glass-minutes", 30, "--trustee", self.trustee)

    def act(self, *command):
        """The patient signs, the hospital relays."""
        path = self.folder / "action.json"
        report = self.run("records-patient", *command, "--out", path)
        self.run("records-hospital", "relay", path)
        return report

    def open_folder(self, label, *options):
        folder = self.act("folder", "open", "--label", label, *options)["folder"]
        self.act("share", "--folder", folder, "--with", self.hospital, "--rights", "write", "--days", 30)
        return folder

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def add(self, path, folder=None):
        return self.run("records-hospital", "record", "add", path, "--folder", folder or self.id)["records"]

    def read(self, who, record, *options):
        out = self.folder / "read.out"
        self.run(who, "record", "read", record, *options, "--out", out)
        return out.read_text()


@pytest.fixture(scope="module")
def ward(consortium, tmp_path_factory):
    return Ward(consortium, tmp_path_factory)


@pytest.fixture(scope="module")
def record(ward):
    return ward.add(ward.file("small.json", SMALL))[0]["record"]


def test_a_folder_is_opened_through_a_relay(ward):
    shown = ward.run("records-patient", "folder", "show", ward.id)
    assert shown["state"] == "open" and shown["epoch"] == 1 and shown["label"] == "general"
    listed = ward.run("records-patient", "folder", "list")["folders"]
    assert ward.id in [folder["folder"] for folder in listed]
    assert "label" not in ward.run("records-hospital", "folder", "show", ward.id)


def test_a_listed_actor_sends_its_own_actions(ward):
    folder = ward.run("records-hospital", "folder", "open", "--label", "ours", "--send")["folder"]
    ward.run("records-hospital", "folder", "rotate", folder, "--send")
    assert ward.run("records-hospital", "folder", "show", folder)["epoch"] == 2
    message = refused(REFUSED, ward.run, "records-patient", "folder", "open", "--label", "mine", "--send")
    assert "give it to a listed actor" in message
    refused(USAGE, ward.run, "records-patient", "folder", "open", "--label", "neither sent nor written")


def test_an_action_serves_once(ward):
    path = ward.folder / "rotate-once.json"
    ward.run("records-patient", "folder", "rotate", ward.open_folder("once"), "--out", path)
    ward.run("records-hospital", "relay", path)
    assert "StaleEpoch" in refused(REFUSED, ward.run, "records-hospital", "relay", path)


def test_a_changed_action_is_refused(ward):
    path = ward.folder / "changed.json"
    ward.run("records-patient", "folder", "forget", ward.id, "--out", path)
    action = json.loads(path.read_text())
    action["data"] = action["data"][:-100] + ("0" if action["data"][-100] != "0" else "1") + action["data"][-99:]
    path.write_text(json.dumps(action))
    refused(REFUSED, ward.run, "records-hospital", "relay", path)
    assert ward.run("records-patient", "folder", "show", ward.id)["state"] == "open"


@pytest.mark.parametrize("who", ["records-hospital", "records-patient"])
def test_author_and_patient_read_the_exact_bytes(ward, record, who):
    whole = ward.read(who, record)
    assert raw_resources(whole) == raw_resources(SMALL)
    bundle = json.loads(whole)
    assert bundle["type"] == "collection"
    assert bundle["entry"][0]["fullUrl"] == "urn:uuid:0f1a0000-0000-4000-8000-000000000001"
    assert ward.read(who, record, "--part", 2) == raw_resources(SMALL)[1]
    refused(NOT_FOUND, ward.read, who, record, "--part", 4)


def test_a_part_goes_to_standard_output_as_it_is(ward, record):
    done = subprocess.run([binary(), "record", "read", record, "--part", "2", "--out", "-", "--home",
                           ward.consortium.home("records-patient")], capture_output=True, timeout=60,
                          env={**os.environ, "XINGLIN_PASSWORD": PASSWORD})
    assert done.returncode == 0, done.stderr
    assert done.stdout == raw_resources(SMALL)[1].encode()


def test_nobody_else_reads(ward, record):
    refused(REFUSED, ward.read, "records-trustee", record)
    listed = ward.run("records-trustee", "record", "list", "--folder", ward.id)["records"]
    assert record in [entry["record"] for entry in listed]


def test_who_lost_its_author_copy_cannot_read_what_it_may_only_write(ward):
    mine = ward.add(ward.file("copy.json", SMALL))[0]["record"]
    copies(ward.consortium.home("records-hospital"))[mine].erase()
    assert "key of the folder" in refused(REFUSED, ward.read, "records-hospital", mine)
    assert raw_resources(ward.read("records-patient", mine)) == raw_resources(SMALL)


def test_the_node_sees_no_plaintext(ward, record):
    words = [b"glucose", "Größe".encode(), b"General Hospital", b"general"]
    for path in ward.consortium.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in words if word in content], path


def test_a_real_patients_bundle(ward):
    if not SYNTHEA.exists():
        pytest.skip(f"no data at {SYNTHEA}")
    largest = max(SYNTHEA.glob("*.json"), key=lambda path: path.stat().st_size)
    text = largest.read_text()
    added = ward.add(largest)[0]
    resources = raw_resources(text)
    assert added["resources"] == len(resources) > 100
    assert raw_resources(ward.read("records-patient", added["record"])) == resources


def test_documents_are_checked_before_anything_is_sent(ward):
    before = len(ward.run("records-patient", "record", "list", "--folder", ward.id)["records"])
    good, bad = ward.file("good.json", SMALL), ward.file("bad.json", SMALL.replace("Observation", "Observasion"))
    message = refused(USAGE, ward.run, "records-hospital", "record", "add", good, bad, "--folder", ward.id)
    assert "Bundle.entry[1].resource" in message and "Observasion" in message
    assert len(ward.run("records-patient", "record", "list", "--folder", ward.id)["records"]) == before


def test_two_patients_are_never_in_one_record(ward):
    entries = [{"resource": {"resourceType": "Patient", "id": name}} for name in ("a", "b")]
    entries += [
        {"resource": {"resourceType": "Condition", "subject": {"reference": f"Patient/{name}"}}} for name in "ab"
    ]
    entries += [{"resource": {"resourceType": "Practitioner", "active": True}}]
    path = ward.file("two.json", json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}))
    assert "a folder for each patient" in refused(USAGE, ward.add, path)
    other = ward.open_folder("of another")
    first, second = ward.add(path, f"{ward.id},{other}")
    for added, name in ((first, "a"), (second, "b")):
        read = [entry["resource"] for entry in json.loads(ward.read("records-patient", added["record"]))["entry"]]
        assert [resource["resourceType"] for resource in read] == ["Patient", "Condition", "Practitioner"]
        assert read[0]["id"] == name and read[1]["subject"]["reference"] == f"Patient/{name}"


def bundle_of(count):
    """As many patients, with an observation each."""
    entries = [{"resource": {"resourceType": "Patient", "id": f"p{i}"}} for i in range(count)]
    entries += [{"resource": {"resourceType": "Observation", "status": "final", "code": {"text": "glucose"},
                              "subject": {"reference": f"Patient/p{i}"}}} for i in range(count)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def records_in(ward, folder):
    return {entry["record"] for entry in ward.run("records-patient", "record", "list", "--folder", folder)["records"]}


def legal_copies(ward):
    return set(copies(ward.consortium.home("records-hospital")))


def test_the_records_of_one_document_are_registered_in_one_transaction(ward):
    path, folders = ward.file("together.json", bundle_of(2)), [ward.open_folder("one"), ward.open_folder("other")]
    copies = legal_copies(ward)
    added = ward.add(path, ",".join(folders))
    assert len({entry["registered"]["transaction"] for entry in added}) == 1
    assert [records_in(ward, folder) for folder in folders] == [{entry["record"]} for entry in added]
    assert legal_copies(ward) - copies == {entry["record"] for entry in added}
    for entry in added:
        assert len(raw_resources(ward.read("records-hospital", entry["record"]))) == 2
        assert ward.run("records-patient", "record", "status", entry["record"])["available"] == "yes"


@pytest.mark.parametrize("closed_first", [True, False])
def test_where_one_folder_may_not_be_written_into_nothing_is_registered(ward, closed_first):
    path, writable = ward.file("apart.json", bundle_of(2)), ward.open_folder("open")
    readable = ward.act("folder", "open", "--label", "without a grant")["folder"]
    copies = legal_copies(ward)
    folders = (readable, writable) if closed_first else (writable, readable)
    assert "NotAllowedToWrite" in refused(REFUSED, ward.add, path, ",".join(folders))
    assert records_in(ward, writable) == records_in(ward, readable) == set()
    assert legal_copies(ward) == copies


class Between:
    """A proxy that does something before the `at`-th of the calls that it sees: what `sees` says of the request's first line and body."""

    def __init__(self, ward, sees, do, at):
        self.ward, self.sees, self.do, self.at, self.count = ward, sees, do, at, 0

    def __enter__(self):
        self.recorder = Recorder(self.ward.consortium.node.port)
        self.recorder.before = self.look
        self.ward.consortium.rpc_url = self.recorder.url
        return self

    def look(self, line, body):
        if not self.sees(line, body):
            return None
        self.count += 1
        return self.do() if self.count == self.at else None

    def __exit__(self, *_):
        self.ward.consortium.rpc_url = None
        self.recorder.close()


def test_where_one_blob_is_not_taken_nothing_is_registered(ward):
    path, folders = ward.file("half.json", bundle_of(2)), [ward.open_folder("taken"), ward.open_folder("not taken")]
    copies = legal_copies(ward)
    with Between(ward, lambda line, _: line.startswith("PUT /blobs/"), lambda: 507, at=2) as between:
        assert "did not take the sealed record" in refused(REFUSED, ward.add, path, ",".join(folders))
        assert between.count == 2
    assert records_in(ward, folders[0]) == records_in(ward, folders[1]) == set()
    assert legal_copies(ward) == copies


def test_a_rotation_in_between_seals_all_of_them_once_more(ward):
    path, folders = ward.file("turned.json", bundle_of(2)), [ward.open_folder("still"), ward.open_folder("turned")]
    copies = legal_copies(ward)

    def rotate():
        ward.consortium.rpc_url = None
        ward.act("folder", "rotate", folders[1])

    with Between(ward, lambda line, _: line.startswith("PUT /blobs/"), rotate, at=2) as between:
        added = ward.add(path, ",".join(folders))
        assert between.count == 4
    assert [records_in(ward, folder) for folder in folders] == [{entry["record"]} for entry in added]
    assert legal_copies(ward) - copies == {entry["record"] for entry in added}
    epochs = [
        ward.run("records-patient", "record", "list", "--folder", folder)["records"][0]["epoch"] for folder in folders
    ]
    assert epochs == [1, 2]


def test_as_many_patients_as_fit_and_one_more(ward):
    folder = ward.open_folder("of a whole ward")
    added = ward.add(ward.file("many.json", bundle_of(64)), ",".join([folder] * 64))
    assert len({entry["registered"]["transaction"] for entry in added}) == 1
    assert records_in(ward, folder) == {entry["record"] for entry in added} and len(added) == 64
    message = refused(REFUSED, ward.add, ward.file("more.json", bundle_of(65)), folder)
    assert "65 patients" in message and "at most 64" in message and "divide the document" in message


def test_records_before_and_after_a_rotation(ward):
    folder = ward.open_folder("turning")
    reader = ward.consortium.actor("records-reader", "professional")
    old = ward.add(ward.file("old.json", SMALL), folder)[0]["record"]
    ward.act("share", "--folder", folder, "--with", reader, "--purpose", "TREAT", "--days", 3)
    ward.act("folder", "rotate", folder)
    new = ward.add(ward.file("new.json", SMALL), folder)[0]["record"]
    epochs = {entry["record"]: entry["epoch"] for entry in
              ward.run("records-patient", "record", "list", "--folder", folder)["records"]}
    assert epochs == {old: 1, new: 2}
    refused(REFUSED, ward.read, "records-reader", new)  # a grant is no window
    ward.run("records-reader", "access", "ask", "--folder", folder, "--purpose", "TREAT")
    for one in (old, new):
        assert raw_resources(ward.read("records-reader", one)) == raw_resources(SMALL)
        assert raw_resources(ward.read("records-patient", one)) == raw_resources(SMALL)


def test_one_record_is_shared_alone(ward):
    folder = ward.open_folder("one of two")
    reader = ward.consortium.actor("records-one", "professional")
    shared, kept = [ward.add(ward.file("one.json", SMALL), folder)[0]["record"] for _ in range(2)]
    ward.act("share", "--folder", folder, "--record", shared, "--with", reader, "--purpose", "TREAT", "--days", 3)
    ward.run("records-one", "access", "ask", "--folder", folder, "--record", shared, "--purpose", "TREAT")
    assert raw_resources(ward.read("records-one", shared)) == raw_resources(SMALL)
    refused(REFUSED, ward.read, "records-one", kept)


def test_a_forgotten_folder_gives_nothing(ward):
    folder = ward.open_folder("to be forgotten")
    gone = ward.add(ward.file("gone.json", SMALL), folder)[0]["record"]
    ward.act("folder", "forget", folder)
    assert ward.run("records-patient", "folder", "show", folder)["state"] == "forgotten"
    for who in ("records-patient", "records-hospital"):
        refused(NOT_FOUND, ward.read, who, gone)
    refused(REFUSED, ward.add, ward.file("late.json", SMALL), folder)
    assert ward.run("records-patient", "record", "status", gone)["state"] == "erased"
    wait_for(lambda: ward.run("records-patient", "record", "status", gone)["erasureConfirmedBy"])


def test_erased_and_confirmed_is_said_of_its_wraps_too(ward):
    folder = ward.open_folder("one shared record")
    record = ward.add(ward.file("shared.json", SMALL), folder)[0]["record"]
    readers = [ward.consortium.actor(f"records-wrap-{i}", "professional") for i in range(2)]
    for reader in readers:
        ward.act("share", "--folder", folder, "--record", record, "--with", reader, "--purpose", "TREAT", "--days", 3)
    status = lambda: ward.run("records-patient", "record", "status", record)
    assert (status()["wraps"], status()["erasureConfirmedBy"]) == (0, [])  # it is not erased
    ward.act("record", "erase", record)
    wait_for(lambda: status()["erasureConfirmedBy"])
    confirmed = status()
    assert (confirmed["wraps"], confirmed["wrapsLeft"], confirmed["wrapsServed"]) == (2, 0, 0)


def test_a_forgetting_that_was_interrupted_goes_on_where_it_ended(ward):
    folder = ward.open_folder("interrupted")
    record = ward.add(ward.file("interrupted.json", SMALL), folder)[0]["record"]
    path, proxy = ward.folder / "forget.json", Recorder(ward.consortium.node.port)
    ward.run("records-patient", "folder", "forget", folder, "--out", path)
    command = [binary(), "relay", path, "--home", ward.consortium.home("records-hospital"), "--rpc", proxy.url]
    sends, relaying = [], []

    def kill_at_second(_, body):
        if b"eth_sendRawTransaction" not in body:
            return None
        sends.append(body)
        if len(sends) < 2:
            return None
        relaying[0].kill()
        return 500

    proxy.before = kill_at_second
    try:
        relaying.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         env={**os.environ, "XINGLIN_PASSWORD": PASSWORD}))
        assert relaying[0].wait(60) == -9
    finally:
        proxy.close()
    assert ward.run("records-patient", "folder", "show", folder)["state"] == "forgotten"
    refused(REFUSED, ward.run, "records-hospital", "relay", path)  # the forgetting itself serves once
    assert ward.run("records-hospital", "folder", "erase", folder)["erased"] >= 1
    assert ward.run("records-hospital", "folder", "erase", folder)["erased"] == 0
    assert ward.run("records-patient", "record", "status", record)["state"] == "erased"
    refused(REFUSED, ward.run, "records-hospital", "folder", "erase", ward.id)  # which is not forgotten


def own_copy(ward, record, *more):
    path = ward.folder / "own-copy.json"
    ward.run("records-hospital", "record", "read", record, "--own-copy", "--out", path, *more)
    return path.read_text()


@pytest.mark.parametrize("end", ["erased", "forgotten"])
def test_an_author_reads_what_it_wrote_whatever_the_patient_does(ward, end):
    folder = ward.open_folder(f"kept by law {end}")
    record = ward.add(ward.file("kept-by-law.json", SMALL), folder)[0]["record"]
    before = own_copy(ward, record)
    ward.act(*(["record", "erase", record] if end == "erased" else ["folder", "forget", folder]))
    wait_for(lambda: ward.run("records-patient", "record", "status", record)["erasureConfirmedBy"])
    refused(NOT_FOUND, ward.read, "records-hospital", record)  # no node has it
    assert not list((ward.consortium.data / "blobs").rglob(f"*{record[2:]}*"))  # on its disk neither
    assert own_copy(ward, record) == before and raw_resources(before) == raw_resources(SMALL)
    assert json.loads(own_copy(ward, record, "--part", 1)) == json.loads(before)["entry"][0]["resource"]
    for who in ("records-patient", "records-trustee"):
        refused(NOT_FOUND, ward.run, who, "record", "read", record, "--own-copy", "--out", ward.folder / "none.json")
    kept = copies(ward.consortium.home("records-hospital"))[record]
    content = kept.content
    assert not [word for word in (b"glucose", b"Observation") if word in content]  # sealed, on its disk too
    assert len(content) < 1 << 20
    kept.overwrite(content[:-1] + bytes([content[-1] ^ 1]))
    refused(FAILED, own_copy, ward, record)
    kept.erase()
    refused(NOT_FOUND, own_copy, ward, record)
    older = ward.consortium.home("records-hospital") / "records" / f"{record}.xlc"
    older.write_bytes(content)  # as homes kept it before, one a file
    assert own_copy(ward, record) == before
    older.unlink()


def test_the_words_alone_find_a_patients_folders_again(ward):
    record = ward.add(ward.file("kept.json", SMALL))[0]["record"]
    words = ward.folder / "words.txt"
    words.write_text(ward.run("records-patient", "wallet", "phrase")["phrase"])
    ward.consortium.new_home("records-again", phrase=words)
    assert ward.run("records-again", "folder", "list")["folders"] == []
    found = ward.run("records-again", "folder", "recover")
    known = lambda report: {(folder["folder"], folder["label"]) for folder in report["folders"]}
    on_chain = [folder for folder in ward.run("records-patient", "folder", "list")["folders"] if "epoch" in folder]
    assert known(found) == known({"folders": on_chain}) and found["found"] == len(on_chain)
    assert (ward.id, "general") in known(found)
    assert raw_resources(ward.read("records-again", record)) == raw_resources(SMALL)
    assert ward.run("records-again", "folder", "recover")["found"] == 0
    path = ward.folder / "again.json"
    ward.run("records-again", "share", "--folder", ward.id, "--with", ward.hospital, "--rights", "write", "--days", 30,
             "--out", path)
    ward.run("records-hospital", "relay", path)  # its numbers go on where those of the lost home ended


# Proofs.

@pytest.fixture(scope="module")
def proof(ward, record):
    path = ward.folder / "proof.json"
    ward.run("records-patient", "proof", record, "--index", 2, "--out", path)
    return path


def verify(proof, anchor, *options):
    """With no home and no network."""
    command = (
        ["unshare", "-rn"] if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0 else []
    )
    done = subprocess.run(
        [*command, binary(), "verify", str(proof), "--trust", str(anchor), "--json", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
    )
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}


def test_a_proof_verifies_offline(ward, record, proof):
    out = ward.folder / "proven.json"
    code, report = verify(proof, ward.consortium.deployment, "--out", out)
    assert code == 0 and report["proven"] and report["state"] == "registered"
    assert report["record"] == record and report["author"].lower() == ward.hospital.lower()
    assert out.read_text() == raw_resources(SMALL)[1]
    assert b"Gr\xc3\xb6\xc3\x9fe" not in proof.read_bytes()


def changed_hex(value, at):
    """One bit of the byte at that place of "0x…"."""
    at = 2 + 2 * at
    return value[:at] + f"{int(value[at:at + 2], 16) ^ 1:02x}" + value[at + 2:]


def spoil(proof):
    """Each proof with one thing changed, by name."""
    def one(name, change):
        copy = json.loads(json.dumps(proof))
        change(copy)
        return name, copy

    for member in ("genesis", "records", "record", "salt", "header", "seal"):
        size = (len(proof[member]) - 2) // 2
        for at in sorted({0, 1, size // 3, size // 2, size - 2, size - 1}):
            yield one(f"{member}[{at}]", lambda p, m=member, a=at: p.update({m: changed_hex(p[m], a)}))
    resource = base64.urlsafe_b64decode(proof["resource"] + "==")
    for at in range(0, len(resource), 7):
        other = resource[:at] + bytes([resource[at] ^ 1]) + resource[at + 1:]
        text = base64.urlsafe_b64encode(other).rstrip(b"=").decode()
        yield one(f"resource[{at}]", lambda p, t=text: p.update(resource=t))
    lists = {"path": proof["path"], "accountProof": proof["accountProof"]}
    for member, nodes in lists.items():
        for i, node in enumerate(nodes):
            for at in (0, (len(node) - 2) // 4, (len(node) - 2) // 2 - 1):
                yield one(f"{member}[{i}][{at}]",
                          lambda p, m=member, i=i, a=at: p[m].__setitem__(i, changed_hex(p[m][i], a)))
        yield one(f"{member} shorter", lambda p, m=member: p[m].pop())
        yield one(f"{member} longer", lambda p, m=member: p[m].append(p[m][-1]))
    for i, slot in enumerate(proof["storageProof"]):
        yield one(
            f"key {i}", lambda p, i=i: p["storageProof"][i].update(key=changed_hex(p["storageProof"][i]["key"], 31))
        )
        for j, node in enumerate(slot["proof"]):
            for at in (0, (len(node) - 2) // 4, (len(node) - 2) // 2 - 1):
                yield one(f"storage {i} {j}[{at}]", lambda p, i=i, j=j, a=at: p["storageProof"][i]["proof"].__setitem__(
                    j, changed_hex(p["storageProof"][i]["proof"][j], a)))
    # Not "count": it shapes the path and is no claim; some paths fit two counts, as in every tree of RFC 6962.
    for member in ("index", "chainId", "v"):
        yield one(member, lambda p, m=member: p.update({m: p[m] + 1}))
    for member in list(proof):
        yield one(f"no {member}", lambda p, m=member: p.pop(m))
    yield one("more", lambda p: p.update(claim="the whole record"))


def test_every_changed_proof_is_refused(ward, proof):
    count = 0
    for name, changed in spoil(json.loads(proof.read_text())):
        path = ward.file("spoiled.json", json.dumps(changed))
        code, report = verify(path, ward.consortium.deployment)
        assert code == NOT_PROVEN and report["proven"] is False and report["reason"], (name, code, report)
        count += 1
    assert count > 80


def test_the_anchor_decides(ward, proof):
    anchor = json.loads(ward.consortium.deployment.read_text())
    others = [{**anchor, member: changed_hex(anchor[member], 5)} for member in ("sealer", "genesis")]
    others += [{**anchor, "chainId": anchor["chainId"] + 1}]
    others += [{**anchor, "records": {**anchor["records"], member: changed_hex(anchor["records"][member], 5)}}
               for member in ("address", "codeHash")]
    for other in others:
        assert verify(proof, ward.file("anchor.json", json.dumps(other)))[0] == NOT_PROVEN
    first = {**anchor, "v": 1}
    code, report = verify(proof, ward.file("anchor.json", json.dumps(first)))
    assert code not in (0, NOT_PROVEN) and "version 1" in report["error"]
    assert verify(proof, ward.file("no-anchor.json", "{}"))[0] == USAGE


def test_an_erased_record_is_gone_and_its_proof_stays(ward):
    record = ward.add(ward.file("erase.json", SMALL))[0]["record"]
    proof = ward.folder / "before.json"
    ward.run("records-patient", "proof", record, "--index", 1, "--out", proof)
    assert ward.run("records-patient", "record", "status", record)["available"] == "yes"
    assert ward.run("records-trustee", "record", "status", record)["httpStatus"] == 403
    ward.act("record", "erase", record)

    def confirmed():
        report = ward.run("records-patient", "record", "status", record)
        return report["erasureConfirmedBy"] and report

    report = wait_for(confirmed)
    assert report["state"] == "erased" and report["available"] == "erased" and report["httpStatus"] == 410
    assert len(report["erasureConfirmedBy"]) == 1
    for who in ("records-patient", "records-hospital"):
        refused(NOT_FOUND, ward.read, who, record)
    refused(REFUSED, ward.act, "record", "erase", record)
    assert verify(proof, ward.consortium.deployment)[0] == 0


def test_commands_teach():
    for command in (
        "folder open",
        "folder show",
        "folder list",
        "folder rotate",
        "folder forget",
        "relay",
        "record add",
        "record list",
        "record read",
        "record erase",
        "record status",
        "proof",
        "verify",
    ):
        done = subprocess.run([binary(), *command.split(), "--help"], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and f"xinglin {command}" in done.stdout, command
