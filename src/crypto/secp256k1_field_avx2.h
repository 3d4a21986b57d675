/*
 * Inside crypto/: the field of secp256k1, p = 2^256 - 2^32 - 977, four elements at a time (AVX2), and the four lanes
 * themselves. secp256k1_lanes.c is written over this header or secp256k1_field_ifma.h, whose names are the same.
 *
 * An element is ten limbs of 26 bits, limb i of all lanes in n[i]. Every function takes and gives elements that are
 * settled: limbs 0 to 8 at most 2^26 + 2^16, limb 9 below 2^22 + 2^5, so that columns of products stay below 2^56; the
 * value is reduced to the end only by fe_reduce.
 */
#ifndef CRYPTO_SECP256K1_FIELD_AVX2_H
#define CRYPTO_SECP256K1_FIELD_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define FE_INLINE static inline __attribute__((always_inline))

enum { LANES = 4, FE_LIMBS = 10, FE_BITS = 26, FE_TOP_BITS = 22, FE_EXCESS_BITS = 239 };
enum { FE_LIMB_MAX = (1 << 26) + (1 << 16), FE_TOP_MAX = (1 << 22) + (1 << 5) - 1 };
enum { FE_MASK = (1 << FE_BITS) - 1, FE_TOP_MASK = (1 << FE_TOP_BITS) - 1 };
/* 2^256 mod p is FE_FOLD + 2^32, and 2^32 is 2^FE_FOLD_NEXT in the next limb. */
enum { FE_FOLD = 977, FE_FOLD_NEXT = 6 };

/* --- lanes --- */

typedef __m256i wide;
typedef wide lane_mask; /* all bits of a lane, or none */

FE_INLINE wide wide_all(int64_t value) {
	return _mm256_set1_epi64x(value);
}

FE_INLINE wide wide_load(const void *lanes) {
	return _mm256_loadu_si256(lanes);
}

/* Where each lane's number stands in a table: `at` times `step`, in lane i plus `lane_step` i. Both below 2^32. */
FE_INLINE wide wide_places(wide at, int step, int lane_step) {
	const wide lane = _mm256_setr_epi64x(0, lane_step, 2 * lane_step, 3 * lane_step);
	return _mm256_add_epi64(_mm256_mul_epu32(at, wide_all(step)), lane);
}

FE_INLINE wide wide_gather(const uint64_t *table, wide places) {
	return _mm256_i64gather_epi64((const long long *)table, places, 8);
}

FE_INLINE lane_mask lanes_negative(wide a) {
	return _mm256_cmpgt_epi64(_mm256_setzero_si256(), a);
}

FE_INLINE lane_mask lanes_odd(wide a) {
	return lanes_negative(_mm256_slli_epi64(a, 63));
}

FE_INLINE lane_mask lanes_differ(lane_mask a, lane_mask b) {
	return _mm256_xor_si256(a, b);
}

FE_INLINE unsigned lanes_bits(lane_mask mask) {
	return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(mask));
}

/* floor(|a| / 2) */
FE_INLINE wide wide_half(wide a) {
	const lane_mask negative = lanes_negative(a);
	return _mm256_srli_epi64(_mm256_sub_epi64(_mm256_xor_si256(a, negative), negative), 1);
}

/* --- elements --- */

typedef struct {
	wide n[FE_LIMBS];
} fe;

#include "crypto/secp256k1_field_verify.h"

/* An element as tables keep it: five numbers of 52 bits or a little more, each of two limbs. */
typedef struct {
	wide n[5];
} fe_packed;

FE_INLINE fe_packed fe_pack(const fe *a) {
	fe_packed out;
	for (int i = 0; i < 5; i++) {
		const wide low = a->n[2 * i], high = a->n[2 * i + 1];
		out.n[i] = _mm256_add_epi64(low, _mm256_slli_epi64(high, FE_BITS));
	}
	return out;
}

FE_INLINE fe fe_unpack(const fe_packed *a) {
	fe out;
	for (int i = 0; i < 5; i++) {
		out.n[2 * i] = _mm256_and_si256(a->n[i], wide_all(FE_MASK));
		out.n[2 * i + 1] = _mm256_srli_epi64(a->n[i], FE_BITS);
	}
	return out;
}

