/* Every kind of row is changed in turn, and the check reports each. */
#include "ledger/chain/verify.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"

#define GWEI 1000000000ull
enum { BLOCKS = 5 };
static const addr20 somebody = {{0x11, 0x22, 0x33}};

static void open_with_blocks(struct ledger_world *world) {
	ledger_open(world, false);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct pending_block *pending;
		struct transaction tx = ledger_transfer(i, &somebody, 5, 2 * GWEI);
		ledger_sign(world, &tx, 0);
		const struct ordered_tx ordered = {.tx = &tx, .sender = ledger_address(0)};
		const struct block_decision decision = {.txs = &ordered, .tx_count = 1};
		assert_done(world, chain_execute(world->chain, &pending, &decision, &world->err));
		assert_int_equal(pending->verdicts[0], TX_VERDICT_OK);
		assert_done(world, chain_commit(world->chain, pending, NULL, &world->err));
	}
}

static void a_good_chain_is_good(void **state) {
	(void)state;
	struct ledger_world world;
	struct chain_verification found;
	open_with_blocks(&world);
	assert_done(&world, chain_verify(world.chain, &found, 1000, &world.err));
	assert_int_equal(found.head, BLOCKS);
	assert_int_equal(found.blocks, BLOCKS + 1);
	assert_int_equal(found.transactions, BLOCKS);
	assert_true(found.accounts > LEDGER_ACCOUNTS);
	assert_true(found.codes > 0);
	assert_done(&world, chain_verify(world.chain, &found, 2, &world.err));
	assert_int_equal(found.blocks, 2);
	ledger_close(&world);
}

/* The last row of a table, with its last byte changed, or gone; then put back. */
static void damage(struct ledger_world *world, enum store_table table, bool remove, const char *reported) {
	struct chain_verification found;
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, table);
	uint8_t last[128];
	memset(last, 0xff, sizeof last);
	store_cursor_seek_back(cursor, bytes_make(last, sizeof last));
	assert_true(store_cursor_valid(cursor));
	const struct bytes key = arena_dup(&world->arena, store_cursor_key(cursor));
	const struct bytes good = arena_dup(&world->arena, store_cursor_value(cursor));
	store_cursor_free(cursor);
	assert_true(good.len > 0);
	uint8_t *changed = arena_alloc(&world->arena, good.len);
	memcpy(changed, good.data, good.len);
	changed[good.len - 1] ^= 1;
	struct store_batch *batch = store_batch_new();
	if (remove)
		store_batch_del(batch, world->store, table, key);
	else
		store_batch_put(batch, world->store, table, key, bytes_make(changed, good.len));
	assert_done(world, store_commit(world->store, batch, false, &world->err));
	assert_int_equal(chain_verify(world->chain, &found, 1000, &world->err), STATUS_CORRUPT);
	if (strstr(world->err.message, reported) == NULL)
		fail_msg("\"%s\" is reported as: %s", reported, world->err.message);
	store_batch_clear(batch);
	store_batch_put(batch, world->store, table, key, good);
	assert_done(world, store_commit(world->store, batch, false, &world->err));
	store_batch_free(batch);
	assert_done(world, chain_verify(world->chain, &found, 1000, &world->err));
}

static void every_damage_is_told(void **state) {
	(void)state;
	struct ledger_world world;
	open_with_blocks(&world);
	damage(&world, TABLE_ACCOUNT, true, "");
	damage(&world, TABLE_TRIE_ACCOUNT, false, "branch record");
	damage(&world, TABLE_TRIE_ACCOUNT, true, "branch record");
	damage(&world, TABLE_CODE, false, "a stored code");
	damage(&world, TABLE_HEADER, false, "block 5: ");
	damage(&world, TABLE_HEADER, true, "block 5: ");
	damage(&world, TABLE_CANONICAL, false, "block 5: ");
	damage(&world, TABLE_NUMBER, false, "block ");
	damage(&world, TABLE_BODY, false, "block 5: ");
	damage(&world, TABLE_BODY, true, "block 5: ");
	damage(&world, TABLE_TXS, false, "block 5: ");
	damage(&world, TABLE_TXS, true, "block 5: ");
	damage(&world, TABLE_RECEIPTS, false, "block 5: ");
	damage(&world, TABLE_RECEIPTS, true, "block 5: ");
	damage(&world, TABLE_TX_LOOKUP, false, "leads elsewhere");
	damage(&world, TABLE_TX_LOOKUP, true, "transaction not found");
	damage(&world, TABLE_CHANGES, true, "changes");
	ledger_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_chain_is_good),
	    cmocka_unit_test(every_damage_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
