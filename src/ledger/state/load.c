#include "ledger/state/load.h"

#include "eth/hash_builder.h"
#include "ledger/state/rows.h"
#include "ledger/trie/branch.h"

enum { WIPED_AT_ONCE = 10000 };

struct state_load {
	struct store *store;
	struct store_batch *batch; /* of the call that runs */
	struct hash_builder *accounts, *storage;
	bool has_account, has_slot; /* there is an account whose slots may come, and a slot of it */
	hash32 address_hash, slot_hash;
	struct account account;
};

/* A branch is complete: the record that state_root would have kept. */
static void put_branch(struct state_load *load, bool is_storage, struct bytes path, struct bytes record) {
	uint8_t key[32 + NIBBLES_MAX];
	const size_t prefix = is_storage ? 32 : 0;
	memcpy(key, load->address_hash.b, prefix);
	if (path.len > 0) memcpy(key + prefix, path.data, path.len);
	store_batch_put(load->batch, load->store, is_storage ? TABLE_TRIE_STORAGE : TABLE_TRIE_ACCOUNT,
	    bytes_make(key, prefix + path.len), record);
}

static void on_account_branch(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask,
    const hash32 *hashes, uint16_t tree_mask) {
	uint8_t record[TRIE_BRANCH_BYTES_MAX];
	if ((hash_mask | tree_mask) == 0) return;
	const size_t len = trie_branch_encode(record, child_mask, tree_mask, hash_mask, hashes);
	put_branch(context, false, path, bytes_make(record, len));
}

static void on_storage_branch(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask,
    const hash32 *hashes, uint16_t tree_mask) {
	uint8_t record[TRIE_BRANCH_BYTES_MAX];
	if ((hash_mask | tree_mask) == 0) return;
	const size_t len = trie_branch_encode(record, child_mask, tree_mask, hash_mask, hashes);
	put_branch(context, true, path, bytes_make(record, len));
}

struct state_load *state_load_new(struct store *store) {
	struct state_load *load = mem_zalloc(1, sizeof *load);
	load->store = store;
	load->accounts = hash_builder_new(&(struct hash_builder_watch){.branch = on_account_branch, .context = load});
	load->storage = hash_builder_new(&(struct hash_builder_watch){.branch = on_storage_branch, .context = load});
	return load;
}

void state_load_free(struct state_load *load) {
	if (load == NULL) return;
	hash_builder_free(load->accounts);
	hash_builder_free(load->storage);
	mem_free(load);
}

static void feed(struct hash_builder *builder, const hash32 *key, struct bytes payload) {
	uint8_t nibbles[NIBBLES_MAX];
	nibbles_of(nibbles, BYTES_OF(*key));
	hash_builder_leaf(builder, bytes_make(nibbles, sizeof nibbles), payload);
}

/* The account is complete: its slots must be those that its row speaks of. */
static enum status end_account(struct state_load *load, struct err *err) {
	uint8_t payload[ACCOUNT_PAYLOAD_BYTES_MAX];
	if (!load->has_account) return STATUS_OK;
	const hash32 root = hash_builder_root(load->storage);
	if (!hash32_equal(&root, &load->account.storage_root))
		return err_set(err, STATUS_INVALID, "an account's slots do not fit its storage root");
	feed(load->accounts, &load->address_hash, bytes_make(payload, account_payload(payload, &load->account)));
	load->has_account = load->has_slot = false;
	return STATUS_OK;
}

enum status state_load_account(struct state_load *load, struct account *account, struct store_batch *batch,
    const hash32 *address_hash, struct bytes row, struct err *err) {
	uint8_t again[ACCOUNT_ROW_BYTES_MAX];
	load->batch = batch;
	const bool is_first = !load->has_account, follows = memcmp(load->address_hash.b, address_hash->b, 32) < 0;
	TRY(end_account(load, err));
	if (!is_first && !follows) return err_set(err, STATUS_INVALID, "accounts do not rise");
	if (account_row_decode(account, row, err) != STATUS_OK) return err_prefix(err, STATUS_INVALID, "an account");
	if (!bytes_equal(bytes_make(again, account_row_encode(again, account)), row))
		return err_set(err, STATUS_INVALID, "an account's row has another form than its one");
	load->has_account = true;
	load->address_hash = *address_hash;
	load->account = *account;
	store_batch_put(batch, load->store, TABLE_ACCOUNT, BYTES_OF(*address_hash), row);
	return STATUS_OK;
}

enum status state_load_slot(
    struct state_load *load, struct store_batch *batch, const hash32 *slot_hash, struct bytes value, struct err *err) {
	uint8_t key[64], payload[STORAGE_PAYLOAD_BYTES_MAX];
	load->batch = batch;
	if (!load->has_account) return err_set(err, STATUS_INVALID, "a slot belongs to no account");
	if (load->has_slot && memcmp(load->slot_hash.b, slot_hash->b, 32) >= 0)
		return err_set(err, STATUS_INVALID, "an account's slots do not rise");
	if (value.len == 0 || value.len > 32 || value.data[0] == 0)
		return err_set(err, STATUS_INVALID, "a slot's value is not 1 to 32 bytes without leading zeros");
	load->has_slot = true;
	load->slot_hash = *slot_hash;
	memcpy(key, load->address_hash.b, 32);
	memcpy(key + 32, slot_hash->b, 32);
	store_batch_put(batch, load->store, TABLE_STORAGE, bytes_make(key, sizeof key), value);
	feed(load->storage, slot_hash, bytes_make(payload, storage_payload(payload, value)));
	return STATUS_OK;
}

enum status state_load_finish(struct state_load *load, hash32 *root, struct store_batch *batch, struct err *err) {
	load->batch = batch;
	TRY(end_account(load, err));
	*root = hash_builder_root(load->accounts);
	return STATUS_OK;
}

enum status state_row_code(bool *has, hash32 *code_hash, struct bytes row, struct err *err) {
	struct account account;
	TRY(account_row_decode(&account, row, err));
	*code_hash = account.code_hash;
	*has = !hash32_equal(&account.code_hash, &absent_account.code_hash);
	return STATUS_OK;
}

/* --- wiping --- */

static enum status wipe_table(struct store *store, enum store_table table, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(store, NULL, table);
	struct store_batch *batch = store_batch_new();
	enum status status = STATUS_OK;
	size_t count = 0;
	for (store_cursor_seek(cursor, (struct bytes){0}); status == STATUS_OK && store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		store_batch_del(batch, store, table, store_cursor_key(cursor));
		if (++count % WIPED_AT_ONCE != 0) continue;
		status = store_commit(store, batch, false, err);
		store_batch_clear(batch);
	}
	if (status == STATUS_OK) status = store_cursor_status(cursor, err);
	if (status == STATUS_OK && store_batch_bytes(batch) > 0) status = store_commit(store, batch, false, err);
	store_batch_free(batch);
	store_cursor_free(cursor);
	return status;
}

enum status state_wipe(struct store *store, struct err *err) {
	static const enum store_table tables[] = {TABLE_ACCOUNT, TABLE_STORAGE, TABLE_CODE, TABLE_TRIE_ACCOUNT,
	    TABLE_TRIE_STORAGE, TABLE_CHANGES, TABLE_ACCOUNT_HISTORY, TABLE_STORAGE_HISTORY};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) TRY(wipe_table(store, tables[i], err));
	return STATUS_OK;
}
