#include "eth/u256.h"

#include "base/status.h"

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

/* out = the low limbs of a * b; the highest is returned. */
static inline uint64_t multiply_limb(u256 *out, const u256 *a, uint64_t b) {
	const u128 t0 = (u128)a->w[0] * b;
	const u128 t1 = (u128)a->w[1] * b + (uint64_t)(t0 >> 64);
	const u128 t2 = (u128)a->w[2] * b + (uint64_t)(t1 >> 64);
	const u128 t3 = (u128)a->w[3] * b + (uint64_t)(t2 >> 64);
	*out = (u256){{(uint64_t)t0, (uint64_t)t1, (uint64_t)t2, (uint64_t)t3}};
	return (uint64_t)(t3 >> 64);
}

/* One quotient limb of Knuth's D: rest:next / v, whose remainder becomes the rest. rest < v, v is normalised. */
static inline uint64_t knuth_step(u256 *rest, uint64_t next, const u256 *v, uint64_t reciprocal) {
	const uint64_t top = rest->w[3];
	u256 low = {{next, rest->w[0], rest->w[1], rest->w[2]}}, product;
	uint64_t q = UINT64_MAX;
	if (__builtin_expect(top != v->w[3] || low.w[3] != v->w[2], 1)) {
		u128 ignored;
		q = divide_3_by_2(&ignored, top, low.w[3], low.w[2], (u128)v->w[3] << 64 | v->w[2], reciprocal);
	}
	const uint64_t carry = multiply_limb(&product, v, q);
	const bool borrow = u256_sub_overflow(&low, &low, &product);
	if (__builtin_expect(top - carry - borrow != 0, 0)) { /* q was one too large */
		q--;
		u256_add_overflow(&low, &low, v);
	}
	*rest = low;
	return q;
}

static int limb_count(const uint64_t *limbs, int n) {
	while (n > 0 && limbs[n - 1] == 0) n--;
	return n;
}

/* The upper limb of high:low << shift, and the lower of high:low >> shift; 0 <= shift < 64. */
static inline uint64_t upper_limb(uint64_t high, uint64_t low, unsigned shift) {
	return high << shift | low >> 1 >> (63 - shift);
}

static inline uint64_t lower_limb(uint64_t high, uint64_t low, unsigned shift) {
	return low >> shift | high << 1 << (63 - shift);
}

/* out[0..m] = numerator[0..m) << shift. */
static inline void shift_up(uint64_t *out, const uint64_t *numerator, int m, unsigned shift) {
	uint64_t below = 0;
	for (int i = 0; i < m; i++) {
		out[i] = upper_limb(numerator[i], below, shift);
		below = numerator[i];
	}
	out[m] = upper_limb(0, below, shift);
}

/* By one limb or two: n <= m. */
static void divide_by_few(
    uint64_t *quotient, u256 *remainder, const uint64_t *numerator, int m, const u256 *divisor, int n) {
	const unsigned shift = (unsigned)__builtin_clzll(divisor->w[n - 1]);
	const uint64_t d0 = divisor->w[0] << shift, d1 = upper_limb(divisor->w[1], divisor->w[0], shift);
	uint64_t u[9];
	shift_up(u, numerator, m, shift);
	if (n == 1) {
		const uint64_t reciprocal = reciprocal_of_1(d0);
		for (int i = m - 1; i >= 0; i--) quotient[i] = divide_2_by_1(&u[i], u[i + 1], u[i], d0, reciprocal);
		*remainder = u256_from(u[0] >> shift);
		return;
	}
	const uint64_t reciprocal = reciprocal_of_2(d1, d0);
	u128 rest = (u128)u[m] << 64 | u[m - 1];
	for (int i = m - 2; i >= 0; i--)
		quotient[i] =
		    divide_3_by_2(&rest, (uint64_t)(rest >> 64), (uint64_t)rest, u[i], (u128)d1 << 64 | d0, reciprocal);
	rest >>= shift;
	*remainder = (u256){{(uint64_t)rest, (uint64_t)(rest >> 64), 0, 0}};
}

