/*
 * Inside crypto/: the field of secp256k1, p = 2^256 - 2^32 - 977, eight elements at a time (AVX-512 IFMA).
 *
 * An element is five limbs of 52 bits, limb i of all eight in n[i]. Every function takes and gives elements that are
 * settled: each limb below 2^52, as IFMA reads no more, and the value below 2^256 + 2^220; it is reduced to the end
 * only by fe8_reduce.
 */
#ifndef CRYPTO_SECP256K1_FIELD8_H
#define CRYPTO_SECP256K1_FIELD8_H

#include <immintrin.h>
#include <stdint.h>

typedef struct {
	__m512i n[5];
} fe8;

#define FE8_LIMB_MAX 0xfffffffffffffll /* limbs 0 to 3 */
#define FE8_TOP_MAX 0xffffffffffffll
#define FE8_FOLD 0x1000003d1ll /* 2^256 mod p */

static const uint64_t fe8_prime[5] = {
    0xffffefffffc2f, 0xfffffffffffff, 0xfffffffffffff, 0xfffffffffffff, 0x0ffffffffffff};

#define FE8_INLINE static inline __attribute__((always_inline))

FE8_INLINE __m512i fe8_all(int64_t value) {
	return _mm512_set1_epi64(value);
}

/*
 * Settles limbs that are not negative and below 2^62, with `above` over them, which counts from bit 260. What lies over
 * bit 256 is folded into the lowest limbs first; then carries run upwards, once.
 */
FE8_INLINE fe8 fe8_settle(const __m512i *limbs, __m512i above) {
	const __m512i mask = fe8_all(FE8_LIMB_MAX), fold = fe8_all(FE8_FOLD);
	const __m512i over = _mm512_add_epi64(_mm512_srli_epi64(limbs[4], 48), _mm512_slli_epi64(above, 4));
	fe8 out;
	__m512i sum = _mm512_madd52lo_epu64(limbs[0], over, fold);
	out.n[0] = _mm512_and_si512(sum, mask);
	sum = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), _mm512_madd52hi_epu64(limbs[1], over, fold));
	out.n[1] = _mm512_and_si512(sum, mask);
	sum = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), limbs[2]);
	out.n[2] = _mm512_and_si512(sum, mask);
	sum = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), limbs[3]);
	out.n[3] = _mm512_and_si512(sum, mask);
	out.n[4] = _mm512_add_epi64(_mm512_srli_epi64(sum, 52), _mm512_and_si512(limbs[4], fe8_all(FE8_TOP_MAX)));
	return out;
}

/* A product of ten limbs, each below 2^56 and the whole below 2^520, modulo p. */
FE8_INLINE fe8 fe8_fold_product(__m512i *c) {
	const __m512i mask = fe8_all(FE8_LIMB_MAX), fold = fe8_all(FE8_FOLD << 4); /* 2^260 mod p */
	const __m512i zero = _mm512_setzero_si512();
	__m512i above = zero;
	for (int i = 5; i < 9; i++) {
		c[i + 1] = _mm512_add_epi64(c[i + 1], _mm512_srli_epi64(c[i], 52));
		c[i] = _mm512_and_si512(c[i], mask);
	}
	for (int i = 0; i < 5; i++) c[i] = _mm512_madd52lo_epu64(c[i], c[i + 5], fold);
	for (int i = 0; i < 4; i++) c[i + 1] = _mm512_madd52hi_epu64(c[i + 1], c[i + 5], fold);
	above = _mm512_madd52hi_epu64(zero, c[9], fold);
	return fe8_settle(c, above);
}

FE8_INLINE fe8 fe8_mul(const fe8 *a, const fe8 *b) {
	__m512i c[10];
	for (int i = 0; i < 10; i++) c[i] = _mm512_setzero_si512();
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 5; k++) {
			c[i + k] = _mm512_madd52lo_epu64(c[i + k], a->n[i], b->n[k]);
			c[i + k + 1] = _mm512_madd52hi_epu64(c[i + k + 1], a->n[i], b->n[k]);
		}
	return fe8_fold_product(c);
}

