/* Compiled for each width, as secp256k1_lanes.c is. */
#ifdef __AVX512IFMA__
#include "crypto/secp256k1_field_ifma.h"
#define SECP_LANES_HERE secp_lanes_ifma
#else
#include "crypto/secp256k1_field_avx2.h"
#define SECP_LANES_HERE secp_lanes_avx2
#endif

#include "tests/unit.h"

#include <gmp.h>
#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/secp256k1_lanes.h"

enum { EDGES = 24 };

static mpz_t prime, edges[EDGES];

static uint64_t limb_max(int limb) {
	return limb == FE_LIMBS - 1 ? FE_TOP_MAX : FE_LIMB_MAX;
}

/* From the top, each limb as large as the value and the limb's bound allow. */
static fe load_lanes(mpz_t *values) {
	uint64_t limbs[FE_LIMBS][LANES];
	fe out;
	for (int lane = 0; lane < LANES; lane++) {
		mpz_t rest, limb;
		mpz_init_set(rest, values[lane]);
		mpz_init(limb);
		for (int i = FE_LIMBS - 1; i >= 0; i--) {
			mpz_tdiv_q_2exp(limb, rest, (mp_bitcnt_t)(FE_BITS * i));
			if (mpz_cmp_ui(limb, limb_max(i)) > 0) mpz_set_ui(limb, limb_max(i));
			limbs[i][lane] = mpz_get_ui(limb);
			mpz_mul_2exp(limb, limb, (mp_bitcnt_t)(FE_BITS * i));
			mpz_sub(rest, rest, limb);
		}
		assert_int_equal(mpz_sgn(rest), 0);
		mpz_clears(rest, limb, NULL);
	}
	for (int i = 0; i < FE_LIMBS; i++) out.n[i] = wide_load(limbs[i]);
	return out;
}

/* Settled, and equal to `want` modulo p; the latter is cleared. */
static void assert_lane(const fe *got, int lane, mpz_t want) {
	mpz_t value, limit;
	mpz_inits(value, limit, NULL);
	for (int i = FE_LIMBS - 1; i >= 0; i--) {
		const uint64_t limb = ((const uint64_t *)&got->n[i])[lane];
		assert_true(limb <= limb_max(i));
		mpz_mul_2exp(value, value, FE_BITS);
		mpz_add_ui(value, value, limb);
	}
	mpz_setbit(limit, 256);
	mpz_setbit(limit, FE_EXCESS_BITS);
	assert_true(mpz_cmp(value, limit) < 0);
	assert_true(mpz_congruent_p(value, want, prime));
	mpz_clears(value, limit, want, NULL);
}

/* As large as settled elements come: all limbs at their bounds, or the value where that is bounded more. */
static void set_largest(mpz_t out) {
	mpz_t limit;
	mpz_init(limit);
	mpz_setbit(limit, 256);
	mpz_setbit(limit, FE_EXCESS_BITS);
	mpz_sub_ui(limit, limit, 1);
	for (int i = FE_LIMBS - 1; i >= 0; i--) {
		mpz_mul_2exp(out, out, FE_BITS);
		mpz_add_ui(out, out, limb_max(i));
	}
	if (mpz_cmp(out, limit) > 0) mpz_set(out, limit);
	mpz_clear(limit);
}

