/* Competing branches of a chain with proof of work, whose blocks are made on chains of their own. */
#include "ledger/chain/branches.h"

#include "ledger/chain/chain_private.h"
#include "ledger/chain/verify.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LENGTH = 4 };
static const char genesis[] = "{\"config\":{\"chainId\":1,\"homesteadBlock\":0},\"difficulty\":\"0x1000000\","
			      "\"gasLimit\":\"0x1000000\",\"alloc\":{\"0x00000000000000000000000000000000000000aa\":"
			      "{\"balance\":\"0x10\"}}}";

struct world {
	char directory[64];
	struct store *store;
	struct chain *chain;
	struct err err;
};

static void start(struct world *world) {
	const struct store_options small = {.memory_bytes = 16 << 20, .create_if_missing = true};
	const struct chain_options options = {.genesis_json = bytes_text(genesis)};
	assert_int_equal(store_open(&world->store, world->directory, &small, &world->err), STATUS_OK);
	if (chain_open(&world->chain, world->store, &options, &world->err) != STATUS_OK)
		fail_msg("%s", world->err.message);
}

static void stop(struct world *world) {
	chain_close(world->chain);
	store_close(world->store);
}

static void open_world(struct world *world) {
	*world = (struct world){.directory = "/tmp/xinglin-branches-XXXXXX"};
	assert_non_null(mkdtemp(world->directory));
	start(world);
}

static void close_world(struct world *world) {
	char command[96];
	stop(world);
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
}

struct made {
	struct buf rlp;
	hash32 hash;
};

static void encode(struct made *out, const struct block *block) {
	buf_init(&out->rlp, BUF_MAX_DEFAULT);
	block_encode(&out->rlp, block);
	out->hash = header_hash(&block->header);
}

/* An empty block on the head, `seconds` after it: the sooner, the heavier. */
static void make_block(struct world *world, struct made *out, uint64_t seconds, uint8_t miner) {
	const struct chain_head *head = world->chain->head;
	struct pending_block *pending = pending_new(world->chain);
	pending->header = (struct header){.parent_hash = head->hash,
	    .ommers_hash = empty_ommers_hash,
	    .beneficiary = {{miner}},
	    .number = head->header.number + 1,
	    .gas_limit = head->header.gas_limit,
	    .timestamp = head->header.timestamp + seconds,
	    .field_count = HEADER_FRONTIER};
	pending->header.difficulty =
	    chain_difficulty(chain_genesis(world->chain), &head->header, pending->header.timestamp);
	assert_int_equal(pending_execute(world->chain, pending, NULL, 0, true, &world->err), STATUS_OK);
	encode(out, &pending->block);
	chain_drop(world->chain, pending);
}

static void make_branch(struct made *out, uint64_t seconds, uint8_t miner) {
	struct world world;
	open_world(&world);
	for (size_t i = 0; i < LENGTH; i++) {
		make_block(&world, &out[i], seconds, miner);
		if (chain_import(world.chain, buf_view(&out[i].rlp), &world.err) != STATUS_OK)
			fail_msg("%s", world.err.message);
	}
	close_world(&world);
}

struct branches {
	struct made light[LENGTH], heavy[LENGTH];
};

static void make_branches(struct branches *branches) {
	make_branch(branches->light, 30, 1);
	make_branch(branches->heavy, 5, 2);
}

static void free_branches(struct branches *branches) {
	for (size_t i = 0; i < LENGTH; i++) {
		buf_fini(&branches->light[i].rlp);
		buf_fini(&branches->heavy[i].rlp);
	}
}

static void assert_head(struct world *world, const hash32 *hash) {
	struct chain_verification found;
	assert_memory_equal(world->chain->head->hash.b, hash->b, 32);
	if (chain_verify(world->chain, &found, 100, &world->err) != STATUS_OK) fail_msg("%s", world->err.message);
	assert_int_equal(found.blocks, world->chain->head->header.number + 1);
}

static void take(struct world *world, const struct made *block, enum chain_taken expected) {
	enum chain_taken taken;
	if (chain_take(world->chain, &taken, buf_view(&block->rlp), &world->err) != STATUS_OK)
		fail_msg("%s", world->err.message);
	assert_int_equal(taken, expected);
}

static void the_heaviest_branch_is_followed(void **state) {
	(void)state;
	struct branches branches;
	struct world world;
	struct header header;
	enum chain_taken taken;
	make_branches(&branches);
	open_world(&world);
	for (size_t i = 0; i < LENGTH; i++) take(&world, &branches.light[i], CHAIN_EXTENDED);
	for (size_t i = 0; i + 1 < LENGTH; i++) {
		take(&world, &branches.heavy[i], CHAIN_KEPT_ASIDE);
		assert_head(&world, &branches.light[LENGTH - 1].hash);
	}
	stop(&world);
	start(&world); /* what is aside stays */
	take(&world, &branches.heavy[LENGTH - 1], CHAIN_CHANGED_BRANCH);
	assert_head(&world, &branches.heavy[LENGTH - 1].hash);
	for (size_t i = 0; i < LENGTH; i++) {
		assert_int_equal(
		    chain_header_by_hash(world.chain, &header, &branches.light[i].hash, &world.err), STATUS_NOTFOUND);
		assert_int_equal(
		    chain_take(world.chain, &taken, buf_view(&branches.light[i].rlp), &world.err), STATUS_EXISTS);
	}
	close_world(&world);
	free_branches(&branches);
}

