/*
 * What became of a transaction, proved: a block is one that a believed head descends from, what the node shows as its
 * transactions gives the root that its header names, and a receipt stands at its place below the header's receiptsRoot.
 * A receipt alone is a node's word, and all receipts of a block may be more than a node can answer.
 *
 * STATUS_DENIED with CAUSE_NOT_PROVED: the node shows something else, or nothing. Ownership: all in the arena. Threads:
 * as the client. Sources: Yellow Paper §4.3 (roots of a block), EIP-2718, EIP-1186; geth's debug_getRawBlock and
 * debug_getRawReceipts; xinglin_receiptProofs (docs/api.md).
 */
#ifndef HEALTH_CHAIN_SETTLED_H
#define HEALTH_CHAIN_SETTLED_H

#include "health/chain/heads.h"

#define SETTLED_BLOCKS_MAX 64u /* that are read at once */
#define SETTLED_WALK_MAX 1024u /* that are read to find who used a nonce */

struct settled_block {
	uint64_t number;
	hash32 hash, parent_hash, receipts_root;
	const struct transaction *transactions;
	hash32 *hashes; /* of the transactions */
	size_t count;
};
/* Block `number`, at most the head's. */
MUST_USE enum status settled_read(struct settled_block *out, struct client *client, struct arena *arena,
    const struct head *head, uint64_t number, struct err *err);
/* The `count` blocks that end with the head, in the chain's order, in one question; at most SETTLED_BLOCKS_MAX. */
MUST_USE enum status settled_read_newest(struct settled_block *out, size_t count, struct client *client,
    struct arena *arena, const struct head *head, struct err *err);
/* Where in the block this transaction stands; block->count: it does not. */
size_t settled_place(const struct settled_block *block, const hash32 *tx_hash);
/*
 * The receipts of the transactions at these places: each with its nodes below receiptsRoot, or, of a node
 * that does not know xinglin_receiptProofs, from the whole list.
 */
MUST_USE enum status settled_receipts(struct client_receipt *out, struct client *client, struct arena *arena,
    const struct settled_block *block, const size_t *places, size_t count, struct err *err);
/* Is this log, as a node shows it, one of this transaction's? Where in the block it stands is not asked. */
bool settled_holds(const struct client_receipt *receipt, const struct client_log *log);

/* How many transactions of this account the chain has up to the head: its next nonce. */
MUST_USE enum status settled_nonce(uint64_t *out, struct client *client, struct arena *arena, const struct head *head,
    const addr20 *account, struct err *err);
/* The newest block, within SETTLED_WALK_MAX of the head, that holds a transaction of this account with this nonce. The
 * arena is reset on the way. */
MUST_USE enum status settled_user_of_nonce(struct settled_block *out, struct client *client, struct arena *arena,
    const struct head *head, const addr20 *account, uint64_t nonce, struct err *err);

#endif
