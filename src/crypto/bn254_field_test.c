/* BN254's field and tower: every constant derived again, arithmetic held against GMP and against its slow twins. */
#include "tests/unit.h"

#include "crypto/bn254_curve.h"
#include "crypto/bn254_testing.h"

#define ROUNDS 200

static void test_constants(void **state) {
	(void)state;
	struct bn_numbers n;
	bn_numbers_init(&n);
	assert_true(mpz_probab_prime_p(n.p, 30) && mpz_probab_prime_p(n.r, 30));
	mpz_t value;
	mpz_init_set_ui(value, 1);
	struct fp x;
	fp_from_mpz(&x, value);
	assert_true(fp_equal(&x, &fp_one));
	fp_neg(&x, &fp_one);
	fp_to_mpz(value, &x);
	mpz_add_ui(value, value, 1);
	assert_int_equal(mpz_cmp(value, n.p), 0);
	uint8_t bytes[32];
	mpz_to_bytes(bytes, n.p);
	assert_false(fp_from_bytes(&x, bytes));

	/* γ = ξ^((p-1)/6), and δ = γ·γᵖ */
	struct fp2 xi, power = fp2_one, gamma;
	fp2_mul_xi(&xi, &fp2_one);
	mpz_sub_ui(value, n.p, 1);
	assert_true(mpz_divisible_ui_p(value, 6));
	mpz_divexact_ui(value, value, 6);
	fp2_pow_mpz(&gamma, &xi, value);
	for (int k = 0; k < 6; k++) {
		struct fp2 conjugate, product;
		assert_true(fp2_equal(&frobenius_gamma[k], &power));
		fp2_conj(&conjugate, &power);
		fp2_mul(&product, &power, &conjugate);
		assert_true(fp_equal(&frobenius_delta[k], &product.c0) && fp_is_zero(&product.c1));
		fp2_mul(&power, &power, &gamma);
	}
	struct fp minus_one;
	fp_neg(&minus_one, &fp_one);
	assert_true(fp_equal(&frobenius_delta[3], &minus_one));

	/* b'·ξ = 3 */
	struct fp2 three;
	fp2_mul_xi(&three, &bn254_twist_b);
	for (int i = 0; i < 3; i++) fp_sub(&three.c0, &three.c0, &fp_one);
	assert_true(fp2_is_zero(&three));
	mpz_clear(value);
	bn_numbers_fini(&n);
}

static void expect_fp(const struct fp *a, mpz_t expected, const struct bn_numbers *n) {
	struct fp b;
	mpz_mod(expected, expected, n->p);
	fp_from_mpz(&b, expected);
	assert_true(fp_equal(a, &b));
}

static void check_pair(const struct fp *a, const struct fp *b, const struct bn_numbers *n) {
	mpz_t x, y, z;
	mpz_inits(x, y, z, NULL);
	fp_to_mpz(x, a);
	fp_to_mpz(y, b);
	struct fp c, d;
	fp_add(&c, a, b);
	mpz_add(z, x, y);
	expect_fp(&c, z, n);
	fp_sub(&c, a, b);
	mpz_sub(z, x, y);
	expect_fp(&c, z, n);
	fp_mul(&c, a, b);
	mpz_mul(z, x, y);
	expect_fp(&c, z, n);
	fp_sqr(&c, a);
	mpz_mul(z, x, x);
	expect_fp(&c, z, n);
	fp_half(&c, a);
	fp_double(&c, &c);
	assert_true(fp_equal(&c, a));
	fp_neg(&c, a);
	fp_add(&c, &c, a);
	assert_true(fp_is_zero(&c));
	fp_inv(&c, a);
	fp_mul(&d, &c, a);
	assert_true(fp_equal(&d, fp_is_zero(a) ? &fp_zero : &fp_one));
	mpz_clears(x, y, z, NULL);
}

