"""Statements that write and read values of a type: what functions, results and events are made of."""
from . import text
from .types import Array, Blob, Scalar, Tuple


def put_head(kind, value, address):
    """The head of a value in a row; of a dynamic one the line that reserves it is written elsewhere."""
    if isinstance(kind, Scalar):
        return [kind.put("&out", value, address)]
    return [f"put_{kind.c.removeprefix('struct ')}(&out, {address});"]


def loop(count, line):
    return text.one_or_two(f"for (size_t i = 0; i < {count}; i++)", " ", line, "\t", indent="\t")


def put_tail(kind, value, count):
    if isinstance(kind, Blob):
        return [f"abi_put_bytes(&out, {value});"]
    if isinstance(kind, Array) and isinstance(kind.base, Blob):
        return [f"abi_put_bytes_array(&out, {value}, {count});"]
    if isinstance(kind, Array) and not kind.base.dynamic:
        element = put_head(kind.base, f"{value}[i]", f"&{value}[i]")
        return [f"abi_put_u64(&out, {count});"] + loop(count, element[0])
    if isinstance(kind, Tuple):
        return [f"put_{kind.c.removeprefix('struct ')}(&out, {value});"]
    raise ValueError(f"{kind.canonical}: such a tail is not supported")


def put_row(values, out="&out"):
    """A row of (name, type, value, address): heads first, then tails, in their order."""
    lines = []
    if any(kind.dynamic for _, kind, _, _ in values):
        lines.append("struct abi_row row = abi_row_begin(&out);")
    for name, kind, value, address in values:
        lines += [f"size_t {name}_head = abi_reserve(&out);"] if kind.dynamic else put_head(kind, value, address)
    for name, kind, value, address in values:
        if kind.dynamic:
            lines.append(f"abi_tail(&row, {name}_head);")
            lines += put_tail(kind, address if isinstance(kind, Tuple) else value, f"{value}_count")
    return [line.replace("&out", out) for line in lines]


def put_struct(kind):
    """A function that writes a struct."""
    name = kind.c.removeprefix("struct ")
    values = [(one, of, f"value->{one}", f"&value->{one}") for one, of in kind.members]
    head = f"static void put_{name}", ["struct buf *out", f"const {kind.c} *value"]
    return text.define(head, put_row(values, "out"))


def read_value(kind, reader, target):
    """`target` is an lvalue. An array's count stands in `target`_count, its elements in the arena."""
    if isinstance(kind, Scalar):
        return [kind.read(reader, target)]
    if isinstance(kind, Blob):
        return [f"{target} = abi_bytes({reader});"]
    if isinstance(kind, Tuple):
        arena = "arena, " if kind.needs_arena else ""
        return [f"read_{kind.c.removeprefix('struct ')}(&{target}, {arena}{reader});"]
    raise ValueError(f"{kind.canonical}: such a value is not supported")


def read_array(kind, reader, target, count, local):
    """Elements of static size, or `bytes`. `local` names the reader and, with _items, the elements."""
    if kind.base.dynamic and not isinstance(kind.base, Blob):
        raise ValueError(f"{kind.canonical}: such an array is not supported")
    items = f"{local}_items"
    element = read_value(kind.base, f"&{local}", f"{items}[i]")[0]
    return [f"struct abi_reader {local} = abi_array({reader}, &{count});",
            *text.one_or_two(f"{kind.base.c} *{items} =", " ", f"arena_zalloc(arena, {count}, sizeof *{items});",
                             "    ", indent="\t"),
            *loop(count, element),
            f"{target} = {items};"]


def read_row(values, reader):
    """(name, type, lvalue) one after another."""
    lines = []
    for name, kind, target in values:
        if isinstance(kind, Array):
            lines += read_array(kind, reader, target, f"{target}_count", name)
        else:
            lines += read_value(kind, reader, target)
    return lines


def read_struct(kind):
    """A dynamic tuple stands behind an offset."""
    name = kind.c.removeprefix("struct ")
    reader, lines = "reader", []
    if kind.dynamic:
        lines, reader = ["struct abi_reader row = abi_tuple(reader);"], "&row"
    lines += read_row([(one, of, f"out->{one}") for one, of in kind.members], reader)
    arena = ["struct arena *arena"] if kind.needs_arena else []
    head = f"static void read_{name}", [f"{kind.c} *out", *arena, "struct abi_reader *reader"]
    return text.define(head, lines)


def needs_arena(kinds):
    return any(kind.needs_arena for kind in kinds)
