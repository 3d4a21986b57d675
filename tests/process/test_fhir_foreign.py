"""Two hospitals: what one shares stands in the other's FHIR server while a window is open, and nowhere afterwards."""
import concurrent.futures
import json
import signal
import struct
import subprocess

import pytest

from fhirs import Fhir, entry, observation, patient
from gateways import Gateway
from issuers import AUDIENCE, Issuer
from machine import wait_for
from memories import found_in_index, found_in_memory

CANARIES = ("canaryfamily", "canarycode", "quagganarrative", "canaryattachment")


def canary_patient():
    return patient("CanaryFamily", identifier=[{"system": "urn:id", "value": "canaryattachment"}])


def canary_observation(subject):
    return observation(subject, "quagganarrative words", code={"text": "quagganarrative", "coding": [{"code": "canarycode"}]})


CLOCK = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* The real clock, ahead by the number in the file FB_CLOCK. */
static volatile long *ahead;
__attribute__((constructor)) static void begin(void) {
	ahead = mmap(NULL, 8, PROT_READ, MAP_SHARED, open(getenv("FB_CLOCK"), O_RDONLY), 0);
}
int clock_gettime(clockid_t clock, struct timespec *out) {
	int code = (int)syscall(SYS_clock_gettime, clock, out);
	if (code == 0 && clock == CLOCK_REALTIME && ahead) out->tv_sec += *ahead;
	return code;
}
"""


class Hospitals:
    """fa shares with fb; fr sends what they sign, since a gateway that runs has its home's lock."""

    def __init__(self, consortium, issuer):
        self.c, self.files = consortium, 0
        for name in ("fa", "fb", "fr"):
            consortium.actor(name, "hospital")
        self.a = Gateway(consortium.home("fa"))
        self.clock = consortium.folder / "fb-clock"
        self.set_clock(0)
        library = consortium.folder / "fb-clock.so"
        library.with_suffix(".c").write_text(CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, library.with_suffix(".c")], check=True)
        environment = {"LD_PRELOAD": str(library), "FB_CLOCK": str(self.clock), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.b = Gateway(consortium.home("fb"), "--oauth-issuer", issuer.url, "--oauth-audience", AUDIENCE,
                         env=environment)
        self.issuer = issuer
        self.connect()

    def connect(self):
        self.at_a = Fhir(self.a.url + "/fhir", self.a.token)
        self.at_b = Fhir(self.b.url + "/fhir", self.b.token)

    def restart(self):
        assert self.b.end() == 0
        self.b.start()
        self.connect()

    def as_purpose(self, purpose):
        token = self.issuer.token("k", scope="system/*.cruds", purpose_of_use=purpose)
        return Fhir(self.b.url + "/fhir", token)

    def folders(self):
        """Those of fa that hold records."""
        all_of_them = [one["folder"] for one in self.c.run("fa", "folder", "list")["folders"]]
        return {one for one in all_of_them if self.records(one)}

    def records(self, folder):
        """The newest first."""
        return [one["record"] for one in self.c.run("fa", "record", "list", "--folder", folder)["records"]]

    def file(self):
        self.files += 1
        return self.c.folder / f"foreign-{self.files}.json"

    def signed(self, *arguments):
        path = self.file()
        self.c.run("fa", *arguments, "--out", path)
        self.c.run("fr", "relay", path)
        return path

    def share(self, folder, *more, purpose="TREAT"):
        self.signed("share", "--folder", folder, "--with", self.c.accounts["fb"], "--purpose", purpose, "--days", 1, *more)

    def set_clock(self, ahead_s):
        """That of fb alone. In place: a file that is cut off for a moment would end whoever looks at it then."""
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("q", ahead_s))

    def revoke(self, folder, *more):
        path = self.signed("revoke", "--folder", folder, "--from", self.c.accounts["fb"], *more)
        self.c.run("fr", "relay", f"{path}.rotate")

    def open(self, folder, fhir=None):
        parameter = {"name": "folder", "valueString": folder}
        return (fhir or self.at_b).post("$open-folder", {"resourceType": "Parameters", "parameter": [parameter]})

    def must_open(self, folder):
        answer = self.open(folder)
        assert answer.status == 200, answer.body

    def close(self, folder):
        parameter = {"name": "folder", "valueString": folder}
        return self.at_b.post("$close-folder", {"resourceType": "Parameters", "parameter": [parameter]})

    def granted(self):
        """folder: its parts."""
        found = self.at_b.get("$shared-folders").json.get("parameter", [])
        return {parts["folder"]: parts for parts in ({p["name"]: list(p.values())[1] for p in one["part"]} for one in found)}


