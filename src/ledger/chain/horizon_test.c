/* What is older than the horizon is dropped, and what is newer holds together; over the store's twin in memory. */
#include "ledger/chain/chain.h"
#include "ledger/chain/verify.h"
#include "ledger/store/memory_disk.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"

enum { GWEI = 1000000000, KEPT = 5 };

/* Stores the block's number in the slot of the same, and logs. */
static const uint8_t contract[] = {0x68, 0x43, 0x43, 0x55, 0x60, 0x00, 0x60, 0x00, 0xa0, 0x00, /* PUSH9 */
    0x60, 0x00, 0x52, 0x60, 0x09, 0x60, 0x17, 0xf3};

struct machine {
	struct memory_disk *disk;
	struct ledger_world world; /* its store, chain and arena alone */
	uint64_t nonce;
	hash32 tx_hashes[128]; /* by block */
};

static void start(struct machine *machine, uint64_t blocks, uint64_t seconds) {
	const struct store_options options = {.create_if_missing = true};
	const struct chain_options chain = {
	    .genesis_json = ledger_genesis(&machine->world.arena, &machine->world.rules),
	    .retention = {blocks, seconds}};
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

static void open_machine(struct machine *machine, uint64_t blocks, uint64_t seconds) {
	*machine = (struct machine){.disk = memory_disk_new()};
	arena_init(&machine->world.arena);
	start(machine, blocks, seconds);
}

static void close_machine(struct machine *machine) {
	stop(machine);
	memory_disk_free(machine->disk);
	arena_fini(&machine->world.arena);
}

static void make_blocks(struct machine *machine, size_t count) {
	const addr20 sender = ledger_address(0), callee = address_of_create(&sender, 0);
	for (size_t i = 0; i < count; i++) {
		struct pending_block *pending;
		struct transaction tx = ledger_transfer(machine->nonce, &callee, 0, 20 * (uint64_t)GWEI);
		tx.gas_limit = 200000;
		tx.is_create = machine->nonce == 0;
		if (tx.is_create) tx.data = bytes_make(contract, sizeof contract);
		ledger_sign(&machine->world, &tx, 0);
		machine->tx_hashes[++machine->nonce] = transaction_hash(&tx);
		const struct ordered_tx ordered = {.tx = &tx, .sender = sender};
		const struct block_decision decision = {.txs = &ordered, .tx_count = 1};
		assert_done(
		    &machine->world, chain_execute(machine->world.chain, &pending, &decision, &machine->world.err));
		assert_true(pending->receipts[0].success);
		assert_done(&machine->world, chain_commit(machine->world.chain, pending, NULL, &machine->world.err));
	}
}

static size_t row_count(struct machine *machine, enum store_table table) {
	size_t count = 0;
	struct store_cursor *cursor = store_cursor_new(machine->world.store, NULL, table);
	for (store_cursor_seek(cursor, (struct bytes){0}); store_cursor_valid(cursor); store_cursor_next(cursor))
		count++;
	store_cursor_free(cursor);
	return count;
}

static void assert_whole(struct machine *machine, uint64_t first) {
	struct chain_verification found;
	assert_int_equal(chain_horizon(machine->world.chain).first_block, first);
	assert_done(&machine->world, chain_verify(machine->world.chain, &found, 1000, &machine->world.err));
	assert_int_equal(found.first_block, first);
	assert_int_equal(found.blocks, found.head - first + 1);
}

static void visit(void *context, const struct found_log *log) {
	(void)log;
	++*(size_t *)context;
}

static enum status count_logs(struct machine *machine, size_t *count, uint64_t from) {
	const addr20 sender = ledger_address(0), callee = address_of_create(&sender, 0);
	const struct log_filter filter = {.from = from, .to = UINT64_MAX, .addresses = &callee, .address_count = 1};
	*count = 0;
	return chain_logs(machine->world.chain, &filter, SIZE_MAX, visit, count, &machine->world.err);
}

static void what_is_older_goes_and_what_is_newer_holds_together(void **state) {
	(void)state;
	struct machine machine;
	open_machine(&machine, KEPT, 0);
	make_blocks(&machine, 30);
	assert_whole(&machine, 26);
	assert_int_equal(row_count(&machine, TABLE_BODY), KEPT + 1); /* block 0 stays */
	assert_int_equal(row_count(&machine, TABLE_TXS), KEPT);
	assert_int_equal(row_count(&machine, TABLE_RECEIPTS), KEPT);
	assert_int_equal(row_count(&machine, TABLE_LOG_INDEX), KEPT);
	assert_int_equal(row_count(&machine, TABLE_CHANGES), KEPT + 1);
	assert_true(row_count(&machine, TABLE_STORAGE) >= 29); /* the state is whole */
	assert_int_equal(row_count(&machine, TABLE_HEADER), 31);
	assert_int_equal(row_count(&machine, TABLE_TX_LOOKUP), 30);
	stop(&machine);
	start(&machine, KEPT, 0);
	assert_whole(&machine, 26);
	make_blocks(&machine, 1);
	assert_whole(&machine, 27);
	close_machine(&machine);
}

static void who_asks_before_the_horizon_is_told_that_it_is_pruned(void **state) {
	(void)state;
	struct machine machine;
	struct arena *arena;
	struct header header;
	struct block block;
	struct transaction tx;
	struct mined_receipt receipt;
	struct state_view *view;
	hash32 hash;
	uint64_t number;
	uint32_t index;
	size_t count;
	open_machine(&machine, KEPT, 0);
	make_blocks(&machine, 30);
	arena = &machine.world.arena;
	struct chain *chain = machine.world.chain;
	struct err *err = &machine.world.err;
	assert_done(&machine.world, chain_header_by_number(chain, &header, &hash, 25, err));
	assert_int_equal(chain_block_by_hash(chain, &block, arena, &hash, err), STATUS_PRUNED);
	assert_string_equal(err->message, "pruned history unavailable: this node keeps blocks from 26 on");
	assert_done(&machine.world, chain_find_tx(chain, &number, &index, &machine.tx_hashes[25], err));
	assert_int_equal(number, 25);
	assert_int_equal(chain_transaction(chain, &tx, arena, number, &hash, index, err), STATUS_PRUNED);
	assert_int_equal(chain_receipt(chain, &receipt, arena, number, &hash, index, err), STATUS_PRUNED);
	assert_int_equal(count_logs(&machine, &count, 0), STATUS_PRUNED);
	assert_int_equal(count_logs(&machine, &count, 25), STATUS_PRUNED);
	assert_done(&machine.world, count_logs(&machine, &count, 26));
	assert_int_equal(count, KEPT);
	assert_int_equal(chain_view_at(chain, &view, 24, err), STATUS_PRUNED);
	assert_done(&machine.world, chain_view_at(chain, &view, 25, err));
	state_view_close(view);
	assert_int_equal(chain_header_by_number(chain, &header, &hash, 31, err), STATUS_NOTFOUND);
	close_machine(&machine);
}

/* Blocks are a second apart. */
static void what_is_young_stays_however_many_blocks_there_are(void **state) {
	(void)state;
	struct machine machine;
	open_machine(&machine, KEPT, 20);
	make_blocks(&machine, 30);
	assert_whole(&machine, 11);
	close_machine(&machine);
}

static void an_archive_that_is_told_to_forget_does_so_block_by_block(void **state) {
	(void)state;
	struct machine machine;
	open_machine(&machine, 0, 0);
	make_blocks(&machine, 60);
	assert_whole(&machine, 0);
	stop(&machine);
	start(&machine, KEPT, 0);
	assert_whole(&machine, 0);
	make_blocks(&machine, 1);
	assert_whole(&machine, 17); /* sixteen a block */
	make_blocks(&machine, 5);
	assert_whole(&machine, 62);
	close_machine(&machine);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_older_goes_and_what_is_newer_holds_together),
	    cmocka_unit_test(who_asks_before_the_horizon_is_told_that_it_is_pruned),
	    cmocka_unit_test(what_is_young_stays_however_many_blocks_there_are),
	    cmocka_unit_test(an_archive_that_is_told_to_forget_does_so_block_by_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
