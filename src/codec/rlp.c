#include "codec/rlp.h"

struct rlp_item {
	bool is_list;
	struct bytes payload;
};

struct rlp_cursor rlp_cursor(struct bytes items) {
	static const uint8_t nothing;
	const uint8_t *at = items.data ? items.data : &nothing;
	return (struct rlp_cursor){.at = at, .end = at + items.len};
}

bool rlp_at_end(const struct rlp_cursor *cursor) {
	return cursor->at == cursor->end;
}

bool rlp_next_is_list(const struct rlp_cursor *cursor) {
	return cursor->at < cursor->end && *cursor->at >= 0xc0;
}

void rlp_fail(struct rlp_cursor *cursor, const char *fault) {
	if (!cursor->fault) cursor->fault = fault;
	cursor->at = cursor->end;
}

/* The big-endian length behind a long header. */
static bool long_length(struct rlp_cursor *cursor, size_t *len, unsigned width) {
	uint64_t value = 0;
	if ((size_t)(cursor->end - cursor->at) < width) {
		rlp_fail(cursor, "item is cut off");
		return false;
	}
	for (unsigned i = 0; i < width; i++) value = value << 8 | cursor->at[i];
	if (cursor->at[0] == 0 || value < 56) {
		rlp_fail(cursor, "length is not in its shortest form");
		return false;
	}
	cursor->at += width;
	*len = value;
	return true;
}

/* Steps over the next item; on a fault the item is an empty string. */
static struct rlp_item next_item(struct rlp_cursor *cursor) {
	struct rlp_item none = {false, {cursor->end, 0}};
	if (cursor->at == cursor->end) {
		rlp_fail(cursor, "item is missing");
		return none;
	}
	uint8_t first = *cursor->at;
	if (first < 0x80) return (struct rlp_item){false, {cursor->at++, 1}};
	bool is_list = first >= 0xc0;
	size_t len = first - (is_list ? 0xc0u : 0x80u);
	cursor->at++;
	if (len > 55 && !long_length(cursor, &len, (unsigned)len - 55)) return none;
	if (len > (size_t)(cursor->end - cursor->at)) {
		rlp_fail(cursor, "item is cut off");
		return none;
	}
	if (!is_list && len == 1 && *cursor->at < 0x80) {
		rlp_fail(cursor, "byte is not in its shortest form");
		return none;
	}
	struct rlp_item item = {is_list, {cursor->at, len}};
	cursor->at += len;
	return item;
}

struct bytes rlp_string(struct rlp_cursor *cursor) {
	struct rlp_item item = next_item(cursor);
	if (!item.is_list) return item.payload;
	rlp_fail(cursor, "list where a string belongs");
	return (struct bytes){cursor->end, 0};
}

struct rlp_cursor rlp_enter(struct rlp_cursor *cursor) {
	struct rlp_item item = next_item(cursor);
	if (item.is_list) return rlp_cursor(item.payload);
	rlp_fail(cursor, "string where a list belongs");
	return (struct rlp_cursor){cursor->end, cursor->end, cursor->fault};
}

void rlp_leave(struct rlp_cursor *parent, const struct rlp_cursor *child) {
	if (child->fault)
		rlp_fail(parent, child->fault);
	else if (child->at != child->end)
		rlp_fail(parent, "list has too many items");
}

struct bytes rlp_raw(struct rlp_cursor *cursor) {
	const uint8_t *from = cursor->at;
	next_item(cursor);
	return cursor->fault ? (struct bytes){cursor->end, 0} : bytes_make(from, (size_t)(cursor->at - from));
}

void rlp_fixed(struct rlp_cursor *cursor, uint8_t *out, size_t len) {
	struct bytes payload = rlp_string(cursor);
	if (!cursor->fault && payload.len == len) {
		memcpy(out, payload.data, len);
		return;
	}
	rlp_fail(cursor, "string has the wrong length");
	memset(out, 0, len);
}

/* The payload of a number of at most `width` bytes; empty on a fault. */
static struct bytes number(struct rlp_cursor *cursor, size_t width) {
	struct bytes payload = rlp_string(cursor);
	if (payload.len > width)
		rlp_fail(cursor, "number is too large");
	else if (payload.len && payload.data[0] == 0)
		rlp_fail(cursor, "number has a leading zero");
	return cursor->fault ? (struct bytes){cursor->end, 0} : payload;
}

