/*
 * Arithmetic on P-256 for the files of crypto/ that build on it (p256.c, threshold/): OpenSSL's EC_POINT layer and its
 * big numbers. On the processors that we build for, EC_POINT_mul is the constant-time nistz256 code, and it takes
 * neither a provider's locks nor randomness.
 *
 * Numbers are big-endian, 32 bytes; n is the group's order. Everything of one operation belongs to its p256_work, which
 * wipes it at the end. Threads: one p256_work belongs to one thread; the group is made before main and never changes.
 */
#ifndef CRYPTO_P256_WORK_H
#define CRYPTO_P256_WORK_H

#include <openssl/bn.h>
#include <openssl/ec.h>

#include "base/world.h"
#include "crypto/p256.h"

struct p256_work {
	BN_CTX *numbers;
	EC_POINT *point, *result;
};
void p256_work_init(struct p256_work *work);
void p256_work_fini(struct p256_work *work);

const EC_GROUP *p256_group(void);
const BIGNUM *p256_order(void);

/* A public number; NULL leaves it zero. */
BIGNUM *p256_number(struct p256_work *work, const uint8_t big_endian[32]);
/* A secret number: OpenSSL's operations on it then take constant-time paths. */
BIGNUM *p256_secret_number(struct p256_work *work, const uint8_t big_endian[32]);
/* A secret number that is uniform in [1, n). */
BIGNUM *p256_secret_draw(struct p256_work *work, const struct random_source *random);
/* In [1, n). */
bool p256_is_scalar(const BIGNUM *value);
/* product = a * b mod n, for secrets below n, with no division. `product` may be `a` or `b`. */
void p256_multiply(struct p256_work *work, BIGNUM *product, const BIGNUM *a, const BIGNUM *b);
/* inverse = value^-1 mod n, for a secret in [1, n). */
void p256_invert(struct p256_work *work, BIGNUM *inverse, const BIGNUM *value);

/* False if the key is not on the curve; infinity has no such form. */
bool p256_load_point(struct p256_work *work, EC_POINT *to, const struct p256_public *key);
/* `from` is not infinity. */
void p256_store_point(struct p256_work *work, uint8_t xy[64], const EC_POINT *from);

#endif
