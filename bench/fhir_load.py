#!/usr/bin/env python3
"""The FHIR server of a gateway, and HAPI FHIR JPA on PostgreSQL beside it in the same run.

usage: bench/fhir_load.py [--xinglin build/src/app/xinglin] [--fhirload ../shared/tools/fhirload]
                          [--data ../shared/data] [--seconds 8] [--repeat 1] [--no-hapi | --build-only]

The load is fhirload's: Synthea transactions by 2 clients, single creates by 16 (the second of two rounds), reads and
searches by 4. One server after the other. Prints a table in Markdown; "a CPU second" is the rate by the processor time
that the server's processes took, which is what compares on a machine that does other work.

HAPI is built by Maven from ../shared/tools/fhirload/hapi-peer into ~/.cache/xinglin-bench/hapi-peer (BENCH_CACHE; 290
MB, once; `make peers` does that too), and runs with 3 GB of heap on a PostgreSQL of its own, from Debian's package.
"""
import argparse
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROUNDS = (("bundle", 2), ("create", 16), ("create", 16), ("read", 4), ("search", 4))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def cpu_s(pid):
    """Of the process and of the children that live."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_s(child) for child in children)


def await_line(path, pattern, process, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = re.search(pattern, path.read_text(errors="replace"))
        if found:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.2)
    sys.exit(f"it did not start: {path.read_text(errors='replace')[-1000:]}")


@contextlib.contextmanager
def started(folder, name, command):
    log = folder / f"{name}.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
    try:
        yield process, log
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def ours(folder, xinglin):
    command = [xinglin, "dev", "--json", "--data", folder / "dev", "--http-port", "0"]
    with started(folder, "dev", command) as (process, log):
        report = json.loads(await_line(log, r"(?m)^\{.*\}$", process, 60)[0])
        yield report["fhir"], report["token"], [process.pid]


def build_hapi(source):
    """Its folder in the cache."""
    cache = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/xinglin-bench"))
    built = cache / "hapi-peer"
    if not (built / "target/lib").exists():
        shutil.copytree(source, built, dirs_exist_ok=True)
        subprocess.run(["mvn", "-q", "-B", "package"], cwd=built, check=True)
    return built


@contextlib.contextmanager
def postgres(folder):
    """A cluster of its own; PostgreSQL refuses to run as root."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    data, port = folder / "postgres", free_port()
    data.mkdir()
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        folder.chmod(0o755)
        os.chown(data, user.pw_uid, user.pw_gid)
    subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-U", "hapi"], check=True, capture_output=True, **as_user)
    server = subprocess.Popen([programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user)
    try:
        while subprocess.run([programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "hapi", "hapi"],
                             capture_output=True).returncode:
            time.sleep(0.5)
        yield f"jdbc:postgresql://127.0.0.1:{port}/hapi", server.pid
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def hapi(folder, source):
    built = build_hapi(source)
    with postgres(folder) as (jdbc, database):
        command = ["java", "-Xmx3g", "-cp", f"{built}/target/classes:{built}/target/lib/*", "peer.HapiPeer", "--port",
                   str(free_port()), "--jdbc", jdbc, "--user", "hapi", "--password", "hapi"]
        with started(folder, "hapi", command) as (process, log):
            base = await_line(log, r"ready (\S+)", process, 600)[1]
            yield base, None, [process.pid, database]


def measure(server, arguments):
    """What each step found: {name: {per_s, p50_ms, p99_ms, per_cpu_s}}."""
    base, token, pids = server
    found = {}
    for step, clients in ROUNDS:
        command = ["node", arguments.fhirload / "fhirload.mjs", base, step, "--conc", str(clients), "--seconds",
                   str(arguments.seconds), "--repeat", str(arguments.repeat), "--json",
                   "--data", arguments.data / "fhir/synthea-r4-v2", *(["--token", token] if token else [])]
        before = sum(map(cpu_s, pids))
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        took = sum(map(cpu_s, pids)) - before
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        for row in rows:
            assert not row["failed"], row
            row["per_cpu_s"] = row["per_s"] * row["wall_s"] / took if len(rows) == 1 and took else None
            found[row["what"].split(" (")[0]] = row
    return found


def table(servers):
    def cell(row):
        rate = f"{row['per_s']:,.0f}/s, {row['p50_ms']:,.1f}, {row['p99_ms']:,.1f}"
        return rate + (f", {row['per_cpu_s']:,.0f}" if row["per_cpu_s"] else "")
    names = list(servers)
    print("| rate, p50 and p99 in ms, and what one CPU second does | " + " | ".join(names) + " |")
    print("|" + "---|" * (len(names) + 1))
    for what in servers[names[0]]:
        print(f"| {what} | " + " | ".join(cell(servers[name][what]) for name in names) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--xinglin", type=pathlib.Path, default=ROOT / "build/src/app/xinglin")
    parser.add_argument("--fhirload", type=pathlib.Path, default=ROOT.parent / "shared/tools/fhirload")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--no-hapi", action="store_true")
    parser.add_argument("--build-only", action="store_true", help="builds HAPI and ends")
    arguments = parser.parse_args()
    if arguments.build_only:
        return print(build_hapi(arguments.fhirload / "hapi-peer"))
    servers = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        print(f"load {os.getloadavg()[0]:.1f}")
        with ours(folder, arguments.xinglin.resolve()) as server:
            servers["xinglin"] = measure(server, arguments)
        print(f"load {os.getloadavg()[0]:.1f}")
        if not arguments.no_hapi:
            with hapi(folder, arguments.fhirload / "hapi-peer") as server:
                print(f"load {os.getloadavg()[0]:.1f}")
                servers["HAPI JPA, PostgreSQL"] = measure(server, arguments)
            print(f"load {os.getloadavg()[0]:.1f}")
    table(servers)


if __name__ == "__main__":
    main()
