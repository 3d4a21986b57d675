"""The demo as a newcomer runs it: with a single resource and a document that names its lot, and with what it cannot use."""
import json
import subprocess
import sys

import pytest

from machine import ROOT, binary
from members import comet_program
from test_inspect import PATIENT, epcis, event, write

PACKS = [f"urn:epc:id:sgtin:0614141.107346.{serial}" for serial in range(2010, 2014)]
NAMED = {"cbvmda:lotNumber": "L1", "cbvmda:itemExpirationDate": "2030-06-30"}


def demo(folder, *options):
    return subprocess.run([sys.executable, ROOT / "tools" / "demo", "--xinglin", binary(), *map(str, options)],
                          cwd=folder, capture_output=True, text=True, timeout=300)


def born(**members):
    return event(action="ADD", bizStep="commissioning", epcList=PACKS, **members)


def test_all_steps_with_a_single_resource_and_a_lot_that_the_document_names(tmp_path):
    fhir = write(tmp_path / "patient.json", PATIENT)
    events = write(tmp_path / "events.jsonld", epcis(born(ilmd=NAMED)))
    done = demo(tmp_path, "--fhir", fhir, "--epcis", events, "--out", "shown")
    assert done.returncode == 0, done.stdout + done.stderr
    report = (tmp_path / "shown" / "report.txt").read_text(encoding="utf-8")
    assert report == done.stdout
    assert "recalls lot L1: 4 packs were commissioned, 1 of them" in report and "reads 1 resource; every byte" in report
    assert "commissions 4 of the document's packs, lot L1." in report and "last day 2030-06-30" in report
    assert [n for n in range(1, 10) if f"\n{n}. " in report] == list(range(1, 10))
    assert max(map(len, report.splitlines()[:-1])) <= 120
    assert json.loads((tmp_path / "shown" / "proof.json").read_text())["count"] == 1


def test_a_thousand_packs_on_a_pallet(tmp_path):
    done = demo(tmp_path, "--packs", 1000, "--out", "shown")
    assert done.returncode == 0, done.stdout + done.stderr
    report = " ".join(done.stdout.split())
    assert "commissions 1,000 packs" in report and "2 cases, and these onto pallet" in report
    assert "1000 packs were commissioned, 1 of them" in report and "All nine steps are done" in report


@pytest.mark.parametrize("link, why", [
    ("https://id.gs1.org/01/00614141073467/10/OTHER/21/1", "wrong-lot"),
    ("https://id.gs1.org/01/00614141073467/21/1?17=310630", "wrong-expiry")])
def test_a_link_that_names_another_lot_than_its_event_is_refused_first(tmp_path, link, why):
    """By the program's own judging, before anything begins."""
    packs = [link, "https://id.gs1.org/01/00614141073467/21/2"]
    events = write(tmp_path / "events.jsonld", epcis(
        event(action="ADD", bizStep="commissioning", epcList=packs, ilmd=NAMED)))
    done = demo(tmp_path, "--epcis", events, "--out", "never")
    assert done.returncode == 2 and f"event 1: {why}" in done.stderr and "Nothing has begun" in done.stderr
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("packs", ["1", "10001", "many", ""])
def test_a_number_of_packs_that_it_cannot_use_is_refused_first(tmp_path, packs):
    done = demo(tmp_path, "--packs", packs, "--out", "never")
    assert done.returncode == 2 and "from 2 to 10000" in done.stderr and not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    "option, content, words",
    [
        ("--epcis", {"epcisBody": None}, "@context"),
        ("--epcis", epcis(None), "event 1"),
        (
            "--epcis",
            epcis(event(action="ADD", bizStep="commissioning", epcList=["urn:epc:id:sgtin:1.2"])),
            "no event of it",
        ),
        ("--epcis", epcis(born(ilmd={**NAMED, "cbvmda:itemExpirationDate": "2020-06-30"})), "expired on 2020-06-30"),
        ("--epcis", epcis(born(ilmd={**NAMED, "cbvmda:lotNumber": "X" * 21})), "GS1 allows 20"),
        ("--epcis", epcis(born(ilmd=NAMED, eventTime="9999-01-01T00:00:00Z")), "has not come yet"),
        ("--epcis", epcis(born(ilmd=NAMED), born(ilmd=NAMED)), "is commissioned twice"),
        (
            "--epcis",
            epcis(
                born(ilmd=NAMED),
                event(action="ADD", bizStep="commissioning", epcList=["urn:epc:id:sgtin:0614141.107346.1"],
                      ilmd={**NAMED, "cbvmda:itemExpirationDate": "2031-06-30"}),
            ),
            "expires on 2030-06-30 and on 2031-06-30",
        ),
        (
            "--epcis",
            epcis(event(action="ADD", bizStep="commissioning", epcList=PACKS[:1], ilmd=NAMED)),
            "it has one pack",
        ),
        (
            "--fhir",
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [
                    {
                        "fullUrl": f"urn:uuid:0f1a0000-0000-4000-8000-00000000000{i}",
                        "resource": {"resourceType": "Patient"},
                    }
                    for i in (1, 2)
                ],
            },
            "2 patients",
        ),
        ("--fhir", "not JSON", "JSON"),
    ],
)
def test_what_it_cannot_use_is_refused_before_anything_begins(tmp_path, option, content, words):
    done = demo(tmp_path, option, write(tmp_path / "input.json", content))
    assert done.returncode == 2 and done.stdout == ""
    assert words in done.stderr and "Traceback" not in done.stderr and done.stderr.endswith("Nothing has begun.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["input.json"]


def test_the_main_job_runs_over_a_consortium_and_a_member_that_lies_gains_nothing(tmp_path):
    done = demo(tmp_path, "--consortium", comet_program(), "--out", "shown")
    assert done.returncode == 0, done.stdout
    assert "All ten steps are done" in done.stdout
    lies = done.stdout[done.stdout.index("10. The fourth member lies") :]
    assert lies.count("REFUSED") == 4