/* Carries from limb to limb, all at once: for limbs below 2^31. */
FE_INLINE fe fe_settle(const wide *limbs) {
	fe out;
	const wide over = _mm256_srli_epi64(limbs[9], FE_TOP_BITS);
	wide sum = _mm256_mul_epu32(over, wide_all(FE_FOLD));
	out.n[0] = _mm256_add_epi64(_mm256_and_si256(limbs[0], wide_all(FE_MASK)), sum);
	sum = _mm256_slli_epi64(over, FE_FOLD_NEXT);
#pragma GCC unroll 10
	for (int i = 1; i < FE_LIMBS; i++) {
		sum = _mm256_add_epi64(sum, _mm256_and_si256(limbs[i], wide_all(i < 9 ? FE_MASK : FE_TOP_MASK)));
		out.n[i] = _mm256_add_epi64(sum, _mm256_srli_epi64(limbs[i - 1], FE_BITS));
		sum = _mm256_setzero_si256();
	}
	fe_verify(&out);
	return out;
}

/* Limb i keeps its 26 bits, what is above goes into the next limb. */
FE_INLINE void fe_carry(fe *a, int from, int to) {
#pragma GCC unroll 10
	for (int i = from; i < to; i++) {
		const wide above = _mm256_srli_epi64(a->n[i], FE_BITS);
		a->n[i + 1] = _mm256_add_epi64(a->n[i + 1], above);
		a->n[i] = _mm256_and_si256(a->n[i], wide_all(FE_MASK));
	}
}

/* Adds 2^256 mod p, `times` times, which is below 2^35 and so is multiplied in two parts. */
FE_INLINE void fe_add_fold(fe *a, wide times) {
	const wide low = _mm256_and_si256(times, wide_all(FE_MASK)), high = _mm256_srli_epi64(times, FE_BITS);
	const wide fold = wide_all(FE_FOLD);
	a->n[0] = _mm256_add_epi64(a->n[0], _mm256_mul_epu32(low, fold));
	a->n[1] = _mm256_add_epi64(a->n[1], _mm256_slli_epi64(times, FE_FOLD_NEXT));
	a->n[1] = _mm256_add_epi64(a->n[1], _mm256_mul_epu32(high, fold));
}

/* Column k of a product: all a_i b_(k - i). Of a square, `b` is twice a, and each pair of limbs is met once. */
FE_INLINE wide fe_column(const fe *a, const fe *b, int k, bool is_square) {
	const int first = k < 10 ? 0 : k - 9, last = is_square ? (k + 1) / 2 - 1 : k - first;
	wide sum = _mm256_setzero_si256();
	if (is_square && k % 2 == 0) sum = _mm256_mul_epu32(a->n[k / 2], a->n[k / 2]);
#pragma GCC unroll 10
	for (int i = first; i <= last; i++) sum = _mm256_add_epi64(sum, _mm256_mul_epu32(b->n[i], a->n[k - i]));
	return sum;
}

/*
 * Columns are below 2^56. Those from bit 260 on become digits, which 2^260 mod p, 2^4 FE_FOLD + 2^36, brings down into
 * the others. What then lies above bit 256 is below 2^35, and limb 2 ends at most 2^15 above 26 bits.
 */
FE_INLINE void fe_product(fe *out, const fe *a, const fe *b, bool is_square) {
	const wide mask = wide_all(FE_MASK);
	wide high[FE_LIMBS], sum = _mm256_setzero_si256();
#pragma GCC unroll 9
	for (int i = 0; i < 9; i++) {
		sum = _mm256_add_epi64(_mm256_srli_epi64(sum, FE_BITS), fe_column(a, b, 10 + i, is_square));
		high[i] = _mm256_and_si256(sum, mask);
	}
	high[9] = _mm256_srli_epi64(sum, FE_BITS);
	sum = _mm256_setzero_si256();
#pragma GCC unroll 10
	for (int i = 0; i < FE_LIMBS; i++) {
		wide column = fe_column(a, b, i, is_square);
		column = _mm256_add_epi64(column, _mm256_mul_epu32(high[i], wide_all(FE_FOLD << 4)));
		if (i > 0) column = _mm256_add_epi64(column, _mm256_slli_epi64(high[i - 1], 10));
		sum = _mm256_add_epi64(_mm256_srli_epi64(sum, FE_BITS), column);
		out->n[i] = _mm256_and_si256(sum, i < 9 ? mask : wide_all(FE_TOP_MASK));
	}
	fe_add_fold(out, _mm256_add_epi64(_mm256_srli_epi64(sum, FE_TOP_BITS), _mm256_slli_epi64(high[9], 14)));
	fe_carry(out, 0, 2);
}

