/*
 * Borrowed bytes, and small fixed-size values that are copied freely.
 *
 * `struct bytes` owns nothing: it is a view that is valid as long as what it points into. An empty view may have a NULL
 * pointer. Integers on the wire are big-endian unless a name says otherwise.
 *
 * Threads: pure.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t len;
};

typedef struct {
	uint8_t b[32];
} hash32;

typedef struct {
	uint8_t b[20];
} addr20;

#define BYTES_OF(object) ((struct bytes){(object).b, sizeof(object).b})
#define BYTES_LITERAL(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

static inline struct bytes bytes_make(const void *data, size_t len) {
	return (struct bytes){(const uint8_t *)data, len};
}

static inline struct bytes bytes_text(const char *text) {
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b) {
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Lexicographic order; a prefix sorts before what it begins. */
int bytes_compare(struct bytes a, struct bytes b);

/* The view [from, from + len) clipped to what is there. */
struct bytes bytes_slice(struct bytes view, size_t from, size_t len);

static inline bool hash32_equal(const hash32 *a, const hash32 *b) {
	return memcmp(a->b, b->b, 32) == 0;
}

static inline bool hash32_is_zero(const hash32 *a) {
	static const hash32 zero;
	return hash32_equal(a, &zero);
}

static inline bool addr20_equal(const addr20 *a, const addr20 *b) {
	return memcmp(a->b, b->b, 20) == 0;
}

static inline bool addr20_is_zero(const addr20 *a) {
	static const addr20 zero;
	return addr20_equal(a, &zero);
}

static inline uint32_t load_be32(const uint8_t *p) {
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static inline uint64_t load_be64(const uint8_t *p) {
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

static inline void store_be32(uint8_t *p, uint32_t v) {
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static inline void store_be64(uint8_t *p, uint64_t v) {
	v = __builtin_bswap64(v);
	memcpy(p, &v, 8);
}

#endif