@pytest.fixture(scope="module")
def issuer():
    started = Issuer()
    started.new_key("k")
    yield started
    started.close()


@pytest.fixture(scope="module")
def two(consortium, issuer):
    made = Hospitals(consortium, issuer)
    yield made
    assert made.a.end() == 0 and made.b.end() == 0


@pytest.fixture
def ward(two):
    """A patient of fa with two observations, in a folder of its own: folder, patient's reference at fa."""
    before = two.folders()
    subject = "Patient/" + two.at_a.create(canary_patient())["id"]
    two.at_a.create(canary_observation(subject))
    two.at_a.create(observation(subject, "second"))
    (folder,) = two.folders() - before
    yield folder, subject
    two.close(folder)


def shown(two, fhir=None):
    return (fhir or two.at_b).get("Patient?family=canaryfamily").json["total"]


def of_author(two, reference, fhir=None):
    """The resource at fb that fa calls so."""
    answer = (fhir or two.at_b).get(f"{reference.split('/')[0]}?_tag=urn:xinglin:name|{reference}")
    return answer.json["entry"][0]["resource"]


def test_a_folder_is_found_by_the_chain_opened_and_read_like_an_own_one(two, ward):
    folder, subject = ward
    assert folder not in two.granted() and two.open(folder).status == 403
    two.share(folder)
    assert two.granted()[folder]["purpose"] == "TREAT" and "open-until" not in two.granted()[folder]
    assert shown(two) == 0
    opened = two.open(folder)
    assert opened.status == 200, opened.body
    assert {"name": "records", "valueInteger": 3} in opened.json["parameter"]
    assert "open-until" in two.granted()[folder]
    seen = of_author(two, subject)
    own = two.at_a.get(subject).json
    assert seen["id"].startswith("shared-") and seen["name"] == own["name"]
    assert {"system": "urn:xinglin:author", "code": two.c.accounts["fa"].lower()} in seen["meta"]["tag"]
    name = f"Patient/{seen['id']}"
    assert two.at_b.get(name).json == seen and two.at_b.get(f"{name}/_history/1").json == seen
    assert two.at_b.get(f"{name}/$everything").json["total"] == 3
    found = two.at_b.get(f"Observation?patient={name}&code=canarycode&_include=Observation:subject").json
    assert [one["resource"]["resourceType"] for one in found["entry"]] == ["Observation", "Patient"]
    assert found["entry"][0]["resource"]["subject"]["reference"] == name
    assert two.at_b.get(f"Patient?_has:Observation:patient:code=canarycode&_id={seen['id']}").json["total"] == 1
    assert two.at_b.get("Observation?_content=quagganarrative").json["entry"]


def test_a_folder_of_many_records_is_taken_in_whole(two, ward):
    """By several hands; and each look at a record stands in the patient's log."""
    folder, subject = ward
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: two.at_a.create(observation(subject, f"number {n}")), range(40)))
    two.share(folder)
    opened = two.open(folder)
    assert {"name": "records", "valueInteger": 43} in opened.json["parameter"], opened.body
    name = "Patient/" + of_author(two, subject)["id"]
    assert two.at_b.get(f"Observation?patient={name}&_summary=count").json["total"] == 42
    assert {"name": "records", "valueInteger": 0} in two.open(folder).json["parameter"]
    reads = two.c.run("fa", "access", "reads", "--folder", folder)["reads"]
    assert sorted(one["item"] for one in reads if one["what"] == "record") == sorted(two.records(folder))


