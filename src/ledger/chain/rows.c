#include "ledger/chain/rows.h"

struct number_key number_key(uint64_t number) {
	struct number_key key;
	store_be64(key.b, number);
	return key;
}

struct block_key block_key(uint64_t number, const hash32 *hash) {
	struct block_key key;
	store_be64(key.b, number);
	memcpy(key.b + 8, hash->b, 32);
	return key;
}

static enum status corrupt(struct err *err, const char *what) {
	return err_set(err, STATUS_CORRUPT, "a stored %s row is malformed", what);
}

void seal_row_encode(uint8_t out[SEAL_ROW_BYTES], const struct secp_signature *seal) {
	memcpy(out, seal->r, 32);
	memcpy(out + 32, seal->s, 32);
	out[64] = seal->y_parity;
}

enum status seal_row_decode(struct secp_signature *out, struct bytes row, struct err *err) {
	if (row.len != SEAL_ROW_BYTES || row.data[64] > 1) return corrupt(err, "seal");
	memcpy(out->r, row.data, 32);
	memcpy(out->s, row.data + 32, 32);
	out->y_parity = row.data[64];
	return STATUS_OK;
}

void time_row_encode(uint8_t out[TIME_ROW_BYTES], uint64_t time_ms) {
	store_be64(out, time_ms);
}

enum status time_row_decode(uint64_t *time_ms, struct bytes row, struct err *err) {
	if (row.len != TIME_ROW_BYTES) return corrupt(err, "time");
	*time_ms = load_be64(row.data);
	return STATUS_OK;
}

void tx_row_encode(uint8_t out[TX_ROW_BYTES], uint64_t number, uint32_t index) {
	store_be64(out, number);
	store_be32(out + 8, index);
}

enum status tx_row_decode(uint64_t *number, uint32_t *index, struct bytes row, struct err *err) {
	if (row.len != TX_ROW_BYTES) return corrupt(err, "transaction lookup");
	*number = load_be64(row.data);
	*index = load_be32(row.data + 8);
	return STATUS_OK;
}

static void put_be32(struct buf *out, uint32_t value) {
	uint8_t *at = buf_extend(out, 4);
	if (at != NULL) store_be32(at, value);
}

static void put_be64(struct buf *out, uint64_t value) {
	uint8_t *at = buf_extend(out, 8);
	if (at != NULL) store_be64(at, value);
}

/* --- groups: count u8, end offset u32 each, items --- */

struct group_key group_key(const struct block_key *block, size_t index) {
	struct group_key key;
	memcpy(key.b, block->b, sizeof block->b);
	store_be32(key.b + sizeof block->b, (uint32_t)(index - index % GROUP_ITEMS));
	return key;
}

void group_row_begin(struct buf *out, size_t count) {
	BUG_ON(count > GROUP_ITEMS);
	buf_clear(out);
	buf_byte(out, (uint8_t)count);
	buf_extend(out, 4 * count);
}

void group_row_end(struct buf *out, size_t item) {
	if (out->overflow) return;
	const size_t start = 1 + (size_t)4 * out->data[0];
	store_be32(out->data + 1 + 4 * item, (uint32_t)(out->len - start));
}

enum status group_row_count(size_t *count, struct bytes row, struct err *err) {
	*count = row.len > 0 ? row.data[0] : 0;
	if (*count == 0 || *count > GROUP_ITEMS || row.len - 1 < *count * 4) return corrupt(err, "group");
	return STATUS_OK;
}

enum status group_row_item(struct bytes *out, struct bytes row, size_t item, struct err *err) {
	size_t count;
	TRY(group_row_count(&count, row, err));
	if (item >= count) return err_set(err, STATUS_NOTFOUND, "the block has no item %zu in this group", item);
	const uint8_t *ends = row.data + 1;
	const size_t start = item == 0 ? 0 : load_be32(ends + 4 * (item - 1)), end = load_be32(ends + 4 * item);
	const struct bytes all = bytes_slice(row, 1 + 4 * count, row.len);
	if (start > end || end > all.len || (item + 1 == count && end != all.len)) return corrupt(err, "group");
	*out = bytes_slice(all, start, end - start);
	return STATUS_OK;
}

/* --- receipts --- */

enum { STATUS_IS_ROOT = 2, LOG_BYTES_MIN = 25 };

