/* Names and their places, beside a plain list. */
#include "health/trace/places.h"

#include <stdio.h>

#include "tests/unit.h"

static hash32 nth(uint32_t n) {
	char text[16];
	snprintf(text, sizeof text, "%u", n);
	return places_name("name", text);
}

static void every_name_keeps_its_newest_place(void **state) {
	(void)state;
	struct arena arena;
	struct places places = {.count = 0};
	hash32 never = nth(0);
	arena_init(&arena);
	assert_null(places_get(&places, &never));
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 1; i <= 5000; i++) {
			hash32 name = nth(i);
			places_put(&places, &arena, &name, i + round);
		}
	assert_int_equal(places.count, 5000);
	for (uint32_t i = 1; i <= 5000; i++) {
		hash32 name = nth(i);
		const uint32_t *value = places_get(&places, &name);
		assert_true(value && *value == i + 1);
	}
	assert_null(places_get(&places, &never));
	arena_fini(&arena);
}

static void two_texts_are_not_their_joint(void **state) {
	(void)state;
	hash32 one = places_name("ab", "c"), other = places_name("a", "bc");
	assert_false(hash32_equal(&one, &other));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_keeps_its_newest_place),
	    cmocka_unit_test(two_texts_are_not_their_joint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
