"""The types of the ABI, as C declares, writes and reads them."""
from dataclasses import dataclass, field
import re

from . import names


@dataclass(frozen=True)
class Scalar:
    """A value of one word. `kind`: bool, uint, u256, address, hash32, fixed (bytesN), enum."""
    canonical: str
    kind: str
    c: str
    size: int = 32  # of uint in bits, of fixed in bytes, of an enum its members
    count: str = ""  # of an enum: the name of its members' number

    dynamic = False
    needs_arena = False  # to be read: arrays
    by_value = property(lambda self: self.kind in ("bool", "uint", "enum"))

    def declare(self, name):
        return [f"uint8_t {name}[{self.size}]" if self.kind == "fixed" else f"{self.c} {name}"]

    def parameters(self, name):
        if self.kind == "fixed":
            return [f"const uint8_t {name}[{self.size}]"]
        return [f"{self.c} {name}" if self.by_value else f"const {self.c} *{name}"]

    def put(self, out, value, address):
        """`value` is an expression of the value, `address` one of its address."""
        return {
            "bool": f"abi_put_bool({out}, {value});",
            "uint": f"abi_put_u64({out}, {value});",
            "enum": f"abi_put_u64({out}, {value});",
            "u256": f"abi_put_u256({out}, {address});",
            "address": f"abi_put_address({out}, {address});",
            "hash32": f"abi_put_hash32({out}, {address});",
            "fixed": f"abi_put_fixed({out}, bytes_make({value}, {self.size}));",
        }[self.kind]

    def read(self, reader, target):
        if self.kind == "fixed":
            return f"abi_fixed({reader}, {target}, {self.size});"
        cast = "" if self.c == "uint64_t" else f"({self.c})"
        return target + " = " + {
            "bool": f"abi_bool({reader})",
            "uint": f"{cast}abi_uint({reader}, {self.size})",
            "enum": f"{cast}abi_enum({reader}, {self.count})",
            "u256": f"abi_u256({reader})",
            "address": f"abi_address({reader})",
            "hash32": f"abi_hash32({reader})",
        }.get(self.kind, "") + ";"

    def load(self, target, word, offset):
        """Out of storage; `loader` is a pointer."""
        at = f"loader, {word}, {offset}"
        if self.kind in ("fixed", "hash32"):
            into = f"{target}.b" if self.kind == "hash32" else target
            return f"contract_load_fixed({at.replace('loader', f'loader, {into}')}, {self.size});"
        cast = "" if self.c in ("uint64_t", "bool", "addr20", "u256") else f"({self.c})"
        return target + " = " + cast + {
            "bool": f"contract_load_bool({at})",
            "uint": f"contract_load_uint({at}, {self.size // 8})",
            "enum": f"contract_load_enum({at}, {self.count})",
            "u256": f"contract_load_u256({at}, {self.bytes})",
            "address": f"contract_load_address({at})",
        }[self.kind] + ";"

    @property
    def bytes(self):
        """In storage."""
        fixed = {"bool": 1, "address": 20, "hash32": 32, "fixed": self.size, "enum": 1}
        return fixed.get(self.kind, self.size // 8)

    def topic(self, pointer):
        """As a topic or a key of a mapping, of what a pointer points at."""
        return {
            "bool": f"abi_topic_of_u64(*{pointer})",
            "uint": f"abi_topic_of_u64(*{pointer})",
            "enum": f"abi_topic_of_u64(*{pointer})",
            "u256": f"contract_key_of_u256({pointer})",
            "address": f"abi_topic_of_address({pointer})",
            "hash32": f"*{pointer}",
        }[self.kind]


@dataclass(frozen=True)
class Blob:
    """`bytes` or `string`."""
    canonical: str
    c = "struct bytes"
    dynamic = True
    needs_arena = False
    by_value = True

    def declare(self, name):
        return [f"struct bytes {name}"]

    parameters = declare


@dataclass(frozen=True)
class Tuple:
    c: str
    members: tuple  # of (name, type)
    canonical = property(lambda self: "(" + ",".join(kind.canonical for _, kind in self.members) + ")")
    dynamic = property(lambda self: any(kind.dynamic for _, kind in self.members))
    needs_arena = property(lambda self: any(kind.needs_arena for _, kind in self.members))
    by_value = False

    def declare(self, name):
        return [f"{self.c} {name}"]

    def parameters(self, name):
        return [f"const {self.c} *{name}"]


@dataclass(frozen=True)
class Array:
    base: object
    c = None  # a pointer and a count
    dynamic = True
    needs_arena = True
    by_value = True
    canonical = property(lambda self: self.base.canonical + "[]")

    def declare(self, name):
        return [f"const {self.base.c} *{name}", f"size_t {name}_count"]

    parameters = declare


def scalar(canonical):
    """None: not a type of one word."""
    if canonical == "bool":
        return Scalar(canonical, "bool", "bool")
    if canonical == "address":
        return Scalar(canonical, "address", "addr20")
    if match := re.fullmatch(r"bytes(\d+)", canonical):
        size = int(match[1])
        return Scalar(canonical, "hash32", "hash32") if size == 32 else Scalar(canonical, "fixed", "uint8_t", size)
    if match := re.fullmatch(r"uint(\d+)", canonical):
        bits = int(match[1])
        if bits > 64:
            return Scalar(canonical, "u256", "u256", bits)
        wide = next(width for width in (8, 16, 32, 64) if bits <= width)
        return Scalar(canonical, "uint", f"uint{wide}_t", bits)
    return None


@dataclass
class Types:
    """The types of one contract: what the ABI and the layout name, each made once."""
    prefix: str
    enums: dict  # canonical name -> members
    structs: dict = field(default_factory=dict)  # "IConsent.Grant" -> Tuple

    def enum_name(self, canonical):
        return f"{self.prefix}_{names.snake(canonical.split('.')[-1])}"

    def enum(self, canonical):
        name = self.enum_name(canonical)
        return Scalar("uint8", "enum", f"enum {name}", len(self.enums[canonical]), f"{name.upper()}_COUNT")

    def of(self, entry):
        """Of an input, output or component of the ABI."""
        kind, internal = entry["type"], entry.get("internalType", "")
        if kind.endswith("[]"):
            return Array(self.of({**entry, "type": kind[:-2], "internalType": internal[:-2]}))
        if kind == "tuple":
            return self.struct(internal.removeprefix("struct "), entry["components"])
        if internal.startswith("enum "):
            return self.enum(internal.removeprefix("enum "))
        if kind in ("bytes", "string"):
            return Blob(kind)
        made = scalar(kind)
        if not made:
            raise ValueError(f"the type {kind} is not supported")
        return made

    def like(self, name, members):
        """The struct of the ABI that has this name and these members, (name, type), in this order; None: no such one."""
        asked = [(names.member(one), kind.canonical) for one, kind in members]
        for canonical, known in self.structs.items():
            same = [(one, kind.canonical) for one, kind in known.members] == asked
            if same and canonical.split(".")[-1] == name:
                return known
        return None

    def struct(self, canonical, components):
        if canonical not in self.structs:
            members = tuple((names.member(one["name"]), self.of(one)) for one in components)
            name = names.snake(canonical.split(".")[-1])
            self.structs[canonical] = Tuple(f"struct {self.prefix}_{name}", members)
        return self.structs[canonical]
