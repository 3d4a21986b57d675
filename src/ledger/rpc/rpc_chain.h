/*
 * Blocks, states, transactions and fees, as methods look for them (rpc_chain.c, rpc_fees.c, rpc_pending.c).
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_CHAIN_H
#define LEDGER_RPC_RPC_CHAIN_H

#include "ledger/rpc/rpc_params.h"

struct rpc_found_block {
	struct header header;
	hash32 hash;
};
/* `*found` is false if there is none; an absent hash is not an error here. */
MUST_USE enum status rpc_find_block(
    struct rpc_call *call, struct rpc_found_block *out, bool *found, const struct rpc_block_id *id);
/* The same, with geth's errors for what is not there. */
MUST_USE enum status rpc_require_block(
    struct rpc_call *call, struct rpc_found_block *out, const struct rpc_block_id *id);
/* The safe or the finalized block: what a consensus layer named; else, and where this node sealed, the newest. */
MUST_USE enum status rpc_find_safe(struct rpc_call *call, struct rpc_block_id *out, bool finalized);

struct rpc_state {
	struct header header;
	hash32 hash;                   /* of a pending block: its parent's */
	const struct state_view *view; /* of a pending block: its parent's, for proofs */
	struct state_source source;    /* where to read accounts and code */
	struct chain_head *head;       /* counted, if the view is that of one of the newest blocks */
	struct state_view *owned_view; /* else this */
};
MUST_USE enum status rpc_state_open(struct rpc_call *call, struct rpc_state *out, const struct rpc_block_id *id);
void rpc_state_close(struct rpc_state *state);

/* The block that would come next: its parent, which the caller releases, and its header (rpc_pending.c). */
MUST_USE enum status rpc_next_block(struct rpc_call *call, struct engine_next *out);
/* Its header alone. */
MUST_USE enum status rpc_next_header(struct rpc_call *call, struct header *out);
/* What waits, as a block. The state is good until the worker opens another. */
MUST_USE enum status rpc_pending_open(struct rpc_call *call, struct rpc_state *out);
MUST_USE enum status rpc_pending_block(struct rpc_call *call, struct rpc_block **out); /* in the arena */

/* The block in the worker's cache, valid until the next load. */
MUST_USE enum status rpc_block_load(struct rpc_call *call, struct rpc_block **out, const hash32 *hash);
/* The account that signed it or, in dev mode, the one that it impersonates. */
MUST_USE enum status rpc_sender_of(struct rpc_call *call, addr20 *out, const struct transaction *tx, enum fork fork);
/* Fills in its receipts, which name the senders, too. */
MUST_USE enum status rpc_block_receipts(struct rpc_call *call, struct rpc_block *block);
/* One transaction of the chain, read without the rest of its block; in the arena. */
struct rpc_found_tx {
	struct rpc_found_block block;
	uint32_t index;
	struct transaction tx;
};
MUST_USE enum status rpc_find_tx(struct rpc_call *call, struct rpc_found_tx *out, bool *found, const hash32 *tx_hash);
/* The one that parameters 0 (a block) and 1 (an index) name. */
MUST_USE enum status rpc_param_tx_place(struct rpc_call *call, struct rpc_found_tx *out, bool *found);
/* Its receipt, which names the sender, too. `*found` false: it was unwound meanwhile. */
MUST_USE enum status rpc_tx_receipt(
    struct rpc_call *call, struct mined_receipt *out, bool *found, const struct rpc_found_tx *tx);
/* What a unit of gas costs whoever sends it into a block with this base fee. */
u256 rpc_effective_gas_price(const struct transaction *tx, const u256 *base_fee_wei);
MUST_USE enum status rpc_suggest_tip(struct rpc_call *call, u256 *out_wei);

#endif
