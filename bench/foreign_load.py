#!/usr/bin/env python3
"""How long a folder of others takes from asking for its window to the first search that is answered.

usage: bench/foreign_load.py [--xinglin build/src/app/xinglin] [--resources 1000] [--rounds 3] [--perf FILE]

Two hospitals, each with a gateway, and a node. The first writes a patient with `resources` observations, once in
transactions of 100 and once as records of their own, and shares both folders. The second opens each folder and
searches it, `rounds` times. Prints one JSON object: milliseconds of the wall, and of the processor (gateway, node).
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/process"))
AT_ONCE = 100


class Ward:
    def __init__(self, folder):
        from fhirs import Fhir
        from gateways import Gateway
        from machine import Consortium
        self.c, self.files = Consortium(folder), 0
        for name in ("fa", "fb", "fr"):
            self.c.actor(name, "hospital")
        self.a, self.b = Gateway(self.c.home("fa")), Gateway(self.c.home("fb"))
        self.at_a, self.at_b = Fhir(self.a.url + "/fhir", self.a.token), Fhir(self.b.url + "/fhir", self.b.token)

    def folders(self):
        found = self.c.run("fa", "folder", "list")["folders"]
        return {one["folder"] for one in found
                if self.c.run("fa", "record", "list", "--folder", one["folder"])["records"]}

    def fill(self, resources, at_once):
        """A new patient's folder."""
        from fhirs import entry, observation, patient
        before = self.folders()
        subject = "Patient/" + self.at_a.create(patient(f"Family{at_once}"))["id"]
        coding = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "pressure"}
        made = [observation(subject, code=coding, valueQuantity={"value": n, "unit": "mmHg"}) for n in range(resources)]
        if at_once > 1:
            for at in range(0, resources, at_once):
                entries = [entry("POST", "Observation", one) for one in made[at:at + at_once]]
                answer = self.at_a.bundle("transaction", *entries)
                assert answer.status == 200, answer.body
        else:
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                list(pool.map(self.at_a.create, made))
        (folder,) = self.folders() - before
        return folder

    def share(self, folder):
        path = self.c.folder / f"share-{folder[:10]}.json"
        self.c.run("fa", "share", "--folder", folder, "--with", self.c.accounts["fb"], "--purpose", "TREAT", "--days", 1,
                   "--out", path)
        self.c.run("fr", "relay", path)

    def call(self, operation, folder):
        return self.at_b.post(operation, {"resourceType": "Parameters",
                                          "parameter": [{"name": "folder", "valueString": folder}]})

    def open(self, folder, resources):
        gateway, node = self.b.process.pid, self.c.node.process.pid
        before, began = (cpu_ms(gateway), cpu_ms(node)), time.monotonic()
        answer = self.call("$open-folder", folder)
        opened = time.monotonic()
        assert answer.status == 200, answer.body
        found = self.at_b.get("Observation?code=85354-9&_summary=count")
        took = time.monotonic() - began
        assert found.status == 200 and found.json["total"] == resources, found.body
        return {"ms": round(1000 * took, 1), "search ms": round(1000 * (time.monotonic() - opened), 1),
                "gateway ms": round(cpu_ms(gateway) - before[0]), "node ms": round(cpu_ms(node) - before[1])}


def cpu_ms(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--xinglin", default=ROOT / "build/src/app/xinglin")
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--perf", help="records the gateway's and the node's samples to this file")
    arguments = parser.parse_args()
    os.environ["XINGLIN"] = str(arguments.xinglin)
    report = {"resources": arguments.resources, "load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        ward = Ward(pathlib.Path(folder) / "c")
        try:
            for name, at_once in (("in records of 100", AT_ONCE), ("in records of 1", 1)):
                shared = ward.fill(arguments.resources, at_once)
                ward.share(shared)
                perf = None
                if arguments.perf:
                    pids = f"{ward.b.process.pid},{ward.c.node.process.pid}"
                    perf = subprocess.Popen(["perf", "record", "-q", "-F", "997", "-g", "-p", pids, "-o",
                                             f"{arguments.perf}.{at_once}"])
                    time.sleep(0.5)
                report[name] = []
                for _ in range(arguments.rounds):
                    report[name].append(ward.open(shared, arguments.resources))
                    assert ward.call("$close-folder", shared).status == 200
                if perf:
                    perf.send_signal(2)
                    perf.wait()
        finally:
            for one in (ward.a, ward.b):
                one.end()
            ward.c.node.stop()
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
