#include "ledger/chain/log_index.h"

#include <stdlib.h>

struct log_posting {
	uint64_t fingerprint;
	uint32_t tx;
};

/* --- fingerprints --- */

enum { ADDRESS_PLACE = 4, POSTINGS_MIN = 64 };

/* Multiplies and folds word by word: topics may be hashes, padded addresses, small numbers or short texts. */
static uint64_t fingerprint(const uint8_t word[32], uint64_t place) {
	uint64_t mixed = (place + 1) * 0xd6e8feb86659fd93;
	for (size_t i = 0; i < 32; i += 8) {
		mixed = (mixed ^ load_be64(word + i)) * 0x9e3779b97f4a7c15;
		mixed ^= mixed >> 32;
	}
	return mixed;
}

uint64_t log_index_address(const addr20 *address) {
	uint8_t word[32] = {0};
	memcpy(word + 12, address->b, 20);
	return fingerprint(word, ADDRESS_PLACE);
}

uint64_t log_index_topic(const hash32 *topic, size_t place) {
	return fingerprint(topic->b, place);
}

struct log_index_key log_index_key(uint64_t fingerprint, uint64_t number) {
	struct log_index_key key;
	store_be64(key.b, fingerprint);
	store_be64(key.b + 8, number);
	return key;
}

/* --- collecting --- */

void log_index_init(struct log_index *index) {
	*index = (struct log_index){0};
}

void log_index_fini(struct log_index *index) {
	mem_free(index->postings);
}

static void add_posting(struct log_index *index, uint64_t fingerprint, uint32_t tx) {
	if (index->count == index->room) {
		index->room = index->room == 0 ? POSTINGS_MIN : 2 * index->room;
		index->postings = mem_realloc(index->postings, index->room * sizeof *index->postings);
	}
	index->postings[index->count++] = (struct log_posting){.fingerprint = fingerprint, .tx = tx};
}

void log_index_add(struct log_index *index, uint32_t tx, const struct receipt *receipt) {
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct log *log = &receipt->logs[i];
		add_posting(index, log_index_address(&log->address), tx);
		for (size_t place = 0; place < log->topic_count; place++)
			add_posting(index, log_index_topic(&log->topics[place], place), tx);
	}
}

static int compare_postings(const void *a, const void *b) {
	const struct log_posting *left = a, *right = b;
	if (left->fingerprint != right->fingerprint) return left->fingerprint < right->fingerprint ? -1 : 1;
	return left->tx < right->tx ? -1 : left->tx > right->tx;
}

static void sort(struct log_index *index) {
	if (index->count > 1) qsort(index->postings, index->count, sizeof *index->postings, compare_postings);
}

/* --- rows: transactions as differences, in base 128, low digits first; a digit's high bit: more follow --- */

static void put_varint(struct buf *out, uint32_t value) {
	for (; value >= 0x80; value >>= 7) buf_byte(out, (uint8_t)(value | 0x80));
	buf_byte(out, (uint8_t)value);
}

/* The row that begins at posting `*at`, which moves to the next one's first. */
static void make_row(struct buf *row, const struct log_index *index, size_t *at) {
	const uint64_t fingerprint = index->postings[*at].fingerprint;
	uint32_t next = 0;
	buf_clear(row);
	for (; *at < index->count && index->postings[*at].fingerprint == fingerprint; ++*at) {
		const uint32_t tx = index->postings[*at].tx;
		if (tx < next) continue; /* the same again */
		put_varint(row, tx - next);
		next = tx + 1;
	}
}

void log_index_write(
    struct log_index *index, struct store_batch *batch, struct store *store, uint64_t number, bool put) {
	struct buf row;
	buf_init(&row, BUF_MAX_DEFAULT);
	sort(index);
	for (size_t at = 0; at < index->count;) {
		const struct log_index_key key = log_index_key(index->postings[at].fingerprint, number);
		make_row(&row, index, &at);
		if (put)
			store_batch_put(batch, store, TABLE_LOG_INDEX, BYTES_OF(key), buf_view(&row));
		else
			store_batch_del(batch, store, TABLE_LOG_INDEX, BYTES_OF(key));
	}
	buf_fini(&row);
}

enum status log_index_check(
    struct log_index *index, uint64_t *rows, struct store *store, uint64_t number, struct err *err) {
	struct buf row;
	enum status status = STATUS_OK;
	buf_init(&row, BUF_MAX_DEFAULT);
	sort(index);
	*rows = 0;
	for (size_t at = 0; at < index->count && status == STATUS_OK; ++*rows) {
		struct store_value stored;
		const struct log_index_key key = log_index_key(index->postings[at].fingerprint, number);
		make_row(&row, index, &at);
		status = store_get(store, NULL, TABLE_LOG_INDEX, &stored, BYTES_OF(key), err);
		if (status == STATUS_OK && !bytes_equal(stored.view, buf_view(&row)))
			status = err_set(err, STATUS_CORRUPT, "the index of its logs differs from its receipts");
		store_value_release(&stored);
	}
	buf_fini(&row);
	return status;
}

struct log_index_reader log_index_reader(struct bytes row) {
	return (struct log_index_reader){.left = row, .failed = row.len == 0};
}

bool log_index_next(struct log_index_reader *reader, uint32_t *tx) {
	uint64_t value = 0;
	if (reader->failed || reader->left.len == 0) return false;
	for (unsigned shift = 0;; shift += 7) {
		if (reader->left.len == 0 || shift > 28) {
			reader->failed = true;
			return false;
		}
		const uint8_t digit = reader->left.data[0];
		reader->left = bytes_slice(reader->left, 1, reader->left.len);
		value |= (uint64_t)(digit & 0x7f) << shift;
		if (digit < 0x80) break;
	}
	reader->failed = reader->next + value > UINT32_MAX;
	*tx = (uint32_t)(reader->next + value);
	reader->next += value + 1;
	return !reader->failed;
}
