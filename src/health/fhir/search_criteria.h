/* Inside health/fhir: one parameter of a query, or one comparison of a _filter, as a criterion. */
#ifndef HEALTH_FHIR_SEARCH_CRITERIA_H
#define HEALTH_FHIR_SEARCH_CRITERIA_H

#include "health/fhir/search_value.h"

/* What stands behind a name: a query's "=value", or a filter's operator and value. */
struct fhir_search_leaf {
	struct bytes whole; /* the name as it was written, for issues */
	struct bytes value;
	const char *operation; /* of a _filter: "eq"; NULL: a query's */
};
/* The name as it is asked of resources of `type` (FHIR_NONE: of any). NULL: refused. `depth` counts levels of names. */
struct fhir_criterion *fhir_search_criterion(struct fhir_search_reader *reader, uint16_t type, struct bytes name,
    const struct fhir_search_leaf *leaf, unsigned depth);
/* Is the first parameter of the name one of the type's? */
bool fhir_search_names(const struct fhir_definitions *defs, uint16_t type, struct bytes name);
const struct fhir_search_def *fhir_search_of(const struct fhir_definitions *defs, uint16_t type, struct bytes code);

struct fhir_criterion *fhir_search_node(
    struct fhir_search_reader *reader, struct bytes name, enum fhir_criterion_kind kind, uint16_t type);
/* Appends; returns where the next one goes. */
struct fhir_criterion **fhir_search_add(struct fhir_criterion **last, struct fhir_criterion *child);

/* search_filter.c: a whole _filter. NULL: refused. */
struct fhir_criterion *fhir_search_filter(struct fhir_search_reader *reader, uint16_t type, struct bytes text);

#endif
