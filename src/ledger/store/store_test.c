#include "ledger/store/store.h"

#include "tests/unit.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct store_options small = {.memory_bytes = 8 << 20, .create_if_missing = true};

struct world {
	char directory[64];
	struct store *store;
	struct store_batch *batch;
	struct err err;
};

#define assert_ok(world, expression)                                                                                   \
	do {                                                                                                           \
		(world)->err.message[0] = 0;                                                                           \
		enum status got_ = (expression);                                                                       \
		if (got_ != STATUS_OK) fail_msg("%s: %s", status_text(got_), (world)->err.message);                    \
	} while (0)

static int world_open(void **state) {
	struct world *world = mem_zalloc(1, sizeof *world);
	strcpy(world->directory, "/tmp/xinglin-store-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	assert_ok(world, store_open(&world->store, world->directory, &small, &world->err));
	world->batch = store_batch_new();
	*state = world;
	return 0;
}

static void remove_tree(const char *directory) {
	char command[96];
	snprintf(command, sizeof command, "rm -rf -- '%s'", directory);
	assert_int_equal(system(command), 0);
}

static int world_close(void **state) {
	struct world *world = *state;
	store_batch_free(world->batch);
	store_close(world->store);
	remove_tree(world->directory);
	mem_free(world);
	return 0;
}

static void reopen(struct world *world) {
	store_close(world->store);
	world->store = NULL;
	assert_ok(world, store_open(&world->store, world->directory, &small, &world->err));
}

static void put(struct world *world, enum store_table table, const char *key, const char *value) {
	store_batch_put(world->batch, world->store, table, bytes_text(key), bytes_text(value));
}

static void commit(struct world *world, bool durable) {
	assert_ok(world, store_commit(world->store, world->batch, durable, &world->err));
	store_batch_clear(world->batch);
}

/* `expected` NULL: absent. */
static void assert_row(struct world *world, const struct store_snapshot *snapshot, enum store_table table,
    const char *key, const char *expected) {
	struct store_value value;
	assert_ok(world, store_get(world->store, snapshot, table, &value, bytes_text(key), &world->err));
	if (!expected)
		assert_null(value.view.data);
	else
		assert_true(value.view.data && bytes_equal(value.view, bytes_text(expected)));
	store_value_release(&value);
}

static void rows_live_in_their_tables(void **state) {
	struct world *world = *state;
	put(world, TABLE_ACCOUNT, "k", "account");
	put(world, TABLE_STORAGE, "k", "storage");
	put(world, TABLE_CODE, "empty", "");
	assert_int_equal(store_batch_bytes(world->batch), 8 + 8 + 5);
	commit(world, true);
	assert_int_equal(store_batch_bytes(world->batch), 0);
	for (int round = 0; round < 2; round++) {
		assert_row(world, NULL, TABLE_ACCOUNT, "k", "account");
		assert_row(world, NULL, TABLE_STORAGE, "k", "storage");
		assert_row(world, NULL, TABLE_CODE, "k", NULL);
		assert_row(world, NULL, TABLE_CODE, "empty", "");
		reopen(world);
	}
	store_batch_del(world->batch, world->store, TABLE_ACCOUNT, bytes_text("k"));
	commit(world, false);
	assert_row(world, NULL, TABLE_ACCOUNT, "k", NULL);
	assert_row(world, NULL, TABLE_STORAGE, "k", "storage");
}

static void snapshots_stay(void **state) {
	struct world *world = *state;
	put(world, TABLE_META, "head", "1");
	commit(world, true);
	struct store_snapshot *snapshot = store_snapshot_new(world->store);
	put(world, TABLE_META, "head", "2");
	put(world, TABLE_META, "new", "x");
	commit(world, true);
	assert_row(world, snapshot, TABLE_META, "head", "1");
	assert_row(world, snapshot, TABLE_META, "new", NULL);
	assert_row(world, NULL, TABLE_META, "head", "2");
	struct store_cursor *cursor = store_cursor_new(world->store, snapshot, TABLE_META);
	store_cursor_seek(cursor, bytes_text("new"));
	assert_true(store_cursor_valid(cursor));
	assert_true(bytes_equal(store_cursor_key(cursor), bytes_text("schema")));
	store_cursor_free(cursor);
	store_snapshot_free(world->store, snapshot);
}

static void cursor_walks_in_byte_order(void **state) {
	struct world *world = *state;
	put(world, TABLE_CHANGES, "b", "2");
	put(world, TABLE_CHANGES, "\xff", "4");
	put(world, TABLE_CHANGES, "a", "1");
	put(world, TABLE_CHANGES, "ba", "3");
	put(world, TABLE_ACCOUNT, "aa", "elsewhere");
	commit(world, true);
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, TABLE_CHANGES);
	char seen[8] = "";
	for (store_cursor_seek(cursor, bytes_text("")); store_cursor_valid(cursor); store_cursor_next(cursor))
		strncat(seen, (const char *)store_cursor_value(cursor).data, 1);
	assert_string_equal(seen, "1234");
	store_cursor_seek_back(cursor, bytes_text("az"));
	assert_true(bytes_equal(store_cursor_key(cursor), bytes_text("a")));
	store_cursor_seek_back(cursor, bytes_text("ba"));
	assert_true(bytes_equal(store_cursor_key(cursor), bytes_text("ba")));
	store_cursor_seek_back(cursor, bytes_text("A"));
	assert_false(store_cursor_valid(cursor));
	assert_ok(world, store_cursor_status(cursor, &world->err));
	store_cursor_free(cursor);
}

