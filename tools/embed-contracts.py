#!/usr/bin/env python3
"""Turns compiled contracts (contracts/artifacts/NAME.json) into a C table of their creation code, and of the code that
a genesis lays for one that has no constructor.

usage: embed-contracts.py OUT.c ARTIFACT.json...
"""
import json
import sys


def c_bytes(data):
    rows = (data[i:i + 24] for i in range(0, len(data), 24))
    return '\n'.join('\t' + ' '.join(f'{byte},' for byte in row) for row in rows)


def main():
    out, *paths = sys.argv[1:]
    parts = [
        "/* Made by tools/embed-contracts.py. */",
        '#include "contracts/contracts_data.h"',
        "",
        "#include <string.h>",
        "",
    ]
    rows = []
    for path in paths:
        with open(path, encoding='utf-8') as file:
            artifact = json.load(file)
        name, code = artifact['contractName'], bytes.fromhex(artifact['bytecode'].removeprefix('0x'))
        if not name.isidentifier() or not code:
            sys.exit(f'{path}: not a compiled contract')
        parts += [f'static const uint8_t code_{name}[] = {{', c_bytes(code), '};', '']
        row = f'.name = "{name}", .bytecode = code_{name}, .len = sizeof code_{name}'
        if not any(entry['type'] == 'constructor' for entry in artifact['abi']):
            laid = bytes.fromhex(artifact['deployedBytecode'].removeprefix('0x'))
            parts += [f'static const uint8_t laid_{name}[] = {{', c_bytes(laid), '};', '']
            row += f', .laid = laid_{name}, .laid_len = sizeof laid_{name}'
        rows.append(row)
    parts.append('static const struct contract_code codes[] = {')
    parts += [f'\t{{{row}}},' for row in rows]
    parts += ['};', '', 'const struct contract_code *contract_code_get(const char *name) {',
              '\tfor (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {',
              '\t\tif (strcmp(codes[i].name, name) == 0) return &codes[i];', '\t}', '\treturn NULL;', '}', '']
    with open(out, 'w', encoding='utf-8') as file:
        file.write('\n'.join(parts))


if __name__ == '__main__':
    main()
