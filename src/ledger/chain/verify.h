/*
 * Does a stored chain hold together? Everything is read again and made again: the state root from all leaves, branch
 * records, code by its hash, and of the newest blocks what their headers say of themselves and of what stands beside
 * them. All other rows are read, so that what the disk changed is found by the store's checksums. Nothing is written.
 *
 * Threads: any, as long as no block is committed meanwhile.
 */
#ifndef LEDGER_CHAIN_VERIFY_H
#define LEDGER_CHAIN_VERIFY_H

#include "ledger/chain/chain.h"

/* What was looked at. */
struct chain_verification {
	uint64_t head;
	uint64_t first_block; /* from which on blocks are kept (chain_horizon) */
	hash32 state_root;
	uint64_t rows; /* of all tables */
	uint64_t accounts, slots, codes;
	uint64_t blocks, transactions, logs;
	uint64_t log_rows; /* of the index over logs, of these blocks */
};
/*
 * The state, and the newest `blocks` blocks (all that are kept, if there are fewer; block 0 is one of them).
 * STATUS_CORRUPT says where stored data first differ from what they should be, or are missing; `out` then says how far
 * it came.
 */
MUST_USE enum status chain_verify(
    struct chain *chain, struct chain_verification *out, uint64_t blocks, struct err *err);

#endif
