/*
 * The query language of EPCIS 2.0 (SimpleEventQuery): parameters, from a URL or from the JSON of a query, become
 * conditions over the terms of an event (event_terms.h). All conditions have to hold; of one condition's keys and
 * values any may.
 *
 * Limits: EVENT_QUERY_CONDITIONS_MAX conditions, EVENT_QUERY_OPERANDS_MAX values of one.
 *
 * Ownership: everything is in the arena or views the parameters. Threads: pure. Source: EPCIS 2.0 §8.2.7, §12.7.
 */
#ifndef HEALTH_EPCIS_EVENT_QUERY_H
#define HEALTH_EPCIS_EVENT_QUERY_H

#include "health/epcis/event_terms.h"
#include "health/epcis/problem.h"

#define EVENT_QUERY_CONDITIONS_MAX 100u
#define EVENT_QUERY_OPERANDS_MAX 1000u
#define EVENT_QUERY_OWN_MAX 4u /* conditions of the server's own, beside those */
#define EVENT_QUERY_KEYS_MAX 10u

enum event_query_compare {
	EVENT_QUERY_EQUAL, /* or begins with, of an operand that is a start */
	EVENT_QUERY_LESS,
	EVENT_QUERY_LESS_OR_EQUAL,
	EVENT_QUERY_GREATER,
	EVENT_QUERY_GREATER_OR_EQUAL,
	EVENT_QUERY_EXISTS,
	EVENT_QUERY_ABSENT
};
struct event_query_operand {
	struct bytes text; /* data == NULL: a number alone */
	double number;
	bool has_number;
	bool is_start; /* of texts that begin so */
};
struct event_query_condition {
	struct bytes keys[EVENT_QUERY_KEYS_MAX];
	size_t key_count;
	enum event_query_compare compare;
	struct event_query_operand *operands; /* none of EXISTS, ABSENT */
	size_t operand_count;
};
enum event_query_order { EVENT_QUERY_BY_RECORD_TIME, EVENT_QUERY_BY_EVENT_TIME, EVENT_QUERY_BY_FIELD };
struct event_query {
	struct event_query_condition conditions[EVENT_QUERY_CONDITIONS_MAX + EVENT_QUERY_OWN_MAX];
	size_t count;
	enum event_query_order order;
	struct bytes order_key; /* of BY_FIELD */
	bool is_ordered;        /* orderBy was given */
	bool is_ascending;
	uint64_t limit; /* eventCountLimit; 0: none */
	uint64_t max;   /* maxEventCount; 0: none */
};

/*
 * Adds one parameter with its values, decoded. `context`: what prefixes mean; may be NULL. STATUS_INVALID sets
 * *exception: there is no such parameter, or it does not take that.
 */
MUST_USE enum status event_query_add(struct event_query *query, struct arena *arena, const struct json *context,
    struct bytes name, const struct bytes *values, size_t count, enum epcis_exception *exception, struct err *err);
/* All members of a query's JSON, whose "@context" counts before `context`. */
MUST_USE enum status event_query_add_all(struct event_query *query, struct arena *arena, const struct json *context,
    const struct json *object, enum epcis_exception *exception, struct err *err);
/* Do the parameters fit together? Call it once, when all were added. */
MUST_USE enum status event_query_check(
    const struct event_query *query, enum epcis_exception *exception, struct err *err);
/* A condition of the server's own: one of these keys equals this text. */
void event_query_require(struct event_query *query, struct arena *arena, const char *key, struct bytes text);
/* The same of several keys, which end with NULL. */
void event_query_require_any(
    struct event_query *query, struct arena *arena, const char *const *keys, struct bytes text);

bool event_query_meets(const struct event_query *query, const struct event_terms *terms);

#endif
