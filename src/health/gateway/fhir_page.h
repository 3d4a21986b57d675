/*
 * Pages of the FHIR server: Bundles of type searchset and history, with links to themselves and to what follows
 * (http.html#paging). A page's query stands whole in its links, so that a client that keeps the query alone finds the
 * next page. Threads: as the call.
 */
#ifndef HEALTH_GATEWAY_FHIR_PAGE_H
#define HEALTH_GATEWAY_FHIR_PAGE_H

#include "health/gateway/fhir_call.h"

struct fhir_page {
	const char *type;     /* "searchset" or "history" */
	struct bytes path;    /* "Patient", "Patient/1/_history", or empty: what was asked, below the base */
	struct bytes query;   /* what of it was used, without the cursor */
	bool shows_resources; /* else the total alone */
	const struct resource_page *found;
};
/* Writes the answer. Warnings of the call become an entry of their own, if it is a searchset. */
void fhir_page_answer(struct fhir_call *call, const struct fhir_page *page);

#endif
