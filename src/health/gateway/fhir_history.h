/* Histories of one resource, of a type, of the system (http.html#history). Threads: as the call. */
#ifndef HEALTH_GATEWAY_FHIR_HISTORY_H
#define HEALTH_GATEWAY_FHIR_HISTORY_H

#include "health/gateway/fhir_call.h"

/* Writes the answer; the caller ends the call. */
void fhir_history(struct fhir_call *call);

#endif
