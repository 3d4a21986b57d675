#include "crypto/bn254_tower.h"

const struct fp2 frobenius_gamma[6] = {
    {{{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
	{{0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}}},
    {{{0xaf9ba69633144907, 0xca6b1d7387afb78a, 0x11bded5ef08a2087, 0x02f34d751a1f3a7c}},
	{{0xa222ae234c492d72, 0xd00f02a4565de15b, 0xdc2ff3a253dfc926, 0x10a75716b3899551}}},
    {{{0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec}},
	{{0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3}}},
    {{{0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd}},
	{{0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc}}},
    {{{0x7361d77f843abe92, 0xa5bb2bd3273411fb, 0x9c941f314b3e2399, 0x15df9cddbb9fd3ec}},
	{{0x5dddfd154bd8c949, 0x62cb29a5a4445b60, 0x37bc870a0c7dd2b9, 0x24830a9d3171f0fd}}},
    {{{0xc970692f41690fe7, 0xe240342127694b0b, 0x32bee66b83c459e8, 0x12aabced0ab08841}},
	{{0x0d485d2340aebfa9, 0x05193418ab2fcc57, 0xd3b0a40b8a4910f5, 0x2f21ebb535d2925a}}},
};

const struct fp frobenius_delta[6] = {
    {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}},
    {{0xca8d800500fa1bf2, 0xf0c5d61468b39769, 0x0e201271ad0d4418, 0x04290f65bad856e6}},
    {{0x3350c88e13e80b9c, 0x7dce557cdb5e56b9, 0x6001b4b8b615564a, 0x2682e617020217e0}},
    {{0x68c3488912edefaa, 0x8d087f6872aabf4f, 0x51e1a24709081231, 0x2259d6b14729c0fa}},
    {{0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943}},
    {{0x08cfc388c494f1ab, 0x19b315148d1373d4, 0x584e90fdcb6c0213, 0x09e1685bdf2f8849}},
};

const struct fp12 fp12_one = {
    .c0 = {.c0 = {.c0 = {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}}}}};

static void fp6_add(struct fp6 *out, const struct fp6 *a, const struct fp6 *b) {
	fp2_add(&out->c0, &a->c0, &b->c0);
	fp2_add(&out->c1, &a->c1, &b->c1);
	fp2_add(&out->c2, &a->c2, &b->c2);
}

static void fp6_sub(struct fp6 *out, const struct fp6 *a, const struct fp6 *b) {
	fp2_sub(&out->c0, &a->c0, &b->c0);
	fp2_sub(&out->c1, &a->c1, &b->c1);
	fp2_sub(&out->c2, &a->c2, &b->c2);
}

/* Times v: the coefficients move up one place, and v³ = ξ. */
static void fp6_mul_v(struct fp6 *out, const struct fp6 *a) {
	struct fp2 top = a->c2;
	out->c2 = a->c1;
	out->c1 = a->c0;
	fp2_mul_xi(&out->c0, &top);
}

/* *out = (a0 + a1)(b0 + b1) - low - high: the two middle terms of a product whose outer terms are known. */
static void middle_terms(struct fp2 *out, const struct fp2 *a0, const struct fp2 *a1, const struct fp2 *b0,
    const struct fp2 *b1, const struct fp2 *low, const struct fp2 *high) {
	struct fp2 sum_a, sum_b;
	fp2_add(&sum_a, a0, a1);
	fp2_add(&sum_b, b0, b1);
	fp2_mul(&sum_a, &sum_a, &sum_b);
	fp2_sub(&sum_a, &sum_a, low);
	fp2_sub(out, &sum_a, high);
}

/* Karatsuba for three terms: six products instead of nine. */
void fp6_mul(struct fp6 *out, const struct fp6 *a, const struct fp6 *b) {
	struct fp2 v0, v1, v2, m12, m01, m02;
	fp2_mul(&v0, &a->c0, &b->c0);
	fp2_mul(&v1, &a->c1, &b->c1);
	fp2_mul(&v2, &a->c2, &b->c2);
	middle_terms(&m12, &a->c1, &a->c2, &b->c1, &b->c2, &v1, &v2);
	middle_terms(&m01, &a->c0, &a->c1, &b->c0, &b->c1, &v0, &v1);
	middle_terms(&m02, &a->c0, &a->c2, &b->c0, &b->c2, &v0, &v2);
	fp2_mul_xi(&m12, &m12);
	fp2_mul_xi(&v2, &v2);
	fp2_add(&out->c0, &v0, &m12);
	fp2_add(&out->c1, &m01, &v2);
	fp2_add(&out->c2, &m02, &v1);
}

/* a · (b0 + b1·v) in five products. */
static void fp6_mul_two_terms(struct fp6 *out, const struct fp6 *a, const struct fp2 *b0, const struct fp2 *b1) {
	struct fp2 v0, v1, m01, a1b1_a2b1, a2b0;
	fp2_mul(&v0, &a->c0, b0);
	fp2_mul(&v1, &a->c1, b1);
	middle_terms(&m01, &a->c0, &a->c1, b0, b1, &v0, &v1);
	fp2_mul(&a2b0, &a->c2, b0);
	fp2_mul(&a1b1_a2b1, &a->c2, b1);
	fp2_mul_xi(&a1b1_a2b1, &a1b1_a2b1);
	fp2_add(&out->c0, &v0, &a1b1_a2b1);
	out->c1 = m01;
	fp2_add(&out->c2, &v1, &a2b0);
}

