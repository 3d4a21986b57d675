/*
 * Who asks: from a request's credentials to an asker. Without a token that is taken there is no data: the answer is 401
 * with WWW-Authenticate (RFC 6750), on /fhir with an OperationOutcome, elsewhere a problem (RFC 9457).
 *
 * Threads: any.
 */
#ifndef HEALTH_GATEWAY_WHO_H
#define HEALTH_GATEWAY_WHO_H

#include "base/http.h"
#include "health/gateway/asker.h"
#include "health/gateway/gateway.h"

/*
 * False: nobody who is known, and the answer is written. What the asker points to is in the arena. A token of the file
 * asks as system/ of all types: its right to read is rs, to write is cud.
 */
bool who_asks(struct gateway *gateway, struct http_exchange *exchange, struct asker *out, struct arena *arena);

/* The same without an answer. STATUS_NOTFOUND: no bearer token is shown. STATUS_DENIED: it is not taken. STATUS_BUSY:
 * its key is being asked for. */
MUST_USE enum status who_identify(struct gateway *gateway, struct asker *out, struct arena *arena,
    const struct http_request *request, struct err *err);

/* Does the token of the gateway's file that the asker came with still stand there, with its rights? Of an issuer's: is
 * there still an issuer? */
bool who_is_still(struct gateway *gateway, const struct asker *asker);

/* What anybody may read: FHIR's statement of capabilities, and the SMART configuration. */
bool who_is_open(struct bytes path);

/* Before a body is read: is there somebody who asks, and may a POST be one of those that write? If not, the answer is
 * written. */
void who_admit(struct gateway *gateway, struct http_exchange *exchange);

/* Answers 403: with an OperationOutcome on /fhir, else with a problem of this code. */
void who_forbid(struct http_exchange *exchange, const char *code, const char *detail);

#endif
