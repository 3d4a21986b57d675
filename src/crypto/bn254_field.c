#include "crypto/bn254_field.h"

#include "base/bytes.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef unsigned __int128 u128;

static const uint64_t p_limb[4] = {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029};
/* -1/p mod 2⁶⁴ */
static const uint64_t p_inverse_neg = 0x87d20782e4866389;
/* R² mod p: a Montgomery product with it brings a plain number into Montgomery's form. */
static const struct fp fp_r_squared = {
    {0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f}};

const struct fp fp_zero = {{0, 0, 0, 0}};
/* R mod p */
#define FP_ONE                                                                                                         \
	{                                                                                                              \
		{ 0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f }                     \
	}
const struct fp fp_one = FP_ONE;
const struct fp2 fp2_zero = {{{0, 0, 0, 0}}, {{0, 0, 0, 0}}};
const struct fp2 fp2_one = {FP_ONE, {{0, 0, 0, 0}}};

/*
 * *out = a + b + carry and *out = a - b - borrow; both return what goes to the next limb, 0 or 1. Compilers turn the
 * intrinsics into chains of ADC and SBB, which they do not yet for the plain form below: it costs a third of the speed.
 */
#ifdef __x86_64__
static inline unsigned char add_carry(uint64_t *out, uint64_t a, uint64_t b, unsigned char carry) {
	unsigned long long sum;
	carry = _addcarry_u64(carry, a, b, &sum);
	*out = sum;
	return carry;
}

static inline unsigned char sub_borrow(uint64_t *out, uint64_t a, uint64_t b, unsigned char borrow) {
	unsigned long long difference;
	borrow = _subborrow_u64(borrow, a, b, &difference);
	*out = difference;
	return borrow;
}
#else
static inline unsigned char add_carry(uint64_t *out, uint64_t a, uint64_t b, unsigned char carry) {
	u128 sum = (u128)a + b + carry;
	*out = (uint64_t)sum;
	return (unsigned char)(sum >> 64);
}

static inline unsigned char sub_borrow(uint64_t *out, uint64_t a, uint64_t b, unsigned char borrow) {
	u128 difference = (u128)a - b - borrow;
	*out = (uint64_t)difference;
	return (unsigned char)(difference >> 64) & 1;
}
#endif

/* From [0, 2p) to [0, p). Written out, as a loop becomes a branch, which half of all sums would mispredict. */
static inline void reduce_once(uint64_t out[4], const uint64_t a[4]) {
	uint64_t less[4];
	unsigned char borrow = sub_borrow(&less[0], a[0], p_limb[0], 0);
	borrow = sub_borrow(&less[1], a[1], p_limb[1], borrow);
	borrow = sub_borrow(&less[2], a[2], p_limb[2], borrow);
	borrow = sub_borrow(&less[3], a[3], p_limb[3], borrow);
	out[0] = borrow ? a[0] : less[0];
	out[1] = borrow ? a[1] : less[1];
	out[2] = borrow ? a[2] : less[2];
	out[3] = borrow ? a[3] : less[3];
}

static inline void add_inline(struct fp *out, const struct fp *a, const struct fp *b) {
	uint64_t sum[4];
	unsigned char carry = add_carry(&sum[0], a->limb[0], b->limb[0], 0);
	carry = add_carry(&sum[1], a->limb[1], b->limb[1], carry);
	carry = add_carry(&sum[2], a->limb[2], b->limb[2], carry);
	add_carry(&sum[3], a->limb[3], b->limb[3], carry); /* no carry: the sum of two is below 2²⁵⁵ */
	reduce_once(out->limb, sum);
}

static inline void sub_inline(struct fp *out, const struct fp *a, const struct fp *b) {
	uint64_t difference[4];
	unsigned char borrow = sub_borrow(&difference[0], a->limb[0], b->limb[0], 0);
	borrow = sub_borrow(&difference[1], a->limb[1], b->limb[1], borrow);
	borrow = sub_borrow(&difference[2], a->limb[2], b->limb[2], borrow);
	borrow = sub_borrow(&difference[3], a->limb[3], b->limb[3], borrow);
	uint64_t mask = (uint64_t)0 - borrow;
	unsigned char carry = add_carry(&out->limb[0], difference[0], p_limb[0] & mask, 0);
	carry = add_carry(&out->limb[1], difference[1], p_limb[1] & mask, carry);
	carry = add_carry(&out->limb[2], difference[2], p_limb[2] & mask, carry);
	add_carry(&out->limb[3], difference[3], p_limb[3] & mask, carry);
}

