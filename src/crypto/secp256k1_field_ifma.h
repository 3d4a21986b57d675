/*
 * Inside crypto/: the field of secp256k1, p = 2^256 - 2^32 - 977, eight elements at a time (AVX-512 IFMA),
 * and the eight lanes themselves. secp256k1_lanes.c is written over this header or secp256k1_field_avx2.h, whose names
 * are the same.
 *
 * An element is five limbs of 52 bits, limb i of all eight in n[i]. Every function takes and gives elements that are
 * settled: each limb below 2^52, as IFMA reads no more, and the value below 2^256 + 2^220; it is reduced to the end
 * only by fe_reduce.
 */
#ifndef CRYPTO_SECP256K1_FIELD_IFMA_H
#define CRYPTO_SECP256K1_FIELD_IFMA_H

#include <immintrin.h>
#include <stdint.h>

#define FE_INLINE static inline __attribute__((always_inline))

enum { LANES = 8, FE_LIMBS = 5, FE_BITS = 52, FE_EXCESS_BITS = 220 };
#define FE_LIMB_MAX 0xfffffffffffffll
#define FE_TOP_MASK 0xffffffffffffll
#define FE_TOP_MAX FE_LIMB_MAX

/* --- lanes --- */

typedef __m512i wide;
typedef __mmask8 lane_mask;

FE_INLINE wide wide_all(int64_t value) {
	return _mm512_set1_epi64(value);
}

FE_INLINE wide wide_load(const void *lanes) {
	return _mm512_loadu_si512(lanes);
}

/* Where each lane's number stands in a table: `at` times `step`, in lane i plus `lane_step` i. */
FE_INLINE wide wide_places(wide at, int step, int lane_step) {
	const wide lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
	return _mm512_add_epi64(_mm512_mullo_epi64(at, wide_all(step)), _mm512_mullo_epi64(lane, wide_all(lane_step)));
}

FE_INLINE wide wide_gather(const uint64_t *table, wide places) {
	return _mm512_i64gather_epi64(places, (const long long *)table, 8);
}

FE_INLINE lane_mask lanes_negative(wide a) {
	return _mm512_movepi64_mask(a);
}

FE_INLINE lane_mask lanes_odd(wide a) {
	return _mm512_test_epi64_mask(a, wide_all(1));
}

FE_INLINE lane_mask lanes_differ(lane_mask a, lane_mask b) {
	return (lane_mask)(a ^ b);
}

FE_INLINE unsigned lanes_bits(lane_mask mask) {
	return mask;
}

/* floor(|a| / 2) */
FE_INLINE wide wide_half(wide a) {
	return _mm512_srli_epi64(_mm512_abs_epi64(a), 1);
}

/* --- elements --- */

typedef struct {
	wide n[FE_LIMBS];
} fe;

#include "crypto/secp256k1_field_verify.h"

/* An element as tables keep it. */
typedef fe fe_packed;

FE_INLINE fe_packed fe_pack(const fe *a) {
	return *a;
}

FE_INLINE fe fe_unpack(const fe_packed *a) {
	return *a;
}

#define FE_FOLD 0x1000003d1ll /* 2^256 mod p */

static const uint64_t fe_prime[5] = {
    0xffffefffffc2f, 0xfffffffffffff, 0xfffffffffffff, 0xfffffffffffff, 0x0ffffffffffff};

/*
 * Settles limbs that are not negative and below 2^62, with `above` over them, which counts from bit 260. What lies over
 * bit 256 is folded into the lowest limbs first; then carries run upwards, once.
 */
FE_INLINE fe fe_settle(const __m512i *limbs, __m512i above) {
	const __m512i mask = wide_all(FE_LIMB_MAX), fold = wide_all(FE_FOLD);
	const __m512i over = _mm512_add_epi64(_mm512_srli_epi64(limbs[4], 48), _mm512_slli_epi64(above, 4));
	fe out;
	__m512i sum = _mm512_madd52lo_epu64(limbs[0], over, fold);
	out.n[0] = _mm512_and_si512(sum, mask);
	sum = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), _mm512_madd52hi_epu64(limbs[1], over, fold));
	out.n[1] = _mm512_and_si512(sum, mask);
	sum = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), limbs[2]);
	out.n[2] = _mm512_and_si512(sum, mask);
	sum = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), limbs[3]);
	out.n[3] = _mm512_and_si512(sum, mask);
	out.n[4] = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), _mm512_and_si512(limbs[4], wide_all(FE_TOP_MASK)));
	fe_verify(&out);
	return out;
}

/* A product of ten limbs, each below 2^56 and the whole below 2^520, modulo p. */
FE_INLINE fe fe_fold_product(__m512i *c) {
	const __m512i mask = wide_all(FE_LIMB_MAX), fold = wide_all(FE_FOLD << 4); /* 2^260 mod p */
	const __m512i zero = _mm512_setzero_si512();
	__m512i above = zero;
	for (int i = 5; i < 9; i++) {
		c[i + 1] = _mm512_add_epi64(c[i + 1], _mm512_srli_epi64(c[i], 52));
		c[i] = _mm512_and_si512(c[i], mask);
	}
	for (int i = 0; i < 5; i++) c[i] = _mm512_madd52lo_epu64(c[i], c[i + 5], fold);
	for (int i = 0; i < 4; i++) c[i + 1] = _mm512_madd52hi_epu64(c[i + 1], c[i + 5], fold);
	above = _mm512_madd52hi_epu64(zero, c[9], fold);
	return fe_settle(c, above);
}

