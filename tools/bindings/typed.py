"""EIP-712 types that a contract checks."""
import re

from . import names, text
from .types import Array, scalar

PUTS = {"bool": "eip712_put_bool(&s, {v})", "uint": "eip712_put_u64(&s, {v})", "u256": "eip712_put_u256(&s, &{v})",
        "address": "eip712_put_address(&s, &{v})", "hash32": "eip712_put_hash32(&s, &{v})"}


class Typed:
    """Members of one word, strings and lists of addresses are what the contracts have."""

    def __init__(self, contract, definition):
        self.contract, self.definition = contract, definition
        name, members = re.fullmatch(r"(\w+)\((.*)\)", definition).groups()
        self.name = f"{contract.prefix}_{names.snake(name)}_typed"
        self.members = [tuple(reversed(one.split(" "))) for one in members.split(",")]  # (name, type)

    def declarations(self):
        for name, kind in self.members:
            made = scalar(kind)
            if made:
                yield from made.declare(names.member(name))
            elif kind == "address[]":
                yield from Array(scalar("address")).declare(names.member(name))
            elif kind in ("string", "bytes"):
                yield f"struct bytes {names.member(name)}"
            else:
                raise ValueError(f"{self.definition}: the type {kind} is not supported")

    def head(self):
        items = [f"const struct {self.name} *message", "uint64_t chain_id", "const addr20 *contract"]
        return f"hash32 {self.name}_digest", items

    def header(self):
        return [*text.comment(self.definition), *text.struct(f"struct {self.name}", self.declarations()),
                *text.declare(self.head()), ""]

    def puts(self):
        for name, kind in self.members:
            at = f"message->{names.member(name)}"
            made = scalar(kind)
            if made:
                yield PUTS[made.kind].format(v=at) + ";"
            elif kind == "address[]":
                yield f"eip712_put_addresses(&s, {at}, {at}_count);"
            else:
                yield f"eip712_put_bytes(&s, {at});"

    def source(self):
        domain = self.contract.artifact["typedData"]["domain"]
        call = f"eip712_begin({pieces(self.definition)});"
        begin = text.one_or_two("struct eip712_struct s =", " ", call, "    ", "\t")
        body = [*begin, *self.puts(),
                f'return contract_digest("{domain}", chain_id, contract, &s);']
        return text.define(self.head(), body)


def pieces(definition, width=90):
    """A long text as literals that stand one after another."""
    rows, row = [], ""
    for word in re.split(r"(?<=,)", definition):
        if len(row) + len(word) > width:
            rows.append(row)
            row = ""
        row += word
    return "\n\t\t\t ".join(f'"{one}"' for one in rows + [row])
