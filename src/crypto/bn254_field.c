#include "crypto/bn254_field.h"

#include "base/bytes.h"
#include "base/status.h"

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

/* What every element is between two calls. */
#ifdef VERIFY
static bool is_reduced(const struct fp *a) {
	uint64_t ignored;
	unsigned char borrow = 0;
	for (int i = 0; i < 4; i++) borrow = sub_borrow(&ignored, a->limb[i], p_limb[i], borrow);
	return borrow;
}
#endif

static inline void add_inline(struct fp *out, const struct fp *a, const struct fp *b) {
	VERIFY_CHECK(is_reduced(a) && is_reduced(b));
	uint64_t sum[4];
	unsigned char carry = add_carry(&sum[0], a->limb[0], b->limb[0], 0);
	carry = add_carry(&sum[1], a->limb[1], b->limb[1], carry);
	carry = add_carry(&sum[2], a->limb[2], b->limb[2], carry);
	add_carry(&sum[3], a->limb[3], b->limb[3], carry); /* no carry: the sum of two is below 2²⁵⁵ */
	reduce_once(out->limb, sum);
	VERIFY_CHECK(is_reduced(out));
}

static inline void sub_inline(struct fp *out, const struct fp *a, const struct fp *b) {
	VERIFY_CHECK(is_reduced(a) && is_reduced(b));
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
	VERIFY_CHECK(is_reduced(out));
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
	VERIFY_CHECK(is_reduced(a) && is_reduced(b));
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
	VERIFY_CHECK(is_reduced(out));
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
	VERIFY_CHECK(is_reduced(a));
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

/*
 * Inversion: Euclid's algorithm in binary. From a = x, b = p, with a = u·x and b = v·x (mod p) kept true, halve a while
 * it is even, and else first subtract the smaller of the two odd numbers from the larger; in the end a = 0, b = 1 and v
 * = 1/x. Thirty-one such turns at a time are decided on 64 bits of each number, and then done to the whole of them at
 * once. If the top bits gave the wrong order of a and b, the result is negative, and its sign is turned. 2·254 - 1
 * turns are enough, so 17 steps; one more does no harm, as b = 1 and v = 1/x stay once a is 0. Four times as fast as
 * Fermat's power x^(p-2).
 *
 * Source: T. Pornin, Optimized Binary GCD for Modular Inversion (IACR ePrint 2020/972).
 */
#define INVERSE_STEPS 18

/* What a step of 31 turns does: (a, b) becomes (a·f0 + b·g0, a·f1 + b·g1) / 2³¹, with |f| + |g| at most 2³¹. */
struct inverse_step {
	int64_t f0, g0, f1, g1;
};

/* The length in bits of the longer one, but at least 64. */
static inline unsigned inverse_len(const struct fp *a, const struct fp *b) {
	for (unsigned i = 3; i > 0; i--) {
		uint64_t either = a->limb[i] | b->limb[i];
		if (either != 0) return 64 * i + 64 - (unsigned)__builtin_clzll(either);
	}
	return 64;
}

/* The 64 bits that stand for a number below 2ˡᵉⁿ: 33 from the top and 31 from the bottom. */
static inline uint64_t inverse_sample(const struct fp *a, unsigned len) {
	unsigned limb = (len - 33) / 64, shift = (len - 33) % 64;
	uint64_t top = a->limb[limb] >> shift;
	if (shift > 31) top |= a->limb[limb + 1] << (64 - shift);
	return (top & 0x1ffffffff) << 31 | (a->limb[0] & 0x7fffffff);
}

/* The turns on samples; without a branch, as it would go either way half the time. */
static inline struct inverse_step inverse_turns(uint64_t a, uint64_t b) {
	int64_t f0 = 1, g0 = 0, f1 = 0, g1 = 1;
	for (int i = 0; i < 31; i++) {
		uint64_t odd = (uint64_t)0 - (a & 1), swap = odd & ((uint64_t)0 - (a < b));
		uint64_t difference = (a ^ b) & swap;
		int64_t difference_f = (f0 ^ f1) & (int64_t)swap, difference_g = (g0 ^ g1) & (int64_t)swap;
		a ^= difference;
		b ^= difference;
		f0 ^= difference_f;
		f1 ^= difference_f;
		g0 ^= difference_g;
		g1 ^= difference_g;
		a = (a - (b & odd)) >> 1;
		f0 -= f1 & (int64_t)odd;
		g0 -= g1 & (int64_t)odd;
		f1 *= 2;
		g1 *= 2;
	}
	return (struct inverse_step){f0, g0, f1, g1};
}

/*
 * out = |a·f + b·g| / 2³¹, which leaves no remainder; true where the sum was negative. A negative factor -y is put as
 * a·(-y) = ¬a·y + y, where ¬a has infinitely many ones above its four limbs; five limbs of the sum are enough.
 */
static inline bool inverse_combine(struct fp *out, const struct fp *a, int64_t f, const struct fp *b, int64_t g) {
	uint64_t f_sign = (uint64_t)(f >> 63), f_size = ((uint64_t)f ^ f_sign) - f_sign;
	uint64_t g_sign = (uint64_t)(g >> 63), g_size = ((uint64_t)g ^ g_sign) - g_sign;
	u128 part_f = f_sign & f_size, part_g = g_sign & g_size;
	uint64_t sum[5];
	unsigned char carry = 0;
	for (int i = 0; i < 4; i++) {
		part_f += (u128)(a->limb[i] ^ f_sign) * f_size;
		part_g += (u128)(b->limb[i] ^ g_sign) * g_size;
		carry = add_carry(&sum[i], (uint64_t)part_f, (uint64_t)part_g, carry);
		part_f >>= 64;
		part_g >>= 64;
	}
	sum[4] = (uint64_t)part_f - (f_sign & f_size) + (uint64_t)part_g - (g_sign & g_size) + carry;
	uint64_t sign = (uint64_t)((int64_t)sum[4] >> 63);
	carry = sign & 1;
	for (int i = 0; i < 5; i++) carry = add_carry(&sum[i], sum[i] ^ sign, 0, carry);
	for (int i = 0; i < 4; i++) out->limb[i] = sum[i] >> 31 | sum[i + 1] << 33;
	return sign != 0;
}

/* out = (u·f + v·g) / 2⁶⁴ mod p: Montgomery's division by one limb. */
static inline void inverse_combine_mod(struct fp *out, const struct fp *u, int64_t f, const struct fp *v, int64_t g) {
	struct fp x = *u, y = *v;
	if (f < 0) sub_inline(&x, &fp_zero, u);
	if (g < 0) sub_inline(&y, &fp_zero, v);
	uint64_t t[5] = {0};
	add_product(t, x.limb, (uint64_t)(f < 0 ? -f : f));
	add_product(t, y.limb, (uint64_t)(g < 0 ? -g : g));
	add_product(t, p_limb, t[0] * p_inverse_neg);
	reduce_once(out->limb, t + 1); /* below (2³¹·p + 2⁶⁴·p) / 2⁶⁴ < 2p */
}

void fp_inv(struct fp *out, const struct fp *x) {
	/*
	 * v is divided by 2⁶⁴ in each step where 2³¹ would be right, and the limbs of x hold a factor R. So the product
	 * of v and R³·2^(33·18) is due, of which Montgomery's product takes one R away.
	 */
	static const struct fp correction = {
	    {0xc50c15eae3d1f0f6, 0xaab47c6b16a42966, 0x57541ed546a7e7ab, 0x17937994215bb09c}};
	struct fp a = *x, b = {{p_limb[0], p_limb[1], p_limb[2], p_limb[3]}};
	struct fp u = {{1, 0, 0, 0}}, v = fp_zero;
	for (int i = 0; i < INVERSE_STEPS; i++) {
		unsigned len = inverse_len(&a, &b);
		struct inverse_step step = inverse_turns(inverse_sample(&a, len), inverse_sample(&b, len));
		struct fp a_old = a, u_old = u;
		if (inverse_combine(&a, &a_old, step.f0, &b, step.g0)) {
			step.f0 = -step.f0;
			step.g0 = -step.g0;
		}
		if (inverse_combine(&b, &a_old, step.f1, &b, step.g1)) {
			step.f1 = -step.f1;
			step.g1 = -step.g1;
		}
		inverse_combine_mod(&u, &u_old, step.f0, &v, step.g0);
		inverse_combine_mod(&v, &u_old, step.f1, &v, step.g1);
	}
	mul_inline(out, &v, &correction);
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