FE_INLINE fe fe_mul(const fe *a, const fe *b) {
	fe_verify(a);
	fe_verify(b);
	__m512i c[10];
	for (int i = 0; i < 10; i++) c[i] = _mm512_setzero_si512();
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 5; k++) {
			c[i + k] = _mm512_madd52lo_epu64(c[i + k], a->n[i], b->n[k]);
			c[i + k + 1] = _mm512_madd52hi_epu64(c[i + k + 1], a->n[i], b->n[k]);
		}
	return fe_fold_product(c);
}

FE_INLINE fe fe_sqr(const fe *a) {
	fe_verify(a);
	__m512i c[10];
	for (int i = 0; i < 10; i++) c[i] = _mm512_setzero_si512();
	for (int i = 0; i < 5; i++)
		for (int k = i + 1; k < 5; k++) {
			c[i + k] = _mm512_madd52lo_epu64(c[i + k], a->n[i], a->n[k]);
			c[i + k + 1] = _mm512_madd52hi_epu64(c[i + k + 1], a->n[i], a->n[k]);
		}
	for (int i = 0; i < 10; i++) c[i] = _mm512_add_epi64(c[i], c[i]);
	for (int i = 0; i < 5; i++) {
		c[2 * i] = _mm512_madd52lo_epu64(c[2 * i], a->n[i], a->n[i]);
		c[2 * i + 1] = _mm512_madd52hi_epu64(c[2 * i + 1], a->n[i], a->n[i]);
	}
	return fe_fold_product(c);
}

/* A limb, `factor` times (1, 2, 3, 4 or 8). */
FE_INLINE __m512i fe_times(__m512i limb, unsigned factor) {
	if (factor == 3) return _mm512_add_epi64(limb, _mm512_slli_epi64(limb, 1));
	return _mm512_sllv_epi64(limb, wide_all(factor == 8 ? 3 : factor == 4 ? 2 : factor - 1));
}

/* x a - y b - z c, for factors that fe_times knows; z may be 0. */
FE_INLINE fe fe_diff(unsigned x, const fe *a, unsigned y, const fe *b, unsigned z, const fe *c) {
	const unsigned lift = y + z;
	__m512i limbs[5];
	for (int i = 0; i < 5; i++) {
		/* (lift + 1) p, with each limb large enough for what is taken off */
		const uint64_t lent = i < 4 ? (uint64_t)lift << 52 : 0, borrowed = i > 0 ? lift : 0;
		limbs[i] = wide_all((int64_t)((lift + 1) * fe_prime[i] + lent - borrowed));
		limbs[i] = _mm512_add_epi64(limbs[i], fe_times(a->n[i], x));
		limbs[i] = _mm512_sub_epi64(limbs[i], fe_times(b->n[i], y));
		if (z) limbs[i] = _mm512_sub_epi64(limbs[i], fe_times(c->n[i], z));
	}
	return fe_settle(limbs, _mm512_setzero_si512());
}

/* x a + y b. */
FE_INLINE fe fe_sum(unsigned x, const fe *a, unsigned y, const fe *b) {
	__m512i limbs[5];
	for (int i = 0; i < 5; i++) limbs[i] = _mm512_add_epi64(fe_times(a->n[i], x), fe_times(b->n[i], y));
	return fe_settle(limbs, _mm512_setzero_si512());
}

FE_INLINE fe fe_triple(const fe *a) {
	__m512i limbs[5];
	for (int i = 0; i < 5; i++) limbs[i] = fe_times(a->n[i], 3);
	return fe_settle(limbs, _mm512_setzero_si512());
}

/* Where `lanes` says so the negative, else the same. */
FE_INLINE fe fe_negate_where(const fe *a, __mmask8 lanes) {
	const fe zero = {{_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
	    _mm512_setzero_si512(), _mm512_setzero_si512()}};
	fe out = fe_diff(1, &zero, 1, a, 0, a);
	for (int i = 0; i < 5; i++) out.n[i] = _mm512_mask_blend_epi64(lanes, a->n[i], out.n[i]);
	return out;
}

/* The one representative below p. */
FE_INLINE fe fe_reduce(const fe *a) {
	const __m512i mask = wide_all(FE_LIMB_MAX);
	fe less; /* a - p + 2^256: at least 2^256 where a >= p */
	__m512i sum = _mm512_add_epi64(a->n[0], wide_all(FE_FOLD));
	for (int i = 0; i < 4; i++) {
		less.n[i] = _mm512_and_si512(sum, mask);
		sum = _mm512_add_epi64(a->n[i + 1], _mm512_srli_epi64(sum, 52));
	}
	less.n[4] = _mm512_and_si512(sum, wide_all(FE_TOP_MASK));
	const __mmask8 over = _mm512_cmpneq_epi64_mask(_mm512_srli_epi64(sum, 48), _mm512_setzero_si512());
	for (int i = 0; i < 5; i++) less.n[i] = _mm512_mask_blend_epi64(over, a->n[i], less.n[i]);
	return less;
}

/* Which lanes are zero modulo p. */
FE_INLINE __mmask8 fe_is_zero(const fe *a) {
	const fe least = fe_reduce(a);
	__m512i any = least.n[0];
	for (int i = 1; i < 5; i++) any = _mm512_or_si512(any, least.n[i]);
	return _mm512_testn_epi64_mask(any, any);
}

#endif
