/* What one account uses up is its own: requests, audit entries, bytes that wait; and no request counts twice. */
#include "ledger/blob/blob_room.h"

#include <signal.h>
#include <sys/resource.h>

#include "tests/unit.h"

#include "tests/blob_world.h"

#define REQUESTS 262144u
#define WISHES 30000u
#define COLLECTED 8u
#define REFUSALS 1000u
#define DAY_S 86400u
#define BLOCK 4096u

static const addr20 alice = {{0xa1}}, bob = {{0xb0}};

static void requests_are_shared_out_by_account(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	for (unsigned i = 0; i < REQUESTS; i++) assert_true(blob_account_asks(world.room, &alice));
	assert_false(blob_account_asks(world.room, &alice));
	assert_true(blob_account_asks(world.room, &bob));
	world.now_s += BLOB_EXPIRY_AHEAD_S;
	assert_true(blob_account_asks(world.room, &alice));
	blob_world_close(&world);
}

static void wishes_for_parts_are_shared_out_in_time_and_at_once(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	for (unsigned i = 0; i < WISHES; i++) assert_true(blob_account_wishes(world.room, &alice));
	assert_false(blob_account_wishes(world.room, &alice));
	assert_true(blob_account_wishes(world.room, &bob));
	assert_true(blob_account_asks(world.room, &alice)); /* other requests are not used up */
	for (unsigned i = 0; i < COLLECTED; i++) assert_true(blob_account_collects(world.room, &alice));
	assert_false(blob_account_collects(world.room, &alice));
	assert_true(blob_account_collects(world.room, &bob));
	blob_account_collected(world.room, &bob);
	world.now_s += BLOB_EXPIRY_AHEAD_S;
	assert_true(blob_account_wishes(world.room, &alice));
	world.now_s += 2 * DAY_S;
	blob_accounts_sweep(world.room); /* who waits still is remembered */
	assert_false(blob_account_collects(world.room, &alice));
	for (unsigned i = 0; i < COLLECTED; i++) blob_account_collected(world.room, &alice);
	assert_true(blob_account_collects(world.room, &alice));
	blob_account_collected(world.room, &alice);
	blob_world_close(&world);
}

static void entries_are_shared_out_by_account_and_day(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	for (unsigned i = 0; i < REFUSALS; i++) assert_true(blob_account_is_logged(world.room, &alice, false));
	assert_false(blob_account_is_logged(world.room, &alice, false));
	assert_true(blob_account_is_logged(world.room, &alice, true)); /* what it may read it still reads */
	assert_true(blob_account_is_logged(world.room, &bob, false));
	world.now_s += DAY_S;
	assert_true(blob_account_is_logged(world.room, &alice, false));
	blob_world_close(&world);
}

/* Many accounts, and those that count for nothing any more are forgotten. */
static void accounts_come_and_go(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 20000; i++) {
			addr20 who = {{0}};
			store_be32(who.b + (i % 2 ? 4 : 16), i); /* half of them hash alike */
			assert_true(blob_account_asks(world.room, &who));
		}
		uint64_t waiting;
		assert_int_equal(blob_account_waits(world.room, &waiting, &blob_world_gate, &alice, BLOCK), STATUS_OK);
		assert_int_equal(waiting, (round + 1) * BLOCK);
		world.now_s += 2 * DAY_S;
		blob_accounts_sweep(world.room);
	}
	blob_account_waits_no_more(world.room, &blob_world_gate, &alice, 3 * BLOCK);
	blob_world_close(&world);
}

/* --- what waits --- */

static void put(struct blob_world *world, const addr20 *who, uint8_t name, size_t size) {
	uint64_t waiting_bytes;
	const struct blob_waiting waiting = {blob_world_gate, {{name}}, *who};
	uint8_t *data = mem_zalloc(1, size);
	assert_int_equal(
	    blob_account_waits(world->room, &waiting_bytes, &blob_world_gate, who, blob_charge_bytes(size)), STATUS_OK);
	assert_done(world, blob_content_put(world->room, &waiting, bytes_make(data, size), &world->err));
	mem_free(data);
}

