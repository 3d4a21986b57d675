#include "codec/protobuf.h"

#define NUMBER_MAX ((UINT64_C(1) << 29) - 1)
#define VARINT_BYTES_MAX 10u

struct protobuf_cursor protobuf_cursor(struct bytes message) {
	static const uint8_t nothing;
	const uint8_t *at = message.data ? message.data : &nothing;
	return (struct protobuf_cursor){.at = at, .end = at + message.len};
}

void protobuf_fail(struct protobuf_cursor *cursor, const char *fault) {
	if (!cursor->fault) cursor->fault = fault;
	cursor->at = cursor->end;
}

bool protobuf_uvarint(uint64_t *out, struct bytes *rest) {
	uint64_t value = 0;
	for (size_t i = 0; i < rest->len && i < VARINT_BYTES_MAX; i++) {
		const uint8_t byte = rest->data[i];
		if (i == VARINT_BYTES_MAX - 1 && byte > 1) return false;
		value |= (uint64_t)(byte & 0x7f) << 7 * i;
		if (byte & 0x80) continue;
		*out = value;
		*rest = bytes_make(rest->data + i + 1, rest->len - i - 1);
		return true;
	}
	return false;
}

static struct bytes rest_of(const struct protobuf_cursor *cursor) {
	return bytes_make(cursor->at, (size_t)(cursor->end - cursor->at));
}

static bool take_varint(struct protobuf_cursor *cursor, uint64_t *out) {
	struct bytes rest = rest_of(cursor);
	if (!protobuf_uvarint(out, &rest)) {
		protobuf_fail(cursor, "a varint is cut off or has more than 64 bits");
		return false;
	}
	cursor->at = rest.data;
	return true;
}

/* `len` bytes. */
static bool take(struct protobuf_cursor *cursor, struct bytes *out, uint64_t len) {
	if (len > (size_t)(cursor->end - cursor->at)) {
		protobuf_fail(cursor, "a field is cut off");
		return false;
	}
	*out = bytes_make(cursor->at, (size_t)len);
	cursor->at += len;
	return true;
}

/* A number of `len` bytes, little-endian. */
static bool take_fixed(struct protobuf_cursor *cursor, uint64_t *out, size_t len) {
	struct bytes bytes;
	if (!take(cursor, &bytes, len)) return false;
	for (size_t i = 0; i < len; i++) *out |= (uint64_t)bytes.data[i] << 8 * i;
	return true;
}

static bool take_value(struct protobuf_cursor *cursor, struct protobuf_field *out, unsigned type) {
	uint64_t len;
	switch (type) {
	case PROTOBUF_VARINT: return take_varint(cursor, &out->value);
	case PROTOBUF_FIXED64: return take_fixed(cursor, &out->value, 8);
	case PROTOBUF_BYTES: return take_varint(cursor, &len) && take(cursor, &out->bytes, len);
	case PROTOBUF_FIXED32: return take_fixed(cursor, &out->value, 4);
	}
	protobuf_fail(cursor, "a field is a group, or of no known type");
	return false;
}

bool protobuf_next(struct protobuf_cursor *cursor, struct protobuf_field *out) {
	uint64_t tag;
	*out = (struct protobuf_field){0};
	if (cursor->at == cursor->end || !take_varint(cursor, &tag)) return false;
	if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX) {
		protobuf_fail(cursor, "a field's number is 0 or too large");
		return false;
	}
	out->number = (uint32_t)(tag >> 3);
	out->type = (enum protobuf_type)(tag & 7);
	return take_value(cursor, out, tag & 7);
}

static bool is_type(struct protobuf_cursor *cursor, const struct protobuf_field *field, enum protobuf_type type) {
	if (field->type == type) return true;
	protobuf_fail(cursor, "a field is of another type than it must be");
	return false;
}

uint64_t protobuf_u64(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	return is_type(cursor, field, PROTOBUF_VARINT) ? field->value : 0;
}

int64_t protobuf_i64(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	return (int64_t)protobuf_u64(cursor, field);
}

uint64_t protobuf_fixed64(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	return is_type(cursor, field, PROTOBUF_FIXED64) ? field->value : 0;
}

struct bytes protobuf_bytes(struct protobuf_cursor *cursor, const struct protobuf_field *field) {
	return is_type(cursor, field, PROTOBUF_BYTES) ? field->bytes : bytes_make(cursor->end, 0);
}

enum status protobuf_finish(const struct protobuf_cursor *cursor, struct err *err) {
	if (cursor->fault) return err_set(err, STATUS_INVALID, "protobuf: %s", cursor->fault);
	if (cursor->at != cursor->end) return err_set(err, STATUS_INVALID, "protobuf: fields were not read");
	return STATUS_OK;
}

/* --- writing --- */

static size_t varint_encode(uint8_t out[VARINT_BYTES_MAX], uint64_t value) {
	size_t len = 0;
	for (; value >= 0x80; value >>= 7) out[len++] = (uint8_t)(value | 0x80);
	out[len++] = (uint8_t)value;
	return len;
}

void protobuf_put_uvarint(struct buf *out, uint64_t value) {
	uint8_t bytes[VARINT_BYTES_MAX];
	buf_append(out, bytes_make(bytes, varint_encode(bytes, value)));
}

static void put_tag(struct buf *out, uint32_t number, enum protobuf_type type) {
	BUG_ON(number == 0 || number > NUMBER_MAX);
	protobuf_put_uvarint(out, (uint64_t)number << 3 | type);
}

void protobuf_put_u64(struct buf *out, uint32_t number, uint64_t value) {
	if (value == 0) return;
	put_tag(out, number, PROTOBUF_VARINT);
	protobuf_put_uvarint(out, value);
}

void protobuf_put_i64(struct buf *out, uint32_t number, int64_t value) {
	protobuf_put_u64(out, number, (uint64_t)value);
}

void protobuf_put_fixed64(struct buf *out, uint32_t number, uint64_t value) {
	if (value == 0) return;
	put_tag(out, number, PROTOBUF_FIXED64);
	for (unsigned i = 0; i < 8; i++) buf_byte(out, (uint8_t)(value >> 8 * i));
}

void protobuf_put_message(struct buf *out, uint32_t number, struct bytes message) {
	put_tag(out, number, PROTOBUF_BYTES);
	protobuf_put_uvarint(out, message.len);
	buf_append(out, message);
}

void protobuf_put_bytes(struct buf *out, uint32_t number, struct bytes value) {
	if (value.len) protobuf_put_message(out, number, value);
}

size_t protobuf_begin(struct buf *out, uint32_t number) {
	put_tag(out, number, PROTOBUF_BYTES);
	return out->len;
}

/* Its length goes before it, so it moves by as many bytes as that needs. */
void protobuf_end(struct buf *out, size_t mark) {
	uint8_t header[VARINT_BYTES_MAX];
	if (out->overflow) return;
	const size_t len = out->len - mark, header_len = varint_encode(header, len);
	if (!buf_extend(out, header_len)) return;
	memmove(out->data + mark + header_len, out->data + mark, len);
	memcpy(out->data + mark, header, header_len);
}
