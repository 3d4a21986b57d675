#include "ledger/state/stored_trie.h"

#include "eth/hash_builder.h"

void stored_trie_init(struct stored_trie *trie, struct store *store, const struct store_snapshot *snapshot,
    bool is_storage, struct trie_cache *cache) {
	*trie = (struct stored_trie){.store = store, .snapshot = snapshot, .is_storage = is_storage, .cache = cache};
}

void stored_trie_fini(struct stored_trie *trie) {
	store_cursor_free(trie->records);
	store_cursor_free(trie->leaves);
	store_value_release(&trie->record);
}

void stored_trie_select(struct stored_trie *trie, const hash32 *address_hash, bool is_empty) {
	trie->address_hash = *address_hash;
	trie->is_empty = is_empty;
}

/* A step costs about a tenth of a seek, and siblings stand close together; what is not a sibling does not. */
#define STEPS_BEFORE_SEEK 8

struct trie_key {
	uint8_t b[32 + 64];
};

static struct bytes whole_key(struct trie_key *room, const struct stored_trie *trie, struct bytes part) {
	size_t prefix = trie->is_storage ? 32 : 0;
	BUG_ON(part.len > 64);
	if (prefix) memcpy(room->b, trie->address_hash.b, prefix);
	if (part.len) memcpy(room->b + prefix, part.data, part.len);
	return bytes_make(room->b, prefix + part.len);
}

/* Are the first `bits` bits of both the same? */
static bool share_bits(struct bytes a, struct bytes b, size_t bits) {
	const size_t whole = bits / 8;
	if (a.len * 8 < bits || b.len * 8 < bits || memcmp(a.data, b.data, whole) != 0) return false;
	return bits % 8 == 0 || (a.data[whole] ^ b.data[whole]) >> (8 - bits % 8) == 0;
}

/* Calls come in rising order, so a cursor that stands before `from` may step there, and one behind it is there. It
 * steps where it stands at a sibling: at a key that shares the first `near` bits of `from`. */
static void seek(
    struct stored_trie *trie, struct store_cursor **cursor, enum store_table table, struct bytes from, size_t near) {
	struct trie_key room;
	struct bytes key = whole_key(&room, trie, from);
	bool is_new = !*cursor;
	if (is_new) *cursor = store_cursor_new(trie->store, trie->snapshot, table);
	if (trie->is_storage) near += 8 * 32;
	for (int step = 0; !is_new && step < STEPS_BEFORE_SEEK && store_cursor_valid(*cursor); step++) {
		const struct bytes at = store_cursor_key(*cursor);
		if (bytes_compare(at, key) >= 0) return;
		if (!share_bits(at, key, near)) break;
		store_cursor_next(*cursor);
	}
	if (is_new || store_cursor_valid(*cursor)) store_cursor_seek(*cursor, key);
}

/* What stands behind the account's prefix in the cursor's key; data == NULL at the end of the trie. */
static enum status key_at(
    const struct stored_trie *trie, struct bytes *out, const struct store_cursor *cursor, struct err *err) {
	*out = (struct bytes){0};
	if (!store_cursor_valid(cursor)) return store_cursor_status(cursor, err);
	struct bytes key = store_cursor_key(cursor);
	size_t prefix = trie->is_storage ? 32 : 0;
	if (prefix && (key.len < prefix || memcmp(key.data, trie->address_hash.b, prefix) != 0)) return STATUS_OK;
	*out = bytes_make(key.data + prefix, key.len - prefix);
	return STATUS_OK;
}

static enum trie_cache_kind record_kind(const struct stored_trie *trie) {
	return trie->is_storage ? CACHE_STORAGE_RECORD : CACHE_ACCOUNT_RECORD;
}

static struct bytes cached_record(const struct stored_trie *trie, struct bytes path) {
	struct trie_key room;
	if (!trie->cache) return (struct bytes){0};
	return trie_cache_get(trie->cache, record_kind(trie), whole_key(&room, trie, path));
}

static void cache_record(const struct stored_trie *trie, struct bytes path, struct bytes record) {
	struct trie_key room;
	if (trie->cache) trie_cache_put(trie->cache, record_kind(trie), whole_key(&room, trie, path), record);
}

