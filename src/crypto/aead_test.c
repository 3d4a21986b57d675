#include "crypto/aead.h"

#include "tests/unit.h"

#include "tests/hexbytes.h"

static void seals_and_opens(void **state) {
	(void)state;
	uint8_t key[32] = {1}, iv[12] = {2}, tag[16], sealed[100], opened[100], plain[100];
	for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)i;
	for (size_t len = 0; len <= sizeof plain; len += 25) {
		struct bytes aad = bytes_make(plain, len / 2);
		aes256gcm_seal(sealed, tag, key, iv, aad, bytes_make(plain, len));
		assert_int_equal(aes256gcm_open(opened, tag, key, iv, aad, bytes_make(sealed, len)), STATUS_OK);
		assert_memory_equal(opened, plain, len);
		tag[15] ^= 1;
		assert_int_equal(aes256gcm_open(opened, tag, key, iv, aad, bytes_make(sealed, len)), STATUS_DENIED);
		for (size_t i = 0; i < len; i++) assert_int_equal(opened[i], 0);
		tag[15] ^= 1;
		struct bytes other_aad = BYTES_LITERAL("other");
		assert_int_equal(
		    aes256gcm_open(opened, tag, key, iv, other_aad, bytes_make(sealed, len)), STATUS_DENIED);
	}
}

/* RFC 3394 §4.6. */
static void wraps_as_rfc3394_says(void **state) {
	(void)state;
	uint8_t kek[32], key[32], wrapped[40], opened[32];
	hexbytes(kek, 32, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
	hexbytes(key, 32, "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
	aes256kw_wrap(wrapped, kek, key);
	assert_hex(wrapped, 40, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
	assert_int_equal(aes256kw_unwrap(opened, kek, wrapped), STATUS_OK);
	assert_memory_equal(opened, key, 32);
	for (size_t i = 0; i < 40; i++) {
		wrapped[i] ^= 0x10;
		assert_int_equal(aes256kw_unwrap(opened, kek, wrapped), STATUS_DENIED);
		wrapped[i] ^= 0x10;
	}
}

/* SP 800-38A F.5.1. */
static void counts_as_sp800_38a_says(void **state) {
	(void)state;
	uint8_t key[16], iv[16], plain[32], out[32];
	hexbytes(key, 16, "2b7e151628aed2a6abf7158809cf4f3c");
	hexbytes(iv, 16, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
	hexbytes(plain, 32, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
	aes128ctr(out, key, iv, bytes_make(plain, 32));
	assert_hex(out, 32, "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
	aes128ctr(out, key, iv, bytes_make(out, 32));
	assert_memory_equal(out, plain, 32);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seals_and_opens),
	    cmocka_unit_test(wraps_as_rfc3394_says),
	    cmocka_unit_test(counts_as_sp800_38a_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
