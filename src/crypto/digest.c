/* SHA-2, RIPEMD-160 and HMAC through OpenSSL. The algorithms are fetched once, before main: fetching costs more than
 * hashing. */
#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

static EVP_MD *md_sha256, *md_sha512, *md_ripemd160;
static EVP_MAC_CTX *mac_sha256, *mac_sha512; /* templates, never keyed: every use works on a copy */

static EVP_MD *fetch_digest(const char *name) {
	EVP_MD *digest = EVP_MD_fetch(NULL, name, NULL);
	BUG_ON(!digest);
	return digest;
}

static EVP_MAC_CTX *hmac_template(EVP_MAC *hmac, const char *digest) {
	/* OpenSSL reads the name only, though its type does not say so. */
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0), OSSL_PARAM_construct_end()};
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac);
	BUG_ON(!context || EVP_MAC_CTX_set_params(context, params) != 1);
	return context;
}

__attribute__((constructor)) static void fetch_algorithms(void) {
	md_sha256 = fetch_digest("SHA2-256");
	md_sha512 = fetch_digest("SHA2-512");
	md_ripemd160 = fetch_digest("RIPEMD-160");
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	BUG_ON(!hmac);
	mac_sha256 = hmac_template(hmac, "SHA2-256");
	mac_sha512 = hmac_template(hmac, "SHA2-512");
	EVP_MAC_free(hmac);
}

static void digest_parts(uint8_t *out, const EVP_MD *digest, const struct bytes *parts, size_t count) {
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	BUG_ON(!context || EVP_DigestInit_ex(context, digest, NULL) != 1);
	for (size_t i = 0; i < count; i++) BUG_ON(EVP_DigestUpdate(context, parts[i].data, parts[i].len) != 1);
	BUG_ON(EVP_DigestFinal_ex(context, out, NULL) != 1);
	EVP_MD_CTX_free(context);
}

hash32 sha256_parts(const struct bytes *parts, size_t count) {
	BUG_ON(count > 8);
	hash32 out;
	digest_parts(out.b, md_sha256, parts, count);
	return out;
}

hash32 sha256(struct bytes message) {
	return sha256_parts(&message, 1);
}

void sha512(uint8_t out[64], struct bytes message) {
	digest_parts(out, md_sha512, &message, 1);
}

void ripemd160(uint8_t out[20], struct bytes message) {
	digest_parts(out, md_ripemd160, &message, 1);
}

static void hmac(uint8_t *out, size_t out_len, const EVP_MAC_CTX *template, struct bytes key, struct bytes message) {
	/* A NULL key would mean "the key from before". */
	static const uint8_t empty;
	size_t written = 0;
	EVP_MAC_CTX *context = EVP_MAC_CTX_dup(template);
	BUG_ON(!context || EVP_MAC_init(context, key.len ? key.data : &empty, key.len, NULL) != 1);
	BUG_ON(EVP_MAC_update(context, message.data, message.len) != 1);
	BUG_ON(EVP_MAC_final(context, out, &written, out_len) != 1 || written != out_len);
	EVP_MAC_CTX_free(context);
}

hash32 hmac_sha256(struct bytes key, struct bytes message) {
	hash32 out;
	hmac(out.b, sizeof out.b, mac_sha256, key, message);
	return out;
}

void hmac_sha512(uint8_t out[64], struct bytes key, struct bytes message) {
	hmac(out, 64, mac_sha512, key, message);
}

bool constant_time_equal(struct bytes a, struct bytes b) {
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}
