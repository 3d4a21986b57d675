/*
 * Patches of a resource (http.html#patch): JSON Patch (RFC 6902) and FHIRPath Patch (fhirpatch.html). Operations take
 * effect one behind the other, and all or none. Every byte that no operation names stays as it stood: numbers keep
 * their digits, members their order.
 *
 * Whether what comes out is a valid resource, and still the same one, is for whoever asked to check.
 *
 * Bounds: FHIR_PATCH_OPERATIONS_MAX operations, FHIR_PATCH_BYTES_MAX bytes of intermediate documents,
 * FHIR_PATCH_STEPS_MAX steps of all FHIRPath expressions. Ownership: the
 * result lies in the issues' arena. Threads: pure.
 */
#ifndef HEALTH_FHIR_PATCH_H
#define HEALTH_FHIR_PATCH_H

#include "codec/json.h"
#include "health/fhir/definitions.h"
#include "health/fhir/issue.h"

#define FHIR_PATCH_OPERATIONS_MAX 1000u
#define FHIR_PATCH_BYTES_MAX ((size_t)256 << 20)
#define FHIR_PATCH_STEPS_MAX 10000000u

enum fhir_patch_verdict {
	FHIR_PATCH_DONE,
	FHIR_PATCH_MALFORMED, /* it is no patch (an HTTP status of 400) */
	FHIR_PATCH_REFUSED,   /* it does not fit the document: a place is not there, a test fails (422) */
};

/* `document` is JSON of json_parse's default limits. For all but DONE an issue says which operation, and why. */
MUST_USE enum fhir_patch_verdict fhir_patch_json(
    struct bytes *out, struct fhir_issues *issues, struct bytes document, const struct json *patch);
/* `parameters` is a Parameters resource whose parameters named "operation" are add, insert, delete, replace or move. A
 * path must lead to one element, of a list for insert and move. Items of lists whose primitives have extensions (a
 * "_" twin) are refused: JSON Patch can name both. */
MUST_USE enum fhir_patch_verdict fhir_patch_fhirpath(struct bytes *out, struct fhir_issues *issues,
    const struct fhir_definitions *defs, struct bytes document, const struct json *parameters);

#endif
