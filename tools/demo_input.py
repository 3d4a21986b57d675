"""Input for the demo: a made-up patient's bundle, a made-up batch, and a choice from what the program reports of an
EPCIS document (`xinglin pack inspect`). Nothing here reads FHIR or EPCIS by itself."""
import json
import random
import uuid
from datetime import date, datetime, timedelta, timezone

GIVEN = ["Amara", "Björn", "Chen", "Dolores", "Émile", "Fatima", "Goran", "Hana", "Ismael", "Jadwiga", "Kofi", "Lucía",
         "Mei", "Núria", "Oskar", "Priya"]
FAMILY = ["Abara", "Bjornsson", "Castañeda", "Dvořák", "Eriksen", "Fujimoto", "García", "Huang", "Ivanova", "Jiménez",
          "Kowalski", "Lindqvist", "Müller", "Nguyen", "Okafor"]
FINDINGS = [("38341003", "Hypertensive disorder"), ("44054006", "Diabetes mellitus type 2"), ("195967001", "Asthma"),
            ("13645005", "Chronic obstructive lung disease")]
MEASURES = [("8867-4", "Heart rate", "/min", 55, 110), ("8310-5", "Body temperature", "Cel", 36, 39),
            ("2339-0", "Glucose", "mg/dL", 70, 180), ("29463-7", "Body weight", "kg", 48, 110)]
LOT_MAX = 20
PACKS_MAX = 10000
CASE_PACKS = 500


class Unsuitable(Exception):
    """The input is valid or not, but the demo cannot use it; the text says why."""


# --- FHIR ---


