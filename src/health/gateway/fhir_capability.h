/* What the FHIR server can do (capabilitystatement.html), made from the tables that it works by. Threads: any. */
#ifndef HEALTH_GATEWAY_FHIR_CAPABILITY_H
#define HEALTH_GATEWAY_FHIR_CAPABILITY_H

#include "health/gateway/fhir_call.h"

/* Appends all of it but its end, which says who may ask and how the server is reached. Once, when it is opened. */
void fhir_capability_write(struct buf *out, const struct fhir_profiles *profiles);
/* Writes the answer; the caller ends the call. */
void fhir_capability(struct fhir_call *call);

#endif
