/* Reading CHANGES rows (store/tables.h): what a block changed. Private to state/. Threads: one owner. */
#ifndef LEDGER_STATE_CHANGES_H
#define LEDGER_STATE_CHANGES_H

#include "ledger/store/store.h"

struct block_changes {
	struct store_value row;
	const hash32 *accounts; /* keccak(address), rising */
	uint32_t account_count;
	uint32_t groups_left;
	struct bytes rest; /* of the row: the groups to come */
};

struct changed_slots {
	const hash32 *address_hash;
	const hash32 *slots; /* keccak(slot), rising */
	uint32_t count;
};

/* STATUS_NOTFOUND where the block has no row. Release with block_changes_fini in any case. */
MUST_USE enum status block_changes_read(struct block_changes *out, struct store *store,
    const struct store_snapshot *snapshot, uint64_t number, struct err *err);
/* The next group; call it `groups_left` times. */
MUST_USE enum status block_changes_next(struct block_changes *changes, struct changed_slots *out, struct err *err);
void block_changes_fini(struct block_changes *changes);

#endif
