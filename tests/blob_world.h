/*
 * A room for blobs on a small chain whose one gate, 0x…aa, says yes to everything before BLOB_WORLD_ENDS_S, in a time
 * that the test sets. Header-only; include after tests/unit.h.
 */
#ifndef TESTS_BLOB_WORLD_H
#define TESTS_BLOB_WORLD_H

#include "ledger/blob/blob_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/scripted_random.h"

#define BLOB_WORLD_NEWEST_S 0x70000000ull
#define BLOB_WORLD_ENDS_S 0x70001000ull

/* The gate: PUSH4 ENDS_S, TIMESTAMP, LT, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN. */
static const char blob_world_genesis[] =
    "{\"config\":{\"chainId\":7,\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"shanghaiTime\":0,\"cancunTime\":0,"
    "\"xinglin\":{\"blobGates\":[\"0x00000000000000000000000000000000000000aa\"]}},\"difficulty\":\"0x0\","
    "\"gasLimit\":\"0x1c9c380\",\"timestamp\":\"0x70000000\",\"alloc\":{"
    "\"00000000000000000000000000000000000000aa\":{\"balance\":\"0\",\"code\":\"0x637000100042105f5260205ff3\"}}}";
static const addr20 blob_world_gate = {{[19] = 0xaa}};

struct blob_world {
	char directory[40], blobs[56];
	uint64_t now_s;
	uint64_t bytes_max; /* 0: the room's own */
	const char *machine_run;
	const struct blob_members *members; /* NULL: the room is alone */
	struct clock_source clock;
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

static inline uint64_t blob_world_now_ms(void *context) {
	const struct blob_world *world = context;
	return world->now_s * 1000;
}

static inline enum status blob_world_send(void *context, const addr20 *to, struct bytes data, struct err *err) {
	(void)context;
	(void)to;
	(void)data;
	(void)err;
	return STATUS_OK;
}

/* Opens what is in the folder. */
static inline void blob_world_start(struct blob_world *world) {
	const struct store_options small = {.memory_bytes = 16 << 20, .create_if_missing = true};
	const struct chain_options options = {.genesis_json = bytes_text(blob_world_genesis)};
	assert_done(world, store_open(&world->store, world->directory, &small, &world->err));
	assert_done(world, chain_open(&world->chain, world->store, &options, &world->err));
	struct blob_options blob_options = {.directory = world->blobs,
	    .clock = &world->clock,
	    .random = &world->random,
	    .bytes_max = world->bytes_max,
	    .send = blob_world_send,
	    .members = world->members};
	snprintf(blob_options.machine_run, sizeof blob_options.machine_run, "%s", world->machine_run);
	assert_done(world, blob_open(&world->room, world->chain, world->store, &blob_options, &world->err));
}

static inline void blob_world_end(struct blob_world *world) {
	blob_close(world->room);
	chain_close(world->chain);
	store_close(world->store);
}

static inline void blob_world_open(struct blob_world *world) {
	*world = (struct blob_world){
	    .directory = "/tmp/xinglin-blobs-XXXXXX", .now_s = BLOB_WORLD_NEWEST_S, .machine_run = "one"};
	world->clock = (struct clock_source){.now_ms = blob_world_now_ms, .context = world};
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->blobs, sizeof world->blobs, "%s/blobs", world->directory);
	world->random = scripted_random(&world->script);
	blob_world_start(world);
}

/* A node that has other members. */
static inline void blob_world_open_among(struct blob_world *world, const struct blob_members *members) {
	blob_world_open(world);
	blob_world_end(world);
	world->members = members;
	blob_world_start(world);
}

static inline void blob_world_close(struct blob_world *world) {
	char command[80];
	blob_world_end(world);
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
}

#endif