static void fp6_mul_fp2(struct fp6 *out, const struct fp6 *a, const struct fp2 *b) {
	struct fp2 factor = *b;
	fp2_mul(&out->c0, &a->c0, &factor);
	fp2_mul(&out->c1, &a->c1, &factor);
	fp2_mul(&out->c2, &a->c2, &factor);
}

/*
 * The adjugate of multiplication by a: with t0 = a0² - ξ·a1·a2, t1 = ξ·a2² - a0·a1, t2 = a1² - a0·a2 the product
 * a·(t0 + t1·v + t2·v²) is the norm a0·t0 + ξ·(a2·t1 + a1·t2), which lies in Fp2.
 */
void fp6_inv(struct fp6 *out, const struct fp6 *a) {
	struct fp2 t0, t1, t2, product, norm;
	fp2_sqr(&t0, &a->c0);
	fp2_mul(&product, &a->c1, &a->c2);
	fp2_mul_xi(&product, &product);
	fp2_sub(&t0, &t0, &product);
	fp2_sqr(&t1, &a->c2);
	fp2_mul_xi(&t1, &t1);
	fp2_mul(&product, &a->c0, &a->c1);
	fp2_sub(&t1, &t1, &product);
	fp2_sqr(&t2, &a->c1);
	fp2_mul(&product, &a->c0, &a->c2);
	fp2_sub(&t2, &t2, &product);

	fp2_mul(&norm, &a->c2, &t1);
	fp2_mul(&product, &a->c1, &t2);
	fp2_add(&norm, &norm, &product);
	fp2_mul_xi(&norm, &norm);
	fp2_mul(&product, &a->c0, &t0);
	fp2_add(&norm, &norm, &product);
	fp2_inv(&norm, &norm);
	fp2_mul(&out->c0, &t0, &norm);
	fp2_mul(&out->c1, &t1, &norm);
	fp2_mul(&out->c2, &t2, &norm);
}

bool fp12_equal(const struct fp12 *a, const struct fp12 *b) {
	return memcmp(a, b, sizeof *a) == 0; /* limbs are unique, and there is no padding */
}

/* Karatsuba with w² = v. */
void fp12_mul(struct fp12 *out, const struct fp12 *a, const struct fp12 *b) {
	struct fp6 low, high, sum_a, sum_b;
	fp6_add(&sum_a, &a->c0, &a->c1);
	fp6_add(&sum_b, &b->c0, &b->c1);
	fp6_mul(&low, &a->c0, &b->c0);
	fp6_mul(&high, &a->c1, &b->c1);
	fp6_mul(&sum_a, &sum_a, &sum_b);
	fp6_sub(&sum_a, &sum_a, &low);
	fp6_sub(&out->c1, &sum_a, &high);
	fp6_mul_v(&high, &high);
	fp6_add(&out->c0, &low, &high);
}

/* As fp12_mul with b = line.a + (line.b + line.c·v)·w: 13 products in Fp2 instead of 18. */
void fp12_mul_line(struct fp12 *out, const struct fp12 *a, const struct sparse_line *line) {
	struct fp6 low, high, sum;
	struct fp2 a_plus_b;
	fp2_add(&a_plus_b, &line->a, &line->b);
	fp6_add(&sum, &a->c0, &a->c1);
	fp6_mul_fp2(&low, &a->c0, &line->a);
	fp6_mul_two_terms(&high, &a->c1, &line->b, &line->c);
	fp6_mul_two_terms(&sum, &sum, &a_plus_b, &line->c);
	fp6_sub(&sum, &sum, &low);
	fp6_sub(&out->c1, &sum, &high);
	fp6_mul_v(&high, &high);
	fp6_add(&out->c0, &low, &high);
}

/* (a0 + a1·w)² = (a0² + v·a1²) + 2·a0·a1·w, where a0² + v·a1² = (a0 + a1)(a0 + v·a1) - a0·a1 - v·a0·a1. */
void fp12_sqr(struct fp12 *out, const struct fp12 *a) {
	struct fp6 product, sum, twisted;
	fp6_mul(&product, &a->c0, &a->c1);
	fp6_add(&sum, &a->c0, &a->c1);
	fp6_mul_v(&twisted, &a->c1);
	fp6_add(&twisted, &twisted, &a->c0);
	fp6_mul(&sum, &sum, &twisted);
	fp6_sub(&sum, &sum, &product);
	fp6_mul_v(&twisted, &product);
	fp6_sub(&out->c0, &sum, &twisted);
	fp6_add(&out->c1, &product, &product);
}

