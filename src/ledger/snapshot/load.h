/*
 * Takes a snapshot (format.h) into an empty chain, chunk by chunk, and believes nothing of it but the hash of its
 * block, which somebody else has proved. Every item is checked against that: headers by their parents' hashes, blocks
 * and receipts by their roots, codes by their hashes, accounts and slots by the state root, once the last has come.
 *
 * Nothing is the chain's before the end: then the block is its head, durably. Until then, and after
 * snapshot_load_abort or a crash, its head is block 0 (chain/adopt.h).
 *
 * Threads: the one that executes and commits.
 */
#ifndef LEDGER_SNAPSHOT_LOAD_H
#define LEDGER_SNAPSHOT_LOAD_H

#include "ledger/chain/chain.h"
#include "ledger/snapshot/format.h"

/* Is it well-formed, of this chain, and of that block? STATUS_INVALID says why not. */
MUST_USE enum status snapshot_check(struct snapshot_manifest *out, struct arena *arena, const struct chain *chain,
    struct bytes manifest, const hash32 *block, struct err *err);

struct snapshot_load;
/* STATUS_INVALID as snapshot_check; STATUS_EXISTS: the chain has blocks. */
MUST_USE enum status snapshot_load_begin(struct snapshot_load **out, struct chain *chain, struct store *store,
    struct bytes manifest, const hash32 *block, struct err *err);
const struct snapshot_manifest *snapshot_load_manifest(const struct snapshot_load *load);
/* Is this the next chunk, as the manifest names it? If not, whoever sent it lies, and the snapshot may be good. */
bool snapshot_load_knows(const struct snapshot_load *load, size_t index, struct bytes chunk);
/* The chunks in their order. STATUS_INVALID: the snapshot is not of the block's state; abort then. */
MUST_USE enum status snapshot_load_chunk(struct snapshot_load *load, struct bytes chunk, struct err *err);
bool snapshot_load_is_whole(const struct snapshot_load *load);
/* Makes the block the chain's head, with notes in the same commit. STATUS_INVALID as above. */
MUST_USE enum status snapshot_load_finish(
    struct snapshot_load *load, const struct chain_note *notes, size_t note_count, struct err *err);
/* Unless it is finished, the chain is at block 0 again. */
MUST_USE enum status snapshot_load_abort(struct snapshot_load *load, struct err *err);
/* NULL is allowed. */
void snapshot_load_free(struct snapshot_load *load);

#endif
