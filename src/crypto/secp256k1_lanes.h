/*
 * Inside crypto/: up to eight public keys recovered in the eight lanes of AVX-512 registers (IFMA). Only
 * secp256k1_many.c calls this; it knows what to do about a lane that gave no answer.
 *
 * Source: SEC 1 §4.1.6 (recovery); Gallant, Lambert, Vanstone 2001 (the endomorphism).
 */
#ifndef CRYPTO_SECP256K1_LANES_H
#define CRYPTO_SECP256K1_LANES_H

#include "crypto/secp256k1_keys.h"

enum { SECP_LANES = 8 };

/* Does this processor have the instructions? */
bool secp_lanes_usable(void);
/* 1 to 8 signatures. `known[i]`: keys[i] is the key, x || y; else nothing is said about signature i. */
void secp_lanes_recover(
    uint8_t (*keys)[64], bool *known, const struct secp_signature *signatures, const hash32 *digests, size_t count);

#endif