static void a_lighter_one_stays_aside_until_it_is_named(void **state) {
	(void)state;
	struct branches branches;
	struct world world;
	const hash32 nobody = {{9}};
	make_branches(&branches);
	open_world(&world);
	for (size_t i = 0; i < LENGTH; i++) take(&world, &branches.heavy[i], CHAIN_EXTENDED);
	for (size_t i = 0; i < LENGTH; i++) take(&world, &branches.light[i], CHAIN_KEPT_ASIDE);
	assert_head(&world, &branches.heavy[LENGTH - 1].hash);
	for (int turn = 0; turn < 3; turn++) {
		assert_int_equal(chain_follow(world.chain, &branches.light[2].hash, &world.err), STATUS_OK);
		assert_head(&world, &branches.light[2].hash);
		assert_int_equal(chain_follow(world.chain, &branches.heavy[turn].hash, &world.err), STATUS_OK);
		assert_head(&world, &branches.heavy[turn].hash);
	}
	assert_int_equal(chain_follow(world.chain, &nobody, &world.err), STATUS_NOTFOUND);
	close_world(&world);
	free_branches(&branches);
}

/* A block of the heavy branch that claims another state: seen only when it is executed. */
static void corrupt_state_root(struct made *out, const struct made *from) {
	struct arena arena;
	struct block block;
	arena_init(&arena);
	assert_int_equal(block_decode(&block, &arena, buf_view(&from->rlp), NULL), STATUS_OK);
	block.header.state_root.b[0] ^= 1;
	encode(out, &block);
	arena_fini(&arena);
}

static void an_invalid_branch_leaves_the_head(void **state) {
	(void)state;
	struct branches branches;
	struct world world;
	struct made bad;
	enum chain_taken taken;
	make_branches(&branches);
	open_world(&world);
	corrupt_state_root(&bad, &branches.heavy[LENGTH - 1]);
	for (size_t i = 0; i < LENGTH; i++) take(&world, &branches.light[i], CHAIN_EXTENDED);
	assert_int_equal(chain_take(world.chain, &taken, buf_view(&branches.heavy[1].rlp), &world.err), STATUS_INVALID);
	for (size_t i = 0; i + 1 < LENGTH; i++) take(&world, &branches.heavy[i], CHAIN_KEPT_ASIDE);
	for (int turn = 0; turn < 2; turn++) { /* it is forgotten, so that it is refused again, not known */
		assert_int_equal(chain_take(world.chain, &taken, buf_view(&bad.rlp), &world.err), STATUS_INVALID);
		assert_non_null(strstr(world.err.message, "wrong state root"));
		assert_head(&world, &branches.light[LENGTH - 1].hash);
	}
	take(&world, &branches.heavy[LENGTH - 1], CHAIN_CHANGED_BRANCH);
	assert_head(&world, &branches.heavy[LENGTH - 1].hash);
	buf_fini(&bad.rlp);
	close_world(&world);
	free_branches(&branches);
}

static void a_forkchoice_names_ancestors(void **state) {
	(void)state;
	struct branches branches;
	struct world world;
	struct chain_forkchoice got;
	make_branches(&branches);
	open_world(&world);
	for (size_t i = 0; i < LENGTH; i++) take(&world, &branches.heavy[i], CHAIN_EXTENDED);
	for (size_t i = 0; i < LENGTH; i++) take(&world, &branches.light[i], CHAIN_KEPT_ASIDE);
	struct chain_forkchoice choice = {
	    .head = branches.light[3].hash, .safe = branches.light[1].hash, .finalized = branches.light[0].hash};
	assert_int_equal(chain_set_forkchoice(world.chain, &choice, &world.err), STATUS_OK);
	assert_int_equal(chain_get_forkchoice(world.chain, &got, &world.err), STATUS_OK);
	assert_memory_equal(&got, &choice, sizeof got);
	choice.safe = branches.heavy[0].hash;
	assert_int_equal(chain_set_forkchoice(world.chain, &choice, &world.err), STATUS_INVALID);
	assert_int_equal(chain_follow(world.chain, &branches.heavy[0].hash, &world.err), STATUS_OK);
	assert_int_equal(chain_get_forkchoice(world.chain, &got, &world.err), STATUS_OK);
	assert_memory_equal(got.safe.b, (hash32){{0}}.b, 32); /* it is on the chain no more */
	close_world(&world);
	free_branches(&branches);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_heaviest_branch_is_followed),
	    cmocka_unit_test(a_lighter_one_stays_aside_until_it_is_named),
	    cmocka_unit_test(an_invalid_branch_leaves_the_head),
	    cmocka_unit_test(a_forkchoice_names_ancestors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
