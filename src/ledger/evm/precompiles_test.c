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
	static const char too_long[] = "one or more of base/exponent/modulus length exceeded 1024 bytes";
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
			const struct precompile *before = precompile_at(FORK_PRAGUE, 5);
			const struct precompile_result result =
			    precompile_run(modexp, &output, FORK_OSAKA, view, limit);
			assert_int_equal(result.success, len == 1024);
			if (len == 1025) assert_string_equal(result.refusal, too_long);
			assert_true(precompile_run(before, &output, FORK_PRAGUE, view, limit).success);
			buf_fini(&output);
		}
	}
}

/* What geth says of each refusal. FP_ONE is the number one as EIP-2537 spells it, and FP_P the field's prime. */
#define FP_ZERO ZERO_WORD ZERO_WORD
#define FP_ONE ZERO_WORD ONE_WORD
#define FP_P                                                                                                           \
	"000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7"                                             \
	"64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
#define FP_HIGH "1000000000000000000000000000000000000000000000000000000000000000" ONE_WORD
#define G1_ZERO FP_ZERO FP_ZERO
#define G2_ZERO G1_ZERO G1_ZERO
/* x = 0 has y = 2 on y² = x³ + 4, a point of order three, which is not in the group. */
#define G1_OUTSIDE FP_ZERO ZERO_WORD "0000000000000000000000000000000000000000000000000000000000000002"

static const struct {
	uint16_t number;
	const char *input, *refusal;
} refusals[] = {
    {6, "0x" ONE_WORD ONE_WORD, "point is not on curve"},
    {6, "0x" HUGE_WORD ONE_WORD, "invalid fp.Element encoding"},
    {6, "0x" ZERO_WORD ZERO_WORD ONE_WORD ONE_WORD, "point is not on curve"},
    {7, "0x" ONE_WORD HUGE_WORD, "invalid fp.Element encoding"},
    {8, "0x00", "bad elliptic curve pairing size"},
    {8, "0x" ZERO_WORD ZERO_WORD ONE_WORD ONE_WORD ONE_WORD ONE_WORD, "point is not on curve"},
    {9, "0x", "invalid input length"},
    {0x0a, "0x00", "invalid input length"},
    {0x0a, "0x" FP_ZERO FP_ZERO FP_ZERO, "mismatched versioned hash"},
    {0x0b, "0x", "invalid input length"},
    {0x0b, "0x" G1_ZERO FP_HIGH FP_ZERO, "invalid field element top bytes"},
    {0x0b, "0x" FP_P FP_ZERO G1_ZERO, "invalid fp.Element encoding"},
    {0x0b, "0x" FP_ONE FP_ONE G1_ZERO, "invalid point: not on curve"},
    {0x0c, "0x", "invalid input length"},
    {0x0c, "0x" G1_OUTSIDE ONE_WORD, "g1 point is not on correct subgroup"},
    {0x0d, "0x" G1_ZERO, "invalid input length"},
    {0x0d, "0x" G2_ZERO FP_ONE FP_ZERO FP_ZERO FP_ZERO, "invalid point: not on curve"},
    {0x0e, "0x" G2_ZERO, "invalid input length"},
    {0x0f, "0x", "invalid input length"},
    {0x0f, "0x" G1_OUTSIDE G2_ZERO, "g1 point is not on correct subgroup"},
    {0x0f, "0x" G1_OUTSIDE FP_ONE FP_ZERO FP_ZERO FP_ZERO, "invalid point: not on curve"},
    {0x10, "0x" FP_HIGH, "invalid field element top bytes"},
    {0x10, "0x" FP_ZERO FP_ZERO, "invalid input length"},
    {0x11, "0x" FP_ZERO FP_P, "invalid fp.Element encoding"},
    {0x11, "0x", "invalid input length"},
};

static void refusals_are_in_geths_words(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct buf input, output;
		buf_init(&input, BUF_MAX_DEFAULT);
		buf_init(&output, BUF_MAX_DEFAULT);
		assert_int_equal(hex_data(&input, bytes_text(refusals[i].input)), STATUS_OK);
		const struct precompile *precompile = precompile_at(FORK_OSAKA, refusals[i].number);
		const struct precompile_result result =
		    precompile_run(precompile, &output, FORK_OSAKA, buf_view(&input), 1000000);
		assert_false(result.success);
		assert_non_null(result.refusal);
		assert_string_equal(result.refusal, refusals[i].refusal);
		assert_int_equal(output.len, 0);
		buf_fini(&input);
		buf_fini(&output);
	}
}

/* Gas that is short is no refusal of the input. */
static void short_gas_has_no_words(void **state) {
	(void)state;
	struct buf output;
	buf_init(&output, BUF_MAX_DEFAULT);
	const struct bytes nothing = {NULL, 0};
	assert_null(precompile_run(precompile_at(FORK_OSAKA, 0x0b), &output, FORK_OSAKA, nothing, 374).refusal);
	assert_non_null(precompile_run(precompile_at(FORK_OSAKA, 0x0b), &output, FORK_OSAKA, nothing, 375).refusal);
	buf_fini(&output);
}

#define BLAKE2F_BYTES 213

static void a_final_flag_is_zero_or_one(void **state) {
	(void)state;
	uint8_t input[BLAKE2F_BYTES] = {[BLAKE2F_BYTES - 1] = 2};
	struct buf output;
	buf_init(&output, BUF_MAX_DEFAULT);
	const struct bytes view = bytes_make(input, sizeof input);
	assert_string_equal(precompile_at(FORK_OSAKA, 9)->run(&output, view), "invalid final flag");
	input[BLAKE2F_BYTES - 1] = 1;
	assert_null(precompile_at(FORK_OSAKA, 9)->run(&output, view));
	buf_fini(&output);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refusals_are_in_geths_words),
	    cmocka_unit_test(short_gas_has_no_words),
	    cmocka_unit_test(a_final_flag_is_zero_or_one),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_hashes),
	    cmocka_unit_test(test_curves),
	    cmocka_unit_test(test_modexp_edges),
	    cmocka_unit_test(test_modexp_osaka_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
