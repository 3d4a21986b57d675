/*
 * Keys that others publish: a JWK Set (RFC 7517) of an issuer, for checking its signatures.
 *
 * Kept are keys of type EC (P-256, P-384) and RSA that may be used for signatures; other kinds are passed over, as
 * RFC 7517 §5 has it. Certificates in a key (x5c, x5u) are ignored. A set with a member of a private or a symmetric key
 * is refused as a whole: it is not what an issuer publishes.
 *
 * Threads: a set never changes once it is made.
 */
#ifndef ENVELOPE_JWK_H
#define ENVELOPE_JWK_H

#include "base/mem.h"
#include "crypto/signature.h"

#define JWK_SET_BYTES_MAX ((size_t)256 << 10)
#define JWK_COUNT_MAX 100u
#define JWK_KID_MAX 255u

struct jwk {
	struct bytes kid; /* [empty: it has none] */
	struct signature_key *key;
	unsigned algorithms; /* bits of enum signature_algorithm: those that its `alg` allows */
};
struct jwk_set {
	struct arena arena;
	struct jwk list[JWK_COUNT_MAX];
	size_t count;
};

/* A new set. STATUS_INVALID, STATUS_LIMIT: it is no such set, or its bounds are passed. A set without any key of use is
 * STATUS_INVALID too. */
MUST_USE enum status jwk_set_parse(struct jwk_set **out, struct bytes text, struct err *err);
void jwk_set_free(struct jwk_set *set); /* NULL is allowed */
/* May this key check a signature of that algorithm under that name? An empty `kid` fits every key. */
bool jwk_fits(const struct jwk *key, enum signature_algorithm algorithm, struct bytes kid);

#endif
