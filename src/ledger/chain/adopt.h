/*
 * Taking a chain's state and newest blocks as they are at one block, in place of executing everything before it: for a
 * snapshot that was checked against a header that somebody proved (ledger/snapshot).
 *
 * Between begin and finish the chain's head is still block 0, and its state tables are in the making: nothing may be
 * executed. A crash meanwhile, or chain_adopt_abort, leads back to block 0. Afterwards the chain goes on from there,
 * and knows nothing before it (chain_horizon). Threads: the one that executes and commits.
 */
#ifndef LEDGER_CHAIN_ADOPT_H
#define LEDGER_CHAIN_ADOPT_H

#include "ledger/chain/chain.h"

/* STATUS_EXISTS: the chain has blocks. Durable: from here on the state's tables are empty. */
MUST_USE enum status chain_adopt_begin(struct chain *chain, struct err *err);
/* Adds a header that is known to be the chain's. */
void chain_adopt_header(
    struct chain *chain, struct store_batch *batch, const struct header *header, const hash32 *hash);
/* Adds body, receipts and what is found by them, of a block whose header is the chain's. STATUS_INVALID: they are not
 * those that the header names. */
struct adopted_block {
	const struct block *block; /* with its header */
	hash32 hash;
	const struct receipt *receipts; /* with their blooms */
	size_t receipt_count;
};
MUST_USE enum status chain_adopt_block(
    struct chain *chain, struct store_batch *batch, const struct adopted_block *adopted, struct err *err);
/* The state's rows are all there: this block is the head, and the batch is committed with it, durably. */
struct adopted_head {
	struct header header;
	hash32 hash;
	uint64_t first_block; /* bodies and receipts are there from here on */
	const struct chain_note *notes;
	size_t note_count;
};
MUST_USE enum status chain_adopt_finish(
    struct chain *chain, struct store_batch *batch, const struct adopted_head *adopted, struct err *err);
/* Back to block 0. */
MUST_USE enum status chain_adopt_abort(struct chain *chain, struct err *err);

#endif
