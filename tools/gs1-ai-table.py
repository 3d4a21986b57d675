#!/usr/bin/env python3
"""Writes src/health/gs1/ai_table.h from GS1's syntax dictionary: gs1-ai-table.py DICTIONARY > ai_table.h

A row for each application identifier, in order: the identifier, whether its length is predefined (no FNC1 after it),
its components as the
dictionary spells them, and which identifiers may follow it in a Digital Link path ("" for a key without, NULL for no
key).
"""
import re
import sys


def rows(path):
    for line in open(path):
        line = line.split("#")[0].rstrip()
        if not line:
            continue
        found = re.match(r"(\d+(?:-\d+)?)\s+([*?!\"$%&'()+,\-./:;<=>@\[\]^_`{|}~]*)\s*(.*)$", line)
        ais, flags, rest = found.groups()
        words = rest.split()
        components = [w for w in words if "=" not in w and w != "dlpkey"]
        keys = [w for w in words if w.startswith("dlpkey")]
        # "[N3],iso3166" is split off the flags when no flag stands before it
        spec = " ".join(components)
        key = keys[0][7:] if keys and "=" in keys[0] else ("" if keys else None)
        first, _, last = ais.partition("-")
        for ai in range(int(first), int(last or first) + 1):
            yield str(ai).zfill(len(first)), "*" in flags, spec, key


def main():
    print(
        "/* Made by tools/gs1-ai-table.py from GS1's syntax dictionary; do not edit. Included by gs1.c alone. */\n/* clang-format off */"
    )
    for ai, fixed, spec, key in rows(sys.argv[1]):
        print(
            '{"%s", %s, "%s", %s},' % (ai, "true" if fixed else "false", spec, "NULL" if key is None else '"%s"' % key)
        )


main()
