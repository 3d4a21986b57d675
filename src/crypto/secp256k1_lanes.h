/*
 * Inside crypto/: several public keys recovered at once, in the lanes of vector registers: eight in AVX-512's (IFMA),
 * four in AVX2's. One source, secp256k1_lanes.c, is compiled for each. Only secp256k1_many.c uses them; it
 * knows what to do about a lane that gave no answer.
 *
 * Source: SEC 1 §4.1.6 (recovery); Gallant, Lambert, Vanstone 2001 (the endomorphism).
 */
#ifndef CRYPTO_SECP256K1_LANES_H
#define CRYPTO_SECP256K1_LANES_H

#include "crypto/secp256k1_keys.h"

enum { SECP_LANES_MAX = 8 };

struct secp_lanes {
	size_t count;
	/* Does this processor have the instructions? */
	bool (*is_usable)(void);
	/* Once, before the first recovery. */
	void (*prepare)(void);
	/* 1 to `count` signatures. `known[i]`: keys[i] is the key, x || y; else nothing is said about signature i. */
	void (*recover)(uint8_t (*keys)[64], bool *known, const struct secp_signature *signatures,
	    const hash32 *digests, size_t count);
};
extern const struct secp_lanes secp_lanes_ifma, secp_lanes_avx2;

/* The most that were built (Meson's option `lanes`) and that this processor has; NULL: none. They are prepared before
 * main. */
const struct secp_lanes *secp_lanes(void);

#endif
