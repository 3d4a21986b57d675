#include "codec/hex.h"

/* 0x10 + its value for a digit of either case, 0 for any other byte. */
static const uint8_t hex_digit[256] = {['0'] = 0x10,
    ['1'] = 0x11,
    ['2'] = 0x12,
    ['3'] = 0x13,
    ['4'] = 0x14,
    ['5'] = 0x15,
    ['6'] = 0x16,
    ['7'] = 0x17,
    ['8'] = 0x18,
    ['9'] = 0x19,
    ['a'] = 0x1a,
    ['b'] = 0x1b,
    ['c'] = 0x1c,
    ['d'] = 0x1d,
    ['e'] = 0x1e,
    ['f'] = 0x1f,
    ['A'] = 0x1a,
    ['B'] = 0x1b,
    ['C'] = 0x1c,
    ['D'] = 0x1d,
    ['E'] = 0x1e,
    ['F'] = 0x1f};

static const char hex_text[] = "0123456789abcdef";
static const char base64url_text[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_text[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* By arithmetic, which the compiler turns into vectors: answers are hexadecimal for the most part. */
static uint8_t hex_char(uint8_t nibble) {
	return (uint8_t)(nibble + '0' + (nibble > 9 ? 'a' - '0' - 10 : 0));
}

void hex_put(struct buf *out, struct bytes data, bool prefix) {
	if (data.len > out->max / 2) {
		out->overflow = true;
		return;
	}
	if (prefix) buf_append(out, BYTES_LITERAL("0x"));
	uint8_t *restrict to = buf_extend(out, 2 * data.len);
	if (!to) return;
	for (size_t i = 0; i < data.len; i++) {
		to[2 * i] = hex_char(data.data[i] >> 4);
		to[2 * i + 1] = hex_char(data.data[i] & 15);
	}
}

void hex_put_quantity(struct buf *out, uint64_t value) {
	uint8_t text[18];
	size_t at = sizeof text;
	do {
		text[--at] = (uint8_t)hex_text[value & 15];
		value >>= 4;
	} while (value);
	text[--at] = 'x';
	text[--at] = '0';
	buf_append(out, bytes_make(text + at, sizeof text - at));
}

void hex_put_quantity_be(struct buf *out, struct bytes big_endian) {
	while (big_endian.len && big_endian.data[0] == 0) big_endian = bytes_slice(big_endian, 1, big_endian.len - 1);
	buf_append(out, BYTES_LITERAL("0x"));
	if (big_endian.len == 0 || big_endian.data[0] < 16) {
		buf_byte(out, (uint8_t)hex_text[big_endian.len ? big_endian.data[0] : 0]);
		if (big_endian.len) big_endian = bytes_slice(big_endian, 1, big_endian.len - 1);
	}
	hex_put(out, big_endian, false);
}

static bool has_prefix(struct bytes text) {
	return text.len >= 2 && text.data[0] == '0' && text.data[1] == 'x';
}

/* 2 * len digits at `text`. */
static bool hex_decode(uint8_t *out, size_t len, const uint8_t *text) {
	uint8_t all = 0x10;
	for (size_t i = 0; i < len; i++) {
		uint8_t high = hex_digit[text[2 * i]], low = hex_digit[text[2 * i + 1]];
		all &= high & low;
		out[i] = (uint8_t)(high << 4 | (low & 15));
	}
	return all != 0;
}

enum status hex_data(struct buf *out, struct bytes text) {
	if (!has_prefix(text) || text.len % 2) return STATUS_INVALID;
	size_t before = out->len, len = text.len / 2 - 1;
	uint8_t *to = buf_extend(out, len);
	if (!to) return STATUS_LIMIT;
	if (hex_decode(to, len, text.data + 2)) return STATUS_OK;
	out->len = before;
	return STATUS_INVALID;
}

enum status hex_fixed(uint8_t *out, size_t len, struct bytes text) {
	if (!has_prefix(text) || text.len % 2 || text.len / 2 - 1 != len) return STATUS_INVALID;
	return hex_decode(out, len, text.data + 2) ? STATUS_OK : STATUS_INVALID;
}

/* The digits behind "0x": at least one, none of them a leading zero but in "0x0". */
static bool quantity_digits(struct bytes *digits, struct bytes text, size_t digits_max) {
	if (!has_prefix(text) || text.len == 2 || text.len - 2 > digits_max) return false;
	*digits = bytes_slice(text, 2, text.len - 2);
	return digits->data[0] != '0' || digits->len == 1;
}

enum status hex_quantity(uint64_t *out, struct bytes text) {
	struct bytes digits;
	if (!quantity_digits(&digits, text, 16)) return STATUS_INVALID;
	uint64_t value = 0;
	for (size_t i = 0; i < digits.len; i++) {
		uint8_t digit = hex_digit[digits.data[i]];
		if (!digit) return STATUS_INVALID;
		value = value << 4 | (digit & 15);
	}
	*out = value;
	return STATUS_OK;
}

enum status hex_quantity256(uint8_t out[32], struct bytes text) {
	struct bytes digits;
	uint8_t padded[64];
	if (!quantity_digits(&digits, text, sizeof padded)) return STATUS_INVALID;
	memset(padded, '0', sizeof padded);
	memcpy(padded + sizeof padded - digits.len, digits.data, digits.len);
	return hex_decode(out, 32, padded) ? STATUS_OK : STATUS_INVALID;
}

static void put_base64(struct buf *out, struct bytes data, const char *digits) {
	const size_t whole = data.len / 3, rest = data.len % 3;
	uint8_t *restrict to = buf_extend(out, 4 * whole + (rest ? rest + 1 : 0));
	if (!to) return;
	const uint8_t *from = data.data;
	for (size_t i = 0; i < whole; i++, from += 3) {
		const uint32_t group = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
		for (unsigned d = 0; d < 4; d++) *to++ = (uint8_t)digits[group >> (18 - 6 * d) & 63];
	}
	if (!rest) return;
	const uint32_t group = (uint32_t)from[0] << 16 | (rest == 2 ? (uint32_t)from[1] << 8 : 0);
	for (unsigned d = 0; d <= rest; d++) *to++ = (uint8_t)digits[group >> (18 - 6 * d) & 63];
}

void base64url_put(struct buf *out, struct bytes data) {
	put_base64(out, data, base64url_text);
}

void base64_put(struct buf *out, struct bytes data) {
	put_base64(out, data, base64_text);
	for (size_t i = data.len % 3; i != 0 && i < 3; i++) buf_byte(out, '=');
}

static int base64url_digit(uint8_t c) {
	if (c >= 'A' && c <= 'Z') return c - 'A';
	if (c >= 'a' && c <= 'z') return c - 'a' + 26;
	if (c >= '0' && c <= '9') return c - '0' + 52;
	if (c == '-') return 62;
	return c == '_' ? 63 : -1;
}

static bool base64url_decode(uint8_t *to, struct bytes text) {
	uint32_t group = 0;
	unsigned bits = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = base64url_digit(text.data[i]);
		if (digit < 0) return false;
		group = group << 6 | (uint32_t)digit;
		bits += 6;
		if (bits < 8) continue;
		bits -= 8;
		*to++ = (uint8_t)(group >> bits);
	}
	return (group & ((1u << bits) - 1)) == 0;
}

enum status base64url_data(struct buf *out, struct bytes text) {
	if (text.len % 4 == 1) return STATUS_INVALID;
	size_t before = out->len;
	uint8_t *to = buf_extend(out, text.len / 4 * 3 + (text.len % 4) * 3 / 4);
	if (!to) return STATUS_LIMIT;
	if (base64url_decode(to, text)) return STATUS_OK;
	out->len = before;
	return STATUS_INVALID;
}

enum status base64_data(struct buf *out, struct bytes text) {
	struct buf url;
	size_t used = text.len;
	if (text.len % 4 != 0) return STATUS_INVALID;
	while (used > 0 && text.len - used < 2 && text.data[used - 1] == '=') used--;
	buf_init(&url, text.len + 1);
	enum status status = STATUS_OK;
	for (size_t i = 0; i < used && status == STATUS_OK; i++) {
		const uint8_t digit = text.data[i];
		if (digit == '-' || digit == '_') status = STATUS_INVALID;
		buf_byte(&url, digit == '+' ? '-' : digit == '/' ? '_' : digit);
	}
	if (status == STATUS_OK) status = base64url_data(out, buf_view(&url));
	buf_fini(&url);
	return status;
}
