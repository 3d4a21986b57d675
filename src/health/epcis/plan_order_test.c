/* The order in which packs of a document go onto the chain. */
#include "health/epcis/planner.h"
#include "tests/unit.h"

#define CASES 6u
#define IN_A_CASE 10u
#define LOOSE 12u
#define UNITS (CASES * IN_A_CASE + LOOSE)

struct world {
	struct arena arena;
	struct plan plan;
	uint32_t numbers[UNITS];
};

static void add(struct plan *plan, const struct plan_step *step) {
	plan->steps[plan->step_count++] = *step;
}

/* Packs in the order of a line, then each case: opened and packed. The last case was opened before, and has one less.
 */
static struct world *make(uint8_t salt) {
	struct world *world = mem_zalloc(1, sizeof *world);
	struct plan *plan = &world->plan;
	arena_init(&world->arena);
	plan->document.salt.b[0] = salt;
	plan->document.units = arena_zalloc(&world->arena, UNITS, sizeof *plan->document.units);
	plan->document.unit_count = UNITS;
	plan->document.container_count = CASES;
	plan->steps = arena_zalloc(&world->arena, 2 * CASES + 2, sizeof *plan->steps);
	for (uint32_t i = 0; i < UNITS; i++) {
		world->numbers[i] = i;
		plan->document.units[i].container = i / IN_A_CASE < CASES ? i / IN_A_CASE : DOCUMENT_NO_CONTAINER;
	}
	plan->document.units[CASES * IN_A_CASE - 1].container = DOCUMENT_NO_CONTAINER;
	const hash32 last = {{CASES}};
	add(plan, &(struct plan_step){.kind = PLAN_OPEN, .container = last});
	add(plan, &(struct plan_step){.kind = PLAN_COMMISSION, .units = world->numbers, .unit_count = UNITS});
	for (uint32_t c = 0; c < CASES; c++) {
		const hash32 id = {{(uint8_t)(c + 1)}};
		if (c + 1 < CASES) add(plan, &(struct plan_step){.kind = PLAN_OPEN, .container = id});
		add(plan, &(struct plan_step){.kind = PLAN_PACK,
			      .container = id,
			      .units = world->numbers + c * IN_A_CASE,
			      .unit_count = IN_A_CASE - (c + 1 == CASES)});
	}
	plan_order(plan, &world->arena);
	return world;
}

static void drop(struct world *world) {
	arena_fini(&world->arena);
	mem_free(world);
}

static bool is_same(const struct world *a, const struct world *b) {
	for (size_t s = 0; s < a->plan.step_count; s++) {
		const struct plan_step *one = &a->plan.steps[s], *other = &b->plan.steps[s];
		if (one->kind != other->kind || !hash32_equal(&one->container, &other->container) ||
		    one->unit_count != other->unit_count)
			return false;
		for (uint32_t i = 0; i < one->unit_count; i++)
			if (one->units[i] != other->units[i]) return false;
	}
	return true;
}

static void the_same_document_has_the_same_order_and_another_has_another(void **state) {
	(void)state;
	struct world *one = make(1), *again = make(1), *other = make(2);
	assert_true(is_same(one, again));
	assert_false(is_same(one, other));
	drop(one);
	drop(again);
	drop(other);
}

static void cases_are_ranges_that_are_packed_in_the_order_of_their_places(void **state) {
	(void)state;
	struct world *world = make(3);
	const struct plan *plan = &world->plan;
	const uint32_t *order = plan->steps[1].units;
	uint32_t at = 0, unchanged = 0;
	bool opened[CASES + 1] = {false}, seen[UNITS] = {false};
	assert_int_equal(plan->step_count, 2 * CASES + 1);
	assert_int_equal(plan->steps[1].kind, PLAN_COMMISSION);
	for (uint32_t i = 0; i < UNITS; i++) {
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
		unchanged += order[i] == i;
	}
	assert_true(unchanged < UNITS / 4);
	for (size_t s = 0; s < plan->step_count; s++) {
		const struct plan_step *step = &plan->steps[s];
		if (step->kind == PLAN_OPEN) opened[step->container.b[0]] = true;
		if (step->kind != PLAN_PACK) continue;
		assert_true(opened[step->container.b[0]]);
		for (uint32_t i = 0; i < step->unit_count; i++) {
			assert_int_equal(step->units[i], order[at++]);
			assert_int_equal(step->units[i] / IN_A_CASE + 1, step->container.b[0]);
		}
	}
	/* the case with one pack less comes last, and behind it what is loose */
	assert_int_equal(plan->steps[plan->step_count - 1].container.b[0], CASES);
	assert_int_equal(at, CASES * IN_A_CASE - 1);
	drop(world);
}

/* Opened by the packing that names it first: the second one of the same case cannot go before that. */
static void a_case_that_is_packed_twice_is_opened_first(void **state) {
	(void)state;
	for (uint8_t salt = 0; salt < 32; salt++) {
		struct world *world = make(salt);
		struct plan *plan = &world->plan;
		const hash32 first = {{1}}, second = {{2}};
		plan->step_count = 0;
		for (uint32_t i = 0; i < UNITS; i++) plan->document.units[i].container = i / IN_A_CASE % 2;
		add(plan, &(struct plan_step){.kind = PLAN_COMMISSION, .units = world->numbers, .unit_count = UNITS});
		for (uint32_t c = 0; c < 4; c++) {
			const hash32 *id = c % 2 ? &second : &first;
			if (c < 2) add(plan, &(struct plan_step){.kind = PLAN_OPEN, .container = *id});
			add(plan, &(struct plan_step){.kind = PLAN_PACK,
				      .container = *id,
				      .units = world->numbers + c * IN_A_CASE,
				      .unit_count = IN_A_CASE});
		}
		plan_order(plan, &world->arena);
		bool opened[3] = {false};
		for (size_t s = 0; s < plan->step_count; s++) {
			if (plan->steps[s].kind == PLAN_OPEN) opened[plan->steps[s].container.b[0]] = true;
			if (plan->steps[s].kind == PLAN_PACK) assert_true(opened[plan->steps[s].container.b[0]]);
		}
		drop(world);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_document_has_the_same_order_and_another_has_another),
	    cmocka_unit_test(cases_are_ranges_that_are_packed_in_the_order_of_their_places),
	    cmocka_unit_test(a_case_that_is_packed_twice_is_opened_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
