#include "crypto/secp256k1_many.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "crypto/secp256k1_lanes.h"
#include "tests/hexbytes.h"

enum { MANY = 64 };

#ifdef WITH_SECP_LANES_AVX2
/* The narrower lanes run nowhere in secp_recover_many where the wider do: every key that they know is the twin's. */
static void assert_no_other_keys(
    const struct secp_lanes *lanes, const struct secp_signature *signatures, const hash32 *digests, size_t count) {
	if (!lanes->is_usable()) return;
	for (size_t done = 0; done < count; done += lanes->count) {
		const size_t many = count - done < lanes->count ? count - done : lanes->count;
		uint8_t keys[SECP_LANES_MAX][64], plain[64];
		bool known[SECP_LANES_MAX];
		lanes->recover(keys, known, signatures + done, digests + done, many);
		for (size_t i = 0; i < many; i++) {
			if (!known[i]) continue;
			assert_int_equal(secp_recover(plain, &signatures[done + i], &digests[done + i]), STATUS_OK);
			assert_memory_equal(keys[i], plain, 64);
		}
	}
}
#endif

/* The plain twin's answers, one by one, are what is to come of all together, and of every smaller number of them. */
static void assert_as_the_twin(const struct secp_signature *signatures, const hash32 *digests, size_t count) {
	uint8_t keys[MANY][64], plain[64];
	enum status statuses[MANY];
	secp_recover_many(keys, statuses, signatures, digests, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(statuses[i], secp_recover(plain, &signatures[i], &digests[i]));
		if (statuses[i] == STATUS_OK) assert_memory_equal(keys[i], plain, 64);
	}
#ifdef WITH_SECP_LANES_AVX2
	assert_no_other_keys(&secp_lanes_avx2, signatures, digests, count);
#endif
}

static hash32 noise(uint32_t number) {
	uint8_t bytes[4];
	store_be32(bytes, number);
	return keccak256(bytes_make(bytes, 4));
}

static struct secp_signature signature_of(uint32_t number) {
	const hash32 secret = noise(2 * number), digest = noise(2 * number + 1);
	struct secp_signature out;
	assert_int_equal(secp_sign(&out, &secret, &digest), STATUS_OK);
	return out;
}

static void recovers_what_was_signed(void **state) {
	(void)state;
	for (uint32_t round = 0; round < 100; round++) {
		struct secp_signature signatures[MANY];
		hash32 digests[MANY];
		for (uint32_t i = 0; i < MANY; i++) {
			signatures[i] = signature_of(MANY * round + i);
			digests[i] = noise(2 * (MANY * round + i) + 1);
		}
		assert_as_the_twin(signatures, digests, round % MANY + 1);
		uint8_t keys[MANY][64], key[64];
		enum status statuses[MANY];
		secp_recover_many(keys, statuses, signatures, digests, MANY);
		for (uint32_t i = 0; i < MANY; i++) {
			const hash32 secret = noise(2 * (MANY * round + i));
			assert_int_equal(secp_public_key(key, &secret), STATUS_OK);
			assert_memory_equal(keys[i], key, 64);
		}
	}
}

/* Were the lanes silent, the twin would hide it. */
static void assert_lanes_answer(const struct secp_lanes *lanes) {
	struct secp_signature signatures[SECP_LANES_MAX];
	hash32 digests[SECP_LANES_MAX];
	if (!lanes->is_usable()) {
		print_message("this processor has not the instructions: skipped\n");
		skip();
	}
	for (uint32_t i = 0; i < lanes->count; i++) {
		signatures[i] = signature_of(i);
		digests[i] = noise(2 * i + 1);
	}
	for (size_t count = 1; count <= lanes->count; count++) {
		uint8_t keys[SECP_LANES_MAX][64], key[64];
		bool known[SECP_LANES_MAX];
		lanes->recover(keys, known, signatures, digests, count);
		for (uint32_t i = 0; i < count; i++) {
			const hash32 secret = noise(2 * i);
			assert_true(known[i]);
			assert_int_equal(secp_public_key(key, &secret), STATUS_OK);
			assert_memory_equal(keys[i], key, 64);
		}
	}
}

#ifdef WITH_SECP_LANES_AVX2
static void lanes_of_avx2_answer(void **state) {
	(void)state;
	assert_lanes_answer(&secp_lanes_avx2);
}
#endif

