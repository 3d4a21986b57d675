#include "crypto/signing_key.h"

#include <string.h>

/* --- a secret in memory --- */

static enum status sign_ed25519(void *secret, uint8_t out[SIGNING_BYTES], struct bytes what, struct err *err) {
	const enum status status = ed25519_sign(out, secret, what);
	return status == STATUS_OK ? status : err_set(err, status, "the key signs nothing");
}

enum status signing_key_of_ed25519(struct signing_key *out, struct ed25519_secret *secret) {
	hash32 point;
	*out = (struct signing_key){.sign = sign_ed25519, .context = secret};
	TRY(ed25519_public_of(&point, secret));
	memcpy(out->public_key, point.b, sizeof point.b);
	return STATUS_OK;
}

static enum status sign_secp(void *secret, uint8_t out[SIGNING_BYTES], struct bytes what, struct err *err) {
	struct secp_signature signature;
	hash32 digest;
	BUG_ON(what.len != sizeof digest.b);
	memcpy(digest.b, what.data, sizeof digest.b);
	const enum status status = secp_sign(&signature, secret, &digest);
	if (status != STATUS_OK) return err_set(err, status, "the key signs nothing");
	memcpy(out, signature.r, sizeof signature.r);
	memcpy(out + sizeof signature.r, signature.s, sizeof signature.s);
	return STATUS_OK;
}

enum status signing_key_of_secp(struct signing_key *out, hash32 *secret) {
	*out = (struct signing_key){.sign = sign_secp, .context = secret};
	return secp_public_key(out->public_key, secret);
}

/* --- of any --- */

enum status signing_key_ed25519(
    const struct signing_key *key, uint8_t out[ED25519_SIGNATURE_BYTES], struct bytes message, struct err *err) {
	return key->sign(key->context, out, message, err);
}

enum status signing_key_secp(
    const struct signing_key *key, struct secp_signature *out, const hash32 *digest, struct err *err) {
	uint8_t pair[SIGNING_BYTES];
	TRY(key->sign(key->context, pair, BYTES_OF(*digest), err));
	const enum status status = secp_complete(out, pair, key->public_key, digest);
	return status == STATUS_OK ? status : err_set(err, status, "the signature is not of this key and this digest");
}
