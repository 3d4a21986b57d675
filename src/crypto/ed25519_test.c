#include "crypto/ed25519.h"

#include "tests/unit.h"

#include "crypto/ed25519_zip215.h"
#include "crypto/hash.h"
#include "tests/hexbytes.h"

/* RFC 8032 §7.1, test 3. */
static void signs_as_rfc8032_says(void **state) {
	(void)state;
	struct ed25519_secret secret;
	uint8_t signature[64];
	hash32 key;
	hexbytes(secret.seed, 32, "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
	assert_int_equal(ed25519_public_of(&key, &secret), STATUS_OK);
	assert_hex(key.b, 32, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
	assert_int_equal(ed25519_sign(signature, &secret, BYTES_LITERAL("\xaf\x82")), STATUS_OK);
	assert_hex(signature, 64,
	    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e971"
	    "6ed28dc027beceea1ec40a");
	assert_true(ed25519_verify(signature, &key, BYTES_LITERAL("\xaf\x82")));
	assert_false(ed25519_verify(signature, &key, BYTES_LITERAL("\xaf\x83")));
}

/* The slow rules pass what OpenSSL signs, and nothing that is changed in one bit. */
static void both_rules_agree_on_what_is_signed(void **state) {
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		const hash32 seed = sha256(bytes_make(&i, sizeof i));
		struct ed25519_secret secret;
		uint8_t signature[64];
		hash32 key;
		memcpy(secret.seed, seed.b, 32);
		assert_int_equal(ed25519_public_of(&key, &secret), STATUS_OK);
		assert_int_equal(ed25519_sign(signature, &secret, bytes_make(seed.b, i % 32)), STATUS_OK);
		assert_true(ed25519_verify_zip215(signature, &key, bytes_make(seed.b, i % 32)));
		assert_false(ed25519_verify_zip215(signature, &key, bytes_make(seed.b, i % 32 + 1)));
		signature[i] ^= (uint8_t)(1u << i % 8);
		assert_false(ed25519_verify(signature, &key, bytes_make(seed.b, i % 32)));
		signature[i] ^= (uint8_t)(1u << i % 8);
		key.b[i % 32] ^= (uint8_t)(1u << i % 8);
		assert_false(ed25519_verify(signature, &key, bytes_make(seed.b, i % 32)));
	}
}

/* R of order 1 in two encodings, with s = 0, under a key of order 1: RFC 8032 refuses at least one, ZIP 215 none. An s
 * that is not below the order is refused by both. */
static void zip215_takes_every_encoding_of_a_point(void **state) {
	(void)state;
	static const char *const neutral[] = {"0100000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000080",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
	uint8_t signature[64];
	hash32 key;
	for (unsigned i = 0; i < 16; i++) {
		memset(signature, 0, sizeof signature);
		hexbytes(key.b, 32, neutral[i % 4]);
		hexbytes(signature, 32, neutral[i / 4]);
		assert_true(ed25519_verify(signature, &key, BYTES_LITERAL("Zcash")));
		hexbytes(signature + 32, 32, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
		assert_false(ed25519_verify(signature, &key, BYTES_LITERAL("Zcash")));
	}
	hexbytes(key.b, 32, "0200000000000000000000000000000000000000000000000000000000000000"); /* no point */
	assert_false(ed25519_verify(signature, &key, BYTES_LITERAL("Zcash")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signs_as_rfc8032_says),
	    cmocka_unit_test(both_rules_agree_on_what_is_signed),
	    cmocka_unit_test(zip215_takes_every_encoding_of_a_point),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
