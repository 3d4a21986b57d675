#include "eth/abi.h"

#include "crypto/hash.h"

#define WORD 32u

hash32 abi_topic(const char *signature) {
	return keccak256(bytes_text(signature));
}

void abi_put_selector(struct buf *out, const char *signature) {
	hash32 topic = abi_topic(signature);
	buf_append(out, bytes_make(topic.b, 4));
}

/* A word that holds `value` at its end (numbers) or its begin (fixed bytes). */
static void put_word(struct buf *out, struct bytes value, bool at_end) {
	uint8_t *word = buf_extend(out, WORD);
	if (!word) return;
	BUG_ON(value.len > WORD);
	memset(word, 0, WORD);
	if (value.len) memcpy(at_end ? word + WORD - value.len : word, value.data, value.len);
}

void abi_put_u64(struct buf *out, uint64_t value) {
	uint8_t be[8];
	store_be64(be, value);
	put_word(out, bytes_make(be, sizeof be), true);
}

void abi_put_u256(struct buf *out, const u256 *value) {
	uint8_t be[WORD];
	u256_store_be(be, value);
	put_word(out, bytes_make(be, sizeof be), true);
}

void abi_put_bool(struct buf *out, bool value) {
	abi_put_u64(out, value);
}

void abi_put_address(struct buf *out, const addr20 *address) {
	put_word(out, BYTES_OF(*address), true);
}

void abi_put_hash32(struct buf *out, const hash32 *hash) {
	put_word(out, BYTES_OF(*hash), true);
}

void abi_put_fixed(struct buf *out, struct bytes value) {
	put_word(out, value, false);
}

void abi_put_bytes(struct buf *out, struct bytes value) {
	static const uint8_t zeros[WORD];
	abi_put_u64(out, value.len);
	buf_append(out, value);
	buf_append(out, bytes_make(zeros, (WORD - value.len % WORD) % WORD));
}

void abi_put_bytes_array(struct buf *out, const struct bytes *values, size_t count) {
	abi_put_u64(out, count);
	struct abi_row row = abi_row_begin(out);
	for (size_t i = 0; i < count; i++) abi_reserve(out);
	for (size_t i = 0; i < count; i++) {
		abi_tail(&row, row.begin + WORD * i);
		abi_put_bytes(out, values[i]);
	}
}

struct abi_row abi_row_begin(struct buf *out) {
	return (struct abi_row){out, out->len};
}

size_t abi_reserve(struct buf *out) {
	size_t head = out->len;
	abi_put_u64(out, 0);
	return head;
}

void abi_tail(const struct abi_row *row, size_t head) {
	if (row->out->overflow) return;
	store_be64(row->out->data + head + WORD - 8, row->out->len - row->begin);
}

struct abi_reader abi_reader(struct bytes data) {
	return (struct abi_reader){.row = data};
}

static void fail(struct abi_reader *reader, const char *fault) {
	if (!reader->fault) reader->fault = fault;
	if (reader->root && !reader->root->fault) reader->root->fault = fault;
}

static void note(struct abi_reader *reader, const uint8_t *end, size_t len) {
	struct abi_reader *root = reader->root ? reader->root : reader;
	size_t offset = (size_t)(end - root->row.data);
	if (offset > root->end) root->end = offset;
	root->total += len;
}

/* The next head; a word of zeros after a fault. */
static const uint8_t *next_word(struct abi_reader *reader) {
	static const uint8_t zeros[WORD];
	if (reader->fault) return zeros;
	if (reader->row.len - reader->at < WORD) {
		fail(reader, "data is cut off");
		return zeros;
	}
	reader->at += WORD;
	note(reader, reader->row.data + reader->at, WORD);
	return reader->row.data + reader->at - WORD;
}

static bool is_zero(const uint8_t *data, size_t len) {
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++) any |= data[i];
	return any == 0;
}

uint64_t abi_u64(struct abi_reader *reader) {
	const uint8_t *word = next_word(reader);
	if (is_zero(word, WORD - 8)) return load_be64(word + WORD - 8);
	fail(reader, "number is over 64 bits");
	return 0;
}

