/* Values as bytes: they sort as the values do, and what was put is taken off again. */
#include "health/index/resource_facts.h"
#include "tests/unit.h"

static uint64_t random_state = 88172645463325252ull;

static uint64_t random_below(uint64_t bound) {
	random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
	return random_state % bound;
}

static struct fhir_decimal random_decimal(void) {
	static const int64_t bounds[] = {3, 12, 120, 100000, INT64_MAX};
	struct fhir_decimal value = {.digits = (__int128)random_below((uint64_t)bounds[random_below(5)])};
	if (random_below(5) == 0) value.digits *= (__int128)random_below(1000000000000000000ull);
	if (random_below(2)) value.digits = -value.digits;
	value.scale = (int32_t)random_below(random_below(3) ? 5 : FHIR_SCALE_MAX);
	return value;
}

static int sign(int number) {
	return (number > 0) - (number < 0);
}

static void decimals_sort_as_their_bytes(void **state) {
	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		struct fhir_decimal a = random_decimal(), b = random_below(4) ? random_decimal() : a;
		struct buf x, y;
		struct bytes taken, rest;
		if (random_below(3) == 0) b.digits = a.digits, b.scale = a.scale; /* the same, or near it */
		if (random_below(6) == 0) b.digits += 1;
		buf_init(&x, 100);
		buf_init(&y, 100);
		resource_fact_put_decimal(&x, a);
		resource_fact_put_decimal(&y, b);
		int order = bytes_compare(buf_view(&x), buf_view(&y));
		assert_int_equal(sign(order), sign(fhir_decimal_compare(a, b)));
		size_t len = x.len;
		buf_append(&x, buf_view(&y)); /* whatever follows */
		rest = buf_view(&x);
		assert_true(resource_fact_take_decimal(&taken, &rest));
		assert_int_equal(taken.len, len);
		buf_fini(&x);
		buf_fini(&y);
	}
}

static void moments_sort_as_their_bytes(void **state) {
	static const int64_t moments[] = {INT64_MIN, -62135596800000, -1, 0, 1, 253402300799999, INT64_MAX};
	(void)state;
	for (size_t i = 0; i + 1 < sizeof moments / sizeof *moments; i++) {
		struct buf x, y;
		buf_init(&x, 100);
		buf_init(&y, 100);
		resource_fact_put_moment(&x, moments[i]);
		resource_fact_put_moment(&y, moments[i + 1]);
		assert_int_equal(x.len, 7);
		assert_true(bytes_compare(buf_view(&x), buf_view(&y)) < 0);
		buf_fini(&x);
		buf_fini(&y);
	}
}

static void tokens_come_off_as_they_were_put(void **state) {
	struct resource_digest_key key = {{1, 2}}, other = {{1, 3}};
	struct fact_parts {
		const char *code;
		bool has_system;
	} parts[] = {{"", true}, {"a", false}, {"8867-4", true}};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf out, again;
		struct resource_fact_token token;
		buf_init(&out, 100);
		buf_init(&again, 100);
		resource_fact_put_text(&out, bytes_text(parts[i].code));
		if (parts[i].has_system)
			resource_fact_put_digest(&out, &key, BYTES_LITERAL("http://loinc.org"));
		else
			buf_byte(&out, RESOURCE_FACT_NO_SYSTEM);
		struct bytes rest = buf_view(&out);
		for (size_t len = 0; len < out.len; len++) { /* cut short, it is none */
			struct bytes cut = bytes_slice(rest, 0, len);
			assert_false(resource_fact_take_token(&token, &cut));
		}
		assert_true(resource_fact_take_token(&token, &rest));
		assert_int_equal(rest.len, 0);
		assert_true(bytes_equal(token.code, bytes_text(parts[i].code)));
		assert_int_equal(token.mark, parts[i].has_system ? RESOURCE_FACT_SYSTEM : RESOURCE_FACT_NO_SYSTEM);
		resource_fact_put_digest(&again, &other, BYTES_LITERAL("http://loinc.org"));
		assert_false(
		    bytes_equal(token.digest, bytes_slice(buf_view(&again), 1, 5))); /* another key, another digest */
		buf_fini(&out);
		buf_fini(&again);
	}
}

static void long_texts_keep_their_beginning_and_differ(void **state) {
	struct arena arena;
	uint8_t a[1000], b[1000];
	(void)state;
	arena_init(&arena);
	memset(a, 'x', sizeof a);
	memset(b, 'x', sizeof b);
	b[999] = 'y';
	struct bytes x = resource_fact_text(&arena, bytes_make(a, sizeof a)),
		     y = resource_fact_text(&arena, bytes_make(b, sizeof b));
	assert_true(x.len <= RESOURCE_FACT_TEXT_MAX && x.len == y.len && !bytes_equal(x, y));
	assert_memory_equal(x.data, a, 160);
	assert_int_equal(resource_fact_text(&arena, bytes_make(a, 200)).len, 200);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decimals_sort_as_their_bytes),
	    cmocka_unit_test(moments_sort_as_their_bytes),
	    cmocka_unit_test(tokens_come_off_as_they_were_put),
	    cmocka_unit_test(long_texts_keep_their_beginning_and_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
