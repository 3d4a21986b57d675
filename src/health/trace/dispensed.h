/*
 * What an account handed out in one capture: an undo names all of it, since the contract keeps a digest of the list
 * alone. The node tells it, and nothing of it is proved: a list that is not the contract's is refused there
 * (UNDO_OTHER).
 *
 * Ownership: the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_DISPENSED_H
#define HEALTH_TRACE_DISPENSED_H

#include "health/trace/medicines.h"

struct dispensed {
	hash32 tx_hash; /* of the capture */
	hash32 document;
	uint32_t part;
	const struct medicines_unit *units; /* in the order of the capture, without those that were refused */
	size_t count;
};
/* The newest capture by which this home's account dispensed the unit. STATUS_NOTFOUND: there is none. */
MUST_USE enum status dispensed_find(
    struct actor_request *request, struct dispensed *out, const struct medicines_unit *unit, struct err *err);
/* The unit's place in the list; `count`: it is not there. */
size_t dispensed_place(const struct dispensed *dispensed, const struct medicines_unit *unit);

#endif