static void test_fp(void **state) {
	(void)state;
	struct bn_numbers n;
	bn_numbers_init(&n);
	struct fp edges[4] = {fp_zero, fp_one}, a, b;
	fp_neg(&edges[2], &fp_one);
	fp_half(&edges[3], &fp_one);
	for (int i = 0; i < 16; i++) check_pair(&edges[i / 4], &edges[i % 4], &n);
	uint64_t seed = 1;
	for (int i = 0; i < ROUNDS; i++) {
		fp_random(&a, &seed);
		fp_random(&b, &seed);
		check_pair(&a, &b, &n);
		check_pair(&a, &edges[i % 4], &n);
	}
	bn_numbers_fini(&n);
}

static void check_inverse(const struct fp *a) {
	struct fp inverse;
	fp_inv(&inverse, a);
	fp_mul(&inverse, &inverse, a);
	assert_true(fp_equal(&inverse, fp_is_zero(a) ? &fp_zero : &fp_one));
}

/* The limbs themselves near powers of two and near p, and sparse ones: there, samples of the top bits mislead most. */
static void test_inverse(void **state) {
	(void)state;
	uint64_t seed = 6;
	struct fp a, b;
	for (unsigned bit = 0; bit < 253; bit++) {
		for (uint64_t low = 0; low < 8; low++) {
			a = fp_zero;
			a.limb[bit / 64] = (uint64_t)1 << (bit % 64);
			a.limb[0] ^= low;
			check_inverse(&a);
			fp_neg(&a, &a);
			check_inverse(&a);
			b = fp_zero;
			b.limb[next_random(&seed) % 4] = next_random(&seed) & 0xff;
			fp_sub(&b, &b, &a);
			check_inverse(&b);
		}
	}
	for (int i = 0; i < 50000; i++) {
		fp_random(&a, &seed);
		if (i % 2) a.limb[next_random(&seed) % 4] = 0;
		if (i % 3 == 0) a.limb[3] = 0;
		check_inverse(&a);
	}
}

static void test_fp2(void **state) {
	(void)state;
	uint64_t seed = 2;
	for (int i = 0; i < ROUNDS; i++) {
		struct fp2 a, b, c, expected, xi = fp2_zero;
		struct fp t;
		fp2_random(&a, &seed);
		fp2_random(&b, &seed);
		/* The schoolbook's product. */
		fp_mul(&expected.c0, &a.c0, &b.c0);
		fp_mul(&t, &a.c1, &b.c1);
		fp_sub(&expected.c0, &expected.c0, &t);
		fp_mul(&expected.c1, &a.c0, &b.c1);
		fp_mul(&t, &a.c1, &b.c0);
		fp_add(&expected.c1, &expected.c1, &t);
		fp2_mul(&c, &a, &b);
		assert_true(fp2_equal(&c, &expected));
		c = a;
		fp2_mul(&c, &c, &b);
		assert_true(fp2_equal(&c, &expected));
		fp2_mul(&expected, &a, &a);
		fp2_sqr(&c, &a);
		assert_true(fp2_equal(&c, &expected));
		for (int k = 0; k < 9; k++) fp_add(&xi.c0, &xi.c0, &fp_one);
		xi.c1 = fp_one;
		fp2_mul(&expected, &a, &xi);
		c = a;
		fp2_mul_xi(&c, &c);
		assert_true(fp2_equal(&c, &expected));
		fp2_inv(&c, &a);
		fp2_mul(&c, &c, &a);
		assert_true(fp2_equal(&c, &fp2_one));
		fp2_half(&c, &a);
		fp2_double(&c, &c);
		assert_true(fp2_equal(&c, &a));
	}
}

