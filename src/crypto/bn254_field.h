/*
 * The prime field Fp of BN254 and its quadratic extension Fp2 = Fp[i] / (i² + 1). Internal to crypto/bn254*.c.
 *
 * BN curves come from one integer u; for BN254 (EIP-196 calls the curve alt_bn128)
 *
 *     u = 4965661367192848881 = 0x44e992b44a6909f1
 *     p = 36u⁴ + 36u³ + 24u² + 6u + 1      the field's prime, 254 bits, p = 3 (mod 4): so -1 is no square, and Fp2 is a
 * field r = 36u⁴ + 36u³ + 18u² + 6u + 1      the prime order of the groups
 *
 * An element a is held as a·R mod p with R = 2²⁵⁶ (Montgomery's form), in four 64-bit limbs, least first, always fully
 * reduced to [0, p): equal elements have equal limbs. All constants are in that form; bn254_test.c derives each of them
 * again.
 *
 * Every `out` may alias any input. Nothing here is constant time. Threads: pure.
 * Source: P. Montgomery, Modular multiplication without trial division (1985); P. Barreto, M. Naehrig (2005) for the
 * curves.
 */
#ifndef CRYPTO_BN254_FIELD_H
#define CRYPTO_BN254_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct fp {
	uint64_t limb[4];
};

/* c0 + c1·i */
struct fp2 {
	struct fp c0, c1;
};

extern const struct fp fp_zero;
extern const struct fp fp_one;
extern const struct fp2 fp2_zero;
extern const struct fp2 fp2_one;

static inline bool fp_equal(const struct fp *a, const struct fp *b) {
	return ((a->limb[0] ^ b->limb[0]) | (a->limb[1] ^ b->limb[1]) | (a->limb[2] ^ b->limb[2]) |
		   (a->limb[3] ^ b->limb[3])) == 0;
}

static inline bool fp_is_zero(const struct fp *a) {
	return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0;
}

/* False (and nothing written) where the big-endian number is not below p. */
bool fp_from_bytes(struct fp *out, const uint8_t in[32]);
void fp_to_bytes(uint8_t out[32], const struct fp *a);

void fp_add(struct fp *out, const struct fp *a, const struct fp *b);
void fp_sub(struct fp *out, const struct fp *a, const struct fp *b);
void fp_double(struct fp *out, const struct fp *a);
void fp_half(struct fp *out, const struct fp *a);
void fp_neg(struct fp *out, const struct fp *a);
void fp_mul(struct fp *out, const struct fp *a, const struct fp *b);
void fp_sqr(struct fp *out, const struct fp *a);
/* 1/a; zero gives zero. */
void fp_inv(struct fp *out, const struct fp *a);

static inline bool fp2_equal(const struct fp2 *a, const struct fp2 *b) {
	return fp_equal(&a->c0, &b->c0) && fp_equal(&a->c1, &b->c1);
}

static inline bool fp2_is_zero(const struct fp2 *a) {
	return fp_is_zero(&a->c0) && fp_is_zero(&a->c1);
}

void fp2_add(struct fp2 *out, const struct fp2 *a, const struct fp2 *b);
void fp2_sub(struct fp2 *out, const struct fp2 *a, const struct fp2 *b);
void fp2_double(struct fp2 *out, const struct fp2 *a);
void fp2_half(struct fp2 *out, const struct fp2 *a);
void fp2_neg(struct fp2 *out, const struct fp2 *a);
/* c0 - c1·i, which is also aᵖ. */
void fp2_conj(struct fp2 *out, const struct fp2 *a);
void fp2_mul(struct fp2 *out, const struct fp2 *a, const struct fp2 *b);
void fp2_sqr(struct fp2 *out, const struct fp2 *a);
void fp2_mul_fp(struct fp2 *out, const struct fp2 *a, const struct fp *b);
/* Times ξ = 9 + i, the element that the tower above and the twist are built on. */
void fp2_mul_xi(struct fp2 *out, const struct fp2 *a);
/* 1/a; zero gives zero. */
void fp2_inv(struct fp2 *out, const struct fp2 *a);

#endif
