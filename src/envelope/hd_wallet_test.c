#include "envelope/hd_wallet.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "tests/hexbytes.h"

static const struct bytes junk = BYTES_LITERAL("test test test test test test test test test test test junk");

/* The accounts that every development chain knows. */
static void junk_phrase_accounts(void **state) {
	(void)state;
	static const char *const addresses[] = {
	    "f39fd6e51aad88f6f4ce6ab8827279cfffb92266", "70997970c51812dc3a010c7d01b50e0d17dc79c8"};
	struct hd_seed seed;
	struct hd_key root, key;
	struct err err;
	assert_int_equal(hd_seed_of(&seed, junk, (struct bytes){0}, &err), STATUS_OK);
	assert_int_equal(hd_root(&root, bytes_make(seed.bytes, sizeof seed.bytes), &err), STATUS_OK);
	for (uint32_t i = 0; i < 2; i++) {
		hash32 secret;
		uint8_t xy[64];
		assert_int_equal(hd_account(&secret, &root, i, &err), STATUS_OK);
		assert_int_equal(secp_public_key(xy, &secret), STATUS_OK);
		assert_hex(keccak256(bytes_make(xy, 64)).b + 12, 20, addresses[i]);
		assert_int_equal(hd_derive(&key, &root, i ? "m/44'/60'/0'/0/1" : "m/44'/60'/0'/0/0", &err), STATUS_OK);
		assert_true(hash32_equal(&key.secret, &secret));
	}
	assert_int_equal(hd_account(&key.secret, &root, HD_HARDENED, &err), STATUS_INVALID);
}

static void refuses_bad_phrases(void **state) {
	(void)state;
	static const char *const bad[] = {"", " ", "test", "test test test test test test test test test test test",
	    "test test test test test test test test test test test test",
	    "test test test test test test test test test test junk test",
	    "Test test test test test test test test test test test junk",
	    "test  test test test test test test test test test test junk",
	    " test test test test test test test test test test test junk",
	    "test test test test test test test test test test test junk ",
	    "test test test test test test test test test test test junk\n",
	    "test test test test test test test test test test test junkk",
	    "test\ttest test test test test test test test test test junk",
	    "test test test test test test test test test test test test test test test test test test test test test "
	    "test "
	    "test test junk"};
	struct err err;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(hd_phrase_check(NULL, bytes_text(bad[i]), &err), STATUS_INVALID);
	assert_int_equal(hd_phrase_check(NULL, BYTES_LITERAL("test test tset"), &err), STATUS_INVALID);
	assert_non_null(strstr(err.message, "word 3"));
	assert_null(strstr(err.message, "tset")); /* a nearly right word is nearly the secret */
	struct hd_seed seed;
	assert_int_equal(hd_seed_of(&seed, junk, BYTES_LITERAL("pass\xc3\xa9"), &err), STATUS_UNSUPPORTED);
	assert_int_equal(hd_seed_of(&seed, BYTES_LITERAL("no phrase"), (struct bytes){0}, &err), STATUS_INVALID);
}

static void phrases_go_both_ways(void **state) {
	(void)state;
	for (size_t len = 0; len <= HD_ENTROPY_MAX; len++) {
		struct hd_entropy entropy = {.len = len}, back;
		for (uint8_t i = 0; i < len; i++) entropy.bytes[i] = (uint8_t)(i * 37 + len);
		struct buf phrase;
		struct err err;
		buf_init(&phrase, 1000);
		bool is_valid = len >= 16 && len % 4 == 0;
		assert_int_equal(hd_phrase(&phrase, &entropy, &err), is_valid ? STATUS_OK : STATUS_INVALID);
		if (is_valid) {
			assert_int_equal(hd_phrase_check(&back, buf_view(&phrase), &err), STATUS_OK);
			assert_int_equal(back.len, len);
			assert_memory_equal(back.bytes, entropy.bytes, len);
		}
		buf_wipe(&phrase);
	}
}

static void refuses_bad_paths(void **state) {
	(void)state;
	static const char *const bad[] = {"", "44'", "m/", "m//0", "m/0/", "M/0", "m/x", "m/0''", "m/0h", "m/-1",
	    "m/00", "m/01", "m/2147483648", "m/99999999999999999999999", "m/0 ", "m0"};
	struct hd_key root, key = {.depth = 7};
	struct err err;
	uint8_t seed[16] = {1};
	assert_int_equal(hd_root(&root, bytes_make(seed, 16), &err), STATUS_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(hd_derive(&key, &root, bad[i], &err), STATUS_INVALID);
		assert_int_equal(key.depth, 7);
	}
	assert_int_equal(hd_derive(&key, &root, "m", &err), STATUS_OK);
	assert_memory_equal(&key.secret, &root.secret, 32);
	assert_int_equal(hd_derive(&key, &root, "m/2147483647'", &err), STATUS_OK);
	assert_int_equal(key.index, UINT32_MAX);
	assert_int_equal(hd_root(&root, bytes_make(seed, 15), &err), STATUS_INVALID);
	key.depth = HD_DEPTH_MAX;
	assert_int_equal(hd_child(&key, &key, 0, &err), STATUS_LIMIT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(junk_phrase_accounts),
	    cmocka_unit_test(refuses_bad_phrases),
	    cmocka_unit_test(phrases_go_both_ways),
	    cmocka_unit_test(refuses_bad_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
