/* For tests: tokens and key sets of an issuer whose one key is the number 7, by ES256. */
#ifndef TESTS_JWT_TOKENS_H
#define TESTS_JWT_TOKENS_H

#include <stdio.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "crypto/p256.h"

/* Appends the token of a header and claims that are JSON, signed with the key `number`. */
static inline void jwt_token(struct buf *out, const char *header, const char *claims, uint8_t number) {
	const struct p256_secret secret = {{[31] = number}};
	uint8_t signature[64];
	const size_t from = out->len;
	base64url_put(out, bytes_text(header));
	buf_byte(out, '.');
	base64url_put(out, bytes_text(claims));
	const hash32 digest = sha256(bytes_slice(buf_view(out), from, out->len));
	BUG_ON(p256_sign(signature, &secret, &digest) != STATUS_OK);
	buf_byte(out, '.');
	base64url_put(out, bytes_make(signature, sizeof signature));
}

/* Appends the public key `number` as a JWK; `more` are further members, with a comma in front. */
static inline void jwt_key(struct buf *out, uint8_t number, const char *more) {
	const struct p256_secret secret = {{[31] = number}};
	struct p256_public key;
	BUG_ON(p256_public_of(&key, &secret) != STATUS_OK);
	buf_text(out, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
	base64url_put(out, bytes_make(key.xy, 32));
	buf_text(out, "\",\"y\":\"");
	base64url_put(out, bytes_make(key.xy + 32, 32));
	buf_printf(out, "\"%s}", more);
}

/* Appends a set of one key. */
static inline void jwt_keys(struct buf *out, uint8_t number, const char *kid) {
	char more[300];
	snprintf(more, sizeof more, ",\"kid\":\"%s\"", kid);
	buf_text(out, "{\"keys\":[");
	jwt_key(out, number, more);
	buf_text(out, "]}");
}

#endif
