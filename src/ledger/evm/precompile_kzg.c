#include "ledger/evm/precompile_groups.h"

#include "crypto/hash.h"

#include <blst.h>

/*
 * 0x0a, EIP-4844: does the polynomial p behind a commitment have p(z) = y? Input: versioned hash, z, y (32 bytes each),
 * commitment C, proof P (48 each, compressed). With the setup's secret s, it does where P = [(p(s) - y) / (s - z)], so
 * where e(C - [y] + z·P, [1]) = e(P, [s]). Both points of G2 are constants; of the trusted setup, nothing else is
 * needed.
 */
enum { Z = 32, Y = 64, COMMITMENT = 96, PROOF = 144, INPUT_BYTES = 192, POINT_BYTES = 48, SCALAR_BITS = 255 };

#define KZG_ERROR "error verifying kzg proof: "

/* [s] in G2, as the KZG ceremony for EIP-4844 left it: the second of its points of G2, not compressed. */
static const uint8_t setup_s_g2[192] = {0x15, 0xbf, 0xd7, 0xdd, 0x8c, 0xde, 0xb1, 0x28, 0x84, 0x3b, 0xc2, 0x87, 0x23,
    0x0a, 0xf3, 0x89, 0x26, 0x18, 0x70, 0x75, 0xcb, 0xfb, 0xef, 0xa8, 0x10, 0x09, 0xa2, 0xce, 0x61, 0x5a, 0xc5, 0x3d,
    0x29, 0x14, 0xe5, 0x87, 0x0c, 0xb4, 0x52, 0xd2, 0xaf, 0xaa, 0xab, 0x24, 0xf3, 0x49, 0x9f, 0x72, 0x18, 0x5c, 0xbf,
    0xee, 0x53, 0x49, 0x27, 0x14, 0x73, 0x44, 0x29, 0xb7, 0xb3, 0x86, 0x08, 0xe2, 0x39, 0x26, 0xc9, 0x11, 0xcc, 0xec,
    0xea, 0xc9, 0xa3, 0x68, 0x51, 0x47, 0x7b, 0xa4, 0xc6, 0x0b, 0x08, 0x70, 0x41, 0xde, 0x62, 0x10, 0x00, 0xed, 0xc9,
    0x8e, 0xda, 0xda, 0x20, 0xc1, 0xde, 0xf2, 0x16, 0x66, 0xc5, 0x4b, 0x0a, 0x32, 0x52, 0x95, 0x03, 0x43, 0x2f, 0xca,
    0xe0, 0x18, 0x1b, 0x4b, 0xef, 0x79, 0xde, 0x09, 0xfc, 0x63, 0x67, 0x1f, 0xda, 0x5e, 0xd1, 0xba, 0x9b, 0xfa, 0x07,
    0x89, 0x94, 0x95, 0x34, 0x6f, 0x3d, 0x7a, 0xc9, 0xcd, 0x23, 0x04, 0x8e, 0xf3, 0x0d, 0x0a, 0x15, 0x4f, 0x01, 0x43,
    0x53, 0xbd, 0xb9, 0x6b, 0x62, 0x6d, 0xd7, 0xd5, 0xee, 0x85, 0x99, 0xd1, 0xfc, 0xa2, 0x13, 0x15, 0x69, 0x49, 0x0e,
    0x28, 0xde, 0x18, 0xe8, 0x24, 0x51, 0xa4, 0x96, 0xa9, 0xc9, 0x79, 0x4c, 0xe2, 0x6d, 0x10, 0x59, 0x41, 0xf3, 0x83,
    0xee, 0x68, 0x9b, 0xfb, 0xbb, 0x83, 0x2a, 0x99};

uint64_t precompile_point_evaluation_gas(enum fork fork, struct bytes input) {
	(void)fork, (void)input;
	return 50000;
}

/* EIP-4844's kzg_to_versioned_hash */
static bool is_hash_of(const uint8_t *versioned_hash, const uint8_t *commitment) {
	hash32 hash = sha256(bytes_make(commitment, POINT_BYTES));
	hash.b[0] = 0x01;
	return memcmp(hash.b, versioned_hash, sizeof hash.b) == 0;
}

