/* Twins: every operation against GMP, on numbers with long runs of equal bits, where carries and quotient estimates go
 * wrong. */
#include "eth/u256.h"

#include <gmp.h>

#include "tests/unit.h"

#define ROUNDS 60000

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_u64(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1d;
}

/* Runs of zeros and ones of random length, cut to a random width. */
static u256 random_number(void) {
	u256 out = u256_from(0);
	if (random_u64() % 8 == 0) {
		for (int i = 0; i < 4; i++) out.w[i] = random_u64();
	} else {
		bool bit = random_u64() & 1;
		for (unsigned at = 0; at < 256;) {
			for (uint64_t run = 1 + random_u64() % 90; run > 0 && at < 256; run--, at++)
				out.w[at / 64] |= (uint64_t)bit << (at % 64);
			bit = !bit;
		}
	}
	if (random_u64() % 4 == 0) out.w[random_u64() % 4] ^= random_u64() % 3;
	return u256_shr(&out, random_u64() % 3 == 0 ? 0 : (unsigned)(random_u64() % 257));
}

struct twin {
	mpz_t a, b, m, two256, out;
};

static void to_gmp(mpz_t out, const u256 *value) {
	mpz_import(out, 4, -1, 8, 0, 0, value->w);
}

static void to_gmp_signed(mpz_t out, const u256 *value, const struct twin *twin) {
	to_gmp(out, value);
	if (value->w[3] >> 63) mpz_sub(out, out, twin->two256);
}

static void assert_twin(struct twin *twin, u256 got, const char *what) {
	u256 expected = u256_from(0);
	mpz_fdiv_r(twin->out, twin->out, twin->two256);
	mpz_export(expected.w, NULL, -1, 8, 0, 0, twin->out);
	if (!u256_equal(&expected, &got)) fail_msg("%s differs from its twin", what);
}

static void twin_init(struct twin *twin) {
	mpz_inits(twin->a, twin->b, twin->m, twin->two256, twin->out, NULL);
	mpz_setbit(twin->two256, 256);
}

static void twin_fini(struct twin *twin) {
	mpz_clears(twin->a, twin->b, twin->m, twin->two256, twin->out, NULL);
}

static void test_add_sub_mul(void **state) {
	(void)state;
	struct twin t;
	twin_init(&t);
	for (int i = 0; i < ROUNDS; i++) {
		const u256 a = random_number(), b = random_number();
		u256 got, plain;
		to_gmp(t.a, &a), to_gmp(t.b, &b);
		mpz_add(t.out, t.a, t.b);
		assert_int_equal(u256_add_overflow(&got, &a, &b), mpz_cmp(t.out, t.two256) >= 0);
		assert_twin(&t, got, "add");
		u256_add_plain(&plain, &a, &b);
		assert_true(u256_equal(&got, &plain));
		mpz_sub(t.out, t.a, t.b);
		assert_int_equal(u256_sub_overflow(&got, &a, &b), mpz_sgn(t.out) < 0);
		assert_twin(&t, got, "sub");
		u256_sub_plain(&plain, &a, &b);
		assert_true(u256_equal(&got, &plain));
		assert_int_equal(u256_less(&a, &b), mpz_cmp(t.a, t.b) < 0);
		mpz_mul(t.out, t.a, t.b);
		assert_int_equal(u256_mul_overflow(&got, &a, &b), mpz_cmp(t.out, t.two256) >= 0);
		assert_twin(&t, got, "mul_overflow");
		mpz_mul(t.out, t.a, t.b);
		assert_twin(&t, u256_mul(&a, &b), "mul");
		assert_int_equal(u256_bit_length(&a), u256_is_zero(&a) ? 0 : mpz_sizeinbase(t.a, 2));
	}
	twin_fini(&t);
}

static void test_division(void **state) {
	(void)state;
	struct twin t;
	twin_init(&t);
	for (int i = 0; i < ROUNDS; i++) {
		const u256 a = random_number(), b = random_number();
		if (u256_is_zero(&b)) continue;
		to_gmp(t.a, &a), to_gmp(t.b, &b);
		mpz_fdiv_q(t.out, t.a, t.b);
		assert_twin(&t, u256_div(&a, &b), "div");
		mpz_fdiv_r(t.out, t.a, t.b);
		assert_twin(&t, u256_mod(&a, &b), "mod");
		to_gmp_signed(t.a, &a, &t), to_gmp_signed(t.b, &b, &t);
		mpz_tdiv_q(t.out, t.a, t.b);
		assert_twin(&t, u256_sdiv(&a, &b), "sdiv");
		mpz_tdiv_r(t.out, t.a, t.b);
		assert_twin(&t, u256_smod(&a, &b), "smod");
	}
	twin_fini(&t);
}

