#!/usr/bin/env python3
"""What a lot costs: packs that are commissioned and packed into cases by the command line, with its defaults.

usage: bench/lots.py [--xinglin build/src/app/xinglin] [--packs 500,10000,300000] [--a-document 10000] [--a-case 48]

Each lot has a chain, a product and homes of its own, made in a folder that is removed again. Its packs come in EPCIS
documents of --a-document packs, each with its cases. One JSON object a lot: packs a second from the first document to
the last, gas and calldata a pack by the transactions, storage slots a pack (`xinglin db verify` of the stopped node,
before and after), and by how much the node's folder grew. A million packs take some minutes and 2 GB.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "process"))
GTIN, LOT, EXPIRY = "04012345678901", "L1", "2030-06-30"


def check_digit(digits):
    total = sum((3 if i % 2 == 0 else 1) * int(d) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def event(kind, step, **members):
    return {"type": kind, "action": "ADD", "bizStep": step, "eventTime": "2026-01-01T00:00:00Z",
            "eventTimeZoneOffset": "+00:00", **members}


def document(path, first, count, a_case):
    """Packs first … first + count - 1, and the cases that they stand in."""
    packs = [f"https://id.gs1.org/01/{GTIN}/21/S{first + i:09d}" for i in range(count)]
    ilmd = {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": EXPIRY}
    events = [event("ObjectEvent", "commissioning", epcList=packs, ilmd=ilmd)]
    for at in range(0, count, a_case):
        sscc = check_digit(f"34012345{(first + at) // a_case:09d}")
        events.append(event("AggregationEvent", "packing", parentID=f"https://id.gs1.org/00/{sscc}",
                            childEPCs=packs[at:at + a_case]))
    path.write_text(json.dumps({"@context": [], "type": "EPCISDocument", "schemaVersion": "2.0", "id": str(path),
                                "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": events}}))


def folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def stored(consortium, machine):
    """What the node holds: it is stopped, checked, and started again on its port."""
    port = consortium.node.port
    consortium.node.stop()
    found = machine.cli("db", "verify", "--data", consortium.data, "--blocks", 1, timeout=3600)
    size = folder_bytes(consortium.data)
    consortium.node = machine.Node(consortium.data, "node", port=port)
    return found["storageSlots"], size


def transactions(consortium, report):
    for capture in report["captures"]:
        tx = consortium.rpc("eth_getTransactionByHash", capture["sent"]["transaction"])
        yield capture["sent"]["gas"], (len(tx["input"]) - 2) // 2


def measure(machine, folder, packs, a_document, a_case):
    consortium = machine.Consortium(folder)
    for name, role in (("maker", "manufacturer"), ("regulator", "regulator")):
        consortium.actor(name, role)
    consortium.product("maker", GTIN, "regulator")
    slots, size = stored(consortium, machine)
    gas = calldata = sent = 0
    took, path = 0.0, folder / "document.jsonld"
    for first in range(0, packs, a_document):
        document(path, first, min(a_document, packs - first), a_case)
        began = time.monotonic()
        report = consortium.run("maker", "pack", "capture", path, timeout=3600)
        took += time.monotonic() - began
        for used, length in transactions(consortium, report):
            gas, calldata, sent = gas + used, calldata + length, sent + 1
    slots_after, size_after = stored(consortium, machine)
    consortium.node.stop()
    return {
        "packs": packs, "documents": -(-packs // a_document), "transactions": sent, "seconds": round(took, 1),
        "packsASecond": round(packs / took), "gasAPack": round(gas / packs),
        "calldataBytesAPack": round(calldata / packs, 1), "slotsAPack": round((slots_after - slots) / packs, 3),
        "databaseBytesAPack": round((size_after - size) / packs), "homeBytesAPack": round(
            folder_bytes(consortium.home("maker")) / packs), "load": round(os.getloadavg()[0], 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--xinglin", default=str(ROOT / "build/src/app/xinglin"))
    parser.add_argument("--packs", default="500,10000,300000")
    parser.add_argument("--a-document", type=int, default=10000)
    parser.add_argument("--a-case", type=int, default=48)
    options = parser.parse_args()
    os.environ["XINGLIN"] = options.xinglin
    import machine  # finds the program by the environment
    for packs in map(int, options.packs.split(",")):
        with tempfile.TemporaryDirectory(prefix="xinglin-lots-") as folder:
            row = measure(machine, pathlib.Path(folder) / "c", packs, options.a_document, options.a_case)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