FE8_INLINE fe8 fe8_sqr(const fe8 *a) {
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
	return fe8_fold_product(c);
}

/* A limb, `factor` times (1, 2, 3, 4 or 8). */
FE8_INLINE __m512i fe8_times(__m512i limb, unsigned factor) {
	if (factor == 3) return _mm512_add_epi64(limb, _mm512_slli_epi64(limb, 1));
	return _mm512_sllv_epi64(limb, fe8_all(factor == 8 ? 3 : factor == 4 ? 2 : factor - 1));
}

/* x a - y b - z c, for factors that fe8_times knows; z may be 0. */
FE8_INLINE fe8 fe8_diff(unsigned x, const fe8 *a, unsigned y, const fe8 *b, unsigned z, const fe8 *c) {
	const unsigned lift = y + z;
	__m512i limbs[5];
	for (int i = 0; i < 5; i++) {
		/* (lift + 1) p, with each limb large enough for what is taken off */
		const uint64_t lent = i < 4 ? (uint64_t)lift << 52 : 0, borrowed = i > 0 ? lift : 0;
		limbs[i] = fe8_all((int64_t)((lift + 1) * fe8_prime[i] + lent - borrowed));
		limbs[i] = _mm512_add_epi64(limbs[i], fe8_times(a->n[i], x));
		limbs[i] = _mm512_sub_epi64(limbs[i], fe8_times(b->n[i], y));
		if (z) limbs[i] = _mm512_sub_epi64(limbs[i], fe8_times(c->n[i], z));
	}
	return fe8_settle(limbs, _mm512_setzero_si512());
}

/* x a + y b. */
FE8_INLINE fe8 fe8_sum(unsigned x, const fe8 *a, unsigned y, const fe8 *b) {
	__m512i limbs[5];
	for (int i = 0; i < 5; i++) limbs[i] = _mm512_add_epi64(fe8_times(a->n[i], x), fe8_times(b->n[i], y));
	return fe8_settle(limbs, _mm512_setzero_si512());
}

FE8_INLINE fe8 fe8_triple(const fe8 *a) {
	__m512i limbs[5];
	for (int i = 0; i < 5; i++) limbs[i] = fe8_times(a->n[i], 3);
	return fe8_settle(limbs, _mm512_setzero_si512());
}

/* Where `lanes` says so the negative, else the same. */
FE8_INLINE fe8 fe8_negate_where(const fe8 *a, __mmask8 lanes) {
	const fe8 zero = {{_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
	    _mm512_setzero_si512(), _mm512_setzero_si512()}};
	fe8 out = fe8_diff(1, &zero, 1, a, 0, a);
	for (int i = 0; i < 5; i++) out.n[i] = _mm512_mask_blend_epi64(lanes, a->n[i], out.n[i]);
	return out;
}

/* The one representative below p. */
FE8_INLINE fe8 fe8_reduce(const fe8 *a) {
	const __m512i mask = fe8_all(FE8_LIMB_MAX);
	fe8 less; /* a - p + 2^256: at least 2^256 where a >= p */
	__m512i sum = _mm512_add_epi64(a->n[0], fe8_all(FE8_FOLD));
	for (int i = 0; i < 4; i++) {
		less.n[i] = _mm512_and_si512(sum, mask);
		sum = _mm512_add_epi64(a->n[i + 1], _mm512_srli_epi64(sum, 52));
	}
	less.n[4] = _mm512_and_si512(sum, fe8_all(FE8_TOP_MAX));
	const __mmask8 over = _mm512_cmpneq_epi64_mask(_mm512_srli_epi64(sum, 48), _mm512_setzero_si512());
	for (int i = 0; i < 5; i++) less.n[i] = _mm512_mask_blend_epi64(over, a->n[i], less.n[i]);
	return less;
}

/* Which lanes are zero modulo p. */
FE8_INLINE __mmask8 fe8_is_zero(const fe8 *a) {
	const fe8 least = fe8_reduce(a);
	__m512i any = least.n[0];
	for (int i = 1; i < 5; i++) any = _mm512_or_si512(any, least.n[i]);
	return _mm512_testn_epi64_mask(any, any);
}

#endif
