"""One contract's artifact, and the header and source that are made of it."""
import json

from . import names, text, values
from .events import Event, any_event_header, any_event_source
from .functions import Function, used_structs
from .storage import Layout
from .typed import gather
from .types import Tuple, Types

MADE = "made by tools/make-contract-bindings from contracts/artifacts"


class Contract:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.artifact = json.load(file)
        self.name = self.artifact["contractName"]
        self.prefix = names.snake(self.name)
        self.types = Types(self.prefix, self.artifact["enums"])
        self.functions = [Function(self, entry) for entry in self.entries("function")]
        self.events = [Event(self, entry) for entry in self.entries("event")]
        typed = self.artifact["typedData"]
        self.typed = gather(self, typed["types"]) if typed else []
        statements = {one.struct.c for one in self.typed}
        for one in self.functions:
            one.name_statements(statements)
        self.layout = Layout(self)

    def entries(self, kind):
        return [entry for entry in self.artifact["abi"] if entry["type"] == kind]

    def notice(self, what, signature):
        """What the sources say of a function, an event or an error (///)."""
        found = self.artifact["userdoc"].get(what, {}).get(signature, {})
        return (found[0] if isinstance(found, list) else found).get("notice", "")

    def enum_header(self, canonical):
        name = self.types.enum_name(canonical)
        members = [f"{name.upper()}_{member}" for member in self.artifact["enums"][canonical]]
        lines = [f"enum {name} {{ {', '.join(members)}, {name.upper()}_COUNT }};"]
        if text.width(lines[0]) > text.WIDTH:
            lines = [f"enum {name} {{", *[f"\t{member}," for member in members], f"\t{name.upper()}_COUNT", "};"]
        return [*lines, *text.declare(self.enum_name_head(name)), ""]

    def enum_name_head(self, name):
        return f"const char *{name}_name", [f"unsigned {name.removeprefix(self.prefix + '_')}"]

    def enum_source(self, canonical):
        name, members = self.types.enum_name(canonical), self.artifact["enums"][canonical]
        value = name.removeprefix(self.prefix + "_")
        body = [f"static const char *const names[{name.upper()}_COUNT] = {{",
                *[f'    "{member}",' for member in members], "};",
                f'return {value} < {name.upper()}_COUNT ? names[{value}] : "UNKNOWN";']
        return text.define(self.enum_name_head(name), body)

    def header(self):
        guard = f"HEALTH_CONTRACTS_{self.prefix.upper()}_H"
        lines = [f"/* {self.name}: {MADE}. */", f"#ifndef {guard}",
                 f"#define {guard}", "", '#include "health/contracts/contract.h"', "", "/* --- types --- */", ""]
        if self.artifact["enums"]:
            lines += ["/* The names of members, \"NOT_LISTED\"; \"UNKNOWN\" for a number that is none. */", ""]
        for canonical in self.artifact["enums"]:
            lines += self.enum_header(canonical)
        for kind in self.types.structs.values():
            declarations = [one for name, of in kind.members for one in of.declare(name)]
            lines += text.struct(kind.c, declarations) + [""]
        lines += ["/* --- functions --- */", "", *[line for one in self.functions for line in one.header()],
                  "/* --- events --- */", "", *[line for one in self.events for line in one.header()],
                  *any_event_header(self, self.events)]
        if self.typed:
            lines += ["/* --- EIP-712 --- */", "", *[line for one in self.typed for line in one.header()]]
        lines += ["/* --- storage --- */", ""]
        for label in self.layout.structs():
            lines += self.layout.struct_header(label)
        lines += [line for one in self.layout.variables for line in one.header()]
        return lines + ["#endif"]

    def source(self):
        lines = [f"/* {self.name}: {MADE}. */", f'#include "health/contracts/{self.prefix}.h"', "",
                 '#include "health/contracts/contract_codec.h"', ""]
        lines += [line for one in self.artifact["enums"] for line in self.enum_source(one)]
        written, read = used_structs(self.functions, self.events)
        lines += [line for one in written for line in values.put_struct(one)]
        lines += [line for one in read for line in values.read_struct(one)]
        for group in (self.functions, self.events):
            lines += [line for one in group for line in one.source()]
        lines += any_event_source(self, self.events)
        lines += [line for one in self.typed for line in one.source()]
        lines += [line for label in self.layout.structs() for line in self.layout.struct_source(label)]
        lines += [line for one in self.layout.variables for line in one.source()]
        return lines
