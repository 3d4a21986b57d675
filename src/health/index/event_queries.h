/*
 * Named queries, in the file of events: a name, of whom it is, and the query's JSON. What was put is durable.
 *
 * Ownership: answers live in the caller's arena. Threads: any. Source: EPCIS 2.0 §12.7.
 */
#ifndef HEALTH_INDEX_EVENT_QUERIES_H
#define HEALTH_INDEX_EVENT_QUERIES_H

#include "health/index/events.h"

#define EVENT_QUERIES_MAX 1000u /* of one owner */

struct event_queries_entry {
	struct bytes name, text;
};
/* `owner`: who shares its names. STATUS_EXISTS; STATUS_LIMIT: EVENT_QUERIES_MAX are there. */
MUST_USE enum status event_queries_put(
    struct events *events, struct bytes owner, const struct event_queries_entry *query, struct err *err);
MUST_USE enum status event_queries_get(struct events *events, struct bytes *text, bool *found, struct arena *arena,
    struct bytes owner, struct bytes name, struct err *err);
/* *found false: there was none. */
MUST_USE enum status event_queries_remove(
    struct events *events, bool *found, struct bytes owner, struct bytes name, struct err *err);
/* By name, from behind `after` [empty: from the first]. `*more`: others are behind. */
MUST_USE enum status event_queries_list(struct events *events, struct event_queries_entry *out, size_t *count,
    size_t room, bool *more, struct arena *arena, struct bytes owner, struct bytes after, struct err *err);

#endif
