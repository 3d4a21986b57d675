/* BN254's groups and pairing through the public functions: group laws, bilinearity, and the inputs that are refused. */
#include "tests/unit.h"

#include "crypto/bn254.h"
#include "crypto/bn254_curve.h"
#include "crypto/bn254_pairing.h"
#include "crypto/bn254_testing.h"

static struct bn_numbers n;

static const uint8_t infinity[64];

/* (1, 2) generates G1. */
static const uint8_t generator[64] = {[31] = 1, [63] = 2};

static void mul_mpz(uint8_t out[64], const uint8_t point[64], const mpz_t scalar) {
	uint8_t bytes[32];
	mpz_to_bytes(bytes, scalar);
	assert_int_equal(bn254_g1_mul(out, point, bytes), BN254_OK);
}

static void add(uint8_t out[64], const uint8_t a[64], const uint8_t b[64]) {
	assert_int_equal(bn254_g1_add(out, a, b), BN254_OK);
}

static void random_g1(uint8_t out[64], uint64_t *seed) {
	uint8_t scalar[32];
	random_bytes(scalar, sizeof scalar, seed);
	assert_int_equal(bn254_g1_mul(out, generator, scalar), BN254_OK);
}

static void negate(uint8_t out[64], const uint8_t point[64]) {
	struct g1_point a;
	assert_int_equal(bn254_g1_decode(&a, point), BN254_OK);
	fp_neg(&a.y, &a.y);
	bn254_g1_encode(out, &a);
}

/* Double and add through bn254_g1_add, the plain twin of the multiplication by halves. */
static void mul_plain(uint8_t out[64], const uint8_t point[64], const mpz_t scalar) {
	uint8_t result[64] = {0};
	for (size_t i = mpz_sizeinbase(scalar, 2); i-- > 0;) {
		add(result, result, result);
		if (mpz_tstbit(scalar, i)) add(result, result, point);
	}
	memcpy(out, result, 64);
}

static void test_group_laws(void **state) {
	(void)state;
	uint64_t seed = 11;
	for (int i = 0; i < 100; i++) {
		uint8_t a[64], b[64], c[64], left[64], right[64];
		random_g1(a, &seed);
		random_g1(b, &seed);
		random_g1(c, &seed);
		add(left, a, b);
		add(right, b, a);
		assert_memory_equal(left, right, 64);
		add(left, left, c);
		add(right, b, c);
		add(right, a, right);
		assert_memory_equal(left, right, 64);
		add(left, a, infinity);
		add(right, infinity, a);
		assert_memory_equal(left, a, 64);
		assert_memory_equal(right, a, 64);
		negate(b, a);
		add(left, a, b);
		assert_memory_equal(left, infinity, 64);
	}
	uint8_t nothing[64];
	add(nothing, infinity, infinity);
	assert_memory_equal(nothing, infinity, 64);
}

static void check_mul(const uint8_t point[64], const mpz_t scalar) {
	uint8_t fast[64], plain[64];
	mul_mpz(fast, point, scalar);
	mul_plain(plain, point, scalar);
	assert_memory_equal(fast, plain, 64);
}

