"""Profiles of a package: a small one that has each shape, and US Core's if DATA has it."""
import io
import json
import os
import pathlib
import signal
import tarfile

import pytest

from fhirs import Fhir, patient
from gateways import Gateway

BASE = "http://hl7.org/fhir/StructureDefinition/"
OWN = "http://x.example/StructureDefinition/"


def structure(name, type_, *elements, kind="resource", **more):
    return {"resourceType": "StructureDefinition", "url": OWN + name, "name": name, "status": "active", "kind": kind,
            "abstract": False, "type": type_, "baseDefinition": BASE + type_, "derivation": "constraint",
            "differential": {"element": [{"id": type_, "path": type_}, *elements]}, **more}


def element(id_, **more):
    return {"id": id_, "path": ".".join(part.split(":")[0] for part in id_.split(".")), **more}


COLOUR = structure(
    "colour", "Extension", element("Extension.url", fixedUri=OWN + "colour"),
    element("Extension.value[x]", min=1, type=[{"code": "code"}],
            binding={"strength": "required", "valueSet": "http://x.example/ValueSet/colours|1.0"}),
    kind="complex-type", version="1.0")
WARD = structure(
    "ward-patient", "Patient",
    element("Patient.extension", slicing={"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}),
    element("Patient.extension:colour", sliceName="colour", min=1, max="1", mustSupport=True,
            type=[{"code": "Extension", "profile": [OWN + "colour"]}]),
    element("Patient.identifier", min=1,
            slicing={"discriminator": [{"type": "value", "path": "system"}], "rules": "closed"}),
    element("Patient.identifier:mrn", sliceName="mrn", min=1, max="1"),
    element("Patient.identifier:mrn.system", min=1, fixedUri="urn:mrn"),
    element("Patient.identifier:mrn.value", min=1),
    element("Patient.identifier:old", sliceName="old", max="*"),
    element("Patient.identifier:old.system", min=1, patternUri="urn:old"),
    element("Patient.photo", max="0"),
    element("Patient.birthDate", constraint=[{"key": "ward-1", "severity": "error", "human": "born before 2020",
                                              "expression": "$this < @2020-01-01"}]))
PULSE = structure(
    "pulse", "Observation",
    element("Observation.code", patternCodeableConcept={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}),
    element("Observation.subject", min=1),
    element("Observation.value[x]", slicing={"discriminator": [{"type": "type", "path": "$this"}], "rules": "closed"}),
    element("Observation.value[x]:valueQuantity", sliceName="valueQuantity", max="1", type=[{"code": "Quantity"}]),
    element("Observation.value[x]:valueQuantity.code", min=1, fixedCode="/min"),
    element("Observation.component", slicing={"discriminator": [{"type": "exists", "path": "dataAbsentReason"}],
                                              "rules": "open"}),
    element("Observation.component:absent", sliceName="absent", max="1"),
    element("Observation.component:absent.dataAbsentReason", min=1))
MANY = structure(
    "many-slices", "Patient",
    element("Patient.identifier", slicing={"discriminator": [{"type": "value", "path": "value"}], "rules": "open"}),
    *[part for number in range(1200) for part in (
        element(f"Patient.identifier:s{number}", sliceName=f"s{number}"),
        element(f"Patient.identifier:s{number}.value", fixedString=f"v{number}"))])
NIGHT = structure("night-pulse", "Observation", element("Observation.effective[x]", min=1)) | {
    "baseDefinition": OWN + "pulse"}
COLOURS = {"resourceType": "ValueSet", "url": "http://x.example/ValueSet/colours", "status": "active", "compose": {
    "include": [{"system": "urn:colours", "concept": [{"code": "red"}]}, {"system": "urn:hues"}],
    "exclude": [{"system": "urn:hues", "concept": [{"code": "grey"}]}]}}
HUES = {"resourceType": "CodeSystem", "url": "urn:hues", "status": "active", "content": "complete",
        "concept": [{"code": "blue", "concept": [{"code": "navy"}]}, {"code": "grey"}]}


def package(path, *resources, prefix="package/"):
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for number, resource in enumerate(resources):
            text = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
            kind = "StructureDefinition" if isinstance(resource, bytes) else resource["resourceType"]
            entry = tarfile.TarInfo(f"{prefix}{kind}-{number}.json")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return path


@pytest.fixture(scope="module")
def fhir(consortium, tmp_path_factory):
    consortium.actor("profiled", "hospital")
    path = package(tmp_path_factory.mktemp("profiles") / "own.tgz", COLOUR, WARD, PULSE, NIGHT, MANY, COLOURS, HUES)
    gateway = Gateway(consortium.home("profiled"), "--profiles", path)
    gateway.wait_ready()
    yield Fhir(gateway.url + "/fhir", gateway.token)
    assert gateway.end() == 0, gateway.log.read_text()


def ward(colour="red", **more):
    claimed = {"meta": {"profile": [OWN + "ward-patient"]}, "birthDate": "1970-01-01",
               "extension": [{"url": OWN + "colour", "valueCode": colour}],
               "identifier": [{"system": "urn:mrn", "value": "1"}]}
    return patient(**{name: value for name, value in (claimed | more).items() if value is not None})


def pulse(**more):
    return {"resourceType": "Observation", "meta": {"profile": [OWN + "pulse"]}, "status": "final",
            "code": {"coding": [{"system": "urn:own", "code": "p"}, {"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": "Patient/x"},
            "valueQuantity": {"value": 60, "system": "http://unitsofmeasure.org", "code": "/min"}} | more


ABSENT = {"code": {"text": "c"}, "dataAbsentReason": {"text": "none"}}


@pytest.mark.parametrize("resource", [
    ward(), ward("blue"), ward("navy"), ward(identifier=[{"system": "urn:old"}, {"system": "urn:mrn", "value": "1"}]),
    ward(birthDate=None), pulse(), pulse(component=[ABSENT]),
    {name: value for name, value in pulse().items() if name != "valueQuantity"},
    ward(meta={"profile": ["http://elsewhere.example/unknown"]}, identifier=None)])
def test_what_fits_its_profile_is_written(fhir, resource):
    answer = fhir.post(resource["resourceType"], resource)
    assert answer.status == 201, answer.body


@pytest.mark.parametrize("resource, where", [
    (ward("pink"), "Patient.extension[0].value"), (ward("grey"), "Patient.extension[0].value"),
    (ward(extension=None), "Patient"),
    (ward(extension=[{"url": OWN + "colour", "valueString": "red"}] * 2), "Patient"),
    (ward(identifier=None), "Patient"), (ward(identifier=[{"system": "urn:mrn"}]), "Patient.identifier[0]"),
    (ward(identifier=[{"system": "urn:mrn", "value": "1"}] * 2), "Patient"),
    (ward(identifier=[{"system": "urn:mrn", "value": "1"}, {"system": "urn:other"}]), "Patient"),
    (ward(photo=[{"title": "p"}]), "Patient"), (ward(birthDate="2021-01-01"), "Patient.birthDate"),
    (pulse(code={"coding": [{"system": "http://loinc.org", "code": "1"}]}), "Observation.code"),
    ({k: v for k, v in pulse().items() if k != "subject"}, "Observation"),
    (pulse(valueQuantity={"value": 60, "code": "/h", "system": "http://unitsofmeasure.org"}),
     "Observation.valueQuantity.code"),
    ({k: v for k, v in pulse().items() if k != "valueQuantity"} | {"valueString": "fast"}, "Observation"),
    (pulse(component=[ABSENT, ABSENT]), "Observation"),
    (pulse(meta={"profile": [OWN + "night-pulse"]}), "Observation"),
    (pulse(meta={"profile": [OWN + "night-pulse"]}, effectiveDateTime="2020-01-01", code={"text": "x"}),
     "Observation.code"),
    (pulse(meta={"profile": [OWN + "ward-patient"]}), "Observation"),
])
def test_what_breaks_its_profile_is_refused_with_its_place(fhir, resource, where):
    answer = fhir.post(resource["resourceType"], resource)
    assert answer.status == 422, answer.body
    places = [place for issue in answer.issues if issue["severity"] == "error" for place in issue["expression"]]
    assert any(place.startswith(where) for place in places), answer.body


def test_a_profile_that_is_claimed_many_times_is_checked_once(fhir):
    often = ward(identifier=None, meta={"profile": [OWN + "ward-patient"] * 16})
    assert fhir.post("Patient/$validate", often).issues == fhir.post("Patient/$validate", ward(identifier=None)).issues


def test_checking_takes_a_bounded_time_for_all_profiles_together(fhir):
    """Each of 20,000 identifiers would be held against 1,200 slices."""
    many = [{"system": "urn:s", "value": str(number)} for number in range(20_000)]
    answer = fhir.post("Patient/$validate", ward(identifier=many, meta={"profile": [OWN + "many-slices", OWN + "ward-patient"]}))
    assert [issue["code"] for issue in answer.issues].count("too-costly") == 2


def test_validate_takes_a_profile_and_the_statement_lists_them(fhir):
    plain = {name: value for name, value in ward(photo=[{"title": "p"}]).items() if name != "meta"}
    assert fhir.post("Patient/$validate", plain).issues[0]["severity"] == "information"
    by_profile = fhir.post(f"Patient/$validate?profile={OWN}ward-patient", plain)
    assert by_profile.status == 200 and by_profile.issues[0]["severity"] == "error"
    once = fhir.post(f"Patient/$validate?profile={OWN}ward-patient", ward(photo=[{"title": "p"}]))
    assert sum(issue["severity"] == "error" for issue in once.issues) == 1
    assert fhir.post("Patient/$validate?profile=http://x.example/none", plain).status == 400
    types = {one["type"]: one for one in fhir.get("metadata").json["rest"][0]["resource"]}
    assert set(types["Patient"]["supportedProfile"]) == {OWN + "ward-patient", OWN + "many-slices"}
    assert set(types["Observation"]["supportedProfile"]) == {OWN + "pulse", OWN + "night-pulse"}
    assert "supportedProfile" not in types["Condition"]


def refused(consortium, *options):
    with pytest.raises(AssertionError) as refusal:
        Gateway(consortium.home("profiled-badly"), *options)
    return str(refusal.value)


def test_a_package_that_is_none_is_named_at_the_start(consortium, tmp_path):
    consortium.actor("profiled-badly", "hospital")
    (tmp_path / "no.tgz").write_bytes(b"no gzip")
    cut = package(tmp_path / "whole.tgz", WARD).read_bytes()
    (tmp_path / "cut.tgz").write_bytes(cut[: len(cut) // 2])
    package(tmp_path / "bad.tgz", b"{nope")
    package(tmp_path / "type.tgz", WARD | {"type": "Nothing"})
    package(tmp_path / "empty.tgz", WARD, prefix="other/")
    for name, why in (("no", "gzip"), ("cut", "cut short"), ("bad", "StructureDefinition-0"), ("type", "Nothing"),
                      ("empty", "no definition"), ("missing", "missing.tgz")):
        assert why in refused(consortium, "--profiles", tmp_path / f"{name}.tgz"), name


def us_core():
    found = sorted(pathlib.Path(os.environ.get("DATA", "../shared/data")).glob("fhir/profiles/*us.core*.tgz"))
    return found[-1] if found else None


@pytest.mark.skipif(not us_core(), reason="DATA has no package of US Core in fhir/profiles")
def test_us_cores_own_examples_fit_its_profiles(consortium):
    consortium.actor("profiled-us", "hospital")
    gateway = Gateway(consortium.home("profiled-us"), "--profiles", us_core())
    try:
        gateway.wait_ready()
        fhir = Fhir(gateway.url + "/fhir", gateway.token)
        counts = {True: 0, False: 0}
        with tarfile.open(us_core()) as tar:
            for member in tar:
                if not member.name.startswith("package/example/") or not member.isfile():
                    continue
                resource = json.load(tar.extractfile(member))
                if not resource.get("meta", {}).get("profile"):
                    continue
                path = f"{resource['resourceType']}/$validate"
                found = [issue for issue in fhir.post(path, resource).issues if issue["severity"] == "error"]
                del resource["meta"]["profile"]
                by_base = fhir.post(path, resource | {"meta": {"versionId": "1"}}).issues
                wrong = [issue for issue in found if issue not in by_base]
                counts[not wrong] += 1
                for issue in wrong[:3]:
                    print(member.name, issue["expression"], issue["diagnostics"])
        print("US Core examples:", counts)
        assert counts[True] and not counts[False]
        patients = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"
        bare = fhir.post(f"Patient/$validate?profile={patients}", {"resourceType": "Patient"})
        assert sum("profile wants" in issue["diagnostics"] for issue in bare.issues) >= 3, bare.body
    finally:
        gateway.end(signal.SIGTERM)
