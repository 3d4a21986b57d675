/*
 * Actions that a controller signs and a listed actor relays (docs/wire-formats.md §9): a patient needs no gas, no node
 * and no account on the chain. A relay believes nothing of the file that it is given but what the signed calldata says.
 * Also used for what the home's own account sends.
 */
#ifndef HEALTH_ACTORS_ACTION_H
#define HEALTH_ACTORS_ACTION_H

#include "health/actors/request.h"
#include "health/statements/call.h"

#define ACTION_BLOBS_MAX 1         /* no call names more */
#define ACTION_LIFE_SECONDS 86400u /* a relay has a day */

struct action {
	addr20 to;
	struct bytes data; /* calldata, signature included */
	struct {
		addr20 gate;
		hash32 blob;
		struct bytes container;
	} blobs[ACTION_BLOBS_MAX];
	size_t blob_count;
	struct bytes key; /* of a hand-over: the folder's key, sealed to its new controller; no relay needs it */
};
/* Until when an action that is signed now may be relayed, in seconds. */
MUST_USE enum status action_deadline(struct actor_request *request, uint64_t *deadline_s, struct err *err);
MUST_USE enum status action_write(struct buf *out, const struct action *action, uint64_t chain_id, struct err *err);
/* Views into the arena. STATUS_INVALID says what is wrong; a blob whose name differs is refused. */
MUST_USE enum status action_parse(
    struct action *out, struct arena *arena, struct bytes json, uint64_t chain_id, struct err *err);
/* What somebody else's file asks this home to send: a call that a relay carries (health/statements/call.h), signed by
 * another account than the home's, for any relay or for this one, with no blob but the one that it names, for the
 * contract that it calls. STATUS_DENIED says which of these it is not. What it says is in `out`, in the request's
 * arena. */
MUST_USE enum status action_check(
    const struct actor_request *request, struct statement_call *out, const struct action *action, struct err *err);
/* Checks it, then sends it. */
MUST_USE enum status action_relay(
    struct actor_request *request, struct client_receipt *receipt, const struct action *action, struct err *err);
/* What the home itself has made: puts the blobs, then sends the transaction, as the request's account. */
MUST_USE enum status action_send(
    struct actor_request *request, struct client_receipt *receipt, const struct action *action, struct err *err);

#endif
