/* Random histories against a plain model: built once over RocksDB and once over its twin in memory. */
#include "ledger/store/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit.h"
#ifdef STORE_MEMORY
#include "ledger/store/memory_disk.h"
#endif

enum { KEYS = 40, TABLES = 3, STEPS = 3000 };
static const enum store_table used[TABLES] = {TABLE_META, TABLE_ACCOUNT, TABLE_CHANGES};

/* 0: absent. Else the row's value is this number, in as many bytes as it is modulo 7. */
struct model {
	uint32_t values[TABLES][KEYS];
};

struct world {
	char directory[64];
	struct store *store;
	struct model now;
	uint64_t seed;
	uint32_t next_value;
};

static uint32_t draw(struct world *world, uint32_t below) {
	world->seed = world->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(world->seed >> 33) % below;
}

/* Keys of different lengths, so that one begins another: "\0", "\0\0", "\1", … */
static struct bytes key_of(uint8_t key[2], size_t i) {
	key[0] = (uint8_t)(i / 2 * 6);
	key[1] = 0;
	return bytes_make(key, 1 + i % 2);
}

static struct bytes value_of(uint8_t bytes[8], uint32_t value) {
	memset(bytes, (int)(value & 0xff), 8);
	return bytes_make(bytes, value % 7);
}

static void expect_row(
    struct world *world, struct store_snapshot *snapshot, const struct model *model, size_t t, size_t i) {
	struct store_value got;
	uint8_t key[2], bytes[8];
	(void)world;
	assert_int_equal(store_get(world->store, snapshot, used[t], &got, key_of(key, i), NULL), STATUS_OK);
	assert_int_equal(got.view.data != NULL, model->values[t][i] != 0);
	if (got.view.data) assert_true(bytes_equal(got.view, value_of(bytes, model->values[t][i])));
	store_value_release(&got);
}

/* The whole table in order, from a random key on, and the last row at or before it. */
static void expect_order(struct world *world, struct store_snapshot *snapshot, const struct model *model, size_t t) {
	uint8_t key[2];
	size_t from = draw(world, KEYS), back = from + 1;
	struct store_cursor *cursor = store_cursor_new(world->store, snapshot, used[t]);
	store_cursor_seek(cursor, key_of(key, from));
	for (size_t i = from; i < KEYS; i++) {
		if (!model->values[t][i]) continue;
		assert_true(store_cursor_valid(cursor));
		assert_true(bytes_equal(store_cursor_key(cursor), key_of(key, i)));
		store_cursor_next(cursor);
	}
	/* META holds the schema's row behind the model's keys. */
	if (used[t] == TABLE_META) assert_true(bytes_equal(store_cursor_key(cursor), BYTES_LITERAL("schema")));
	if (used[t] != TABLE_META) assert_false(store_cursor_valid(cursor));
	store_cursor_seek_back(cursor, key_of(key, from));
	while (back > 0 && !model->values[t][back - 1]) back--;
	assert_int_equal(store_cursor_valid(cursor), back > 0);
	if (back > 0) assert_true(bytes_equal(store_cursor_key(cursor), key_of(key, back - 1)));
	assert_int_equal(store_cursor_status(cursor, NULL), STATUS_OK);
	store_cursor_free(cursor);
}

static void commit_some(struct world *world) {
	struct store_batch *batch = store_batch_new();
	for (uint32_t n = 1 + draw(world, 12); n > 0; n--) {
		uint8_t key[2], bytes[8];
		size_t t = draw(world, TABLES), i = draw(world, KEYS);
		uint32_t value = draw(world, 3) ? ++world->next_value : 0;
		world->now.values[t][i] = value;
		if (value)
			store_batch_put(batch, world->store, used[t], key_of(key, i), value_of(bytes, value));
		else
			store_batch_del(batch, world->store, used[t], key_of(key, i));
	}
	assert_int_equal(store_commit(world->store, batch, draw(world, 4) == 0, NULL), STATUS_OK);
	store_batch_free(batch);
}

static void the_store_does_as_its_model(void **state) {
	struct world *world = *state;
	struct store_snapshot *snapshot = NULL;
	struct model then = {{{0}}};
	for (size_t step = 0; step < STEPS; step++) {
		commit_some(world);
		if (draw(world, 50) == 0) {
			store_snapshot_free(world->store, snapshot);
			snapshot = store_snapshot_new(world->store);
			then = world->now;
		}
		const bool of_snapshot = snapshot && draw(world, 2);
		const size_t t = draw(world, TABLES);
		expect_row(
		    world, of_snapshot ? snapshot : NULL, of_snapshot ? &then : &world->now, t, draw(world, KEYS));
		if (step % 8 == 0)
			expect_order(world, of_snapshot ? snapshot : NULL, of_snapshot ? &then : &world->now, t);
	}
	store_snapshot_free(world->store, snapshot);
}

static int open_world(void **state) {
	const struct store_options options = {.memory_bytes = 8 << 20, .create_if_missing = true};
	struct world *world = mem_zalloc(1, sizeof *world);
	world->seed = 20261130;
#ifdef STORE_MEMORY
	memory_disk_path(world->directory, memory_disk_new());
#else
	strcpy(world->directory, "/tmp/xinglin-store-model-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
#endif
	assert_int_equal(store_open(&world->store, world->directory, &options, NULL), STATUS_OK);
	*state = world;
	return 0;
}

static int close_world(void **state) {
	struct world *world = *state;
	store_close(world->store);
#ifdef STORE_MEMORY
	void *disk;
	assert_int_equal(sscanf(world->directory, "memory:%p", &disk), 1);
	memory_disk_free(disk);
#else
	char command[96];
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
#endif
	mem_free(world);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_store_does_as_its_model, open_world, close_world)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
