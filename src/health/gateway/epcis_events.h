/* Events as answers: queries in URLs, one event by its id, and the top-level resources. Threads: as the call. */
#ifndef HEALTH_GATEWAY_EPCIS_EVENTS_H
#define HEALTH_GATEWAY_EPCIS_EVENTS_H

#include "health/gateway/epcis_call.h"

void epcis_events_search(struct epcis_call *call);      /* GET /events */
void epcis_events_read(struct epcis_call *call);        /* GET /events/{id} */
void epcis_events_resources(struct epcis_call *call);   /* GET /epcs, … */
void epcis_events_resource(struct epcis_call *call);    /* GET /epcs/{value} */
void epcis_events_of_resource(struct epcis_call *call); /* GET /epcs/{value}/events */

/* Answers with a page of what a query finds among what the asker may see. */
void epcis_events_answer_query(struct epcis_call *call, struct event_query *query, const char *query_name);
/* Answers with a Collection of these members. */
void epcis_events_answer_collection(struct epcis_call *call, const struct bytes *members, size_t count);

#endif