FE_INLINE fe fe_mul(const fe *a, const fe *b) {
	fe_verify(a);
	fe_verify(b);
	fe out;
	fe_product(&out, a, b, false);
	return out;
}

FE_INLINE fe fe_sqr(const fe *a) {
	fe_verify(a);
	fe out, twice;
	for (int i = 0; i < FE_LIMBS; i++) twice.n[i] = _mm256_add_epi64(a->n[i], a->n[i]);
	fe_product(&out, a, &twice, true);
	return out;
}

/* A limb, `factor` times (1, 2, 3, 4 or 8). */
FE_INLINE wide fe_times(wide limb, unsigned factor) {
	if (factor == 3) return _mm256_add_epi64(limb, _mm256_slli_epi64(limb, 1));
	return _mm256_slli_epi64(limb, factor == 8 ? 3 : factor == 4 ? 2 : (int)factor - 1);
}

/* x a - y b - z c, for factors that fe_times knows; z may be 0. */
FE_INLINE fe fe_diff(unsigned x, const fe *a, unsigned y, const fe *b, unsigned z, const fe *c) {
	static const int64_t prime[FE_LIMBS] = {0x3fffc2f, 0x3ffffbf, 0x3ffffff, 0x3ffffff, 0x3ffffff, 0x3ffffff,
	    0x3ffffff, 0x3ffffff, 0x3ffffff, 0x3fffff};
	wide limbs[FE_LIMBS];
#pragma GCC unroll 10
	for (int i = 0; i < FE_LIMBS; i++) {
		/* a multiple of p whose every limb is larger than what is taken off */
		limbs[i] = _mm256_add_epi64(wide_all(2 * (y + z + 1) * prime[i]), fe_times(a->n[i], x));
		limbs[i] = _mm256_sub_epi64(limbs[i], fe_times(b->n[i], y));
		if (z) limbs[i] = _mm256_sub_epi64(limbs[i], fe_times(c->n[i], z));
	}
	return fe_settle(limbs);
}

/* x a + y b. */
FE_INLINE fe fe_sum(unsigned x, const fe *a, unsigned y, const fe *b) {
	wide limbs[FE_LIMBS];
	for (int i = 0; i < FE_LIMBS; i++) limbs[i] = _mm256_add_epi64(fe_times(a->n[i], x), fe_times(b->n[i], y));
	return fe_settle(limbs);
}

FE_INLINE fe fe_triple(const fe *a) {
	return fe_sum(1, a, 2, a);
}

/* Where `lanes` says so `b`, else `a`. */
FE_INLINE fe fe_choose(const fe *a, const fe *b, lane_mask lanes) {
	fe out;
	for (int i = 0; i < FE_LIMBS; i++) out.n[i] = _mm256_blendv_epi8(a->n[i], b->n[i], lanes);
	return out;
}

/* Where `lanes` says so the negative, else the same. */
FE_INLINE fe fe_negate_where(const fe *a, lane_mask lanes) {
	static const fe zero;
	const fe negative = fe_diff(1, &zero, 1, a, 0, a);
	return fe_choose(a, &negative, lanes);
}

/* The one representative below p, its limbs below 2^26. */
FE_INLINE fe fe_reduce(const fe *a) {
	fe out = *a, less; /* less: a - p + 2^256, at least 2^256 where a >= p */
	fe_carry(&out, 0, 9);
	const wide over = _mm256_srli_epi64(out.n[9], FE_TOP_BITS);
	out.n[9] = _mm256_and_si256(out.n[9], wide_all(FE_TOP_MASK));
	fe_add_fold(&out, over);
	fe_carry(&out, 0, 9);
	less = out;
	fe_add_fold(&less, wide_all(1));
	fe_carry(&less, 0, 9);
	const lane_mask is_over = _mm256_cmpgt_epi64(less.n[9], wide_all(FE_TOP_MASK));
	less.n[9] = _mm256_and_si256(less.n[9], wide_all(FE_TOP_MASK));
	return fe_choose(&out, &less, is_over);
}

/* Which lanes are zero modulo p. */
FE_INLINE lane_mask fe_is_zero(const fe *a) {
	const fe least = fe_reduce(a);
	wide any = least.n[0];
	for (int i = 1; i < FE_LIMBS; i++) any = _mm256_or_si256(any, least.n[i]);
	return _mm256_cmpeq_epi64(any, _mm256_setzero_si256());
}

#endif
