"""The rows of the table, in order: what each should reach."""
from typing import NamedTuple


class Goal(NamedTuple):
    row: str
    value: float | None = None
    times_anvil: float | None = None
    less: bool = False  # is less better?

    def text(self):
        if self.value is None:
            return "reported"
        text = f"{'≤' if self.less else '≥'} {self.value:,}"
        return text + (f" and {self.times_anvil} × anvil" if self.times_anvil else "")

    def is_met(self, ours, theirs):
        met = ours <= self.value if self.less else ours >= self.value
        return met and (not self.times_anvil or theirs is None or ours >= self.times_anvil * theirs)


def at_most(row, value):
    return Goal(row, value, less=True)


def waiting(clients):
    """One client gets its receipt no later than from anvil, which keeps all in memory, and its rate stays."""
    is_one = clients.startswith("1 ")
    return [Goal(f"{clients}: transactions/s", 370, 1) if is_one else Goal(f"{clients}: transactions/s"),
            at_most(f"{clients}: p50, ms", 2.7) if is_one else Goal(f"{clients}: p50, ms", less=True),
            at_most(f"{clients}: p99, ms", 5) if is_one else Goal(f"{clients}: p99, ms", less=True),
            Goal(f"{clients}: the last fifth's rate / the first's", 0.8)]


GOALS = [
    Goal("transfer, one a request: mined/s", 15000, 2),
    Goal("transfer, batches of 100: mined/s", 22000, 2.5),
    Goal("storage, one a request: mined/s", 9500, 1.5),
    Goal("storage, batches of 100: mined/s", 11500, 1.5),
    at_most("transfer, one a request: node CPU, ms/tx", 0.065),
    at_most("transfer, batches of 100: node CPU, ms/tx", 0.065),
    at_most("storage, one a request: node CPU, ms/tx", 0.13),
    at_most("storage, batches of 100: node CPU, ms/tx", 0.13),
    Goal("60 million rows, transfers/s", 6000),
    Goal("60 million rows, storage/s", 2500),
    Goal("60 million rows, storage: rows/s"),
    Goal("60 million rows, storage: dirty pages, MB", less=True),
    Goal("60 million rows, storage: write amplification", less=True),
    at_most("send to receipt, idle node, ms", 2),
    *(goal for how in ("", ", one request") for clients in ("1 waiting client", "4 waiting clients", "16 waiting clients",
                                                            "64 waiting clients") for goal in waiting(clients + how)),
    Goal("eth_getBalance beside 1,000 requests that wait / without", 0.9),
    Goal("eth_getBalance beside 1,000 requests that wait: p99, ms", less=True),
    Goal("submit at half the maximum rate, p50, ms", less=True),
    at_most("submit at half the maximum rate, p99, ms", 1.5),
    at_most("eight proved slots: p50, ms", 2),
    Goal("eight proved slots: p99, ms", less=True),
    Goal("eight proved slots: of these verified in, ms", less=True),
    at_most("eight proved slots, 16 blocks ago: p50, ms", 2),
    Goal("eight proved slots, 16 blocks ago: p99, ms", less=True),
    Goal("eth_call balanceOf, C=4: /s", 45000),
    Goal("eth_getBalance, C=4: /s", 55000),
    Goal("eth_call balanceOf, C=4: node CPU, us", less=True),
    Goal("eth_getBalance, C=4: node CPU, us", less=True),
    Goal("receipts of a block of 10,000, C=4: /s", 20000),
    Goal("receipts of small blocks, C=4: /s", 20000),
    at_most("eth_getLogs of 10,000 logs of 256 bytes, ms", 60),
    at_most("eth_getLogs of the same, read without copies, ms", 60),
    at_most("interpreter: geometric mean of xinglin / evmone", 1.0),
    at_most("interpreter: worst row of xinglin / evmone", 1.15),
    at_most("start with a million blocks, ms", 300),
    at_most("start to first answer of a new node, ms", 100),
    at_most("idle memory, MB", 40),
    Goal("transfer: import, transactions/s"),
    Goal("storage: import, transactions/s"),
    Goal("transfer: import, CPU, ms/tx", less=True),
    Goal("storage: import, CPU, ms/tx", less=True),
    Goal("transfer: bytes of database a transaction", less=True),
    Goal("storage: bytes of database a transaction", less=True),
    Goal("transfer, batches of 100: peak memory, MB", less=True),
    Goal("storage, batches of 100: peak memory, MB", less=True),
]
