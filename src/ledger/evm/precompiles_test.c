/* What no official vector asks: the table by forks, padding of short inputs, refusals, and MODEXP's bounds on memory.
 */
#include "tests/unit.h"

#include "codec/hex.h"
#include "ledger/evm/precompiles.h"

static const struct precompile *precompile_at(enum fork fork, uint16_t number) {
	addr20 address = {{0}};
	address.b[18] = (uint8_t)(number >> 8);
	address.b[19] = (uint8_t)number;
	return precompile_find(fork, &address);
}

/* Runs with plenty of gas, and checks the output in hexadecimal; NULL: refused. Returns the gas. */
static uint64_t expect(uint16_t number, enum fork fork, const char *input_hex, const char *expected_hex) {
	const uint64_t limit = 1000000000;
	struct buf input, output, text;
	buf_init(&input, BUF_MAX_DEFAULT);
	buf_init(&output, BUF_MAX_DEFAULT);
	buf_init(&text, BUF_MAX_DEFAULT);
	assert_int_equal(hex_data(&input, bytes_text(input_hex)), STATUS_OK);
	struct precompile_result result =
	    precompile_run(precompile_at(fork, number), &output, fork, buf_view(&input), limit);
	assert_int_equal(result.success, expected_hex != NULL);
	hex_put(&text, buf_view(&output), true);
	assert_string_equal(buf_cstr(&text), expected_hex ? expected_hex : "0x");
	if (!expected_hex) assert_int_equal(result.gas_used, limit);
	buf_fini(&input);
	buf_fini(&output);
	buf_fini(&text);
	return result.gas_used;
}

static void test_table(void **state) {
	(void)state;
	static const size_t counts[FORK_COUNT] = {4, 4, 4, 4, 8, 8, 8, 9, 9, 9, 9, 9, 10, 17, 18};
	for (enum fork fork = FORK_FRONTIER; fork < FORK_COUNT; fork++) {
		size_t count = 0;
		for (unsigned number = 0; number <= UINT16_MAX; number++) {
			const struct precompile *precompile = precompile_at(fork, (uint16_t)number);
			if (!precompile) continue;
			assert_int_equal(precompile->address, number);
			count++;
		}
		assert_int_equal(count, counts[fork]);
	}
	assert_string_equal(precompile_at(FORK_OSAKA, 0x100)->name, "P256VERIFY");
	assert_null(precompile_at(FORK_PRAGUE, 0x100));
	for (int i = 0; i < 18; i++) {
		addr20 address = {{[19] = 4}};
		address.b[i] = 1;
		assert_null(precompile_find(FORK_OSAKA, &address));
	}
}

static void test_hashes(void **state) {
	(void)state;
	uint64_t gas =
	    expect(2, FORK_OSAKA, "0x", "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(gas, 60);
	gas = expect(3, FORK_OSAKA, "0x", "0x0000000000000000000000009c1185a5c5e9fc54612808977ee8f548b2258d31");
	assert_int_equal(gas, 600);
	assert_int_equal(expect(4, FORK_OSAKA, "0x", "0x"), 15);
	assert_int_equal(expect(4, FORK_OSAKA, "0x01", "0x01"), 18);
	expect(9, FORK_OSAKA, "0x", NULL);
}

#define ONE_WORD "0000000000000000000000000000000000000000000000000000000000000001"
#define ZERO_WORD "0000000000000000000000000000000000000000000000000000000000000000"
#define HUGE_WORD "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void test_curves(void **state) {
	(void)state;
	/* Short input is padded: nothing is the sum of two infinities. */
	assert_int_equal(expect(6, FORK_ISTANBUL, "0x", "0x" ZERO_WORD ZERO_WORD), 150);
	assert_int_equal(expect(7, FORK_ISTANBUL, "0x", "0x" ZERO_WORD ZERO_WORD), 6000);
	assert_int_equal(expect(8, FORK_ISTANBUL, "0x", "0x" ONE_WORD), 45000);
	expect(6, FORK_ISTANBUL, "0x" ONE_WORD ONE_WORD, NULL); /* off the curve */
	expect(6, FORK_ISTANBUL, "0x" HUGE_WORD ONE_WORD, NULL);
	expect(7, FORK_ISTANBUL, "0x" ONE_WORD HUGE_WORD, NULL);
	expect(8, FORK_ISTANBUL, "0x00", NULL);
	assert_int_equal(expect(1, FORK_OSAKA, "0x", "0x"), 3000);
	assert_int_equal(expect(0x100, FORK_OSAKA, "0x", "0x"), 6900);
}

