#include "eth/u256.h"

typedef unsigned __int128 u128;

/*
 * Division. Divisors are normalised (top bit set) and replaced by the reciprocal of their top limbs, so that a quotient
 * limb costs two multiplications (Möller and Granlund, "Improved division by invariant integers", 2011: algorithms 4, 5
 * and 6), inside Knuth's algorithm D (TAOCP vol. 2, 4.3.1).
 */

/* floor((2^128 - 1) / d) - 2^64, for a normalised d. */
static uint64_t reciprocal_of_1(uint64_t d) {
	return (uint64_t)(((u128)~d << 64 | UINT64_MAX) / d);
}

/* floor((2^192 - 1) / d1:d0) - 2^64, for a normalised d1. */
static uint64_t reciprocal_of_2(uint64_t d1, uint64_t d0) {
	uint64_t v = reciprocal_of_1(d1);
	uint64_t p = d1 * v + d0;
	if (p < d0) {
		v--;
		if (p >= d1) v--, p -= d1;
		p -= d1;
	}
	const u128 t = (u128)v * d0;
	p += (uint64_t)(t >> 64);
	if (p < (uint64_t)(t >> 64)) {
		v--;
		if (((u128)p << 64 | (uint64_t)t) >= ((u128)d1 << 64 | d0)) v--;
	}
	return v;
}

/* u1:u0 / d with u1 < d; v is the reciprocal of d. */
static inline uint64_t divide_2_by_1(uint64_t *remainder, uint64_t u1, uint64_t u0, uint64_t d, uint64_t v) {
	const u128 q = (u128)v * u1 + ((u128)u1 << 64 | u0);
	uint64_t q1 = (uint64_t)(q >> 64) + 1;
	uint64_t r = u0 - q1 * d;
	if (r > (uint64_t)q) q1--, r += d;
	if (__builtin_expect(r >= d, 0)) q1++, r -= d;
	*remainder = r;
	return q1;
}

/* u2:u1:u0 / d with u2:u1 < d; v is the reciprocal of d. */
static inline uint64_t divide_3_by_2(u128 *remainder, uint64_t u2, uint64_t u1, uint64_t u0, u128 d, uint64_t v) {
	const uint64_t d1 = (uint64_t)(d >> 64), d0 = (uint64_t)d;
	const u128 q = (u128)v * u2 + ((u128)u2 << 64 | u1);
	uint64_t q1 = (uint64_t)(q >> 64);
	u128 r = ((u128)(u1 - q1 * d1) << 64 | u0) - (u128)q1 * d0 - d;
	q1++;
	if ((uint64_t)(r >> 64) >= (uint64_t)q) q1--, r += d;
	if (__builtin_expect(r >= d, 0)) q1++, r -= d;
	*remainder = r;
	return q1;
}

/* One quotient limb of Knuth's D: u[0..n] -= q * v[0..n), q returned. 3 <= n <= 4; u[n]:u[n-1] <= v[n-1]:v[n-2]. */
static uint64_t knuth_step(uint64_t *u, const uint64_t *v, int n, uint64_t reciprocal) {
	const u128 d = (u128)v[n - 1] << 64 | v[n - 2];
	uint64_t q;
	if (__builtin_expect(((u128)u[n] << 64 | u[n - 1]) == d, 0)) {
		q = UINT64_MAX;
	} else {
		u128 ignored;
		q = divide_3_by_2(&ignored, u[n], u[n - 1], u[n - 2], d, reciprocal);
	}
	uint64_t carry = 0, borrow = 0;
	for (int i = 0; i < n; i++) {
		const u128 p = (u128)q * v[i] + carry;
		carry = (uint64_t)(p >> 64);
		const u128 t = (u128)u[i] - (uint64_t)p - borrow;
		u[i] = (uint64_t)t;
		borrow = (uint64_t)(t >> 64) & 1;
	}
	const u128 top = (u128)u[n] - carry - borrow;
	u[n] = (uint64_t)top;
	if (__builtin_expect((uint64_t)(top >> 64) != 0, 0)) { /* q was one too large */
		q--;
		u128 sum = 0;
		for (int i = 0; i < n; i++) {
			sum += (u128)u[i] + v[i];
			u[i] = (uint64_t)sum;
			sum >>= 64;
		}
		u[n] += (uint64_t)sum;
	}
	return q;
}

static int limb_count(const uint64_t *limbs, int n) {
	while (n > 0 && limbs[n - 1] == 0) n--;
	return n;
}