static void make_edges(void) {
	mpz_init_set_str(prime, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", 16);
	for (int i = 0; i < EDGES; i++) mpz_init(edges[i]);
	for (unsigned i = 0; i < 3; i++) {
		mpz_set_ui(edges[i], i);
		mpz_add_ui(edges[3 + i], prime, i);
		mpz_sub_ui(edges[6 + i], prime, i + 1);
		mpz_setbit(edges[9 + i], 256);
		mpz_sub_ui(edges[9 + i], edges[9 + i], i);
		mpz_set_ui(edges[12 + i], 0x1000003d0 + i);
	}
	set_largest(edges[15]);
	for (int i = 16; i < EDGES; i++) {
		const uint8_t seed = (uint8_t)i;
		const hash32 hash = keccak256(bytes_make(&seed, 1));
		mpz_import(edges[i], 32, 1, 1, 1, 0, hash.b);
	}
}

/* x a - y b - z c */
static void want_diff(mpz_t want, unsigned x, mpz_t a, unsigned y, mpz_t b, unsigned z, mpz_t c) {
	mpz_init(want);
	mpz_addmul_ui(want, a, x);
	mpz_submul_ui(want, b, y);
	mpz_submul_ui(want, c, z);
}

static void check_lane(fe *got, int lane, mpz_t a, mpz_t b, mpz_t c) {
	mpz_t want;
	mpz_init(want);
	mpz_mul(want, a, b);
	assert_lane(&got[0], lane, want);
	mpz_init(want);
	mpz_mul(want, a, a);
	assert_lane(&got[1], lane, want);
	want_diff(want, 1, a, 8, b, 0, c);
	assert_lane(&got[2], lane, want);
	want_diff(want, 1, a, 1, b, 2, c);
	assert_lane(&got[3], lane, want);
	want_diff(want, 2, a, 1, b, 0, c);
	assert_lane(&got[4], lane, want);
	want_diff(want, 3, a, 0, b, 0, c);
	assert_lane(&got[5], lane, want);
	mpz_init(want);
	mpz_add(want, a, b);
	assert_lane(&got[6], lane, want);
	mpz_init(want);
	lane % 2 ? mpz_neg(want, a) : mpz_set(want, a);
	assert_lane(&got[7], lane, want);
}

/* Every pair of edges, each beside others in the lanes, against GMP. */
static void arithmetic_is_gmps(void **state) {
	(void)state;
	static const int64_t lane_numbers[SECP_LANES_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};
	for (int i = 0; i < EDGES; i++)
		for (int k = 0; k < EDGES; k++) {
			mpz_t a[LANES], b[LANES], c[LANES];
			for (int lane = 0; lane < LANES; lane++) {
				mpz_init_set(a[lane], edges[(i + lane) % EDGES]);
				mpz_init_set(b[lane], edges[(k + 3 * lane) % EDGES]);
				mpz_init_set(c[lane], edges[(i + k + lane) % EDGES]);
			}
			const fe x = load_lanes(a), y = load_lanes(b), z = load_lanes(c);
			fe got[8] = {fe_mul(&x, &y), fe_sqr(&x), fe_diff(1, &x, 8, &y, 0, &z),
			    fe_diff(1, &x, 1, &y, 2, &z), fe_diff(2, &x, 1, &y, 0, &z), fe_triple(&x),
			    fe_sum(1, &x, 1, &y), fe_negate_where(&x, lanes_odd(wide_load(lane_numbers)))};
			const fe least = fe_reduce(&x);
			const unsigned zeros = lanes_bits(fe_is_zero(&x));
			for (int lane = 0; lane < LANES; lane++) {
				check_lane(got, lane, a[lane], b[lane], c[lane]);
				assert_int_equal(zeros >> lane & 1, mpz_divisible_p(a[lane], prime) != 0);
				mpz_mod(b[lane], a[lane], prime);
				for (int limb = 0; limb < FE_LIMBS; limb++) {
					mpz_tdiv_q_2exp(c[lane], b[lane], (mp_bitcnt_t)(FE_BITS * limb));
					mpz_tdiv_r_2exp(c[lane], c[lane], FE_BITS);
					assert_int_equal(((const uint64_t *)&least.n[limb])[lane], mpz_get_ui(c[lane]));
				}
				mpz_clears(a[lane], b[lane], c[lane], NULL);
			}
		}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(arithmetic_is_gmps)};
	if (!SECP_LANES_HERE.is_usable()) {
		puts("this processor has not the instructions: skipped");
		return 77; /* counted as skipped */
	}
	make_edges();
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 0; i < EDGES; i++) mpz_clear(edges[i]);
	mpz_clear(prime);
	return failed;
}
