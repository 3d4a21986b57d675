#include "base/utf8.h"

static bool is_tail(uint8_t byte) {
	return (byte & 0xc0) == 0x80;
}

/* The second byte's range depends on the first: that is what excludes overlong forms, surrogates and too large values.
 */
static bool second_fits(uint8_t first, uint8_t second) {
	if (!is_tail(second)) return false;
	if (first == 0xe0) return second >= 0xa0;
	if (first == 0xed) return second <= 0x9f;
	if (first == 0xf0) return second >= 0x90;
	if (first == 0xf4) return second <= 0x8f;
	return true;
}

size_t utf8_width(const uint8_t *text, size_t len) {
	uint8_t first = text[0];
	if (first < 0x80) return 1;
	if (first < 0xc2 || first > 0xf4) return 0;
	size_t width = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (len < width || !second_fits(first, text[1])) return 0;
	for (size_t i = 2; i < width; i++)
		if (!is_tail(text[i])) return 0;
	return width;
}

size_t utf8_encode(uint8_t out[4], uint32_t scalar) {
	if (scalar < 0x80) {
		out[0] = (uint8_t)scalar;
		return 1;
	}
	size_t width = scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
	for (size_t i = width - 1; i > 0; i--, scalar >>= 6) out[i] = (uint8_t)(0x80 | (scalar & 0x3f));
	out[0] = (uint8_t)(0xf00u >> width | scalar);
	return width;
}

#define EVERY_BYTE 0x0101010101010101u
#define HIGH_BITS (EVERY_BYTE << 7)

/* Where a byte of `word` is zero, its high bit is set in the result; bytes above it may be set too. */
static uint64_t zero_bytes(uint64_t word) {
	return (word - EVERY_BYTE) & ~word & HIGH_BITS;
}

size_t utf8_plain_run(const uint8_t *text, size_t len) {
	size_t i = 0;
	for (; len - i >= 8; i += 8) {
		uint64_t word;
		memcpy(&word, text + i, 8);
		uint64_t special = zero_bytes(word ^ EVERY_BYTE * '"') | zero_bytes(word ^ EVERY_BYTE * '\\') |
				   ((word - EVERY_BYTE * 0x20) & HIGH_BITS) | (word & HIGH_BITS);
		if (special) break;
	}
	while (i < len && text[i] >= 0x20 && text[i] < 0x80 && text[i] != '"' && text[i] != '\\') i++;
	return i;
}

bool utf8_is_valid(struct bytes text) {
	for (size_t i = 0, width; i < text.len; i += width) {
		width = utf8_width(text.data + i, text.len - i);
		if (!width) return false;
	}
	return true;
}
