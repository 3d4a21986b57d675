"""Events: structs, topics, filters, and what reads them from logs."""
from . import names, text, values
from .keccak import keccak256


def c_hash(name, data):
    """The definition of a hash32."""
    byte = [f"0x{one:02x}" for one in data]
    return [f"const hash32 {name} = {{", "    {" + ", ".join(byte[:19]) + ",", "\t" + ", ".join(byte[19:]) + "}};"]


class Event:
    def __init__(self, contract, entry):
        self.contract, self.solidity = contract, entry["name"]
        self.short = names.snake(entry["name"])
        self.name = f"{contract.prefix}_{self.short}_event"
        self.inputs = [(one["name"], contract.types.of(one), one["indexed"]) for one in entry["inputs"]]
        self.indexed = [(name, kind) for name, kind, indexed in self.inputs if indexed]
        self.data = [(name, kind) for name, kind, indexed in self.inputs if not indexed]
        self.signature = f"{self.solidity}({','.join(kind.canonical for _, kind, _ in self.inputs)})"
        self.topic = keccak256(self.signature.encode())
        self.notice = contract.notice("events", self.signature)
        self.constant = f"{contract.prefix.upper()}_EVENT_{self.short.upper()}"
        self.needs_arena = values.needs_arena([kind for _, kind in self.data])

    def struct(self):
        declarations = [one for name, kind, _ in self.inputs for one in kind.declare(names.member(name))]
        return text.struct(f"struct {self.name}", declarations)

    def topics_head(self):
        items = [f"const {kind.c} *{names.parameter(name)}" for name, kind in self.indexed]
        return f"struct contract_topics {self.name}_topics", items or ["void"]

    def topics(self):
        body = [f"struct contract_topics topics = {{.topics = {{{self.name}_topic}}, .has_topic = {{true}}}};"]
        for number, (name, kind) in enumerate(self.indexed, 1):
            pointer = names.parameter(name)
            body.append(f"if ({pointer}) contract_topic_set(&topics, {number}, {kind.topic(pointer)});")
        return text.define(self.topics_head(), body + ["return topics;"])

    def read_head(self):
        arena = ["struct arena *arena"] if self.needs_arena else []
        items = [f"struct {self.name} *out", *arena, "const struct log *log", "struct err *err"]
        return f"enum status {self.name}_read", items

    def read(self):
        def row(fields):
            return [(names.parameter(name), kind, f"out->{names.member(name)}") for name, kind in fields]
        opened = f"contract_log_reader(log, &{self.name}_topic, {len(self.indexed)})"
        body = [f"struct contract_log_reader reader = {opened};",
                *values.read_row(row(self.indexed), "&reader.topics"), *values.read_row(row(self.data), "&reader.data"),
                f'return contract_log_end(&reader, "{self.contract.name}.{self.solidity}", err);']
        return text.define(self.read_head(), body)

    def header(self):
        return [*text.comment(self.notice or self.signature), *self.struct(), f"extern const hash32 {self.name}_topic;",
                *text.declare(self.topics_head()), *text.declare(self.read_head()), ""]

    def source(self):
        return [*c_hash(f"{self.name}_topic", self.topic), "", *self.topics(), *self.read()]


def any_event_head(contract):
    items = [f"struct {contract.prefix}_event *out", "struct arena *arena", "const struct log *log", "struct err *err"]
    return f"enum status {contract.prefix}_event_read", items


def any_event_header(contract, events):
    """All events of a contract as one kind and one union."""
    kind = f"{contract.prefix}_event_kind"
    return [f"enum {kind} {{", *[f"\t{event.constant}," for event in events], "};", "",
            f"struct {contract.prefix}_event {{", f"\tenum {kind} kind;", "\tunion {",
            *[f"\t\tstruct {event.name} {names.member(event.short)};" for event in events], "\t};", "};",
            *text.comment("STATUS_NOTFOUND: a log of no event of this contract."),
            *text.declare(any_event_head(contract)), ""]


def any_event_source(contract, events):
    table = f"{contract.prefix}_topics"
    topics = [f"static const hash32 *const {table}[] = {{",
              *[f"    [{event.constant}] = &{event.name}_topic," for event in events], "};", ""]
    body = [f"size_t kind = contract_topic_find(log, {table}, sizeof {table} / sizeof *{table});",
            f"out->kind = (enum {contract.prefix}_event_kind)kind;", "switch (out->kind) {"]
    for event in events:
        arena = "arena, " if event.needs_arena else ""
        read = f"return {event.name}_read(&out->{names.member(event.short)}, {arena}log, err);"
        body += text.one_or_two(f"case {event.constant}:", " ", read, "\t", indent="\t")
    body += ["}", f'return err_set(err, STATUS_NOTFOUND, "a log of no event of {contract.name}");']
    if not any(event.needs_arena for event in events):
        body.insert(0, "(void)arena;")
    return topics + text.define(any_event_head(contract), body)
