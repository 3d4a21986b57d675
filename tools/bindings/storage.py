"""Where a contract's variables are stored, and their values from the words that are stored there.

solc's layout names types by labels, "mapping(bytes32 => struct Folders.Head)"; the artifact describes each once."""
from . import names, text
from .types import scalar


class Layout:
    def __init__(self, contract):
        self.contract = contract
        layout = contract.artifact["storageLayout"]
        self.types = layout["types"]
        self.variables = [Variable(self, entry) for entry in layout["storage"]]

    def is_struct(self, label):
        return "members" in self.types[label]

    def slots(self, label):
        return (self.types[label]["bytes"] + 31) // 32

    def value(self, label):
        """A scalar, or None: arrays, mappings, structs, strings."""
        if label.startswith("enum "):
            return self.contract.types.enum(label.removeprefix("enum "))
        if label.startswith("contract "):
            return scalar("address")
        return scalar(label)

    def members(self, label, slot=0, prefix=""):
        """(name, label, slot, offset) of a struct, with the members of inner structs among them."""
        for one in self.types[label]["members"]:
            name = prefix + names.member(one["label"])
            if self.is_struct(one["type"]):
                yield from self.members(one["type"], slot + one["slot"], name + "_")
            else:
                yield name, one["type"], slot + one["slot"], one["offset"]

    def structs(self):
        """Labels of structs that a variable holds as its value, each once."""
        found = [variable.value for variable in self.variables] + [variable.element for variable in self.variables]
        return list(dict.fromkeys(label for label in found if label and self.is_struct(label)))

    def struct_name(self, label):
        """A struct that the ABI knows too, and whose members stand alike in both, is one type."""
        canonical = label.removeprefix("struct ")
        plain = all(self.value(one["type"]) for one in self.types[label]["members"])
        if plain and canonical in self.contract.types.structs:
            return self.contract.types.structs[canonical].c
        return f"struct {self.contract.prefix}_stored_{names.snake(canonical.split('.')[-1])}"

    def load_name(self, label):
        stem = self.struct_name(label).removeprefix("struct " + self.contract.prefix + "_").removeprefix("stored_")
        return f"{self.contract.prefix}_stored_{stem}"

    def struct_header(self, label):
        """Strings keep their own word (contract_stored_length); lists their length; mappings have nothing here."""
        name, stem, comments = self.struct_name(label), self.load_name(label), []
        declarations = []
        for member, kind, slot, offset in self.members(label):
            value = self.value(kind)
            if value:
                declarations += value.declare(member)
            else:
                comments.append(f"#define {stem.upper()}_{member.upper()}_SLOT {slot}")
                encoding = self.types[kind]["encoding"]
                declarations += {"bytes": [f"hash32 {member}_word"], "dynamic_array": [f"uint64_t {member}_count"],
                                 "mapping": []}[encoding]
        lines = text.comment(label.removeprefix("struct ") + ", as it is stored.")
        if comments:
            lines += text.comment("What is not in the struct's own words is found so many slots behind its first.")
            lines += comments
        lines.append(f"#define {stem.upper()}_SLOTS {self.slots(label)}")
        if "_stored_" in name:
            lines += text.struct(name, declarations)
        return lines + text.declare(self.load_head(label)) + [""]

    def load_head(self, label):
        stem = self.load_name(label)
        words = f"const hash32 words[{stem.upper()}_SLOTS]"
        return f"enum status {stem}_load", [f"{self.struct_name(label)} *out", words, "struct err *err"]

    def struct_source(self, label):
        body = ["struct contract_loader loader = {.words = words};"]
        for member, kind, slot, offset in self.members(label):
            value = self.value(kind)
            encoding = self.types[kind]["encoding"]
            if value:
                body.append(value.load(f"out->{member}", slot, offset).replace("(loader", "(&loader"))
            elif encoding == "bytes":
                body.append(f"out->{member}_word = words[{slot}];")
            elif encoding == "dynamic_array":
                body.append(f"out->{member}_count = contract_load_uint(&loader, {slot}, 0, 8);")
        name = f"{self.contract.name}.{label.split('.')[-1]}"
        return text.define(self.load_head(label), body + [f'return contract_load_end(&loader, "{name}", err);'])


