#include "ledger/evm/precompile_groups.h"

#include <blst.h>

/*
 * 0x0b to 0x11, EIP-2537: BLS12-381 through blst. A coordinate is 64 bytes, big-endian; infinity is (0, 0), which is
 * how blst writes it too. Sums ask that a point is on its curve, all else that it is in the group of prime order as
 * well.
 *
 * Memory: the gas is paid before anything is allocated, which is less than the input has bytes, and some 100 KiB.
 */
enum { FP_BYTES = 64, FP_ZEROS = 16, G1_BYTES = 2 * FP_BYTES, G2_BYTES = 4 * FP_BYTES, SCALAR_BYTES = 32 };
enum { SCALAR_BITS = 255 }; /* of one that is reduced */
#define OFF_CURVE "invalid point: not on curve"

/* --- in and out --- */

static const char *read_fp(blst_fp *out, const uint8_t *in) {
	static const uint8_t modulus[FP_BYTES] = {[FP_ZEROS] = 0x1a,
	    0x01,
	    0x11,
	    0xea,
	    0x39,
	    0x7f,
	    0xe6,
	    0x9a,
	    0x4b,
	    0x1b,
	    0xa7,
	    0xb6,
	    0x43,
	    0x4b,
	    0xac,
	    0xd7,
	    0x64,
	    0x77,
	    0x4b,
	    0x84,
	    0xf3,
	    0x85,
	    0x12,
	    0xbf,
	    0x67,
	    0x30,
	    0xd2,
	    0xa0,
	    0xf6,
	    0xb0,
	    0xf6,
	    0x24,
	    0x1e,
	    0xab,
	    0xff,
	    0xfe,
	    0xb1,
	    0x53,
	    0xff,
	    0xff,
	    0xb9,
	    0xfe,
	    0xff,
	    0xff,
	    0xff,
	    0xff,
	    0xaa,
	    0xab};
	static const uint8_t zeros[FP_ZEROS];
	if (memcmp(in, zeros, FP_ZEROS) != 0) return "invalid field element top bytes";
	if (memcmp(in, modulus, FP_BYTES) >= 0) return PRECOMPILE_BAD_ELEMENT;
	blst_fp_from_bendian(out, in + FP_ZEROS);
	return NULL;
}

static const char *read_fp2(blst_fp2 *out, const uint8_t *in) {
	PRECOMPILE_TRY(read_fp(&out->fp[0], in));
	return read_fp(&out->fp[1], in + FP_BYTES);
}

static const char *read_g1(blst_p1_affine *out, const uint8_t *in) {
	PRECOMPILE_TRY(read_fp(&out->x, in));
	PRECOMPILE_TRY(read_fp(&out->y, in + FP_BYTES));
	return blst_p1_affine_on_curve(out) ? NULL : OFF_CURVE;
}

static const char *read_g2(blst_p2_affine *out, const uint8_t *in) {
	PRECOMPILE_TRY(read_fp2(&out->x, in));
	PRECOMPILE_TRY(read_fp2(&out->y, in + 2 * FP_BYTES));
	return blst_p2_affine_on_curve(out) ? NULL : OFF_CURVE;
}

static const char *check_g1(const blst_p1_affine *point) {
	const bool is_member = blst_p1_affine_is_inf(point) || blst_p1_affine_in_g1(point);
	return is_member ? NULL : "g1 point is not on correct subgroup";
}

static const char *check_g2(const blst_p2_affine *point) {
	const bool is_member = blst_p2_affine_is_inf(point) || blst_p2_affine_in_g2(point);
	return is_member ? NULL : "g2 point is not on correct subgroup";
}

static const char *read_g1_member(blst_p1_affine *out, const uint8_t *in) {
	PRECOMPILE_TRY(read_g1(out, in));
	return check_g1(out);
}

static const char *read_g2_member(blst_p2_affine *out, const uint8_t *in) {
	PRECOMPILE_TRY(read_g2(out, in));
	return check_g2(out);
}

/* A point of each group; both are decoded before either's membership is asked. */
static const char *read_pair(blst_p1_affine *p1, blst_p2_affine *p2, const uint8_t *in) {
	PRECOMPILE_TRY(read_g1(p1, in));
	PRECOMPILE_TRY(read_g2(p2, in + G1_BYTES));
	PRECOMPILE_TRY(check_g1(p1));
	return check_g2(p2);
}

static void put_fp(struct buf *output, const blst_fp *value) {
	uint8_t word[FP_BYTES] = {0};
	blst_bendian_from_fp(word + FP_ZEROS, value);
	buf_append(output, bytes_make(word, sizeof word));
}

static void put_g1(struct buf *output, const blst_p1 *point) {
	blst_p1_affine affine;
	blst_p1_to_affine(&affine, point);
	put_fp(output, &affine.x);
	put_fp(output, &affine.y);
}

static void put_g2(struct buf *output, const blst_p2 *point) {
	blst_p2_affine affine;
	blst_p2_to_affine(&affine, point);
	for (size_t i = 0; i < 2; i++) put_fp(output, &affine.x.fp[i]);
	for (size_t i = 0; i < 2; i++) put_fp(output, &affine.y.fp[i]);
}

/* --- sums --- */

const char *precompile_bls12_g1add_run(struct buf *output, struct bytes input) {
	blst_p1_affine a, b;
	blst_p1 sum;
	if (input.len != 2 * G1_BYTES) return PRECOMPILE_BAD_LENGTH;
	PRECOMPILE_TRY(read_g1(&a, input.data));
	PRECOMPILE_TRY(read_g1(&b, input.data + G1_BYTES));
	blst_p1_from_affine(&sum, &a);
	blst_p1_add_or_double_affine(&sum, &sum, &b);
	put_g1(output, &sum);
	return NULL;
}

