#!/usr/bin/env python3
"""Four members on one machine under load: what they carry for a minute, and how long a transaction then takes.

usage: bench/consortium_load.py [--xinglin build-bench/src/app/xinglin] [--flow build-bench/bench/bench_flow]
         [--seconds 60] [--members 4] [--only quiet,transfer,storage,half,kill] [--comet PROGRAM]

Makes a network in a folder of its own, and ends it. The members, their CometBFTs and the generator share the machine.

quiet     send to receipt, one at a time; idle CPU of each member, its node and its CometBFT; memory
transfer  as many as they carry: transactions/s in blocks, CPU of all nodes and all CometBFTs for each
          and beside them send to receipt of a transaction of somebody else, one after the other
storage   the same of calls that write 5 slots and an event of 256 bytes
half      send to receipt at half of each of these rates
kill      one of the members is killed while the others get transfers at half the rate: the longest time without a
          transaction in a block, the rate before and in the ten seconds after, and whether every receipt is there

Prints one JSON object; loadavg says what else the machine did.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/process"))
import consortia  # noqa: E402
from machine import wait_for  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def percentile(values, share):
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], 1)


class Asker:
    """One keep-alive connection to a member."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def rpc(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self.connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


class Network:
    def __init__(self, members, flow):
        self.members, self.flow = members, flow

    def cpu(self):
        """Seconds of all nodes, and of all CometBFTs."""
        pids = [member.processes() for member in self.members if member.process]
        return sum(cpu_s(node) for node, _ in pids), sum(cpu_s(comet) for _, comet in pids)

    def start_flow(self, *options, members=None):
        ports = ",".join(str(member.port) for member in members or self.members)
        command = [self.flow, ports, *map(str, options)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def latencies(self, count, until=None, pause_s=0.05):
        """Milliseconds and blocks from sending to the receipt, one after the other; or until a process ends. Blocks
        say how long it waits for its turn, whatever else the machine does: 1 is the next one."""
        asker, account = Asker(self.members[0].port), consortia.FUNDED[0]
        nonce, out, blocks = self.members[0].nonce(account), [], []
        while len(out) < count and not (until and until.poll() is not None):
            signed = consortia.Member.sign(account, nonce)
            nonce += 1
            newest, began = int(asker.rpc("eth_blockNumber"), 16), time.monotonic()
            sent = asker.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
            while not (receipt := asker.rpc("eth_getTransactionReceipt", sent)):
                time.sleep(0.002)
            out.append((time.monotonic() - began) * 1000)
            blocks.append(int(receipt["blockNumber"], 16) - newest)
            time.sleep(pause_s)
        return {"count": len(out), "p50ms": percentile(out, 0.5), "p99ms": percentile(out, 0.99),
                "maxMs": round(max(out), 1), "p50blocks": percentile(blocks, 0.5),
                "maxBlocks": max(blocks)}


def quiet(network, _):
    latency = network.latencies(200)
    time.sleep(5)
    before, began = network.cpu(), time.monotonic()
    time.sleep(20)
    took = (time.monotonic() - began) * len(network.members)
    node, comet = [(after - was) / took * 100 for was, after in zip(before, network.cpu())]
    return {"sendToReceipt": latency, "idleNodePercent": round(node, 2), "idleCometPercent": round(comet, 2),
            "memoryMB": [[round(resident_mb(pid)) for pid in member.processes()] for member in network.members]}


def await_blocks(network):
    """The flow signs before it sends, which takes a while."""
    number = network.members[0].number()
    wait_for(lambda: network.members[0].number() > number + 2, 300)


class Meter(threading.Thread):
    """What the nodes' processors took, second by second, from a flow's start."""

    def __init__(self, network):
        super().__init__(daemon=True)
        self.network, self.taken, self.over = network, [network.cpu()[0]], threading.Event()
        self.start()

    def run(self):
        began = time.monotonic()
        while not self.over.wait(max(0, began + len(self.taken) - time.monotonic())):
            self.taken.append(self.network.cpu()[0])

    def by_tens(self, per_second):
        """Milliseconds a transaction and node in each ten seconds, by the second at which they end."""
        self.over.set()
        out = {}
        for end in range(10, min(len(per_second), len(self.taken) - 1) + 1, 10):
            mined = max(sum(per_second[end - 10:end]), 1)
            out[end] = round((self.taken[end] - self.taken[end - 10]) / mined * 1000 / len(self.network.members), 3)
        return out


def rate(network, args, kind):
    most = {"transfer": 12000, "storage": 6000}[kind] * (args.seconds + 2)
    flow = network.start_flow("--kind", kind, "--seconds", args.seconds, "--most", most, "--accounts", 400,
                              "--connections", 2 * len(network.members))
    before = network.cpu()
    await_blocks(network)
    meter = Meter(network)
    latency = network.latencies(10 ** 6, until=flow)
    figures = json.loads(flow.communicate()[0])
    node, comet = [(after - was) / max(figures["mined"], 1) * 1000 for was, after in zip(before, network.cpu())]
    by_tens = meter.by_tens(figures["perS"])
    heads = {member.head()["hash"] for member in network.members}
    return {**figures, "sendToReceipt": latency, "nodeMsPerTx": round(node, 3), "cometMsPerTx": round(comet, 3),
            "nodeMsPerTxByTens": by_tens, "heads": len(heads)}


def half(network, args, kind, full_rate):
    wanted = full_rate / 2
    flow = network.start_flow("--kind", kind, "--seconds", args.seconds, "--most", int(wanted * (args.seconds + 2)),
                              "--rate", wanted, "--accounts", 400, "--connections", 2 * len(network.members))
    await_blocks(network)
    latency = network.latencies(10 ** 6, until=flow)
    figures = json.loads(flow.communicate()[0])
    return {"rate": round(wanted), "minedPerS": figures["minedPerS"], "bad": figures["bad"], "sendToReceipt": latency}


def kill(network, args, full_rate):
    """At a third of the time one dies; it comes back when the flow is over."""
    gone, others = network.members[-1], network.members[:-1]
    seconds, wanted = max(30, args.seconds // 2), full_rate / 2
    flow = network.start_flow("--seconds", seconds, "--most", int(wanted * (seconds + 2)), "--rate", wanted,
                              "--accounts", 400, "--connections", 2 * len(others), members=others)
    await_blocks(network)
    timer = threading.Timer(seconds / 3, lambda: gone.end(signal.SIGKILL))
    timer.start()
    figures = json.loads(flow.communicate()[0])
    gone.start_both()
    wait_for(lambda: gone.is_at(network.members[0].head()), 120)
    at = int(seconds / 3)
    per_second = figures["perS"]
    before, after = per_second[at - 8:at - 1], per_second[at + 2:at + 11]
    return {"rate": round(wanted), "gapMs": figures["gapMs"], "gapAtS": figures["gapAtS"], "killedAtS": at,
            "beforePerS": round(sum(before) / len(before)), "afterPerS": round(sum(after) / len(after)),
            "bad": figures["bad"], "refused": figures["refused"], "perS": per_second}


def measure(network, args):
    steps, out = args.only.split(","), {}
    if "quiet" in steps:
        out["quiet"] = quiet(network, args)
    rates = {"transfer": args.transfer_rate, "storage": args.storage_rate}
    for kind in ("transfer", "storage"):
        if kind in steps:
            out[kind] = rate(network, args, kind)
            rates[kind] = out[kind]["minedPerS"]
    for kind in ("transfer", "storage"):
        if "half" in steps:
            out[f"half of {kind}"] = half(network, args, kind, rates[kind])
    if "kill" in steps:
        out["kill"] = kill(network, args, rates["transfer"])
    return {**out, "loadavg": os.getloadavg()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xinglin", default=ROOT / "build-bench/src/app/xinglin")
    parser.add_argument("--flow", default=ROOT / "build-bench/bench/bench_flow")
    parser.add_argument("--comet")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--only", default="quiet,transfer,storage,half,kill")
    parser.add_argument("--transfer-rate", type=float, default=3000, help="of half and kill, if it was not measured")
    parser.add_argument("--storage-rate", type=float, default=2000)
    args = parser.parse_args()
    os.environ["XINGLIN"] = str(args.xinglin)
    if args.comet:
        os.environ["COMETBFT"] = args.comet
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        members = stack.enter_context(consortia.running(pathlib.Path(folder) / "n", args.members, together=True))
        print(json.dumps(measure(Network(members, args.flow), args)))


if __name__ == "__main__":
    main()
