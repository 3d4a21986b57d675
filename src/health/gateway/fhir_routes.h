/*
 * The FHIR server's routes, base path /fhir (FHIR R4 4.0.1 http.html). Threads: any.
 */
#ifndef HEALTH_GATEWAY_FHIR_ROUTES_H
#define HEALTH_GATEWAY_FHIR_ROUTES_H

#include "base/route.h"
#include "health/gateway/fhir_call.h"

/* Their context is a struct fhir_server. */
extern const struct route fhir_routes[];
extern const size_t fhir_route_count;

/* Writes the answer to a GET of any path; the caller ends the call. Blocks as searches do. */
void fhir_routes_answer_get(struct fhir_call *call);

/* Before a path is looked for: clients write a "/" behind it, or not. */
void fhir_routes_trim(struct http_exchange *exchange);
/* A problem (RFC 9457) that somebody below the routes answered a FHIR request with becomes an OperationOutcome. */
void fhir_routes_translate(struct http_exchange *exchange);

#endif
