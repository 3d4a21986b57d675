#!/usr/bin/env python3
"""What it costs to ask who read a folder, while others' reads are many.

usage: bench/reads_load.py [--others 1000000] [--folders 1000000] [--runs 20]

Starts a node of its own with one patient and one record. Stops it, appends entries of other folders to its audit.log
(they are sealed to nobody: what is measured never opens them), and starts it again, which makes rows and map from the
file. Then it measures a read of the record, and `xinglin access reads` and `access log` as whole processes, which open
the patient's wallet, and with the home unlocked (`home unlock`), which do not. Prints one JSON object, in milliseconds
but for `…_s`.
"""
import argparse
import hashlib
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "process"))

from hospitals import Two
from machine import Consortium, Node, wait_for

JWE_BYTES = 700  # about as long as a real one


def append_others(log, count, folders):
    with log.open("ab") as file:
        for n in range(count):
            folder = hashlib.sha256((n % folders).to_bytes(8, "big")).digest()
            file.write(folder + int(time.time()).to_bytes(8, "big") + JWE_BYTES.to_bytes(4, "big"))
            file.write(os.urandom(JWE_BYTES // 2).hex().encode())


def cpu_s(pid):
    """Of all threads of a process since it began."""
    fields = (pathlib.Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 1)


def timed(runs, work):
    took = []
    for _ in range(runs):
        started = time.monotonic()
        work()
        took.append(1000 * (time.monotonic() - started))
    return {"p50": round(statistics.median(took), 1), "min": round(min(took), 1), "max": round(max(took), 1)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--others", type=int, default=1_000_000)
    options.add_argument("--folders", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=20)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        two = Two(Consortium(folder, node_options=["--anchor-ms", "500"]))
        record, own = two.add("bl-one")["record"], two.folders["bl-one"]

        def reads(*more):
            return two.c.run("bl-one-patient", "access", "reads", "--folder", own, *more)

        def log():
            return two.c.run("bl-one-patient", "access", "log", "--folder", own)

        def is_anchored():
            return all(read["anchored"] for read in reads()["reads"])

        def read():
            assert two.ask("bl-one", "part", "records", record)[0] == 200

        result = {"others": given.others, "folders": given.folders, "read_before": timed(given.runs, read)}
        wait_for(is_anchored, 60)
        result["reads_before"] = timed(given.runs, reads)
        two.c.node.stop()
        append_others(two.c.data / "blobs" / "audit.log", given.others, given.folders)
        started = time.monotonic()
        two.c.node = Node(two.c.data, "node", "--anchor-ms", "500", port=two.c.node.port)
        result["start_s"] = round(time.monotonic() - started, 1)
        result["start_cpu_s"] = cpu_s(two.c.node.process.pid)
        result["read"] = timed(given.runs, read)
        wait_for(is_anchored, 60)
        result["entries"] = len(reads()["reads"])
        result["reads"] = timed(given.runs, reads)
        result["log"] = timed(given.runs, log)
        two.c.run("bl-one-patient", "home", "unlock")
        result["reads_unlocked"] = timed(given.runs, reads)
        result["log_unlocked"] = timed(given.runs, log)
        two.c.run("bl-one-patient", "home", "lock")
        status = (pathlib.Path("/proc") / str(two.c.node.process.pid) / "status").read_text()
        result["node_peak_mb"] = int(status.split("VmHWM:")[1].split()[0]) // 1024
        two.c.node.stop()
        print(json.dumps(result))


if __name__ == "__main__":
    main()