static bool read_scalar(blst_scalar *out, const uint8_t *in) {
	blst_scalar_from_bendian(out, in);
	return blst_scalar_fr_check(out); /* below the order */
}

/* The first three bits of an encoding say its form: two bits of compressed points, one of the root's sign. */
static const char *read_point(blst_p1_affine *out, const uint8_t *in) {
	const unsigned form = in[0] >> 5;
	if (form == 1 || form == 3 || form == 7) return KZG_ERROR "invalid point encoding";
	if (form == 0 || form == 2) return KZG_ERROR "short buffer"; /* not compressed */
	const BLST_ERROR error = blst_p1_uncompress(out, in);
	if (error == BLST_POINT_NOT_ON_CURVE)
		return KZG_ERROR "invalid compressed coordinate: square root doesn't exist";
	if (error == BLST_BAD_ENCODING)
		return form == 6 ? KZG_ERROR "invalid infinity point encoding" : KZG_ERROR PRECOMPILE_BAD_ELEMENT;
	const bool is_member = blst_p1_affine_is_inf(out) || blst_p1_affine_in_g1(out);
	return error == BLST_SUCCESS && is_member ? NULL : KZG_ERROR "invalid point: subgroup check failed";
}

static bool is_proved(
    const blst_p1_affine *commitment, const blst_scalar *z, const blst_scalar *y, const blst_p1_affine *proof) {
	blst_p1 sum, minus_y;
	blst_p1_from_affine(&sum, proof);
	blst_p1_mult(&sum, &sum, z->b, SCALAR_BITS);
	blst_p1_mult(&minus_y, blst_p1_generator(), y->b, SCALAR_BITS);
	blst_p1_cneg(&minus_y, true);
	blst_p1_add_or_double(&sum, &sum, &minus_y);
	blst_p1_add_or_double_affine(&sum, &sum, commitment);

	blst_p1_affine left_point;
	blst_p2_affine s;
	blst_fp12 left, right;
	blst_p1_to_affine(&left_point, &sum);
	BUG_ON(blst_p2_deserialize(&s, setup_s_g2) != BLST_SUCCESS);
	blst_miller_loop(&left, blst_p2_affine_generator(), &left_point);
	blst_miller_loop(&right, &s, proof);
	return blst_fp12_finalverify(&left, &right);
}

/* The output: how many elements a blob has (4096), and the field's modulus. */
const char *precompile_point_evaluation_run(struct buf *output, struct bytes input) {
	static const uint8_t answer[64] = {[30] = 0x10,
	    [32] = 0x73,
	    0xed,
	    0xa7,
	    0x53,
	    0x29,
	    0x9d,
	    0x7d,
	    0x48,
	    0x33,
	    0x39,
	    0xd8,
	    0x08,
	    0x09,
	    0xa1,
	    0xd8,
	    0x05,
	    0x53,
	    0xbd,
	    0xa4,
	    0x02,
	    0xff,
	    0xfe,
	    0x5b,
	    0xfe,
	    0xff,
	    0xff,
	    0xff,
	    0xff,
	    0x00,
	    0x00,
	    0x00,
	    0x01};
	blst_scalar z, y;
	blst_p1_affine commitment, proof;
	if (input.len != INPUT_BYTES) return PRECOMPILE_BAD_LENGTH;
	if (!is_hash_of(input.data, input.data + COMMITMENT)) return "mismatched versioned hash";
	if (!read_scalar(&z, input.data + Z) || !read_scalar(&y, input.data + Y))
		return KZG_ERROR "scalar is not canonical when interpreted as a big integer in big-endian";
	PRECOMPILE_TRY(read_point(&commitment, input.data + COMMITMENT));
	PRECOMPILE_TRY(read_point(&proof, input.data + PROOF));
	if (!is_proved(&commitment, &z, &y, &proof)) return KZG_ERROR "can't verify opening proof";
	buf_append(output, bytes_make(answer, sizeof answer));
	return NULL;
}