/* 1/(a0 + a1·w) = (a0 - a1·w) / (a0² - v·a1²) */
void fp12_inv(struct fp12 *out, const struct fp12 *a) {
	struct fp6 norm, square;
	fp6_mul(&norm, &a->c0, &a->c0);
	fp6_mul(&square, &a->c1, &a->c1);
	fp6_mul_v(&square, &square);
	fp6_sub(&norm, &norm, &square);
	fp6_inv(&norm, &norm);
	fp12_conj(out, a);
	fp6_mul(&out->c0, &out->c0, &norm);
	fp6_mul(&out->c1, &out->c1, &norm);
}

void fp12_conj(struct fp12 *out, const struct fp12 *a) {
	out->c0 = a->c0;
	fp2_neg(&out->c1.c0, &a->c1.c0);
	fp2_neg(&out->c1.c1, &a->c1.c1);
	fp2_neg(&out->c1.c2, &a->c1.c2);
}

/* (Σ gₖ·wᵏ)ᵖ = Σ gₖᵖ·w^(kp) = Σ conj(gₖ)·γᵏ·wᵏ */
static void frobenius_term(struct fp2 *out, const struct fp2 *g, int k) {
	fp2_conj(out, g);
	if (k > 0) fp2_mul(out, out, &frobenius_gamma[k]);
}

void fp12_frobenius(struct fp12 *out, const struct fp12 *a) {
	frobenius_term(&out->c0.c0, &a->c0.c0, 0);
	frobenius_term(&out->c1.c0, &a->c1.c0, 1);
	frobenius_term(&out->c0.c1, &a->c0.c1, 2);
	frobenius_term(&out->c1.c1, &a->c1.c1, 3);
	frobenius_term(&out->c0.c2, &a->c0.c2, 4);
	frobenius_term(&out->c1.c2, &a->c1.c2, 5);
}

/* Twice the above: conjugation cancels, and γᵏ·conj(γᵏ) = δᵏ. */
void fp12_frobenius2(struct fp12 *out, const struct fp12 *a) {
	out->c0.c0 = a->c0.c0;
	fp2_mul_fp(&out->c1.c0, &a->c1.c0, &frobenius_delta[1]);
	fp2_mul_fp(&out->c0.c1, &a->c0.c1, &frobenius_delta[2]);
	fp2_mul_fp(&out->c1.c1, &a->c1.c1, &frobenius_delta[3]);
	fp2_mul_fp(&out->c0.c2, &a->c0.c2, &frobenius_delta[4]);
	fp2_mul_fp(&out->c1.c2, &a->c1.c2, &frobenius_delta[5]);
}

/* (a + b·s)² in Fp4 = Fp2[s] / (s² - ξ) */
static void fp4_sqr(struct fp2 *out_a, struct fp2 *out_b, const struct fp2 *a, const struct fp2 *b) {
	struct fp2 a2, b2, sum;
	fp2_sqr(&a2, a);
	fp2_sqr(&b2, b);
	fp2_add(&sum, a, b);
	fp2_sqr(&sum, &sum);
	fp2_sub(&sum, &sum, &a2);
	fp2_sub(out_b, &sum, &b2);
	fp2_mul_xi(&b2, &b2);
	fp2_add(out_a, &a2, &b2);
}

/* 3·square - 2·g and 3·square + 2·g */
static void triple_minus_double(struct fp2 *out, const struct fp2 *square, const struct fp2 *g) {
	struct fp2 t;
	fp2_sub(&t, square, g);
	fp2_double(&t, &t);
	fp2_add(out, &t, square);
}

static void triple_plus_double(struct fp2 *out, const struct fp2 *square, const struct fp2 *g) {
	struct fp2 t;
	fp2_add(&t, square, g);
	fp2_double(&t, &t);
	fp2_add(out, &t, square);
}

/*
 * Granger and Scott. As an element of Fp4[w] / (w³ - s), s = w³, write f = A + B·w + C·w² with A = g0 + g3·s, B = g1 +
 * g4·s, C = g2 + g5·s (gₖ the coefficient of wᵏ). In the cyclotomic subgroup, with X̄ the conjugate of Fp4 over Fp2,
 *
 *     f² = (3A² - 2Ā) + (3s·C² + 2B̄)·w + (3B² - 2C̄)·w²
 */
void fp12_cyclotomic_sqr(struct fp12 *out, const struct fp12 *f) {
	struct fp2 a0, a1, b0, b1, c0, c1;
	fp4_sqr(&a0, &a1, &f->c0.c0, &f->c1.c1);
	fp4_sqr(&b0, &b1, &f->c1.c0, &f->c0.c2);
	fp4_sqr(&c0, &c1, &f->c0.c1, &f->c1.c2);
	fp2_mul_xi(&c1, &c1); /* s·(c0 + c1·s) = ξ·c1 + c0·s */

	triple_minus_double(&out->c0.c0, &a0, &f->c0.c0);
	triple_plus_double(&out->c1.c1, &a1, &f->c1.c1);
	triple_plus_double(&out->c1.c0, &c1, &f->c1.c0);
	triple_minus_double(&out->c0.c2, &c0, &f->c0.c2);
	triple_minus_double(&out->c0.c1, &b0, &f->c0.c1);
	triple_plus_double(&out->c1.c2, &b1, &f->c1.c2);
}
