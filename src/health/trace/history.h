/*
 * A pack's story: the events of the chain that concern it, oldest first, following containers as they close and open
 * around it. Each event is proved in the receipt of its transaction, so that a node invents none. That it leaves none
 * out, the end shows: what the chain proves of the pack now (containers, holder, shipment, state, alerts, recall), the
 * story has to account for. What came and went again in between can be left out.
 *
 * What was asked once is kept by the home's index; events that concern other packs are not asked for. If what is kept
 * does not lead to the end, the node is asked for all of it once more.
 *
 * A container that holds the pack is known from a document of the stock, from an event that packs a known one into
 * another, or because the chain proves that the pack is in it. Ownership: the request's arena. Threads: as the request.
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
	addr20 dispenser; /* MEDICINES_EVENT_DISPENSED */
};
/* A story that is not complete is one of which this home has not all documents, or of which the node leaves out some.
 */
struct history_end {
	bool is_complete;
	const char *missing; /* static: "how it came to its present holder"; NULL: nothing */
};
/* STATUS_LIMIT: it went through too many containers. STATUS_DENIED: an event is not the chain's. */
MUST_USE enum status history_read(struct actor_request *request, struct history_entry **out, size_t *count,
    struct history_end *end, const struct stock *stock, const struct stock_unit *unit, struct err *err);
/* "packed", "shipped", …; NULL for events that concern no pack. */
const char *history_word(enum medicines_event_kind kind);

#endif