void receipt_item_encode(struct buf *out, const struct mined_receipt *mined) {
	const struct receipt *receipt = &mined->receipt;
	buf_append(out, BYTES_OF(mined->sender));
	put_be64(out, mined->gas_used);
	put_be32(out, mined->first_log);
	buf_byte(out, (uint8_t)receipt->type);
	buf_byte(out, receipt->has_root ? STATUS_IS_ROOT : receipt->success);
	if (receipt->has_root) buf_append(out, BYTES_OF(receipt->root));
	put_be64(out, receipt->cumulative_gas);
	put_be32(out, (uint32_t)receipt->log_count);
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct log *log = &receipt->logs[i];
		buf_append(out, BYTES_OF(log->address));
		buf_byte(out, log->topic_count);
		for (size_t k = 0; k < log->topic_count; k++) buf_append(out, BYTES_OF(log->topics[k]));
		put_be32(out, (uint32_t)log->data.len);
		buf_append(out, log->data);
	}
}

/* Reads that fail stickily. */
struct reader {
	struct bytes left;
	bool failed;
};

static const uint8_t *read_bytes(struct reader *reader, size_t len) {
	static const uint8_t zeros[32];
	if (reader->failed || reader->left.len < len) {
		reader->failed = true;
		return zeros; /* enough for what has a fixed size */
	}
	const uint8_t *at = reader->left.data;
	reader->left = bytes_slice(reader->left, len, reader->left.len);
	return at;
}

static void read_log(struct reader *reader, struct log *log) {
	memcpy(log->address.b, read_bytes(reader, 20), 20);
	log->topic_count = *read_bytes(reader, 1);
	if (log->topic_count > 4) {
		reader->failed = true;
		log->topic_count = 0;
	}
	for (size_t i = 0; i < log->topic_count; i++) memcpy(log->topics[i].b, read_bytes(reader, 32), 32);
	const uint32_t len = load_be32(read_bytes(reader, 4));
	const uint8_t *data = read_bytes(reader, len);
	log->data = reader->failed ? (struct bytes){0} : bytes_make(data, len);
}

/* What stands before a receipt's logs. */
static void read_head(struct reader *reader, struct mined_receipt *mined) {
	struct receipt *receipt = &mined->receipt;
	*mined = (struct mined_receipt){0};
	memcpy(mined->sender.b, read_bytes(reader, 20), 20);
	mined->gas_used = load_be64(read_bytes(reader, 8));
	mined->first_log = load_be32(read_bytes(reader, 4));
	receipt->type = (enum tx_type) * read_bytes(reader, 1);
	const uint8_t status = *read_bytes(reader, 1);
	if (receipt->type > TX_SET_CODE || status > STATUS_IS_ROOT) reader->failed = true;
	receipt->has_root = status == STATUS_IS_ROOT;
	receipt->success = status == 1;
	if (receipt->has_root) memcpy(receipt->root.b, read_bytes(reader, 32), 32);
	receipt->cumulative_gas = load_be64(read_bytes(reader, 8));
	receipt->log_count = load_be32(read_bytes(reader, 4));
	if (receipt->log_count > reader->left.len / LOG_BYTES_MIN) reader->failed = true;
}

enum status receipt_item_decode(
    struct mined_receipt *out, struct arena *arena, struct bytes item, bool with_bloom, struct err *err) {
	struct reader reader = {.left = item};
	struct receipt *receipt = &out->receipt;
	read_head(&reader, out);
	if (reader.failed) return corrupt(err, "receipts");
	receipt->logs = arena_zalloc(arena, receipt->log_count, sizeof *receipt->logs);
	for (size_t i = 0; i < receipt->log_count; i++) {
		read_log(&reader, &receipt->logs[i]);
		if (with_bloom) bloom_add_log(receipt->bloom, &receipt->logs[i]);
	}
	return reader.failed || reader.left.len != 0 ? corrupt(err, "receipts") : STATUS_OK;
}

/* --- bodies --- */

void body_row_encode(struct buf *out, const struct block *block, const u256 *total_difficulty) {
	uint8_t room[32];
	const struct bytes difficulty = u256_trimmed_be(room, total_difficulty);
	struct block rest = *block;
	rest.transaction_count = 0;
	put_be32(out, (uint32_t)block->transaction_count);
	buf_byte(out, (uint8_t)difficulty.len);
	buf_append(out, difficulty);
	block_body_encode(out, &rest);
}

enum status body_row_decode(struct body_row *out, struct bytes row, struct err *err) {
	struct reader reader = {.left = row};
	out->transaction_count = load_be32(read_bytes(&reader, 4));
	const uint8_t len = *read_bytes(&reader, 1);
	if (len > 32) return corrupt(err, "body");
	out->total_difficulty = u256_from_be(bytes_make(read_bytes(&reader, len), len));
	out->rlp = reader.left;
	return reader.failed ? corrupt(err, "body") : STATUS_OK;
}
