/* Capturing: documents as jobs, single events at once. Threads: as the call. Source: EPCIS 2.0 §12.4, §12.5. */
#ifndef HEALTH_GATEWAY_EPCIS_CAPTURE_H
#define HEALTH_GATEWAY_EPCIS_CAPTURE_H

#include "health/gateway/epcis_call.h"

void epcis_capture(struct epcis_call *call);       /* POST /capture */
void epcis_capture_jobs(struct epcis_call *call);  /* GET /capture */
void epcis_capture_job(struct epcis_call *call);   /* GET /capture/{id} */
void epcis_capture_event(struct epcis_call *call); /* POST /events */

#endif
