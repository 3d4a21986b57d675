/*
 * The events of a home, as EPCIS queries find them: one SQLite file in the home, `events.db`, whose pages are encrypted
 * under a key that follows from the home's secret. An event stands there with its JSON, and by its terms
 * (health/epcis/event_terms.h): each is a row "key, value, event".
 *
 * What events say stands in the home's sealed documents too, so a damaged file is made anew from them. What only stands
 * here: when an event was recorded, capture jobs, named queries and subscriptions. Those are durable before a call
 * returns.
 *
 * Ownership: answers live in the caller's arena. Threads: any, with `threads`; without, one.
 * Source: EPCIS 2.0 §8.2.7 (queries), §12.6 (pages).
 */
#ifndef HEALTH_INDEX_EVENTS_H
#define HEALTH_INDEX_EVENTS_H

#include "base/threads.h"
#include "health/actors/home.h"
#include "health/epcis/event_query.h"
#include "health/index/cursor.h"

struct events;

/* `threads` NULL: one thread. STATUS_CORRUPT is not given: such a file is made anew, and the log says so. */
MUST_USE enum status events_open(
    struct events **out, const struct home *home, const struct threads *threads, struct err *err);
/* NULL is allowed. */
void events_close(struct events *events);

/* --- recording --- */

struct events_entry {
	struct bytes event_id;
	int64_t happened_ms;
	struct bytes
	    context;       /* what its prefixes need of "@context": JSON, several with commas between; empty: nothing */
	struct bytes body; /* JSON of the event */
	const struct event_terms *terms;
	bool corrects; /* it has an errorDeclaration: another event of its id may be there */
};
/*
 * Records the events of a document, named by its hash: all or none. `*recorded_ms`: when; not before any event that
 * stands there. STATUS_EXISTS: *at (from 0) has the id of another event, and does not correct it, or corrects it again.
 * The same document again records nothing and is OK; *is_new says which it was.
 */
MUST_USE enum status events_record(struct events *events, const hash32 *document, const struct events_entry *entries,
    size_t count, int64_t *recorded_ms, bool *is_new, size_t *at, struct err *err);
/* Would their ids be taken? As events_record says of them. */
MUST_USE enum status events_check(
    struct events *events, const struct events_entry *entries, size_t count, size_t *at, struct err *err);
/* Was the document recorded? `*problem` then says what the chain answered to it [empty: nothing bad]; in the arena. */
MUST_USE enum status events_has_document(struct events *events, bool *out, struct bytes *problem, struct arena *arena,
    const hash32 *document, struct err *err);
/* Notes what the chain answered to a document, whether its events were recorded or not. */
MUST_USE enum status events_answer(
    struct events *events, const hash32 *document, struct bytes problem, struct err *err);

/* --- finding --- */

#define EVENTS_PAGE_MAX 1000u

struct events_found {
	int64_t id;          /* in the order of recording */
	int64_t recorded_ms; /* its recordTime */
	struct bytes context, body;
	double order; /* inside: what it is sorted by */
};
struct events_wish {
	const struct event_query *query;
	struct bytes asker, question; /* to whom and to what pages are bound */
	struct bytes cursor;          /* of the page before; empty: the first */
	uint32_t count;               /* of a page [1, EVENTS_PAGE_MAX] */
	int64_t now_ms;
};
struct events_page {
	struct events_found *list;
	size_t count;
	struct bytes cursor; /* empty: it is the last */
};
#define EVENTS_CURSOR_MS ((int64_t)3600 * 1000) /* for so long a page's cursor is taken */
/*
 * One page, of what was recorded before the first page was asked for. A page may be shorter than wanted, or empty, and
 * have another behind it, if much was looked at. STATUS_INVALID: the cursor is not of this question, or has ended.
 * STATUS_LIMIT: over the query's maxEventCount, or the query has to sort more than EVENTS_SORTED_MAX events.
 */
#define EVENTS_SORTED_MAX 100000u
MUST_USE enum status events_find(struct events *events, struct events_page *out, struct arena *arena,
    const struct events_wish *wish, struct err *err);

/*
 * The different values of some keys ("bizStep"), ascending, as many as `room`, each of at most EVENTS_VALUE_MAX bytes.
 * `place`: where the list before ended [empty: from the first]; it becomes where this one did; empty: nothing is
 * behind. `party` not empty: only values of events of that party. Then much may be looked at for little, so a list may
 * be shorter than wanted, or empty, and have another behind it.
 */
#define EVENTS_VALUE_MAX 2048u
MUST_USE enum status events_values(struct events *events, struct bytes *out, size_t *count, size_t room,
    struct bytes *place, struct arena *arena, const char *const *keys, struct bytes party, struct err *err);

/* Under which the pages of such lists are sealed (cursor.h). */
const uint8_t *events_cursor_key(const struct events *events);

/* The key under which an event's parties stand: who sent its document, and whom it was sent to. */
#define EVENTS_PARTY "party"

#endif
