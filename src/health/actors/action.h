/*
 * Actions that a controller signs and any listed actor relays (docs/wire-formats.md §9): a patient needs no gas, no
 * node and no account on the chain. Also used directly where the home's own account sends what it signed.
 */
#ifndef HEALTH_ACTORS_ACTION_H
#define HEALTH_ACTORS_ACTION_H

#include "health/actors/request.h"

#define ACTION_BLOBS_MAX 4
#define ACTION_LIFE_SECONDS 86400u /* a relay has a day */

struct action {
	addr20 to;
	struct bytes data;   /* calldata, signature included */
	const char *summary; /* for the person who relays; never what is private */
	struct {
		addr20 gate;
		hash32 blob;
		struct bytes container;
	} blobs[ACTION_BLOBS_MAX];
	size_t blob_count;
};
/* Until when an action that is signed now may be relayed, in seconds. */
MUST_USE enum status action_deadline(struct actor_request *request, uint64_t *deadline_s, struct err *err);
MUST_USE enum status action_write(struct buf *out, const struct action *action, uint64_t chain_id, struct err *err);
/* Views into the arena. STATUS_INVALID says what is wrong; a blob whose name differs is refused. */
MUST_USE enum status action_parse(
    struct action *out, struct arena *arena, struct bytes json, uint64_t chain_id, struct err *err);
/* Puts the blobs, then sends the transaction, as the request's account. */
MUST_USE enum status action_relay(
    struct actor_request *request, struct client_receipt *receipt, const struct action *action, struct err *err);

#endif
