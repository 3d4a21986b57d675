#include "crypto/secp256k1_field8.h"

#include "tests/unit.h"

#include <gmp.h>
#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/secp256k1_lanes.h"

enum { LANES = SECP_LANES, EDGES = 24 };

static mpz_t prime, edges[EDGES];

static fe8 load8(mpz_t *values) {
	uint64_t limbs[5][LANES];
	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0; i < 5; i++) {
			mpz_t limb;
			mpz_init(limb);
			mpz_tdiv_q_2exp(limb, values[lane], (mp_bitcnt_t)(52 * i));
			if (i < 4) mpz_tdiv_r_2exp(limb, limb, 52);
			limbs[i][lane] = mpz_get_ui(limb);
			mpz_clear(limb);
		}
	fe8 out;
	for (int i = 0; i < 5; i++) out.n[i] = _mm512_loadu_si512(limbs[i]);
	return out;
}

/* Settled, and equal to `want` modulo p; the latter is cleared. */
static void assert_lane(const fe8 *got, int lane, mpz_t want) {
	mpz_t value, limit;
	mpz_inits(value, limit, NULL);
	for (int i = 4; i >= 0; i--) {
		const uint64_t limb = ((const uint64_t *)&got->n[i])[lane];
		assert_true(limb <= FE8_LIMB_MAX);
		mpz_mul_2exp(value, value, 52);
		mpz_add_ui(value, value, limb);
	}
	mpz_setbit(limit, 256);
	mpz_setbit(limit, 220);
	assert_true(mpz_cmp(value, limit) < 0);
	assert_true(mpz_congruent_p(value, want, prime));
	mpz_clears(value, limit, want, NULL);
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
	mpz_setbit(edges[15], 256); /* as large as settled limbs come */
	mpz_setbit(edges[15], 220);
	mpz_sub_ui(edges[15], edges[15], 1);
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

static void check_lane(fe8 *got, int lane, mpz_t a, mpz_t b, mpz_t c) {
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
	for (int i = 0; i < EDGES; i++)
		for (int k = 0; k < EDGES; k++) {
			mpz_t a[LANES], b[LANES], c[LANES];
			for (int lane = 0; lane < LANES; lane++) {
				mpz_init_set(a[lane], edges[(i + lane) % EDGES]);
				mpz_init_set(b[lane], edges[(k + 3 * lane) % EDGES]);
				mpz_init_set(c[lane], edges[(i + k + lane) % EDGES]);
			}
			const fe8 x = load8(a), y = load8(b), z = load8(c);
			fe8 got[8] = {fe8_mul(&x, &y), fe8_sqr(&x), fe8_diff(1, &x, 8, &y, 0, &z),
			    fe8_diff(1, &x, 1, &y, 2, &z), fe8_diff(2, &x, 1, &y, 0, &z), fe8_triple(&x),
			    fe8_sum(1, &x, 1, &y), fe8_negate_where(&x, 0xaa)};
			const fe8 least = fe8_reduce(&x);
			const __mmask8 zeros = fe8_is_zero(&x);
			for (int lane = 0; lane < LANES; lane++) {
				check_lane(got, lane, a[lane], b[lane], c[lane]);
				assert_int_equal(zeros >> lane & 1, mpz_divisible_p(a[lane], prime) != 0);
				mpz_mod(b[lane], a[lane], prime);
				for (int limb = 0; limb < 5; limb++) {
					mpz_tdiv_q_2exp(c[lane], b[lane], (mp_bitcnt_t)(52 * limb));
					mpz_tdiv_r_2exp(c[lane], c[lane], 52);
					assert_int_equal(((const uint64_t *)&least.n[limb])[lane], mpz_get_ui(c[lane]));
				}
				mpz_clears(a[lane], b[lane], c[lane], NULL);
			}
		}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(arithmetic_is_gmps)};
	if (!secp_lanes_usable()) {
		puts("this processor has no AVX-512 IFMA: skipped");
		return 77; /* counted as skipped */
	}
	make_edges();
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 0; i < EDGES; i++) mpz_clear(edges[i]);
	mpz_clear(prime);
	return failed;
}
