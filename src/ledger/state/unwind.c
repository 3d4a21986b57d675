/*
 * Going back by one block: its list of changes and the history rows of its number make a diff whose `after` is the
 * past. The branch records follow from that diff as from any other.
 */
#include "ledger/state/changes.h"
#include "ledger/state/commitment.h"
#include "ledger/state/rows.h"
#include "ledger/state/updates.h"

struct unwinding {
	struct store *store;
	uint64_t number;
	struct arena arena;
	struct state_diff diff;
	struct err *err;
};

/* Decodes the row of one key into what `decode` fills; `must_exist`: a history row has to be there. */
static enum status read_account(const struct unwinding *unwinding, struct account *account, bool *exists,
    enum store_table table, struct bytes key, bool must_exist) {
	struct store_value row;
	*account = absent_account;
	TRY(store_get(unwinding->store, NULL, table, &row, key, unwinding->err));
	enum status status = STATUS_OK;
	*exists = row.view.len > 0;
	if (*exists)
		status = account_row_decode(account, row.view, unwinding->err);
	else if (must_exist && !row.view.data)
		status = err_set(unwinding->err, STATUS_CORRUPT, "an account's history row is missing");
	store_value_release(&row);
	return status;
}

static enum status read_slot(
    const struct unwinding *unwinding, u256 *value, enum store_table table, struct bytes key, bool must_exist) {
	struct store_value row;
	TRY(store_get(unwinding->store, NULL, table, &row, key, unwinding->err));
	enum status status = storage_row_decode(value, row.view, unwinding->err);
	if (status == STATUS_OK && must_exist && !row.view.data)
		status = err_set(unwinding->err, STATUS_CORRUPT, "a slot's history row is missing");
	store_value_release(&row);
	return status;
}

static enum status fill_accounts(struct unwinding *unwinding, const struct block_changes *changes) {
	struct state_diff *diff = &unwinding->diff;
	diff->count = changes->account_count;
	diff->accounts = arena_zalloc(&unwinding->arena, diff->count, sizeof *diff->accounts);
	for (size_t i = 0; i < diff->count; i++) {
		struct account_change *change = &diff->accounts[i];
		struct state_key key;
		change->address_hash = changes->accounts[i];
		struct bytes history = account_history_key(&key, &change->address_hash, unwinding->number);
		TRY(read_account(unwinding, &change->after, &change->exists, TABLE_ACCOUNT_HISTORY, history, true));
		TRY(read_account(
		    unwinding, &change->before, &change->existed, TABLE_ACCOUNT, account_key(&key), false));
	}
	return STATUS_OK;
}

static enum status fill_slots(
    struct unwinding *unwinding, struct account_change *change, const struct changed_slots *group) {
	change->storage = arena_zalloc(&unwinding->arena, group->count, sizeof *change->storage);
	change->storage_count = group->count;
	for (size_t i = 0; i < group->count; i++) {
		struct storage_change *slot = &change->storage[i];
		struct state_key key;
		slot->slot_hash = group->slots[i];
		struct bytes history =
		    storage_history_key(&key, &change->address_hash, &slot->slot_hash, unwinding->number);
		TRY(read_slot(unwinding, &slot->after, TABLE_STORAGE_HISTORY, history, true));
		TRY(read_slot(unwinding, &slot->before, TABLE_STORAGE, storage_key(&key), false));
	}
	return STATUS_OK;
}

/* Whose storage changed changed its root with it, so every group's account is in the diff. */
static enum status fill_storage(struct unwinding *unwinding, struct block_changes *changes) {
	size_t next = 0;
	while (changes->groups_left) {
		struct changed_slots group;
		TRY(block_changes_next(changes, &group, unwinding->err));
		while (next < unwinding->diff.count &&
		       !hash32_equal(&unwinding->diff.accounts[next].address_hash, group.address_hash))
			next++;
		if (next == unwinding->diff.count)
			return err_set(unwinding->err, STATUS_CORRUPT, "changed storage belongs to no changed account");
		TRY(fill_slots(unwinding, &unwinding->diff.accounts[next], &group));
	}
	return STATUS_OK;
}

