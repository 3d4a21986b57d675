"""Refusals that name figures and what to do, and progress of long work that only a terminal shows."""
import base64
import json
import os
import pty
import re
import subprocess

import pytest

from machine import PASSWORD, ROOT, Refused, binary

AHEAD = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *out) {
    int result = (int)syscall(SYS_clock_gettime, id, out);
    if (result == 0 && id == CLOCK_REALTIME) out->tv_sec += atoi(getenv("AHEAD_S"));
    return result;
}
"""
OBSERVATION = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "glucose"}}


class Ward:
    """A hospital that writes into a patient's folder."""

    def __init__(self, consortium, folder):
        self.c, self.folder = consortium, folder
        consortium.actor("rf-hospital", "hospital")
        consortium.new_home("rf-patient")
        opened, share = folder / "open.json", folder / "share.json"
        self.id = consortium.run("rf-patient", "folder", "open", "--label", "general", "--out", opened)["folder"]
        consortium.run("rf-hospital", "relay", opened)
        consortium.run("rf-patient", "share", "--folder", self.id, "--with", consortium.accounts["rf-hospital"],
                       "--rights", "write", "--days", 3, "--out", share)
        consortium.run("rf-hospital", "relay", share)

    def file(self, name, *resources):
        path = self.folder / name
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
        path.write_text(json.dumps(bundle))
        return path

    def add(self, path, **options):
        return self.c.run("rf-hospital", "record", "add", path, "--folder", self.id, **options)["records"]


@pytest.fixture(scope="module")
def ward(consortium, tmp_path_factory):
    return Ward(consortium, tmp_path_factory.mktemp("refusals"))


def refusal(call, *arguments, **options):
    with pytest.raises(Refused) as caught:
        call(*arguments, **options)
    return caught.value.report


@pytest.fixture(scope="module")
def other_clock(tmp_path_factory):
    """The environment of a program whose clock differs by so many seconds."""
    folder = tmp_path_factory.mktemp("clock")
    (folder / "ahead.c").write_text(AHEAD)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "ahead.so", folder / "ahead.c"], check=True)
    return lambda seconds: os.environ | {"LD_PRELOAD": str(folder / "ahead.so"), "AHEAD_S": str(seconds),
                                         "ASAN_OPTIONS": "verify_asan_link_order=0"}


@pytest.mark.parametrize("seconds,words", [(300, "ahead of"), (-300, "behind")])
def test_a_clock_that_differs_is_named_with_its_seconds(ward, other_clock, seconds, words):
    record = ward.add(ward.file("clock.json", OBSERVATION))[0]["record"]
    for command in (("record", "read", record, "--out", ward.folder / "out"),
                    ("record", "add", ward.folder / "clock.json", "--folder", ward.id)):
        report = refusal(ward.c.run, "rf-hospital", *command, env=other_clock(seconds))
        assert f"seconds {words} the" in report["error"] and "60 are allowed" in report["error"]
        named = int(report["error"].split("clock is ")[1].split()[0])
        assert 300 - 30 <= named <= 300 + 30, report  # the command itself takes a moment
        assert "clock" in report["remedy"] and "access ask" not in json.dumps(report)


def test_a_clock_within_a_minute_is_taken(ward, other_clock):
    for seconds in (-30, 30):
        assert ward.add(ward.file("near.json", OBSERVATION), env=other_clock(seconds))


def test_a_large_attachment_is_refused_with_its_name_its_size_and_the_most(ward):
    small = {"resourceType": "Patient", "id": "p"}
    binary_of = lambda size: {"resourceType": "Binary", "id": "scan", "contentType": "application/pdf",
                              "data": base64.b64encode(os.urandom(size)).decode()}
    assert ward.add(ward.file("fits.json", small, binary_of(12_000_000)))
    path = ward.file("large.json", small, binary_of(13_000_000))
    error = refusal(ward.add, path)["error"]
    assert error.startswith(f"{path}: resource 2 (Binary/scan) has 17333")
    assert "at most 16777216" in error and "about 12 MB" in error


def test_a_refusal_of_a_contract_comes_with_a_remedy(ward):
    ward.c.new_home("rf-stranger")
    share = ward.folder / "stranger.json"
    ward.c.run("rf-patient", "share", "--folder", ward.id, "--with", ward.c.accounts["rf-hospital"], "--rights",
               "write", "--days", 3, "--out", share)
    report = refusal(ward.c.run, "rf-stranger", "relay", share)
    assert report["error"].startswith("refused: NotListed: "), report
    assert "xinglin actor request" in report["remedy"], report


def on_a_terminal(home, *arguments):
    """What the program writes to a terminal that is its standard error, and its report."""
    master, slave = pty.openpty()
    environment = os.environ | {"XINGLIN_PASSWORD": PASSWORD, "TERM": "xterm"}
    command = [binary(), *map(str, arguments), "--json", "--home", home]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=environment)
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    report = process.stdout.read()
    assert process.wait() == 0, (shown, report)
    return shown.decode(), json.loads(report)


def test_long_work_shows_how_far_it_is_on_a_terminal_and_erases_it(ward):
    path = ward.file("shown.json", OBSERVATION)
    shown, report = on_a_terminal(ward.c.home("rf-hospital"), "record", "add", path, "--folder", ward.id)
    assert report["records"]
    size = report["records"][0]["bytes"]
    for text in ("sealing records: 0 of 1", f"sending sealed bytes to the node: 0 of {size}", "waiting for a block"):
        assert text in shown, shown
    assert shown.endswith("\x1b[K") and "\n" not in shown
    assert all(len(line) <= 79 + len("\x1b[K") for line in shown.split("\r"))


def test_a_program_that_reads_standard_error_sees_no_progress(ward):
    command = [binary(), "record", "add", ward.file("quiet.json", OBSERVATION), "--folder", ward.id, "--json",
               "--home", ward.c.home("rf-hospital")]
    done = subprocess.run(command, capture_output=True, text=True, check=True,
                          env=os.environ | {"XINGLIN_PASSWORD": PASSWORD, "TERM": "xterm"})
    assert done.stderr == ""


def test_every_command_that_a_remedy_names_exists():
    source = (ROOT / "src/app/cli/remedies.c").read_text()
    named = {match.strip() for match in re.findall(r"xinglin ((?:[a-z-]+ ){0,1}[a-z][a-z-]+)", source)}
    assert len(named) > 15
    commands = {name for path in (ROOT / "src/app/commands").glob("*.c")
                for name in re.findall(r'\.name = "([a-z -]+)"', path.read_text())}
    begins = lambda name: any(command == name or command.startswith(name + " ") for command in commands)
    assert not [name for name in named if not begins(name) and name.split()[0] not in commands]
