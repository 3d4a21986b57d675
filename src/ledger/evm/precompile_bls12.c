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

/* --- in and out --- */

static bool read_fp(blst_fp *out, const uint8_t *in) {
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
	if (memcmp(in, modulus, FP_BYTES) >= 0) return false;
	blst_fp_from_bendian(out, in + FP_ZEROS);
	return true;
}

static bool read_fp2(blst_fp2 *out, const uint8_t *in) {
	return read_fp(&out->fp[0], in) && read_fp(&out->fp[1], in + FP_BYTES);
}

static bool read_g1(blst_p1_affine *out, const uint8_t *in) {
	return read_fp(&out->x, in) && read_fp(&out->y, in + FP_BYTES) && blst_p1_affine_on_curve(out);
}

static bool read_g2(blst_p2_affine *out, const uint8_t *in) {
	return read_fp2(&out->x, in) && read_fp2(&out->y, in + 2 * FP_BYTES) && blst_p2_affine_on_curve(out);
}

static bool read_g1_member(blst_p1_affine *out, const uint8_t *in) {
	return read_g1(out, in) && (blst_p1_affine_is_inf(out) || blst_p1_affine_in_g1(out));
}

static bool read_g2_member(blst_p2_affine *out, const uint8_t *in) {
	return read_g2(out, in) && (blst_p2_affine_is_inf(out) || blst_p2_affine_in_g2(out));
}

static void put_fp(struct buf *output, const blst_fp *value) {
	uint8_t word[FP_BYTES] = {0};
	blst_bendian_from_fp(word + FP_ZEROS, value);
	buf_append(output, bytes_make(word, sizeof word));
}

static bool put_g1(struct buf *output, const blst_p1 *point) {
	blst_p1_affine affine;
	blst_p1_to_affine(&affine, point);
	put_fp(output, &affine.x);
	put_fp(output, &affine.y);
	return true;
}

static bool put_g2(struct buf *output, const blst_p2 *point) {
	blst_p2_affine affine;
	blst_p2_to_affine(&affine, point);
	for (size_t i = 0; i < 2; i++) put_fp(output, &affine.x.fp[i]);
	for (size_t i = 0; i < 2; i++) put_fp(output, &affine.y.fp[i]);
	return true;
}

/* --- sums --- */

bool precompile_bls12_g1add_run(struct buf *output, struct bytes input) {
	blst_p1_affine a, b;
	blst_p1 sum;
	if (input.len != 2 * G1_BYTES || !read_g1(&a, input.data) || !read_g1(&b, input.data + G1_BYTES)) return false;
	blst_p1_from_affine(&sum, &a);
	blst_p1_add_or_double_affine(&sum, &sum, &b);
	return put_g1(output, &sum);
}

bool precompile_bls12_g2add_run(struct buf *output, struct bytes input) {
	blst_p2_affine a, b;
	blst_p2 sum;
	if (input.len != 2 * G2_BYTES || !read_g2(&a, input.data) || !read_g2(&b, input.data + G2_BYTES)) return false;
	blst_p2_from_affine(&sum, &a);
	blst_p2_add_or_double_affine(&sum, &sum, &b);
	return put_g2(output, &sum);
}

/* --- sums of products: pairs of a point and a scalar of any size --- */

/* The pairs whose point is not infinity, which blst does not allow, are brought together; the scalars, reduced. */
#define MSM(group, p, POINT_BYTES)                                                                                     \
	bool precompile_bls12_##group##msm_run(struct buf *output, struct bytes input) {                               \
		const size_t pair_bytes = POINT_BYTES + SCALAR_BYTES, pairs = input.len / pair_bytes;                  \
		if (pairs == 0 || input.len % pair_bytes != 0) return false;                                           \
		blst_##p##_affine *points = mem_zalloc(pairs, sizeof *points);                                         \
		blst_scalar *scalars = mem_zalloc(pairs, sizeof *scalars);                                             \
		size_t count = 0;                                                                                      \
		bool is_good = true;                                                                                   \
		for (size_t i = 0; i < pairs && is_good; i++) {                                                        \
			const uint8_t *pair = input.data + i * pair_bytes;                                             \
			is_good = read_##group##_member(&points[count], pair);                                         \
			blst_scalar_from_be_bytes(&scalars[count], pair + POINT_BYTES, SCALAR_BYTES);                  \
			count += !blst_##p##_affine_is_inf(&points[count]);                                            \
		}                                                                                                      \
		blst_##p sum = {0};                                                                                    \
		if (is_good && count > 0) {                                                                            \
			const blst_##p##_affine *const all_points[] = {points, NULL};                                  \
			const uint8_t *const all_scalars[] = {scalars->b, NULL};                                       \
			void *scratch = mem_alloc(blst_##p##s_mult_pippenger_scratch_sizeof(count));                   \
			blst_##p##s_mult_pippenger(&sum, all_points, count, all_scalars, SCALAR_BITS, scratch);        \
			mem_free(scratch);                                                                             \
		}                                                                                                      \
		mem_free(points);                                                                                      \
		mem_free(scalars);                                                                                     \
		return is_good && put_##group(output, &sum);                                                           \
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
bool precompile_bls12_pairing_check_run(struct buf *output, struct bytes input) {
	const size_t pair_bytes = G1_BYTES + G2_BYTES, pairs = input.len / pair_bytes;
	if (pairs == 0 || input.len % pair_bytes != 0) return false;
	blst_p1_affine *p1s = mem_zalloc(pairs, sizeof *p1s);
	blst_p2_affine *p2s = mem_zalloc(pairs, sizeof *p2s);
	size_t count = 0;
	bool is_good = true;
	for (size_t i = 0; i < pairs && is_good; i++) {
		const uint8_t *pair = input.data + i * pair_bytes;
		is_good = read_g1_member(&p1s[count], pair) && read_g2_member(&p2s[count], pair + G1_BYTES);
		count += !blst_p1_affine_is_inf(&p1s[count]) && !blst_p2_affine_is_inf(&p2s[count]);
	}
	if (is_good) {
		hash32 word = {{[31] = product_is_one(p1s, p2s, count)}};
		buf_append(output, BYTES_OF(word));
	}
	mem_free(p1s);
	mem_free(p2s);
	return is_good;
}

/* --- from fields to curves: RFC 9380's maps, cofactors cleared --- */

bool precompile_bls12_map_fp_to_g1_run(struct buf *output, struct bytes input) {
	blst_fp element;
	blst_p1 point;
	if (input.len != FP_BYTES || !read_fp(&element, input.data)) return false;
	blst_map_to_g1(&point, &element, NULL);
	return put_g1(output, &point);
}

bool precompile_bls12_map_fp2_to_g2_run(struct buf *output, struct bytes input) {
	blst_fp2 element;
	blst_p2 point;
	if (input.len != 2 * FP_BYTES || !read_fp2(&element, input.data)) return false;
	blst_map_to_g2(&point, &element, NULL);
	return put_g2(output, &point);
}
