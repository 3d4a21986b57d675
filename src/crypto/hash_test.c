#include "crypto/hash.h"

#include "tests/unit.h"

#include "tests/hexbytes.h"

static void known_answers(void **state) {
	(void)state;
	uint8_t out[64];
	struct bytes abc = BYTES_LITERAL("abc"), none = {0};
	assert_hex(keccak256(none).b, 32, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	assert_hex(keccak256(abc).b, 32, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	assert_hex(sha256(abc).b, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ripemd160(out, abc);
	assert_hex(out, 20, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
	sha512(out, abc);
	assert_hex(out, 64,
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d442364"
	    "3c"
	    "e80e2a9ac94fa54ca49f");
	/* An empty key is a key, not "the last one used". */
	assert_hex(hmac_sha256(none, none).b, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* The message in pieces of every size up to more than a block gives what it gives at once. */
static void keccak_in_pieces(void **state) {
	(void)state;
	uint8_t message[700];
	for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t len = 0; len <= sizeof message; len += 1 + len / 9) {
		hash32 whole = keccak256(bytes_make(message, len));
		for (size_t piece = 1; piece <= 280; piece += 3) {
			struct keccak keccak;
			keccak256_init(&keccak);
			for (size_t at = 0; at < len; at += piece)
				keccak256_update(&keccak, bytes_slice(bytes_make(message, len), at, piece));
			hash32 pieces = keccak256_final(&keccak);
			assert_true(hash32_equal(&whole, &pieces));
		}
	}
}

static void parts_are_one_message(void **state) {
	(void)state;
	struct bytes parts[] = {BYTES_LITERAL("a"), {0}, BYTES_LITERAL("bc")};
	hash32 joined = sha256(BYTES_LITERAL("abc")), split = sha256_parts(parts, 3);
	assert_true(hash32_equal(&joined, &split));
}

/* RFC 7914 §12, and the bounds. */
static void scrypt_answers_and_bounds(void **state) {
	(void)state;
	uint8_t out[64];
	struct err err;
	struct bytes password = BYTES_LITERAL("password"), salt = BYTES_LITERAL("NaCl");
	assert_int_equal(scrypt(out, 64, password, salt, 1024, 8, 16, &err), STATUS_OK);
	assert_hex(out, 64,
	    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a"
	    "83"
	    "ee6d8360cbdfa2cc0640");
	assert_int_equal(scrypt(out, 64, (struct bytes){0}, (struct bytes){0}, 16, 1, 1, &err), STATUS_OK);
	assert_hex(out, 64,
	    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e"
	    "0d"
	    "3628cf35e20c38d18906");
	assert_int_equal(scrypt(out, 64, password, salt, 1000, 8, 1, &err), STATUS_INVALID);
	assert_int_equal(scrypt(out, 64, password, salt, 0, 8, 1, &err), STATUS_INVALID);
	assert_int_equal(scrypt(out, 64, password, salt, 1024, 0, 1, &err), STATUS_INVALID);
	assert_int_equal(scrypt(out, 64, password, salt, 1 << 21, 8, 1, &err), STATUS_LIMIT);
	assert_int_equal(scrypt(out, 64, password, salt, (uint64_t)1 << 63, UINT32_MAX, 1, &err), STATUS_LIMIT);
	assert_int_equal(scrypt(out, 64, password, salt, 1 << 18, 8, 33, &err), STATUS_LIMIT);
}

/* RFC 5869 A.1 and A.3. */
static void hkdf_answers(void **state) {
	(void)state;
	uint8_t secret[22], salt[13], info[10], out[42];
	memset(secret, 0x0b, sizeof secret);
	for (uint8_t i = 0; i < sizeof salt; i++) salt[i] = i;
	for (uint8_t i = 0; i < sizeof info; i++) info[i] = (uint8_t)(0xf0 + i);
	hkdf_sha256(out, 42, bytes_make(salt, 13), bytes_make(secret, 22), bytes_make(info, 10));
	assert_hex(out, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	hkdf_sha256(out, 42, (struct bytes){0}, bytes_make(secret, 22), (struct bytes){0});
	assert_hex(out, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void comparison(void **state) {
	(void)state;
	assert_true(constant_time_equal(BYTES_LITERAL("abc"), BYTES_LITERAL("abc")));
	assert_true(constant_time_equal((struct bytes){0}, BYTES_LITERAL("")));
	assert_false(constant_time_equal(BYTES_LITERAL("abc"), BYTES_LITERAL("abd")));
	assert_false(constant_time_equal(BYTES_LITERAL("abc"), BYTES_LITERAL("ab")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_answers),
	    cmocka_unit_test(keccak_in_pieces),
	    cmocka_unit_test(parts_are_one_message),
	    cmocka_unit_test(scrypt_answers_and_bounds),
	    cmocka_unit_test(hkdf_answers),
	    cmocka_unit_test(comparison),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
