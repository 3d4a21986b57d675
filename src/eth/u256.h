/*
 * 256-bit unsigned integers, modulo 2^256 (Yellow Paper §9.1). Limbs are little-endian: w[0] is the least significant.
 * Small operations are inline; what loops is in u256.c. Threads: pure.
 */
#ifndef ETH_U256_H
#define ETH_U256_H

#include "base/bytes.h"

#if defined(__x86_64__) && !defined(__clang__)
#include <x86gprintrin.h>
#endif

typedef struct {
	uint64_t w[4];
} u256;

static inline u256 u256_from(uint64_t value) {
	return (u256){{value, 0, 0, 0}};
}

static inline u256 u256_load_be(const uint8_t in[32]) {
	return (u256){{load_be64(in + 24), load_be64(in + 16), load_be64(in + 8), load_be64(in)}};
}

static inline void u256_store_be(uint8_t out[32], const u256 *value) {
	for (int i = 0; i < 4; i++) store_be64(out + 8 * i, value->w[3 - i]);
}

static inline bool u256_is_zero(const u256 *a) {
	return (a->w[0] | a->w[1] | a->w[2] | a->w[3]) == 0;
}

static inline bool u256_equal(const u256 *a, const u256 *b) {
	return ((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3])) == 0;
}

static inline bool u256_fits_u64(const u256 *a) {
	return (a->w[1] | a->w[2] | a->w[3]) == 0;
}

/* The value, or UINT64_MAX where it is larger. */
static inline uint64_t u256_clamp_u64(const u256 *a) {
	return u256_fits_u64(a) ? a->w[0] : UINT64_MAX;
}

static inline bool u256_less(const u256 *a, const u256 *b) {
	for (int i = 3; i > 0; i--)
		if (a->w[i] != b->w[i]) return a->w[i] < b->w[i];
	return a->w[0] < b->w[0];
}

/*
 * Carry chains. gcc needs the intrinsics to see them (13 instructions for an addition instead of 38); clang sees them
 * in the plain twin, which is also what other processors get. u256_test holds the two together.
 */
static inline bool u256_add_plain(u256 *out, const u256 *a, const u256 *b) {
	unsigned __int128 carry = 0;
	for (int i = 0; i < 4; i++) {
		carry += (unsigned __int128)a->w[i] + b->w[i];
		out->w[i] = (uint64_t)carry;
		carry >>= 64;
	}
	return carry != 0;
}

static inline bool u256_sub_plain(u256 *out, const u256 *a, const u256 *b) {
	unsigned __int128 borrow = 0;
	for (int i = 0; i < 4; i++) {
		unsigned __int128 d = (unsigned __int128)a->w[i] - b->w[i] - borrow;
		out->w[i] = (uint64_t)d;
		borrow = (d >> 64) & 1;
	}
	return borrow != 0;
}

/* Returns the carry / borrow out. `out` may be `a` or `b`. */
#if defined(__x86_64__) && !defined(__clang__)
static inline bool u256_add_overflow(u256 *out, const u256 *a, const u256 *b) {
	unsigned long long w0, w1, w2, w3;
	unsigned char carry = _addcarry_u64(0, a->w[0], b->w[0], &w0);
	carry = _addcarry_u64(carry, a->w[1], b->w[1], &w1);
	carry = _addcarry_u64(carry, a->w[2], b->w[2], &w2);
	carry = _addcarry_u64(carry, a->w[3], b->w[3], &w3);
	out->w[0] = w0, out->w[1] = w1, out->w[2] = w2, out->w[3] = w3;
	return carry != 0;
}

static inline bool u256_sub_overflow(u256 *out, const u256 *a, const u256 *b) {
	unsigned long long w0, w1, w2, w3;
	unsigned char borrow = _subborrow_u64(0, a->w[0], b->w[0], &w0);
	borrow = _subborrow_u64(borrow, a->w[1], b->w[1], &w1);
	borrow = _subborrow_u64(borrow, a->w[2], b->w[2], &w2);
	borrow = _subborrow_u64(borrow, a->w[3], b->w[3], &w3);
	out->w[0] = w0, out->w[1] = w1, out->w[2] = w2, out->w[3] = w3;
	return borrow != 0;
}
#else
static inline bool u256_add_overflow(u256 *out, const u256 *a, const u256 *b) {
	return u256_add_plain(out, a, b);
}

static inline bool u256_sub_overflow(u256 *out, const u256 *a, const u256 *b) {
	return u256_sub_plain(out, a, b);
}
#endif

/* Bits >= 256 give zero. */
static inline u256 u256_shl(const u256 *value, unsigned bits) {
	u256 out = {{0, 0, 0, 0}};
	if (bits >= 256) return out;
	const unsigned limbs = bits / 64, rest = bits % 64;
	for (unsigned i = limbs; i < 4; i++) {
		out.w[i] = value->w[i - limbs] << rest;
		if (rest != 0 && i > limbs) out.w[i] |= value->w[i - limbs - 1] >> (64 - rest);
	}
	return out;
}

static inline u256 u256_shr(const u256 *value, unsigned bits) {
	u256 out = {{0, 0, 0, 0}};
	if (bits >= 256) return out;
	const unsigned limbs = bits / 64, rest = bits % 64;
	for (unsigned i = 0; i + limbs < 4; i++) {
		out.w[i] = value->w[i + limbs] >> rest;
		if (rest != 0 && i + limbs < 3) out.w[i] |= value->w[i + limbs + 1] << (64 - rest);
	}
	return out;
}

static inline u256 u256_mul(const u256 *a, const u256 *b) {
	uint64_t w[4] = {0, 0, 0, 0};
	for (int i = 0; i < 4; i++) {
		uint64_t carry = 0;
		for (int j = 0; i + j < 4; j++) {
			unsigned __int128 t = (unsigned __int128)a->w[i] * b->w[j] + w[i + j] + carry;
			w[i + j] = (uint64_t)t;
			carry = (uint64_t)(t >> 64);
		}
	}
	return (u256){{w[0], w[1], w[2], w[3]}};
}

/* True where the product does not fit. */
bool u256_mul_overflow(u256 *out, const u256 *a, const u256 *b);
/* Division by zero gives zero (the EVM's rule), for all four. */
u256 u256_div(const u256 *a, const u256 *b);
u256 u256_mod(const u256 *a, const u256 *b);
u256 u256_sdiv(const u256 *a, const u256 *b);
u256 u256_smod(const u256 *a, const u256 *b);
/* Over the full 257- / 512-bit intermediate. */
u256 u256_addmod(const u256 *a, const u256 *b, const u256 *modulus);
u256 u256_mulmod(const u256 *a, const u256 *b, const u256 *modulus);
u256 u256_exp(const u256 *base, const u256 *exponent);
u256 u256_signextend(const u256 *byte_index, const u256 *value);
/* Shifts in copies of bit 255. */
u256 u256_sar(const u256 *value, unsigned bits);
/* [0, 256]: 0 for zero. */
unsigned u256_bit_length(const u256 *a);
static inline unsigned u256_byte_length(const u256 *a) {
	return (u256_bit_length(a) + 7) / 8;
}

/* Big-endian bytes without leading zeros, in `out` (room for 32); empty for zero. For RLP and quantities. */
struct bytes u256_trimmed_be(uint8_t out[32], const u256 *value);
/* Big-endian bytes, at most 32. */
u256 u256_from_be(struct bytes big_endian);
/* Decimal text, at most 78 digits. False for anything else or a value that does not fit. */
bool u256_from_decimal(u256 *out, struct bytes text);
/* NUL-terminated. */
void u256_to_decimal(char out[80], const u256 *value);

#endif
