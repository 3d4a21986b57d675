/* Bytes from hexadecimal text in tests of rooms below codec/. Fails the test for what is no hexadecimal or has another
 * length. */
#ifndef TESTS_HEXBYTES_H
#define TESTS_HEXBYTES_H

#include <stdio.h>

static inline void hexbytes(uint8_t *out, size_t len, const char *text) {
	assert_int_equal(strlen(text), 2 * len);
	for (size_t i = 0; i < len; i++) {
		unsigned value;
		assert_int_equal(sscanf(text + 2 * i, "%2x", &value), 1);
		out[i] = (uint8_t)value;
	}
}

/* Fails unless `data` spells `text`; at most 256 bytes. */
static inline void assert_hex(const uint8_t *data, size_t len, const char *text) {
	uint8_t wanted[256];
	assert_true(len <= sizeof wanted);
	hexbytes(wanted, len, text);
	assert_memory_equal(data, wanted, len);
}

#endif
