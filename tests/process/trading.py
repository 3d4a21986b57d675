"""Actors of the trade in medicines, and EPCIS documents of theirs: what several files of tests need."""
import json
import os
import subprocess

import pytest

from machine import PASSWORD, Refused, binary


def check_digit(digits):
    total = sum((3 if i % 2 == 0 else 1) * int(d) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


GTIN = check_digit("0401234567890")


class Trade:
    """A regulator, a maker, a wholesaler and two pharmacies; a registered product. SSCCs are never used twice."""

    prefix, gtin, count = "md-", GTIN, 0
    actors = {"regulator": "regulator", "maker": "manufacturer", "other": "manufacturer", "wholesaler": "wholesaler",
              "pharmacy": "pharmacy", "pharmacy-2": "pharmacy"}

    def __init__(self, consortium):
        self.c = consortium
        for name, roles in self.actors.items():
            consortium.actor(self.prefix + name, roles)
        self.register(self.gtin)

    def run(self, name, *arguments, **options):
        return self.c.run(self.prefix + name, *arguments, **options)

    def address(self, name):
        return self.c.accounts[self.prefix + name]

    def path(self, suffix="sealed"):
        self.count += 1
        return self.c.folder / f"{self.prefix}{self.count}.{suffix}"

    def register(self, gtin, maker="maker"):
        return self.c.product(self.prefix + maker, gtin, self.prefix + "regulator")

    def sscc(self):
        self.count += 1
        return check_digit(f"34012345{self.count:09d}")

    def lot(self):
        self.count += 1
        return f"LOT-{self.count}"

    def commission(self, lot, count=4, expiry="2030-06-30", *more):
        return self.run("maker", "pack", "commission", "--gtin", self.gtin, "--lot", lot, "--expiry", expiry, "--count",
                        count, *more)["units"]

    def case(self, units, by="maker"):
        sscc = self.sscc()
        self.run(by, "pack", "aggregate", *units, "--sscc", sscc)
        return sscc

    def ship(self, sscc, to, by="maker", *more):
        sealed = self.path()
        self.run(by, "pack", "ship", "--sscc", sscc, "--to", self.address(to), "--out", sealed, *more)
        return sealed

    def deliver(self, units, to, by="maker"):
        """Packed, shipped, received, unpacked: the units stand loose with `to`."""
        sscc = self.case(units, by)
        self.run(to, "pack", "receive", "--document", self.ship(sscc, to, by))
        self.run(to, "pack", "aggregate", *units, "--sscc", sscc, "--unpack")


def refused(code, name, call, *arguments, **options):
    with pytest.raises(Refused) as caught:
        call(*arguments, **options)
    assert caught.value.code == code, caught.value
    text = json.dumps(caught.value.report)
    assert name in text, caught.value
    return caught.value.report


def happened(kind="ObjectEvent", **members):
    return {"type": kind, "eventTime": "2026-01-01T00:00:00Z", "eventTimeZoneOffset": "+00:00", **members}


def document(trade, events):
    path = trade.path("jsonld")
    path.write_text(json.dumps({"@context": [], "type": "EPCISDocument", "schemaVersion": "2.0", "id": str(path),
                                "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": events}}))
    return path


def capture(trade, by, events, *more):
    """One document of these events, captured."""
    return trade.run(by, "pack", "capture", document(trade, events), *more)


def link(gtin, serial):
    return f"https://id.gs1.org/01/{gtin}/21/{serial}"


def born(packs, lot, **members):
    ilmd = {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": "2030-06-30"}
    return happened(action="ADD", bizStep="commissioning", epcList=packs, ilmd=ilmd, **members)


def moved(step, packs, **members):
    return happened(action="OBSERVE", bizStep=step, epcList=packs, **members)


def parts_of(trade, name, events):
    """A document, and a command that captures it, not started."""
    path = document(trade, events)
    return path, [binary(), "pack", "capture", str(path), "--home", str(trade.c.home(trade.prefix + name)), "--json"]


def kept_plans(trade):
    """Of the maker's home."""
    return list((trade.c.home(trade.prefix + "maker") / "plans").glob("*"))


def run_at_once(commands):
    """Reports of commands that begin together."""
    environment = {**os.environ, "XINGLIN_PASSWORD": PASSWORD}
    runs = [subprocess.Popen([binary(), *map(str, command), "--json"], env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE) for command in commands]
    reports = []
    for run in runs:
        out, problem = run.communicate(timeout=300)
        assert run.returncode == 0, problem
        reports.append(json.loads(out))
    return reports
