/*
 * The two curves of BN254, in affine points and G1's Jacobian ones. Internal to crypto/bn254*.c.
 *
 *     E  : y² = x³ + 3        over Fp;  its group has prime order r: every point is in G1
 *     E' : y² = x³ + 3/ξ      over Fp2, the sextic twist; its group has order r·(2p - r), and G2 is its part of order r
 *
 * (x, y) -> (x·w², y·w³) leads from E' into E over Fp12, as w⁶ = ξ.
 *
 * The encoding is that of EIP-196 and EIP-197: big-endian coordinates, Fp2 as imaginary then real part, infinity as
 * zeros. Threads: pure.
 */
#ifndef CRYPTO_BN254_CURVE_H
#define CRYPTO_BN254_CURVE_H

#include "crypto/bn254.h"
#include "crypto/bn254_field.h"

struct g1_point {
	struct fp x, y;
	bool infinity;
};

struct g2_point {
	struct fp2 x, y;
	bool infinity;
};

/* x = X/Z², y = Y/Z³; Z = 0 is infinity. */
struct g1_jacobian {
	struct fp x, y, z;
};

/* 3/ξ, the constant of E'. */
extern const struct fp2 bn254_twist_b;

/* BN254_TOO_LARGE or BN254_OFF_CURVE if the bytes are not a point of the curve. */
enum bn254_verdict bn254_g1_decode(struct g1_point *out, const uint8_t in[64]);
void bn254_g1_encode(uint8_t out[64], const struct g1_point *point);
/* As above, for E': membership of G2 itself is what bn254_pairing.c finds out. */
enum bn254_verdict bn254_g2_decode(struct g2_point *out, const uint8_t in[128]);

/* Complete group laws: any inputs. `out` may alias. */
void bn254_g1_double_jacobian(struct g1_jacobian *out, const struct g1_jacobian *a);
void bn254_g1_add_jacobian(struct g1_jacobian *out, const struct g1_jacobian *a, const struct g1_jacobian *b);
void bn254_g1_to_jacobian(struct g1_jacobian *out, const struct g1_point *point);
void bn254_g1_to_affine(struct g1_point *out, const struct g1_jacobian *point);
/* `scalar` is any 256-bit number, limbs least first. */
void bn254_g1_mul_jacobian(struct g1_jacobian *out, const struct g1_point *point, const uint64_t scalar[4]);

#endif
