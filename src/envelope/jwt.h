/*
 * Signed tokens: a JWT (RFC 7519) as a compact JWS (RFC 7515) that somebody else's issuer made (RFC 9068).
 *
 * Taken are ES256, ES384, RS256 and PS256. `none` and the HMACs are refused, as is any `crit`, any `b64` and a name
 * that occurs twice. Functions of their own take HS256, and nothing else, for two programs that hold one secret. Keys
 * and addresses of keys in the header (jwk, jku, x5c, x5u) are never looked at: the key is one of the set that the
 * caller brings.
 *
 * Claims are authentic only after jwt_verify. Ownership: everything is a view into the arena. Threads: pure.
 */
#ifndef ENVELOPE_JWT_H
#define ENVELOPE_JWT_H

#include "codec/json.h"
#include "envelope/jwk.h"

#define JWT_BYTES_MAX ((size_t)12 << 10)
#define JWT_SKEW_SECONDS 60u

struct jwt {
	enum signature_algorithm algorithm;
	struct bytes kid, typ; /* of the header [empty] */
	const struct json *claims;
	struct bytes signed_part, signature;
};

/* "ES256" … False: another one, also one that exists. */
bool jwt_algorithm_find(enum signature_algorithm *out, struct bytes name);

/* The form alone. STATUS_INVALID: it is no such token; STATUS_UNSUPPORTED: an algorithm or a header that is refused;
 * STATUS_LIMIT: over JWT_BYTES_MAX. */
MUST_USE enum status jwt_parse(struct jwt *out, struct arena *arena, struct bytes text, struct err *err);
/* STATUS_NOTFOUND: the set has no key of that name and kind. STATUS_DENIED: the signature is not that key's. */
MUST_USE enum status jwt_verify(const struct jwt *token, const struct jwk_set *set, struct err *err);

struct jwt_expected {
	struct bytes issuer;
	struct bytes audience; /* one of the token's has to be this */
	uint64_t now_s;        /* Unix time; JWT_SKEW_SECONDS are given on each side */
};
/* iss, aud, exp (which has to be there), nbf and iat. STATUS_DENIED says which of them. */
MUST_USE enum status jwt_check(const struct jwt *token, const struct jwt_expected *expected, struct err *err);
/*
 * Tokens of a secret that both sides hold, as execution clients have between their halves (Ethereum's Engine API,
 * authentication): HS256, and `iat` within JWT_SKEW_SECONDS of now; `exp`, if it is there, has not come.
 */
#define JWT_SHARED_TOKEN_MAX 160u
/* As jwt_parse; STATUS_UNSUPPORTED: another algorithm than HS256. jwt_verify never takes such a token. */
MUST_USE enum status jwt_shared_parse(struct jwt *out, struct arena *arena, struct bytes text, struct err *err);
/* STATUS_DENIED: it was not made with this secret, or it is too old. */
MUST_USE enum status jwt_shared_check(const struct jwt *token, const hash32 *secret, uint64_t now_s, struct err *err);
/* Appends a token of now. */
void jwt_shared_write(struct buf *out, const hash32 *secret, uint64_t now_s);
/* A NumericDate claim in whole seconds; a fraction is cut off. False: it is absent, or no such number. */
bool jwt_time(uint64_t *out, const struct jwt *token, const char *name);

#endif
