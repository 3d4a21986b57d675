/*
 * Hashing to P-256: bytes become a point, or a scalar, that nobody chose (RFC 9380, suite P256_XMD:SHA-256_SSWU_RO_).
 *
 * `domain` is the domain separation tag, 1 to 255 bytes. The message is public to whoever hashes it: the time taken
 * depends on it. Threads: pure.
 */
#ifndef CRYPTO_P256_HASH_H
#define CRYPTO_P256_HASH_H

#include "crypto/p256_work.h"

/* hash_to_curve: `to` becomes the point. False if that is infinity, which nobody has seen. */
bool p256_hash_to_point(struct p256_work *work, EC_POINT *to, struct bytes message, struct bytes domain);
/* hash_to_field modulo the group's order, 48 bytes wide: below n, and 0 with a chance of 2^-256. It is `work`'s. */
BIGNUM *p256_hash_to_scalar(struct p256_work *work, struct bytes message, struct bytes domain);

#endif