#ifdef WITH_SECP_LANES_IFMA
static void lanes_of_ifma_answer(void **state) {
	(void)state;
	assert_lanes_answer(&secp_lanes_ifma);
}
#endif

/* Any r, s and digest: about half of the r have no point. */
static void noise_is_judged_as_by_the_twin(void **state) {
	(void)state;
	size_t good = 0;
	for (uint32_t round = 0; round < 100; round++) {
		struct secp_signature signatures[MANY];
		hash32 digests[MANY];
		uint8_t key[64];
		for (uint32_t i = 0; i < MANY; i++) {
			const hash32 r = noise(3 * (MANY * round + i)), s = noise(3 * (MANY * round + i) + 1);
			memcpy(signatures[i].r, r.b, 32);
			memcpy(signatures[i].s, s.b, 32);
			signatures[i].y_parity = r.b[0] % 3;
			digests[i] = noise(3 * (MANY * round + i) + 2);
			good += secp_recover(key, &signatures[i], &digests[i]) == STATUS_OK;
		}
		assert_as_the_twin(signatures, digests, MANY);
	}
	assert_in_range(good, MANY * 100 / 4, MANY * 100 / 2);
}

/* Every r, s and digest of a list of awkward numbers, among good neighbours. */
static void edges_are_judged_as_by_the_twin(void **state) {
	(void)state;
	static const char *const edges[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0000000000000000000000000000000000000000000000000000000000000001",
	    "0000000000000000000000000000000000000000000000000000000000000002",
	    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", /* n / 2 */
	    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", /* n - 1 */
	    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", /* n */
	    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e", /* p - 1 */
	    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", /* p */
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", /* x of G */
	    "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5", /* x of 2 G */
	    "5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72", /* lambda */
	    "bcace2e99da01887ab0102b696902325872844067f15e98da7bba04400b88fcb", /* x of lambda G */
	};
	enum { EDGES = sizeof edges / sizeof edges[0] };
	for (size_t r = 0; r < EDGES; r++)
		for (size_t s = 0; s < EDGES; s++) {
			struct secp_signature signatures[MANY];
			hash32 digests[MANY];
			for (uint32_t i = 0; i < MANY; i++) {
				signatures[i] = signature_of(i);
				digests[i] = noise(2 * i + 1);
				if (i >= 2 * EDGES) continue;
				hexbytes(signatures[i].r, 32, edges[r]);
				hexbytes(signatures[i].s, 32, edges[s]);
				hexbytes(digests[i].b, 32, edges[i / 2]);
				signatures[i].y_parity = i % 2;
			}
			assert_as_the_twin(signatures, digests, MANY);
		}
}

/*
 * R = k G with small k, and s and z chosen so that Q = (s k - z) / r G is nothing, or a small multiple of G: sums meet
 * themselves and their negatives on the way.
 */
static void close_multiples_are_judged_as_by_the_twin(void **state) {
	(void)state;
	for (uint8_t k = 1; k < 40; k++) {
		struct secp_signature signatures[MANY] = {0};
		hash32 digests[MANY] = {0}, secret = {0};
		uint8_t point[64];
		secret.b[31] = k;
		assert_int_equal(secp_public_key(point, &secret), STATUS_OK);
		for (uint8_t i = 0; i < MANY; i++) {
			memcpy(signatures[i].r, point, 32);
			signatures[i].s[31] = (uint8_t)(1 + i / 16);
			signatures[i].y_parity = i % 2;
			digests[i].b[31] = (uint8_t)(k * (1 + i / 16) + i / 2 % 8); /* nothing where i / 2 % 8 is 0 */
			if (i / 2 % 8 == 7) digests[i].b[31] = 0;
		}
		assert_as_the_twin(signatures, digests, MANY);
	}
}

int main(void) {
#ifdef WITH_SECP_LANES_AVX2
	if (secp_lanes_avx2.is_usable()) secp_lanes_avx2.prepare();
#endif
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recovers_what_was_signed),
#ifdef WITH_SECP_LANES_AVX2
	    cmocka_unit_test(lanes_of_avx2_answer),
#endif
#ifdef WITH_SECP_LANES_IFMA
	    cmocka_unit_test(lanes_of_ifma_answer),
#endif
	    cmocka_unit_test(noise_is_judged_as_by_the_twin),
	    cmocka_unit_test(edges_are_judged_as_by_the_twin),
	    cmocka_unit_test(close_multiples_are_judged_as_by_the_twin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