/* By three limbs or four: n <= m. Divisor and numerator are moved up until the divisor fills four limbs. */
static void divide_by_many(
    uint64_t *quotient, u256 *remainder, const uint64_t *numerator, int m, const u256 *divisor, int n) {
	const unsigned shift = (unsigned)__builtin_clzll(divisor->w[n - 1]);
	const uint64_t *d = divisor->w;
	const uint64_t d0 = d[0] << shift, d1 = upper_limb(d[1], d[0], shift), d2 = upper_limb(d[2], d[1], shift);
	const u256 v = n == 4 ? (u256){{d0, d1, d2, upper_limb(d[3], d[2], shift)}} : (u256){{0, d0, d1, d2}};
	const uint64_t reciprocal = reciprocal_of_2(v.w[3], v.w[2]);
	uint64_t u[10] = {0};
	shift_up(u + 4 - n, numerator, m, shift);
	int i = m - n;
	if (u[i + 4] == 0 && u[i + 3] < v.w[3]) i--; /* this limb of the quotient is zero */
	u256 rest = {{u[i + 1], u[i + 2], u[i + 3], u[i + 4]}};
	for (; i >= 0; i--) quotient[i] = knuth_step(&rest, u[i], &v, reciprocal);
	if (n == 3) rest = (u256){{rest.w[1], rest.w[2], rest.w[3], 0}};
	*remainder = (u256){{lower_limb(rest.w[1], rest.w[0], shift), lower_limb(rest.w[2], rest.w[1], shift),
	    lower_limb(rest.w[3], rest.w[2], shift), rest.w[3] >> shift}};
}

#ifdef VERIFY
/* numerator = quotient * divisor + remainder, and remainder < divisor: what a division is, by the schoolbook. */
static bool is_division(
    const uint64_t *numerator, const uint64_t *quotient, int count, const u256 *divisor, const u256 *remainder) {
	uint64_t total[13] = {remainder->w[0], remainder->w[1], remainder->w[2], remainder->w[3]};
	for (int i = 0; i < count; i++) {
		unsigned __int128 carry = 0;
		for (int k = 0; k < 4; k++) {
			carry += (unsigned __int128)quotient[i] * divisor->w[k] + total[i + k];
			total[i + k] = (uint64_t)carry;
			carry >>= 64;
		}
		for (int k = i + 4; carry; k++) {
			carry += total[k];
			total[k] = (uint64_t)carry;
			carry >>= 64;
		}
	}
	for (int i = 0; i < 13; i++)
		if (total[i] != (i < count ? numerator[i] : 0)) return false;
	return u256_less(remainder, divisor);
}
#endif

/*
 * quotient[0..count) and remainder of numerator[0..count) / divisor; divisor != 0, count <= 8. What is above the
 * quotient's highest limb is written as zero.
 */
static inline void divide(
    uint64_t *quotient, u256 *remainder, const uint64_t *numerator, int count, const u256 *divisor) {
	const int n = limb_count(divisor->w, 4), m = limb_count(numerator, count);
	for (int i = 0; i < count; i++) quotient[i] = 0;
	if (m < n)
		*remainder = (u256){{numerator[0], numerator[1], numerator[2], numerator[3]}};
	else if (n > 2)
		divide_by_many(quotient, remainder, numerator, m, divisor, n);
	else
		divide_by_few(quotient, remainder, numerator, m, divisor, n);
	VERIFY_CHECK(is_division(numerator, quotient, count, divisor, remainder));
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

static inline void multiply_wide(uint64_t out[8], const u256 *a, const u256 *b) {
	u256 sum, row;
	uint64_t high = multiply_limb(&sum, a, b->w[0]);
	for (int i = 1; i < 4; i++) {
		out[i - 1] = sum.w[0];
		sum = (u256){{sum.w[1], sum.w[2], sum.w[3], high}};
		high = multiply_limb(&row, a, b->w[i]);
		high += u256_add_overflow(&sum, &sum, &row);
	}
	for (int i = 0; i < 4; i++) out[3 + i] = sum.w[i];
	out[7] = high;
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
