/* Signatures that OpenSSL makes here with fresh keys. */
#include "crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "tests/unit.h"

#define SIGNATURE_MAX 1024u
#define MESSAGE BYTES_LITERAL("a message")

struct pair {
	EVP_PKEY *pkey;
	struct signature_key *key;
	enum signature_algorithm algorithm;
};

static struct bytes number_of(EVP_PKEY *pkey, const char *name, uint8_t *room, size_t width) {
	BIGNUM *number = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &number), 1);
	size_t len = width ? width : (size_t)BN_num_bytes(number);
	assert_int_equal(BN_bn2binpad(number, room, (int)len), (int)len);
	BN_free(number);
	return bytes_make(room, len);
}

static struct pair ec_pair(enum signature_algorithm algorithm) {
	uint8_t x[48], y[48];
	const size_t width = algorithm == SIGNATURE_ES384 ? 48 : 32;
	struct pair out = {
	    .pkey = EVP_EC_gen(algorithm == SIGNATURE_ES384 ? "P-384" : "P-256"), .algorithm = algorithm};
	assert_int_equal(
	    signature_key_of_point(&out.key, algorithm, number_of(out.pkey, OSSL_PKEY_PARAM_EC_PUB_X, x, width),
		number_of(out.pkey, OSSL_PKEY_PARAM_EC_PUB_Y, y, width), NULL),
	    STATUS_OK);
	return out;
}

static enum status rsa_key(struct signature_key **out, EVP_PKEY *pkey) {
	uint8_t n[1100], e[16];
	return signature_key_of_rsa(
	    out, number_of(pkey, OSSL_PKEY_PARAM_RSA_N, n, 0), number_of(pkey, OSSL_PKEY_PARAM_RSA_E, e, 0), NULL);
}

static struct pair rsa_pair(enum signature_algorithm algorithm) {
	struct pair out = {.pkey = EVP_RSA_gen(2048), .algorithm = algorithm};
	assert_int_equal(rsa_key(&out.key, out.pkey), STATUS_OK);
	return out;
}

static void pair_free(struct pair *pair) {
	EVP_PKEY_free(pair->pkey);
	signature_key_free(pair->key);
}

static size_t raw_of(uint8_t *out, const uint8_t *der, size_t len, size_t width) {
	ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &der, (long)len);
	assert_non_null(parts);
	BN_bn2binpad(ECDSA_SIG_get0_r(parts), out, (int)width);
	BN_bn2binpad(ECDSA_SIG_get0_s(parts), out + width, (int)width);
	ECDSA_SIG_free(parts);
	return 2 * width;
}

static size_t sign(const struct pair *pair, int salt, uint8_t out[SIGNATURE_MAX]) {
	uint8_t der[SIGNATURE_MAX];
	size_t len = SIGNATURE_MAX;
	EVP_PKEY_CTX *padding;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const bool is_384 = pair->algorithm == SIGNATURE_ES384;
	assert_int_equal(
	    EVP_DigestSignInit(context, &padding, is_384 ? EVP_sha384() : EVP_sha256(), NULL, pair->pkey), 1);
	if (pair->algorithm == SIGNATURE_PS256) {
		EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, salt);
	}
	assert_int_equal(EVP_DigestSign(context, der, &len, MESSAGE.data, MESSAGE.len), 1);
	EVP_MD_CTX_free(context);
	if (pair->algorithm == SIGNATURE_ES256 || is_384) return raw_of(out, der, len, is_384 ? 48 : 32);
	memcpy(out, der, len);
	return len;
}

static void check_pair(struct pair pair) {
	uint8_t signature[SIGNATURE_MAX];
	const size_t len = sign(&pair, 32, signature);
	const struct bytes whole = bytes_make(signature, len);
	assert_true(signature_verify(pair.key, pair.algorithm, MESSAGE, whole));
	assert_false(signature_verify(pair.key, pair.algorithm, BYTES_LITERAL("another"), whole));
	assert_false(signature_verify(pair.key, pair.algorithm, MESSAGE, bytes_slice(whole, 0, len - 1)));
	assert_false(signature_verify(pair.key, pair.algorithm, MESSAGE, (struct bytes){NULL, 0}));
	for (unsigned other = 0; other < SIGNATURE_COUNT; other++)
		if (other != pair.algorithm)
			assert_false(signature_verify(pair.key, (enum signature_algorithm)other, MESSAGE, whole));
	signature[len / 2] ^= 1;
	assert_false(signature_verify(pair.key, pair.algorithm, MESSAGE, whole));
	memset(signature, 0, len);
	assert_false(signature_verify(pair.key, pair.algorithm, MESSAGE, whole));
	pair_free(&pair);
}

static void a_signature_holds_for_its_key_algorithm_and_message(void **state) {
	(void)state;
	check_pair(ec_pair(SIGNATURE_ES256));
	check_pair(ec_pair(SIGNATURE_ES384));
	check_pair(rsa_pair(SIGNATURE_RS256));
	check_pair(rsa_pair(SIGNATURE_PS256));
}

static void a_pss_salt_has_the_length_of_the_hash(void **state) {
	(void)state;
	uint8_t signature[SIGNATURE_MAX];
	struct pair pair = rsa_pair(SIGNATURE_PS256);
	const size_t len = sign(&pair, 20, signature);
	assert_false(signature_verify(pair.key, SIGNATURE_PS256, MESSAGE, bytes_make(signature, len)));
	pair_free(&pair);
}

static void keys_out_of_bounds_are_refused(void **state) {
	(void)state;
	struct signature_key *key = NULL;
	uint8_t bytes[1025];
	EVP_PKEY *small = EVP_RSA_gen(1024);
	assert_int_equal(rsa_key(&key, small), STATUS_INVALID);
	EVP_PKEY_free(small);
	memset(bytes, 0xff, sizeof bytes);
	const struct bytes modulus = bytes_make(bytes, 256), three = BYTES_LITERAL("\3");
	assert_int_equal(signature_key_of_rsa(&key, bytes_make(bytes, 1025), three, NULL), STATUS_INVALID);
	assert_int_equal(signature_key_of_rsa(&key, modulus, BYTES_LITERAL("\1"), NULL), STATUS_INVALID);
	assert_int_equal(signature_key_of_rsa(&key, modulus, BYTES_LITERAL("\4"), NULL), STATUS_INVALID);
	assert_int_equal(signature_key_of_rsa(&key, modulus, modulus, NULL), STATUS_INVALID);
	assert_int_equal(signature_key_of_rsa(&key, modulus, (struct bytes){NULL, 0}, NULL), STATUS_INVALID);
	const struct bytes half = bytes_make(bytes, 32);
	assert_int_equal(signature_key_of_point(&key, SIGNATURE_ES256, half, half, NULL), STATUS_INVALID);
	assert_int_equal(
	    signature_key_of_point(&key, SIGNATURE_ES256, half, bytes_make(bytes, 31), NULL), STATUS_INVALID);
	memset(bytes, 0, sizeof bytes);
	assert_int_equal(signature_key_of_point(&key, SIGNATURE_ES256, half, half, NULL), STATUS_INVALID);
	assert_null(key);
	signature_key_free(NULL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signature_holds_for_its_key_algorithm_and_message),
	    cmocka_unit_test(a_pss_salt_has_the_length_of_the_hash),
	    cmocka_unit_test(keys_out_of_bounds_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