def coded(system, code, text):
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def make_bundle(path):
    """A transaction Bundle of one patient: names and values differ from run to run."""
    patient, encounter = (f"urn:uuid:{uuid.uuid4()}" for _ in range(2))
    born = date(1935, 1, 1) + timedelta(days=random.randrange(30000))
    today = date.today().isoformat()
    about = {"subject": {"reference": patient}, "encounter": {"reference": encounter}}
    code, text = random.choice(FINDINGS)
    entries = [
        (patient, {"resourceType": "Patient",
                   "name": [{"family": random.choice(FAMILY), "given": [random.choice(GIVEN)]}],
                   "gender": random.choice(["female", "male", "other"]), "birthDate": born.isoformat()}),
        (encounter, {"resourceType": "Encounter", "status": "finished", "subject": {"reference": patient},
                     "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                     "period": {"start": today, "end": today}}),
        (f"urn:uuid:{uuid.uuid4()}", {"resourceType": "Condition", **about, "onsetDateTime": today,
                                      "code": coded("http://snomed.info/sct", code, text)}),
    ]
    for code, text, unit, low, high in random.sample(MEASURES, 3):
        quantity = {"value": round(random.uniform(low, high), 1), "unit": unit, "code": unit,
                    "system": "http://unitsofmeasure.org"}
        entries.append((f"urn:uuid:{uuid.uuid4()}", {"resourceType": "Observation", "status": "final", **about,
                                                     "code": coded("http://loinc.org", code, text),
                                                     "effectiveDateTime": today, "valueQuantity": quantity}))
    entry = [{"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
             for url, resource in entries]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    path.write_text(json.dumps(bundle, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def check_bundle(inspected):
    """The demo has one patient with one folder."""
    patients = inspected["patients"]
    if len(patients) > 1:
        names = ", ".join(p["display"] or p["key"] for p in patients[:3])
        raise Unsuitable(f"it holds the data of {len(patients)} patients ({names}, …); the demo has one patient. "
                         "(The program takes such a document with one folder for each patient: xinglin record add)")


# --- packs ---


def check_digit(digits):
    """GS1: weights 3 and 1 from the right."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def packs_wanted(text):
    """How many packs the made-up batch has."""
    if text is None:
        return random.randrange(12, 40)
    if not text.isdecimal() or not 2 <= int(text) <= PACKS_MAX:
        raise Unsuitable(f"it takes a number from 2 to {PACKS_MAX}")
    return int(text)


def made_up_batch(count=0):
    """Codes for a batch that the demo commissions itself. `units`: the packs that reach the pharmacy, known so far."""
    stem = "0" + "".join(random.choice("0123456789") for _ in range(12))
    cases = [f"1{random.randrange(10**12):012d}{i:04d}" for i in range(1 + PACKS_MAX // CASE_PACKS)]
    expiry = date.today() + timedelta(days=random.randrange(400, 1000))
    return {"gtins": [stem + check_digit(stem)], "lot": f"L{random.randrange(10**5):05d}", "expiry": expiry.isoformat(),
            "ssccs": [sscc + check_digit(sscc) for sscc in cases], "count": count, "units": [], "commissioning": [],
            "shipping": None, "used": 0}


def document(context, event):
    """An EPCIS document of one event, whose text stays as it is."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = json.dumps(context, ensure_ascii=False)
    return (f'{{"@context": {about}, "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "{now}", '
            f'"epcisBody": {{"eventList": [{event}]}}}}')


def commissioning_of(links):
    """An event for packs that a document ships, and that nobody commissioned."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"type": "ObjectEvent", "eventTime": now, "eventTimeZoneOffset": "+00:00", "action": "ADD",
                       "bizStep": "commissioning", "disposition": "active", "epcList": links})


def chosen_events(events):
    """(events that commission packs, the first event that ships packs and nothing else or None)."""
    cases = {e.get("parentLink") for e in events}
    for event in events:
        event["packs"] = [pack for pack in event["packs"] if pack["digitalLink"] not in cases]
    usable = [e for e in events if e["kind"] == "ObjectEvent" and e["packs"]
              and not e.get("corrects") and not e.get("recalls")]
    born = [e for e in usable if (e.get("bizStep"), e.get("action")) == ("commissioning", "ADD")]
    shipped = [e for e in usable if (e.get("bizStep"), e.get("action")) == ("shipping", "OBSERVE")
               and e["identifiers"] == len(e["packs"])]
    return born, shipped[0] if shipped else None


def check_lots(born):
    """What the program would refuse in the middle of the demo is refused here, before it begins."""
    expiries, seen = {}, set()
    for event in born:
        number, lot, expiry = event["event"], event.get("lot", ""), event.get("expiry")
        if (expiry or "9999") < date.today().isoformat():
            raise Unsuitable(f"lot {lot} of event {number} expired on {expiry}")
        if len(lot) > LOT_MAX:
            raise Unsuitable(f"the lot of event {number} has {len(lot)} characters, and GS1 allows {LOT_MAX}")
        if event["latestSeconds"] > datetime.now(timezone.utc).timestamp() + 86400:
            raise Unsuitable(f"event {number} names a time that has not come yet")
        for pack in event["packs"]:
            if expiries.setdefault((pack["gtin"], lot), expiry) != expiry:
                raise Unsuitable(f"lot {lot} expires on {expiries[pack['gtin'], lot]} and on {expiry}")
            if pack["digitalLink"] in seen:
                raise Unsuitable(f"pack {pack['digitalLink']} is commissioned twice")
            seen.add(pack["digitalLink"])


def batch_of(events, context):
    """The batch for the demo, of the events that `xinglin pack inspect` reports."""
    batch = made_up_batch()
    for event in events:
        if "disagrees" in event:
            raise Unsuitable(f"event {event['event']}: {event['disagrees']}")
    born, shipping = chosen_events(events)
    if not born and not shipping:
        raise Unsuitable("no event of it commissions or ships packs (an ObjectEvent, commissioning with ADD or "
                         "shipping with OBSERVE, that names packs by GTIN and serial)")
    check_lots(born)
    lots = {}  # a pack's Digital Link: its (GTIN, lot)

    def commission(event, packs, lot, missing):
        given = {"lot": lot, "expiry": batch["expiry"]}
        options = [word for name in sorted(missing) for word in ("--" + name, given[name])]
        name = f"commissioning-{len(batch['commissioning']) + 1}.jsonld"
        batch["commissioning"].append({"name": name, "text": document(context, event), "options": options, "lot": lot,
                                       "count": len(packs)})
        lots.update({pack["digitalLink"]: (pack["gtin"], lot) for pack in packs})

    for event in born:
        lot = event.get("lot") or f"{batch['lot']}-{event['event']}"
        commission(event["source"], event["packs"], lot, {"lot", "expiry"} - event.keys())
    shipped = shipping["packs"] if shipping else []
    fresh = [pack for pack in shipped if pack["digitalLink"] not in lots]
    for gtin in sorted({pack["gtin"] for pack in fresh}):
        packs = [pack for pack in fresh if pack["gtin"] == gtin]
        commission(commissioning_of([pack["digitalLink"] for pack in packs]), packs, batch["lot"], {"lot", "expiry"})
    if len(lots) > PACKS_MAX:
        raise Unsuitable(f"it names {len(lots)} packs; the demo takes at most {PACKS_MAX}")
    batch["units"] = [pack["digitalLink"] for pack in shipped] or list(lots)
    if len(batch["units"]) < 2:
        raise Unsuitable("it has one pack; the demo dispenses one and keeps another in trade")
    batch["shipping"] = document(context, shipping["source"]) if shipping else None
    batch["gtins"] = sorted({gtin for gtin, _ in lots.values()})
    batch["lots"] = lots
    batch["used"] = len(born) + (1 if shipping else 0)
    return batch


def another_of_the_lot(batch, units):
    """A further pack of the first one's lot; None if there is none."""
    lots = batch.get("lots")
    return next((unit for unit in units[1:] if not lots or lots[unit] == lots[units[0]]), None)
