/*
 * Ed25519 (RFC 8032): the signatures of a consortium's validators. Signing and what honest signers make go through
 * OpenSSL.
 *
 * A signature is valid by the rules of ZIP 215, which are CometBFT's too, and not by RFC 8032's stricter ones: every
 * encoding of a point is accepted, and the equation is checked times 8. The two differ only for what no honest signer
 * makes. A checker with other rules than the validators' would let one of them make votes that all validators count and
 * no reader does.
 *
 * Sources: RFC 8032, ZIP 215. Threads: pure.
 */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "base/bytes.h"
#include "base/status.h"

#define ED25519_SIGNATURE_BYTES 64u

struct ed25519_secret {
	uint8_t seed[32]; /* RFC 8032's private key */
};

MUST_USE enum status ed25519_public_of(hash32 *out, const struct ed25519_secret *secret);
MUST_USE enum status ed25519_sign(
    uint8_t out[ED25519_SIGNATURE_BYTES], const struct ed25519_secret *secret, struct bytes message);
bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES], const hash32 *key, struct bytes message);

#endif