static void test_scalars(void **state) {
	(void)state;
	uint64_t seed = 12;
	uint8_t point[64], product[64];
	mpz_t scalar, lambda;
	mpz_inits(scalar, lambda, NULL);
	random_g1(point, &seed);

	/* λ = 36u⁴ - 1 and its small multiples, where one half is small; and around r and 2²⁵⁶. */
	mpz_pow_ui(lambda, n.u, 4);
	mpz_mul_ui(lambda, lambda, 36);
	mpz_sub_ui(lambda, lambda, 1);
	for (int i = -40; i <= 40; i++) {
		for (unsigned k = 0; k <= 5; k++) {
			mpz_mul_ui(scalar, k < 4 ? lambda : n.r, k < 4 ? k : k - 3);
			if (i < 0)
				mpz_sub_ui(scalar, scalar, (unsigned)-i);
			else
				mpz_add_ui(scalar, scalar, (unsigned)i);
			if (mpz_sgn(scalar) >= 0) check_mul(point, scalar);
		}
	}
	for (unsigned bit = 0; bit < 256; bit++) {
		mpz_set_ui(scalar, 0);
		mpz_setbit(scalar, bit);
		check_mul(point, scalar);
		mpz_setbit(scalar, bit + 1);
		mpz_sub_ui(scalar, scalar, 1);
		mpz_clrbit(scalar, 256);
		check_mul(point, scalar);
	}
	for (int i = 0; i < 100; i++) {
		uint8_t bytes[32];
		random_bytes(bytes, sizeof bytes, &seed);
		mpz_import(scalar, 32, 1, 1, 0, 0, bytes);
		check_mul(point, scalar);
		mul_mpz(product, infinity, scalar);
		assert_memory_equal(product, infinity, 64);
	}
	mul_mpz(product, point, n.r);
	assert_memory_equal(product, infinity, 64);
	mpz_clears(scalar, lambda, NULL);
}

static void test_refused_g1(void **state) {
	(void)state;
	uint8_t bad[64], out[64];
	const uint8_t scalar[32] = {[31] = 1};
	memcpy(bad, generator, 64);
	bad[63] = 3;
	assert_int_equal(bn254_g1_add(out, bad, generator), BN254_OFF_CURVE);
	assert_int_equal(bn254_g1_add(out, generator, bad), BN254_OFF_CURVE);
	assert_int_equal(bn254_g1_mul(out, bad, scalar), BN254_OFF_CURVE);
	/* x + p for x: the same point in an encoding that is not the only one. */
	mpz_t x;
	mpz_init(x);
	mpz_add_ui(x, n.p, 1);
	memcpy(bad, generator, 64);
	mpz_to_bytes(bad, x);
	assert_int_equal(bn254_g1_add(out, bad, generator), BN254_TOO_LARGE);
	memcpy(bad, infinity, 64);
	mpz_to_bytes(bad, n.p);
	assert_int_equal(bn254_g1_add(out, bad, generator), BN254_TOO_LARGE);
	mpz_clear(x);
}

/* Affine addition on the twist, for making points. */
static void g2_add(struct g2_point *out, const struct g2_point *a, const struct g2_point *b) {
	struct fp2 slope, t;
	if (a->infinity || b->infinity) {
		*out = a->infinity ? *b : *a;
		return;
	}
	if (!fp2_equal(&a->x, &b->x)) {
		fp2_sub(&t, &a->x, &b->x);
		fp2_sub(&slope, &a->y, &b->y);
	} else if (fp2_equal(&a->y, &b->y)) {
		fp2_sqr(&slope, &a->x);
		fp2_double(&t, &slope);
		fp2_add(&slope, &slope, &t);
		fp2_double(&t, &a->y);
	} else {
		*out = (struct g2_point){.infinity = true};
		return;
	}
	fp2_inv(&t, &t);
	fp2_mul(&slope, &slope, &t);
	struct g2_point sum = {.infinity = false};
	fp2_sqr(&sum.x, &slope);
	fp2_sub(&sum.x, &sum.x, &a->x);
	fp2_sub(&sum.x, &sum.x, &b->x);
	fp2_sub(&t, &a->x, &sum.x);
	fp2_mul(&t, &t, &slope);
	fp2_sub(&sum.y, &t, &a->y);
	*out = sum;
}

static void g2_mul(struct g2_point *out, const struct g2_point *point, const mpz_t scalar) {
	struct g2_point result = {.infinity = true}, base = *point;
	for (size_t i = mpz_sizeinbase(scalar, 2); i-- > 0;) {
		g2_add(&result, &result, &result);
		if (mpz_tstbit(scalar, i)) g2_add(&result, &result, &base);
	}
	*out = result;
}

