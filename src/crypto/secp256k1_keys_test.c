#include "crypto/secp256k1_keys.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "tests/hexbytes.h"

static const char order_text[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

static hash32 hash_of(const char *text) {
	hash32 out;
	hexbytes(out.b, 32, text);
	return out;
}

/* The example of EIP-155. */
static void signs_as_eip155_says(void **state) {
	(void)state;
	hash32 secret, digest = hash_of("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
	memset(secret.b, 0x46, 32);
	struct secp_signature signature;
	assert_int_equal(secp_sign(&signature, &secret, &digest), STATUS_OK);
	assert_hex(signature.r, 32, "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
	assert_hex(signature.s, 32, "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
	assert_int_equal(signature.y_parity, 0); /* v = 37 = 35 + 2 * chain id 1 */
	uint8_t key[64], recovered[64];
	assert_int_equal(secp_public_key(key, &secret), STATUS_OK);
	assert_int_equal(secp_recover(recovered, &signature, &digest), STATUS_OK);
	assert_memory_equal(key, recovered, 64);
	hash32 hash = keccak256(bytes_make(key, 64));
	assert_hex(hash.b + 12, 20, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
}

/* What was signed, with either key parity and also with the high s, is what is recovered. */
static void recovers_what_was_signed(void **state) {
	(void)state;
	uint8_t seed[32] = {1};
	secp_init(seed);
	for (uint8_t i = 1; i < 60; i++) {
		hash32 secret = sha256(bytes_make(&i, 1)), digest = keccak256(bytes_make(&i, 1));
		struct secp_signature signature;
		uint8_t key[64], compressed[33], recovered[64];
		assert_int_equal(secp_sign(&signature, &secret, &digest), STATUS_OK);
		assert_true(secp_s_is_low(signature.s));
		assert_int_equal(secp_public_key(key, &secret), STATUS_OK);
		assert_int_equal(secp_public_key_compressed(compressed, &secret), STATUS_OK);
		assert_memory_equal(compressed + 1, key, 32);
		assert_int_equal(compressed[0], 2 + (key[63] & 1));
		assert_int_equal(secp_recover(recovered, &signature, &digest), STATUS_OK);
		assert_memory_equal(key, recovered, 64);
		signature.y_parity ^= 1;
		if (secp_recover(recovered, &signature, &digest) == STATUS_OK)
			assert_memory_not_equal(key, recovered, 64);
		/* n - s with the other parity is the same signature. */
		hash32 order = hash_of(order_text);
		unsigned borrow = 0;
		for (int j = 31; j >= 0; j--) {
			unsigned difference = 256u + order.b[j] - signature.s[j] - borrow;
			signature.s[j] = (uint8_t)difference;
			borrow = difference < 256;
		}
		assert_false(secp_s_is_low(signature.s));
		assert_int_equal(secp_recover(recovered, &signature, &digest), STATUS_OK);
		assert_memory_equal(key, recovered, 64);
	}
}

static void refuses_what_is_out_of_range(void **state) {
	(void)state;
	hash32 zero = {0}, order = hash_of(order_text), one = {0}, last = order;
	one.b[31] = 1;
	last.b[31]--;
	assert_false(secp_secret_is_valid(&zero));
	assert_false(secp_secret_is_valid(&order));
	assert_true(secp_secret_is_valid(&one));
	assert_true(secp_secret_is_valid(&last));
	uint8_t key[64];
	struct secp_signature signature;
	assert_int_equal(secp_public_key(key, &zero), STATUS_INVALID);
	assert_int_equal(secp_sign(&signature, &order, &one), STATUS_INVALID);
	assert_int_equal(secp_sign(&signature, &last, &one), STATUS_OK);
	struct secp_signature bad = signature;
	memset(bad.r, 0, 32);
	assert_int_equal(secp_recover(key, &bad, &one), STATUS_INVALID);
	bad = signature;
	memset(bad.s, 0, 32);
	assert_int_equal(secp_recover(key, &bad, &one), STATUS_INVALID);
	memcpy(bad.s, order.b, 32);
	assert_int_equal(secp_recover(key, &bad, &one), STATUS_INVALID);
	bad = signature;
	bad.y_parity = 2;
	assert_int_equal(secp_recover(key, &bad, &one), STATUS_INVALID);
}

static void low_s_is_at_most_half(void **state) {
	(void)state;
	hash32 half = hash_of("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
	assert_true(secp_s_is_low(half.b));
	half.b[31]++;
	assert_false(secp_s_is_low(half.b));
}

static void tweaks_wrap_around(void **state) {
	(void)state;
	hash32 order = hash_of(order_text), secret = {0}, one = {0}, last = order;
	one.b[31] = 1;
	last.b[31]--;
	secret.b[31] = 3;
	assert_int_equal(secp_secret_tweak_add(&secret, &last), STATUS_OK);
	assert_int_equal(secret.b[31], 2);
	assert_int_equal(secp_secret_tweak_add(&secret, &order), STATUS_INVALID);
	assert_int_equal(secret.b[31], 2);
	secret = one;
	assert_int_equal(secp_secret_tweak_add(&secret, &last), STATUS_INVALID);
	assert_true(hash32_equal(&secret, &one));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signs_as_eip155_says),
	    cmocka_unit_test(recovers_what_was_signed),
	    cmocka_unit_test(refuses_what_is_out_of_range),
	    cmocka_unit_test(low_s_is_at_most_half),
	    cmocka_unit_test(tweaks_wrap_around),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
