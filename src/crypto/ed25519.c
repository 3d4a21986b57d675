#include "crypto/ed25519.h"

#include <openssl/evp.h>

#include "crypto/ed25519_zip215.h"

enum status ed25519_public_of(hash32 *out, const struct ed25519_secret *secret) {
	size_t len = sizeof out->b;
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret->seed, sizeof secret->seed);
	const bool is_done = pair && EVP_PKEY_get_raw_public_key(pair, out->b, &len) == 1 && len == sizeof out->b;
	EVP_PKEY_free(pair);
	return is_done ? STATUS_OK : STATUS_INTERNAL;
}

enum status ed25519_sign(
    uint8_t out[ED25519_SIGNATURE_BYTES], const struct ed25519_secret *secret, struct bytes message) {
	size_t len = ED25519_SIGNATURE_BYTES;
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret->seed, sizeof secret->seed);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	BUG_ON(!context);
	const bool is_done = pair && EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
			     EVP_DigestSign(context, out, &len, message.data, message.len) == 1 &&
			     len == ED25519_SIGNATURE_BYTES;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pair);
	return is_done ? STATUS_OK : STATUS_INTERNAL;
}

/* By RFC 8032's strict rules, which what honest signers make passes. */
static bool is_plainly_valid(const uint8_t *signature, const hash32 *key, struct bytes message) {
	EVP_PKEY *pair = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->b, sizeof key->b);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	BUG_ON(!context);
	const bool is_valid =
	    pair && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pair) == 1 &&
	    EVP_DigestVerify(context, signature, ED25519_SIGNATURE_BYTES, message.data, message.len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pair);
	return is_valid;
}

bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES], const hash32 *key, struct bytes message) {
	return is_plainly_valid(signature, key, message) || ed25519_verify_zip215(signature, key, message);
}
