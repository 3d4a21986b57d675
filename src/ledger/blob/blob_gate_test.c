/* In what time a gate contract is asked. */
#include "ledger/blob/blob_room.h"

#include "tests/unit.h"

#include "tests/blob_world.h"

static bool may_get(struct blob_world *world, uint64_t now_s) {
	bool may = false;
	const addr20 reader = {{1}};
	const hash32 item = {{2}};
	world->now_s = now_s;
	assert_done(world, blob_gate_may_get(world->room, &may, &blob_world_gate, &reader, &item, &world->err));
	return may;
}

static void what_ends_ends_without_a_block(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	assert_true(may_get(&world, BLOB_WORLD_NEWEST_S));
	assert_true(may_get(&world, BLOB_WORLD_ENDS_S - 1));
	assert_false(may_get(&world, BLOB_WORLD_ENDS_S));
	assert_true(may_get(&world, 0)); /* a clock behind the chain: the chain's time counts */
	blob_world_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_ends_ends_without_a_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