def test_an_app_of_a_patient_opens_no_folders(two, ward):
    """Not even one that may look up practitioners, who are nobody's compartment."""
    folder, subject = ward
    two.share(folder)
    scope = "patient/*.rs patient/Practitioner.rs patient/Organization.rs"
    app = Fhir(two.b.url + "/fhir", two.issuer.token("k", scope=scope, patient="p1", purpose_of_use="TREAT"))
    closing = {"resourceType": "Parameters", "parameter": [{"name": "folder", "valueString": folder}]}
    assert app.get("Practitioner").status == 200
    assert app.get("$shared-folders").status == two.open(folder, app).status == 403
    assert app.post("$close-folder", closing).status == 403 and shown(two) == 0


def test_a_token_that_may_only_read_opens_and_closes_nothing(two, ward):
    folder, subject = ward
    two.share(folder)
    reader = Fhir(two.b.url + "/fhir", two.issuer.token("k", scope="user/*.rs", purpose_of_use="TREAT"))
    asker = Fhir(two.b.url + "/fhir", two.issuer.token("k", scope="user/*.rs user/Consent.c", purpose_of_use="TREAT"))
    closing = {"resourceType": "Parameters", "parameter": [{"name": "folder", "valueString": folder}]}
    refused = two.open(folder, reader)
    assert refused.status == 403 and "Consent" in refused.issues[0]["diagnostics"]
    assert reader.get("$shared-folders").status == 200 and shown(two, reader) == 0
    assert two.open(folder, asker).status == 200 and shown(two, reader) == 1
    assert reader.post("$close-folder", closing).status == 403 and shown(two, reader) == 1
    assert asker.post("$close-folder", closing).status == 200 and shown(two, reader) == 0


def test_what_others_wrote_is_not_written_here(two, ward):
    folder, subject = ward
    two.share(folder)
    two.must_open(folder)
    name = "Patient/" + of_author(two, subject)["id"]
    for answer in (two.at_b.put(name, patient(id=name[8:])), two.at_b.call("DELETE", name),
                   two.at_b.put("Patient/shared-" + "0" * 32, patient(id="shared-" + "0" * 32))):
        assert answer.status == 403 and "read here" in answer.issues[0]["diagnostics"]
    batch = two.at_b.bundle("batch", entry("DELETE", name))
    assert batch.json["entry"][0]["response"]["status"].startswith("403")
    ours = two.at_b.create(observation(name, "of our own"))
    assert two.at_b.get(f"Observation?patient={name}").json["total"] == 3
    two.close(folder)
    assert two.at_b.get(f"Observation/{ours['id']}").status == 200 and two.at_b.get(name).status == 404


def test_a_later_version_is_seen_within_the_window_and_an_erased_record_goes(two, ward):
    folder, subject = ward
    two.share(folder)
    two.must_open(folder)
    name = "Patient/" + of_author(two, subject)["id"]
    changed = canary_patient() | {"id": subject[8:], "birthDate": "1970-01-01"}
    assert two.at_a.put(subject, changed).status == 200
    wait_for(lambda: two.at_b.get(name).json.get("birthDate") == "1970-01-01")
    assert len(two.at_b.get(f"{name}/_history").json["entry"]) == 2
    newest = two.records(folder)[0]
    two.signed("record", "erase", newest)
    wait_for(lambda: "birthDate" not in two.at_b.get(name).json)
    wait_for(lambda: "birthDate" not in two.at_a.get(subject).json)  # and at the hospital that wrote it


def test_a_window_is_for_one_purpose_and_a_grant_of_one_record_for_that_record(two, ward):
    folder, subject = ward
    record = two.records(folder)[-1]  # the patient
    two.share(folder, "--record", record, purpose="HRESCH")
    two.share(folder, purpose="TREAT")
    research = two.as_purpose("HRESCH")
    assert two.open(folder, research).status == 200
    assert shown(two, research) == 1 and research.get("Observation?code=canarycode").json["total"] == 0
    assert shown(two) == 0
    refused = two.open(folder, two.as_purpose("HPAYMT"))
    assert refused.status == 403 and "WRONG_PURPOSE" in refused.issues[0]["diagnostics"]
    assert two.open(folder).status == 200
    assert shown(two) == 1 and two.at_b.get("Observation?code=canarycode").json["total"] == 1
    assert research.get("Observation?code=canarycode").json["total"] == 0


