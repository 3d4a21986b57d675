/*
 * Who signs. A key may be in this process, or in a token that never gives it away (token/token.h): whoever asks for a
 * signature sees neither. Both kinds are 64 bytes: Ed25519's signature of a message, and secp256k1's r || s of a
 * digest.
 *
 * Ownership: `context` belongs to who made the key, and outlives it. Threads: sign from any, unless its maker says
 * otherwise. Source: RFC 8032; SEC 1 §4.1.
 */
#ifndef CRYPTO_SIGNING_KEY_H
#define CRYPTO_SIGNING_KEY_H

#include "crypto/ed25519.h"
#include "crypto/secp256k1_keys.h"

#define SIGNING_BYTES 64u

struct signing_key {
	uint8_t public_key[64]; /* Ed25519: its first 32 bytes; secp256k1: x || y */
	/* STATUS_IO: no signature can be had now, and perhaps later. */
	MUST_USE enum status (*sign)(void *context, uint8_t out[SIGNING_BYTES], struct bytes what, struct err *err);
	void *context;
};

/* Of a secret in memory, which outlives the key. STATUS_INTERNAL, STATUS_INVALID: it is not a valid secret. */
MUST_USE enum status signing_key_of_ed25519(struct signing_key *out, struct ed25519_secret *secret);
MUST_USE enum status signing_key_of_secp(struct signing_key *out, hash32 *secret);

/* With a key for Ed25519. */
MUST_USE enum status signing_key_ed25519(
    const struct signing_key *key, uint8_t out[ED25519_SIGNATURE_BYTES], struct bytes message, struct err *err);
/* With a key for secp256k1. Whatever s the signer chose, the signature has the low one, and its parity.
 * STATUS_CORRUPT: what it signed is not this digest. */
MUST_USE enum status signing_key_secp(
    const struct signing_key *key, struct secp_signature *out, const hash32 *digest, struct err *err);

#endif
