#include "crypto/p256.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "tests/hexbytes.h"

static const char order_text[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/* RFC 6979 A.2.5, SHA-256. */
static void signs_as_rfc6979_says(void **state) {
	(void)state;
	struct p256_secret secret;
	struct p256_public key;
	uint8_t signature[64];
	hexbytes(secret.d, 32, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
	assert_int_equal(p256_public_of(&key, &secret), STATUS_OK);
	assert_hex(key.xy, 64,
	    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d"
	    "7e"
	    "9f5177a3c294d4462299");
	hash32 digest = sha256(BYTES_LITERAL("sample"));
	assert_int_equal(p256_sign(signature, &secret, &digest), STATUS_OK);
	assert_hex(signature, 64,
	    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9"
	    "af"
	    "f4064dc4ab2f843acda8");
	assert_true(p256_verify(signature, &key, &digest));
	digest = sha256(BYTES_LITERAL("test"));
	assert_false(p256_verify(signature, &key, &digest));
	assert_int_equal(p256_sign(signature, &secret, &digest), STATUS_OK);
	assert_hex(signature, 64,
	    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3"
	    "81"
	    "4b4c0cc84250e46f0083");
}

/* RFC 9180 A.3.1, the ephemeral key. */
static void derives_as_rfc9180_says(void **state) {
	(void)state;
	uint8_t ikm[32];
	struct p256_secret secret;
	struct p256_public key;
	hexbytes(ikm, 32, "4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e");
	assert_int_equal(p256_derive_key_pair(&secret, &key, bytes_make(ikm, 32)), STATUS_OK);
	assert_hex(secret.d, 32, "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb");
	assert_hex(key.xy, 64,
	    "a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce6"
	    "5c"
	    "9bfcb9382657222d18c4");
	assert_int_equal(p256_derive_key_pair(&secret, &key, bytes_make(ikm, 31)), STATUS_INVALID);
}

static void agreement_is_mutual(void **state) {
	(void)state;
	struct p256_secret a = {{1, 2, 3}}, b = {{9, 8, 7}};
	struct p256_public a_public, b_public;
	uint8_t ab[32], ba[32];
	assert_int_equal(p256_public_of(&a_public, &a), STATUS_OK);
	assert_int_equal(p256_public_of(&b_public, &b), STATUS_OK);
	assert_int_equal(p256_ecdh(ab, &a, &b_public), STATUS_OK);
	assert_int_equal(p256_ecdh(ba, &b, &a_public), STATUS_OK);
	assert_memory_equal(ab, ba, 32);
}

static void refuses_bad_keys(void **state) {
	(void)state;
	struct p256_secret zero = {{0}}, order, one = {{0}};
	struct p256_public key, bad;
	uint8_t out[64];
	hash32 digest = {{1}};
	one.d[31] = 1;
	hexbytes(order.d, 32, order_text);
	assert_int_equal(p256_public_of(&key, &zero), STATUS_INVALID);
	assert_int_equal(p256_public_of(&key, &order), STATUS_INVALID);
	assert_int_equal(p256_sign(out, &order, &digest), STATUS_INVALID);
	assert_int_equal(p256_public_of(&key, &one), STATUS_OK);
	assert_true(p256_public_is_valid(&key));
	bad = key;
	bad.xy[63] ^= 1;
	assert_false(p256_public_is_valid(&bad));
	assert_int_equal(p256_ecdh(out, &one, &bad), STATUS_INVALID);
	memset(bad.xy, 0, 64);
	assert_false(p256_public_is_valid(&bad));
	memset(bad.xy, 0xff, 64); /* coordinates not below the prime */
	assert_false(p256_public_is_valid(&bad));
	assert_int_equal(p256_ecdh(out, &zero, &key), STATUS_INVALID);
}

static void refuses_bad_signatures(void **state) {
	(void)state;
	struct p256_secret secret = {{5}};
	struct p256_public key, off_curve;
	uint8_t signature[64], bad[64];
	hash32 digest = {{1}};
	assert_int_equal(p256_public_of(&key, &secret), STATUS_OK);
	assert_int_equal(p256_sign(signature, &secret, &digest), STATUS_OK);
	assert_true(p256_verify(signature, &key, &digest));
	off_curve = key;
	off_curve.xy[0] ^= 1;
	assert_false(p256_verify(signature, &off_curve, &digest));
	for (size_t half = 0; half < 64; half += 32) {
		memcpy(bad, signature, 64);
		memset(bad + half, 0, 32);
		assert_false(p256_verify(bad, &key, &digest));
		hexbytes(bad + half, 32, order_text);
		assert_false(p256_verify(bad, &key, &digest));
		memcpy(bad, signature, 64);
		bad[half + 31] ^= 1;
		assert_false(p256_verify(bad, &key, &digest));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signs_as_rfc6979_says),
	    cmocka_unit_test(derives_as_rfc9180_says),
	    cmocka_unit_test(agreement_is_mutual),
	    cmocka_unit_test(refuses_bad_keys),
	    cmocka_unit_test(refuses_bad_signatures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
