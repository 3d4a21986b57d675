/*
 * Power is lost after every commit of a small chain, over the store's twin in memory (store/memory_disk.h): what was
 * synced stands, the whole of it, and the chain goes on from there to the very same blocks.
 */
#include "ledger/chain/chain.h"
#include "ledger/store/memory_disk.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"

enum { BLOCKS = 12, GWEI = 1000000000 };
static const addr20 somebody = {{0x11, 0x22, 0x33}};

struct machine {
	struct memory_disk *disk;
	struct ledger_world world; /* its store, chain and arena alone */
};

static void start(struct machine *machine) {
	const struct store_options options = {.create_if_missing = true};
	const struct chain_options chain = {
	    .genesis_json = ledger_genesis(&machine->world.arena, &machine->world.rules)};
	memory_disk_path(machine->world.directory, machine->disk);
	assert_done(&machine->world,
	    store_open(&machine->world.store, machine->world.directory, &options, &machine->world.err));
	assert_done(
	    &machine->world, chain_open(&machine->world.chain, machine->world.store, &chain, &machine->world.err));
}

static void stop(struct machine *machine) {
	chain_close(machine->world.chain);
	store_close(machine->world.store);
	machine->world.chain = NULL;
	machine->world.store = NULL;
}

/* Block n of the one history that every run makes: n + 1 transfers from account 0. */
static enum status make_block(struct machine *machine, hash32 *hash, uint64_t n) {
	struct ordered_tx txs[BLOCKS + 1];
	struct pending_block *pending;
	for (uint64_t i = 0; i <= n; i++) {
		struct transaction *tx = arena_alloc(&machine->world.arena, sizeof *tx);
		*tx = ledger_transfer(n * (n + 1) / 2 + i, &somebody, n + 1, 20 * (uint64_t)GWEI);
		ledger_sign(&machine->world, tx, 0);
		txs[i] = (struct ordered_tx){.tx = tx, .sender = ledger_address(0)};
	}
	const struct block_decision decision = {.txs = txs, .tx_count = (size_t)n + 1, .time_ms = 1700000000000 + n};
	assert_done(&machine->world, chain_execute(machine->world.chain, &pending, &decision, &machine->world.err));
	assert_int_equal(pending->block.transaction_count, n + 1);
	*hash = pending->hash;
	return chain_commit(machine->world.chain, pending, NULL, &machine->world.err);
}

static uint64_t head_number(struct machine *machine, hash32 *hash) {
	struct chain_head *head = chain_head(machine->world.chain);
	const uint64_t number = head->header.number;
	*hash = head->hash;
	chain_head_release(head);
	return number;
}

static void begin(struct machine *machine) {
	*machine = (struct machine){.disk = memory_disk_new(), .world = {.rules = {.equal_timestamps = true}}};
	arena_init(&machine->world.arena);
	start(machine);
}

static void end(struct machine *machine) {
	stop(machine);
	arena_fini(&machine->world.arena);
	memory_disk_free(machine->disk);
}

static void every_synced_block_survives_and_none_is_half_there(void **state) {
	(void)state;
	hash32 expected[BLOCKS + 1], hash;
	struct machine machine;
	begin(&machine);
	assert_int_equal(head_number(&machine, &expected[0]), 0);
	for (uint64_t n = 0; n < BLOCKS; n++) assert_int_equal(make_block(&machine, &expected[n + 1], n), STATUS_OK);
	end(&machine);

	for (uint64_t crash_at = 0; crash_at <= BLOCKS; crash_at++) {
		uint64_t n = 0;
		begin(&machine);
		memory_disk_fail_after(machine.disk, crash_at);
		while (n < BLOCKS && make_block(&machine, &hash, n) == STATUS_OK) n++;
		assert_int_equal(n, crash_at);
		stop(&machine);
		assert_int_equal(memory_disk_unsynced(machine.disk), 0); /* a block's commit is durable */
		memory_disk_crash(machine.disk, 0);
		start(&machine);
		assert_int_equal(head_number(&machine, &hash), crash_at);
		assert_memory_equal(hash.b, expected[crash_at].b, 32);
		for (; n < BLOCKS; n++) assert_int_equal(make_block(&machine, &hash, n), STATUS_OK);
		assert_memory_equal(hash.b, expected[BLOCKS].b, 32);
		end(&machine);
	}
}

/* The twin's own promise, which the test above leans on. */
static void unsynced_commits_are_lost_from_the_end(void **state) {
	(void)state;
	for (size_t keep = 0; keep <= 4; keep++) {
		struct memory_disk *disk = memory_disk_new();
		const struct store_options options = {.create_if_missing = true};
		char path[MEMORY_DISK_PATH_BYTES];
		struct store *store;
		struct store_value value;
		memory_disk_path(path, disk);
		assert_int_equal(store_open(&store, path, &options, NULL), STATUS_OK);
		for (uint8_t i = 0; i < 5; i++) {
			struct store_batch *batch = store_batch_new();
			store_batch_put(batch, store, TABLE_META, BYTES_LITERAL("n"), bytes_make(&i, 1));
			assert_int_equal(store_commit(store, batch, i == 0, NULL), STATUS_OK);
			store_batch_free(batch);
		}
		store_close(store);
		assert_int_equal(memory_disk_unsynced(disk), 4);
		memory_disk_crash(disk, keep);
		assert_int_equal(store_open(&store, path, &options, NULL), STATUS_OK);
		assert_int_equal(store_get(store, NULL, TABLE_META, &value, BYTES_LITERAL("n"), NULL), STATUS_OK);
		assert_int_equal(value.view.data[0], keep);
		store_value_release(&value);
		store_close(store);
		memory_disk_free(disk);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_synced_block_survives_and_none_is_half_there),
	    cmocka_unit_test(unsynced_commits_are_lost_from_the_end)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
