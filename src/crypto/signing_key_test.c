/* One seam for both kinds of keys: what any signer gives is completed to what Ethereum takes, or refused. */
#include "tests/unit.h"

#include "crypto/signing_key.h"

static hash32 secret = {{7}};
static const hash32 digest = {{1, 2, 3}};

static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};

static enum { LOW, HIGH, OTHER, ZERO } answer;

/* As a token answers: with any s. */
static enum status sign(void *context, uint8_t out[SIGNING_BYTES], struct bytes what, struct err *err) {
	struct secp_signature made;
	hash32 asked;
	(void)context, (void)err;
	memcpy(asked.b, what.data, sizeof asked.b);
	asked.b[31] ^= answer == OTHER;
	assert_int_equal(secp_sign(&made, &secret, &asked), STATUS_OK);
	memcpy(out, made.r, 32);
	memcpy(out + 32, made.s, 32);
	for (int i = 31, borrow = 0; answer == HIGH && i >= 0; i--) {
		const int value = order[i] - made.s[i] - borrow;
		out[32 + i] = (uint8_t)value;
		borrow = value < 0;
	}
	if (answer == ZERO) memset(out, 0, SIGNING_BYTES);
	return STATUS_OK;
}

static void a_high_s_becomes_the_low_one(void **state) {
	(void)state;
	struct secp_signature expected, made;
	struct signing_key key = {.sign = sign};
	assert_int_equal(secp_public_key(key.public_key, &secret), STATUS_OK);
	for (uint8_t i = 0; i < 16; i++) { /* both parities are among them */
		const hash32 what = {{i}};
		assert_int_equal(secp_sign(&expected, &secret, &what), STATUS_OK);
		for (answer = LOW; answer <= HIGH; answer++) {
			assert_int_equal(signing_key_secp(&key, &made, &what, NULL), STATUS_OK);
			assert_memory_equal(&made, &expected, sizeof made);
		}
	}
}

static void a_signature_of_something_else_is_refused(void **state) {
	(void)state;
	struct secp_signature made;
	struct signing_key key = {.sign = sign};
	assert_int_equal(secp_public_key(key.public_key, &secret), STATUS_OK);
	for (answer = OTHER; answer <= ZERO; answer++)
		assert_int_equal(signing_key_secp(&key, &made, &digest, NULL), STATUS_CORRUPT);
	answer = LOW;
	key.public_key[0] ^= 1;
	assert_int_equal(signing_key_secp(&key, &made, &digest, NULL), STATUS_CORRUPT);
}

static void secrets_in_memory_sign_as_before(void **state) {
	(void)state;
	struct ed25519_secret seed = {{9}};
	struct signing_key edwards, key;
	struct secp_signature made, expected;
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	hash32 point, zero = {{0}};
	assert_int_equal(signing_key_of_ed25519(&edwards, &seed), STATUS_OK);
	assert_int_equal(signing_key_ed25519(&edwards, signature, BYTES_LITERAL("a vote"), NULL), STATUS_OK);
	memcpy(point.b, edwards.public_key, sizeof point.b);
	assert_true(ed25519_verify(signature, &point, BYTES_LITERAL("a vote")));
	assert_int_equal(signing_key_of_secp(&key, &secret), STATUS_OK);
	assert_int_equal(signing_key_secp(&key, &made, &digest, NULL), STATUS_OK);
	assert_int_equal(secp_sign(&expected, &secret, &digest), STATUS_OK);
	assert_memory_equal(&made, &expected, sizeof made);
	assert_int_equal(signing_key_of_secp(&key, &zero), STATUS_INVALID);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_high_s_becomes_the_low_one),
	    cmocka_unit_test(a_signature_of_something_else_is_refused),
	    cmocka_unit_test(secrets_in_memory_sign_as_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
