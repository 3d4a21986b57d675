#include "ledger/state/commitment.h"
#include "ledger/state/rows.h"
#include "ledger/state/stored_trie.h"
#include "ledger/state/updates.h"
#include "ledger/state/view_private.h"
#include "ledger/state/warm.h"

struct trie_updates *trie_updates_new(struct trie_cache *cache) {
	struct trie_updates *updates = mem_zalloc(1, sizeof *updates);
	updates->cache = cache;
	updates->walker = trie_walker_new();
	arena_init(&updates->arena);
	return updates;
}

void trie_updates_free(struct trie_updates *updates) {
	if (!updates) return;
	trie_walker_free(updates->walker);
	arena_fini(&updates->arena);
	mem_free(updates->rows);
	mem_free(updates);
}

/* `value` lives as long as the updates. */
static void add_row(struct trie_updates *updates, bool is_record, struct bytes path, struct bytes value) {
	if (updates->count == updates->cap) {
		updates->cap = updates->cap ? 2 * updates->cap : 256;
		updates->rows = mem_realloc(updates->rows, updates->cap * sizeof *updates->rows);
	}
	size_t prefix = updates->address_hash ? 32 : 0;
	uint8_t *key = arena_alloc(&updates->arena, prefix + path.len);
	if (prefix) memcpy(key, updates->address_hash->b, prefix);
	if (path.len) memcpy(key + prefix, path.data, path.len);
	enum trie_cache_kind kind = prefix ? (is_record ? CACHE_STORAGE_RECORD : CACHE_STORAGE_LEAVES)
					   : (is_record ? CACHE_ACCOUNT_RECORD : CACHE_ACCOUNT_LEAVES);
	updates->rows[updates->count++] = (struct trie_update){kind, bytes_make(key, prefix + path.len), value};
}

static void on_put(void *context, struct bytes path, struct bytes record) {
	struct trie_updates *updates = context;
	add_row(updates, true, path, arena_dup(&updates->arena, record));
}

static void on_del(void *context, struct bytes path) {
	add_row(context, true, path, (struct bytes){0});
}

static void on_leaves(void *context, struct bytes path, const struct trie_leaf *leaves, size_t count) {
	struct trie_updates *updates = context;
	struct bytes value = {0};
	if (count) value = cached_leaves_encode(&updates->arena, leaves, count);
	add_row(updates, false, path, value);
}

struct trie_sink trie_updates_sink(struct trie_updates *updates, const hash32 *address_hash) {
	updates->address_hash = address_hash;
	return (struct trie_sink){.record_put = on_put,
	    .record_del = on_del,
	    .leaves = updates->cache ? on_leaves : NULL,
	    .context = updates};
}

void trie_updates_write(struct store_batch *batch, struct store *store, const struct trie_updates *updates) {
	for (size_t i = 0; i < updates->count; i++) {
		const struct trie_update *row = &updates->rows[i];
		if (row->kind == CACHE_ACCOUNT_LEAVES || row->kind == CACHE_STORAGE_LEAVES) continue;
		enum store_table table = row->kind == CACHE_STORAGE_RECORD ? TABLE_TRIE_STORAGE : TABLE_TRIE_ACCOUNT;
		if (row->value.data)
			store_batch_put(batch, store, table, row->key, row->value);
		else
			store_batch_del(batch, store, table, row->key);
	}
}

void trie_updates_committed(struct trie_updates *updates) {
	struct trie_cache *cache = updates->cache;
	if (!cache) return;
	if (updates->wipes) trie_cache_clear(cache); /* what goes is not listed; rare since EIP-6780 */
	for (size_t i = 0; i < updates->count; i++) {
		const struct trie_update *row = &updates->rows[i];
		if (row->value.data)
			trie_cache_put(cache, row->kind, row->key, row->value);
		else
			trie_cache_del(cache, row->kind, row->key);
	}
}

