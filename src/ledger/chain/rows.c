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

/* --- receipts --- */

enum { STATUS_IS_ROOT = 2 };

static void put_be32(struct buf *out, uint32_t value) {
	uint8_t *at = buf_extend(out, 4);
	if (at != NULL) store_be32(at, value);
}

static void put_be64(struct buf *out, uint64_t value) {
	uint8_t *at = buf_extend(out, 8);
	if (at != NULL) store_be64(at, value);
}

static void put_receipt(struct buf *out, const struct receipt *receipt) {
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

void receipts_row_encode(struct buf *out, const struct receipt *receipts, size_t count) {
	put_be32(out, (uint32_t)count);
	const size_t ends = out->len, start = ends + 4 * count;
	buf_extend(out, 4 * count);
	for (size_t i = 0; i < count; i++) {
		put_receipt(out, &receipts[i]);
		if (!out->overflow) store_be32(out->data + ends + 4 * i, (uint32_t)(out->len - start));
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
static void read_receipt_head(struct reader *reader, struct receipt *receipt) {
	*receipt = (struct receipt){.type = (enum tx_type) * read_bytes(reader, 1)};
	const uint8_t status = *read_bytes(reader, 1);
	if (receipt->type > TX_SET_CODE || status > STATUS_IS_ROOT) reader->failed = true;
	receipt->has_root = status == STATUS_IS_ROOT;
	receipt->success = status == 1;
	if (receipt->has_root) memcpy(receipt->root.b, read_bytes(reader, 32), 32);
	receipt->cumulative_gas = load_be64(read_bytes(reader, 8));
	receipt->log_count = load_be32(read_bytes(reader, 4));
}

enum status receipts_row_count(size_t *count, struct bytes row, struct err *err) {
	if (row.len < 4) return corrupt(err, "receipts");
	*count = load_be32(row.data);
	if (row.len - 4 < *count * 4) return corrupt(err, "receipts");
	return STATUS_OK;
}

/* The bytes of receipt `index`, which is there. */
static enum status find_receipt(struct reader *reader, struct bytes row, size_t count, size_t index, struct err *err) {
	const uint8_t *ends = row.data + 4;
	const size_t start = index == 0 ? 0 : load_be32(ends + 4 * (index - 1)), end = load_be32(ends + 4 * index);
	const struct bytes all = bytes_slice(row, 4 + 4 * count, row.len);
	if (start > end || end > all.len) return corrupt(err, "receipts");
	*reader = (struct reader){.left = bytes_slice(all, start, end - start)};
	return STATUS_OK;
}

enum status receipts_row_get(
    struct receipt *out, struct arena *arena, struct bytes row, size_t index, struct err *err) {
	size_t count;
	struct reader reader;
	TRY(receipts_row_count(&count, row, err));
	if (index >= count) return err_set(err, STATUS_NOTFOUND, "the block has no receipt %zu", index);
	TRY(find_receipt(&reader, row, count, index, err));
	read_receipt_head(&reader, out);
	if (out->log_count > reader.left.len / 25) return corrupt(err, "receipts"); /* a log has 25 bytes at least */
	out->logs = arena_zalloc(arena, out->log_count, sizeof *out->logs);
	for (size_t i = 0; i < out->log_count; i++) {
		read_log(&reader, &out->logs[i]);
		bloom_add_log(out->bloom, &out->logs[i]);
	}
	return reader.failed || reader.left.len != 0 ? corrupt(err, "receipts") : STATUS_OK;
}

enum status receipts_row_before(uint64_t *logs, uint64_t *gas, struct bytes row, size_t index, struct err *err) {
	size_t count;
	TRY(receipts_row_count(&count, row, err));
	*logs = *gas = 0;
	for (size_t i = 0; i < index && i < count; i++) {
		struct reader reader;
		struct receipt head;
		TRY(find_receipt(&reader, row, count, i, err));
		read_receipt_head(&reader, &head);
		if (reader.failed) return corrupt(err, "receipts");
		*logs += head.log_count;
		*gas = head.cumulative_gas;
	}
	return STATUS_OK;
}
