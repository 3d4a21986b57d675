/*
 * A FHIR R4 document as it comes in: checked for form, and divided into what becomes records. Resources keep their
 * exact source bytes (decimals such as 1.00 and member order are the author's), which is what is sealed, committed to
 * and given back.
 *
 * Accepted: a Bundle (transaction, batch, collection, document, searchset) whose entries hold resources, or a single
 * resource. Refused, with the FHIRPath of the place: what is not a JSON object with a resourceType of R4, empty or
 * duplicate members, an entry without resource, ids that are no FHIR id, two entries with one fullUrl and version, a
 * Bundle in a Bundle entry's place. Sources: FHIR R4 4.0.1 json.html, bundle.html, resource.html#id,
 * compartmentdefinition-patient.html. Threads: pure. Ownership: views into the text, arrays in the arena.
 */
#ifndef HEALTH_FHIR_BUNDLE_H
#define HEALTH_FHIR_BUNDLE_H

#include "codec/json.h"
#include "health/fhir/issue.h"

#define FHIR_DOCUMENT_MAX ((size_t)64 << 20)

struct fhir_resource {
	struct bytes type;     /* "Observation" */
	struct bytes id;       /* or empty */
	struct bytes full_url; /* or empty */
	struct bytes raw;      /* the resource's exact bytes */
	const struct json *json;
	/* Whose compartment: index in fhir_document.patients. Where several fit, the first in the order of the type's
	 * elements, what it is about before who made it. SIZE_MAX: nobody's (Organization, Practitioner, …). A document
	 * of one patient leaves only the shared types to nobody. */
	size_t patient;
};
struct fhir_patient {
	size_t resource;      /* index of its Patient; SIZE_MAX where only references name it */
	struct bytes key;     /* "urn:uuid:…" or "Patient/…" */
	struct bytes display; /* "José María Casares", for the author's eyes only */
};
struct fhir_document {
	struct fhir_resource *resources;
	size_t resource_count;
	struct fhir_patient *patients;
	size_t patient_count;
};
/* False if the document is refused; `issues` says why, with every place up to FHIR_ISSUES_MAX. A byte order mark is
 * skipped. What `out` holds lies in the list's arena. */
MUST_USE bool fhir_document_read(struct fhir_document *out, struct fhir_issues *issues, struct bytes text);
/* Is it one of the 146 resource types that R4 has instances of (its list of 148 counts Resource and DomainResource)? */
bool fhir_type_is_known(struct bytes type);
/* Is it a definition or infrastructure (Organization, Practitioner, Location, Medication, …), which is about no
 * patient and may go into every patient's record? */
bool fhir_type_is_shared(struct bytes type);

#endif