/* t (five limbs) += a·b: all low halves of the products in one chain of carries, all high halves in a second. */
static inline void add_product(uint64_t t[5], const uint64_t a[4], uint64_t b) {
	u128 product0 = (u128)a[0] * b, product1 = (u128)a[1] * b, product2 = (u128)a[2] * b, product3 = (u128)a[3] * b;
	unsigned char carry = add_carry(&t[0], t[0], (uint64_t)product0, 0);
	carry = add_carry(&t[1], t[1], (uint64_t)product1, carry);
	carry = add_carry(&t[2], t[2], (uint64_t)product2, carry);
	carry = add_carry(&t[3], t[3], (uint64_t)product3, carry);
	add_carry(&t[4], t[4], 0, carry);
	carry = add_carry(&t[1], t[1], (uint64_t)(product0 >> 64), 0);
	carry = add_carry(&t[2], t[2], (uint64_t)(product1 >> 64), carry);
	carry = add_carry(&t[3], t[3], (uint64_t)(product2 >> 64), carry);
	add_carry(&t[4], t[4], (uint64_t)(product3 >> 64), carry);
}

/*
 * Montgomery's product a·b/R mod p, with the reduction interleaved: for each limb of b, add a·bᵢ, then add the multiple
 * m·p that clears the lowest limb, and drop that limb. Between two limbs the total is below 2p < 2²⁵⁵ (from T < 2p
 * follows (T + a·bᵢ + m·p)/2⁶⁴ < 2p), so five limbs are enough within a turn and four between turns.
 */
static inline void mul_inline(struct fp *out, const struct fp *a, const struct fp *b) {
	uint64_t t[5] = {0};
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		add_product(t, a->limb, b->limb[i]);
		add_product(t, p_limb, t[0] * p_inverse_neg);
		t[0] = t[1];
		t[1] = t[2];
		t[2] = t[3];
		t[3] = t[4];
		t[4] = 0;
	}
	reduce_once(out->limb, t);
}

void fp_add(struct fp *out, const struct fp *a, const struct fp *b) {
	add_inline(out, a, b);
}

void fp_sub(struct fp *out, const struct fp *a, const struct fp *b) {
	sub_inline(out, a, b);
}

void fp_double(struct fp *out, const struct fp *a) {
	add_inline(out, a, a);
}

/* An odd number becomes even by adding p. */
static inline void half_inline(struct fp *out, const struct fp *a) {
	uint64_t even[4], odd = (uint64_t)0 - (a->limb[0] & 1);
	unsigned char carry = 0;
	for (int i = 0; i < 4; i++) carry = add_carry(&even[i], a->limb[i], p_limb[i] & odd, carry);
	for (int i = 0; i < 3; i++) out->limb[i] = even[i] >> 1 | even[i + 1] << 63;
	out->limb[3] = even[3] >> 1;
}

void fp_half(struct fp *out, const struct fp *a) {
	half_inline(out, a);
}

void fp_neg(struct fp *out, const struct fp *a) {
	sub_inline(out, &fp_zero, a);
}

void fp_mul(struct fp *out, const struct fp *a, const struct fp *b) {
	mul_inline(out, a, b);
}

void fp_sqr(struct fp *out, const struct fp *a) {
	mul_inline(out, a, a);
}

bool fp_from_bytes(struct fp *out, const uint8_t in[32]) {
	struct fp plain;
	uint64_t ignored;
	unsigned char borrow = 0;
	for (int i = 0; i < 4; i++) {
		plain.limb[i] = load_be64(in + 24 - 8 * i);
		borrow = sub_borrow(&ignored, plain.limb[i], p_limb[i], borrow);
	}
	if (!borrow) return false;
	mul_inline(out, &plain, &fp_r_squared);
	return true;
}

void fp_to_bytes(uint8_t out[32], const struct fp *a) {
	static const struct fp plain_one = {{1, 0, 0, 0}};
	struct fp plain;
	mul_inline(&plain, a, &plain_one);
	for (int i = 0; i < 4; i++) store_be64(out + 24 - 8 * i, plain.limb[i]);
}

