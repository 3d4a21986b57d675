/*
 * ECDSA on secp256k1 for accounts, through libsecp256k1 (constant time; RFC 6979 nonces; low s).
 *
 * Threads: pure, once secp_init has been called or left out: one context inside is made before main and blinded by
 * secp_init, which app/ calls once, before threads, with kernel randomness. Signing is constant-time without it too.
 */
#ifndef CRYPTO_SECP256K1_KEYS_H
#define CRYPTO_SECP256K1_KEYS_H

#include "base/bytes.h"
#include "base/status.h"

struct secp_signature {
	uint8_t r[32];
	uint8_t s[32];    /* big-endian; signing gives s <= n/2 */
	uint8_t y_parity; /* 0 or 1 */
};

/* Blinds the signing context. Call once, before threads. */
void secp_init(const uint8_t seed[32]);
/* In [1, n)? */
bool secp_secret_is_valid(const hash32 *secret);
/* Uncompressed point without its 0x04 byte: x || y. STATUS_INVALID for a secret out of range. */
MUST_USE enum status secp_public_key(uint8_t out[64], const hash32 *secret);
MUST_USE enum status secp_public_key_compressed(uint8_t out[33], const hash32 *secret);
MUST_USE enum status secp_sign(struct secp_signature *out, const hash32 *secret, const hash32 *digest);
/*
 * The public key that made this signature: x || y. STATUS_INVALID where r or s is zero or not below n, or no point
 * fits. A high s is accepted here (the ECRECOVER precompile does); callers that follow EIP-2 check `secp_s_is_low`.
 */
MUST_USE enum status secp_recover(uint8_t out[64], const struct secp_signature *signature, const hash32 *digest);
bool secp_s_is_low(const uint8_t s[32]);
/* Of somebody's r || s, with any s: the signature with the low s and its parity. STATUS_CORRUPT: it is not this key's
 * signature of this digest. */
MUST_USE enum status secp_complete(
    struct secp_signature *out, const uint8_t pair[64], const uint8_t public_key[64], const hash32 *digest);
/* BIP-32: (secret + tweak) mod n. STATUS_INVALID if the result is zero or the tweak is not below n. */
MUST_USE enum status secp_secret_tweak_add(hash32 *secret, const hash32 *tweak);

#endif
