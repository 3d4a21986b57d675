"""The steps of a measurement. Each takes the bench and a kind of node, and keeps values under the titles of goals.py."""
from contextlib import closing, contextmanager
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import struct
import time

from .figures import request
from .nodes import CACHE, Node, new_folder

BIG_BLOCK = 10000
ROWS_A_BLOCK = 2000
LONELY_TRANSACTIONS = 60


def mining(kind, workload="transfer"):
    """anvil's best mode: it mines when all is submitted."""
    return {"mine": "end"} if kind == "anvil" and workload != "none" else {}


# --- writing ---


def writes(bench, kind, workload, batch):
    with closing(Node(kind, bench.programs[kind])) as node:
        report = bench.generate(
            node,
            workload=workload,
            accounts=200,
            txs=bench.arguments.txs,
            batch=batch,
            connections=4,
            verify="sample",
            **mining(kind),
        )
        node.stop()
        if not report:
            return
        name = f"{workload}, {'one a request' if batch == 1 else f'batches of {batch}'}"
        bench.keep(f"{name}: mined/s", kind, report["minedPerS"])
        bench.keep(f"{name}: node CPU, ms/tx", kind, report["nodeCpuMsPerTx"])
        bench.keep(f"{name}: peak memory, MB", kind, report["peakRssMB"])
        if kind == "xinglin" and batch > 1:
            imports(bench, node, workload)


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def imports(bench, node, workload):
    """The chain that a run left: what it weighs, and how fast its blocks come in again."""
    program, chain, blocks = bench.programs["xinglin"], node.folder / "chain", node.folder / "blocks.rlp"
    bench.keep(f"{workload}: bytes of database a transaction", "xinglin", size_of(chain) / bench.arguments.txs)
    if bench.run([program, "export", "--data", chain, blocks], "export") is None:
        return
    began, cpu = time.monotonic(), os.times()
    if (
        bench.run(
            [program, "import", "--data", node.folder / "again", "--genesis", chain / "genesis.json", blocks], "import"
        )
        is None
    ):
        return
    seconds, after = time.monotonic() - began, os.times()
    used = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    bench.keep(f"{workload}: import, transactions/s", "xinglin", bench.arguments.txs / seconds)
    bench.keep(f"{workload}: import, CPU, ms/tx", "xinglin", used * 1e3 / bench.arguments.txs)


