"""Calls of functions, what they answer, and the arguments that calldata holds."""
from . import names, text, values
from .keccak import keccak256
from .types import Array, Tuple

POSITIONAL_MAX = 4  # parameters; what takes more takes a struct


class Function:
    def __init__(self, contract, entry):
        self.contract, self.solidity = contract, entry["name"]
        self.name = f"{contract.prefix}_{names.snake(entry['name'])}"
        self.inputs = [(one["name"], contract.types.of(one)) for one in entry["inputs"]]
        self.outputs = [(one["name"], contract.types.of(one)) for one in entry["outputs"]]
        self.signature = f"{self.solidity}({','.join(kind.canonical for _, kind in self.inputs)})"
        self.selector = keccak256(self.signature.encode())[:4]
        self.notice = contract.notice("methods", self.signature)
        width = sum(len(kind.parameters("x")) for _, kind in self.inputs)
        self.takes_struct = width > POSITIONAL_MAX
        # What a transaction can hold: views and what has no arguments are not read back.
        self.is_read_back = bool(self.inputs) and entry["stateMutability"] not in ("view", "pure")

    def name_statements(self, statements):
        """An argument that is an EIP-712 struct is `statement`, whatever short name the source has for it."""
        self.inputs = [("statement" if kind.c in statements else name, kind) for name, kind in self.inputs]

    # --- calls ---

    def args(self):
        """The struct of the arguments, if there is one."""
        if not self.takes_struct and not self.is_read_back:
            return []
        declarations = [one for name, kind in self.inputs for one in kind.declare(names.member(name))]
        return text.struct(f"struct {self.name}_args", declarations)

    def call_head(self):
        items = ["struct arena *arena"]
        if self.takes_struct:
            items.append(f"const struct {self.name}_args *args")
        else:
            items += [one for name, kind in self.inputs for one in kind.parameters(names.parameter(name))]
        return f"struct bytes {self.name}_call", items

    def call(self):
        row = []
        for name, kind in self.inputs:
            if self.takes_struct:
                at = f"args->{names.member(name)}"
                row.append((names.parameter(name), kind, at, f"&{at}"))
            else:
                at = names.parameter(name)
                row.append((at, kind, at, at))
        body = [f"struct buf out = contract_call_begin({self.selector_literal()});", *values.put_row(row),
                "return contract_call_end(arena, &out);"]
        return text.define(self.call_head(), body)

    def selector_literal(self):
        return f"0x{int.from_bytes(self.selector, 'big'):08x}u"

    # --- calls that are read back ---

    def call_read_head(self):
        items = [f"struct {self.name}_args *out", "struct arena *arena", "struct bytes calldata", "struct err *err"]
        return f"enum status {self.name}_call_read", items

    def passed(self):
        """The members of the arguments' struct, as `call` takes them."""
        for name, kind in self.inputs:
            at = f"out->{names.member(name)}"
            yield at if kind.by_value or getattr(kind, "kind", "") == "fixed" else f"&{at}"
            if isinstance(kind, Array):
                yield f"{at}_count"

    def call_read(self):
        what = f'"{self.contract.name}.{self.solidity}"'
        row = [(names.parameter(name), kind, f"out->{names.member(name)}") for name, kind in self.inputs]
        arguments = ["out"] if self.takes_struct else self.passed()
        made, arguments = f"{self.name}_call", ["arena", *arguments]
        begin, call = "struct bytes again =", f"{made}({', '.join(arguments)});"
        if text.width(f"\t    {call}") > text.WIDTH:
            again = text.call(f"{begin} {made}", arguments, ";")
        else:
            again = text.one_or_two(begin, " ", call, "    ", "\t")
        body = [f"struct abi_reader reader = contract_call_reader(calldata, {self.selector_literal()});",
                *values.read_row(row, "&reader"), f"TRY(contract_call_whole(&reader, {what}, err));", *again,
                f"return contract_call_same(calldata, again, {what}, err);"]
        return text.define(self.call_read_head(), body)

    # --- results ---

    @property
    def answers(self):
        return [kind for _, kind in self.outputs]

    def result(self):
        """The struct of several answers."""
        if len(self.outputs) < 2:
            return []
        declarations = [one for name, kind in self.outputs for one in kind.declare(names.member(name))]
        return text.struct(f"struct {self.name}_result", declarations)

    def read_head(self):
        kind = self.answers[0]
        if len(self.outputs) > 1:
            items = [f"struct {self.name}_result *out"]
        elif isinstance(kind, Array):
            items = [f"const {kind.base.c} **out", "size_t *out_count"]
        else:
            items = [f"{kind.c} *out"]
        if values.needs_arena(self.answers):
            items.append("struct arena *arena")
        return f"enum status {self.name}_read", [*items, "struct bytes output", "struct err *err"]

    def read(self):
        kind = self.answers[0]
        if len(self.outputs) > 1:
            row = [(names.parameter(name), kind, f"out->{names.member(name)}") for name, kind in self.outputs]
            lines = values.read_row(row, "&reader")
        elif isinstance(kind, Array):
            lines = values.read_array(kind, "&reader", "*out", "*out_count", "list")
            lines = [line.replace("&*out_count", "out_count") for line in lines]
        else:
            lines = [line.replace("&*out", "out") for line in values.read_value(kind, "&reader", "*out")]
        body = ["struct abi_reader reader = abi_reader(output);", *lines,
                f'return contract_result_end(&reader, "{self.contract.name}.{self.solidity}", err);']
        return text.define(self.read_head(), body)

    # --- files ---

    def header(self):
        lines = text.comment(self.notice) if self.notice else []
        lines += self.args() + self.result() + text.declare(self.call_head())
        if self.is_read_back:
            lines += [f"#define {self.name.upper()}_SELECTOR {self.selector_literal()}"]
            lines += text.declare(self.call_read_head())
        return lines + (text.declare(self.read_head()) if self.outputs else []) + [""]

    def source(self):
        called = self.call() + (self.call_read() if self.is_read_back else [])
        return called + (self.read() if self.outputs else [])


def used_structs(functions, events):
    """(written, read): the structs that some call writes, and that some answer, event or call read back holds. What
    a struct contains stands before it."""
    def inside(kind):
        base = kind.base if isinstance(kind, Array) else kind
        return [one for _, of in base.members for one in inside(of)] + [base] if isinstance(base, Tuple) else []
    written = [one for f in functions for _, kind in f.inputs for one in inside(kind)]
    read = [one for f in functions for _, kind in f.outputs for one in inside(kind)]
    read += [one for f in functions if f.is_read_back for _, kind in f.inputs for one in inside(kind)]
    read += [one for e in events for _, kind in e.data for one in inside(kind)]
    return list(dict.fromkeys(written)), list(dict.fromkeys(read))