uint64_t rlp_u64(struct rlp_cursor *cursor) {
	struct bytes payload = number(cursor, 8);
	uint64_t value = 0;
	for (size_t i = 0; i < payload.len; i++) value = value << 8 | payload.data[i];
	return value;
}

void rlp_u256(struct rlp_cursor *cursor, uint8_t out[32]) {
	struct bytes payload = number(cursor, 32);
	memset(out, 0, 32);
	memcpy(out + 32 - payload.len, payload.data, payload.len);
}

enum status rlp_finish(const struct rlp_cursor *cursor, struct err *err) {
	if (cursor->fault) return err_set(err, STATUS_INVALID, "RLP: %s", cursor->fault);
	if (cursor->at != cursor->end)
		return err_set(err, STATUS_INVALID, "RLP: %zu bytes are left over", (size_t)(cursor->end - cursor->at));
	return STATUS_OK;
}

#define RLP_CHECK_DEPTH 1024

enum status rlp_check(struct bytes item, struct err *err) {
	const uint8_t *ends[RLP_CHECK_DEPTH]; /* of the lists that the cursor is in */
	size_t depth = 0;
	struct rlp_cursor cursor = rlp_cursor(item);
	const uint8_t *item_end = cursor.end;
	bool is_first = true;
	while (!cursor.fault) {
		while (depth && cursor.at == cursor.end) cursor.end = --depth ? ends[depth - 1] : item_end;
		if (depth == 0 && !is_first) break;
		is_first = false;
		struct rlp_item child = next_item(&cursor);
		if (!child.is_list) continue;
		if (depth == RLP_CHECK_DEPTH) return err_set(err, STATUS_INVALID, "RLP: lists are nested too deeply");
		cursor.at = child.payload.data;
		cursor.end = ends[depth++] = child.payload.data + child.payload.len;
	}
	return rlp_finish(&cursor, err);
}

/* Writes a header for `len` payload bytes of a string (0x80) or list (0xc0); returns its size. */
static size_t write_header(uint8_t out[9], size_t len, uint8_t base) {
	if (len < 56) {
		out[0] = (uint8_t)(base + len);
		return 1;
	}
	uint8_t be[8];
	store_be64(be, len);
	unsigned width = 8 - (unsigned)__builtin_clzll(len) / 8;
	out[0] = (uint8_t)(base + 55 + width);
	memcpy(out + 1, be + 8 - width, width);
	return 1 + width;
}

void rlp_put_string(struct buf *out, struct bytes payload) {
	if (payload.len != 1 || payload.data[0] >= 0x80) {
		uint8_t header[9];
		buf_append(out, bytes_make(header, write_header(header, payload.len, 0x80)));
	}
	buf_append(out, payload);
}

void rlp_put_uint(struct buf *out, struct bytes big_endian) {
	size_t zeros = 0;
	while (zeros < big_endian.len && big_endian.data[zeros] == 0) zeros++;
	rlp_put_string(out, bytes_slice(big_endian, zeros, big_endian.len - zeros));
}

void rlp_put_u64(struct buf *out, uint64_t value) {
	uint8_t be[8];
	store_be64(be, value);
	rlp_put_uint(out, bytes_make(be, 8));
}

size_t rlp_list_begin(struct buf *out) {
	return out->len;
}

void rlp_list_end(struct buf *out, size_t mark) {
	uint8_t header[9];
	size_t payload_len = out->len - mark;
	size_t header_len = write_header(header, payload_len, 0xc0);
	if (!buf_extend(out, header_len)) return;
	memmove(out->data + mark + header_len, out->data + mark, payload_len);
	memcpy(out->data + mark, header, header_len);
}

size_t rlp_header_size(size_t payload_len) {
	return payload_len < 56 ? 1 : 9 - (size_t)__builtin_clzll(payload_len) / 8;
}

size_t rlp_string_size(struct bytes payload) {
	if (payload.len == 1 && payload.data[0] < 0x80) return 1;
	return rlp_header_size(payload.len) + payload.len;
}

void rlp_put_list_header(struct buf *out, size_t payload_len) {
	uint8_t header[9];
	buf_append(out, bytes_make(header, write_header(header, payload_len, 0xc0)));
}
