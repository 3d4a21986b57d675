/*
 * A part of a resource, as _summary and _elements ask for it (search.html#summary, #elements): what is left out is
 * marked by the tag SUBSETTED. What a resource must have, its id and its meta are always there.
 *
 * Threads: pure. Source: FHIR R4 4.0.1 search.html; isSummary of the definitions.
 */
#ifndef HEALTH_FHIR_SUBSET_H
#define HEALTH_FHIR_SUBSET_H

#include "codec/json.h"
#include "health/fhir/definitions.h"

#define FHIR_SUBSET_ELEMENTS_MAX 64u

enum fhir_subset_kind {
	FHIR_SUBSET_ALL,     /* _summary=false */
	FHIR_SUBSET_SUMMARY, /* true: elements that the definitions mark */
	FHIR_SUBSET_TEXT,    /* text, id, meta, and what must be there */
	FHIR_SUBSET_DATA,    /* all but text */
	FHIR_SUBSET_COUNT,   /* of a search: no resources */
};
struct fhir_subset {
	enum fhir_subset_kind kind;
	struct bytes
	    elements[FHIR_SUBSET_ELEMENTS_MAX]; /* names of the first level; "Patient.name" counts for Patient */
	size_t element_count;                   /* 0: _elements was not given */
};

/* False: it is none of true, false, text, data, count. */
MUST_USE bool fhir_subset_read_summary(struct fhir_subset *out, struct bytes text);
/* "name,birthDate". False: there are too many. */
MUST_USE bool fhir_subset_read_elements(struct fhir_subset *out, struct bytes text);
bool fhir_subset_is_whole(const struct fhir_subset *subset);
/* Appends the part of a resource as JSON. The whole is appended byte for byte. */
void fhir_subset_write(struct buf *out, const struct fhir_definitions *defs, const struct fhir_subset *subset,
    const struct json *resource);

#endif