/* A square root in Fp2 for p = 3 (mod 4); false if there is none. */
static bool fp2_sqrt(struct fp2 *out, const struct fp2 *a) {
	struct fp2 a1, x0, alpha, minus_one, root;
	mpz_t exponent;
	mpz_init(exponent);
	mpz_sub_ui(exponent, n.p, 3);
	mpz_divexact_ui(exponent, exponent, 4);
	fp2_pow_mpz(&a1, a, exponent);
	fp2_mul(&x0, &a1, a);
	fp2_mul(&alpha, &a1, &x0);
	fp2_neg(&minus_one, &fp2_one);
	if (fp2_equal(&alpha, &minus_one)) {
		root = (struct fp2){fp_zero, fp_one};
	} else {
		fp2_add(&alpha, &alpha, &fp2_one);
		mpz_sub_ui(exponent, n.p, 1);
		mpz_divexact_ui(exponent, exponent, 2);
		fp2_pow_mpz(&root, &alpha, exponent);
	}
	fp2_mul(out, &root, &x0);
	mpz_clear(exponent);
	fp2_sqr(&x0, out);
	return fp2_equal(&x0, a);
}

/* Some point of the twist; almost never of G2. */
static void random_twist_point(struct g2_point *out, uint64_t *seed) {
	struct fp2 right;
	out->infinity = false;
	do {
		fp2_random(&out->x, seed);
		fp2_sqr(&right, &out->x);
		fp2_mul(&right, &right, &out->x);
		fp2_add(&right, &right, &bn254_twist_b);
	} while (!fp2_sqrt(&out->y, &right));
}

static void random_g2(struct g2_point *out, uint64_t *seed) {
	mpz_t cofactor;
	mpz_init(cofactor);
	mpz_mul_2exp(cofactor, n.p, 1);
	mpz_sub(cofactor, cofactor, n.r);
	random_twist_point(out, seed);
	g2_mul(out, out, cofactor);
	mpz_clear(cofactor);
	assert_false(out->infinity);
}

static void put_pair(uint8_t out[192], const uint8_t p[64], const struct g2_point *q) {
	memset(out, 0, 192);
	memcpy(out, p, 64);
	if (q->infinity) return;
	fp_to_bytes(out + 64, &q->x.c1);
	fp_to_bytes(out + 96, &q->x.c0);
	fp_to_bytes(out + 128, &q->y.c1);
	fp_to_bytes(out + 160, &q->y.c0);
}

static bool product_is_one(const uint8_t *pairs, size_t count) {
	bool is_one;
	assert_int_equal(bn254_pairing_check(&is_one, pairs, count), BN254_OK);
	return is_one;
}

/* e(aP, bQ) = e(P, Q)^(ab), put as e(aP, bQ)·e(-abP, Q) = 1; and e(P, Q) is not 1. */
static void test_bilinear(void **state) {
	(void)state;
	uint64_t seed = 13;
	mpz_t a, b;
	mpz_inits(a, b, NULL);
	for (int i = 0; i < 10; i++) {
		uint8_t p[64], ap[64], minus_abp[64], bytes[32], pairs[2 * 192];
		struct g2_point q, bq;
		random_g1(p, &seed);
		random_g2(&q, &seed);
		random_bytes(bytes, sizeof bytes, &seed);
		mpz_import(a, 32, 1, 1, 0, 0, bytes);
		random_bytes(bytes, sizeof bytes, &seed);
		mpz_import(b, 32, 1, 1, 0, 0, bytes);
		mul_mpz(ap, p, a);
		mul_mpz(minus_abp, ap, b);
		negate(minus_abp, minus_abp);
		g2_mul(&bq, &q, b);
		put_pair(pairs, ap, &bq);
		put_pair(pairs + 192, minus_abp, &q);
		assert_true(product_is_one(pairs, 2));
		assert_false(product_is_one(pairs, 1));
		negate(minus_abp, minus_abp);
		put_pair(pairs + 192, minus_abp, &q);
		assert_false(product_is_one(pairs, 2));
	}
	mpz_clears(a, b, NULL);
}

