/*
 * What one piece of work needs at once: its actor, a chain, the world, and until when it may wait (actor.h makes it).
 * Threads: one owner.
 */
#ifndef HEALTH_ACTORS_REQUEST_H
#define HEALTH_ACTORS_REQUEST_H

#include "health/actors/home.h"
#include "health/chain/outbox.h"
#include "health/chain/verified.h"

struct actor;
struct directory_known;

/* Of a head from a node that signs none, for what is only shown or checked again. */
#define REQUEST_SHOWN_AGE_S 86400u

struct actor_request {
	struct home *home;
	struct client *client;
	const struct clock_source *clock;
	const struct random_source *random;
	struct arena *arena; /* of the command */
	struct actor *actor;
	struct verified verified; /* request_verified's; has_head false until then */
	bool has_sent;            /* since that head, so that what is read next needs a newer one */
	uint64_t deadline_ms;     /* by the clock's now_ms, for everything that waits; 0: 30 s for each transaction */
	/* Of the last STATUS_DENIED: which error of a contract it was; CONTRACT_ERROR_NONE: another reason. */
	enum contract_error refused_with;
	struct directory_known *names;   /* directory_name's; NULL: none was asked for */
	const struct progress *progress; /* hears of long work; NULL: nobody does */
};
/* Asks in the name of the home's account. */
struct blob_asker request_asker(const struct actor_request *request);
/* Sends as the home's account, through its outbox, and waits until the request's deadline. What became of it is in
 * `result`, in the request's arena, and proved. STATUS_TIMEOUT, or STATUS_DENIED with CAUSE_NOT_PROVED_SENT: accepted
 * and kept, see outbox_send. */
MUST_USE enum status request_send(
    struct actor_request *request, struct outbox_result *result, const struct outbox_entry *entry, struct err *err);
/* Several on their way together: outbox_send_all. `entries` get the deadline. */
MUST_USE enum status request_send_all(struct actor_request *request, struct outbox_result *results,
    struct outbox_entry *entries, size_t count, struct err *err);
/* The same for calldata alone. A revert is STATUS_DENIED with the contract's reason in `err`. */
MUST_USE enum status request_transact(struct actor_request *request, struct client_receipt *receipt, const addr20 *to,
    struct bytes data, struct err *err);
/* What a contract or the node refused, as STATUS_DENIED with the reason in `err`, and noted in the request. */
MUST_USE enum status request_refused(
    struct actor_request *request, const struct client_verdict *verdict, struct err *err);
/* The same of a blob; `what` was not taken. */
MUST_USE enum status request_blob_refused(
    struct actor_request *request, const struct blob_verdict *verdict, const char *what, struct err *err);
/* A view that must succeed; a revert is STATUS_DENIED. The output lives in the request's arena, as the calldata does
 * that the bindings make (health/contracts/contract.h): nothing is to be freed. */
MUST_USE enum status request_call(
    struct actor_request *request, struct bytes *output, const addr20 *to, struct bytes data, struct err *err);
/* Logs of one event of a contract, oldest first, as the node shows them now; `topics` from the bindings'
 * C_V_event_topics. */
MUST_USE enum status request_logs(struct actor_request *request, struct client_log **logs, size_t *count,
    const addr20 *contract, uint64_t from_block, const struct contract_topics *topics, struct err *err);
/*
 * What the chain says, proved (health/chain/verified.h), at a head that was the newest at most `max_age_s` ago:
 * HEADS_FRESH before anything is sealed, wrapped or released, REQUEST_SHOWN_AGE_S to show it. One head serves the whole
 * request, unless a later call asks for a newer kind, or HEADS_QUIET_S have passed; after a transaction of its own
 * (request_send) it takes the next.
 */
MUST_USE enum status request_verified(
    struct actor_request *request, struct verified **out, uint32_t max_age_s, struct err *err);
/*
 * Puts a container at the request's node, in the name of the home's account. In a consortium so many members hold it
 * then that one of them is honest: STATUS_IO, CAUSE_TOO_FEW_HOLD otherwise. `what` names it in a refusal.
 */
MUST_USE enum status request_put(struct actor_request *request, hash32 *blob, const addr20 *gate,
    struct bytes container, const char *what, struct err *err);
/* Is the chain that answers the one of the deployment (chain id and genesis)? STATUS_DENIED otherwise. */
MUST_USE enum status request_check_chain(struct actor_request *request, struct err *err);

#endif
