/* What the FHIR server can do (capabilitystatement.html), made from the tables that it works by. Threads: any. */
#ifndef HEALTH_GATEWAY_FHIR_CAPABILITY_H
#define HEALTH_GATEWAY_FHIR_CAPABILITY_H

#include "health/gateway/fhir_call.h"

/* Writes the answer; the caller ends the call. */
void fhir_capability(struct fhir_call *call);

#endif
