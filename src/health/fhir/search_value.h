/* Inside health/fhir: the values of search parameters. */
#ifndef HEALTH_FHIR_SEARCH_VALUE_H
#define HEALTH_FHIR_SEARCH_VALUE_H

#include "health/fhir/search_query.h"

/* What a query is read with. */
struct fhir_search_reader {
	const struct fhir_search_settings *settings;
	const struct fhir_definitions *defs;
	struct arena *arena;
	struct fhir_issues *issues;
	size_t nodes, operands; /* made so far */
};
enum fhir_search_stop { FHIR_SEARCH_GOES_ON, FHIR_SEARCH_STOPS };

/* Always false, after an error about `name`. */
bool fhir_search_refuse(struct fhir_search_reader *reader, enum fhir_issue_code code, struct bytes name,
    const char *format, ...) PRINTF_LIKE(4, 5);

/* A value without the backslashes of its escapes. */
struct bytes fhir_search_unescape(struct arena *arena, struct bytes text);
/* Cuts `text` at the next separator that is not escaped: the piece before it; *rest has NULL data behind the last. */
struct bytes fhir_search_cut(struct bytes *rest, char separator);

struct fhir_search_wanted {
	struct bytes name; /* as the query has it, for issues */
	const struct fhir_search_def *search;
	enum fhir_search_type type;
	enum fhir_modifier modifier;
	uint16_t target; /* ":Patient" of a reference; or FHIR_NONE */
};
/* Reads the alternatives of one value. False: refused. */
bool fhir_search_operands(struct fhir_search_reader *reader, struct fhir_criterion *criterion,
    const struct fhir_search_wanted *wanted, struct bytes value);
/* As fhir_search_operands, of one value whose prefix is known (_filter). */
bool fhir_search_operand(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value);

#endif
