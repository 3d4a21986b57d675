/* Lists of changes made by hand: what is read from them, what is refused, and where it ends. */
#include "ledger/state/touched.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD 300

struct world {
	char directory[64];
	struct store *store;
	struct touched touched;
	struct err err;
};

static hash32 hash_of(uint32_t value) {
	hash32 hash = {{0}};
	store_be32(hash.b, value);
	return hash;
}

static void put_u32(struct buf *out, uint32_t value) {
	uint8_t bytes[4];
	store_be32(bytes, value);
	buf_append(out, bytes_make(bytes, sizeof bytes));
}

static void put_row(struct world *world, enum store_table table, struct bytes key, struct bytes row) {
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, world->store, table, key, row);
	assert_int_equal(store_commit(world->store, batch, false, &world->err), STATUS_OK);
	store_batch_free(batch);
}

static void put_changes(struct world *world, uint64_t number, struct bytes row) {
	uint8_t key[8];
	store_be64(key, number);
	put_row(world, TABLE_CHANGES, bytes_make(key, sizeof key), row);
}

/* Every block changes accounts 1, 2 and one of its own; slot 7 of account 1, and of account 2 slot 8 and its own. */
static void put_block(struct world *world, uint32_t number) {
	const uint32_t hashes[] = {3, 1, 2, 1000 + number, 2, 1, 1, 7, 2, 2, 8, 1000 + number};
	const bool is_count[] = {true, false, false, false, true, false, true, false, false, true, false, false};
	struct buf row;
	buf_init(&row, 1000);
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
		const hash32 hash = hash_of(hashes[i]);
		if (is_count[i])
			put_u32(&row, hashes[i]);
		else
			buf_append(&row, BYTES_OF(hash));
	}
	put_changes(world, number, buf_view(&row));
	buf_fini(&row);
}

