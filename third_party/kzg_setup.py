#!/usr/bin/env python3
"""What checking KZG proofs needs of the ceremony's setup, as a C header: the first 64 powers of s in G1 and the 65 in
G2, compressed, and a
root of unity of order 8192. usage: kzg_setup.py trusted_setup.txt OUT.h"""
import sys

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001  # of the groups
POINTS, G2_POINTS, CELL_POINTS, ROOTS = 4096, 65, 64, 8192


def table(name, rows):
    """Rows of bytes as a table."""
    lines = "".join("    {" + ", ".join(f"0x{byte:02x}" for byte in row) + "},\n" for row in rows)
    return f"static const uint8_t {name}[{len(rows)}][{len(rows[0])}] = {{\n{lines}}};\n"


def main():
    # two counts; G1 in Lagrange's form, G2, G1: points of 48 and 96 bytes
    words = open(sys.argv[1], encoding="ascii").read().split()
    if words[:2] != [str(POINTS), str(G2_POINTS)] or len(words) != 2 + 2 * POINTS + G2_POINTS:
        raise SystemExit(f"{sys.argv[1]}: not the setup of EIP-4844")
    points = [bytes.fromhex(word) for word in words[2 + POINTS:]]
    root = pow(7, (ORDER - 1) // ROOTS, ORDER).to_bytes(32, "big")
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("/* Made by third_party/kzg_setup.py from the KZG ceremony's setup (EIP-4844). */\n")
        out.write(table("kzg_setup_g2", points[:G2_POINTS]) + table("kzg_setup_g1", points[G2_POINTS:][:CELL_POINTS]))
        out.write(table("kzg_setup_root", [root]))


main()