static void test_fp6(void **state) {
	(void)state;
	uint64_t seed = 3;
	for (int i = 0; i < ROUNDS; i++) {
		/* The schoolbook's product with v³ = ξ. */
		struct fp6 a, b, c, inverse;
		fp6_random(&a, &seed);
		fp6_random(&b, &seed);
		const struct fp2 *left[3] = {&a.c0, &a.c1, &a.c2}, *right[3] = {&b.c0, &b.c1, &b.c2};
		struct fp2 expected[5] = {{{{0}}, {{0}}}}, t;
		for (int j = 0; j < 9; j++) {
			fp2_mul(&t, left[j / 3], right[j % 3]);
			fp2_add(&expected[j / 3 + j % 3], &expected[j / 3 + j % 3], &t);
		}
		for (int j = 0; j < 2; j++) {
			fp2_mul_xi(&t, &expected[3 + j]);
			fp2_add(&expected[j], &expected[j], &t);
		}
		fp6_mul(&c, &a, &b);
		assert_true(
		    fp2_equal(&c.c0, &expected[0]) && fp2_equal(&c.c1, &expected[1]) && fp2_equal(&c.c2, &expected[2]));
		fp6_inv(&inverse, &a);
		fp6_mul(&c, &c, &inverse);
		assert_memory_equal(&c, &b, sizeof b);
	}
}

static void test_fp12(void **state) {
	(void)state;
	uint64_t seed = 4;
	/* w² = v and v³ = ξ hold the tower together: w⁶ = ξ. */
	struct fp12 w = {.c1 = {.c0 = fp2_one}}, w6 = fp12_one, xi = {.c0 = {.c0 = fp2_zero}};
	for (int k = 0; k < 6; k++) fp12_mul(&w6, &w6, &w);
	fp2_mul_xi(&xi.c0.c0, &fp2_one);
	assert_true(fp12_equal(&w6, &xi));
	for (int i = 0; i < ROUNDS; i++) {
		struct fp12 a, b, c, left, right;
		fp12_random(&a, &seed);
		fp12_random(&b, &seed);
		fp12_random(&c, &seed);
		fp12_mul(&left, &a, &b);
		fp12_mul(&left, &left, &c);
		fp12_mul(&right, &b, &c);
		fp12_mul(&right, &a, &right);
		assert_true(fp12_equal(&left, &right));
		fp12_mul(&left, &a, &a);
		fp12_sqr(&right, &a);
		assert_true(fp12_equal(&left, &right));
		fp12_inv(&left, &a);
		fp12_mul(&left, &left, &a);
		assert_true(fp12_equal(&left, &fp12_one));
		struct sparse_line line = {b.c0.c0, b.c1.c0, b.c1.c1};
		struct fp12 dense = {.c0 = {.c0 = line.a}, .c1 = {.c0 = line.b, .c1 = line.c}};
		fp12_mul(&left, &a, &dense);
		right = a;
		fp12_mul_line(&right, &right, &line);
		assert_true(fp12_equal(&left, &right));
	}
}

static void test_frobenius(void **state) {
	(void)state;
	struct bn_numbers n;
	bn_numbers_init(&n);
	uint64_t seed = 5;
	for (int i = 0; i < 20; i++) {
		struct fp12 a, power, map, easy, t;
		fp12_random(&a, &seed);
		fp12_pow_mpz(&power, &a, n.p);
		fp12_frobenius(&map, &a);
		assert_true(fp12_equal(&power, &map));
		fp12_frobenius(&map, &map);
		fp12_frobenius2(&t, &a);
		assert_true(fp12_equal(&t, &map));
		fp12_frobenius2(&t, &t);
		fp12_frobenius2(&t, &t);
		fp12_conj(&map, &a);
		assert_true(fp12_equal(&t, &map));

		/* Into the cyclotomic subgroup: a^((p⁶ - 1)(p² + 1)). */
		fp12_inv(&t, &a);
		fp12_mul(&easy, &map, &t);
		fp12_frobenius2(&t, &easy);
		fp12_mul(&easy, &easy, &t);
		fp12_sqr(&power, &easy);
		fp12_cyclotomic_sqr(&t, &easy);
		assert_true(fp12_equal(&t, &power));
		fp12_cyclotomic_sqr(&easy, &easy);
		assert_true(fp12_equal(&easy, &power));
	}
	bn_numbers_fini(&n);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_constants),
	    cmocka_unit_test(test_fp),
	    cmocka_unit_test(test_inverse),
	    cmocka_unit_test(test_fp2),
	    cmocka_unit_test(test_fp6),
	    cmocka_unit_test(test_fp12),
	    cmocka_unit_test(test_frobenius),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
