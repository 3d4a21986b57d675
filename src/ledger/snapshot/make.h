/*
 * Makes a snapshot (format.h) as files: FOLDER/manifest, and the chunks FOLDER/0, FOLDER/1, … It reads a state that
 * stays while blocks are committed, so the node serves and executes meanwhile.
 *
 * Threads: any; blocks may be committed meanwhile, and those that the snapshot has may not be dropped.
 */
#ifndef LEDGER_SNAPSHOT_MAKE_H
#define LEDGER_SNAPSHOT_MAKE_H

#include <stdatomic.h>

#include "ledger/chain/chain.h"
#include "ledger/snapshot/format.h"

struct snapshot_source {
	struct chain *chain;
	struct store *store;
	const struct store_snapshot *view; /* taken after the block's commit, before the next one's */
	uint64_t number, height;           /* the block's, and the one that it was decided at */
	const atomic_bool *stop;           /* NULL: never; else STATUS_BUSY soon after it is set */
};
/* The folder is made, and must not be there. After a failure it may be. */
MUST_USE enum status snapshot_make(const struct snapshot_source *source, const char *folder, struct err *err);

#endif
