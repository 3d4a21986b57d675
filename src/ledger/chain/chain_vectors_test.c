/* Whole chains that others made, imported block by block to their known heads; and the genesis hashes everybody knows.
 */
#include "ledger/chain/chain.h"

#include "codec/rlp.h"

#include "tests/unit.h"
#include "tests/vectors.h"

struct world {
	char directory[64];
	struct store *store;
	struct chain *chain;
	struct arena arena;
	struct err err;
};

static void open_world(struct world *world, const char *genesis) {
	const struct store_options small = {.memory_bytes = 16 << 20, .create_if_missing = true};
	arena_init(&world->arena);
	strcpy(world->directory, "/tmp/xinglin-chain-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	if (store_open(&world->store, world->directory, &small, &world->err) != STATUS_OK)
		fail_msg("%s", world->err.message);
	const struct chain_options options = {
	    .genesis_json = vectors_read(&world->arena, vectors_path(&world->arena, genesis))};
	if (chain_open(&world->chain, world->store, &options, &world->err) != STATUS_OK)
		fail_msg("%s: %s", genesis, world->err.message);
}

static void close_world(struct world *world) {
	char command[96];
	chain_close(world->chain);
	store_close(world->store);
	arena_fini(&world->arena);
	snprintf(command, sizeof command, "rm -rf -- '%s'", world->directory);
	assert_int_equal(system(command), 0);
}

/* Imports what is not there yet; returns how many came, and stops at the first that is refused. */
static size_t import_file(struct world *world, const char *blocks) {
	size_t count = 0;
	struct rlp_cursor cursor = rlp_cursor(vectors_read(&world->arena, vectors_path(&world->arena, blocks)));
	while (!rlp_at_end(&cursor)) {
		const struct bytes block = rlp_raw(&cursor);
		const enum status status = chain_import(world->chain, block, &world->err);
		if (status == STATUS_EXISTS) continue;
		if (status != STATUS_OK) {
			printf("%s: after %zu blocks: %s\n", blocks, count, world->err.message);
			break;
		}
		count++;
	}
	return count;
}

static void assert_head(struct world *world, const char *hash) {
	hash32 expected;
	struct chain_head *head = chain_head(world->chain);
	assert_int_equal(hex_fixed(expected.b, 32, bytes_text(hash)), STATUS_OK);
	assert_memory_equal(head->hash.b, expected.b, 32);
	chain_head_release(head);
}

static void assert_rebuilt_root(struct world *world) {
	hash32 root;
	struct chain_head *head = chain_head(world->chain);
	assert_int_equal(state_root_rebuild(&root, world->store, NULL, &world->err), STATUS_OK);
	assert_memory_equal(root.b, head->header.state_root.b, 32);
	chain_head_release(head);
}

/* Back to block 0, then all of it again: unwinding leaves nothing behind. */
static void unwind_and_repeat(struct world *world, const char *blocks, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (chain_unwind_head(world->chain, &world->err) != STATUS_OK) fail_msg("%s", world->err.message);
	struct chain_head *head = chain_head(world->chain);
	assert_int_equal(head->header.number, 0);
	chain_head_release(head);
	assert_rebuilt_root(world);
	assert_int_equal(import_file(world, blocks), count);
}

struct chain_case {
	const char *genesis, *blocks;
	size_t count;
	const char *head;
};

static void run_chain(const struct chain_case *test) {
	struct world world;
	vectors_need(test->genesis);
	open_world(&world, test->genesis);
	const size_t count = import_file(&world, test->blocks);
	printf("%s: %zu blocks imported\n", test->blocks, count);
	assert_int_equal(count, test->count);
	if (test->head != NULL) assert_head(&world, test->head);
	assert_rebuilt_root(&world);
	unwind_and_repeat(&world, test->blocks, count);
	if (test->head != NULL) assert_head(&world, test->head);
	close_world(&world);
}

static void all_forks_to_bpo2(void **state) {
	(void)state;
	const struct chain_case test = {"ethereum/rpc/osaka-bpo2-2026/genesis.json",
	    "ethereum/rpc/osaka-bpo2-2026/chain.rlp", 54,
	    "0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7"};
	run_chain(&test);
}

static void shanghai_and_cancun(void **state) {
	(void)state;
	const struct chain_case test = {
	    "ethereum/rpc/cancun-2023/genesis.json", "ethereum/rpc/cancun-2023/chain.rlp", 9, NULL};
	run_chain(&test);
}

/* chains-besu/forks-10: Constantinople with and without EIP-1283, with a fixed difficulty. */
static void constantinople_and_its_fix(void **state) {
	(void)state;
	struct world world;
	vectors_need("ethereum/chains-besu/forks-10");
	open_world(&world, "ethereum/chains-besu/forks-10/genesis-upgraded.json");
	const size_t common = import_file(&world, "ethereum/chains-besu/forks-10/common.blocks");
	const size_t upgraded = import_file(&world, "ethereum/chains-besu/forks-10/fork-upgraded.blocks");
	printf("forks-10: %zu and %zu blocks imported\n", common, upgraded);
	assert_true(common > 0 && upgraded > 0);
	assert_int_equal(import_file(&world, "ethereum/chains-besu/forks-10/fork-outdated.blocks"), 0);
	close_world(&world);
}

/* A header without what a proposer is free to choose. */
static hash32 bound_fields(struct bytes block_rlp) {
	struct arena arena;
	struct block block;
	arena_init(&arena);
	assert_int_equal(block_decode(&block, &arena, block_rlp, NULL), STATUS_OK);
	block.header.timestamp = block.header.gas_limit = 0;
	block.header.mix_hash = block.header.parent_beacon_root = (hash32){{0}};
	const hash32 hash = header_hash(&block.header);
	arena_fini(&arena);
	return hash;
}

/* The last block with one byte changed, for every byte of it: refused, or one that its proposer could have made. */
static void an_invalid_block_changes_nothing(void **state) {
	(void)state;
	struct world world;
	vectors_need("ethereum/rpc/cancun-2023/chain.rlp");
	open_world(&world, "ethereum/rpc/cancun-2023/genesis.json");
	assert_int_equal(import_file(&world, "ethereum/rpc/cancun-2023/chain.rlp"), 9);
	assert_int_equal(chain_unwind_head(world.chain, &world.err), STATUS_OK);
	struct bytes block = {0};
	struct rlp_cursor cursor =
	    rlp_cursor(vectors_read(&world.arena, vectors_path(&world.arena, "ethereum/rpc/cancun-2023/chain.rlp")));
	while (!rlp_at_end(&cursor)) block = rlp_raw(&cursor);
	uint8_t *changed = arena_alloc(&world.arena, block.len);
	struct chain_head *before = chain_head(world.chain);
	size_t refused = 0;
	for (size_t i = 0; i < block.len; i++) {
		memcpy(changed, block.data, block.len);
		changed[i] ^= 0x01;
		const struct bytes other = bytes_make(changed, block.len);
		const enum status status = chain_import(world.chain, other, &world.err);
		if (status == STATUS_OK) {
			const hash32 a = bound_fields(block), b = bound_fields(other);
			assert_memory_equal(&a, &b, sizeof a);
			assert_int_equal(chain_unwind_head(world.chain, &world.err), STATUS_OK);
			continue;
		}
		refused++;
		assert_int_equal(status, STATUS_INVALID);
	}
	printf("%zu of %zu changed blocks refused\n", refused, block.len);
	assert_true(refused > block.len - 80);
	struct chain_head *after = chain_head(world.chain);
	assert_memory_equal(before->hash.b, after->hash.b, 32);
	chain_head_release(before);
	chain_head_release(after);
	assert_int_equal(chain_import(world.chain, block, &world.err), STATUS_OK);
	close_world(&world);
}

static void genesis_hashes(void **state) {
	(void)state;
	struct world world;
	char hex[65];
	vectors_need("ethereum/basic/genesishashestest.json");
	open_world(&world, "ethereum/chains-besu/mainnet-first-1000/mainnet-genesis.json");
	const struct json *expected = vectors_json(&world.arena, "ethereum/basic/genesishashestest.json");
	for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", chain_genesis_hash(world.chain)->b[i]);
	assert_true(json_string_is(json_get(expected, "genesis_hash"), hex));
	close_world(&world);
}

static void mainnet_to_999(void **state) {
	(void)state;
	const struct chain_case test = {"ethereum/chains-besu/mainnet-first-1000/mainnet-genesis.json",
	    "ethereum/chains-besu/mainnet-first-1000/1000.blocks", 999, NULL};
	run_chain(&test);
}

/* Its blocks 33 and 34 come after a merge whose total difficulty the genesis leaves out (tests/process/test_import.py
 * gives it). */
static void hive(void **state) {
	(void)state;
	const struct chain_case test = {"ethereum/chains-besu/hive-34/testGenesis.json",
	    "ethereum/chains-besu/hive-34/testBlockchain.blocks", 32, NULL};
	run_chain(&test);
}

static void london(void **state) {
	(void)state;
	const struct chain_case test = {"ethereum/chains-besu/london-5/testLondonGenesis.json",
	    "ethereum/chains-besu/london-5/testLondonBlockchain.blocks", 5, NULL};
	run_chain(&test);
}

static void snap(void **state) {
	(void)state;
	const struct chain_case test = {"ethereum/chains-besu/snap-500/snapGenesis.json",
	    "ethereum/chains-besu/snap-500/testBlockchain.blocks", 500, NULL};
	run_chain(&test);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(genesis_hashes),
	    cmocka_unit_test(an_invalid_block_changes_nothing),
	    cmocka_unit_test(constantinople_and_its_fix),
	    cmocka_unit_test(shanghai_and_cancun),
	    cmocka_unit_test(all_forks_to_bpo2),
	    cmocka_unit_test(hive),
	    cmocka_unit_test(london),
	    cmocka_unit_test(snap),
	    cmocka_unit_test(mainnet_to_999),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
