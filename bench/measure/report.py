"""The table of what was measured, as Markdown, and its plot, as SVG."""
import datetime
import math
import os
import re
import statistics
from xml.sax.saxutils import escape

from .goals import GOALS, Goal


def rows_of(bench):
    """(goal, ours, the other's) of every row that has a value: the goals' order, then what has none."""
    known = {goal.row for goal in GOALS}
    others = dict.fromkeys(row for row, _ in bench.values if row not in known)
    for goal in [*GOALS, *(Goal(row, less=True) for row in others)]:
        ours = bench.median(goal.row, "xinglin")
        theirs = next(filter(None, (bench.median(goal.row, kind) for kind in ("anvil", "evmone"))), None)
        if ours is not None or theirs is not None:
            yield goal, ours, theirs


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def verdict(goal, ours, theirs):
    if goal.value is None or ours is None:
        return ""
    return "yes" if goal.is_met(ours, theirs) else "**no**"


def table(bench):
    lines = ["| what | xinglin | peer | ratio | goal | reached |", "|---|---|---|---|---|---|"]
    for goal, ours, theirs in rows_of(bench):
        ratio = f"{ours / theirs:.2f}" if ours is not None and theirs else ""
        lines.append(
            f"| {goal.row} | {number(ours)} | {number(theirs)} | {ratio} | {goal.text()} | {verdict(goal, ours, theirs)} |"
        )
    missing = [goal.row for goal in GOALS if bench.median(goal.row, "xinglin") is None]
    load = (
        f"{statistics.median(bench.foreign):.0f} % (at most {max(bench.foreign):.0f} %)"
        if bench.foreign
        else "not measured"
    )
    lines += [
        "",
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, medians of {bench.arguments.runs}, "
        f"{bench.arguments.txs:,} transactions a run; CPU that others took: {load}. The peer is anvil 1.7.1, which holds all in memory and "
        "mines when all is submitted (for waiting clients at once); the interpreter's is evmone's "
        "baseline. xinglin syncs before every receipt.",
    ]
    lines += geth_lines(bench) + duration_lines(bench)
    if missing:
        kinds = dict.fromkeys(re.split("[:,]", row)[0] for row in missing)
        lines += ["", f"{len(missing)} rows were not measured in this run: {'; '.join(kinds)}."]
    return "\n".join(lines + [f"\nFailed: {failure}" for failure in bench.failures]) + "\n"


def geth_lines(bench):
    """The rows that have a second peer."""
    rows = dict.fromkeys(row for row, kind in bench.values if kind == "geth")
    reported = "; ".join(f"{row} {number(bench.median(row, 'geth'))}" for row in rows)
    return ["", f"geth --dev, all in memory: {reported}."] if reported else []


def duration_lines(bench):
    steps = ", ".join(f"{name} {seconds:.0f}" for name, seconds in bench.seconds.items())
    return ["", f"It took {sum(bench.seconds.values()) / 60:.1f} minutes without the build; in seconds: {steps}."]


# --- the plot: how far each row is beyond its goal, on a logarithmic scale ---

WIDTH, LEFT, RIGHT, TOP, LINE = 1000, 400, 120, 56, 22
SCALE_MAX = 16.0


def position(factor):
    """From SCALE_MAX times worse to SCALE_MAX times better than the goal, which is in the middle."""
    share = math.log(min(max(factor, 1 / SCALE_MAX), SCALE_MAX)) / math.log(SCALE_MAX)
    return LEFT + (WIDTH - LEFT - RIGHT) * (1 + share) / 2


def text(x, y, content, anchor="start", size=12, colour="#222"):
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escape(content)}</text>'


def bar(y, factor, colour, height):
    middle, end = position(1), position(factor)
    return f'<rect x="{min(middle, end):.1f}" y="{y:.1f}" width="{max(abs(end - middle), 1):.1f}" height="{height}" fill="{colour}"/>'


def plot(bench):
    rows = [(goal, ours, theirs) for goal, ours, theirs in rows_of(bench) if goal.value and ours]
    height = TOP + LINE * len(rows) + 40
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text(16, 24, "xinglin against its goals", size=16),
        text(16, 42, "right of the line: better than the goal, so many times; grey: the peer", size=11, colour="#666"),
    ]
    for times in (1 / 16, 1 / 4, 1, 4, 16):
        x = position(times)
        out += [
            f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 30}" stroke="{"#222" if times == 1 else "#ddd"}"/>',
            text(
                x,
                height - 14,
                "goal" if times == 1 else f"{times:g} ×" if times > 1 else f"1/{1 / times:g}",
                "middle",
                11,
                "#666",
            ),
        ]
    for i, (goal, ours, theirs) in enumerate(rows):
        y = TOP + LINE * i
        factors = [goal.value / value if goal.less else value / goal.value for value in (ours, theirs) if value]
        out += [
            text(LEFT - 8, y + 14, goal.row, "end"),
            bar(y + 3, factors[0], "#2a7f62" if goal.is_met(ours, theirs) else "#b3382c", 9),
            *([bar(y + 13, factors[1], "#aaa", 4)] if len(factors) > 1 else []),
            text(WIDTH - RIGHT + 8, y + 14, number(ours)),
        ]
    return "\n".join([*out, "</svg>"]) + "\n"
