/*
 * A pack's story: the events of the chain that concern it, oldest first, following containers as they close and open
 * around it. What was asked once is kept by the home's index; events that concern other packs are not asked for.
 *
 * A container that holds the pack is known from a document of the stock, or from an event that packs a known one into
 * another. Ownership: the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_HISTORY_H
#define HEALTH_TRACE_HISTORY_H

#include "health/trace/stock.h"

#define HISTORY_CONTAINERS_MAX 256u /* that ever held one pack */

struct history_entry {
	struct medicines_event event;
	const hash32 *container;          /* the one that moved, or into or out of which the pack went; NULL: none */
	const char *code;                 /* of it, if a document names it; else NULL */
	uint64_t block_number, timestamp; /* seconds; 0 if the node does not say */
	hash32 tx_hash;
};
/* STATUS_LIMIT: it went through too many containers. */
MUST_USE enum status history_read(struct actor_request *request, struct history_entry **out, size_t *count,
    const struct stock *stock, const struct stock_unit *unit, struct err *err);
/* "packed", "shipped", …; NULL for events that concern no pack. */
const char *history_word(enum medicines_event_kind kind);

#endif
