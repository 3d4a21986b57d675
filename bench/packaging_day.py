#!/usr/bin/env python3
"""A day of a packaging line, as its users have it, with the program's defaults.

usage: bench/packaging_day.py [--xinglin build/src/app/xinglin] [--packs 100000] [--lines 4] [--a-document 5000]
                              [--a-case 50] [--keep FOLDER]

Lines (processes at once, one home) commission one lot in documents of packs, cases and pallets, with rejects; one of
them is killed, and so is the node, and both go on. All pallets are shipped in one document and received. The wholesaler
ships two cases on, a pharmacy dispenses, a regulator recalls the lot, and its holders are counted. One JSON object:
what each step took, packs a second, bytes of homes and node, CPU of `pack verify`. With --keep the folder is kept.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "process"))
EXPIRY, A_PALLET, DISPENSED, VERIFIED = "2031-06-30", 40, 5, 40  # cases a pallet; packs; questions


def check_digit(digits):
    total = sum((3 if i % 2 == 0 else 1) * int(d) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


GTIN, LOT = check_digit("0401234567701"), "DAY-1"


def event(kind, action, step, hour=6, **members):
    return {"type": kind, "action": action, "bizStep": step, "eventTime": f"2026-01-05T{hour:02d}:00:00Z",
            "eventTimeZoneOffset": "+01:00", **members}


class Day:
    def __init__(self, machine, folder, options):
        self.machine, self.options, self.ssccs, self.documents = machine, options, 0, 0
        self.took, self.pallets, self.lock = {}, [], threading.Lock()
        self.c = machine.Consortium(folder / "c")
        for name, role in (("maker", "manufacturer"), ("wholesaler", "wholesaler"), ("pharmacy", "pharmacy"),
                           ("regulator", "regulator")):
            self.c.actor(name, role)
        self.c.product("maker", GTIN, "regulator")
        self.rejects = 0

    def sscc(self):
        with self.lock:
            self.ssccs += 1
            return "https://id.gs1.org/00/" + check_digit(f"34012345{self.ssccs:09d}")

    def serials(self, head, count):
        return [f"{head}{i:06d}" for i in range(count)]

    def write(self, events):
        with self.lock:
            self.documents += 1
            path = self.c.folder / f"day-{self.documents}.jsonld"
        path.write_text(json.dumps({"@context": [], "type": "EPCISDocument", "schemaVersion": "2.0", "id": path.name,
                                    "creationDate": "2026-01-05T18:00:00Z", "epcisBody": {"eventList": events}}))
        return path

    def timed(self, name, call):
        began = time.monotonic()
        answer = call()
        self.took[name] = round(time.monotonic() - began, 2)
        return answer

    def run(self, name, *arguments):
        return self.c.run(name, *arguments, timeout=3600)

    # --- lines ---

    def line_document(self, line, number, count):
        """Packs in full cases, cases on pallets, two rejects that stand loose."""
        packs = [f"https://id.gs1.org/01/{GTIN}/21/{serial}" for serial in self.serials(f"{line}{number:03d}-", count)]
        ilmd = {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": EXPIRY}
        hour, cases, events = 6 + number % 12, [], []
        events.append(event("ObjectEvent", "ADD", "commissioning", hour, epcList=packs, ilmd=ilmd))
        events.append(event("ObjectEvent", "DELETE", "decommissioning", hour, epcList=packs[-2:]))
        for at in range(0, count - 2 - self.options.a_case + 1, self.options.a_case):
            cases.append(self.sscc())
            events.append(event("AggregationEvent", "ADD", "packing", hour, parentID=cases[-1],
                                childEPCs=packs[at:at + self.options.a_case]))
        pallets = []
        for at in range(0, len(cases), A_PALLET):
            pallets.append((self.sscc(), cases[at:at + A_PALLET]))
            events.append(event("AggregationEvent", "ADD", "packing", hour, parentID=pallets[-1][0],
                                childEPCs=pallets[-1][1]))
        return self.write(events), pallets

    def capture(self, path, kill_after_s=None):
        """Until it is done, as an operator would: again, if it or the node was killed."""
        command = [self.machine.binary(), "pack", "capture", str(path), "--home", str(self.c.home("maker")), "--json"]
        environment = {**os.environ, "XINGLIN_PASSWORD": self.machine.PASSWORD}
        for _ in range(60):
            run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if kill_after_s:
                time.sleep(kill_after_s)
                run.kill()
                kill_after_s = None
            out, problem = run.communicate()
            if run.returncode == 0:
                return json.loads(out)
            self.again = getattr(self, "again", []) + [(problem or out).decode(errors="replace")[-200:]]
            time.sleep(0.5)
        raise AssertionError(f"{path} never ended: {self.again[-3:]}")

    def line(self, name):
        packs, number = self.options.packs // self.options.lines, 0
        while packs > 0:
            count = min(packs, self.options.a_document)
            path, pallets = self.line_document(name, number, count)
            report = self.capture(path, 0.3 if name == "B" and number == 0 else None)
            assert report["code"] == "OK" and not report["notCaptured"], report
            with self.lock:
                self.pallets += pallets
                self.rejects += 2
            packs, number = packs - count, number + 1

    def restart(self):
        time.sleep(2)
        port = self.c.node.port
        self.c.node.kill()
        self.c.node = self.machine.Node(self.c.data, "node", port=port)

    def produce(self):
        jobs = [lambda name=name: self.line(name) for name in "ABCDEFGH"[:self.options.lines]]
        self.machine.in_threads([*jobs, self.restart])

    # --- trade ---

    def ship(self, by, to, things):
        path = self.write([event("ObjectEvent", "OBSERVE", "shipping", 19, epcList=things)])
        sealed = path.with_suffix(".sealed")
        report = self.run(by, "pack", "capture", path, "--to", self.c.accounts[to], "--out", sealed)
        assert report["code"] == "OK", report
        return sealed

    def verify_ms(self, home, pack):
        """Milliseconds of CPU a question, start and end of the program included."""
        environment = {**os.environ, "XINGLIN_PASSWORD": self.machine.PASSWORD}
        command = [self.machine.binary(), "pack", "verify", pack, "--home", str(self.c.home(home)), "--json"]
        best = None
        for _ in range(VERIFIED):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best = cpu if best is None else min(best, cpu)
        return round(1000 * best, 2)

    def states(self, packs, name="maker"):
        found = []
        for pack in packs:
            try:
                found.append(self.run(name, "pack", "verify", pack)["state"])
            except self.machine.Refused as refused:
                found.append(refused.report["state"])
        return found

    def all(self):
        self.timed("produce", self.produce)
        pallets = [sscc for sscc, _ in self.pallets]
        sealed = self.timed("ship", lambda: self.ship("maker", "wholesaler", pallets))
        self.timed("receive", lambda: self.run("wholesaler", "pack", "receive", "--document", sealed))
        pallet, cases = self.pallets[0]
        apart = self.write([event("AggregationEvent", "DELETE", "unpacking", 20, parentID=pallet, childEPCs=cases[:2])])
        self.timed("unpack", lambda: self.run("wholesaler", "pack", "capture", apart))
        sealed = self.timed("ship 2 cases", lambda: self.ship("wholesaler", "pharmacy", cases[:2]))
        self.timed("receive 2 cases", lambda: self.run("pharmacy", "pack", "receive", "--document", sealed))
        first = self.packs_of(cases[0])
        apart = self.write([event("AggregationEvent", "DELETE", "unpacking", 21, parentID=cases[0], childEPCs=first)])
        self.run("pharmacy", "pack", "capture", apart)
        for pack in first[:DISPENSED]:
            self.timed("dispense", lambda pack=pack: self.run("pharmacy", "pack", "dispense", pack))
        assert self.states([*first[:2], first[DISPENSED]], "pharmacy") == ["DISPENSED", "DISPENSED", "ACTIVE"]
        self.timed("recall", lambda: self.run("regulator", "pack", "recall", "--gtin", GTIN, "--lot", LOT, "--reason",
                                              "a day's end"))
        return self.counted(first)

    def packs_of(self, case):
        """As the document that packed it says."""
        for path in sorted(self.c.folder.glob("day-*.jsonld")):
            for one in json.loads(path.read_text())["epcisBody"]["eventList"]:
                if one.get("parentID") == case and one["action"] == "ADD":
                    return one["childEPCs"]
        raise AssertionError(case)

    def counted(self, first):
        holders = self.timed("holders", lambda: self.run("regulator", "pack", "holders", "--gtin", GTIN, "--lot", LOT))
        total = self.options.packs // self.options.lines * self.options.lines
        held = {}
        for row in holders["holders"]:
            held[row["holder"]] = held.get(row["holder"], 0) + row["units"]
        assert holders["commissioned"] == total, holders["commissioned"]
        assert holders["live"] == total - self.rejects - DISPENSED, (holders["live"], self.rejects)
        assert held[self.c.accounts["pharmacy"]] == 2 * self.options.a_case - DISPENSED, held
        assert self.states([first[DISPENSED]]) == ["BATCH_RECALLED"]
        size = lambda folder: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return {"packs": total, "packsASecond": round(total / self.took["produce"]), "seconds": self.took,
                "homeBytesAPack": round(size(self.c.home("maker")) / total),
                "nodeBytesAPack": round(size(self.c.data) / total), "again": len(getattr(self, "again", [])),
                "verifyCpuMs": {name: self.verify_ms(name, first[0]) for name in ("maker", "wholesaler", "pharmacy")},
                "load": round(os.getloadavg()[0], 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--xinglin", default=str(ROOT / "build/src/app/xinglin"))
    parser.add_argument("--packs", type=int, default=100000)
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--a-document", type=int, default=5000)
    parser.add_argument("--a-case", type=int, default=50)
    parser.add_argument("--keep")
    options = parser.parse_args()
    os.environ["XINGLIN"] = options.xinglin
    import machine  # finds the program by the environment
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="xinglin-day-"))
    folder.mkdir(parents=True, exist_ok=True)
    day = Day(machine, folder, options)
    try:
        print(json.dumps(day.all()), flush=True)
    finally:
        day.c.node.stop()
        if not options.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
