/* Named queries of EPCIS: kept by name, shared by an organisation's tokens, run as /queries/{name}/events.
 * Threads: as the call. Source: EPCIS 2.0 §12.7. */
#ifndef HEALTH_GATEWAY_EPCIS_QUERIES_H
#define HEALTH_GATEWAY_EPCIS_QUERIES_H

#include "health/gateway/epcis_call.h"

void epcis_queries_list(struct epcis_call *call);   /* GET /queries */
void epcis_queries_create(struct epcis_call *call); /* POST /queries */
void epcis_queries_read(struct epcis_call *call);   /* GET /queries/{name} */
void epcis_queries_remove(struct epcis_call *call); /* DELETE /queries/{name} */
void epcis_queries_run(struct epcis_call *call);    /* GET /queries/{name}/events */

#endif
