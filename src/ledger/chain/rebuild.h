/*
 * A chain again, of its blocks. Everything but headers, bodies and transactions follows from them: state, tries, code,
 * receipts, and all indexes. So a damaged database is read for its blocks, from the head back to the genesis by their
 * hashes, and each is executed anew in a fresh store, which checks all that its header says. What stands beside the
 * blocks (seals, decided times, blobs' rows, what consensus noted) is copied as it is. Blocks that stand aside on other
 * branches are left out.
 *
 * Threads: one. The damaged store is not written to.
 */
#ifndef LEDGER_CHAIN_REBUILD_H
#define LEDGER_CHAIN_REBUILD_H

#include "ledger/chain/chain.h"

struct chain_rebuilt {
	uint64_t head, transactions;
	hash32 head_hash;
};
/*
 * By the rules of `genesis_json`; empty: as stored, though rules of later forks may have been added since. `fresh` is
 * an empty store, and holds the same chain afterwards. STATUS_CORRUPT names the block that cannot be read or differs
 * from its hash, or the table. STATUS_PRUNED: the blocks from the genesis on are not there. STATUS_UNSUPPORTED: a block
 * does not follow from what is stored, as on a development chain whose state was edited.
 */
MUST_USE enum status chain_rebuild(
    struct chain_rebuilt *out, struct store *fresh, struct chain *damaged, struct bytes genesis_json, struct err *err);

#endif
