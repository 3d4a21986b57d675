/* Whatever follows from blocks is made again of them; a lost block is named. */
#include "ledger/chain/rebuild.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/secp256k1_keys.h"
#include "ledger/chain/verify.h"
#include "tests/ledger_world.h"

#define GWEI 1000000000ull
enum { BLOCKS = 5 };
static const addr20 somebody = {{0x11, 0x22, 0x33}};

static void open_with_blocks(struct ledger_world *world) {
	static const struct secp_signature seal = {.r = {1}, .s = {2}};
	ledger_open(world, false);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct pending_block *pending;
		struct transaction tx = ledger_transfer(i, &somebody, 5, 2 * GWEI);
		ledger_sign(world, &tx, 0);
		const struct ordered_tx ordered = {.tx = &tx, .sender = ledger_address(0)};
		const struct block_decision decision = {.txs = &ordered, .tx_count = 1};
		assert_done(world, chain_execute(world->chain, &pending, &decision, &world->err));
		assert_done(world, chain_commit(world->chain, pending, &seal, &world->err));
	}
	struct store_batch *batch = store_batch_new();
	store_batch_put(batch, world->store, TABLE_BLOB, bytes_text("h"), bytes_text("a row"));
	store_batch_put(batch, world->store, TABLE_META, bytes_text("comet"), bytes_text("12345678"));
	assert_done(world, store_commit(world->store, batch, false, &world->err));
	store_batch_free(batch);
}

static struct store *open_fresh(struct ledger_world *world, char directory[]) {
	struct store *fresh;
	const struct store_options options = {.memory_bytes = 16 << 20, .create_if_missing = true};
	assert_non_null(mkdtemp(directory));
	assert_done(world, store_open(&fresh, directory, &options, &world->err));
	return fresh;
}

static void remove_folder(const char *directory) {
	char command[128];
	snprintf(command, sizeof command, "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

static void assert_same(struct ledger_world *world, struct store *fresh, enum store_table table, const char *key) {
	struct store_value before, after;
	assert_done(world, store_get(world->store, NULL, table, &before, bytes_text(key), &world->err));
	assert_done(world, store_get(fresh, NULL, table, &after, bytes_text(key), &world->err));
	assert_true(before.view.data && after.view.data && bytes_equal(before.view, after.view));
	store_value_release(&before);
	store_value_release(&after);
}

/* The rebuilt chain is the same and holds together. */
static void assert_rebuilt(struct ledger_world *world) {
	char directory[] = "/tmp/rebuild_test_XXXXXX";
	struct store *fresh = open_fresh(world, directory);
	struct chain *chain;
	struct chain_rebuilt rebuilt;
	struct chain_verification found;
	struct secp_signature seal;
	assert_done(world, chain_rebuild(&rebuilt, fresh, world->chain, (struct bytes){0}, &world->err));
	assert_int_equal(rebuilt.head, BLOCKS);
	assert_int_equal(rebuilt.transactions, BLOCKS);
	assert_same(world, fresh, TABLE_META, "head");
	assert_same(world, fresh, TABLE_META, "comet");
	assert_same(world, fresh, TABLE_BLOB, "h");
	const struct chain_options as_stored = {.cache_bytes = 0};
	assert_done(world, chain_open(&chain, fresh, &as_stored, &world->err));
	assert_done(world, chain_verify(chain, &found, 1000, &world->err));
	assert_int_equal(found.blocks, BLOCKS + 1);
	assert_done(world, chain_seal(chain, &seal, &rebuilt.head_hash, &world->err));
	assert_int_equal(seal.r[0], 1);
	chain_close(chain);
	store_close(fresh);
	remove_folder(directory);
}

static void assert_lost(struct ledger_world *world, const char *words) {
	char directory[] = "/tmp/rebuild_test_XXXXXX";
	struct store *fresh = open_fresh(world, directory);
	struct chain_rebuilt rebuilt;
	assert_int_equal(chain_rebuild(&rebuilt, fresh, world->chain, (struct bytes){0}, &world->err), STATUS_CORRUPT);
	if (strstr(world->err.message, words) == NULL) fail_msg("\"%s\" is reported as: %s", words, world->err.message);
	store_close(fresh);
	remove_folder(directory);
}

/* The last row of a table has its last byte changed, or is gone; then it is put back. `lost` NULL: that is mended. */
static void damaged(struct ledger_world *world, enum store_table table, bool remove, const char *lost) {
	struct chain_verification found;
	struct store_cursor *cursor = store_cursor_new(world->store, NULL, table);
	struct store_batch *batch = store_batch_new();
	uint8_t last[128];
	memset(last, 0xff, sizeof last);
	store_cursor_seek_back(cursor, bytes_make(last, sizeof last));
	assert_true(store_cursor_valid(cursor));
	const struct bytes key = arena_dup(&world->arena, store_cursor_key(cursor));
	const struct bytes good = arena_dup(&world->arena, store_cursor_value(cursor));
	store_cursor_free(cursor);
	struct bytes changed = arena_dup(&world->arena, good);
	((uint8_t *)changed.data)[good.len - 1] ^= 1;
	if (remove)
		store_batch_del(batch, world->store, table, key);
	else
		store_batch_put(batch, world->store, table, key, changed);
	assert_done(world, store_commit(world->store, batch, false, &world->err));
	assert_int_equal(chain_verify(world->chain, &found, 1000, &world->err), STATUS_CORRUPT);
	if (lost)
		assert_lost(world, lost);
	else
		assert_rebuilt(world);
	store_batch_clear(batch);
	store_batch_put(batch, world->store, table, key, good);
	assert_done(world, store_commit(world->store, batch, false, &world->err));
	store_batch_free(batch);
}

static void what_follows_from_blocks_is_made_again(void **state) {
	(void)state;
	static const enum store_table tables[] = {TABLE_CANONICAL, TABLE_NUMBER, TABLE_RECEIPTS, TABLE_TX_LOOKUP,
	    TABLE_ACCOUNT, TABLE_TRIE_ACCOUNT, TABLE_CHANGES};
	struct ledger_world world;
	open_with_blocks(&world);
	assert_rebuilt(&world);
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) damaged(&world, tables[i], true, NULL);
	damaged(&world, TABLE_TRIE_ACCOUNT, false, NULL);
	damaged(&world, TABLE_CODE, false, NULL);
	damaged(&world, TABLE_RECEIPTS, false, NULL);
	damaged(&world, TABLE_CANONICAL, false, NULL);
	ledger_close(&world);
}

static void a_lost_block_is_named(void **state) {
	(void)state;
	struct ledger_world world;
	open_with_blocks(&world);
	for (int remove = 0; remove < 2; remove++) {
		damaged(&world, TABLE_HEADER, remove, "block 5 is lost");
		damaged(&world, TABLE_BODY, remove, "block 5 is lost");
		damaged(&world, TABLE_TXS, remove, "block 5 is lost");
	}
	ledger_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_follows_from_blocks_is_made_again),
	    cmocka_unit_test(a_lost_block_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
