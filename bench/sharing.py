#!/usr/bin/env python3
"""What a resource takes on the chain and beside it, and how long sharing a folder and taking it back take.

usage: bench/sharing.py [--xinglin build/src/app/xinglin] [--data ../shared/data] [--grantees 20] [--records 1000]

Makes a chain, a hospital and a patient in a folder of its own, and ends them. Prints one JSON object. Bytes
on the chain are those of transactions and receipts, and with the blocks' headers beside it; bytes of a blob
are against the resources as minified JSON (Synthea). Share and revoke are whole commands of the patient and
the hospital that sends them: start of the program, proofs, signature, block. `seconds` is the wall's.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/process"))
KINDS = ("Observation", "Condition", "Encounter", "Procedure", "Claim")


def minified(resource):
    return len(json.dumps(resource, separators=(",", ":"), ensure_ascii=False).encode())


def synthea(data):
    found = []
    for path in sorted(pathlib.Path(data).glob("fhir/synthea*/**/*.json")):
        bundle = json.loads(path.read_text())
        found += [one["resource"] for one in bundle.get("entry", []) if "resource" in one]
        if len(found) > 1000:
            return found
    sys.exit(f"{data} has no Synthea bundles")


class Ward:
    def __init__(self, folder, grantees):
        from machine import Consortium
        self.c, self.path = Consortium(folder), pathlib.Path(folder) / "action.json"
        self.c.actor("hospital", "hospital")
        self.c.new_home("patient")
        self.grantees = [f"grantee-{n}" for n in range(grantees + 1)]
        for name in self.grantees:
            self.c.actor(name, "professional")
        self.id = self.signed("folder", "open", "--label", "general")["folder"]
        self.share("hospital", "--rights", "write")

    def signed(self, *arguments):
        report = self.c.run("patient", *arguments, "--out", self.path)
        self.c.run("hospital", "relay", self.path)
        return report

    def share(self, name, *more):
        self.signed("share", "--folder", self.id, "--with", self.c.accounts[name], "--days", 5, *more)

    def revoke(self, name):
        self.signed("revoke", "--folder", self.id, "--from", self.c.accounts[name])
        self.c.run("hospital", "relay", f"{self.path}.rotate")

    def head(self):
        return int(self.c.rpc("eth_blockNumber"), 16)

    def chain_bytes(self, since):
        """Of bodies and receipts, and of headers, in the blocks after `since`."""
        bodies = headers = 0
        for number in range(since + 1, self.head() + 1):
            header = len(self.c.rpc("debug_getRawHeader", hex(number))) // 2 - 1
            bodies += len(self.c.rpc("debug_getRawBlock", hex(number))) // 2 - 1 - header
            bodies += sum(len(one) // 2 - 1 for one in self.c.rpc("debug_getRawReceipts", hex(number)))
            headers += header
        return bodies, headers

    def add(self, documents):
        """Each a list of resources: bytes of blobs, of the chain, of its headers, and seconds."""
        paths = []
        for n, resources in enumerate(documents):
            paths.append(self.path.with_name(f"document-{n}.json"))
            entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources]
            paths[-1].write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
        before, began = self.head(), time.monotonic()
        report = self.c.run("hospital", "record", "add", *paths, "--folder", self.id)
        took = time.monotonic() - began
        return sum(one["bytes"] for one in report["records"]), *self.chain_bytes(before), took


def measure(ward, resources, records):
    out = {}
    alone = [one for one in resources if one["resourceType"] in KINDS][:64]
    for name, documents in (("alone", [[alone[0]]]), ("64 together", [[one] for one in alone]),
                            ("bundle of 200", [resources[:200]])):
        blob, chain, headers, took = ward.add(documents)
        all_of_them = [one for document in documents for one in document]
        out[name] = {"json bytes a resource": round(sum(map(minified, all_of_them)) / len(all_of_them)),
                     "blob percent": round(100 * blob / sum(map(minified, all_of_them)), 1),
                     "chain bytes a registration": round(chain / len(documents)), "header bytes": headers,
                     "seconds": round(took, 3)}
    for at in range(0, records, 64):
        ward.add([[alone[n % len(alone)]] for n in range(min(64, records - at))])
    for name, act in (("share", lambda name: ward.share(name, "--purpose", "TREAT")), ("revoke", ward.revoke)):
        for other in ward.grantees[1:] if name == "revoke" else []:
            ward.share(other, "--purpose", "TREAT")
        before, began = ward.head(), time.monotonic()
        act(ward.grantees[0])
        out[name] = {"transactions": ward.head() - before, "seconds": round(time.monotonic() - began, 3),
                     "chain bytes": ward.chain_bytes(before)[0]}
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--xinglin", default=ROOT / "build/src/app/xinglin")
    parser.add_argument("--data", default=ROOT.parent / "shared/data")
    parser.add_argument("--grantees", type=int, default=20)
    parser.add_argument("--records", type=int, default=1000)
    arguments = parser.parse_args()
    os.environ["XINGLIN"] = str(arguments.xinglin)
    resources = synthea(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        ward = Ward(pathlib.Path(folder) / "c", arguments.grantees)
        try:
            report = measure(ward, resources, arguments.records)
            report |= {"grantees": arguments.grantees, "records": arguments.records, "load": os.getloadavg()[0]}
            print(json.dumps(report))
        finally:
            ward.c.node.stop()


if __name__ == "__main__":
    main()
