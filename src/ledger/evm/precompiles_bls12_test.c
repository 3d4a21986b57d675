/* What holds for any points, scalars and proofs; what only a group may do; and the longest inputs that blst splits. */
#include "tests/unit.h"

#include "codec/hex.h"
#include "crypto/hash.h"
#include "ledger/evm/precompiles.h"

enum { G1 = 128, G2 = 256, SCALAR = 32 };

/* The output of a precompile, in the arena; nothing if it refuses. */
static struct bytes run(struct arena *arena, uint8_t number, struct bytes input) {
	const addr20 address = {{[19] = number}};
	struct buf output;
	buf_init(&output, BUF_MAX_DEFAULT);
	const struct precompile *precompile = precompile_find(FORK_PRAGUE, &address);
	assert_non_null(precompile);
	struct precompile_result result = precompile_run(precompile, &output, FORK_PRAGUE, input, UINT64_MAX);
	assert_int_equal(result.success, output.len > 0);
	struct bytes copy = arena_dup(arena, buf_view(&output));
	buf_fini(&output);
	return copy;
}

static struct bytes join(struct arena *arena, size_t count, const struct bytes *parts) {
	struct buf all;
	buf_init(&all, BUF_MAX_DEFAULT);
	for (size_t i = 0; i < count; i++) buf_append(&all, parts[i]);
	struct bytes copy = arena_dup(arena, buf_view(&all));
	buf_fini(&all);
	return copy;
}

