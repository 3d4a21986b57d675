/* How strings are compared (search.html#string): without regard to case and accents. */
#include "base/utf8.h"
#include "health/fhir/search_query.h"

/* Letters U+00C0 to U+017F without what stands above, below or through them; "" keeps the letter. */
static const char latin[][3] = {"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", "d",
    "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c",
    "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th",
    "y", "a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c", "d", "d", "d", "d", "e", "e", "e", "e",
    "e", "e", "e", "e", "e", "e", "g", "g", "g", "g", "g", "g", "g", "g", "h", "h", "h", "h", "i", "i", "i", "i", "i",
    "i", "i", "i", "i", "i", "ij", "ij", "j", "j", "k", "k", "k", "l", "l", "l", "l", "l", "l", "l", "l", "l", "l", "n",
    "n", "n", "n", "n", "n", "n", "n", "n", "o", "o", "o", "o", "o", "o", "oe", "oe", "r", "r", "r", "r", "r", "r", "s",
    "s", "s", "s", "s", "s", "s", "s", "t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u",
    "u", "u", "w", "w", "y", "y", "y", "z", "z", "z", "z", "z", "z", "s"};
_Static_assert(sizeof latin / sizeof *latin == 0x180 - 0xc0, "every letter has its fold");

static uint32_t scalar_of(const uint8_t *text, size_t width) {
	static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t scalar = text[0] & lead[width];
	for (size_t i = 1; i < width; i++) scalar = scalar << 6 | (text[i] & 0x3f);
	return scalar;
}

static bool is_mark(uint32_t scalar) { /* combining */
	return scalar >= 0x300 && scalar <= 0x36f;
}

/* Vietnamese and other Latin letters of two accents, by their blocks: U+1EA0 to U+1EF9. */
static char vietnamese(uint32_t scalar) {
	static const struct {
		uint16_t last;
		char letter;
	} runs[] = {{0x1eb7, 'a'}, {0x1ec7, 'e'}, {0x1ecb, 'i'}, {0x1ee3, 'o'}, {0x1ef1, 'u'}, {0x1ef9, 'y'}};
	for (size_t i = 0; scalar >= 0x1ea0 && i < sizeof runs / sizeof *runs; i++)
		if (scalar <= runs[i].last) return runs[i].letter;
	return 0;
}

/* The small letter of a Greek or Cyrillic capital. */
static uint32_t small(uint32_t scalar) {
	if ((scalar >= 0x391 && scalar <= 0x3a9) || (scalar >= 0x410 && scalar <= 0x42f)) return scalar + 0x20;
	if (scalar >= 0x400 && scalar <= 0x40f) return scalar + 0x50;
	return scalar == 0x3c2 ? 0x3c3 : scalar;
}

static void put_scalar(struct buf *out, uint32_t scalar, struct bytes as_it_is) {
	uint8_t encoded[4];
	if (scalar >= 0xc0 && scalar < 0x180 && latin[scalar - 0xc0][0]) {
		buf_append(out, bytes_make(latin[scalar - 0xc0], strnlen(latin[scalar - 0xc0], 3)));
	} else if (vietnamese(scalar)) {
		buf_byte(out, (uint8_t)vietnamese(scalar));
	} else if (small(scalar) != scalar) {
		buf_append(out, bytes_make(encoded, utf8_encode(encoded, small(scalar))));
	} else if (!is_mark(scalar)) {
		buf_append(out, as_it_is);
	}
}

void fhir_search_fold(struct buf *out, struct bytes text) {
	bool needs_blank = false, is_begun = false;
	for (size_t at = 0, width; at < text.len; at += width) {
		uint8_t c = text.data[at];
		width = utf8_width(text.data + at, text.len - at);
		if (!width) { /* not UTF-8: as it is */
			width = 1;
		}
		if (c <= ' ') {
			needs_blank = is_begun;
			continue;
		}
		if (needs_blank) buf_byte(out, ' ');
		needs_blank = false;
		is_begun = true;
		if (c < 0x80)
			buf_byte(out, c >= 'A' && c <= 'Z' ? c + 32 : c);
		else
			put_scalar(out, width == 1 ? 0xfffd : scalar_of(text.data + at, width),
			    bytes_make(text.data + at, width));
	}
}