uint64_t abi_uint(struct abi_reader *reader, unsigned bits) {
	BUG_ON(bits == 0 || bits > 64);
	uint64_t value = abi_u64(reader);
	if (bits == 64 || value >> bits == 0) return value;
	fail(reader, "number is over its type's range");
	return 0;
}

unsigned abi_enum(struct abi_reader *reader, unsigned count) {
	uint64_t value = abi_u64(reader);
	if (value < count) return (unsigned)value;
	fail(reader, "number is no member of its enum");
	return 0;
}

u256 abi_u256(struct abi_reader *reader) {
	return u256_load_be(next_word(reader));
}

bool abi_bool(struct abi_reader *reader) {
	uint64_t value = abi_u64(reader);
	if (value > 1) fail(reader, "bool is neither 0 nor 1");
	return value == 1;
}

addr20 abi_address(struct abi_reader *reader) {
	addr20 address = {0};
	const uint8_t *word = next_word(reader);
	if (is_zero(word, WORD - 20))
		memcpy(address.b, word + WORD - 20, 20);
	else
		fail(reader, "address has high bits set");
	return address;
}

hash32 abi_hash32(struct abi_reader *reader) {
	hash32 hash;
	memcpy(hash.b, next_word(reader), WORD);
	return hash;
}

void abi_fixed(struct abi_reader *reader, uint8_t *out, size_t len) {
	const uint8_t *word = next_word(reader);
	BUG_ON(len > WORD);
	memset(out, 0, len);
	if (is_zero(word + len, WORD - len))
		memcpy(out, word, len);
	else
		fail(reader, "fixed bytes have padding that is not zero");
}

struct abi_reader abi_tuple(struct abi_reader *reader) {
	uint64_t offset = abi_u64(reader);
	struct abi_reader child = {.fault = reader->fault, .root = reader->root ? reader->root : reader};
	if (child.fault) return child;
	if (offset % WORD || offset < reader->at || offset > reader->row.len) {
		fail(reader, "offset is out of place");
		child.fault = reader->fault;
		return child;
	}
	child.row = bytes_slice(reader->row, offset, reader->row.len - offset);
	return child;
}

struct abi_reader abi_array(struct abi_reader *reader, size_t *count) {
	struct abi_reader array = abi_tuple(reader);
	*count = abi_u64(&array);
	array.row = bytes_slice(array.row, array.at, array.row.len);
	array.at = 0;
	if (*count <= array.row.len / WORD) return array;
	fail(&array, "array is longer than the data");
	*count = 0;
	return array;
}

struct bytes abi_bytes(struct abi_reader *reader) {
	struct abi_reader tail = abi_tuple(reader);
	uint64_t len = abi_u64(&tail);
	if (tail.fault) return (struct bytes){0};
	struct bytes rest = bytes_slice(tail.row, tail.at, tail.row.len);
	size_t padding = (WORD - len % WORD) % WORD;
	if (len > rest.len || padding > rest.len - len) {
		fail(&tail, "bytes are cut off");
	} else if (!is_zero(rest.data + len, padding)) {
		fail(&tail, "bytes have padding that is not zero");
	} else {
		note(&tail, rest.data + len + padding, len + padding);
	}
	return tail.fault ? (struct bytes){0} : bytes_slice(rest, 0, len);
}

enum status abi_finish(const struct abi_reader *reader, struct err *err) {
	return reader->fault ? err_set(err, STATUS_INVALID, "ABI: %s", reader->fault) : STATUS_OK;
}

enum status abi_finish_whole(const struct abi_reader *reader, struct err *err) {
	TRY(abi_finish(reader, err));
	if (reader->end == reader->row.len && reader->total == reader->row.len) return STATUS_OK;
	return err_set(err, STATUS_INVALID, "ABI: data holds more than its values");
}

hash32 abi_topic_of_address(const addr20 *address) {
	hash32 topic = {{0}};
	memcpy(topic.b + 12, address->b, 20);
	return topic;
}

hash32 abi_topic_of_u64(uint64_t value) {
	hash32 topic = {{0}};
	store_be64(topic.b + 24, value);
	return topic;
}
