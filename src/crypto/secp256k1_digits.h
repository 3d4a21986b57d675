/*
 * Inside crypto/: what the lanes of secp256k1_lanes.c multiply by. u1 = -z / r and u2 = s / r modulo the order n, each
 * split as k + k' lambda with |k|, |k'| < 2^129 and odd (Guide to Elliptic Curve Cryptography, algorithm 3.74; any
 * parity can be had by adding a vector of the lattice), each half in signed digits that are all odd: digit i counts
 * 2^(i * window), and is below 2^window in size.
 */
#ifndef CRYPTO_SECP256K1_DIGITS_H
#define CRYPTO_SECP256K1_DIGITS_H

#include "crypto/secp256k1_lanes.h"

enum {
	HALF_BITS = 130,
	OWN_WINDOW_BITS = 5,
	OWN_WINDOWS = HALF_BITS / OWN_WINDOW_BITS,
	BASE_WINDOW_BITS = 10,
	BASE_WINDOWS = HALF_BITS / BASE_WINDOW_BITS,
};

struct digits {
	int64_t own[2][OWN_WINDOWS][SECP_LANES_MAX];   /* of u2, for R */
	int64_t base[2][BASE_WINDOWS][SECP_LANES_MAX]; /* of u1, for G */
};

/* Of 1 to `lanes` signatures; lanes without one get some digits. `valid[i]`: are r and s in [1, n)? If not, digits of
 * another number. */
void digits_make(struct digits *out, bool *valid, const struct secp_signature *signatures, const hash32 *digests,
    size_t count, size_t lanes);

#endif
