/*
 * UTF-8 (RFC 3629), strict: no overlong forms, no surrogates, nothing above U+10FFFF. Threads: pure.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/bytes.h"

/* The bytes of the well-formed character at `text` ([1, 4]), or 0 if there is none. len >= 1. */
size_t utf8_width(const uint8_t *text, size_t len);
/* Writes a scalar value; returns its bytes, [1, 4]. */
size_t utf8_encode(uint8_t out[4], uint32_t scalar);
/* How many bytes from `text` on are ASCII that JSON strings hold as it stands: no controls, quote or backslash. */
size_t utf8_plain_run(const uint8_t *text, size_t len);
bool utf8_is_valid(struct bytes text);

#endif
