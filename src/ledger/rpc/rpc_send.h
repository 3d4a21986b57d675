/*
 * Transactions on their way into the pool.
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_SEND_H
#define LEDGER_RPC_RPC_SEND_H

#include "ledger/rpc/rpc_params.h"

/* Dev mode's accounts (rpc_sign.c). NULL: none of them. */
const struct rpc_account *rpc_account_of(const struct rpc *rpc, const addr20 *address);
MUST_USE enum status rpc_find_account(struct rpc_call *call, const struct rpc_account **out, const addr20 *address);
/* Fills in what a transaction lacks but for its nonce and signature (rpc_accounts.c). */
MUST_USE enum status rpc_fill_tx(struct rpc_call *call, struct rpc_tx_args *args);
/* Dev mode: may this address send without a key? (rpc_dev_state.c) */
bool rpc_is_impersonated(struct rpc *rpc, const addr20 *address);
/* Takes all that waits out of the pool; `only`: of this sender; NULL: of all. */
void rpc_drop_waiting(struct rpc_call *call, const addr20 *only);
/* Gives it to the pool in `from`'s name and writes its hash. */
MUST_USE enum status rpc_pool_take_unsigned(struct rpc_call *call, const struct transaction *tx, const addr20 *from);
/* Gives an envelope to the pool and writes its hash, or fails with geth's text (rpc_eth_tx.c). */
MUST_USE enum status rpc_pool_take(struct rpc_call *call, struct bytes envelope);
/* The receipt of a transaction as JSON, if it is sealed. */
MUST_USE enum status rpc_put_receipt(struct rpc_call *call, bool *found, const hash32 *tx_hash);
/* One a request of the batch: those that send a good transaction are read together, ahead. NULL for less than two. */
const struct pool_reading *rpc_read_ahead(struct arena *arena, const struct json *batch);

#endif
