/* What a view is made of, for the rest of state/. */
#ifndef LEDGER_STATE_VIEW_PRIVATE_H
#define LEDGER_STATE_VIEW_PRIVATE_H

#include "ledger/state/view.h"

struct state_view {
	struct store *store;
	struct store_snapshot *snapshot;
	bool is_head;
	uint64_t number;             /* of the block, where !is_head */
	uint64_t head_number;        /* of the snapshot, where !is_head */
	struct account_cache *cache; /* NULL: none */
	uint64_t cache_commit;       /* that the snapshot was taken after */
};

/* By hashed keys. */
MUST_USE enum status view_account_by_hash(
    const struct state_view *view, struct account *account, bool *exists, const hash32 *address_hash, struct err *err);
MUST_USE enum status view_storage_by_hash(
    const struct state_view *view, u256 *value, const hash32 *address_hash, const hash32 *slot_hash, struct err *err);

#endif
