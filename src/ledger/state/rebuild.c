/*
 * The plain twin of the incremental root: every leaf is read again, every root and every branch record compared with
 * what is stored. Memory does not grow with the state.
 */
#include "eth/hash_builder.h"
#include "ledger/state/commitment.h"
#include "ledger/state/rows.h"
#include "ledger/trie/branch.h"

struct rebuild {
	struct store *store;
	const struct store_snapshot *snapshot;
	struct hash_builder *accounts, *storage;
	const hash32 *address_hash; /* of the storage trie at work; NULL: the account trie */
	size_t records;             /* made so far */
	enum status status;         /* of the records; sticky */
	struct err *err;
};

static void on_branch(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask, const hash32 *hashes,
    uint16_t tree_mask) {
	struct rebuild *rebuild = context;
	if (!(hash_mask | tree_mask) || rebuild->status != STATUS_OK) return;
	uint8_t record[TRIE_BRANCH_BYTES_MAX], key[32 + NIBBLES_MAX];
	size_t len = trie_branch_encode(record, child_mask, tree_mask, hash_mask, hashes);
	size_t prefix = rebuild->address_hash ? 32 : 0;
	if (prefix) memcpy(key, rebuild->address_hash->b, prefix);
	if (path.len) memcpy(key + prefix, path.data, path.len);
	rebuild->records++;
	struct store_value stored;
	rebuild->status = store_get(rebuild->store, rebuild->snapshot, prefix ? TABLE_TRIE_STORAGE : TABLE_TRIE_ACCOUNT,
	    &stored, bytes_make(key, prefix + path.len), rebuild->err);
	if (rebuild->status == STATUS_OK && !bytes_equal(stored.view, bytes_make(record, len)))
		rebuild->status = err_set(rebuild->err, STATUS_CORRUPT, "the branch record at depth %zu of %s is %s",
		    path.len, prefix ? "a storage trie" : "the account trie", stored.view.data ? "wrong" : "missing");
	store_value_release(&stored);
}

static void feed(struct hash_builder *builder, struct bytes key, struct bytes payload) {
	uint8_t nibbles[NIBBLES_MAX];
	nibbles_of(nibbles, key);
	hash_builder_leaf(builder, bytes_make(nibbles, 2 * key.len), payload);
}

/* The rows of the account at which the cursor stands; it moves behind them. */
static enum status rebuild_storage(
    struct rebuild *rebuild, hash32 *root, struct store_cursor *slots, const hash32 *address_hash) {
	rebuild->address_hash = address_hash;
	for (; store_cursor_valid(slots); store_cursor_next(slots)) {
		struct bytes key = store_cursor_key(slots), row = store_cursor_value(slots);
		if (key.len != 64 || memcmp(key.data, address_hash->b, 32) < 0)
			return err_set(rebuild->err, STATUS_CORRUPT, "a storage row belongs to no account");
		if (memcmp(key.data, address_hash->b, 32) != 0) break;
		u256 value;
		TRY(storage_row_decode(&value, row, rebuild->err));
		if (!row.len) return err_set(rebuild->err, STATUS_CORRUPT, "a storage row holds nothing");
		uint8_t payload[STORAGE_PAYLOAD_BYTES_MAX];
		feed(rebuild->storage, bytes_slice(key, 32, 32), bytes_make(payload, storage_payload(payload, row)));
	}
	TRY(store_cursor_status(slots, rebuild->err));
	*root = hash_builder_root(rebuild->storage);
	rebuild->address_hash = NULL;
	return rebuild->status;
}

static enum status rebuild_all(
    struct rebuild *rebuild, hash32 *root, struct store_cursor *accounts, struct store_cursor *slots) {
	store_cursor_seek(slots, (struct bytes){0});
	for (store_cursor_seek(accounts, (struct bytes){0}); store_cursor_valid(accounts);
	     store_cursor_next(accounts)) {
		struct bytes key = store_cursor_key(accounts);
		if (key.len != 32) return err_set(rebuild->err, STATUS_CORRUPT, "an account's key is malformed");
		hash32 address_hash, storage_root;
		memcpy(address_hash.b, key.data, 32);
		struct account account;
		TRY(account_row_decode(&account, store_cursor_value(accounts), rebuild->err));
		TRY(rebuild_storage(rebuild, &storage_root, slots, &address_hash));
		if (!hash32_equal(&storage_root, &account.storage_root))
			return err_set(
			    rebuild->err, STATUS_CORRUPT, "an account's storage root does not fit its storage");
		uint8_t payload[ACCOUNT_PAYLOAD_BYTES_MAX];
		feed(rebuild->accounts, key, bytes_make(payload, account_payload(payload, &account)));
	}
	TRY(store_cursor_status(accounts, rebuild->err));
	if (store_cursor_valid(slots))
		return err_set(rebuild->err, STATUS_CORRUPT, "a storage row belongs to no account");
	*root = hash_builder_root(rebuild->accounts);
	return rebuild->status;
}

static enum status count_rows(struct rebuild *rebuild, size_t *count, enum store_table table) {
	struct store_cursor *cursor = store_cursor_new(rebuild->store, rebuild->snapshot, table);
	for (store_cursor_seek(cursor, (struct bytes){0}); store_cursor_valid(cursor); store_cursor_next(cursor))
		++*count;
	enum status status = store_cursor_status(cursor, rebuild->err);
	store_cursor_free(cursor);
	return status;
}

/* Every record that should be there is, so another count means that there are some that should not. */
static enum status check_count(struct rebuild *rebuild) {
	size_t count = 0;
	TRY(count_rows(rebuild, &count, TABLE_TRIE_ACCOUNT));
	TRY(count_rows(rebuild, &count, TABLE_TRIE_STORAGE));
	if (count == rebuild->records) return STATUS_OK;
	return err_set(
	    rebuild->err, STATUS_CORRUPT, "%zu branch records are stored, %zu should be", count, rebuild->records);
}

enum status state_root_rebuild(
    hash32 *root, struct store *store, const struct store_snapshot *snapshot, struct err *err) {
	struct rebuild rebuild = {.store = store, .snapshot = snapshot, .err = err};
	struct hash_builder_watch watch = {.branch = on_branch, .context = &rebuild};
	rebuild.accounts = hash_builder_new(&watch);
	rebuild.storage = hash_builder_new(&watch);
	struct store_cursor *accounts = store_cursor_new(store, snapshot, TABLE_ACCOUNT);
	struct store_cursor *slots = store_cursor_new(store, snapshot, TABLE_STORAGE);
	enum status status = rebuild_all(&rebuild, root, accounts, slots);
	store_cursor_free(accounts);
	store_cursor_free(slots);
	hash_builder_free(rebuild.accounts);
	hash_builder_free(rebuild.storage);
	return status == STATUS_OK ? check_count(&rebuild) : status;
}
