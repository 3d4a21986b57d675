/*
 * What became of a transaction, proved: a block is one that a believed head descends from, and what the node shows as
 * its transactions and receipts gives the roots that its header names. A receipt alone is a node's word.
 *
 * STATUS_DENIED with CAUSE_NOT_PROVED: the node shows something else, or nothing. Ownership: all in the arena. Threads:
 * as the client. Sources: Yellow Paper §4.3 (roots of a block), EIP-2718, EIP-1186; geth's debug_getRawBlock and
 * debug_getRawReceipts.
 */
#ifndef HEALTH_CHAIN_SETTLED_H
#define HEALTH_CHAIN_SETTLED_H

#include "health/chain/heads.h"

#define SETTLED_BLOCKS_MAX 64u /* that are read at once */
#define SETTLED_WALK_MAX 1024u /* that are read to find who used a nonce */

struct settled_block {
	uint64_t number;
	hash32 hash, parent_hash;
	const struct transaction *transactions;
	const struct receipt *receipts;
	hash32 *hashes; /* of the transactions */
	size_t count;
};
/* Block `number`, at most the head's. */
MUST_USE enum status settled_read(struct settled_block *out, struct client *client, struct arena *arena,
    const struct head *head, uint64_t number, struct err *err);
/* The `count` blocks that end with the head, in the chain's order, in one question; at most SETTLED_BLOCKS_MAX. */
MUST_USE enum status settled_read_newest(struct settled_block *out, size_t count, struct client *client,
    struct arena *arena, const struct head *head, struct err *err);
/* This transaction, whose sender is `account`, and its receipt, whose logs live as the block does. NULL: the block does
 * not hold it. */
const struct transaction *settled_find(
    struct client_receipt *out, const struct settled_block *block, const hash32 *tx_hash, const addr20 *account);
/* Is this log, as a node shows it, one of the block's, at its place and of its transaction? */
bool settled_holds(const struct settled_block *block, const struct client_log *log);

/* How many transactions of this account the chain has up to the head: its next nonce. */
MUST_USE enum status settled_nonce(uint64_t *out, struct client *client, struct arena *arena, const struct head *head,
    const addr20 *account, struct err *err);
/* The newest block, within SETTLED_WALK_MAX of the head, that holds a transaction of this account with this nonce, and
 * that transaction's hash. The arena is reset on the way. */
MUST_USE enum status settled_user_of_nonce(struct settled_block *out, hash32 *tx_hash, struct client *client,
    struct arena *arena, const struct head *head, const addr20 *account, uint64_t nonce, struct err *err);

#endif
