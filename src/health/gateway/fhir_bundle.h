/* Batches and transactions of the FHIR server (http.html#transaction). Threads: a worker. */
#ifndef HEALTH_GATEWAY_FHIR_BUNDLE_H
#define HEALTH_GATEWAY_FHIR_BUNDLE_H

#include "health/gateway/fhir_call.h"

/* What is posted to the base. Ends the call, now or later. */
void fhir_bundle(struct fhir_call *call);

/* "201 Created" */
const char *fhir_bundle_status(int status);

#endif