class Variable:
    def __init__(self, layout, entry):
        self.layout, self.entry = layout, entry
        self.name = f"{layout.contract.prefix}_{names.snake(entry['label'])}"
        self.keys, label = [], entry["type"]
        while layout.types[label]["encoding"] == "mapping":
            name = entry["keys"][len(self.keys)]
            self.keys.append((names.parameter(name, "key"), layout.value(layout.types[label]["key"])))
            label = layout.types[label]["value"]
        self.value = label  # of the variable, or of a mapping's entry
        self.element = layout.types[label].get("base")  # of an array

    # --- slots ---

    def items(self):
        return [one for name, kind in self.keys for one in kind.parameters(name)]

    def slot_head(self):
        return f"hash32 {self.name}_slot", self.items() or ["void"]

    def slot_source(self):
        first = f"contract_slot({self.entry['slot']})"
        if not self.keys:
            return text.define(self.slot_head(), [f"return {first};"])
        lines = [f"hash32 found = {first};"]
        for name, kind in self.keys:
            key = kind.topic(f"&{name}" if kind.by_value else name).replace("*&", "")
            lines.append(f"found = contract_slot_of_key(&found, {key});")
        return text.define(self.slot_head(), lines + ["return found;"])

    def element_head(self):
        return f"struct contract_place {self.name}_element", [*self.items(), "uint64_t index"]

    def element_source(self):
        slot = f"hash32 slot = {self.name}_slot({', '.join(name for name, _ in self.keys)});"
        return text.define(self.element_head(), [
            slot, f"return contract_element(&slot, index, {self.layout.types[self.element]['bytes']});"])

    # --- values ---

    def scalar(self):
        return self.layout.value(self.value)

    def load_head(self):
        return f"enum status {self.name}_load", [f"{self.scalar().c} *out", "const hash32 *word", "struct err *err"]

    def load_source(self):
        kind = self.scalar()
        target = "out->b" if kind.kind == "hash32" else "*out"
        line = kind.load("*out", 0, self.entry["offset"]).replace("(loader", "(&loader").replace("*out.b", target)
        return text.define(self.load_head(), ["struct contract_loader loader = {.words = word};", line,
                                              f'return contract_load_end(&loader, "{self.name}", err);'])

    def element_load_head(self):
        kind = self.layout.value(self.element)
        return f"enum status {self.name}_element_load", [f"{kind.c} *out", "const struct contract_place *place",
                                                         "const hash32 *word", "struct err *err"]

    def element_load_source(self):
        kind = self.layout.value(self.element)
        line = kind.load("*out", 0, "place->offset").replace("(loader", "(&loader").replace("*out.b", "out->b")
        return text.define(self.element_load_head(), ["struct contract_loader loader = {.words = word};", line,
                                                      f'return contract_load_end(&loader, "{self.name}", err);'])

    def is_list(self):
        """A list of scalars; lists of structs stand inside structs only."""
        return self.element and self.layout.value(self.element)

    def header(self):
        what = f"{self.entry['type']} {self.entry['label']}"
        if self.is_list():
            what += ": the slot holds the length"
        lines = text.comment(what) + text.declare(self.slot_head())
        if self.scalar():
            lines += text.declare(self.load_head())
        if self.is_list():
            lines += text.declare(self.element_head()) + text.declare(self.element_load_head())
        return lines + [""]

    def source(self):
        lines = self.slot_source()
        if self.scalar():
            lines += self.load_source()
        if self.is_list():
            lines += self.element_source() + self.element_load_source()
        return lines
