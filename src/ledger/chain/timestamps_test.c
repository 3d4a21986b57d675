/* What a block's timestamp may be, by the genesis, and the milliseconds that are kept beside it. */
#include "ledger/chain/verify.h"

#include "ledger/chain/rows.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"

#define GENESIS_S 0x64000000ull
enum { BLOCKS = 200 };

static struct chain_head head_of(struct ledger_world *world) {
	struct chain_head *head = chain_head(world->chain);
	const struct chain_head copy = *head;
	chain_head_release(head);
	return copy;
}

/* An empty block, decided at this time. */
static void make_block(struct ledger_world *world, uint64_t time_ms) {
	struct pending_block *pending;
	const struct block_decision decision = {.time_ms = time_ms};
	assert_done(world, chain_execute(world->chain, &pending, &decision, &world->err));
	assert_done(world, chain_commit(world->chain, pending, NULL, &world->err));
}

static uint64_t time_of_head(struct ledger_world *world) {
	uint64_t time_ms;
	const struct chain_head head = head_of(world);
	assert_done(world, chain_time_ms(world->chain, &time_ms, head.header.number, &head.hash, &world->err));
	return time_ms;
}

static enum status import_head_of(struct ledger_world *from, struct ledger_world *into) {
	struct block block;
	struct buf rlp;
	const struct chain_head head = head_of(from);
	assert_done(from, chain_block_by_hash(from->chain, &block, &from->arena, &head.hash, &from->err));
	buf_init(&rlp, BUF_MAX_DEFAULT);
	block_encode(&rlp, &block);
	const enum status status = chain_import(into->chain, buf_view(&rlp), &into->err);
	buf_fini(&rlp);
	return status;
}

static void blocks_of_one_second_share_its_timestamp(void **state) {
	(void)state;
	struct ledger_world world, other;
	struct chain_verification found;
	const uint64_t second = GENESIS_S + 1000;
	ledger_open_by(&world, (struct ledger_rules){.equal_timestamps = true});
	ledger_open_by(&other, (struct ledger_rules){.equal_timestamps = true});
	for (uint64_t i = 0; i < BLOCKS; i++) {
		make_block(&world, second * 1000 + i * 5);
		assert_int_equal(head_of(&world).header.timestamp, second);
		assert_int_equal(time_of_head(&world), second * 1000 + i * 5);
		assert_done(&other, import_head_of(&world, &other));
	}
	assert_memory_equal(head_of(&world).hash.b, head_of(&other).hash.b, 32);
	assert_done(&world, chain_verify(world.chain, &found, BLOCKS + 1, &world.err));
	assert_done(&other, chain_verify(other.chain, &found, BLOCKS + 1, &other.err));
	ledger_close(&world);
	ledger_close(&other);
}

static void without_the_setting_equal_timestamps_are_refused(void **state) {
	(void)state;
	struct ledger_world own, mainnet;
	const uint64_t second = GENESIS_S + 1000;
	ledger_open_by(&own, (struct ledger_rules){.equal_timestamps = true});
	ledger_open(&mainnet, false);
	make_block(&own, second * 1000);
	assert_done(&mainnet, import_head_of(&own, &mainnet));
	make_block(&own, second * 1000 + 1);
	assert_int_equal(import_head_of(&own, &mainnet), STATUS_INVALID);
	assert_non_null(strstr(mainnet.err.message, "not later than its parent"));
	make_block(&mainnet, second * 1000 + 1); /* what it makes itself goes a second on */
	assert_int_equal(head_of(&mainnet).header.timestamp, second + 1);
	assert_int_equal(time_of_head(&mainnet), (second + 1) * 1000);
	ledger_close(&own);
	ledger_close(&mainnet);
}

static void an_earlier_timestamp_is_refused_everywhere(void **state) {
	(void)state;
	struct ledger_world early, late;
	ledger_open_by(&early, (struct ledger_rules){.equal_timestamps = true});
	ledger_open_by(&late, (struct ledger_rules){.equal_timestamps = true});
	make_block(&late, (GENESIS_S + 10) * 1000);
	assert_done(&early, import_head_of(&late, &early));
	make_block(&late, (GENESIS_S + 20) * 1000);
	struct block block;
	struct buf rlp;
	const struct chain_head head = head_of(&late);
	assert_done(&late, chain_block_by_hash(late.chain, &block, &late.arena, &head.hash, &late.err));
	block.header.timestamp = GENESIS_S + 9;
	buf_init(&rlp, BUF_MAX_DEFAULT);
	block_encode(&rlp, &block);
	assert_int_equal(chain_import(early.chain, buf_view(&rlp), &early.err), STATUS_INVALID);
	assert_non_null(strstr(early.err.message, "not later than its parent"));
	buf_fini(&rlp);
	ledger_close(&early);
	ledger_close(&late);
}

