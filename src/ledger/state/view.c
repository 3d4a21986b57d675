#include "ledger/state/view.h"

#include "crypto/hash.h"
#include "ledger/state/account_cache.h"
#include "ledger/state/rows.h"
#include "ledger/state/view_private.h"

static enum status read_head_number(struct state_view *view, struct err *err) {
	struct store_value head;
	TRY(store_get(view->store, view->snapshot, TABLE_META, &head, BYTES_LITERAL("head"), err));
	enum status status = STATUS_OK;
	if (head.view.data && head.view.len == 40)
		view->head_number = load_be64(head.view.data);
	else if (head.view.data)
		status = err_set(err, STATUS_CORRUPT, "the head's row is malformed");
	else
		status = err_set(err, STATUS_NOTFOUND, "there is no block yet");
	store_value_release(&head);
	return status;
}

enum status state_view_open(
    struct state_view **out, struct store *store, bool is_head, uint64_t number, struct err *err) {
	struct state_view *view = mem_zalloc(1, sizeof *view);
	view->store = store;
	view->snapshot = store_snapshot_new(store);
	view->is_head = is_head;
	view->number = number;
	if (!is_head) {
		enum status status = read_head_number(view, err);
		if (status == STATUS_OK && number > view->head_number)
			status =
			    err_set(err, STATUS_NOTFOUND, "block %llu is not there yet", (unsigned long long)number);
		if (status != STATUS_OK) {
			state_view_close(view);
			return status;
		}
		view->is_head = number == view->head_number;
	}
	*out = view;
	return STATUS_OK;
}

void state_view_use(struct state_view *view, struct account_cache *cache) {
	BUG_ON(!view->is_head);
	view->cache = cache;
	view->cache_commit = account_cache_commit(cache);
}

void state_view_close(struct state_view *view) {
	if (!view) return;
	store_snapshot_free(view->store, view->snapshot);
	mem_free(view);
}

/*
 * The value of `key` as it was: in the first history row with a greater number, if there is one, else in the flat
 * table. `found` is false if the key was absent. The row is copied.
 */
static enum status read_row(const struct state_view *view, bool *found, struct buf *row, enum store_table table,
    enum store_table history, struct bytes key, struct err *err) {
	*found = false;
	if (!view->is_head) {
		uint8_t from[72];
		BUG_ON(key.len > 64);
		memcpy(from, key.data, key.len);
		store_be64(from + key.len, view->number + 1);
		struct store_cursor *cursor = store_cursor_new(view->store, view->snapshot, history);
		store_cursor_seek(cursor, bytes_make(from, key.len + 8));
		bool hit = false;
		if (store_cursor_valid(cursor)) {
			struct bytes at = store_cursor_key(cursor);
			hit = at.len == key.len + 8 && memcmp(at.data, key.data, key.len) == 0;
			if (hit) buf_append(row, store_cursor_value(cursor));
		}
		enum status status = store_cursor_status(cursor, err);
		store_cursor_free(cursor);
		*found = row->len > 0;
		if (hit || status != STATUS_OK) return status;
	}
	struct store_value value;
	TRY(store_get(view->store, view->snapshot, table, &value, key, err));
	*found = value.view.data != NULL;
	buf_append(row, value.view);
	store_value_release(&value);
	return STATUS_OK;
}

enum status view_account_by_hash(
    const struct state_view *view, struct account *account, bool *exists, const hash32 *address_hash, struct err *err) {
	if (view->cache != NULL && account_cache_get(view->cache, account, exists, address_hash, view->cache_commit))
		return STATUS_OK;
	*account = absent_account;
	if (view->is_head) {
		struct store_value value;
		TRY(store_get(view->store, view->snapshot, TABLE_ACCOUNT, &value, BYTES_OF(*address_hash), err));
		*exists = value.view.data != NULL;
		enum status status = *exists ? account_row_decode(account, value.view, err) : STATUS_OK;
		store_value_release(&value);
		return status;
	}
	struct buf row;
	buf_init(&row, BUF_MAX_DEFAULT);
	enum status status =
	    read_row(view, exists, &row, TABLE_ACCOUNT, TABLE_ACCOUNT_HISTORY, BYTES_OF(*address_hash), err);
	if (status == STATUS_OK && *exists) status = account_row_decode(account, buf_view(&row), err);
	buf_fini(&row);
	return status;
}

enum status view_storage_by_hash(
    const struct state_view *view, u256 *value, const hash32 *address_hash, const hash32 *slot_hash, struct err *err) {
	uint8_t key[64];
	memcpy(key, address_hash->b, 32);
	memcpy(key + 32, slot_hash->b, 32);
	struct bytes whole = bytes_make(key, sizeof key);
	if (view->is_head) {
		struct store_value row;
		TRY(store_get(view->store, view->snapshot, TABLE_STORAGE, &row, whole, err));
		enum status status = storage_row_decode(value, row.view, err);
		store_value_release(&row);
		return status;
	}
	bool found;
	struct buf row;
	buf_init(&row, BUF_MAX_DEFAULT);
	enum status status = read_row(view, &found, &row, TABLE_STORAGE, TABLE_STORAGE_HISTORY, whole, err);
	if (status == STATUS_OK) status = storage_row_decode(value, buf_view(&row), err);
	buf_fini(&row);
	return status;
}

enum status state_view_account(
    const struct state_view *view, struct account *account, bool *exists, const addr20 *address, struct err *err) {
	hash32 address_hash = keccak256(BYTES_OF(*address));
	return view_account_by_hash(view, account, exists, &address_hash, err);
}

enum status state_view_storage(
    const struct state_view *view, u256 *value, const addr20 *address, const u256 *slot, struct err *err) {
	uint8_t slot_bytes[32];
	u256_store_be(slot_bytes, slot);
	hash32 address_hash = keccak256(BYTES_OF(*address)), slot_hash = keccak256(bytes_make(slot_bytes, 32));
	return view_storage_by_hash(view, value, &address_hash, &slot_hash, err);
}

enum status state_view_has_storage(const struct state_view *view, bool *has, const addr20 *address, struct err *err) {
	struct account account;
	bool exists;
	TRY(state_view_account(view, &account, &exists, address, err));
	*has = !hash32_equal(&account.storage_root, &absent_account.storage_root);
	return STATUS_OK;
}

enum status state_view_code(const struct state_view *view, struct buf *code, const hash32 *code_hash, struct err *err) {
	if (hash32_equal(code_hash, &absent_account.code_hash)) return STATUS_OK;
	struct store_value value;
	TRY(store_get(view->store, view->snapshot, TABLE_CODE, &value, BYTES_OF(*code_hash), err));
	enum status status = STATUS_OK;
	if (value.view.data)
		buf_append(code, value.view);
	else
		status = err_set(err, STATUS_CORRUPT, "the code of a contract is missing");
	store_value_release(&value);
	return status;
}
