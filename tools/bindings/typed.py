"""EIP-712 types that a contract checks: structs, their hashes, and what is signed."""
import re

from . import names, text
from .types import Array, Blob, Tuple, scalar

PUTS = {"bool": "eip712_put_bool(&s, {v});", "uint": "eip712_put_u64(&s, {v});", "enum": "eip712_put_u64(&s, {v});",
        "u256": "eip712_put_u256(&s, &{v});", "address": "eip712_put_address(&s, &{v});",
        "hash32": "eip712_put_hash32(&s, &{v});"}
ARRAYS = {"address": "eip712_put_addresses(&s, {v}, {v}_count);", "bytes32": "eip712_put_hashes(&s, {v}, {v}_count);"}


def split(definition):
    """"Open(Glass glass,bytes label)Glass(uint8 n)" -> {"Open": [("glass", "Glass"), …], "Glass": …}, the first is the
    type itself."""
    found = re.findall(r"(\w+)\(([^()]*)\)", definition)
    if "".join(f"{name}({inside})" for name, inside in found) != definition:
        raise ValueError(f"{definition}: this is not an EIP-712 type")
    return {name: [tuple(reversed(one.split(" "))) for one in inside.split(",")] for name, inside in found}


def gather(contract, definitions):
    """All types of a contract, each once, and what a type contains before it. What another type contains is never
    signed by itself."""
    parts = {}
    for definition in definitions:
        for name, members in split(definition).items():
            if parts.setdefault(name, members) != members:
                raise ValueError(f"{definition}: {name} has other members elsewhere")
    contained = {kind for members in parts.values() for _, kind in members if kind in parts}
    made = {}

    def make(name):
        if name not in made:
            for _, kind in parts[name]:
                if kind in parts:
                    make(kind)
            made[name] = Typed(contract, name, parts, made, name not in contained)
    for name in parts:
        make(name)
    return list(made.values())


class Typed:
    """Members of one word, strings, bytes, structs, and lists of addresses and of bytes32."""

    def __init__(self, contract, name, parts, made, is_signed):
        self.contract, self.solidity, self.is_signed = contract, name, is_signed
        self.definition = encode_type(name, parts)
        self.name = f"{contract.prefix}_{names.snake(name)}_typed"
        self.inner = {kind: made[kind] for _, kind in parts[name] if kind in made}
        self.members = [(one, self.type(kind)) for one, kind in parts[name]]
        known = contract.types.like(name, self.members)
        members = tuple((names.member(one), kind) for one, kind in self.members)
        self.struct, self.is_own = known or Tuple(f"struct {self.name}", members), not known

    def type(self, kind):
        if kind in self.inner:
            return self.inner[kind].struct
        if kind in ("address[]", "bytes32[]"):
            return Array(scalar(kind[:-2]))
        if kind in ("string", "bytes"):
            return Blob(kind)
        made = scalar(kind)
        if not made or made.kind not in PUTS:
            raise ValueError(f"{self.definition}: the type {kind} is not supported")
        return made

    def hash_head(self):
        return f"hash32 {self.name}_hash", [f"const {self.struct.c} *message"]

    def digest_head(self):
        items = [f"const {self.struct.c} *message", "const struct eip712_domain *domain"]
        return f"hash32 {self.name}_digest", items

    def header(self):
        declarations = [one for name, kind in self.struct.members for one in kind.declare(name)]
        return [*text.comment(self.definition), *(text.struct(self.struct.c, declarations) if self.is_own else []),
                *text.declare(self.hash_head()), *(text.declare(self.digest_head()) if self.is_signed else []), ""]

    def put(self, name, kind):
        at = f"message->{names.member(name)}"
        if isinstance(kind, Tuple):
            inner = next(one for one in self.inner.values() if one.struct is kind)
            local = names.parameter(name) + "_hash"
            return [f"hash32 {local} = {inner.name}_hash(&{at});", f"eip712_put_hash32(&s, &{local});"]
        if isinstance(kind, Array):
            return [ARRAYS[kind.base.canonical].format(v=at)]
        return [PUTS[kind.kind].format(v=at) if not isinstance(kind, Blob) else f"eip712_put_bytes(&s, {at});"]

    def source(self):
        call = f"eip712_begin({pieces(self.definition)});"
        begin = text.one_or_two("struct eip712_struct s =", " ", call, "    ", "\t")
        puts = [line for name, kind in self.members for line in self.put(name, kind)]
        lines = text.define(self.hash_head(), [*begin, *puts, "return eip712_end(&s);"])
        if self.is_signed:
            domain = self.contract.artifact["typedData"]["domain"]
            lines += text.define(self.digest_head(), [f"hash32 hash = {self.name}_hash(message);",
                                                      f'return contract_digest("{domain}", domain, &hash);'])
        return lines


def encode_type(name, parts):
    """The type's text, with all that it refers to behind it, in the order of their names."""
    found, asked = set(), [name]
    while asked:
        for _, kind in parts[asked.pop()]:
            if kind in parts and kind not in found:
                found.add(kind)
                asked.append(kind)

    def one(of):
        return f"{of}({','.join(f'{kind} {member}' for member, kind in parts[of])})"
    return one(name) + "".join(one(of) for of in sorted(found - {name}))


def pieces(definition, width=90):
    """A long text as literals that stand one after another."""
    rows, row = [], ""
    for word in re.split(r"(?<=,)", definition):
        if len(row) + len(word) > width:
            rows.append(row)
            row = ""
        row += word
    return "\n\t\t\t ".join(f'"{one}"' for one in rows + [row])
