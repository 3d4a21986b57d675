/* In what time a gate contract is asked. */
#include "ledger/blob/blob_room.h"

#include "tests/unit.h"

#include "tests/scripted_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NEWEST_S 0x70000000ull
#define ENDS_S 0x70001000ull

/* The gate says yes to everything before ENDS_S: PUSH4 ENDS_S, TIMESTAMP, LT, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN.
 */
static const char genesis[] =
    "{\"config\":{\"chainId\":7,\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"shanghaiTime\":0,\"cancunTime\":0,"
    "\"xinglin\":{\"blobGates\":[\"0x00000000000000000000000000000000000000aa\"]}},\"difficulty\":\"0x0\","
    "\"gasLimit\":\"0x1c9c380\",\"timestamp\":\"0x70000000\",\"alloc\":{"
    "\"00000000000000000000000000000000000000aa\":{\"balance\":\"0\",\"code\":\"0x637000100042105f5260205ff3\"}}}";
static const addr20 gate = {{[19] = 0xaa}};

static uint64_t clock_s;
static uint64_t scripted_now_ms(void *context) {
	(void)context;
	return clock_s * 1000;
}
static const struct clock_source scripted_clock = {.now_ms = scripted_now_ms};

static enum status send_nothing(void *context, const addr20 *to, struct bytes data, struct err *err) {
	(void)context;
	(void)to;
	(void)data;
	(void)err;
	return STATUS_OK;
}

struct world {
	char directory[40], blobs[56];
	struct store *store;
	struct chain *chain;
	struct blob_room *room;
	struct scripted_random script;
	struct random_source random;
	struct err err;
};

#define assert_done(world, expression)                                                                                 \
	do {                                                                                                           \
		if ((expression) != STATUS_OK) fail_msg("%s: %s", #expression, (world)->err.message);                  \
	} while (0)

static void open_world(struct world *world) {
	*world = (struct world){.directory = "/tmp/xinglin-gate-XXXXXX"};
	const struct store_options small = {.memory_bytes = 16 << 20, .create_if_missing = true};
	const struct chain_options options = {.genesis_json = bytes_text(genesis)};
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->blobs, sizeof world->blobs, "%s/blobs", world->directory);
	world->random = scripted_random(&world->script);
	assert_done(world, store_open(&world->store, world->directory, &small, &world->err));
	assert_done(world, chain_open(&world->chain, world->store, &options, &world->err));
	const struct blob_options blob_options = {
	    .directory = world->blobs, .clock = &scripted_clock, .random = &world->random, .send = send_nothing};
	assert_done(world, blob_open(&world->room, world->chain, world->store, &blob_options, &world->err));
}

static void close_world(struct world *world) {
	char command[80];
	blob_close(world->room);
	chain_close(world->chain);
	store_close(world->store);
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
}

static bool may_get(struct world *world, uint64_t now_s) {
	bool may = false;
	const addr20 reader = {{1}};
	const hash32 item = {{2}};
	clock_s = now_s;
	assert_done(world, blob_gate_may_get(world->room, &may, &gate, &reader, &item, &world->err));
	return may;
}

static void what_ends_ends_without_a_block(void **state) {
	(void)state;
	struct world world;
	open_world(&world);
	assert_true(may_get(&world, NEWEST_S));
	assert_true(may_get(&world, ENDS_S - 1));
	assert_false(may_get(&world, ENDS_S));
	assert_true(may_get(&world, 0)); /* a clock behind the chain: the chain's time counts */
	close_world(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_ends_ends_without_a_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