/*
 * quotient[0..count) and remainder of u[0..count) / divisor; divisor != 0, count <= 8. What is above the quotient's
 * highest limb is written as zero.
 */
static void divide(uint64_t *quotient, u256 *remainder, const uint64_t *numerator, int count, const u256 *divisor) {
	const int n = limb_count(divisor->w, 4);
	const int m = limb_count(numerator, count);
	memset(quotient, 0, (size_t)count * sizeof *quotient);
	*remainder = (u256){{0, 0, 0, 0}};
	if (m < n) {
		memcpy(remainder->w, numerator, (size_t)m * sizeof *numerator);
		return;
	}
	const unsigned shift = (unsigned)__builtin_clzll(divisor->w[n - 1]);
	const u256 v = u256_shl(divisor, shift);
	uint64_t u[9];
	uint64_t below = 0;
	for (int i = 0; i < m; i++) {
		u[i] = shift != 0 ? numerator[i] << shift | below >> (64 - shift) : numerator[i];
		below = numerator[i];
	}
	u[m] = shift != 0 ? below >> (64 - shift) : 0;

	if (n == 1) {
		const uint64_t reciprocal = reciprocal_of_1(v.w[0]);
		for (int i = m - 1; i >= 0; i--) quotient[i] = divide_2_by_1(&u[i], u[i + 1], u[i], v.w[0], reciprocal);
	} else if (n == 2) {
		const uint64_t reciprocal = reciprocal_of_2(v.w[1], v.w[0]);
		u128 rest = (u128)u[m] << 64 | u[m - 1];
		for (int i = m - 2; i >= 0; i--)
			quotient[i] = divide_3_by_2(&rest, (uint64_t)(rest >> 64), (uint64_t)rest, u[i],
			    (u128)v.w[1] << 64 | v.w[0], reciprocal);
		u[0] = (uint64_t)rest, u[1] = (uint64_t)(rest >> 64);
	} else {
		const uint64_t reciprocal = reciprocal_of_2(v.w[n - 1], v.w[n - 2]);
		for (int i = m - n; i >= 0; i--) quotient[i] = knuth_step(u + i, v.w, n, reciprocal);
	}
	memcpy(remainder->w, u, (size_t)n * sizeof *u);
	*remainder = u256_shr(remainder, shift);
}

u256 u256_div(const u256 *a, const u256 *b) {
	if (u256_is_zero(b)) return u256_from(0);
	if (u256_fits_u64(a) && u256_fits_u64(b)) return u256_from(a->w[0] / b->w[0]);
	u256 quotient, remainder;
	divide(quotient.w, &remainder, a->w, 4, b);
	return quotient;
}

u256 u256_mod(const u256 *a, const u256 *b) {
	if (u256_is_zero(b)) return u256_from(0);
	if (u256_fits_u64(a) && u256_fits_u64(b)) return u256_from(a->w[0] % b->w[0]);
	u256 quotient, remainder;
	divide(quotient.w, &remainder, a->w, 4, b);
	return remainder;
}

static bool is_negative(const u256 *a) {
	return a->w[3] >> 63 != 0;
}

static u256 negate(const u256 *a) {
	const u256 zero = u256_from(0);
	u256 out;
	u256_sub_overflow(&out, &zero, a);
	return out;
}

static u256 magnitude(const u256 *a) {
	return is_negative(a) ? negate(a) : *a;
}

u256 u256_sdiv(const u256 *a, const u256 *b) {
	const u256 x = magnitude(a), y = magnitude(b);
	const u256 q = u256_div(&x, &y);
	return is_negative(a) != is_negative(b) ? negate(&q) : q;
}

/* The sign is the dividend's. */
u256 u256_smod(const u256 *a, const u256 *b) {
	const u256 x = magnitude(a), y = magnitude(b);
	const u256 r = u256_mod(&x, &y);
	return is_negative(a) ? negate(&r) : r;
}

u256 u256_addmod(const u256 *a, const u256 *b, const u256 *modulus) {
	if (u256_is_zero(modulus)) return u256_from(0);
	u256 sum;
	const bool carry = u256_add_overflow(&sum, a, b);
	if (u256_less(a, modulus) && u256_less(b, modulus)) { /* one subtraction is enough */
		u256 less;
		const bool borrow = u256_sub_overflow(&less, &sum, modulus);
		return carry || !borrow ? less : sum;
	}
	const uint64_t wide[5] = {sum.w[0], sum.w[1], sum.w[2], sum.w[3], carry};
	uint64_t quotient[5];
	u256 remainder;
	divide(quotient, &remainder, wide, 5, modulus);
	return remainder;
}

