"""What was measured: values by row and node; and what measures, run as processes."""
import json
import os
import pathlib
import statistics
import subprocess

from . import nodes

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOADGEN = pathlib.Path(os.environ.get("LOADGEN", ROOT.parent / "shared/tools/loadgen")) / "loadgen.mjs"


class Bench:
    def __init__(self, arguments, programs):
        self.arguments, self.programs = arguments, programs
        self.build = pathlib.Path(arguments.build).resolve()
        self.values = {}  # (row, kind) -> values
        self.foreign = []  # percent of the machine that others took
        self.failures = []
        self.seconds = {}  # what each step took, all its runs together

    def keep(self, row, kind, value):
        if value is not None:
            self.values.setdefault((row, kind), []).append(value)

    def median(self, row, kind):
        values = self.values.get((row, kind))
        return statistics.median(values) if values else None

    def run(self, command, what, **options):
        """The standard output, or None with the failure kept."""
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
        if done.returncode:
            self.failures.append(f"{what}: {(done.stderr or done.stdout).strip()[-300:]}")
            return None
        return done.stdout

    def generate(self, node, **options):
        """One run of the generator: its line of JSON, or None."""
        command = ["node", LOADGEN, "--url", f"http://127.0.0.1:{node.port}", "--pid", node.process.pid]
        for name, value in options.items():
            command += [f"--{name}", value]
        text = self.run(
            command, f"{node.kind}, {options}", env={**os.environ, "PERF_NM": str(nodes.CACHE / "node_modules")}
        )
        if text is None:
            return None
        report = json.loads(text.strip().splitlines()[-1])
        self.foreign.append(report.get("foreignCpuPct", 0))
        return report

    def ask(self, node, bodies, *options):
        """One run of bench_http: its line of JSON, or None; answers that are errors are a failure too."""
        text = self.run(
            [self.build / "bench/bench_http", node.port, "--pid", node.process.pid, *options],
            f"{node.kind}, bench_http {options}",
            input="\n".join(bodies) + "\n",
        )
        report = json.loads(text) if text else None
        if report and report["bad"]:
            self.failures.append(
                f"{node.kind}, bench_http {options}: {report['bad']} bad answers of {report['answers']}"
            )
        return report


def request(method, *params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
