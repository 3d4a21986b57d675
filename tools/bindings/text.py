"""C as text: lines that fit, comments, declarations. Tabs are 8 wide, lines at most 120."""
import textwrap

WIDTH = 120


def width(line):
    return len(line.expandtabs(8))


def fill(begin, items, end):
    """Items behind `begin`, and on further lines with four spaces before them where they do not fit."""
    lines, row = [], begin
    for item in items[:-1] + [items[-1] + end]:
        piece = item if item.endswith(end) else item + ","
        joined = row + ("" if row == begin or row.isspace() else " ") + piece
        if width(joined) > WIDTH and not row.isspace():
            lines.append(row)
            joined = "    " + piece
        row = joined
    return lines + [row]


def call(begin, items, end):
    """`begin(a, b, …)end` as clang-format lays it out: on one line, or all on the next, or filled."""
    one = f"{begin}({', '.join(items)}){end}"
    if width(one) <= WIDTH:
        return [one]
    behind = f"    {', '.join(items)}){end}"
    return [f"{begin}(", behind] if width(behind) <= WIDTH else fill(f"{begin}(", items, f"){end}")


def one_or_two(begin, between, rest, continued, indent=""):
    """On one line if it fits behind `indent`, which is added later; else in two."""
    one = begin + between + rest
    return [one] if "\n" not in one and width(indent + one) <= WIDTH else [begin, continued + rest]


def comment(text, indent=""):
    lines = textwrap.wrap(text, WIDTH - width(indent) - 6)
    if not lines:
        return []
    body = [f"{indent}/* {lines[0]}"] + [f"{indent} * {line}" for line in lines[1:]]
    body[-1] += " */"
    return body


def struct(name, declarations):
    return [f"{name} {{"] + [f"\t{one};" for one in declarations] + ["};"]


def declare(head):
    """`head`: what stands before the bracket, and the parameters. A status must be used."""
    begin, items = head
    return call(("MUST_USE " if begin.startswith("enum status ") else "") + begin, items, ";")


def define(head, body):
    begin, items = head
    lines = call(begin, items, " {")
    return lines + [line and "\t" + line for line in body] + ["}", ""]
