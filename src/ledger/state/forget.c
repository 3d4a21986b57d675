/* The oldest past goes: what a block replaced is not needed any more once nobody may ask for the state before it. */
#include "ledger/state/changes.h"
#include "ledger/state/commitment.h"
#include "ledger/state/rows.h"

static enum status forget_rows(
    struct store_batch *batch, struct store *store, struct bytes row, uint64_t number, struct err *err) {
	struct block_changes changes;
	struct state_key key;
	TRY(block_changes_parse(&changes, row, err));
	for (uint32_t i = 0; i < changes.account_count; i++)
		store_batch_del(
		    batch, store, TABLE_ACCOUNT_HISTORY, account_history_key(&key, &changes.accounts[i], number));
	while (changes.groups_left > 0) {
		struct changed_slots group;
		TRY(block_changes_next(&changes, &group, err));
		for (uint32_t i = 0; i < group.count; i++)
			store_batch_del(batch, store, TABLE_STORAGE_HISTORY,
			    storage_history_key(&key, group.address_hash, &group.slots[i], number));
	}
	return STATUS_OK;
}

enum status state_forget(struct store_batch *batch, struct store *store, uint64_t number, struct err *err) {
	struct store_value row;
	uint8_t key[8];
	store_be64(key, number);
	const struct bytes list = bytes_make(key, sizeof key);
	TRY(store_get(store, NULL, TABLE_CHANGES, &row, list, err));
	enum status status = STATUS_OK;
	if (row.view.data != NULL) {
		status = forget_rows(batch, store, row.view, number, err);
		store_batch_del(batch, store, TABLE_CHANGES, list);
	}
	store_value_release(&row);
	return status;
}
