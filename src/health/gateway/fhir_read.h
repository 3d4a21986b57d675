/* Reading one resource of the FHIR server, or one version of it. Threads: as the call. */
#ifndef HEALTH_GATEWAY_FHIR_READ_H
#define HEALTH_GATEWAY_FHIR_READ_H

#include "health/gateway/fhir_call.h"

/* Writes the answer; the caller ends the call. */
void fhir_read(struct fhir_call *call);
/* The resource, or the version, that the path names. False: it is not there, or gone, and the answer is written. */
MUST_USE bool fhir_read_find(struct fhir_call *call, struct resource_version *out);

/* The tree of it. False: the answer is written. */
MUST_USE bool fhir_read_tree(struct fhir_call *call, const struct json **out);

#endif