/* A file of one byte takes a block of the disk. */
static void what_waits_is_counted_once_and_over_restarts(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	put(&world, &alice, 1, 1);
	put(&world, &alice, 1, 1); /* the same */
	put(&world, &alice, 2, BLOCK + 1);
	put(&world, &bob, 1, 1); /* the same blob, of another */
	assert_int_equal(blob_counts(world.room).waiting, 3);
	assert_int_equal(blob_counts(world.room).waiting_bytes, 4 * BLOCK);
	blob_world_end(&world);
	blob_world_start(&world);
	assert_int_equal(blob_counts(world.room).waiting_bytes, 4 * BLOCK);
	const struct blob_waiting gone = {blob_world_gate, {{2}}, alice};
	blob_content_drop(world.room, &gone);
	blob_content_drop(world.room, &gone);
	assert_int_equal(blob_counts(world.room).waiting_bytes, 2 * BLOCK);
	assert_int_equal(blob_content_sweep(world.room, UINT64_MAX / 2, NULL), STATUS_OK);
	assert_int_equal(blob_counts(world.room).waiting, 2);
	world.now_s = (uint64_t)1 << 34; /* the files' times are the world's */
	assert_int_equal(blob_content_sweep(world.room, 1000, NULL), STATUS_OK);
	assert_int_equal(blob_counts(world.room).waiting, 0);
	assert_int_equal(blob_counts(world.room).waiting_bytes, 0);
	blob_world_close(&world);
}

static void what_waits_counts_against_the_nodes_room(void **state) {
	(void)state;
	struct blob_world world;
	uint64_t waiting;
	blob_world_open(&world);
	blob_world_end(&world);
	world.bytes_max = 3 * BLOCK;
	blob_world_start(&world);
	put(&world, &alice, 1, 2 * BLOCK);
	assert_int_equal(blob_account_waits(world.room, &waiting, &blob_world_gate, &bob, 2 * BLOCK), STATUS_LIMIT);
	assert_int_equal(
	    blob_account_waits(world.room, &waiting, &blob_world_gate, &bob, UINT64_MAX - BLOCK + 1), STATUS_LIMIT);
	assert_int_equal(blob_account_waits(world.room, &waiting, &blob_world_gate, &bob, BLOCK), STATUS_OK);
	assert_int_equal(blob_account_waits(world.room, &waiting, &blob_world_gate, &bob, BLOCK), STATUS_LIMIT);
	blob_account_waits_no_more(world.room, &blob_world_gate, &bob, BLOCK);
	blob_world_close(&world);
}

/* A put whose writing fails is not charged. */
static void a_failed_put_costs_nothing(void **state) {
	(void)state;
	struct blob_world world;
	struct rlimit old, none;
	uint64_t waiting_bytes;
	const struct blob_waiting waiting = {blob_world_gate, {{1}}, alice};
	blob_world_open(&world);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){100, old.rlim_max}; /* less than an entry's header */
	assert_int_equal(blob_account_waits(world.room, &waiting_bytes, &blob_world_gate, &alice, BLOCK), STATUS_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(blob_content_put(world.room, &waiting, BYTES_LITERAL("x"), &world.err), STATUS_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(blob_counts(world.room).waiting_bytes, 0);
	blob_world_close(&world);
}

/* --- requests that were served --- */

static bool use(struct blob_world *world, const addr20 *who, uint64_t nonce, uint64_t expiry_s) {
	bool fresh;
	assert_done(world, blob_nonce_use(world->room, &fresh, who, nonce, expiry_s, &world->err));
	return fresh;
}

static void a_request_counts_once(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	const uint64_t expiry_s = world.now_s + 60;
	assert_true(use(&world, &alice, 1, expiry_s));
	assert_false(use(&world, &alice, 1, expiry_s));
	assert_true(use(&world, &bob, 1, expiry_s));
	assert_true(use(&world, &alice, 2, expiry_s));
	blob_world_end(&world);
	blob_world_start(&world);
	assert_false(use(&world, &alice, 1, expiry_s));
	assert_true(use(&world, &alice, 3, expiry_s));
	blob_world_close(&world);
}

/* The row of a run that did not end: the process was killed. */
static void forget_the_end(struct blob_world *world, const char *run) {
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, world->store, TABLE_BLOB, BYTES_LITERAL("b"), bytes_text(run));
	assert_done(world, store_commit(world->store, batch, true, &world->err));
	store_batch_free(batch);
}

