/*
 * Who looked, and who was refused: a folder's list of looks, folded to the slot that the head proves
 * (eth/lists.h). So it is complete, or an error names the entries that the node left out.
 *
 * Ownership: the arena of `verified`. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_LOOKS_H
#define HEALTH_CONSENT_LOOKS_H

#include "health/chain/verified.h"
#include "health/consent/access.h"

struct looks {
	hash32 folder;
	uint64_t before; /* entries below this number; 0: from the newest */
	uint64_t max;    /* so many of them; 0: all */
	/* Each look, newest first, once it is proved. */
	MUST_USE enum status (*visit)(void *context, const struct access_event *event, struct err *err);
	void *context;
};
/* How many there are, and what they fold to. A head was taken, for all that follows too. */
MUST_USE enum status looks_state(
    struct verified *verified, struct list_state *out, const hash32 *folder, struct err *err);
/* STATUS_DENIED: "entries 3 to 7 of the list were not served"; or they are not those that this home saw before. What
 * was shown is remembered. */
MUST_USE enum status looks_read(struct verified *verified, const struct looks *looks, struct err *err);
/* Those after `since` alone, whatever `before` and `max` say: what a transaction of this home has added. */
MUST_USE enum status looks_read_since(
    struct verified *verified, const struct looks *looks, const struct list_state *since, struct err *err);

#endif
