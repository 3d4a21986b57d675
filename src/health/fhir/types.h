/* Inside health/fhir: R4's resource types as a table, and the references by which one belongs to a patient
 * (compartmentdefinition-patient.html). Threads: pure. */
#ifndef HEALTH_FHIR_TYPES_H
#define HEALTH_FHIR_TYPES_H

#include "codec/json.h"

struct fhir_type {
	const char *name;
	bool is_shared;    /* a definition or infrastructure: about no patient */
	const char *paths; /* of references that may name its patient, "subject activity.detail.performer" */
};
/* NULL if R4 has no such type. */
const struct fhir_type *fhir_type_find(struct bytes name);

/* Called for each value on the type's paths, in their order, until one call returns true; then that is returned. */
typedef bool fhir_reference_visit(void *context, const struct json *reference);
bool fhir_type_references(
    const struct fhir_type *type, const struct json *resource, fhir_reference_visit *visit, void *context);

#endif