static void test_modexp_edges(void **state) {
	(void)state;
	/* No modulus: empty, whatever the exponent's length says. */
	assert_int_equal(expect(5, FORK_BYZANTIUM, "0x" ZERO_WORD HUGE_WORD ZERO_WORD, "0x"), 0);
	assert_int_equal(expect(5, FORK_BERLIN, "0x" ZERO_WORD HUGE_WORD ZERO_WORD, "0x"), 200);
	assert_int_equal(expect(5, FORK_BERLIN, "0x", "0x"), 200);
	assert_int_equal(expect(5, FORK_OSAKA, "0x", "0x"), 500);
	/* 0^0 mod 2 = 1, and mod 1 and mod 0 are 0. */
	expect(5, FORK_BERLIN, "0x" ZERO_WORD ZERO_WORD ONE_WORD "02", "0x01");
	expect(5, FORK_BERLIN, "0x" ZERO_WORD ZERO_WORD ONE_WORD "01", "0x00");
	expect(5, FORK_BERLIN, "0x" ZERO_WORD ZERO_WORD ONE_WORD, "0x00");
	/* 3^2 mod 5, and the same with the modulus' byte missing: mod 0. */
	expect(5, FORK_BERLIN, "0x" ONE_WORD ONE_WORD ONE_WORD "030205", "0x04");
	expect(5, FORK_BERLIN, "0x" ONE_WORD ONE_WORD ONE_WORD "0302", "0x00");
	/* Lengths that no gas pays for, each alone. */
	expect(5, FORK_BERLIN, "0x" HUGE_WORD ZERO_WORD ONE_WORD, NULL);
	expect(5, FORK_BERLIN, "0x" ONE_WORD HUGE_WORD ONE_WORD, NULL);
	expect(5, FORK_BYZANTIUM, "0x" ZERO_WORD ZERO_WORD HUGE_WORD, NULL);
	expect(5, FORK_OSAKA, "0x" ZERO_WORD HUGE_WORD ZERO_WORD, NULL);
}

/* EIP-7823: 1024 bytes are allowed, 1025 are not; before Osaka they are. */
static void test_modexp_osaka_bound(void **state) {
	(void)state;
	for (size_t place = 0; place < 3; place++) {
		uint8_t input[96 + 3 * 1025] = {0};
		for (size_t k = 0; k < 3; k++) input[32 * k + 31] = 1;
		memset(input + 96, 3, sizeof input - 96);
		const uint64_t limit = (uint64_t)1 << 60;
		for (unsigned len = 1024; len <= 1025; len++) {
			input[32 * place + 30] = (uint8_t)(len >> 8);
			input[32 * place + 31] = (uint8_t)len;
			struct buf output;
			buf_init(&output, BUF_MAX_DEFAULT);
			const struct precompile *modexp = precompile_at(FORK_OSAKA, 5);
			struct bytes view = bytes_make(input, sizeof input);
			assert_int_equal(precompile_run(modexp, &output, FORK_OSAKA, view, limit).success, len == 1024);
			assert_true(precompile_run(modexp, &output, FORK_PRAGUE, view, limit).success);
			buf_fini(&output);
		}
	}
}

/* What the table says of lengths is what the functions refuse. */
static void test_lengths(void **state) {
	(void)state;
	static const uint8_t zeros[1200];
	size_t refused = 0;
	for (uint16_t number = 1; number <= 0x100; number++) {
		const struct precompile *precompile = precompile_at(FORK_OSAKA, number);
		if (precompile == NULL || precompile->input_bytes == 0) continue;
		for (size_t length = 0; length <= sizeof zeros; length++) {
			if (precompile_takes_length(precompile, length)) continue;
			struct buf output;
			buf_init(&output, BUF_MAX_DEFAULT);
			assert_false(precompile->run(&output, bytes_make(zeros, length)));
			buf_fini(&output);
			refused++;
		}
	}
	assert_true(refused > 9 * 1100);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_hashes),
	    cmocka_unit_test(test_curves),
	    cmocka_unit_test(test_modexp_edges),
	    cmocka_unit_test(test_modexp_osaka_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
