#!/usr/bin/env python3
"""Makes src/health/fhir/types_table.h: R4's concrete resource types and where each names its patient.

    tools/fhir-types.py DEFINITIONS > src/health/fhir/types_table.h

DEFINITIONS is a folder with HL7's compartmentdefinition-patient.json and search-parameters.json (FHIR 4.0.1). A path is
what the compartment's search parameter reads, without the type; the first that names a patient decides.
"""
import json
import pathlib
import re
import sys

# Known to R4 but in no compartment definition.
MORE_TYPES = ["Parameters"]
# Elements that name a patient although the compartment leaves the type out.
MORE_PATHS = {"Contract": ["subject"], "Device": ["patient"], "GuidanceResponse": ["subject"]}
# Definitions and infrastructure: they describe no patient, and every patient's record may carry them.
SHARED = """ActivityDefinition CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem CompartmentDefinition
ConceptMap DeviceDefinition EffectEvidenceSynthesis Endpoint EventDefinition Evidence EvidenceVariable ExampleScenario
GraphDefinition HealthcareService ImplementationGuide InsurancePlan Library Location Measure Medication
MedicationKnowledge MessageDefinition NamingSystem ObservationDefinition OperationDefinition Organization
OrganizationAffiliation PlanDefinition Practitioner PractitionerRole Questionnaire ResearchDefinition
ResearchElementDefinition ResearchStudy RiskEvidenceSynthesis SearchParameter Slot SpecimenDefinition
StructureDefinition StructureMap TerminologyCapabilities TestScript ValueSet""".split()
SHARED_FAMILIES = ("MedicinalProduct", "Substance")


def expressions(folder):
    found = {}
    for entry in json.loads((folder / "search-parameters.json").read_text())["entry"]:
        parameter = entry["resource"]
        for base in parameter.get("base", []):
            found[base, parameter["code"]] = parameter.get("expression", "")
    return found


def paths(kind, parameters, expression_of):
    out = []
    # What a resource is about comes before who made or paid for it.
    for code in sorted(parameters, key=lambda code: code not in ("patient", "subject", "beneficiary")):
        for part in expression_of[kind, code].split("|"):
            found = re.match(rf"{kind}\.([\w.]+?)(\.where\(.*)?$", part.strip())
            if found and found[1] not in out:
                out.append(found[1])
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    expression_of = expressions(folder)
    compartment = json.loads((folder / "compartmentdefinition-patient.json").read_text())
    rows = {row["code"]: paths(row["code"], row.get("param", []), expression_of) for row in compartment["resource"]}
    rows["Patient"] = []  # a patient's own compartment is its own, whoever it is linked to
    rows.update({kind: [] for kind in MORE_TYPES})
    rows.update(MORE_PATHS)
    print("/* Made by tools/fhir-types.py of FHIR 4.0.1's definitions; do not edit. In the order of names. */")
    print("// clang-format off\n#define FHIR_TYPES(X) \\")
    lines = []
    for kind in sorted(rows):
        shared = kind in SHARED or kind.startswith(SHARED_FAMILIES)
        lines.append(f'\tX("{kind}", {"true" if shared else "false"}, "{" ".join(rows[kind])}")')
    print(" \\\n".join(lines))
    print("// clang-format on")


main()
