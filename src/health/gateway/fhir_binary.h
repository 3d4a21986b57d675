/*
 * Binary (binary.html): the resource as JSON, or the bytes themselves, by Accept and Content-Type.
 *
 * Bytes go out as what their sender said they are, but sandboxed: they are somebody's, and may be a page with scripts.
 * Threads: as the call.
 */
#ifndef HEALTH_GATEWAY_FHIR_BINARY_H
#define HEALTH_GATEWAY_FHIR_BINARY_H

#include "health/gateway/fhir_call.h"

/* Does the client want the bytes? (Accept names no form of FHIR.) */
bool fhir_binary_wants_bytes(const struct fhir_call *call);
/* Writes the answer: the bytes of a stored Binary. */
void fhir_binary_answer(struct fhir_call *call, const struct resource_version *version);
/* Appends the bytes that a Binary holds. */
void fhir_binary_write(struct buf *out, const struct json *binary);
/* Does a request bring bytes, and not a resource? */
bool fhir_binary_brings_bytes(const struct fhir_call *call);
/* The Binary resource that a body of bytes becomes. False: it is refused, and the answer is written. */
MUST_USE bool fhir_binary_of_body(struct fhir_call *call, const struct json **out);

#endif
