#include "health/gateway/fhir_locks.h"

#include "tests/unit.h"

struct asker {
	struct fhir_lock_request request;
	bool was_called;
};

struct scene {
	struct arena arena;
	struct fhir_locks *locks;
	struct asker a, b, c;
};

static void called(void *context) {
	struct asker *asker = context;
	assert_false(asker->was_called);
	asker->was_called = true;
}

static int begin(void **state) {
	struct scene *s = mem_zalloc(1, sizeof *s);
	arena_init(&s->arena);
	s->locks = fhir_locks_new(NULL);
	*state = s;
	return 0;
}

static int end(void **state) {
	struct scene *s = *state;
	fhir_locks_free(s->locks);
	arena_fini(&s->arena);
	mem_free(s);
	return 0;
}

static void begin_request(struct scene *s, struct asker *asker) {
	fhir_lock_request_init(&asker->request, &s->arena, 4);
	asker->request.granted = called;
	asker->request.context = asker;
	asker->was_called = false;
}

/* "xY": x shared, Y exclusive. */
static bool takes(struct scene *s, struct asker *asker, const char *names) {
	begin_request(s, asker);
	for (; *names; names++) {
		const uint8_t name = (uint8_t)(*names | 0x20);
		fhir_lock_request_put(&asker->request, bytes_make(&name, 1), *names < 'a');
	}
	return fhir_locks_take(s->locks, &asker->request);
}

static void one_writes_at_a_time(void **state) {
	struct scene *s = *state;
	assert_true(takes(s, &s->a, "tX"));
	assert_true(takes(s, &s->b, "tY"));
	assert_false(takes(s, &s->c, "tX"));
	fhir_locks_give_back(s->locks, &s->b.request);
	assert_false(s->c.was_called);
	fhir_locks_give_back(s->locks, &s->a.request);
	assert_true(s->c.was_called);
	fhir_locks_give_back(s->locks, &s->c.request);
}

static void a_condition_waits_for_all_of_its_type_and_they_for_it(void **state) {
	struct scene *s = *state;
	assert_true(takes(s, &s->a, "tX"));
	assert_false(takes(s, &s->b, "T"));
	assert_false(takes(s, &s->c, "tY")); /* it came later, and may not pass by */
	fhir_locks_give_back(s->locks, &s->a.request);
	assert_true(s->b.was_called);
	assert_false(s->c.was_called);
	fhir_locks_give_back(s->locks, &s->b.request);
	assert_true(s->c.was_called);
	fhir_locks_give_back(s->locks, &s->c.request);
}

static void several_that_share_go_on_together(void **state) {
	struct scene *s = *state;
	assert_true(takes(s, &s->a, "T"));
	assert_false(takes(s, &s->b, "t"));
	assert_false(takes(s, &s->c, "t"));
	fhir_locks_give_back(s->locks, &s->a.request);
	assert_true(s->b.was_called && s->c.was_called);
	fhir_locks_give_back(s->locks, &s->b.request);
	fhir_locks_give_back(s->locks, &s->c.request);
}

static void a_name_twice_is_one_lock(void **state) {
	struct scene *s = *state;
	assert_true(takes(s, &s->a, "xXx"));
	assert_int_equal(s->a.request.count, 1);
	assert_false(takes(s, &s->b, "x"));
	fhir_locks_give_back(s->locks, &s->a.request);
	assert_true(s->b.was_called);
	fhir_locks_give_back(s->locks, &s->b.request);
	assert_true(takes(s, &s->c, "X"));
	fhir_locks_give_back(s->locks, &s->c.request);
}

/* Each waits for one that the other has later in its list: taken at once, nobody blocks the other for ever. */
static void crossing_requests_do_not_block_each_other(void **state) {
	struct scene *s = *state;
	assert_true(takes(s, &s->a, "XY"));
	assert_false(takes(s, &s->b, "YX"));
	assert_false(takes(s, &s->c, "XY"));
	fhir_locks_give_back(s->locks, &s->a.request);
	assert_true(s->b.was_called && !s->c.was_called);
	fhir_locks_give_back(s->locks, &s->b.request);
	assert_true(s->c.was_called);
	fhir_locks_give_back(s->locks, &s->c.request);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_writes_at_a_time, begin, end),
	    cmocka_unit_test_setup_teardown(a_condition_waits_for_all_of_its_type_and_they_for_it, begin, end),
	    cmocka_unit_test_setup_teardown(several_that_share_go_on_together, begin, end),
	    cmocka_unit_test_setup_teardown(a_name_twice_is_one_lock, begin, end),
	    cmocka_unit_test_setup_teardown(crossing_requests_do_not_block_each_other, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
