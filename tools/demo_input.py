"""Input for the demo: a made-up patient's bundle, a made-up batch, and the exact bytes of resources in a bundle."""
import json
import pathlib
import random
import uuid
from datetime import date, timedelta

GIVEN = ["Amara", "Björn", "Chen", "Dolores", "Émile", "Fatima", "Goran", "Hana", "Ismael", "Jadwiga", "Kofi", "Lucía", "Mei", "Núria", "Oskar", "Priya"]
FAMILY = ["Abara", "Bjornsson", "Castañeda", "Dvořák", "Eriksen", "Fujimoto", "García", "Huang", "Ivanova", "Jiménez", "Kowalski", "Lindqvist", "Müller", "Nguyen", "Okafor"]
FINDINGS = [("38341003", "Hypertensive disorder"), ("44054006", "Diabetes mellitus type 2"), ("195967001", "Asthma"), ("13645005", "Chronic obstructive lung disease")]
MEASURES = [("8867-4", "Heart rate", "/min", 55, 110), ("8310-5", "Body temperature", "Cel", 36, 39), ("2339-0", "Glucose", "mg/dL", 70, 180), ("29463-7", "Body weight", "kg", 48, 110)]


def make_bundle(path):
    """A transaction Bundle of one patient: names and values differ from run to run."""
    patient, encounter = (f"urn:uuid:{uuid.uuid4()}" for _ in range(2))
    born = date(1935, 1, 1) + timedelta(days=random.randrange(30000))
    today = date.today().isoformat()
    entries = [
        (patient, {"resourceType": "Patient", "name": [{"family": random.choice(FAMILY), "given": [random.choice(GIVEN)]}], "gender": random.choice(["female", "male", "other"]), "birthDate": born.isoformat()}),
        (encounter, {"resourceType": "Encounter", "status": "finished", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}, "subject": {"reference": patient}, "period": {"start": today, "end": today}}),
    ]
    code, text = random.choice(FINDINGS)
    entries.append((f"urn:uuid:{uuid.uuid4()}", {"resourceType": "Condition", "subject": {"reference": patient}, "encounter": {"reference": encounter}, "code": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": text}], "text": text}, "onsetDateTime": today}))
    for code, text, unit, low, high in random.sample(MEASURES, 3):
        value = round(random.uniform(low, high), 1)
        entries.append((f"urn:uuid:{uuid.uuid4()}", {"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": text}]}, "subject": {"reference": patient}, "encounter": {"reference": encounter}, "effectiveDateTime": today, "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}}))
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}} for url, resource in entries]}
    path.write_text(json.dumps(bundle, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def resources(path):
    """The exact source bytes of each entry's resource, in order: what must come back as it was."""
    text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    decoder, found, at = json.JSONDecoder(), [], 0
    for entry in json.loads(text)["entry"]:
        while True:
            at = text.index('"resource"', at) + len('"resource"')
            colon = at
            while text[colon] in " \t\r\n":
                colon += 1
            if text[colon] != ":":
                continue
            start = colon + 1
            while text[start] in " \t\r\n":
                start += 1
            value, end = decoder.raw_decode(text, start)
            if value == entry["resource"]:
                break
        found.append(text[start:end].encode())
        at = end
    return found


def check_digit(digits):
    """GS1: weights 3 and 1 from the right."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def batch(epcis):
    """Codes for a batch. From an EPCIS document: its packs, the events that commission them, and the ones that ship them."""
    stem = "0" + "".join(random.choice("0123456789") for _ in range(12))
    sscc = "1" + "".join(random.choice("0123456789") for _ in range(16))
    expiry = date.today() + timedelta(days=random.randrange(400, 1000))
    made = {"gtins": [stem + check_digit(stem)], "lot": f"L{random.randrange(10**5):05d}", "expiry": expiry.isoformat(), "sscc": sscc + check_digit(sscc), "count": random.randrange(12, 40),
            "units": [], "commissioning": [], "shipping": None}
    if epcis:
        made.update(of_document(json_of(epcis)))
    return made


def json_of(path):
    try:
        document = json.loads(pathlib.Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as fault:
        raise SystemExit(f"{path} is not an EPCIS document in JSON-LD: {fault}")
    if not isinstance(document, dict):
        raise SystemExit(f"{path} is not an EPCIS document in JSON-LD: it is no object")
    return document


def of_document(document):
    """Packs that the document ships or commissions. What it ships without commissioning is commissioned first, in a document made of
    its own shipping event."""
    events = document.get("epcisBody", {}).get("eventList", [])
    is_a = lambda event, step: str(event.get("bizStep", "")).rstrip("/").split("/")[-1].split(":")[-1] == step and event.get("type", event.get("isA")) == "ObjectEvent"
    packs = lambda event: [epc for epc in event.get("epcList", []) if gtin_of(epc)]
    born = [event for event in events if is_a(event, "commissioning") and event.get("action") == "ADD" and packs(event)]
    shipped = [event for event in events if is_a(event, "shipping") and event.get("action") == "OBSERVE" and packs(event)]
    if not born and not shipped:
        raise SystemExit("the EPCIS document commissions and ships no serialised packs (ObjectEvents with SGTINs); give another with EPCIS=…")
    of = lambda chosen: {**document, "epcisBody": {"eventList": chosen}}
    commissioned = [epc for event in born for epc in packs(event)]
    made = {"commissioning": [("commissioning.jsonld", of(born))] if born else [], "shipping": of(shipped[:1]) if shipped else None}
    first = [{**event, "action": "ADD", "bizStep": "commissioning", "disposition": "active", "epcList": fresh} for event in shipped[:1] if (fresh := [epc for epc in packs(event) if epc not in commissioned])]
    for event in first:
        for member in ("eventID", "sourceList", "destinationList", "quantityList", "errorDeclaration", "persistentDisposition"):
            event.pop(member, None)
    if first:
        made["commissioning"].append(("commissioned-before-shipping.jsonld", of(first)))
    made["units"] = packs(shipped[0]) if shipped else commissioned
    made["gtins"] = sorted({gtin_of(epc) for epc in commissioned + made["units"]})
    return made


def gtin_of(epc):
    """urn:epc:id:sgtin:<company>.<indicator and item>.<serial>, or …/01/<gtin>/21/<serial>; None for anything else."""
    if epc.startswith("urn:epc:id:sgtin:"):
        company, item, _ = epc[len("urn:epc:id:sgtin:"):].split(".", 2)
        stem = item[0] + company + item[1:]
        return stem + check_digit(stem)
    if "/01/" in epc and "/21/" in epc:
        return epc.split("/01/")[1].split("/")[0].zfill(14)
    return None
