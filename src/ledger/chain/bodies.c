/* Bodies and receipts as rows: both stand in groups, so that one of them is one small read. Any thread reads. */
#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"
#include "ledger/chain/log_index.h"
#include "ledger/chain/rows.h"

static size_t items_in_group(size_t count, size_t first) {
	return count - first < GROUP_ITEMS ? count - first : GROUP_ITEMS;
}

/* --- writing --- */

void chain_put_body(struct store_batch *batch, struct chain *chain, const struct block *block, const hash32 *hash,
    const u256 *total_difficulty) {
	const struct block_key key = block_key(block->header.number, hash);
	const size_t count = block->transaction_count;
	struct buf row;
	buf_init(&row, BUF_MAX_DEFAULT);
	body_row_encode(&row, block, total_difficulty);
	store_batch_put(batch, chain->store, TABLE_BODY, BYTES_OF(key), buf_view(&row));
	for (size_t first = 0; first < count; first += GROUP_ITEMS) {
		const struct group_key group = group_key(&key, first);
		const size_t items = items_in_group(count, first);
		group_row_begin(&row, items);
		for (size_t i = 0; i < items; i++) {
			buf_append(&row, block->transactions[first + i].raw);
			group_row_end(&row, i);
		}
		store_batch_put(batch, chain->store, TABLE_TXS, BYTES_OF(group), buf_view(&row));
	}
	BUG_ON(row.overflow);
	buf_fini(&row);
}

static void del_groups(
    struct store_batch *batch, struct chain *chain, enum store_table table, const struct block_key *key, size_t count) {
	for (size_t first = 0; first < count; first += GROUP_ITEMS) {
		const struct group_key group = group_key(key, first);
		store_batch_del(batch, chain->store, table, BYTES_OF(group));
	}
}

void chain_del_body(
    struct store_batch *batch, struct chain *chain, uint64_t number, const hash32 *hash, size_t transaction_count) {
	const struct block_key key = block_key(number, hash);
	store_batch_del(batch, chain->store, TABLE_BODY, BYTES_OF(key));
	del_groups(batch, chain, TABLE_TXS, &key, transaction_count);
}

void chain_put_receipts(struct store_batch *batch, struct chain *chain, const struct pending_block *pending) {
	const struct block_key key = block_key(pending->header.number, &pending->hash);
	const size_t count = pending->receipt_count;
	struct mined_receipt mined = {0};
	struct log_index index;
	struct buf row;
	uint64_t gas_before = 0;
	log_index_init(&index);
	buf_init(&row, BUF_MAX_DEFAULT);
	for (size_t first = 0; first < count; first += GROUP_ITEMS) {
		const struct group_key group = group_key(&key, first);
		const size_t items = items_in_group(count, first);
		group_row_begin(&row, items);
		for (size_t i = 0; i < items; i++) {
			mined.receipt = pending->receipts[first + i];
			mined.sender = pending->private_part->senders[first + i];
			mined.gas_used = mined.receipt.cumulative_gas - gas_before;
			receipt_item_encode(&row, &mined);
			group_row_end(&row, i);
			log_index_add(&index, (uint32_t)(first + i), &mined.receipt);
			mined.first_log += (uint32_t)mined.receipt.log_count;
			gas_before = mined.receipt.cumulative_gas;
		}
		store_batch_put(batch, chain->store, TABLE_RECEIPTS, BYTES_OF(group), buf_view(&row));
	}
	BUG_ON(row.overflow);
	buf_fini(&row);
	log_index_write(&index, batch, chain->store, pending->header.number, true);
	log_index_fini(&index);
}

void chain_del_receipts(struct store_batch *batch, struct chain *chain, uint64_t number, const hash32 *hash,
    const struct mined_receipt *receipts, size_t count) {
	const struct block_key key = block_key(number, hash);
	struct log_index index;
	del_groups(batch, chain, TABLE_RECEIPTS, &key, count);
	log_index_init(&index);
	for (size_t i = 0; i < count; i++) log_index_add(&index, (uint32_t)i, &receipts[i].receipt);
	log_index_write(&index, batch, chain->store, number, false);
	log_index_fini(&index);
}

/* --- reading --- */

enum status chain_read_group(struct chain *chain, const struct store_snapshot *snapshot, struct store_value *out,
    enum store_table table, const struct block_key *key, size_t index, struct err *err) {
	const struct group_key group = group_key(key, index);
	TRY(store_get(chain->store, snapshot, table, out, BYTES_OF(group), err));
	if (out->view.data != NULL) return STATUS_OK;
	return chain_missing_block(chain, load_be64(key->b), table == TABLE_TXS ? "transaction" : "receipt", err);
}

/* A body's row, with a copy of its RLP in the arena; NULL: without. That its last transaction is there bounds the
 * count. */
static enum status read_body(
    struct chain *chain, struct body_row *out, struct arena *arena, const struct block_key *key, struct err *err) {
	struct store_value row, last;
	TRY(store_get(chain->store, NULL, TABLE_BODY, &row, BYTES_OF(*key), err));
	if (row.view.data == NULL) return chain_missing_block(chain, load_be64(key->b), "block body", err);
	const enum status status = body_row_decode(out, row.view, err);
	if (status == STATUS_OK && arena != NULL) out->rlp = arena_dup(arena, out->rlp);
	store_value_release(&row);
	TRY(status);
	if (out->transaction_count == 0) return STATUS_OK;
	TRY(chain_read_group(chain, NULL, &last, TABLE_TXS, key, out->transaction_count - 1, err));
	store_value_release(&last);
	return STATUS_OK;
}

