#!/usr/bin/env python3
"""A gateway under load: C clients that each create a record, wait for its 201 and read it, one after the other.

usage: bench/records_load.py [--xinglin build/src/app/xinglin] [--clients 64] [--seconds 60] [--creates]
                             [--resources N]

Starts `xinglin dev --gateway` in a folder of its own, and ends it. Prints one JSON object: records a second, p50 and
p99 of creating and of reading, the most memory, records a transaction (the outbox's batching), the processor time that
the program took a record, and the answers by status. --creates: nothing is read. --resources: each record is a Bundle
of so many resources. The clients share the machine with what they measure; several processes carry them, so that
Python's lock is not in the way.
"""
import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROCESSES = 4


def observation(client, n):
    return json.dumps({
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2026-11-30T08:00:00Z",
        "valueQuantity": {"value": 60 + n % 40, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
        "note": [{"text": f"client {client}, measurement {n}"}],
    }).encode()


def document(client, n, resources):
    if resources == 1:
        return observation(client, n)
    entries = b",".join(b'{"resource":' + observation(client, n * resources + i) + b"}" for i in range(resources))
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + entries + b"]}"


class Connection:
    """A kept connection; http.client takes a multiple of the time."""

    def __init__(self, address, token):
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"Host: {address.netloc}\r\nAuthorization: Bearer {token}\r\n".encode()

    def exchange(self, method, path, body=b""):
        """Status, body, head (of bytes) and seconds."""
        started = time.monotonic()
        self.socket.sendall(b"%s %s HTTP/1.1\r\n%sContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%s" %
                            (method.encode(), path.encode(), self.head, len(body), body))
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self.more()
        head, answer = got[:end], got[end + 4:]
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(answer) < length:
            answer += self.more()
        return int(head[9:12]), answer, head, time.monotonic() - started

    def more(self):
        some = self.socket.recv(1 << 16)
        if not some:
            raise ConnectionError("the gateway closed the connection")
        return some


def one_client(number, options, gateway, token, folder, until, found):
    connection = Connection(urllib.parse.urlsplit(gateway), token)
    n = 0
    while time.monotonic() < until:
        n += 1
        body = document(number, n, options.resources)
        status, _, head, took = connection.exchange("POST", f"/records?folder={folder}", body)
        found["statuses"][f"POST {status}"] += 1
        if status not in (201, 202):
            continue
        found["create"].append(took)
        if status == 201 and not options.creates:
            location = re.search(rb"(?i)location: (\S+)", head)[1].decode()
            status, got, _, took = connection.exchange("GET", location)
            found["statuses"][f"GET {status}"] += 1
            found["read"].append(took)
            found["other_bytes"] += options.resources == 1 and body not in got and json.loads(body) != json.loads(got)
    connection.socket.close()


def clients(numbers, arguments, out):
    found = {"create": [], "read": [], "statuses": collections.Counter(), "other_bytes": 0}
    threads = [threading.Thread(target=one_client, args=(n, *arguments, found)) for n in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.put(found)


def percentile_ms(times, share):
    return round(sorted(times)[int(len(times) * share)] * 1000, 1) if times else None


def metric(text, name):
    found = re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.M)
    return sum(map(float, found)) if found else None


def most_memory_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) // 1024


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--xinglin", default=str(ROOT / "build/src/app/xinglin"))
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--creates", action="store_true")
    parser.add_argument("--resources", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [options.xinglin, "dev", "--gateway", "--json", "--http-port", "0", "--data", folder + "/d"]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            ready = json.loads(program.stdout.readline())
            arguments = (options, ready["gateway"], ready["token"], ready["folder"], time.monotonic() + options.seconds)
            out = multiprocessing.Queue()
            shares = [range(i, options.clients, PROCESSES) for i in range(PROCESSES)]
            began, used = time.monotonic(), processor_seconds(program.pid)
            workers = [multiprocessing.Process(target=clients, args=(share, arguments, out)) for share in shares]
            for worker in workers:
                worker.start()
            results = [out.get() for _ in workers]
            took, used = time.monotonic() - began, processor_seconds(program.pid) - used
            for worker in workers:
                worker.join()
            headers = {"Authorization": f"Bearer {ready['token']}"}
            request = urllib.request.Request(ready["gateway"] + "/metrics", headers=headers)
            metrics = urllib.request.urlopen(request).read().decode()
            create = [t for r in results for t in r["create"]]
            read = [t for r in results for t in r["read"]]
            statuses = sum((r["statuses"] for r in results), collections.Counter())
            transactions = metric(metrics, "outbox_transactions_total")
            print(
                json.dumps(
                    {
                        "clients": options.clients,
                        "seconds": round(took, 1),
                        "records_per_second": round(len(create) / took, 1),
                        "resources_per_second": round(len(create) * options.resources / took, 1),
                        "processor_ms_per_record": round(used * 1000 / len(create), 2) if create else None,
                        "create_ms": {"p50": percentile_ms(create, 0.5), "p99": percentile_ms(create, 0.99)},
                        "read_ms": {"p50": percentile_ms(read, 0.5), "p99": percentile_ms(read, 0.99)},
                        "memory_mb": most_memory_mb(program.pid),
                        "transactions": transactions,
                        "records_per_transaction": round(len(create) / transactions, 2) if transactions else None,
                        "other_bytes": sum(r["other_bytes"] for r in results),
                        "statuses": dict(statuses),
                    }
                )
            )
        finally:
            program.terminate()
            program.wait(30)


if __name__ == "__main__":
    main()