static void a_clock_that_goes_back_takes_nothing_with_it(void **state) {
	(void)state;
	struct ledger_world world;
	const uint64_t second = GENESIS_S + 1000;
	ledger_open_by(&world, (struct ledger_rules){.equal_timestamps = true});
	make_block(&world, second * 1000 + 700);
	make_block(&world, second * 1000 + 300);
	assert_int_equal(time_of_head(&world), second * 1000 + 700);
	make_block(&world, (second - 3600) * 1000);
	assert_int_equal(head_of(&world).header.timestamp, second);
	assert_int_equal(time_of_head(&world), second * 1000 + 700);
	ledger_end(&world);
	ledger_start(&world); /* it is known after a restart too, and after a block was taken back */
	make_block(&world, second * 1000 + 100);
	assert_int_equal(time_of_head(&world), second * 1000 + 700);
	make_block(&world, second * 1000 + 900);
	const struct chain_head gone = head_of(&world);
	assert_done(&world, chain_unwind_head(world.chain, &world.err));
	uint64_t time_ms;
	assert_int_equal(
	    chain_time_ms(world.chain, &time_ms, gone.header.number, &gone.hash, &world.err), STATUS_NOTFOUND);
	make_block(&world, second * 1000 + 800);
	assert_int_equal(time_of_head(&world), second * 1000 + 800);
	ledger_close(&world);
}

static enum status verify_with(struct ledger_world *world, uint64_t time_ms) {
	struct chain_verification found;
	uint8_t row[TIME_ROW_BYTES];
	const struct chain_head head = head_of(world);
	const struct block_key key = block_key(head.header.number, &head.hash);
	struct store_batch *batch = store_batch_new();
	time_row_encode(row, time_ms);
	store_batch_put(batch, world->store, TABLE_TIME, BYTES_OF(key), bytes_make(row, sizeof row));
	assert_done(world, store_commit(world->store, batch, false, &world->err));
	store_batch_free(batch);
	return chain_verify(world->chain, &found, 10, &world->err);
}

static void a_changed_time_is_found(void **state) {
	(void)state;
	struct ledger_world world;
	const uint64_t first_ms = (GENESIS_S + 1000) * 1000;
	ledger_open_by(&world, (struct ledger_rules){.equal_timestamps = true});
	make_block(&world, first_ms + 500);
	make_block(&world, first_ms + 600);
	assert_int_equal(verify_with(&world, first_ms + 600), STATUS_OK);
	assert_int_equal(verify_with(&world, first_ms + 1000), STATUS_CORRUPT); /* not of the header's second */
	assert_int_equal(verify_with(&world, first_ms + 499), STATUS_CORRUPT);  /* before the parent's */
	assert_non_null(strstr(world.err.message, "the time differs"));
	ledger_close(&world);
}

static void a_chain_keeps_the_rule_that_it_began_with(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	ledger_end(&world);
	const struct ledger_rules changed = {.equal_timestamps = true};
	const struct store_options small = {.memory_bytes = 16 << 20};
	const struct chain_options other = {.genesis_json = ledger_genesis(&world.arena, &changed)};
	assert_done(&world, store_open(&world.store, world.directory, &small, &world.err));
	assert_int_equal(chain_open(&world.chain, world.store, &other, &world.err), STATUS_INVALID);
	assert_non_null(strstr(world.err.message, "equalTimestamps"));
	store_close(world.store);
	ledger_start(&world);
	ledger_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_of_one_second_share_its_timestamp),
	    cmocka_unit_test(without_the_setting_equal_timestamps_are_refused),
	    cmocka_unit_test(an_earlier_timestamp_is_refused_everywhere),
	    cmocka_unit_test(a_clock_that_goes_back_takes_nothing_with_it),
	    cmocka_unit_test(a_changed_time_is_found),
	    cmocka_unit_test(a_chain_keeps_the_rule_that_it_began_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
