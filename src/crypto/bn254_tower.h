/*
 * The tower over Fp2 in which BN254's pairing takes its values. Internal to crypto/bn254*.c.
 *
 *     Fp6  = Fp2[v] / (v³ - ξ)        ξ = 9 + i, neither a square nor a cube in Fp2
 *     Fp12 = Fp6[w] / (w² - v)        so w⁶ = ξ, and Fp12 is also Fp2[w] / (w⁶ - ξ)
 *
 * In the second view the coefficient of wᵏ is c0.c0, c1.c0, c0.c1, c1.c1, c0.c2, c1.c2 for k = 0 … 5.
 *
 * The cyclotomic subgroup is where f^(p⁴-p²+1) = 1: everything after the easy part of the final exponentiation. There
 * the conjugate is the inverse and squaring is cheaper.
 *
 * Every `out` may alias any input. Threads: pure.
 * Sources: A. Karatsuba; R. Granger, M. Scott, Faster squaring in the cyclotomic subgroup (PKC 2010).
 */
#ifndef CRYPTO_BN254_TOWER_H
#define CRYPTO_BN254_TOWER_H

#include "crypto/bn254_field.h"

/* c0 + c1·v + c2·v² */
struct fp6 {
	struct fp2 c0, c1, c2;
};

/* c0 + c1·w */
struct fp12 {
	struct fp6 c0, c1;
};

/* A line through points of the twist, taken at a point of G1: a + b·w + c·w³; the other coefficients are zero. */
struct sparse_line {
	struct fp2 a, b, c;
};

/* γᵏ for k = 0 … 5, where γ = ξ^((p-1)/6) = w^(p-1). */
extern const struct fp2 frobenius_gamma[6];
/* δᵏ for k = 0 … 5, where δ = ξ^((p²-1)/6) = w^(p²-1) = γ·γᵖ, a sixth root of one in Fp. */
extern const struct fp frobenius_delta[6];

void fp6_mul(struct fp6 *out, const struct fp6 *a, const struct fp6 *b);
/* 1/a; zero gives zero. */
void fp6_inv(struct fp6 *out, const struct fp6 *a);

extern const struct fp12 fp12_one;
bool fp12_equal(const struct fp12 *a, const struct fp12 *b);
void fp12_mul(struct fp12 *out, const struct fp12 *a, const struct fp12 *b);
void fp12_mul_line(struct fp12 *out, const struct fp12 *a, const struct sparse_line *line);
void fp12_sqr(struct fp12 *out, const struct fp12 *a);
/* 1/a; zero gives zero. */
void fp12_inv(struct fp12 *out, const struct fp12 *a);
/* c0 - c1·w, which is also a^(p⁶). */
void fp12_conj(struct fp12 *out, const struct fp12 *a);
/* aᵖ and a^(p²) */
void fp12_frobenius(struct fp12 *out, const struct fp12 *a);
void fp12_frobenius2(struct fp12 *out, const struct fp12 *a);
/* a², only for a in the cyclotomic subgroup. */
void fp12_cyclotomic_sqr(struct fp12 *out, const struct fp12 *a);

#endif
