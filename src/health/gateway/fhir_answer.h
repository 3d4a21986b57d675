/*
 * Answers of the FHIR server: a resource with its version as an entity tag, a Bundle, an outcome. Threads: as the call.
 */
#ifndef HEALTH_GATEWAY_FHIR_ANSWER_H
#define HEALTH_GATEWAY_FHIR_ANSWER_H

#include "health/gateway/fhir_call.h"
#include "health/index/resources.h"

#define FHIR_ANSWER_TYPE "application/fhir+json"
#define FHIR_ANSWER_INSTANT_BYTES 40u

/* "2026-11-30T20:15:00.123Z" */
void fhir_answer_instant(char out[FHIR_ANSWER_INSTANT_BYTES], int64_t at_ms);
/* Appends an OperationOutcome with one issue. */
void fhir_answer_outcome(struct buf *out, enum fhir_severity severity, enum fhir_issue_code code, const char *text);
/* "Patient/1", in the arena. */
struct bytes fhir_answer_reference(struct arena *arena, const struct resource_key *key);

/* ETag and Last-Modified of a version, and, if it is a write's, Location or Content-Location. */
void fhir_answer_put_version(struct fhir_call *call, const struct resource_version *version);
/* A resource that is read: whole, or the part of it that is asked for. */
void fhir_answer_resource(struct fhir_call *call, int status, const struct resource_version *version);
/* JSON that this server made, laid out if the client wants that. */
void fhir_answer_json(struct fhir_call *call, int status, struct bytes json);
/* Parameters of one parameter: `kind` as "valueString", and its value as JSON. */
void fhir_answer_parameter(struct fhir_call *call, const char *name, const char *kind, struct bytes json);
/* Appends a stored resource in the form that the call asks for. */
void fhir_answer_write(struct fhir_call *call, struct buf *out, struct bytes stored);

#endif
