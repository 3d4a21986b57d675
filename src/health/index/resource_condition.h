/*
 * Inside health/index: the criteria of a search, made ready to be asked of facts. A condition that names values has
 * ranges of keys, in which every resource that meets it has a posting, and decides by the facts of a resource whether
 * it does.
 *
 * Ownership: in the arena of the question. Threads: one owner.
 */
#ifndef HEALTH_INDEX_RESOURCE_CONDITION_H
#define HEALTH_INDEX_RESOURCE_CONDITION_H

#include "health/fhir/search_query.h"
#include "health/index/resources_private.h"

#define RESOURCE_BUDGET 4000000u  /* rows that one search may touch: a row of a posting is 1, a resource's is 4 */
#define RESOURCE_CONTENT_COST 40u /* of reading a content, in rows */
#define RESOURCE_ROWS_MAX 2000000u

/* Rows of resources, ascending, each once when sorted. */
struct resource_rows {
	uint32_t *items;
	size_t count, capacity;
};
void resource_rows_add(struct arena *arena, struct resource_rows *rows, uint32_t row);
void resource_rows_sort(struct resource_rows *rows);
bool resource_rows_has(const struct resource_rows *rows, uint32_t row);

/* One question of one reader. */
struct resource_question {
	const struct resources *resources;
	struct resource_reader *reader;
	struct arena *arena;
	struct resource_gate gate;
	int64_t last_folder; /* that was asked for, and whether it is others' */
	bool last_foreign;
	uint64_t budget;
};
/* STATUS_LIMIT when the budget is used up. */
MUST_USE enum status resource_spend(struct resource_question *question, uint64_t rows, struct err *err);

struct resource_range {
	struct bytes from, to; /* without `to` */
	bool is_long;          /* of RESOURCE_FACT_LONG: its keys are not those of values */
};
enum resource_condition_kind {
	RESOURCE_VALUE, /* a fact of `parameter` fits */
	RESOURCE_ROWS,  /* it is one of `rows` */
	RESOURCE_ALL_OF,
	RESOURCE_ANY_OF,
	RESOURCE_NONE_OF
};
struct resource_condition {
	enum resource_condition_kind kind;
	unsigned parameter;                     /* VALUE */
	uint16_t type;                          /* that it is asked of; FHIR_NONE: any */
	const struct fhir_criterion *criterion; /* VALUE; NULL: any value does */
	const struct resource_operand *operands;
	struct resource_range *ranges;
	size_t range_count;
	bool is_deep; /* the facts only say that it may be so: the content decides */
	struct resource_rows rows;
	struct resource_condition *children, *next;
};
/* What an operand is in bytes of facts. */
struct resource_operand {
	const struct fhir_operand *said;
	struct bytes text;                         /* string: folded; uri, token: as facts keep it */
	struct bytes digest;                       /* token, quantity: of its system */
	bool is_core_code;                         /* token: an element without a system may have it */
	struct bytes from, to;                     /* date, number: first and last moment, low and high */
	struct bytes since;                        /* date: a first moment from which on short spans may reach it */
	struct bytes number;                       /* number: itself */
	struct resource_rows rows;                 /* reference */
	const struct resource_unit_operand *units; /* quantity; in units of the same dimension */
	size_t unit_count;
	const struct resource_operand *parts; /* composite */
};
struct resource_unit_operand {
	const char *code;
	struct bytes from, to, number;
};

/* Makes the conditions of a list of criteria: one that is all of them. */
MUST_USE enum status resource_conditions_make(struct resource_question *question, struct resource_condition **out,
    const struct fhir_criterion *criteria, struct err *err);

/* What is known of a resource that is looked at. */
struct resource_candidate {
	uint32_t row;
	uint16_t type;
	int64_t sequence;
	struct bytes facts;
	const struct json *tree; /* NULL until the content is needed */
};
MUST_USE enum status resource_meets(struct resource_question *question, bool *out,
    const struct resource_condition *condition, struct resource_candidate *candidate, struct err *err);
/* Does this one key, behind its parameter, fit some operand? */
bool resource_key_fits(const struct resource_condition *condition, struct bytes key);

/* resource_words.c: the resources in whose narrative or content words are. */
MUST_USE enum status resource_words_find(struct resource_question *question, struct resource_rows *out,
    const struct fhir_criterion *criterion, struct err *err);

/* resource_deep.c: what only the content says. */
MUST_USE enum status resource_deep_fits(struct resource_question *question, bool *out,
    const struct resource_condition *condition, struct resource_candidate *candidate, struct err *err);

/* resource_find.c: all resources of `types` (0 of them: any) that meet the condition and that the scope admits, above
 * `after`, in the order of rows, at most `limit`. */
struct resource_find {
	const struct resource_condition *condition;
	const uint16_t *types;
	size_t type_count;
	uint32_t after;
	size_t limit;
	int64_t snapshot; /* resources whose first version has a later sequence are not there; INT64_MAX: all are */
	/* Is told of each; false stops. NULL: rows are gathered in `out`. */
	bool (*visit)(void *context, const struct resource_candidate *candidate);
	void *context;
};
MUST_USE enum status resource_find_all(
    struct resource_question *question, struct resource_rows *out, const struct resource_find *find, struct err *err);
/* *out false: more resources may meet the condition than are looked at one by one gladly. */
MUST_USE enum status resource_find_is_small(
    struct resource_question *question, bool *out, const struct resource_condition *condition, struct err *err);
/* Does the candidate belong to what is asked for? The condition is asked last. */
MUST_USE enum status resource_find_admits(struct resource_question *question, bool *out,
    const struct resource_find *find, struct resource_candidate *candidate, struct err *err);
/* The resource of a row, if it is current, not deleted, and admitted. */
MUST_USE enum status resource_candidate_load(
    struct resource_question *question, bool *out, struct resource_candidate *candidate, uint32_t row, struct err *err);
/* The facts of a version that is not the current one, made of its content. */
MUST_USE enum status resource_candidate_facts(
    struct resource_question *question, struct resource_candidate *candidate, struct err *err);
/* The last version up to a sequence; 0: there was none. */
MUST_USE enum status resource_sequence_at(
    struct resource_question *question, int64_t *out, uint32_t row, int64_t snapshot, struct err *err);
/* resource_include.c: what the includes of a search add to its matches; appended to the page. */
MUST_USE enum status resource_includes_add(struct resource_question *question, struct resource_page *page,
    const struct resource_rows *matches, const struct fhir_search *search, struct err *err);
/* Adds the resource of every posting in the range; *whole false: there are more than `max`. */
MUST_USE enum status resource_range_rows(struct resource_question *question, struct resource_rows *out, bool *whole,
    const struct resource_condition *condition, const struct resource_range *range, size_t max, struct err *err);

#endif