static enum status record_seek(
    void *context, struct bytes *path, struct bytes *record, struct bytes from, struct err *err) {
	struct stored_trie *trie = context;
	*path = (struct bytes){0};
	if (trie->is_empty) return STATUS_OK;
	*record = cached_record(trie, from);
	if (record->data) {
		*path = from;
		return STATUS_OK;
	}
	seek(trie, &trie->records, trie->is_storage ? TABLE_TRIE_STORAGE : TABLE_TRIE_ACCOUNT, from,
	    from.len ? 8 * (from.len - 1) : 0);
	TRY(key_at(trie, path, trie->records, err));
	if (!path->data) return STATUS_OK;
	*record = store_cursor_value(trie->records);
	cache_record(trie, *path, *record);
	return STATUS_OK;
}

static enum status record_get(void *context, struct bytes *record, struct bytes path, struct err *err) {
	struct stored_trie *trie = context;
	struct trie_key room;
	*record = (struct bytes){0};
	if (trie->is_empty) return STATUS_OK;
	*record = cached_record(trie, path);
	if (record->data) return STATUS_OK;
	store_value_release(&trie->record);
	TRY(store_get(trie->store, trie->snapshot, trie->is_storage ? TABLE_TRIE_STORAGE : TABLE_TRIE_ACCOUNT,
	    &trie->record, whole_key(&room, trie, path), err));
	*record = trie->record.view;
	if (record->data) cache_record(trie, path, *record);
	return STATUS_OK;
}

static enum status leaf_at(struct stored_trie *trie, struct trie_leaf *leaf, struct err *err) {
	*leaf = (struct trie_leaf){0};
	TRY(key_at(trie, &leaf->key, trie->leaves, err));
	if (!leaf->key.data) return STATUS_OK;
	struct bytes row = store_cursor_value(trie->leaves);
	size_t len;
	if (trie->is_storage) {
		u256 value;
		TRY(storage_row_decode(&value, row, err));
		if (row.len == 0) return err_set(err, STATUS_CORRUPT, "a storage row holds nothing");
		len = storage_payload(trie->payload, row);
	} else {
		struct account account;
		TRY(account_row_decode(&account, row, err));
		len = account_payload(trie->payload, &account);
	}
	leaf->value = bytes_make(trie->payload, len);
	return STATUS_OK;
}

/* Are the leaves below these nibbles in the cache? Then they are what comes next. */
static bool find_cached_leaves(struct stored_trie *trie, struct bytes from, size_t nibbles) {
	uint8_t path[NIBBLES_MAX];
	struct trie_key room;
	trie->is_cached = false;
	if (!trie->cache) return false;
	nibbles_of(path, from);
	trie->cached = trie_cache_get(trie->cache, trie->is_storage ? CACHE_STORAGE_LEAVES : CACHE_ACCOUNT_LEAVES,
	    whole_key(&room, trie, bytes_make(path, nibbles)));
	trie->is_cached = trie->cached.data != NULL;
	return trie->is_cached;
}

static struct trie_leaf next_cached_leaf(struct stored_trie *trie) {
	return trie->cached.len ? cached_leaves_take(&trie->cached) : (struct trie_leaf){0};
}

static enum status leaf_seek(
    void *context, struct trie_leaf *leaf, struct bytes from, size_t nibbles, struct err *err) {
	struct stored_trie *trie = context;
	*leaf = (struct trie_leaf){0};
	if (trie->is_empty) return STATUS_OK;
	if (find_cached_leaves(trie, from, nibbles)) {
		*leaf = next_cached_leaf(trie);
		return STATUS_OK;
	}
	seek(trie, &trie->leaves, trie->is_storage ? TABLE_STORAGE : TABLE_ACCOUNT, from,
	    nibbles ? 4 * (nibbles - 1) : 0);
	return leaf_at(trie, leaf, err);
}

static enum status leaf_next(void *context, struct trie_leaf *leaf, struct err *err) {
	struct stored_trie *trie = context;
	if (trie->is_cached) {
		*leaf = next_cached_leaf(trie);
		return STATUS_OK;
	}
	store_cursor_next(trie->leaves);
	return leaf_at(trie, leaf, err);
}

struct trie_source stored_trie_source(struct stored_trie *trie) {
	return (struct trie_source){record_seek, record_get, leaf_seek, leaf_next, trie};
}
