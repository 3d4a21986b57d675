/*
 * Signatures of others, checked: ECDSA over P-256 and P-384, RSA with PKCS #1 v1.5 and with PSS, through OpenSSL.
 * SHA-256 is the hash, with P-384 SHA-384. These are the algorithms of RFC 7518 §3 that prove who signed; an HMAC,
 * which whoever checks could make as well, is not among them.
 *
 * RSA keys have 2,048 to 8,192 bits and an odd exponent of 3 to 2^32; a PSS salt has 32 bytes. ECDSA's r and s stand
 * one behind the other, each as wide as the curve's order.
 *
 * Threads: a key never changes; any number of threads may check with it.
 */
#ifndef CRYPTO_SIGNATURE_H
#define CRYPTO_SIGNATURE_H

#include "base/bytes.h"
#include "base/status.h"

enum signature_algorithm { SIGNATURE_ES256, SIGNATURE_ES384, SIGNATURE_RS256, SIGNATURE_PS256, SIGNATURE_COUNT };

struct signature_key;
/* `algorithm` ES256 or ES384 chooses the curve; x and y have its width. STATUS_INVALID: no point of the curve. */
MUST_USE enum status signature_key_of_point(
    struct signature_key **out, enum signature_algorithm algorithm, struct bytes x, struct bytes y, struct err *err);
/* Modulus and exponent, big-endian. STATUS_INVALID: out of the bounds above. */
MUST_USE enum status signature_key_of_rsa(
    struct signature_key **out, struct bytes modulus, struct bytes exponent, struct err *err);
void signature_key_free(struct signature_key *key); /* NULL is allowed */
/* May a signature of this algorithm be checked with this key? */
bool signature_key_fits(const struct signature_key *key, enum signature_algorithm algorithm);

/* False also if the key does not fit. */
bool signature_verify(
    const struct signature_key *key, enum signature_algorithm algorithm, struct bytes message, struct bytes signature);

#endif
