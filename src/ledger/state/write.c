/* From a diff to rows: flat tables, code, history, and the list of what changed. */
#include "ledger/state/commitment.h"
#include "ledger/state/rows.h"
#include "ledger/state/updates.h"

struct writer {
	struct store_batch *batch;
	struct store *store;
	uint64_t number;
	struct buf accounts; /* keccak(address) each */
	uint32_t account_count;
	struct buf groups; /* as CHANGES has them */
	uint32_t group_count;
};

static void add_u32(struct buf *out, uint32_t value) {
	uint8_t bytes[4];
	store_be32(bytes, value);
	buf_append(out, bytes_make(bytes, 4));
}

static void write_row(struct writer *writer, enum store_table table, struct bytes key, struct bytes row) {
	if (row.len)
		store_batch_put(writer->batch, writer->store, table, key, row);
	else
		store_batch_del(writer->batch, writer->store, table, key);
}

static void write_account(struct writer *writer, const struct account_change *change) {
	uint8_t before[ACCOUNT_ROW_BYTES_MAX], after[ACCOUNT_ROW_BYTES_MAX];
	struct bytes old = {before, change->existed ? account_row_encode(before, &change->before) : 0};
	struct bytes new = {after, change->exists ? account_row_encode(after, &change->after) : 0};
	if (bytes_equal(old, new)) return;
	struct state_key key;
	store_batch_put(writer->batch, writer->store, TABLE_ACCOUNT_HISTORY,
	    account_history_key(&key, &change->address_hash, writer->number), old);
	write_row(writer, TABLE_ACCOUNT, account_key(&key), new);
	buf_append(&writer->accounts, BYTES_OF(change->address_hash));
	writer->account_count++;
	if (change->code_changed && change->code.len)
		store_batch_put(
		    writer->batch, writer->store, TABLE_CODE, BYTES_OF(change->after.code_hash), change->code);
}

static void write_slot(
    struct writer *writer, const hash32 *address_hash, const hash32 *slot_hash, struct bytes old, struct bytes new) {
	struct state_key key;
	store_batch_put(writer->batch, writer->store, TABLE_STORAGE_HISTORY,
	    storage_history_key(&key, address_hash, slot_hash, writer->number), old);
	write_row(writer, TABLE_STORAGE, storage_key(&key), new);
	buf_append(&writer->groups, BYTES_OF(*slot_hash));
}

static void write_change(struct writer *writer, const hash32 *address_hash, const struct storage_change *change) {
	uint8_t before[32], after[32];
	write_slot(writer, address_hash, &change->slot_hash, u256_trimmed_be(before, &change->before),
	    u256_trimmed_be(after, &change->after));
}

/* Every old row of the account goes, but for what the diff writes anew; both are sorted. Returns how many slots
 * changed. */
static enum status write_wiped(
    struct writer *writer, uint32_t *count, const struct account_change *account, struct err *err) {
	struct store_cursor *cursor = store_cursor_new(writer->store, NULL, TABLE_STORAGE);
	size_t next = 0;
	for (store_cursor_seek(cursor, BYTES_OF(account->address_hash)); store_cursor_valid(cursor);
	     store_cursor_next(cursor)) {
		struct bytes key = store_cursor_key(cursor), old = store_cursor_value(cursor);
		if (key.len != 64 || memcmp(key.data, account->address_hash.b, 32) != 0) break;
		hash32 slot_hash;
		memcpy(slot_hash.b, key.data + 32, 32);
		int order = 1;
		while (next < account->storage_count &&
		       (order = memcmp(account->storage[next].slot_hash.b, slot_hash.b, 32)) < 0) {
			write_change(writer, &account->address_hash, &account->storage[next++]);
			++*count;
		}
		uint8_t after[32];
		struct bytes new = {after, 0};
		if (next < account->storage_count && order == 0)
			new = u256_trimmed_be(after, &account->storage[next++].after);
		if (bytes_equal(old, new)) continue;
		write_slot(writer, &account->address_hash, &slot_hash, old, new);
		++*count;
	}
	enum status status = store_cursor_status(cursor, err);
	store_cursor_free(cursor);
	for (; next < account->storage_count; next++, ++*count)
		write_change(writer, &account->address_hash, &account->storage[next]);
	return status;
}

static enum status write_storage(struct writer *writer, const struct account_change *account, struct err *err) {
	if (!account->storage_count && !account->storage_wiped) return STATUS_OK;
	size_t mark = writer->groups.len;
	buf_append(&writer->groups, BYTES_OF(account->address_hash));
	add_u32(&writer->groups, 0);
	uint32_t count = 0;
	if (account->storage_wiped) {
		TRY(write_wiped(writer, &count, account, err));
	} else {
		count = (uint32_t)account->storage_count;
		for (uint32_t i = 0; i < count; i++) write_change(writer, &account->address_hash, &account->storage[i]);
	}
	TRY(buf_status(&writer->groups, err));
	if (count)
		store_be32(writer->groups.data + mark + 32, count);
	else
		writer->groups.len = mark;
	writer->group_count += count != 0;
	return STATUS_OK;
}

/* CHANGES: accounts, then storage groups. */
static enum status write_changes(struct writer *writer, struct err *err) {
	struct buf row;
	buf_init(&row, BUF_MAX_DEFAULT);
	add_u32(&row, writer->account_count);
	buf_append(&row, buf_view(&writer->accounts));
	add_u32(&row, writer->group_count);
	buf_append(&row, buf_view(&writer->groups));
	enum status status = buf_status(&row, err);
	uint8_t key[8];
	store_be64(key, writer->number);
	if (status == STATUS_OK)
		store_batch_put(writer->batch, writer->store, TABLE_CHANGES, bytes_make(key, 8), buf_view(&row));
	buf_fini(&row);
	return status;
}

enum status state_write(struct store_batch *batch, struct store *store, const struct state_diff *diff,
    const struct trie_updates *updates, uint64_t number, struct err *err) {
	struct writer writer = {.batch = batch, .store = store, .number = number};
	buf_init(&writer.accounts, BUF_MAX_DEFAULT);
	buf_init(&writer.groups, BUF_MAX_DEFAULT);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < diff->count && status == STATUS_OK; i++) {
		write_account(&writer, &diff->accounts[i]);
		status = write_storage(&writer, &diff->accounts[i], err);
	}
	if (status == STATUS_OK) status = write_changes(&writer, err);
	if (status == STATUS_OK) trie_updates_write(batch, store, updates);
	buf_fini(&writer.accounts);
	buf_fini(&writer.groups);
	return status;
}