def test_a_revoked_folder_goes_and_does_not_come_back(two, ward):
    folder, _ = ward
    two.share(folder)
    two.must_open(folder)
    assert shown(two) == 1
    two.revoke(folder)
    wait_for(lambda: shown(two) == 0)
    wait_for(lambda: not found_in_index(two.b.home, CANARIES))
    assert folder not in two.granted() and two.open(folder).status == 403


def test_pages_and_exports_end_where_the_window_ends(two, ward):
    folder, subject = ward
    two.share(folder)
    two.must_open(folder)
    first = two.at_b.get("Observation?_count=1&_tag=urn:xinglin:author|" + two.c.accounts["fa"].lower())
    assert first.json.get("entry"), first.body
    (following,) = [link["url"] for link in first.json["link"] if link["relation"] == "next"]
    begun = two.at_b.get("$export?_type=Patient", Prefer="respond-async")
    assert begun.status == 202
    job = begun.headers["content-location"].split("job=")[1]
    status = wait_for(lambda: (answer := two.at_b.get(f"$export-poll-status?job={job}")).status == 200 and answer)
    (output,) = status.json["output"]
    assert b"CanaryFamily" in two.at_b.get(output["url"]).body
    two.close(folder)
    assert two.at_b.get(following).json.get("entry", []) == []
    assert b"CanaryFamily" not in two.at_b.get(output["url"]).body


def use(two, folder, subject):
    """Everything that may leave something behind."""
    name = "Patient/" + of_author(two, subject)["id"]
    for path in (name, f"{name}/$everything", "Observation?_content=quagganarrative&_sort=-_lastUpdated",
                 f"{name}/_history", "Patient?family=canaryfamily&_summary=true", "Observation?code=canarycode"):
        for encoding in (None, "gzip"):
            assert two.at_b.get(path, Accept_Encoding=encoding).status == 200


def test_nothing_is_left_in_memory_and_index_when_the_time_is_over(two, ward):
    """By the clock alone: no node can be asked."""
    folder, subject = ward
    two.share(folder)
    two.must_open(folder)
    use(two, folder, subject)
    assert "canarycode" in found_in_memory(two.b.process.pid, CANARIES)
    assert found_in_index(two.b.home, CANARIES) >= {"canaryfamily", "canarycode"}
    two.c.node.process.send_signal(signal.SIGSTOP)
    two.set_clock(31 * 60)
    try:
        assert shown(two) == 0
        wait_for(lambda: not found_in_index(two.b.home, CANARIES))
        assert (two.b.home / "resources.db-wal").stat().st_size == 0
        words = CANARIES + ("CanaryFamily",)
        wait_for(lambda: not found_in_memory(two.b.process.pid, words), every=0.5)
    finally:
        two.set_clock(0)
        two.c.node.process.send_signal(signal.SIGCONT)
        two.restart()  # a head that it took in the future would be the newest for half an hour


def test_a_gateway_that_was_killed_has_nothing_before_it_asked_the_chain(two, ward):
    folder, subject = ward
    two.share(folder)
    two.must_open(folder)
    use(two, folder, subject)
    two.b.process.kill()
    two.b.process.wait()
    assert found_in_index(two.b.home, CANARIES) >= {"canarycode"}
    two.c.node.process.send_signal(signal.SIGSTOP)  # it cannot be asked
    try:
        two.b.start()
        two.connect()
        assert found_in_index(two.b.home, CANARIES) == set()
    finally:
        two.c.node.process.send_signal(signal.SIGCONT)
    wait_for(lambda: shown(two) == 1)  # the window stands open on the chain
    two.close(folder)
    assert shown(two) == 0
    assert json.loads(two.close(folder).body)["issue"][0]["code"] == "not-found"
