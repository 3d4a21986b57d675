/*
 * Filters and subscriptions (rpc_filters.c, rpc_subscribe.c): what came since a client last asked.
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_FILTERS_H
#define LEDGER_RPC_RPC_FILTERS_H

#include "ledger/rpc/rpc_call.h"

/* A new id of a filter or subscription: 128 random bits (as geth's rpc.NewID), so that it is nobody else's, after a
 * restart too. Never zero. */
u256 rpc_new_id(const struct rpc *rpc);
/* The id in a parameter; zero if the text is not a valid id. */
MUST_USE enum status rpc_param_id(struct rpc_call *call, u256 *out, size_t index);

struct rpc_filters *rpc_filters_new(void);
void rpc_filters_free(struct rpc_filters *filters);
void rpc_filters_tx_added(struct rpc_filters *filters, const hash32 *hash);
/* The logs of a block that was taken back, for the clients that have got them. */
struct rpc_removed_block {
	uint64_t number;
	const struct found_log *logs;
	size_t count;
};
void rpc_filters_removed(struct rpc_filters *filters, const struct rpc_removed_block *block);
/* For subscriptions, which read on from a place: the newest one, while `watch` is on. */
uint64_t rpc_filters_watch_txs(struct rpc_filters *filters, bool watch);
/* At most `max` hashes from `*place` on, which moves. */
size_t rpc_filters_txs(struct rpc_filters *filters, hash32 *out, uint64_t *place, size_t max);
/* The criteria of a logs filter object in parameter `index`, or everything; in `arena`. */
MUST_USE enum status rpc_filters_criteria(
    struct rpc_call *call, struct log_filter *out, struct arena *arena, size_t index);

struct rpc_subscriptions *rpc_subscriptions_new(void);
void rpc_subscriptions_free(struct rpc_subscriptions *subscriptions);
/* From any thread; rpc_subscriptions_wake makes the WebSockets' thread look, the others if anybody subscribes. */
void rpc_subscriptions_wake(struct rpc *rpc);
void rpc_subscriptions_news(struct rpc *rpc);
void rpc_subscriptions_removed(struct rpc *rpc, const struct rpc_removed_block *block);

#endif
