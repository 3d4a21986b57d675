"""Actors of the trade in medicines, and EPCIS documents of theirs: what several files of tests need."""
import base64
import hmac
import json
import os
import subprocess

import pytest
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic

from dealing import derive_key_pair, open_sealed
from machine import PASSWORD, Refused, binary

TABLE_BITS = 41  # of a serial in the product's table (docs/decisions/0073)


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
        self.c, self.keys, self.low_bits = consortium, {}, set()
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
        return self.run("maker", "pack", "commission", "--gtin", self.gtin, "--lot", lot, "--expiry", expiry,
                        "--count", count, *more)["units"]

    def fragment(self, serial, gtin=None):
        """What the product's table gets of a serial, as a number: its bucket's place is in the lowest bits."""
        gtin = gtin or self.gtin
        if gtin not in self.keys:
            home = self.c.home(self.prefix + "maker")
            seed = seed_from_mnemonic(self.run("maker", "wallet", "phrase")["phrase"], "")
            secret = derive_key_pair(key_from_seed(seed, "m/7697'/0'/1'"))
            kept = json.loads(open_sealed((home / "products" / f"{gtin}.jwe").read_bytes(), secret))
            self.keys[gtin] = base64.urlsafe_b64decode(kept["key"] + "=")
        tag = hmac.digest(self.keys[gtin], f"xinglin/unit/1{gtin}{serial}".encode(), "sha256")
        return int.from_bytes(tag[:7], "big")

    def sound(self, prefix, count):
        """Serials that the product's table can tell from each other, whatever the product's key is."""
        serials, at = [], 0
        while len(serials) < count:
            low = self.fragment(f"{prefix}{at}") % 2**TABLE_BITS
            if low not in self.low_bits:
                self.low_bits.add(low)
                serials.append(f"{prefix}{at}")
            at += 1
        return serials

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