/* The last exponent against plain powers: f^(m·(p¹² - 1)/r) with m = 2u(6u² + 3u + 1). */
static void test_final_exponent(void **state) {
	(void)state;
	mpz_t exponent, m;
	mpz_inits(exponent, m, NULL);
	mpz_pow_ui(exponent, n.p, 12);
	mpz_sub_ui(exponent, exponent, 1);
	assert_true(mpz_divisible_p(exponent, n.r));
	mpz_divexact(exponent, exponent, n.r);
	mpz_mul_ui(m, n.u, 6);
	mpz_add_ui(m, m, 3);
	mpz_mul(m, m, n.u);
	mpz_add_ui(m, m, 1);
	mpz_mul(m, m, n.u);
	mpz_mul_ui(m, m, 2);
	assert_false(mpz_divisible_p(m, n.r));
	mpz_mul(exponent, exponent, m);
	uint64_t seed = 14;
	for (int i = 0; i < 3; i++) {
		struct fp12 f, plain, fast;
		fp12_random(&f, &seed);
		fp12_pow_mpz(&plain, &f, exponent);
		bn254_final_exponentiation(&fast, &f);
		assert_true(fp12_equal(&plain, &fast));
	}
	mpz_clears(exponent, m, NULL);
}

/* More pairs than a batch holds, points at infinity among them: Σ kᵢ = 0 makes Π e(kᵢ·P, Q) one. */
static void test_many_pairs(void **state) {
	(void)state;
	enum { COUNT = 2 * PAIRING_BATCH_MAX + 3 };
	static uint8_t pairs[COUNT * 192];
	uint64_t seed = 15;
	struct g2_point q, nowhere = {.infinity = true};
	uint8_t sum[64] = {0}, p[64];
	random_g2(&q, &seed);
	for (size_t i = 0; i + 1 < COUNT; i++) {
		random_g1(p, &seed);
		if (i % 5 == 3) {
			put_pair(pairs + 192 * i, p, &nowhere);
		} else if (i % 5 == 4) {
			put_pair(pairs + 192 * i, infinity, &q);
		} else {
			put_pair(pairs + 192 * i, p, &q);
			add(sum, sum, p);
		}
	}
	negate(p, sum);
	put_pair(pairs + 192 * (COUNT - 1), p, &q);
	assert_true(product_is_one(pairs, COUNT));
	assert_false(product_is_one(pairs, COUNT - 1));
	assert_true(product_is_one(pairs, 0));
	put_pair(pairs, infinity, &nowhere);
	assert_true(product_is_one(pairs, 1));
}

/* Refused, in whichever place and beside whichever point of G1; and [r]q says the same. */
static void expect_outside(const struct g2_point *q) {
	uint8_t pairs[2 * 192];
	bool is_one;
	struct g2_point multiple, good;
	uint64_t seed = 16;
	g2_mul(&multiple, q, n.r);
	assert_false(multiple.infinity);
	random_g2(&good, &seed);
	put_pair(pairs, generator, q);
	assert_int_equal(bn254_pairing_check(&is_one, pairs, 1), BN254_OUTSIDE_GROUP);
	put_pair(pairs, infinity, q);
	assert_int_equal(bn254_pairing_check(&is_one, pairs, 1), BN254_OUTSIDE_GROUP);
	put_pair(pairs, generator, &good);
	assert_int_equal(bn254_pairing_check(&is_one, pairs, 1), BN254_OK);
	put_pair(pairs + 192, generator, q);
	assert_int_equal(bn254_pairing_check(&is_one, pairs, 2), BN254_OUTSIDE_GROUP);
}

