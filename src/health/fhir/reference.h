/* What the text of a reference says by itself (references.html#literal). Threads: pure. */
#ifndef HEALTH_FHIR_REFERENCE_H
#define HEALTH_FHIR_REFERENCE_H

#include "codec/json.h"
#include "health/fhir/definitions.h"

/* The type in "Patient/1", "http://host/fhir/Patient/1/_history/2" or "Patient?identifier=…"; FHIR_NONE if it names
 * none, as "urn:uuid:…" and "#contained". */
uint16_t fhir_reference_type(const struct fhir_definitions *defs, struct bytes text);
/* The contained resource of an id; NULL if there is none. */
const struct json *fhir_reference_contained(const struct json *resource, struct bytes id);

/* "http://host/fhir/" of the fullUrl "http://host/fhir/Patient/1" of Patient 1; empty if it is not such a URL of the
 * resource. What relative references of a bundle's entry stand on (bundle.html#references). */
struct bytes fhir_reference_base(struct bytes full_url, struct bytes type, struct bytes id);

#endif