static void start_after_a_stop_without_end(struct blob_world *world, const char *run) {
	const struct store_options small = {.memory_bytes = 16 << 20};
	blob_world_end(world);
	assert_done(world, store_open(&world->store, world->directory, &small, &world->err));
	forget_the_end(world, world->machine_run);
	store_close(world->store);
	world->machine_run = run;
	blob_world_start(world);
}

static void after_a_crash_of_the_process_nothing_is_refused(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	assert_true(use(&world, &alice, 1, world.now_s + 60));
	start_after_a_stop_without_end(&world, "one");
	assert_false(use(&world, &alice, 1, world.now_s + 60));
	assert_true(use(&world, &alice, 2, world.now_s + 60));
	blob_world_close(&world);
}

/* Rows may be lost with the power: what could have been served before is refused, and nothing that came later. */
static void after_a_crash_of_the_machine_what_may_have_been_served_is_refused(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	start_after_a_stop_without_end(&world, "two");
	assert_false(use(&world, &alice, 1, world.now_s + BLOB_EXPIRY_AHEAD_S));
	assert_true(use(&world, &alice, 1, world.now_s + BLOB_EXPIRY_AHEAD_S + 1));
	blob_world_end(&world);
	world.machine_run = "three"; /* it was ended in good order: nothing is lost */
	blob_world_start(&world);
	assert_true(use(&world, &alice, 1, world.now_s + 1));
	blob_world_close(&world);
}

static size_t rows_of_requests(struct blob_world *world) {
	size_t count = 0;
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, TABLE_BLOB);
	for (store_cursor_seek(cursor, BYTES_LITERAL("n")); store_cursor_valid(cursor); store_cursor_next(cursor)) {
		if (store_cursor_key(cursor).data[0] != 'n') break;
		count++;
	}
	store_cursor_free(cursor);
	return count;
}

static void requests_are_forgotten_when_they_cannot_be_used_any_more(void **state) {
	(void)state;
	struct blob_world world;
	blob_world_open(&world);
	for (uint64_t i = 0; i < 3000; i++) assert_true(use(&world, &alice, i, world.now_s + 1));
	assert_true(use(&world, &alice, 0, world.now_s + 100));
	assert_int_equal(rows_of_requests(&world), 3001);
	world.now_s += 60; /* a clock may be set back by minutes */
	assert_done(&world, blob_nonces_sweep(world.room, &world.err));
	assert_int_equal(rows_of_requests(&world), 3001);
	world.now_s += 550;
	assert_done(&world, blob_nonces_sweep(world.room, &world.err));
	assert_int_equal(rows_of_requests(&world), 1);
	blob_world_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_are_shared_out_by_account),
	    cmocka_unit_test(wishes_for_parts_are_shared_out_in_time_and_at_once),
	    cmocka_unit_test(entries_are_shared_out_by_account_and_day),
	    cmocka_unit_test(accounts_come_and_go),
	    cmocka_unit_test(what_waits_is_counted_once_and_over_restarts),
	    cmocka_unit_test(what_waits_counts_against_the_nodes_room),
	    cmocka_unit_test(a_failed_put_costs_nothing),
	    cmocka_unit_test(a_request_counts_once),
	    cmocka_unit_test(after_a_crash_of_the_process_nothing_is_refused),
	    cmocka_unit_test(after_a_crash_of_the_machine_what_may_have_been_served_is_refused),
	    cmocka_unit_test(requests_are_forgotten_when_they_cannot_be_used_any_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