#define JOIN(arena, ...)                                                                                               \
	join(arena, sizeof((struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes), (struct bytes[]){__VA_ARGS__})

static struct bytes zeros(struct arena *arena, size_t len) {
	return bytes_make(arena_zalloc(arena, len, 1), len);
}

/* Big-endian, `len` bytes long. */
static struct bytes number(struct arena *arena, uint64_t value, size_t len) {
	uint8_t *data = arena_zalloc(arena, len, 1);
	store_be64(data + len - 8, value);
	return bytes_make(data, len);
}

static struct bytes hex(struct arena *arena, const char *text) {
	struct buf out;
	buf_init(&out, 4096);
	assert_int_equal(hex_data(&out, bytes_text(text)), STATUS_OK);
	struct bytes copy = arena_dup(arena, buf_view(&out));
	buf_fini(&out);
	return copy;
}

static struct bytes g1_point(struct arena *arena, uint64_t seed) {
	return run(arena, 0x10, number(arena, seed, 64));
}

static struct bytes g2_point(struct arena *arena, uint64_t seed) {
	return run(arena, 0x11, number(arena, seed, 128));
}

/* Any 32 bytes: most are above the order. */
static struct bytes scalar(struct arena *arena, uint64_t seed) {
	hash32 hash = keccak256(bytes_make(&seed, sizeof seed));
	return arena_dup(arena, BYTES_OF(hash));
}

static const char order[] = "0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
static const char minus_one[] = "0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000";

struct group {
	uint8_t add, msm;
	size_t point_bytes;
	struct bytes (*point)(struct arena *arena, uint64_t seed);
};
static const struct group groups[] = {{0x0b, 0x0c, G1, g1_point}, {0x0d, 0x0e, G2, g2_point}};

/* One long sum of products is the sum of single products, at every length where blst may change its way; infinities and
 * scalars of zero stand between, and the same point comes again. */
static void test_sums(void **state) {
	(void)state;
	enum { PAIRS = 300 };
	for (size_t g = 0; g < 2; g++) {
		const struct group *group = &groups[g];
		struct arena arena;
		struct buf pairs;
		arena_init(&arena);
		buf_init(&pairs, BUF_MAX_DEFAULT);
		struct bytes sum = zeros(&arena, group->point_bytes);
		for (size_t i = 1; i <= PAIRS; i++) {
			struct bytes point =
			    i % 7 == 0 ? zeros(&arena, group->point_bytes) : group->point(&arena, i % 40);
			struct bytes factor = i % 11 == 0 ? zeros(&arena, SCALAR) : scalar(&arena, i);
			struct bytes product = run(&arena, group->msm, JOIN(&arena, point, factor));
			sum = run(&arena, group->add, JOIN(&arena, sum, product));
			buf_append(&pairs, point);
			buf_append(&pairs, factor);
			if (i > 70 && i % 60 != 0) continue;
			assert_true(bytes_equal(run(&arena, group->msm, buf_view(&pairs)), sum));
		}
		assert_false(bytes_equal(sum, zeros(&arena, group->point_bytes)));
		buf_fini(&pairs);
		arena_fini(&arena);
	}
}

static void test_group_laws(void **state) {
	(void)state;
	for (size_t g = 0; g < 2; g++) {
		const struct group *group = &groups[g];
		struct arena arena;
		arena_init(&arena);
		struct bytes p = group->point(&arena, 5), q = group->point(&arena, 6);
		struct bytes none = zeros(&arena, group->point_bytes);
		struct bytes p_and_q = run(&arena, group->add, JOIN(&arena, p, q));
		assert_true(bytes_equal(p_and_q, run(&arena, group->add, JOIN(&arena, q, p))));
		assert_true(bytes_equal(p, run(&arena, group->add, JOIN(&arena, p, none))));
		assert_true(bytes_equal(none, run(&arena, group->add, JOIN(&arena, none, none))));
		assert_true(bytes_equal(none, run(&arena, group->msm, JOIN(&arena, p, hex(&arena, order)))));
		struct bytes minus_p = run(&arena, group->msm, JOIN(&arena, p, hex(&arena, minus_one)));
		assert_true(bytes_equal(none, run(&arena, group->add, JOIN(&arena, p, minus_p))));
		struct bytes twice = run(&arena, group->msm, JOIN(&arena, p, number(&arena, 2, SCALAR)));
		assert_true(bytes_equal(twice, run(&arena, group->add, JOIN(&arena, p, p))));
		arena_fini(&arena);
	}
}

static bool pairs_to_one(struct arena *arena, struct bytes input) {
	struct bytes word = run(arena, 0x0f, input);
	assert_int_equal(word.len, 32);
	assert_true(word.data[31] <= 1);
	return word.data[31] == 1;
}

/* e(aP, Q) * e(-P, aQ) = 1, once and as often as makes blst take several rounds; one factor more, and it is not. */
static void test_pairings(void **state) {
	(void)state;
	struct arena arena;
	struct buf input;
	arena_init(&arena);
	buf_init(&input, BUF_MAX_DEFAULT);
	struct bytes p_none = zeros(&arena, G1), q_none = zeros(&arena, G2);
	for (uint64_t i = 1; i <= 20; i++) {
		struct bytes p = g1_point(&arena, i), q = g2_point(&arena, i + 1), a = scalar(&arena, i);
		struct bytes ap = run(&arena, 0x0c, JOIN(&arena, p, a)), aq = run(&arena, 0x0e, JOIN(&arena, q, a));
		struct bytes minus_p = run(&arena, 0x0c, JOIN(&arena, p, hex(&arena, minus_one)));
		buf_append(&input, JOIN(&arena, ap, q, p_none, q, minus_p, aq, p, q_none));
		assert_true(pairs_to_one(&arena, buf_view(&input)));
		assert_false(pairs_to_one(&arena, JOIN(&arena, buf_view(&input), p, q)));
	}
	assert_true(pairs_to_one(&arena, JOIN(&arena, p_none, q_none)));
	buf_fini(&input);
	arena_fini(&arena);
}

/* (0, 2) is on the curve of G1, of order 3: it may be added, and nothing else. */
static void test_outside_the_group(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct bytes point = JOIN(&arena, number(&arena, 0, 64), number(&arena, 2, 64)), q = g2_point(&arena, 1);
	struct bytes twice = run(&arena, 0x0b, JOIN(&arena, point, point));
	assert_int_equal(twice.len, G1);
	assert_true(bytes_equal(zeros(&arena, G1), run(&arena, 0x0b, JOIN(&arena, twice, point))));
	assert_int_equal(run(&arena, 0x0c, JOIN(&arena, point, zeros(&arena, SCALAR))).len, 0);
	assert_int_equal(run(&arena, 0x0f, JOIN(&arena, point, q)).len, 0);
	assert_int_equal(run(&arena, 0x0f, JOIN(&arena, point, zeros(&arena, G2))).len, 0);
	arena_fini(&arena);
}

static void test_refusals(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct bytes modulus = hex(&arena,
	    "0x000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241"
	    "eabfffeb153ffffb9feffffffffaaab");
	struct bytes high = arena_dup(&arena, number(&arena, 1, 64)), below = arena_dup(&arena, modulus);
	((uint8_t *)high.data)[15] = 1;
	((uint8_t *)below.data)[63]--;
	assert_int_equal(run(&arena, 0x10, below).len, G1);
	assert_int_equal(run(&arena, 0x10, modulus).len, 0);
	assert_int_equal(run(&arena, 0x10, high).len, 0);
	assert_int_equal(run(&arena, 0x11, JOIN(&arena, below, below)).len, G2);
	assert_int_equal(run(&arena, 0x11, JOIN(&arena, below, modulus)).len, 0);
	assert_int_equal(run(&arena, 0x11, JOIN(&arena, modulus, below)).len, 0);
	for (uint8_t at = 0x0b; at <= 0x11; at++) { /* nothing, and one byte less or more than one whole input */
		static const size_t sizes[] = {2 * G1, G1 + SCALAR, 2 * G2, G2 + SCALAR, G1 + G2, G1 / 2, G2 / 2};
		const size_t size = sizes[at - 0x0b];
		assert_int_equal(run(&arena, at, zeros(&arena, 0)).len, 0);
		assert_int_equal(run(&arena, at, zeros(&arena, size - 1)).len, 0);
		assert_int_equal(run(&arena, at, zeros(&arena, size + 1)).len, 0);
		assert_true(run(&arena, at, zeros(&arena, size)).len > 0);
	}
	arena_fini(&arena);
}

/*
 * The polynomial x: its commitment is [s] in G1, from the KZG ceremony's setup; its value at z is z, and every proof is
 * [1]. So with any other setup than the ceremony's, none holds.
 */
static void test_the_polynomial_x(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	struct bytes s =
	    hex(&arena, "0xad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5"
			"a04c81");
	struct bytes one =
	    hex(&arena, "0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00a"
			"db22c6bb");
	hash32 hash = sha256(s);
	hash.b[0] = 1;
	for (uint64_t i = 0; i < 20; i++) {
		struct bytes z = number(&arena, i * i * 1000003, SCALAR),
			     other = number(&arena, i * i * 1000003 + 1, SCALAR);
		assert_int_equal(run(&arena, 0x0a, JOIN(&arena, BYTES_OF(hash), z, z, s, one)).len, 64);
		assert_int_equal(run(&arena, 0x0a, JOIN(&arena, BYTES_OF(hash), z, other, s, one)).len, 0);
		assert_int_equal(run(&arena, 0x0a, JOIN(&arena, BYTES_OF(hash), z, z, s, s)).len, 0);
	}
	struct bytes largest = hex(&arena, minus_one), too_large = hex(&arena, order);
	assert_int_equal(run(&arena, 0x0a, JOIN(&arena, BYTES_OF(hash), largest, largest, s, one)).len, 64);
	assert_int_equal(run(&arena, 0x0a, JOIN(&arena, BYTES_OF(hash), too_large, too_large, s, one)).len, 0);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sums),
	    cmocka_unit_test(test_group_laws),
	    cmocka_unit_test(test_pairings),
	    cmocka_unit_test(test_outside_the_group),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_the_polynomial_x),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
