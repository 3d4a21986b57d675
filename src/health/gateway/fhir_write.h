/* Single writes of the FHIR server. Each ends the call, now or later. Threads: a worker. */
#ifndef HEALTH_GATEWAY_FHIR_WRITE_H
#define HEALTH_GATEWAY_FHIR_WRITE_H

#include "health/gateway/fhir_call.h"

void fhir_write_create(struct fhir_call *call);
void fhir_write_update(struct fhir_call *call);
void fhir_write_patch(struct fhir_call *call);
void fhir_write_delete(struct fhir_call *call);

/* Is the body of one of these media types? False: 415 is written, with the remedy. */
MUST_USE bool fhir_write_takes(struct fhir_call *call, const char *types, const char *remedy);

#endif