/* Fixed windows of four bits, from the top. */
void fp_pow(struct fp *out, const struct fp *a, const uint64_t exponent[4]) {
	struct fp powers[16], result = fp_one;
	powers[0] = fp_one;
	for (int i = 1; i < 16; i++) fp_mul(&powers[i], &powers[i - 1], a);
	for (int shift = 252; shift >= 0; shift -= 4) {
		for (int i = 0; i < 4; i++) fp_sqr(&result, &result);
		unsigned digit = (unsigned)(exponent[shift / 64] >> (shift % 64)) & 15;
		if (digit) fp_mul(&result, &result, &powers[digit]);
	}
	*out = result;
}

/* Fermat: 1/a = a^(p-2). */
void fp_inv(struct fp *out, const struct fp *a) {
	const uint64_t p_minus_2[4] = {p_limb[0] - 2, p_limb[1], p_limb[2], p_limb[3]};
	fp_pow(out, a, p_minus_2);
}

void fp2_add(struct fp2 *out, const struct fp2 *a, const struct fp2 *b) {
	add_inline(&out->c0, &a->c0, &b->c0);
	add_inline(&out->c1, &a->c1, &b->c1);
}

void fp2_sub(struct fp2 *out, const struct fp2 *a, const struct fp2 *b) {
	sub_inline(&out->c0, &a->c0, &b->c0);
	sub_inline(&out->c1, &a->c1, &b->c1);
}

void fp2_double(struct fp2 *out, const struct fp2 *a) {
	add_inline(&out->c0, &a->c0, &a->c0);
	add_inline(&out->c1, &a->c1, &a->c1);
}

void fp2_half(struct fp2 *out, const struct fp2 *a) {
	half_inline(&out->c0, &a->c0);
	half_inline(&out->c1, &a->c1);
}

void fp2_neg(struct fp2 *out, const struct fp2 *a) {
	sub_inline(&out->c0, &fp_zero, &a->c0);
	sub_inline(&out->c1, &fp_zero, &a->c1);
}

void fp2_conj(struct fp2 *out, const struct fp2 *a) {
	out->c0 = a->c0;
	sub_inline(&out->c1, &fp_zero, &a->c1);
}

/* Karatsuba: (a0 + a1·i)(b0 + b1·i) = (a0b0 - a1b1) + ((a0 + a1)(b0 + b1) - a0b0 - a1b1)·i */
void fp2_mul(struct fp2 *out, const struct fp2 *a, const struct fp2 *b) {
	struct fp low, high, sum_a, sum_b;
	add_inline(&sum_a, &a->c0, &a->c1);
	add_inline(&sum_b, &b->c0, &b->c1);
	mul_inline(&low, &a->c0, &b->c0);
	mul_inline(&high, &a->c1, &b->c1);
	mul_inline(&sum_a, &sum_a, &sum_b);
	sub_inline(&out->c0, &low, &high);
	sub_inline(&sum_a, &sum_a, &low);
	sub_inline(&out->c1, &sum_a, &high);
}

/* (a0 + a1·i)² = (a0 + a1)(a0 - a1) + 2·a0·a1·i */
void fp2_sqr(struct fp2 *out, const struct fp2 *a) {
	struct fp sum, difference, product;
	add_inline(&sum, &a->c0, &a->c1);
	sub_inline(&difference, &a->c0, &a->c1);
	mul_inline(&product, &a->c0, &a->c1);
	mul_inline(&out->c0, &sum, &difference);
	add_inline(&out->c1, &product, &product);
}

void fp2_mul_fp(struct fp2 *out, const struct fp2 *a, const struct fp *b) {
	struct fp factor = *b;
	mul_inline(&out->c0, &a->c0, &factor);
	mul_inline(&out->c1, &a->c1, &factor);
}

/* (9 + i)(a0 + a1·i) = (9·a0 - a1) + (9·a1 + a0)·i */
void fp2_mul_xi(struct fp2 *out, const struct fp2 *a) {
	struct fp2 nine;
	fp2_double(&nine, a);
	fp2_double(&nine, &nine);
	fp2_double(&nine, &nine);
	fp2_add(&nine, &nine, a);
	struct fp real = a->c0;
	sub_inline(&out->c0, &nine.c0, &a->c1);
	add_inline(&out->c1, &nine.c1, &real);
}

/* 1/(a0 + a1·i) = (a0 - a1·i) / (a0² + a1²) */
void fp2_inv(struct fp2 *out, const struct fp2 *a) {
	struct fp norm, square;
	fp_sqr(&norm, &a->c0);
	fp_sqr(&square, &a->c1);
	fp_add(&norm, &norm, &square);
	fp_inv(&norm, &norm);
	fp2_conj(out, a);
	fp2_mul_fp(out, out, &norm);
}
