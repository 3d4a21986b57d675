/* Reading CHANGES rows (store/tables.h): what a block changed. Private to state/. Threads: one owner. */
#ifndef LEDGER_STATE_CHANGES_H
#define LEDGER_STATE_CHANGES_H

#include "base/bytes.h"
#include "base/status.h"

struct block_changes {
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

/* Views into the row, which must outlive it. */
MUST_USE enum status block_changes_parse(struct block_changes *out, struct bytes row, struct err *err);
/* The next group; call it `groups_left` times. */
MUST_USE enum status block_changes_next(struct block_changes *changes, struct changed_slots *out, struct err *err);

#endif
