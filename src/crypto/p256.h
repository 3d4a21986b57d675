/*
 * NIST P-256 through OpenSSL: encryption keys of actors and folders (ECDH), and signatures (RIP-7212 / EIP-7951).
 *
 * Public keys are x || y, 64 bytes; every function that takes one checks that it is on the curve and not infinity.
 * Sources: FIPS 186-5, SP 800-56A, RFC 9180 §7.1.3. Threads: pure.
 */
#ifndef CRYPTO_P256_H
#define CRYPTO_P256_H

#include "base/bytes.h"
#include "base/status.h"

struct p256_public {
	uint8_t xy[64];
};
struct p256_secret {
	uint8_t d[32]; /* in [1, n) */
};

/* A key as two words, as contracts have it, and back. */
static inline hash32 p256_public_x(const struct p256_public *key) {
	hash32 x;
	memcpy(x.b, key->xy, 32);
	return x;
}
static inline hash32 p256_public_y(const struct p256_public *key) {
	hash32 y;
	memcpy(y.b, key->xy + 32, 32);
	return y;
}
static inline struct p256_public p256_public_of_words(const hash32 *x, const hash32 *y) {
	struct p256_public key;
	memcpy(key.xy, x->b, 32);
	memcpy(key.xy + 32, y->b, 32);
	return key;
}

bool p256_public_is_valid(const struct p256_public *key);
MUST_USE enum status p256_public_of(struct p256_public *out, const struct p256_secret *secret);
/* RFC 9180 DeriveKeyPair for DHKEM(P-256, HKDF-SHA256); `ikm` holds at least 32 bytes of entropy. */
MUST_USE enum status p256_derive_key_pair(struct p256_secret *secret, struct p256_public *public_key, struct bytes ikm);
/* The x coordinate of secret * peer. STATUS_INVALID for a point off the curve. */
MUST_USE enum status p256_ecdh(uint8_t out[32], const struct p256_secret *secret, const struct p256_public *peer);
/* r || s over a 32-byte digest. */
MUST_USE enum status p256_sign(uint8_t out[64], const struct p256_secret *secret, const hash32 *digest);
/* EIP-7951's rules: false for r or s out of range, or a point off the curve. */
bool p256_verify(const uint8_t signature[64], const struct p256_public *key, const hash32 *digest);

#endif
