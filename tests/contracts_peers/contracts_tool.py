"""The program contracts_tool, which runs our bindings of the contracts, and values in the form that it takes and gives
(contracts_tool.h). CONTRACTS_TOOL names the program (default: the newest under build*/)."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["Directory", "Folders", "Records", "Consent", "Products", "Medicines", "Members"]
ARTIFACTS = {name: json.loads((ROOT / "contracts" / "artifacts" / f"{name}.json").read_text()) for name in NAMES}


class Tool:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @classmethod
    def start(cls):
        """None: it is not built."""
        found = [path for path in ROOT.glob("build*/src/health/contracts/contracts_tool") if path.is_file()]
        newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
        program = os.environ.get("CONTRACTS_TOOL") or newest
        return cls(program) if program else None

    def __call__(self, name, data):
        """The answer's bytes; None: refused."""
        self.process.stdin.write(f"{name} 0x{data.hex()}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        assert line, f"contracts_tool ended at {name}"
        return None if line == "refused" else bytes.fromhex(line[2:])

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(10) == 0


def be(number, size=8):
    return number.to_bytes(size, "big")


def canonical(entry):
    """The type of an ABI's entry, as signatures have it."""
    if entry["type"].startswith("tuple"):
        return "(" + ",".join(canonical(one) for one in entry["components"]) + ")" + entry["type"][5:]
    return entry["type"]


def flat(entry, value):
    kind = entry["type"]
    if kind.endswith("[]"):
        one = {**entry, "type": kind[:-2]}
        return be(len(value)) + b"".join(flat(one, item) for item in value)
    if kind == "tuple":
        return b"".join(flat(one, item) for one, item in zip(entry["components"], value))
    if kind == "bool":
        return be(int(value))
    if kind == "address":
        return bytes.fromhex(value[2:])
    if kind in ("string", "bytes"):
        data = value.encode() if kind == "string" else value
        return be(len(data)) + data
    if kind.startswith("bytes"):
        return value
    return be(value, 32 if int(kind[4:]) > 64 else 8)


def flat_all(entries, values):
    return b"".join(flat(entry, value) for entry, value in zip(entries, values))
