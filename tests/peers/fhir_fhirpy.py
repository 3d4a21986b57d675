"""fhir_fhirpy.py BASE TOKEN: what PyPI's fhirpy does with a FHIR server, by threads and by coroutines."""
import asyncio
import sys

from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import BaseFHIRError

BASE, TOKEN = sys.argv[1:]
IDENTIFIER = [{"system": "urn:fhirpy", "value": "1"}]


def by_threads():
    client = SyncFHIRClient(BASE, authorization=f"Bearer {TOKEN}")
    made = client.resource("Patient", name=[{"family": "Py"}], identifier=IDENTIFIER)
    made.save()
    assert client.reference("Patient", made.id).to_resource()["name"][0]["family"] == "Py"
    made["gender"] = "male"
    made.save()
    assert client.resources("Patient").search(family="Py").count() == 1
    found, is_new = client.resources("Patient").search(identifier="urn:fhirpy|1").get_or_create(
        client.resource("Patient", identifier=IDENTIFIER))
    assert not is_new and found.id == made.id
    for _ in range(3):
        client.resource("Observation", status="final", code={"text": "x"}, subject=made.to_reference()).save()
    observations = client.resources("Observation").search(subject=made.to_reference())
    assert len(list(observations.limit(1))) == 3
    types = {entry.resource["resourceType"] for entry in observations.include("Observation", "subject").fetch_raw().entry}
    assert types == {"Observation", "Patient"}
    try:  # its patch is a merge, as application/json, which FHIR does not have
        made.patch(gender="other")
    except BaseFHIRError as error:
        assert "merge patch" in str(error)
    else:
        raise AssertionError("a merge patch was taken")
    made.delete()


async def by_coroutines():
    client = AsyncFHIRClient(BASE, authorization=f"Bearer {TOKEN}")
    made = client.resource("Patient", name=[{"family": "Async"}])
    await made.save()
    assert (await client.resources("Patient").search(family="Async").first()).id == made.id


by_threads()
asyncio.run(by_coroutines())
print("ok")