static void get_many_equals_get(void **state) {
	struct world *world = *state;
	enum { COUNT = 1000 };
	static uint8_t raw[COUNT][4];
	static struct bytes keys[COUNT];
	static struct store_value values[COUNT];
	for (uint32_t i = 0; i < COUNT; i++) {
		store_be32(raw[i], i * 2654435761u);
		keys[i] = bytes_make(raw[i], 4);
		if (i % 3) store_batch_put(world->batch, world->store, TABLE_STORAGE, keys[i], keys[i]);
	}
	commit(world, true);
	assert_ok(world, store_get_many(world->store, NULL, TABLE_STORAGE, values, keys, COUNT, &world->err));
	for (uint32_t i = 0; i < COUNT; i++) {
		if (i % 3)
			assert_true(bytes_equal(values[i].view, keys[i]));
		else
			assert_null(values[i].view.data);
		store_value_release(&values[i]);
	}
}

static void absent_database_is_not_made(void **state) {
	struct world *world = *state;
	char elsewhere[80];
	snprintf(elsewhere, sizeof elsewhere, "%s/none", world->directory);
	struct store_options options = {.create_if_missing = false};
	struct store *store = NULL;
	assert_int_equal(store_open(&store, elsewhere, &options, &world->err), STATUS_NOTFOUND);
	assert_null(store);
}

static void another_schema_is_refused(void **state) {
	struct world *world = *state;
	put(world, TABLE_META, "schema", "\x01\x01\x01\x63");
	commit(world, true);
	store_close(world->store);
	struct store *store = NULL;
	assert_int_equal(store_open(&store, world->directory, &small, &world->err), STATUS_UNSUPPORTED);
	world->store = NULL;
}

/* Fills the table with blocks of rows until a commit fails; returns how many were acknowledged. */
static uint32_t fill_until_failure(struct world *world, uint32_t limit) {
	static uint8_t value[4096];
	for (uint32_t block = 0; block < limit; block++) {
		store_batch_clear(world->batch);
		for (uint32_t row = 0; row < 32; row++) {
			uint8_t key[8];
			store_be32(key, block);
			store_be32(key + 4, row);
			for (size_t i = 0; i < sizeof value; i++) value[i] = (uint8_t)(rand() >> 7);
			store_batch_put(world->batch, world->store, TABLE_BODY, bytes_make(key, 8),
			    bytes_make(value, sizeof value));
		}
		enum status status = store_commit(world->store, world->batch, true, &world->err);
		if (status == STATUS_OK) continue;
		assert_int_equal(status, STATUS_IO);
		assert_true(strlen(world->err.message) > 0);
		for (int again = 0; again < 3; again++)
			assert_int_equal(store_commit(world->store, world->batch, true, &world->err), STATUS_IO);
		return block;
	}
	return limit;
}

/* Every block whole or absent, none of the acknowledged missing. */
static void assert_whole_blocks(struct world *world, uint32_t acknowledged, uint32_t at_most) {
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, TABLE_BODY);
	uint32_t rows = 0;
	for (store_cursor_seek(cursor, bytes_text("")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		struct bytes key = store_cursor_key(cursor);
		assert_int_equal(load_be32(key.data), rows / 32);
		assert_int_equal(load_be32(key.data + 4), rows % 32);
		rows++;
	}
	assert_ok(world, store_cursor_status(cursor, &world->err));
	store_cursor_free(cursor);
	assert_int_equal(rows % 32, 0);
	assert_in_range(rows / 32, acknowledged, at_most);
}

