/* Searches of a type, of a compartment, of the system (http.html#search), by GET and by POST. Threads: a worker. */
#ifndef HEALTH_GATEWAY_FHIR_SEARCH_H
#define HEALTH_GATEWAY_FHIR_SEARCH_H

#include "health/fhir/search_query.h"
#include "health/gateway/fhir_call.h"

#define FHIR_SEARCH_FORM_MAX ((size_t)1 << 20) /* bytes of a search's form */

/* Writes the answer; the caller ends the call. */
void fhir_search(struct fhir_call *call);
/* The same with a form in the body, of at most FHIR_SEARCH_FORM_MAX bytes. */
void fhir_search_form(struct fhir_call *call);

/* What a search of this type, or of this compartment, finds for the asker. False: it was refused, and the answer is
 * written. */
struct fhir_search_scope {
	uint16_t type;        /* FHIR_NONE: all */
	uint16_t compartment; /* FHIR_NONE: none */
	struct bytes compartment_id;
};
MUST_USE bool fhir_search_run(struct fhir_call *call, struct resource_page *found, struct fhir_search **search,
    const struct fhir_search_scope *scope, const struct http_query *query);

#endif
