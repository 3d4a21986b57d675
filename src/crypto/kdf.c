/* Key derivation: HKDF and PBKDF2. */
#include "crypto/hash.h"

#include <limits.h>
#include <openssl/evp.h>

#include "base/mem.h"

#define HKDF_OUT_MAX ((size_t)255 * 32)

void hkdf_expand_sha256(uint8_t *out, size_t out_len, const hash32 *prk, struct bytes info) {
	BUG_ON(out_len == 0 || out_len > HKDF_OUT_MAX);
	/* T(i) = HMAC(prk, T(i-1) || info || i), T(0) empty. */
	size_t input_max = 32 + info.len + 1;
	uint8_t *input = mem_alloc(input_max);
	hash32 block = {0};
	size_t previous_len = 0;
	for (uint8_t i = 1; out_len; i++) {
		memcpy(input, block.b, previous_len);
		if (info.len) memcpy(input + previous_len, info.data, info.len);
		input[previous_len + info.len] = i;
		block = hmac_sha256(BYTES_OF(*prk), bytes_make(input, previous_len + info.len + 1));
		previous_len = sizeof block.b;
		size_t take = out_len < sizeof block.b ? out_len : sizeof block.b;
		memcpy(out, block.b, take);
		out += take;
		out_len -= take;
	}
	mem_wipe(&block, sizeof block);
	mem_wipe(input, input_max);
	mem_free(input);
}

void hkdf_sha256(uint8_t *out, size_t out_len, struct bytes salt, struct bytes secret, struct bytes info) {
	hash32 prk = hmac_sha256(salt, secret);
	hkdf_expand_sha256(out, out_len, &prk, info);
	mem_wipe(&prk, sizeof prk);
}

static void pbkdf2(
    uint8_t *out, size_t out_len, const EVP_MD *digest, struct bytes password, struct bytes salt, uint32_t iterations) {
	BUG_ON(out_len > INT_MAX || password.len > INT_MAX || salt.len > INT_MAX || iterations == 0 ||
	       iterations > INT_MAX);
	const char *text = password.len ? (const char *)password.data : "";
	BUG_ON(PKCS5_PBKDF2_HMAC(
		   text, (int)password.len, salt.data, (int)salt.len, (int)iterations, digest, (int)out_len, out) != 1);
}

void pbkdf2_sha256(uint8_t *out, size_t out_len, struct bytes password, struct bytes salt, uint32_t iterations) {
	pbkdf2(out, out_len, EVP_sha256(), password, salt, iterations);
}

void pbkdf2_sha512(uint8_t *out, size_t out_len, struct bytes password, struct bytes salt, uint32_t iterations) {
	pbkdf2(out, out_len, EVP_sha512(), password, salt, iterations);
}