enum status chain_transaction_count(
    struct chain *chain, size_t *out, uint64_t number, const hash32 *block_hash, struct err *err) {
	struct body_row row = {0};
	const struct block_key key = block_key(number, block_hash);
	const enum status status = read_body(chain, &row, NULL, &key, err);
	*out = row.transaction_count;
	return status;
}

enum status chain_weigh(struct chain *chain, u256 *total, uint64_t number, const hash32 *hash, struct err *err) {
	struct body_row row = {0};
	const struct block_key key = block_key(number, hash);
	const enum status status = read_body(chain, &row, NULL, &key, err);
	*total = row.total_difficulty;
	return status;
}

static enum status read_item(struct chain *chain, struct bytes *out, struct arena *arena, enum store_table table,
    const struct block_key *key, size_t index, struct err *err) {
	struct store_value row;
	TRY(chain_read_group(chain, NULL, &row, table, key, index, err));
	const enum status status = group_row_item(out, row.view, index % GROUP_ITEMS, err);
	if (status == STATUS_OK) *out = arena_dup(arena, *out);
	store_value_release(&row);
	return status;
}

static enum status decode_transaction(
    struct transaction *out, struct arena *arena, struct bytes envelope, struct err *err) {
	if (transaction_decode(out, NULL, arena, envelope, err) == STATUS_OK) return STATUS_OK;
	return err_prefix(err, STATUS_CORRUPT, "stored transaction");
}

enum status chain_transaction(struct chain *chain, struct transaction *out, struct arena *arena, uint64_t number,
    const hash32 *block_hash, uint32_t index, struct err *err) {
	struct bytes envelope;
	const struct block_key key = block_key(number, block_hash);
	TRY(read_item(chain, &envelope, arena, TABLE_TXS, &key, index, err));
	return decode_transaction(out, arena, envelope, err);
}

enum status chain_receipt(struct chain *chain, struct mined_receipt *out, struct arena *arena, uint64_t number,
    const hash32 *block_hash, uint32_t index, struct err *err) {
	struct bytes item;
	const struct block_key key = block_key(number, block_hash);
	TRY(read_item(chain, &item, arena, TABLE_RECEIPTS, &key, index, err));
	return receipt_item_decode(out, arena, item, true, err);
}

/* The group that begins with item `first`, copied: its row, which has as many items as the block has left there. */
static enum status read_whole_group(struct chain *chain, struct bytes *row, struct arena *arena, enum store_table table,
    const struct block_key *key, size_t first, size_t count, struct err *err) {
	struct store_value value;
	size_t items;
	TRY(chain_read_group(chain, NULL, &value, table, key, first, err));
	*row = arena_dup(arena, value.view);
	store_value_release(&value);
	TRY(group_row_count(&items, *row, err));
	if (items == items_in_group(count, first)) return STATUS_OK;
	return err_set(err, STATUS_CORRUPT, "a stored group has %zu items", items);
}

static enum status read_transactions(
    struct chain *chain, struct block *block, struct arena *arena, const struct block_key *key, struct err *err) {
	struct bytes row = {0}, envelope;
	const size_t count = block->transaction_count;
	block->transactions = arena_zalloc(arena, count, sizeof *block->transactions);
	for (size_t i = 0; i < count; i++) {
		if (i % GROUP_ITEMS == 0) TRY(read_whole_group(chain, &row, arena, TABLE_TXS, key, i, count, err));
		TRY(group_row_item(&envelope, row, i % GROUP_ITEMS, err));
		TRY(decode_transaction(&block->transactions[i], arena, envelope, err));
	}
	return STATUS_OK;
}

enum status chain_block_at(
    struct chain *chain, struct block *out, struct arena *arena, uint64_t number, const hash32 *hash, struct err *err) {
	struct header header;
	struct body_row row;
	const struct block_key key = block_key(number, hash);
	TRY(chain_header_at(chain, &header, number, hash, err));
	TRY(read_body(chain, &row, arena, &key, err));
	if (block_body_decode(out, arena, row.rlp, err) != STATUS_OK)
		return err_prefix(err, STATUS_CORRUPT, "stored body");
	out->header = header;
	out->transaction_count = row.transaction_count;
	return read_transactions(chain, out, arena, &key, err);
}

enum status chain_receipts(struct chain *chain, struct mined_receipt **out, size_t *count, struct arena *arena,
    uint64_t number, const hash32 *block_hash, struct err *err) {
	struct body_row body;
	struct bytes row = {0}, item;
	const struct block_key key = block_key(number, block_hash);
	TRY(read_body(chain, &body, NULL, &key, err));
	*count = body.transaction_count;
	*out = arena_zalloc(arena, *count, sizeof **out);
	for (size_t i = 0; i < *count; i++) {
		if (i % GROUP_ITEMS == 0)
			TRY(read_whole_group(chain, &row, arena, TABLE_RECEIPTS, &key, i, *count, err));
		TRY(group_row_item(&item, row, i % GROUP_ITEMS, err));
		TRY(receipt_item_decode(&(*out)[i], arena, item, true, err));
	}
	return STATUS_OK;
}