static int world_open(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	strcpy(world->directory, "/tmp/xinglin-touched-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	struct store_options options = {.memory_bytes = 8 << 20, .create_if_missing = true};
	assert_int_equal(store_open(&world->store, world->directory, &options, &world->err), STATUS_OK);
	uint8_t head[40] = {0};
	store_be64(head, HEAD);
	put_row(world, TABLE_META, BYTES_LITERAL("head"), bytes_make(head, sizeof head));
	for (uint32_t number = 0; number <= HEAD; number++) put_block(world, number);
	touched_init(&world->touched, &world->err);
	*state = world;
	return 0;
}

static int world_close(void **state) {
	struct world *world = *state;
	touched_fini(&world->touched);
	store_close(world->store);
	char command[96];
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
	mem_free(world);
	return 0;
}

static enum status since(struct world *world, uint64_t number, enum touched_slots slots, const hash32 *owner) {
	struct state_view *view;
	assert_int_equal(state_view_open(&view, world->store, false, number, &world->err), STATUS_OK);
	const enum status status = touched_since(&world->touched, view, slots, owner);
	state_view_close(view);
	return status;
}

static void is_leaf(const struct world *world, size_t index, uint32_t account, uint32_t slot) {
	const struct touched_leaf *leaf = &world->touched.leaves[index];
	const hash32 expected = hash_of(account), expected_slot = hash_of(slot);
	assert_true(index < world->touched.count);
	assert_memory_equal(leaf->account.b, expected.b, 32);
	assert_int_equal(leaf->has_slot, slot != 0);
	assert_memory_equal(leaf->slot.b, expected_slot.b, 32);
}

/* What changes in every block is kept once. */
static void each_leaf_once(void **state) {
	struct world *world = *state;
	assert_int_equal(since(world, 0, TOUCHED_ALL_SLOTS, NULL), STATUS_OK);
	touched_sort(&world->touched);
	assert_int_equal(world->touched.count, 2 + HEAD + 1 + 1 + HEAD);
	is_leaf(world, 0, 1, 0);
	is_leaf(world, 1, 1, 7);
	is_leaf(world, 2, 2, 0);
	is_leaf(world, 3, 2, 8);
	for (uint32_t i = 0; i < HEAD; i++) {
		is_leaf(world, 4 + i, 2, 1001 + i);
		is_leaf(world, 4 + HEAD + i, 1001 + i, 0);
	}
}

static void slots_of_one(void **state) {
	struct world *world = *state;
	const hash32 owner = hash_of(1);
	assert_int_equal(since(world, HEAD - 2, TOUCHED_SLOTS_OF_ONE, &owner), STATUS_OK);
	touched_sort(&world->touched);
	assert_int_equal(world->touched.count, 5);
	is_leaf(world, 0, 1, 0);
	is_leaf(world, 1, 1, 7);
	is_leaf(world, 2, 2, 0);
	is_leaf(world, 3, 1000 + HEAD - 1, 0);
	is_leaf(world, 4, 1000 + HEAD, 0);
}

static void accounts_alone(void **state) {
	struct world *world = *state;
	const hash32 account = hash_of(5), slot = hash_of(6);
	assert_int_equal(touched_add(&world->touched, &account, &slot), STATUS_OK);
	assert_int_equal(touched_add(&world->touched, &account, NULL), STATUS_OK);
	assert_int_equal(since(world, HEAD - 1, TOUCHED_NO_SLOTS, NULL), STATUS_OK);
	touched_sort(&world->touched);
	assert_int_equal(world->touched.count, 5);
	is_leaf(world, 2, 5, 0);
	is_leaf(world, 3, 5, 6);
}

static void nothing_since_the_head(void **state) {
	struct world *world = *state;
	assert_int_equal(since(world, HEAD, TOUCHED_ALL_SLOTS, NULL), STATUS_OK);
	assert_int_equal(world->touched.count, 0);
	touched_sort(&world->touched);
}

static void bad_lists_are_refused(void **state) {
	struct world *world = *state;
	put_changes(world, HEAD - 1, BYTES_LITERAL("\0\0\0\1"));
	assert_int_equal(since(world, HEAD - 2, TOUCHED_ALL_SLOTS, NULL), STATUS_CORRUPT);
	assert_int_equal(since(world, HEAD - 1, TOUCHED_ALL_SLOTS, NULL), STATUS_OK);
	uint8_t key[8];
	store_be64(key, HEAD - 1);
	struct store_batch *batch = store_batch_new();
	store_batch_del(batch, world->store, TABLE_CHANGES, bytes_make(key, sizeof key));
	store_be64(key, HEAD);
	store_batch_del(batch, world->store, TABLE_CHANGES, bytes_make(key, sizeof key));
	assert_int_equal(store_commit(world->store, batch, false, &world->err), STATUS_OK);
	store_batch_free(batch);
	assert_int_equal(since(world, HEAD - 1, TOUCHED_ALL_SLOTS, NULL), STATUS_NOTFOUND);
	put_block(world, HEAD);
	assert_int_equal(since(world, HEAD - 2, TOUCHED_ALL_SLOTS, NULL), STATUS_NOTFOUND);
}

static void leaves_are_bounded(void **state) {
	struct world *world = *state;
	for (uint32_t i = 0; i < TOUCHED_LEAVES_MAX; i++) {
		const hash32 account = hash_of(i);
		assert_int_equal(touched_add(&world->touched, &account, NULL), STATUS_OK);
	}
	const hash32 old = hash_of(17), more = hash_of(TOUCHED_LEAVES_MAX);
	assert_int_equal(touched_add(&world->touched, &old, NULL), STATUS_OK);
	assert_int_equal(touched_add(&world->touched, &more, NULL), STATUS_UNSUPPORTED);
	assert_int_equal(touched_add(&world->touched, &old, &old), STATUS_UNSUPPORTED);
	assert_int_equal(world->touched.count, TOUCHED_LEAVES_MAX);
}

static void reading_is_bounded(void **state) {
	struct world *world = *state;
	uint8_t head[40] = {0};
	world->touched.bytes_left = 500;
	assert_int_equal(since(world, HEAD - 1, TOUCHED_ALL_SLOTS, NULL), STATUS_OK);
	assert_int_equal(since(world, HEAD - 2, TOUCHED_ALL_SLOTS, NULL), STATUS_UNSUPPORTED);
	world->touched.bytes_left = TOUCHED_BYTES_MAX;
	store_be64(head, TOUCHED_BLOCKS_MAX + 1);
	put_row(world, TABLE_META, BYTES_LITERAL("head"), bytes_make(head, sizeof head));
	assert_int_equal(since(world, 0, TOUCHED_ALL_SLOTS, NULL), STATUS_UNSUPPORTED);
	assert_int_equal(since(world, 1, TOUCHED_ALL_SLOTS, NULL), STATUS_NOTFOUND); /* of block HEAD + 1 */
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
	    TEST(each_leaf_once),
	    TEST(slots_of_one),
	    TEST(accounts_alone),
	    TEST(nothing_since_the_head),
	    TEST(bad_lists_are_refused),
	    TEST(leaves_are_bounded),
	    TEST(reading_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
