/* What the two tests of BN254 share: a fixed sequence of field elements, and numbers of GMP as field elements and back.
 */
#ifndef CRYPTO_BN254_TESTING_H
#define CRYPTO_BN254_TESTING_H

#include "crypto/bn254_field.h"
#include "crypto/bn254_tower.h"

#include <gmp.h>

/* u, p and r of bn254_field.h, from u alone. */
struct bn_numbers {
	mpz_t u, p, r;
};

static inline void bn_numbers_init(struct bn_numbers *n) {
	mpz_init_set_str(n->u, "4965661367192848881", 10);
	mpz_inits(n->p, n->r, NULL);
	static const unsigned p_coefficients[] = {36, 36, 24, 6, 1}, r_coefficients[] = {36, 36, 18, 6, 1};
	for (int i = 0; i < 5; i++) {
		mpz_mul(n->p, n->p, n->u);
		mpz_add_ui(n->p, n->p, p_coefficients[i]);
		mpz_mul(n->r, n->r, n->u);
		mpz_add_ui(n->r, n->r, r_coefficients[i]);
	}
}

static inline void bn_numbers_fini(struct bn_numbers *n) {
	mpz_clears(n->u, n->p, n->r, NULL);
}

/* Big-endian, 32 bytes; `value` is in [0, 2²⁵⁶). */
static inline void mpz_to_bytes(uint8_t out[32], const mpz_t value) {
	memset(out, 0, 32);
	size_t len = mpz_sgn(value) == 0 ? 0 : (mpz_sizeinbase(value, 2) + 7) / 8;
	mpz_export(out + 32 - len, NULL, 1, 1, 0, 0, value);
}

static inline void fp_from_mpz(struct fp *out, const mpz_t value) {
	uint8_t bytes[32];
	mpz_to_bytes(bytes, value);
	assert_true(fp_from_bytes(out, bytes));
}

static inline void fp_to_mpz(mpz_t out, const struct fp *a) {
	uint8_t bytes[32];
	fp_to_bytes(bytes, a);
	mpz_import(out, 32, 1, 1, 0, 0, bytes);
}

/* splitmix64 */
static inline uint64_t next_random(uint64_t *state) {
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline void random_bytes(uint8_t *out, size_t len, uint64_t *state) {
	for (size_t i = 0; i < len; i++) out[i] = (uint8_t)next_random(state);
}

static inline void fp_random(struct fp *out, uint64_t *state) {
	uint8_t bytes[32];
	do random_bytes(bytes, sizeof bytes, state);
	while (!fp_from_bytes(out, bytes));
}

static inline void fp2_random(struct fp2 *out, uint64_t *state) {
	fp_random(&out->c0, state);
	fp_random(&out->c1, state);
}

static inline void fp6_random(struct fp6 *out, uint64_t *state) {
	fp2_random(&out->c0, state);
	fp2_random(&out->c1, state);
	fp2_random(&out->c2, state);
}

static inline void fp12_random(struct fp12 *out, uint64_t *state) {
	fp6_random(&out->c0, state);
	fp6_random(&out->c1, state);
}

/* Plain square and multiply, the slow twins of what the code does cleverly. */
static inline void fp2_pow_mpz(struct fp2 *out, const struct fp2 *a, const mpz_t exponent) {
	struct fp2 base = *a, result = fp2_one;
	for (size_t i = mpz_sizeinbase(exponent, 2); i-- > 0;) {
		fp2_mul(&result, &result, &result);
		if (mpz_tstbit(exponent, i)) fp2_mul(&result, &result, &base);
	}
	*out = result;
}

static inline void fp12_pow_mpz(struct fp12 *out, const struct fp12 *a, const mpz_t exponent) {
	struct fp12 base = *a, result = fp12_one;
	for (size_t i = mpz_sizeinbase(exponent, 2); i-- > 0;) {
		fp12_mul(&result, &result, &result);
		if (mpz_tstbit(exponent, i)) fp12_mul(&result, &result, &base);
	}
	*out = result;
}

#endif