static void test_modular(void **state) {
	(void)state;
	struct twin t;
	twin_init(&t);
	for (int i = 0; i < ROUNDS; i++) {
		const u256 a = random_number(), b = random_number(), m = random_number();
		if (u256_is_zero(&m)) continue;
		to_gmp(t.a, &a), to_gmp(t.b, &b), to_gmp(t.m, &m);
		mpz_add(t.out, t.a, t.b);
		mpz_fdiv_r(t.out, t.out, t.m);
		assert_twin(&t, u256_addmod(&a, &b, &m), "addmod");
		mpz_mul(t.out, t.a, t.b);
		mpz_fdiv_r(t.out, t.out, t.m);
		assert_twin(&t, u256_mulmod(&a, &b, &m), "mulmod");
	}
	for (int i = 0; i < ROUNDS / 20; i++) {
		const u256 a = random_number(), b = random_number();
		to_gmp(t.a, &a), to_gmp(t.b, &b);
		mpz_powm(t.out, t.a, t.b, t.two256);
		assert_twin(&t, u256_exp(&a, &b), "exp");
	}
	twin_fini(&t);
}

static void test_shifts(void **state) {
	(void)state;
	struct twin t;
	twin_init(&t);
	for (int i = 0; i < ROUNDS; i++) {
		const u256 a = random_number();
		const unsigned bits = (unsigned)(random_u64() % 300);
		to_gmp(t.a, &a);
		mpz_mul_2exp(t.out, t.a, bits);
		assert_twin(&t, u256_shl(&a, bits), "shl");
		mpz_fdiv_q_2exp(t.out, t.a, bits);
		assert_twin(&t, u256_shr(&a, bits), "shr");
		to_gmp_signed(t.a, &a, &t);
		mpz_fdiv_q_2exp(t.out, t.a, bits);
		assert_twin(&t, u256_sar(&a, bits), "sar");
		const u256 index = u256_from(random_u64() % 40);
		const unsigned kept = index.w[0] < 31 ? 8 * (unsigned)index.w[0] + 8 : 256;
		to_gmp(t.a, &a);
		mpz_fdiv_r_2exp(t.out, t.a, kept);
		mpz_set_ui(t.b, 1);
		mpz_mul_2exp(t.b, t.b, kept);
		if (mpz_tstbit(t.out, kept - 1)) mpz_sub(t.out, t.out, t.b);
		assert_twin(&t, u256_signextend(&index, &a), "signextend");
	}
	twin_fini(&t);
}

static void test_edges(void **state) {
	(void)state;
	const u256 zero = u256_from(0), one = u256_from(1), max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
	const u256 lowest = {{0, 0, 0, 1ull << 63}};
	u256 got = u256_div(&max, &zero);
	assert_true(u256_is_zero(&got));
	got = u256_mod(&max, &zero);
	assert_true(u256_is_zero(&got));
	got = u256_sdiv(&max, &zero);
	assert_true(u256_is_zero(&got));
	got = u256_smod(&max, &zero);
	assert_true(u256_is_zero(&got));
	got = u256_addmod(&max, &max, &zero);
	assert_true(u256_is_zero(&got));
	got = u256_mulmod(&max, &max, &zero);
	assert_true(u256_is_zero(&got));
	got = u256_sdiv(&lowest, &max); /* -2^255 / -1 wraps */
	assert_true(u256_equal(&got, &lowest));
	got = u256_exp(&zero, &zero);
	assert_true(u256_equal(&got, &one));
	got = u256_exp(&one, &max);
	assert_true(u256_equal(&got, &one));
	got = u256_sar(&max, 255);
	assert_true(u256_equal(&got, &max));
	got = u256_sar(&lowest, 256);
	assert_true(u256_equal(&got, &max));
	got = u256_signextend(&max, &lowest);
	assert_true(u256_equal(&got, &lowest));
	assert_true(u256_clamp_u64(&max) == UINT64_MAX && u256_clamp_u64(&one) == 1);
}

static void test_text(void **state) {
	(void)state;
	const u256 max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
	char text[80];
	u256 back;
	u256_to_decimal(text, &max);
	assert_string_equal(text, "115792089237316195423570985008687907853269984665640564039457584007913129639935");
	assert_true(u256_from_decimal(&back, bytes_text(text)) && u256_equal(&back, &max));
	text[77] = '6'; /* 2^256 */
	assert_false(u256_from_decimal(&back, bytes_text(text)));
	assert_false(u256_from_decimal(&back, bytes_text("")));
	assert_false(u256_from_decimal(&back, bytes_text("12x")));
	assert_false(u256_from_decimal(&back, bytes_text("-1")));
	const u256 zero = u256_from(0);
	u256_to_decimal(text, &zero);
	assert_string_equal(text, "0");

	uint8_t room[32];
	const u256 value = {{0x0123, 1, 0, 0}};
	struct bytes trimmed = u256_trimmed_be(room, &value);
	assert_int_equal(trimmed.len, 9);
	assert_int_equal(trimmed.data[0], 1);
	back = u256_from_be(trimmed);
	assert_true(u256_equal(&back, &value));
	assert_int_equal(u256_trimmed_be(room, &zero).len, 0);
	back = u256_from_be((struct bytes){NULL, 0});
	assert_true(u256_is_zero(&back));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add_sub_mul),
	    cmocka_unit_test(test_division),
	    cmocka_unit_test(test_modular),
	    cmocka_unit_test(test_shifts),
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