const char *precompile_bls12_g2add_run(struct buf *output, struct bytes input) {
	blst_p2_affine a, b;
	blst_p2 sum;
	if (input.len != 2 * G2_BYTES) return PRECOMPILE_BAD_LENGTH;
	PRECOMPILE_TRY(read_g2(&a, input.data));
	PRECOMPILE_TRY(read_g2(&b, input.data + G2_BYTES));
	blst_p2_from_affine(&sum, &a);
	blst_p2_add_or_double_affine(&sum, &sum, &b);
	put_g2(output, &sum);
	return NULL;
}

/* --- sums of products: pairs of a point and a scalar of any size --- */

/* The pairs whose point is not infinity, which blst does not allow, are brought together; the scalars, reduced. */
#define MSM(group, p, POINT_BYTES)                                                                                     \
	const char *precompile_bls12_##group##msm_run(struct buf *output, struct bytes input) {                        \
		const size_t pair_bytes = POINT_BYTES + SCALAR_BYTES, pairs = input.len / pair_bytes;                  \
		if (pairs == 0 || input.len % pair_bytes != 0) return PRECOMPILE_BAD_LENGTH;                           \
		blst_##p##_affine *points = mem_zalloc(pairs, sizeof *points);                                         \
		blst_scalar *scalars = mem_zalloc(pairs, sizeof *scalars);                                             \
		size_t count = 0;                                                                                      \
		const char *refusal = NULL;                                                                            \
		for (size_t i = 0; i < pairs && refusal == NULL; i++) {                                                \
			const uint8_t *pair = input.data + i * pair_bytes;                                             \
			refusal = read_##group##_member(&points[count], pair);                                         \
			blst_scalar_from_be_bytes(&scalars[count], pair + POINT_BYTES, SCALAR_BYTES);                  \
			count += !blst_##p##_affine_is_inf(&points[count]);                                            \
		}                                                                                                      \
		blst_##p sum = {0};                                                                                    \
		if (refusal == NULL && count > 0) {                                                                    \
			const blst_##p##_affine *const all_points[] = {points, NULL};                                  \
			const uint8_t *const all_scalars[] = {scalars->b, NULL};                                       \
			void *scratch = mem_alloc(blst_##p##s_mult_pippenger_scratch_sizeof(count));                   \
			blst_##p##s_mult_pippenger(&sum, all_points, count, all_scalars, SCALAR_BITS, scratch);        \
			mem_free(scratch);                                                                             \
		}                                                                                                      \
		mem_free(points);                                                                                      \
		mem_free(scalars);                                                                                     \
		if (refusal == NULL) put_##group(output, &sum);                                                        \
		return refusal;                                                                                        \
	}

MSM(g1, p1, G1_BYTES)
MSM(g2, p2, G2_BYTES)

/* --- pairings --- */

static bool product_is_one(const blst_p1_affine *p1s, const blst_p2_affine *p2s, size_t count) {
	if (count == 0) return true;
	const blst_p1_affine *const all_p1s[] = {p1s, NULL};
	const blst_p2_affine *const all_p2s[] = {p2s, NULL};
	blst_fp12 product;
	blst_miller_loop_n(&product, all_p2s, all_p1s, count);
	blst_final_exp(&product, &product);
	return blst_fp12_is_one(&product);
}

/* A pair with infinity gives one, and is left out. */
const char *precompile_bls12_pairing_check_run(struct buf *output, struct bytes input) {
	const size_t pair_bytes = G1_BYTES + G2_BYTES, pairs = input.len / pair_bytes;
	if (pairs == 0 || input.len % pair_bytes != 0) return PRECOMPILE_BAD_LENGTH;
	blst_p1_affine *p1s = mem_zalloc(pairs, sizeof *p1s);
	blst_p2_affine *p2s = mem_zalloc(pairs, sizeof *p2s);
	size_t count = 0;
	const char *refusal = NULL;
	for (size_t i = 0; i < pairs && refusal == NULL; i++) {
		refusal = read_pair(&p1s[count], &p2s[count], input.data + i * pair_bytes);
		count += !blst_p1_affine_is_inf(&p1s[count]) && !blst_p2_affine_is_inf(&p2s[count]);
	}
	if (refusal == NULL) {
		hash32 word = {{[31] = product_is_one(p1s, p2s, count)}};
		buf_append(output, BYTES_OF(word));
	}
	mem_free(p1s);
	mem_free(p2s);
	return refusal;
}

/* --- from fields to curves: RFC 9380's maps, cofactors cleared --- */

const char *precompile_bls12_map_fp_to_g1_run(struct buf *output, struct bytes input) {
	blst_fp element;
	blst_p1 point;
	if (input.len != FP_BYTES) return PRECOMPILE_BAD_LENGTH;
	PRECOMPILE_TRY(read_fp(&element, input.data));
	blst_map_to_g1(&point, &element, NULL);
	put_g1(output, &point);
	return NULL;
}

const char *precompile_bls12_map_fp2_to_g2_run(struct buf *output, struct bytes input) {
	blst_fp2 element;
	blst_p2 point;
	if (input.len != 2 * FP_BYTES) return PRECOMPILE_BAD_LENGTH;
	PRECOMPILE_TRY(read_fp2(&element, input.data));
	blst_map_to_g2(&point, &element, NULL);
	put_g2(output, &point);
	return NULL;
}