static void multiply_wide(uint64_t out[8], const u256 *a, const u256 *b) {
	memset(out, 0, 8 * sizeof *out);
	for (int i = 0; i < 4; i++) {
		uint64_t carry = 0;
		for (int j = 0; j < 4; j++) {
			const u128 t = (u128)a->w[i] * b->w[j] + out[i + j] + carry;
			out[i + j] = (uint64_t)t;
			carry = (uint64_t)(t >> 64);
		}
		out[i + 4] = carry;
	}
}

bool u256_mul_overflow(u256 *out, const u256 *a, const u256 *b) {
	uint64_t wide[8];
	multiply_wide(wide, a, b);
	memcpy(out->w, wide, sizeof out->w);
	return (wide[4] | wide[5] | wide[6] | wide[7]) != 0;
}

u256 u256_mulmod(const u256 *a, const u256 *b, const u256 *modulus) {
	if (u256_is_zero(modulus)) return u256_from(0);
	uint64_t wide[8], quotient[8];
	multiply_wide(wide, a, b);
	u256 remainder;
	divide(quotient, &remainder, wide, 8, modulus);
	return remainder;
}

u256 u256_exp(const u256 *base, const u256 *exponent) {
	if (base->w[0] == 2 && u256_fits_u64(base)) {
		const u256 one = u256_from(1);
		return u256_shl(&one, u256_clamp_u64(exponent) < 256 ? (unsigned)exponent->w[0] : 256);
	}
	u256 result = u256_from(1);
	for (unsigned i = u256_bit_length(exponent); i-- > 0;) {
		result = u256_mul(&result, &result);
		if (exponent->w[i / 64] >> (i % 64) & 1) result = u256_mul(&result, base);
	}
	return result;
}

u256 u256_signextend(const u256 *byte_index, const u256 *value) {
	if (u256_clamp_u64(byte_index) >= 31) return *value;
	const unsigned above = 248 - 8 * (unsigned)byte_index->w[0];
	const u256 up = u256_shl(value, above);
	return u256_sar(&up, above);
}

u256 u256_sar(const u256 *value, unsigned bits) {
	if (!is_negative(value)) return u256_shr(value, bits);
	/* Shifting zeros into the complement is shifting ones into the value. */
	const u256 complement = {{~value->w[0], ~value->w[1], ~value->w[2], ~value->w[3]}};
	const u256 out = u256_shr(&complement, bits);
	return (u256){{~out.w[0], ~out.w[1], ~out.w[2], ~out.w[3]}};
}

unsigned u256_bit_length(const u256 *a) {
	for (unsigned i = 4; i-- > 0;)
		if (a->w[i] != 0) return 64 * i + 64 - (unsigned)__builtin_clzll(a->w[i]);
	return 0;
}

struct bytes u256_trimmed_be(uint8_t out[32], const u256 *value) {
	uint8_t whole[32];
	u256_store_be(whole, value);
	const size_t len = u256_byte_length(value);
	memcpy(out, whole + 32 - len, len);
	return bytes_make(out, len);
}

u256 u256_from_be(struct bytes big_endian) {
	uint8_t whole[32] = {0};
	const size_t len = big_endian.len < 32 ? big_endian.len : 32;
	if (len > 0) memcpy(whole + 32 - len, big_endian.data + big_endian.len - len, len);
	return u256_load_be(whole);
}

bool u256_from_decimal(u256 *out, struct bytes text) {
	u256 value = u256_from(0);
	const u256 ten = u256_from(10);
	if (text.len == 0 || text.len > 78) return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') return false;
		const u256 digit = u256_from((uint64_t)(text.data[i] - '0'));
		if (u256_mul_overflow(&value, &value, &ten) || u256_add_overflow(&value, &value, &digit)) return false;
	}
	*out = value;
	return true;
}

void u256_to_decimal(char out[80], const u256 *value) {
	const u256 ten = u256_from(10);
	char digits[80];
	size_t count = 0;
	u256 rest = *value;
	do {
		u256 quotient, digit;
		divide(quotient.w, &digit, rest.w, 4, &ten);
		digits[count++] = (char)('0' + digit.w[0]);
		rest = quotient;
	} while (!u256_is_zero(&rest));
	for (size_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
	out[count] = '\0';
}
