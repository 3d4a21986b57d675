/* What a trustee remembers, and a day's number of releases. */
#include "health/consent/releases.h"

#include "tests/unit.h"

#include "tests/fake_home.h"

#define NOON ((FAKE_START_S / 86400) * 86400 + 43200)

static const addr20 rescue = {{1}}, other = {{2}};

static bool take(struct world *world, uint64_t review, const addr20 *actor, uint64_t now_s) {
	const struct releases_wish wish = {review, *actor, 3, now_s};
	bool allowed;
	if (releases_take(world->heads, &allowed, &wish, &world->err)) fail_msg("%s", world->err.message);
	return allowed;
}

static void an_actor_gets_a_days_number(void **state) {
	struct world *world = *state;
	for (uint64_t n = 1; n <= 3; n++) assert_true(take(world, n, &rescue, NOON + n));
	reopen(world); /* it is remembered */
	assert_false(take(world, 4, &rescue, NOON + 10));
	assert_true(take(world, 5, &other, NOON + 10));
	assert_false(take(world, 4, &rescue, NOON + 43199));
	assert_true(take(world, 4, &rescue, NOON + 43200)); /* the next day */
}

static void a_release_that_failed_is_tried_again_for_nothing(void **state) {
	struct world *world = *state;
	for (unsigned i = 0; i < 10; i++) assert_true(take(world, 7, &rescue, NOON));
	assert_true(take(world, 8, &rescue, NOON));
	assert_true(take(world, 9, &rescue, NOON));
	assert_false(take(world, 10, &rescue, NOON));
	assert_true(take(world, 7, &rescue, NOON));
}

static void a_clock_that_goes_back_begins_no_new_day(void **state) {
	struct world *world = *state;
	for (uint64_t n = 1; n <= 3; n++) assert_true(take(world, n, &rescue, NOON));
	assert_false(take(world, 4, &rescue, NOON - 86400));
}

static void nothing_is_allowed_that_cannot_be_written_down(void **state) {
	struct world *world = *state;
	const struct releases_wish wish = {1, rescue, 3, NOON};
	bool allowed = true;
	world->memory.is_full = true;
	assert_int_equal(releases_take(world->heads, &allowed, &wish, &world->err), STATUS_IO);
	assert_false(allowed);
}

static void where_to_go_on_never_goes_back(void **state) {
	struct world *world = *state;
	uint64_t next;
	assert_int_equal(releases_next(world->heads, &next, &world->err), STATUS_OK);
	assert_int_equal(next, 1);
	assert_int_equal(releases_set_next(world->heads, 40, &world->err), STATUS_OK);
	assert_int_equal(releases_set_next(world->heads, 30, &world->err), STATUS_OK);
	assert_true(take(world, 1, &rescue, NOON));
	assert_int_equal(releases_next(world->heads, &next, &world->err), STATUS_OK);
	assert_int_equal(next, 40);
	uint64_t block;
	assert_int_equal(releases_set_checked_to(world->heads, 70, &world->err), STATUS_OK);
	assert_int_equal(releases_set_checked_to(world->heads, 60, &world->err), STATUS_OK);
	assert_int_equal(releases_checked_to(world->heads, &block, &world->err), STATUS_OK);
	assert_int_equal(block, 70);
	assert_int_equal(releases_next(world->heads, &next, &world->err), STATUS_OK);
	assert_int_equal(next, 40); /* each for itself */
}

static void what_makes_no_sense_is_refused(void **state) {
	struct world *world = *state;
	static const char *const bad[] = {"{", "{}", "{\"v\":1,\"next\":1,\"block\":1,\"day\":1,\"released\":[]}",
	    "{\"v\":2,\"next\":1,\"day\":1,\"released\":[]}",
	    "{\"v\":2,\"next\":-1,\"block\":1,\"day\":1,\"released\":[]}",
	    "{\"v\":2,\"next\":1,\"block\":1,\"day\":1,\"released\":{}}",
	    "{\"v\":2,\"next\":1,\"block\":1,\"day\":1,\"released\":[{\"review\":1,\"actor\":\"0x12\"}]}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		uint64_t next;
		bool allowed;
		const struct releases_wish wish = {1, rescue, 3, NOON};
		memory_put(&world->memory, "trustee.json", bytes_text(bad[i]));
		assert_int_equal(releases_next(world->heads, &next, &world->err), STATUS_CORRUPT);
		assert_int_equal(releases_take(world->heads, &allowed, &wish, &world->err), STATUS_CORRUPT);
		assert_false(allowed);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(an_actor_gets_a_days_number),
	    TEST(a_release_that_failed_is_tried_again_for_nothing),
	    TEST(a_clock_that_goes_back_begins_no_new_day),
	    TEST(nothing_is_allowed_that_cannot_be_written_down),
	    TEST(where_to_go_on_never_goes_back),
	    TEST(what_makes_no_sense_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