/* The storage roots that come out must be those that stand in the old rows. */
static enum status check_roots(struct unwinding *unwinding, struct trie_updates *updates) {
	struct state_diff *diff = &unwinding->diff;
	hash32 *expected = arena_alloc(&unwinding->arena, diff->count * sizeof *expected);
	for (size_t i = 0; i < diff->count; i++) expected[i] = diff->accounts[i].after.storage_root;
	hash32 root;
	TRY(commit_root(&root, diff, updates, unwinding->store, NULL, unwinding->err));
	for (size_t i = 0; i < diff->count; i++)
		if (!hash32_equal(&expected[i], &diff->accounts[i].after.storage_root))
			return err_set(unwinding->err, STATUS_CORRUPT,
			    "history rows of block %llu do not fit their root", (unsigned long long)unwinding->number);
	return STATUS_OK;
}

static void put_or_del(
    struct store_batch *batch, struct store *store, enum store_table table, struct bytes key, struct bytes row) {
	if (row.len)
		store_batch_put(batch, store, table, key, row);
	else
		store_batch_del(batch, store, table, key);
}

static void write_account(
    struct store_batch *batch, const struct unwinding *unwinding, const struct account_change *change) {
	struct store *store = unwinding->store;
	uint8_t row[ACCOUNT_ROW_BYTES_MAX];
	struct state_key key;
	store_batch_del(
	    batch, store, TABLE_ACCOUNT_HISTORY, account_history_key(&key, &change->address_hash, unwinding->number));
	put_or_del(batch, store, TABLE_ACCOUNT, account_key(&key),
	    bytes_make(row, change->exists ? account_row_encode(row, &change->after) : 0));
	for (size_t i = 0; i < change->storage_count; i++) {
		uint8_t room[32];
		store_batch_del(batch, store, TABLE_STORAGE_HISTORY,
		    storage_history_key(&key, &change->address_hash, &change->storage[i].slot_hash, unwinding->number));
		put_or_del(
		    batch, store, TABLE_STORAGE, storage_key(&key), u256_trimmed_be(room, &change->storage[i].after));
	}
}

static enum status read_past(struct unwinding *unwinding) {
	struct store_value row;
	struct block_changes changes;
	uint8_t key[8];
	store_be64(key, unwinding->number);
	TRY(store_get(unwinding->store, NULL, TABLE_CHANGES, &row, bytes_make(key, sizeof key), unwinding->err));
	enum status status = row.view.data
				 ? block_changes_parse(&changes, row.view, unwinding->err)
				 : err_set(unwinding->err, STATUS_NOTFOUND, "no changes are kept of block %llu",
				       (unsigned long long)unwinding->number);
	if (status == STATUS_OK) status = fill_accounts(unwinding, &changes);
	if (status == STATUS_OK) status = fill_storage(unwinding, &changes);
	store_value_release(&row);
	return status;
}

enum status state_unwind(struct store_batch *batch, struct store *store, uint64_t number, struct err *err) {
	struct unwinding unwinding = {.store = store, .number = number, .err = err};
	arena_init(&unwinding.arena);
	struct trie_updates *updates = trie_updates_new(NULL);
	enum status status = read_past(&unwinding);
	if (status == STATUS_OK) status = check_roots(&unwinding, updates);
	if (status == STATUS_OK) {
		for (size_t i = 0; i < unwinding.diff.count; i++)
			write_account(batch, &unwinding, &unwinding.diff.accounts[i]);
		uint8_t key[8];
		store_be64(key, number);
		store_batch_del(batch, store, TABLE_CHANGES, bytes_make(key, 8));
		trie_updates_write(batch, store, updates);
	}
	trie_updates_free(updates);
	arena_fini(&unwinding.arena);
	return status;
}