def dumped_bodies(path, accounts, connections=4):
    """The bodies of a generator's dump, connections in turn, without each sender's first transaction."""
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        size, = struct.unpack_from("<I", content, at)
        found.append(content[at + 4:at + 4 + size].partition(b"\r\n\r\n")[2].decode())
        at += 4 + size
    share = len(found) // connections
    flows = [found[i * share + accounts // connections:(i + 1) * share] for i in range(connections)]
    return [body for turn in zip(*flows) for body in turn]


def half_rate(bench, kind):
    """Transactions that one node signed for and took at its full rate are submitted to another at half of it."""
    options = {"workload": "transfer", "accounts": 200, "connections": 4, "verify": "none", "salt": str(time.time())}
    folder = new_folder()
    try:
        with closing(Node(kind, bench.programs[kind])) as node:
            full = bench.generate(node, txs=bench.arguments.txs, dump=folder / "dump", **options)
        with closing(Node(kind, bench.programs[kind])) as node:
            if not full or not bench.generate(node, txs=200, **options):
                return
            answer = bench.ask(node, dumped_bodies(folder / "dump", 200), "--once", "--rate", full["minedPerS"] / 2)
        if answer:
            bench.keep("submit at half the maximum rate, p50, ms", kind, answer["p50ms"])
            bench.keep("submit at half the maximum rate, p99, ms", kind, answer["p99ms"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- reading ---


def reads(bench, kind):
    """Balances and calls. anvil mines by itself here, so that the token can be deployed first."""
    with closing(Node(kind, bench.programs[kind])) as node:
        if kind == "anvil":
            node.call("evm_setAutomine", True)
        report = bench.generate(node, workload="none", accounts=200, connections=4, reads="call,balance",
                                duration=bench.arguments.reads_seconds)
    for name, row in (("call", "eth_call balanceOf, C=4"), ("balance", "eth_getBalance, C=4")):
        if report:
            bench.keep(f"{row}: /s", kind, report[name]["perS"])
            bench.keep(f"{row}: node CPU, us", kind, report[name]["nodeCpuUsPerReq"])


def receipts(bench, kind):
    """Of one block that holds all transactions, and of those that a node makes by itself."""
    for is_big in (True, False):
        with closing(Node(kind, bench.programs[kind])) as node:
            if is_big and kind == "xinglin":
                node.call("evm_setAutomine", False)
            report = bench.generate(
                node,
                workload="transfer",
                accounts=200,
                txs=BIG_BLOCK if is_big else 2000,
                batch=100,
                connections=4,
                verify="none",
                mine="end" if is_big or kind == "anvil" else "none",
            )
            if not report:
                continue
            numbers = range(int(node.call("eth_blockNumber"), 16), 0, -1)
            blocks = [node.call("eth_getBlockByNumber", hex(number), False)["transactions"] for number in numbers[:200]]
            hashes = max(blocks, key=len) if is_big else [one for block in blocks for one in block]
            if is_big and len(hashes) < BIG_BLOCK:
                bench.failures.append(f"{kind}: the largest block holds {len(hashes)} transactions, not {BIG_BLOCK}")
            random.Random(1).shuffle(hashes)
            answer = bench.ask(node, [request("eth_getTransactionReceipt", one) for one in hashes], "--seconds",
                               bench.arguments.reads_seconds)
            if answer:
                title = "receipts of a block of 10,000" if is_big else "receipts of small blocks"
                bench.keep(f"{title}, C=4: /s", kind, answer["perS"])


def logs(bench, kind):
    """As the generator reads the answer, whose own copying is most of its time, and as a client does that keeps it where it came."""
    with closing(Node(kind, bench.programs[kind])) as node:
        report = bench.generate(
            node,
            workload="storage",
            accounts=200,
            txs=10000,
            batch=100,
            connections=4,
            verify="none",
            reads="logs",
            **mining(kind),
        )
        answer = report and bench.ask(
            node,
            [request("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})],
            "--connections",
            1,
            "--seconds",
            bench.arguments.reads_seconds,
        )
    if report and report["logs"]["count"] == 10000:
        bench.keep("eth_getLogs of 10,000 logs of 256 bytes, ms", kind, report["logs"]["medianMs"])
        if answer:
            bench.keep("eth_getLogs of the same, read without copies, ms", kind, answer["p50ms"])
    elif report:
        bench.failures.append(f"{kind}: eth_getLogs gave {report['logs']}")


def idle(bench, kind):
    """A new node's first answer, its memory, and the way of a lonely transaction to its receipt."""
    with closing(Node(kind, bench.programs[kind])) as node:
        bench.keep("start to first answer of a new node, ms", kind, node.start_ms)
        time.sleep(1)
        bench.keep("idle memory, MB", kind, node.rss_mb())
        if kind == "anvil":
            node.call("evm_setAutomine", True)
        sender, *_ = node.call("eth_accounts")
        for _ in range(LONELY_TRANSACTIONS):
            time.sleep(0.02)
            began = time.monotonic()
            tx = node.call(
                "eth_sendTransaction", {"from": sender, "to": "0x" + "aa" * 20, "value": "0x1", "gas": "0x5208"}
            )
            while not node.call("eth_getTransactionReceipt", tx):
                pass
            bench.keep("send to receipt, idle node, ms", kind, (time.monotonic() - began) * 1e3)


# Clients, and transactions signed before, all clients together, for each second: more than any node takes of them
WAITING_CLIENTS = {1: 2500, 4: 8000, 16: 14000, 64: 16000}
WAITING_GWEI = 3  # more than a peer's base fee, which falls while blocks are nearly empty


def fund(bench, node, clients):
    """Peers ask for fees: each client gets an ether from an account of theirs."""
    text = bench.run([bench.build / "bench/bench_wait", "--addresses", clients], "bench_wait --addresses")
    addresses = text.split()
    sender, *_ = node.call("eth_accounts")
    first = int(node.call("eth_getTransactionCount", sender, "latest"), 16)
    for i, to in enumerate(addresses):
        node.call("eth_sendTransaction", {"from": sender, "to": to, "value": hex(10**18), "nonce": hex(first + i)})
    # Not by receipts: geth answers with an error for one that it did not index yet.
    while "0x0" in (node.call("eth_getBalance", to, "latest") for to in addresses):
        time.sleep(0.01)


def wait_with(bench, kind, clients, is_sync):
    """What bench_wait answers for so many clients of a new node, or None."""
    peer = {"xinglin": "own", "anvil": "anvil, at once"}.get(kind, kind)
    seconds, price = bench.arguments.waiting_seconds, 0 if peer == "own" else WAITING_GWEI * 10**9
    options = {"--clients": clients, "--seconds": seconds, "--price": price, "--sync": int(is_sync),
               "--ahead": int(WAITING_CLIENTS[clients] * seconds) // clients}
    with closing(Node(peer, bench.programs[kind])) as node:
        if price:
            fund(bench, node, clients)
        command = [bench.build / "bench/bench_wait", node.port, *(part for pair in options.items() for part in pair)]
        what = f"{kind}, {clients} waiting clients{' of one request' if is_sync else ''}"
        text = bench.run(command, what)
    answer = json.loads(text) if text else None
    if answer and answer["signedLate"]:
        bench.failures.append(f"{what}: {answer['signedLate']} were signed while the clock ran, which slows the node")
    return answer


def waiting(bench, kind):
    """Clients that wait for each receipt before they send the next, by asking again or in one request."""
    for is_sync in (False, True):
        for clients in WAITING_CLIENTS:
            name = f"{clients} waiting {'client' if clients == 1 else 'clients'}{', one request' if is_sync else ''}"
            try:
                answer = wait_with(bench, kind, clients, is_sync)
            except SystemExit as fault:  # the other rows do not go with it
                bench.failures.append(f"{kind}, {name}: {fault}")
                continue
            if not answer:
                continue
            bench.keep(f"{name}: transactions/s", kind, answer["perS"])
            bench.keep(f"{name}: p50, ms", kind, answer["p50ms"])
            bench.keep(f"{name}: p99, ms", kind, answer["p99ms"])
            stays = answer["lastPerS"] / max(answer["firstPerS"], 1)
            bench.keep(f"{name}: the last fifth's rate / the first's", kind, stays)


PARKED = 1000
PARKED_SETTLE_S = 60  # at most, until all are sealed and only wait


def park(ready, count):
    """Records sent to a gateway whose node seals nothing: connections that wait for their receipts."""
    body = json.dumps({"resourceType": "Patient", "id": "p"})
    fields = {"Authorization": f"Bearer {ready['token']}", "Content-Type": "application/fhir+json"}
    connections = [http.client.HTTPConnection(ready["gateway"].removeprefix("http://")) for _ in range(count)]
    for connection in connections:
        connection.request("POST", f"/records?folder={ready['folder']}", body, fields)
    return connections


def parked(bench, kind):
    """JSON-RPC of a process whose gateway has a thousand requests that wait, over its own speed without them."""
    body = request("eth_getBalance", "0x" + "aa" * 20, "latest")
    options = ("--connections", 4, "--seconds", bench.arguments.reads_seconds)
    with closing(Node(kind, bench.programs[kind], options=("--gateway", "--json"))) as node:
        ready = node.ready_line()
        alone = bench.ask(node, [body], *options)
        node.call("anvil_setAutomine", False)
        connections = park(ready, PARKED)
        if not node.settle(PARKED_SETTLE_S):
            bench.failures.append(f"{kind}: {PARKED} requests that wait keep it busy")
        beside = bench.ask(node, [body], *options)
        node.call("anvil_setAutomine", True)
        node.call("evm_mine")
        statuses = {connection.getresponse().status for connection in connections}
    if statuses != {201}:
        bench.failures.append(f"{kind}, {PARKED} requests that wait: answers {statuses}")
    if alone and beside:
        bench.keep(
            f"eth_getBalance beside {PARKED:,} requests that wait / without", kind, beside["perS"] / alone["perS"]
        )
        bench.keep(f"eth_getBalance beside {PARKED:,} requests that wait: p99, ms", kind, beside["p99ms"])


# --- rooms of the ledger, without a node ---


def interpreter(bench, kind):
    """evm-benchmarks `main`, beside evmone where EVMONE names the library that bench/build-evmone made."""
    peer = os.environ.get("EVMONE")
    text = bench.run(
        [bench.build / "bench/bench_evm", *(["--peer", pathlib.Path(peer).resolve()] if peer else [])], "bench_evm"
    )
    ratios = []
    for name, us, _, theirs, ratio in re.findall(
        r"^(\S+/\S+) +([\d.]+) +(\d+)(?: +([\d.]+) +([\d.]+))?$", text or "", re.M
    ):
        bench.keep(f"interpreter, {name}, µs", "xinglin", float(us))
        if ratio:
            bench.keep(f"interpreter, {name}, µs", "evmone", float(theirs))
            ratios.append(float(ratio))
    if ratios:
        mean = re.search(r"^geometric mean +([\d.]+)$", text, re.M)
        bench.keep("interpreter: geometric mean of xinglin / evmone", "xinglin", float(mean[1]))
        bench.keep("interpreter: worst row of xinglin / evmone", "xinglin", max(ratios))


ROWS_FIGURES = [
    ("/s", 1),
    (": rows/s", 1e3),
    (": CPU, ms/tx", 1e-3),
    (": write amplification", 1),
    (": peak memory, MB", 1),
    (": dirty pages, MB", 1),
]


@contextmanager
def copy_of(folder):
    """Files are linked: the database never writes into one that is there."""
    copy = folder.with_suffix(".copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, copy_function=os.link)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def populated(bench, kind, millions):
    """The folder that bench_populate filled, which is kept between runs of this program; or None."""
    full = CACHE / f"rows-{millions}"
    if not full.exists():
        part = CACHE / f"rows-{millions}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        Node(kind, bench.programs[kind], part).stop()
        if bench.run([bench.build / "bench/bench_populate", part / "chain", millions], "bench_populate") is None:
            return None
        part.rename(full)
    return full


PROOF_MILLIONS = 3  # 100,000 accounts, 2.4 million slots of one contract, 500 of each of 1,000
PROOF_BLOCKS, PROOF_TXS = 20, 10
PROOF_BEHIND = (0, 16)
ROWS_CONTRACT = "0xc0beec" + "00" * 17  # the large one of bench/rows.h


def seal_records(node):
    """Blocks in which ten senders each write five slots of the large contract."""
    accounts = node.call("eth_accounts")
    node.call("evm_setAutomine", False)
    for _ in range(PROOF_BLOCKS):
        for sender in accounts[:PROOF_TXS]:
            data = "0x80" + random.randbytes(31 + 5 * 32 + 256).hex()
            node.call("eth_sendTransaction", {"from": sender, "to": ROWS_CONTRACT, "data": data, "gas": "0x50000"})
        node.call("evm_mine")


def proofs(bench, kind):
    """What a client that believes no node waits for: a folder's head, key and grant, served and verified."""
    full = populated(bench, kind, PROOF_MILLIONS)
    if full is None:
        return
    with copy_of(full) as folder, closing(Node(kind, bench.programs[kind], folder)) as node:
        seal_records(node)
        for behind in PROOF_BEHIND:
            command = [bench.build / "bench/bench_proof", node.port, PROOF_MILLIONS, bench.arguments.reads_seconds,
                       behind]
            text = bench.run(command, "bench_proof")
            if text is None:
                continue
            answer, title = json.loads(text), "eight proved slots" + (f", {behind} blocks ago" if behind else "")
            bench.keep(f"{title}: p50, ms", kind, answer["p50ms"])
            bench.keep(f"{title}: p99, ms", kind, answer["p99ms"])
            if not behind:
                bench.keep(f"{title}: of these verified in, ms", kind, answer["verifyP50us"] / 1e3)


def many_rows(bench, kind):
    """Random places of a large state. Each measurement has a copy."""
    millions, programs = bench.arguments.millions, bench.build / "bench"
    full = populated(bench, kind, millions)
    if full is None:
        return
    for row, work in (("transfers", "transfer"), ("storage", "fresh")):
        with copy_of(full) as folder:
            text = bench.run(
                [
                    programs / "bench_state",
                    folder / "chain",
                    millions,
                    work,
                    bench.arguments.rows_txs,
                    ROWS_A_BLOCK,
                    bench.arguments.rows_memory,
                    "warm",
                ],
                "bench_state",
            )
        found = re.search(
            r"(\d+) tx/s, ([\d.]+)k rows/s.*CPU us/tx.* all ([\d.]+).* = ([\d.]+) x the .*resident at most (\d+) MB; "
            r"dirty pages of the machine at most (\d+) MB",
            text or "",
            re.S,
        )
        if not found:
            continue
        for (what, unit), value in zip(ROWS_FIGURES, found.groups()):
            bench.keep(f"{millions} million rows, {row}{what}", kind, float(value) * unit)


def many_blocks(bench, kind):
    """The start of a node whose chain, made by bench_chain and kept, has a million blocks."""
    full = CACHE / "blocks-1000000"
    if not full.exists():
        part = CACHE / "blocks-1000000.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        Node(kind, bench.programs[kind], part).stop()
        if bench.run([bench.build / "bench/bench_chain", part / "chain", "empty", 1000000], "bench_chain") is None:
            return
        part.rename(full)
    with copy_of(full) as folder:
        node = Node(kind, bench.programs[kind], folder)
        bench.keep("start with a million blocks, ms", kind, node.start_ms)
        node.stop()


LONG = ("many_rows", "many_blocks")  # what takes many minutes and gigabytes to make, once
ONCE = ("waiting",)  # thousands of samples in one run, and the longest step of all


def steps_of(bench):
    """(name, kinds, what to run with a kind) in the order of the table."""
    def writing(workload, batch):
        return lambda kind: writes(bench, kind, workload, batch)

    def named(kinds, *steps):
        return [(step.__name__, kinds, lambda kind, step=step: step(bench, kind)) for step in steps]

    both, ours = [kind for kind in bench.programs if kind != "geth"], ["xinglin"]
    return [
        *(
            (f"{workload} {batch}", both, writing(workload, batch))
            for workload in ("transfer", "storage")
            for batch in (1, 100)
        ),
        *named(both, reads, receipts, logs, idle),
        *named(list(bench.programs), waiting),
        *named(ours, parked, half_rate, proofs, interpreter, many_rows, many_blocks),
    ]
