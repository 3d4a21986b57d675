/*
 * The pairing-friendly curve alt_bn128 (BN254) of EIP-196 and EIP-197. Our own, because zero-knowledge proofs stand on
 * it and no maintained C library is packaged. Not constant time: it sees public values only.
 *
 * Points are in the precompiles' encoding: big-endian, infinity is all zeros; G2 coordinates are (imaginary, real).
 * Threads: pure.
 */
#ifndef CRYPTO_BN254_H
#define CRYPTO_BN254_H

#include "base/bytes.h"
#include "base/status.h"

enum bn254_verdict {
	BN254_OK,
	BN254_TOO_LARGE, /* a coordinate is not below the field's prime */
	BN254_OFF_CURVE,
	BN254_OUTSIDE_GROUP /* a point of the twist, whose order is another */
};

/* `out` is written if the verdict is BN254_OK. */
MUST_USE enum bn254_verdict bn254_g1_add(uint8_t out[64], const uint8_t a[64], const uint8_t b[64]);
MUST_USE enum bn254_verdict bn254_g1_mul(uint8_t out[64], const uint8_t point[64], const uint8_t scalar[32]);
/* *is_one = the product of pairings is one; `pairs` holds `count` times G1 (64) || G2 (128). Of several
 * faults any may be the one that is named. */
MUST_USE enum bn254_verdict bn254_pairing_check(bool *is_one, const uint8_t *pairs, size_t count);

#endif
