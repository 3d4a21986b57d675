/* What the watcher found out of a room that was closed meanwhile: each order of the two, made by hand. */
#include "health/gateway/fhir_foreign_private.h"
#include "tests/unit.h"

static struct monitor *new_monitor(void *context) {
	return context;
}

static void do_nothing(struct monitor *monitor) {
	(void)monitor;
}

static void wait_no_time(struct monitor *monitor, uint32_t timeout_ms) {
	(void)monitor, (void)timeout_ms;
	fail_msg("nobody else has the room");
}

static const struct threads alone = {new_monitor, do_nothing, do_nothing, do_nothing, wait_no_time, do_nothing, NULL};

struct fixture {
	struct fhir_foreign foreign;
	struct fhir_foreign_room *room;
	struct arena arena;
};

enum { NOW = 1000, LATER = 2000 };

static const hash32 id = {{1}};

/* As a look makes it, for one purpose. */
static void open_room(struct fixture *f, enum purpose purpose) {
	struct fhir_foreign_room *room = mem_zalloc(1, sizeof *room);
	room->id = room->folder = id;
	room->until_s[purpose] = LATER;
	room->is_ready = true;
	room->opening = ++f->foreign.openings;
	f->foreign.rooms = f->room = room;
}

static void close_room(struct fixture *f) {
	mem_free(f->room);
	f->foreign.rooms = f->room = NULL;
}

static int begin(void **state) {
	struct fixture *f = mem_zalloc(1, sizeof *f);
	f->foreign.options.threads = &alone;
	arena_init(&f->arena);
	open_room(f, PURPOSE_TREAT);
	*state = f;
	return 0;
}

static int end(void **state) {
	struct fixture *f = *state;
	mem_free(f->room);
	arena_fini(&f->arena);
	mem_free(f);
	return 0;
}

/* The watcher's copy. */
static struct fhir_foreign_room *copy(struct fixture *f) {
	struct fhir_foreign_room *rooms;
	assert_int_equal(fhir_foreign_rooms(&f->foreign, &f->arena, &rooms), 1);
	return rooms;
}

/* The contract's window stands, whatever was closed here. */
static void tell_chain(struct fixture *f, const struct fhir_foreign_room *seen) {
	const uint64_t until_s[PURPOSE_COUNT] = {[PURPOSE_TREAT] = LATER, [PURPOSE_HRESCH] = LATER};
	uint64_t asked[PURPOSE_COUNT] = {0};
	struct err err;
	for (size_t i = 0; i < PURPOSE_COUNT; i++)
		if (seen->until_s[i]) asked[i] = until_s[i];
	fhir_foreign_set_ends(&f->foreign, seen, asked, NOW);
	if (f->room && f->room->opening == seen->opening) return; /* taking in would ask the chain */
	assert_int_equal(fhir_foreign_show_again(&f->foreign, NULL, seen, &err), STATUS_OK);
}

static void a_room_that_was_closed_stays_closed(void **state) {
	struct fixture *f = *state;
	const struct fhir_foreign_room *seen = copy(f);
	close_room(f);
	tell_chain(f, seen);
	assert_null(f->foreign.rooms);
}

static void a_room_that_is_being_dropped_is_not_opened(void **state) {
	struct fixture *f = *state;
	struct err err;
	const struct fhir_foreign_room *seen = copy(f);
	f->room->is_over = f->room->is_filling = true;
	memset(f->room->until_s, 0, sizeof f->room->until_s);
	tell_chain(f, seen);
	assert_int_equal(fhir_foreign_show_again(&f->foreign, NULL, seen, &err), STATUS_OK);
	assert_true(f->room->is_over);
	for (size_t i = 0; i < PURPOSE_COUNT; i++) assert_int_equal(f->room->until_s[i], 0);
}

static void a_room_that_was_opened_again_has_the_purposes_of_that(void **state) {
	struct fixture *f = *state;
	const struct fhir_foreign_room *seen = copy(f);
	close_room(f);
	open_room(f, PURPOSE_HRESCH);
	tell_chain(f, seen);
	assert_int_equal(f->room->until_s[PURPOSE_TREAT], 0);
	assert_int_equal(f->room->until_s[PURPOSE_HRESCH], LATER);
	assert_false(f->room->is_over);
}

static void a_purpose_that_was_opened_since_keeps_its_end(void **state) {
	struct fixture *f = *state;
	const uint64_t ended[PURPOSE_COUNT] = {0};
	const struct fhir_foreign_room *seen = copy(f);
	f->room->until_s[PURPOSE_HRESCH] = LATER;
	fhir_foreign_set_ends(&f->foreign, seen, ended, NOW);
	assert_int_equal(f->room->until_s[PURPOSE_TREAT], 0);
	assert_int_equal(f->room->until_s[PURPOSE_HRESCH], LATER);
	assert_false(f->room->is_over);
	fhir_foreign_set_ends(&f->foreign, copy(f), ended, NOW);
	assert_true(f->room->is_over);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
	    TEST(a_room_that_was_closed_stays_closed),
	    TEST(a_room_that_is_being_dropped_is_not_opened),
	    TEST(a_room_that_was_opened_again_has_the_purposes_of_that),
	    TEST(a_purpose_that_was_opened_since_keeps_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