/* Points of every prime order that the twist's cofactor 2p - r has, alone and added to a point of G2. */
static void test_subgroup(void **state) {
	(void)state;
	static const char *const factors[] = {
	    "10069", "5864401", "1875725156269", "197620364512881247228717050342013327560683201906968909"};
	uint64_t seed = 17;
	mpz_t cofactor, order, product, factor;
	mpz_inits(cofactor, order, product, factor, NULL);
	mpz_mul_2exp(cofactor, n.p, 1);
	mpz_sub(cofactor, cofactor, n.r);
	mpz_mul(order, cofactor, n.r);
	mpz_set_ui(product, 1);
	for (size_t i = 0; i < 4; i++) {
		struct g2_point start, small, shifted;
		mpz_set_str(factor, factors[i], 10);
		mpz_mul(product, product, factor);
		random_twist_point(&start, &seed);
		expect_outside(&start);
		g2_mul(&small, &start, order);
		assert_true(small.infinity);
		mpz_divexact(factor, order, factor);
		g2_mul(&small, &start, factor);
		assert_false(small.infinity);
		expect_outside(&small);
		random_g2(&shifted, &seed);
		g2_add(&shifted, &shifted, &small);
		expect_outside(&shifted);
	}
	assert_int_equal(mpz_cmp(product, cofactor), 0);

	/* On the curve's neighbour, not on the curve. */
	struct g2_point off;
	uint8_t pair[192];
	bool is_one;
	random_g2(&off, &seed);
	fp2_add(&off.y, &off.y, &fp2_one);
	put_pair(pair, generator, &off);
	assert_int_equal(bn254_pairing_check(&is_one, pair, 1), BN254_OFF_CURVE);
	mpz_clears(cofactor, order, product, factor, NULL);
}

/*
 * What finish_pair says of F(X) = 6u + 2 + X - X² + X³ and χ(X) = X² - tX + p, t = 6u² + 1: F mod χ is a + b·X, the
 * resultant a² + abt + b²p, and its greatest common divisor with r·(2p - r) is r.
 */
static void test_subgroup_proof(void **state) {
	(void)state;
	mpz_t t, a, b, resultant, term, order;
	mpz_inits(t, a, b, resultant, term, order, NULL);
	mpz_mul(t, n.u, n.u);
	mpz_mul_ui(t, t, 6);
	mpz_add_ui(t, t, 1);
	/* X² = tX - p and X³ = (t² - p)X - tp */
	mpz_mul(b, t, t);
	mpz_sub(b, b, n.p);
	mpz_sub(b, b, t);
	mpz_add_ui(b, b, 1); /* t² - p - t + 1 */
	mpz_mul_ui(a, n.u, 6);
	mpz_add_ui(a, a, 2);
	mpz_add(a, a, n.p);
	mpz_submul(a, t, n.p); /* 6u + 2 + p - tp */
	mpz_mul(resultant, a, a);
	mpz_mul(term, a, b);
	mpz_addmul(resultant, term, t);
	mpz_mul(term, b, b);
	mpz_addmul(resultant, term, n.p);
	mpz_mul_2exp(order, n.p, 1);
	mpz_sub(order, order, n.r);
	mpz_mul(order, order, n.r);
	mpz_gcd(term, resultant, order);
	assert_int_equal(mpz_cmp(term, n.r), 0);
	mpz_clears(t, a, b, resultant, term, order, NULL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_group_laws),
	    cmocka_unit_test(test_scalars),
	    cmocka_unit_test(test_refused_g1),
	    cmocka_unit_test(test_bilinear),
	    cmocka_unit_test(test_final_exponent),
	    cmocka_unit_test(test_many_pairs),
	    cmocka_unit_test(test_subgroup),
	    cmocka_unit_test(test_subgroup_proof),
	};
	bn_numbers_init(&n);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	bn_numbers_fini(&n);
	return failed;
}
