/* The ciphers are fetched once, before main: fetching costs more than a short message. */
#include "crypto/aead.h"

#include <openssl/evp.h>

#include "base/mem.h"

#define UPDATE_MAX ((size_t)1 << 30) /* bytes; OpenSSL counts in int */

static EVP_CIPHER *gcm, *key_wrap, *ctr;

__attribute__((constructor)) static void fetch_ciphers(void) {
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	key_wrap = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
	ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	BUG_ON(!gcm || !key_wrap || !ctr);
}

/* `out` is NULL for additional data. */
static void update(EVP_CIPHER_CTX *context, uint8_t *out, struct bytes in) {
	while (in.len) {
		size_t take = in.len < UPDATE_MAX ? in.len : UPDATE_MAX;
		int written = 0;
		BUG_ON(EVP_CipherUpdate(context, out, &written, in.data, (int)take) != 1 || (size_t)written != take);
		if (out) out += take;
		in = bytes_slice(in, take, in.len);
	}
}

static EVP_CIPHER_CTX *start_gcm(const uint8_t key[32], const uint8_t iv[12], struct bytes aad, bool seal) {
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	BUG_ON(!context || EVP_CipherInit_ex2(context, gcm, key, iv, seal, NULL) != 1);
	update(context, NULL, aad);
	return context;
}

void aes256gcm_seal(uint8_t *ciphertext, uint8_t tag[16], const uint8_t key[32], const uint8_t iv[12], struct bytes aad,
    struct bytes plaintext) {
	EVP_CIPHER_CTX *context = start_gcm(key, iv, aad, true);
	update(context, ciphertext, plaintext);
	uint8_t none[16];
	int written = 0;
	BUG_ON(EVP_CipherFinal_ex(context, none, &written) != 1 || written != 0);
	BUG_ON(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1);
	EVP_CIPHER_CTX_free(context);
}

enum status aes256gcm_open(uint8_t *plaintext, const uint8_t tag[16], const uint8_t key[32], const uint8_t iv[12],
    struct bytes aad, struct bytes ciphertext) {
	EVP_CIPHER_CTX *context = start_gcm(key, iv, aad, false);
	update(context, plaintext, ciphertext);
	uint8_t expected[16], none[16];
	memcpy(expected, tag, sizeof expected);
	BUG_ON(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof expected, expected) != 1);
	int written = 0;
	bool fits = EVP_CipherFinal_ex(context, none, &written) == 1;
	EVP_CIPHER_CTX_free(context);
	if (fits) return STATUS_OK;
	mem_wipe(plaintext, ciphertext.len);
	return STATUS_DENIED;
}

static bool wrap_or_unwrap(uint8_t *out, size_t out_len, const uint8_t kek[32], struct bytes in, bool wrap) {
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	BUG_ON(!context);
	EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	BUG_ON(EVP_CipherInit_ex2(context, key_wrap, kek, NULL, wrap, NULL) != 1);
	int written = 0;
	bool fits = EVP_CipherUpdate(context, out, &written, in.data, (int)in.len) == 1 && (size_t)written == out_len;
	EVP_CIPHER_CTX_free(context);
	return fits;
}

void aes256kw_wrap(uint8_t out[40], const uint8_t kek[32], const uint8_t key[32]) {
	BUG_ON(!wrap_or_unwrap(out, 40, kek, bytes_make(key, 32), true));
}

enum status aes256kw_unwrap(uint8_t out[32], const uint8_t kek[32], const uint8_t wrapped[40]) {
	/* OpenSSL may use as much room as the input has. */
	uint8_t key[40];
	bool fits = wrap_or_unwrap(key, 32, kek, bytes_make(wrapped, 40), false);
	if (fits) memcpy(out, key, 32);
	mem_wipe(key, sizeof key);
	return fits ? STATUS_OK : STATUS_DENIED;
}

void aes128ctr(uint8_t *out, const uint8_t key[16], const uint8_t iv[16], struct bytes in) {
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	BUG_ON(!context || EVP_CipherInit_ex2(context, ctr, key, iv, true, NULL) != 1);
	update(context, out, in);
	EVP_CIPHER_CTX_free(context);
}