/* RLIMIT_FSIZE stands for the full disk where nothing can be mounted: the log cannot grow past it. */
static void failing_write_keeps_nothing_half(void **state) {
	struct world *world = *state;
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before, tight;
	getrlimit(RLIMIT_FSIZE, &before);
	tight = before;
	tight.rlim_cur = 1 << 18; /* two blocks: less than any log is long before the next one begins */
	setrlimit(RLIMIT_FSIZE, &tight);
	uint32_t acknowledged = fill_until_failure(world, 1000);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_in_range(acknowledged, 1, 999);
	assert_whole_blocks(world, acknowledged, acknowledged);
	store_batch_clear(world->batch);
	reopen(world);
	assert_whole_blocks(world, acknowledged, acknowledged + 1);
	put(world, TABLE_META, "after", "works");
	commit(world, true);
	assert_row(world, NULL, TABLE_META, "after", "works");
}

static void full_disk_keeps_nothing_half(void **state) {
	struct world *world = *state;
	assert_ok(world, store_open(&world->store, world->directory, &small, &world->err));
	uint32_t acknowledged = fill_until_failure(world, 1000);
	assert_in_range(acknowledged, 1, 999);
	assert_whole_blocks(world, acknowledged, acknowledged);
	store_close(world->store);
	/* It may be too full to open: said so, and nothing lost. */
	enum status reopened = store_open(&world->store, world->directory, &small, &world->err);
	if (reopened == STATUS_OK)
		store_close(world->store);
	else
		assert_int_equal(reopened, STATUS_IO);
	char option[16] = "size=64m";
	assert_int_equal(mount("tmpfs", world->directory, "tmpfs", MS_REMOUNT, option), 0);
	assert_ok(world, store_open(&world->store, world->directory, &small, &world->err));
	assert_whole_blocks(world, acknowledged, acknowledged + 1);
	store_close(world->store);
}

#define EXIT_SKIPPED 77

/* A small disk of its own, mounted before RocksDB starts threads: they would stay outside of a namespace made later. */
static int run_on_small_disk(const char *directory) {
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", directory, "tmpfs", 0, "size=6m") != 0)
		return EXIT_SKIPPED;
	struct world world = {.batch = store_batch_new()};
	snprintf(world.directory, sizeof world.directory, "%s", directory);
	const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(full_disk_keeps_nothing_half, &world)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	store_batch_free(world.batch);
	return failed ? 1 : 0;
}

static int run_again(const char *what, const char *directory) {
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "ledger_store_test", what, directory, NULL);
		_exit(99);
	}
	int code;
	assert_int_equal(waitpid(child, &code, 0), child);
	assert_true(WIFEXITED(code));
	return WEXITSTATUS(code);
}

static void full_disk(void **state) {
	struct world *world = *state;
	store_close(world->store);
	world->store = NULL;
	int code = run_again("full-disk", world->directory);
	if (code == EXIT_SKIPPED) {
		print_message("no right to mount a small disk\n");
		skip();
	}
	assert_int_equal(code, 0);
}

static void second_process_is_refused(void **state) {
	struct world *world = *state;
	struct store *second = NULL;
	assert_int_equal(store_open(&second, world->directory, &small, &world->err), STATUS_BUSY);
	assert_non_null(strstr(world->err.message, "another xinglin uses this folder"));
	assert_int_equal(run_again("open", world->directory), STATUS_BUSY);
}

static int try_open(const char *directory) {
	struct store *store = NULL;
	enum status status = store_open(&store, directory, &small, NULL);
	store_close(store);
	return (int)status;
}

int main(int argc, char **argv) {
	if (argc == 3 && strcmp(argv[1], "open") == 0) return try_open(argv[2]);
	if (argc == 3) return run_on_small_disk(argv[2]);
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
	    TEST(rows_live_in_their_tables),
	    TEST(snapshots_stay),
	    TEST(cursor_walks_in_byte_order),
	    TEST(get_many_equals_get),
	    TEST(second_process_is_refused),
	    TEST(absent_database_is_not_made),
	    TEST(another_schema_is_refused),
	    TEST(failing_write_keeps_nothing_half),
	    TEST(full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
