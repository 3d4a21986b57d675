#include "ledger/consensus/pace.h"

#include "tests/unit.h"

/* Heights of which each takes so many milliseconds and is full. */
static void full_heights(struct pace *pace, uint64_t *now_ms, size_t count, uint64_t each_ms) {
	for (size_t i = 0; i < count; i++) {
		const size_t bytes = atomic_load(&pace->bytes);
		pace_height(pace, *now_ms += each_ms, bytes);
	}
}

static void slow_heights_are_made_smaller_and_quick_ones_larger(void **state) {
	(void)state;
	struct pace pace;
	uint64_t now_ms = 1000;
	pace_init(&pace);
	const uint64_t first = atomic_load(&pace.bytes);
	full_heights(&pace, &now_ms, 3, PACE_MS + 1);
	const uint64_t less = atomic_load(&pace.bytes);
	assert_true(less < first && less >= PACE_BYTES_MIN);
	full_heights(&pace, &now_ms, 4, PACE_MS);
	assert_int_equal(atomic_load(&pace.bytes), less);
	full_heights(&pace, &now_ms, 2, PACE_MS / 4);
	assert_true(atomic_load(&pace.bytes) > less);
	full_heights(&pace, &now_ms, 100, 10 * PACE_MS);
	assert_int_equal(atomic_load(&pace.bytes), PACE_BYTES_MIN);
	full_heights(&pace, &now_ms, 100, 10);
	assert_int_equal(atomic_load(&pace.bytes), PACE_BYTES_MAX);
}

static void a_time_without_transactions_says_nothing(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace);
	const uint64_t first = atomic_load(&pace.bytes);
	pace_height(&pace, 1000, 5000);
	pace_height(&pace, 1040, 0);
	pace_height(&pace, 61040, 5000); /* a minute later */
	assert_int_equal(atomic_load(&pace.bytes), first);
}

static void small_heights_do_not_raise_the_limit(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace);
	const uint64_t first = atomic_load(&pace.bytes);
	for (uint64_t i = 1; i < 100; i++) pace_height(&pace, 40 * i, 300);
	assert_int_equal(atomic_load(&pace.bytes), first);
}

static void heights_decide_of_its_own(struct pace *pace, uint64_t *height, size_t decided) {
	pace_sent(pace, 20000);
	pace_left(pace, ++*height, 20000 - decided);
}

static void as_much_as_heights_decide_is_under_way_and_no_more(void **state) {
	(void)state;
	struct pace pace;
	uint64_t height = 1;
	pace_init(&pace);
	assert_int_equal(pace_under_way(&pace), PACE_TXS_MIN);
	/* All that is sent is decided: heights can take more. */
	for (size_t i = 0; i < 80; i++) {
		pace_sent(&pace, pace_under_way(&pace));
		pace_left(&pace, ++height, 0);
	}
	assert_int_equal(pace_under_way(&pace), PACE_TXS_MAX);
	for (size_t i = 0; i < 100; i++) heights_decide_of_its_own(&pace, &height, 500);
	assert_in_range(pace_under_way(&pace), 1200, 1250);
}

/* A proposal is mostly of its proposer's own: of four nodes each has a height's worth in every fourth height. If each
 * kept as much under way as such a height decides, a transaction would wait for ten heights. */
static void heights_without_its_own_count(void **state) {
	(void)state;
	struct pace pace;
	uint64_t height = 1;
	pace_init(&pace);
	for (size_t i = 0; i < 100; i++) heights_decide_of_its_own(&pace, &height, i % 4 == 0 ? 2000 : 0);
	assert_in_range(pace_under_way(&pace), 800, 1600); /* of 1,250 on average */
	for (size_t i = 0; i < 100; i++) heights_decide_of_its_own(&pace, &height, 0);
	assert_int_equal(pace_under_way(&pace), PACE_TXS_MIN);
}

/* The pool may drop what a height decided before the height itself is seen. */
static void what_is_gone_before_its_height_is_seen_counts_for_it(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace);
	for (uint64_t height = 1; height < 100; height++) {
		pace_sent(&pace, 20000);
		pace_left(&pace, height, 19600);
		pace_sent(&pace, 20000);
		pace_left(&pace, height + 1, 20000);
	}
	assert_in_range(pace_under_way(&pace), 960, 1000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(slow_heights_are_made_smaller_and_quick_ones_larger),
	    cmocka_unit_test(a_time_without_transactions_says_nothing),
	    cmocka_unit_test(small_heights_do_not_raise_the_limit),
	    cmocka_unit_test(as_much_as_heights_decide_is_under_way_and_no_more),
	    cmocka_unit_test(heights_without_its_own_count),
	    cmocka_unit_test(what_is_gone_before_its_height_is_seen_counts_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