/* The values of a walk's changes, one at a time in `payload`. */
struct values {
	const struct account_change *accounts;
	const struct storage_change *slots;
	uint8_t payload[ACCOUNT_PAYLOAD_BYTES_MAX];
};

static struct bytes storage_value(void *context, size_t index) {
	struct values *values = context;
	uint8_t room[32];
	struct bytes row = u256_trimmed_be(room, &values->slots[index].after);
	if (row.len == 0) return (struct bytes){0};
	return bytes_make(values->payload, storage_payload(values->payload, row));
}

static struct bytes account_value(void *context, size_t index) {
	struct values *values = context;
	const struct account_change *change = &values->accounts[index];
	if (!change->exists) return (struct bytes){0};
	return bytes_make(values->payload, account_payload(values->payload, &change->after));
}

static enum status storage_root(
    struct account_change *change, struct trie_updates *updates, struct stored_trie *stored, struct err *err) {
	updates->wipes |= change->storage_wiped;
	bool had_storage = !hash32_equal(&change->before.storage_root, &absent_account.storage_root);
	stored_trie_select(stored, &change->address_hash, !had_storage || !stored->store);
	struct values values = {.slots = change->storage};
	struct trie_changes changes = {
	    .keys = change->storage_count ? change->storage->slot_hash.b : NULL,
	    .stride = sizeof *change->storage,
	    .count = change->storage_count,
	    .key_bytes = 32,
	    .value = storage_value,
	    .context = &values,
	    .wiped = change->storage_wiped,
	};
	struct trie_source source = stored_trie_source(stored);
	struct trie_sink sink = trie_updates_sink(updates, &change->address_hash);
	return trie_walk(updates->walker, &change->after.storage_root, &source, &changes, &sink, err);
}

static enum status account_root(hash32 *root, const struct state_diff *diff, struct trie_updates *updates,
    struct stored_trie *stored, struct err *err) {
	struct values values = {.accounts = diff->accounts};
	struct trie_changes changes = {
	    .keys = diff->count ? diff->accounts->address_hash.b : NULL,
	    .stride = sizeof *diff->accounts,
	    .count = diff->count,
	    .key_bytes = 32,
	    .value = account_value,
	    .context = &values,
	};
	struct trie_source source = stored_trie_source(stored);
	struct trie_sink sink = trie_updates_sink(updates, NULL);
	return trie_walk(updates->walker, root, &source, &changes, &sink, err);
}

enum status commit_root(hash32 *root, struct state_diff *diff, struct trie_updates *updates, struct store *store,
    const struct store_snapshot *snapshot, struct err *err) {
	updates->count = 0;
	updates->wipes = false;
	arena_reset(&updates->arena);
	struct stored_trie accounts, storage;
	stored_trie_init(&accounts, store, snapshot, false, updates->cache);
	stored_trie_init(&storage, store, snapshot, true, updates->cache);
	accounts.is_empty = !store;
	if (store && updates->cache) trie_cache_warm(updates->cache, store, snapshot, diff);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < diff->count && status == STATUS_OK; i++) {
		struct account_change *change = &diff->accounts[i];
		if (change->storage_count || change->storage_wiped)
			status = storage_root(change, updates, &storage, err);
	}
	if (status == STATUS_OK) status = account_root(root, diff, updates, &accounts, err);
	stored_trie_fini(&accounts);
	stored_trie_fini(&storage);
	return status;
}

enum status state_root(hash32 *root, struct state_diff *diff, struct trie_updates *updates,
    const struct state_view *view, struct err *err) {
	if (!view->is_head) return past_root(root, diff, updates, view, err);
	return commit_root(root, diff, updates, view->store, view->snapshot, err);
}

enum status state_root_of_diff(hash32 *root, struct state_diff *diff, struct err *err) {
	struct trie_updates *updates = trie_updates_new(NULL);
	enum status status = commit_root(root, diff, updates, NULL, NULL, err);
	trie_updates_free(updates);
	return status;
}
