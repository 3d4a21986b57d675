/* The seam, restart, and taking blocks back, on a small chain. */
#include "ledger/chain/chain.h"

#include "tests/unit.h"

#include "tests/ledger_world.h"

#define GWEI 1000000000ull
static const addr20 somebody = {{0x11, 0x22, 0x33}};

static struct ordered_tx ordered(struct ledger_world *world, size_t account, uint64_t nonce, uint64_t wei) {
	struct transaction *tx = arena_alloc(&world->arena, sizeof *tx);
	*tx = ledger_transfer(nonce, &somebody, wei, 2 * GWEI);
	ledger_sign(world, tx, account);
	return (struct ordered_tx){.tx = tx, .sender = ledger_address(account)};
}

static struct pending_block *execute(
    struct ledger_world *world, const struct ordered_tx *txs, size_t count, uint64_t time_ms) {
	struct pending_block *pending;
	const struct block_decision decision = {.txs = txs, .tx_count = count, .time_ms = time_ms};
	assert_done(world, chain_execute(world->chain, &pending, &decision, &world->err));
	return pending;
}

static hash32 head_hash(struct ledger_world *world) {
	struct chain_head *head = chain_head(world->chain);
	const hash32 hash = head->hash;
	chain_head_release(head);
	return hash;
}

static void executing_writes_nothing(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	const hash32 before = head_hash(&world);
	const struct ordered_tx txs[] = {ordered(&world, 0, 0, 5), ordered(&world, 1, 0, 6)};
	struct pending_block *pending = execute(&world, txs, 2, 0);
	const hash32 first = pending->hash;
	chain_drop(world.chain, pending);
	assert_memory_equal(head_hash(&world).b, before.b, 32);
	u256 got = ledger_balance(&world, &somebody);
	assert_true(u256_is_zero(&got));
	pending = execute(&world, txs, 2, 0);
	assert_memory_equal(pending->hash.b, first.b, 32); /* the same decision is the same block */
	assert_done(&world, chain_commit(world.chain, pending, NULL, &world.err));
	assert_memory_equal(head_hash(&world).b, first.b, 32);
	got = ledger_balance(&world, &somebody);
	assert_int_equal(got.w[0], 11);
	ledger_close(&world);
}

static void an_invalid_one_is_skipped(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	const struct ordered_tx txs[] = {ordered(&world, 0, 1, 5), ordered(&world, 0, 0, 6), ordered(&world, 0, 0, 7)};
	struct pending_block *pending = execute(&world, txs, 3, 0);
	assert_int_equal(pending->verdicts[0], TX_VERDICT_NONCE_TOO_HIGH);
	assert_int_equal(pending->verdicts[1], TX_VERDICT_OK);
	assert_int_equal(pending->verdicts[2], TX_VERDICT_NONCE_TOO_LOW);
	assert_int_equal(pending->block.transaction_count, 1);
	assert_int_equal(pending->receipt_count, 1);
	assert_int_equal(pending->header.gas_used, 21000);
	assert_done(&world, chain_commit(world.chain, pending, NULL, &world.err));
	ledger_close(&world);
}

static void what_is_made_here_is_valid_elsewhere(void **state) {
	(void)state;
	struct ledger_world world, other;
	ledger_open(&world, false);
	ledger_open(&other, false);
	for (uint64_t i = 0; i < 5; i++) {
		struct buf rlp;
		const struct ordered_tx txs[] = {ordered(&world, 0, i, 5), ordered(&world, 1, i, 6)};
		struct pending_block *pending = execute(&world, txs, 2, 1700000000000 + i * 1000);
		buf_init(&rlp, BUF_MAX_DEFAULT);
		block_encode(&rlp, &pending->block);
		assert_done(&world, chain_commit(world.chain, pending, NULL, &world.err));
		assert_done(&other, chain_import(other.chain, buf_view(&rlp), &other.err));
		assert_int_equal(chain_import(other.chain, buf_view(&rlp), &other.err), STATUS_EXISTS);
		buf_fini(&rlp);
	}
	assert_memory_equal(head_hash(&world).b, head_hash(&other).b, 32);
	ledger_close(&world);
	ledger_close(&other);
}

static void restart_is_at_the_last_block(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	for (uint64_t i = 0; i < 4; i++) {
		const struct ordered_tx tx = ordered(&world, 0, i, 5);
		assert_done(&world, chain_commit(world.chain, execute(&world, &tx, 1, 0), NULL, &world.err));
	}
	const hash32 hash = head_hash(&world);
	const struct ordered_tx tx = ordered(&world, 0, 4, 5);
	execute(&world, &tx, 1, 0); /* never committed */
	ledger_end(&world);
	ledger_start(&world);
	assert_memory_equal(head_hash(&world).b, hash.b, 32);
	const u256 got = ledger_balance(&world, &somebody);
	assert_int_equal(got.w[0], 20);
	ledger_close(&world);
}

static void another_genesis_is_refused(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	ledger_end(&world);
	const struct store_options small = {.memory_bytes = 16 << 20};
	const struct ledger_rules rules = {.zero_base_fee = true};
	const struct chain_options other = {.genesis_json = ledger_genesis(&world.arena, &rules)};
	const struct chain_options garbled = {.genesis_json = BYTES_LITERAL("{\"config\":{\"chainId\":\"x\"}}")};
	assert_done(&world, store_open(&world.store, world.directory, &small, &world.err));
	assert_int_equal(chain_open(&world.chain, world.store, &other, &world.err), STATUS_INVALID);
	assert_int_equal(chain_open(&world.chain, world.store, &garbled, &world.err), STATUS_INVALID);
	store_close(world.store);
	ledger_start(&world);
	ledger_close(&world);
}

static void blocks_can_be_taken_back(void **state) {
	(void)state;
	struct ledger_world world;
	hash32 hashes[6];
	uint64_t number;
	uint32_t index;
	ledger_open(&world, false);
	hashes[0] = head_hash(&world);
	hash32 last_tx = {{0}};
	for (uint64_t i = 0; i < 5; i++) {
		const struct ordered_tx tx = ordered(&world, 0, i, 5);
		last_tx = transaction_hash(tx.tx);
		assert_done(&world, chain_commit(world.chain, execute(&world, &tx, 1, 0), NULL, &world.err));
		hashes[i + 1] = head_hash(&world);
	}
	assert_done(&world, chain_find_tx(world.chain, &number, &index, &last_tx, &world.err));
	assert_int_equal(number, 5);
	struct state_view *view;
	struct account account;
	bool exists;
	assert_done(&world, chain_view_at(world.chain, &view, 3, &world.err));
	assert_done(&world, state_view_account(view, &account, &exists, &somebody, &world.err));
	assert_int_equal(account.balance_wei.w[0], 15);
	state_view_close(view);
	for (size_t i = 5; i-- > 0;) {
		assert_done(&world, chain_unwind_head(world.chain, &world.err));
		assert_memory_equal(head_hash(&world).b, hashes[i].b, 32);
		const u256 got = ledger_balance(&world, &somebody);
		assert_int_equal(got.w[0], 5 * i);
	}
	assert_int_equal(chain_find_tx(world.chain, &number, &index, &last_tx, &world.err), STATUS_NOTFOUND);
	assert_int_equal(chain_unwind_head(world.chain, &world.err), STATUS_INVALID);
	const struct ordered_tx tx = ordered(&world, 0, 0, 9);
	assert_done(&world, chain_commit(world.chain, execute(&world, &tx, 1, 0), NULL, &world.err));
	ledger_close(&world);
}

/* What somebody has at block `number`, by the state that is kept open; UINT64_MAX if none is. */
static uint64_t kept_balance(struct ledger_world *world, uint64_t number) {
	struct account account;
	bool exists;
	struct chain_head *head = chain_head_at(world->chain, number);
	if (head == NULL) return UINT64_MAX;
	struct chain_head *same = chain_head_of(world->chain, &head->hash);
	assert_ptr_equal(same, head);
	chain_head_release(same);
	assert_int_equal(head->header.number, number);
	assert_done(world, state_view_account(head->view, &account, &exists, &somebody, &world->err));
	chain_head_release(head);
	return account.balance_wei.w[0];
}

/* The creation of a contract that logs 20 times 98,304 bytes and then is nothing: 1.97 MB of receipt, 16 M gas. */
static struct ordered_tx talkative(struct ledger_world *world, uint64_t nonce) {
	static const uint8_t log[] = {0x62, 0x01, 0x80, 0x00, 0x5f, 0xa0}; /* PUSH3 PUSH0 LOG0 */
	uint8_t *code = arena_alloc(&world->arena, 20 * sizeof log);
	struct transaction *tx = arena_alloc(&world->arena, sizeof *tx);
	for (size_t i = 0; i < 20; i++) memcpy(code + i * sizeof log, log, sizeof log);
	*tx = ledger_transfer(nonce, &somebody, 0, 2 * GWEI);
	tx->is_create = true;
	tx->gas_limit = 16700000;
	tx->data = bytes_make(code, 20 * sizeof log);
	ledger_sign(world, tx, 0);
	return (struct ordered_tx){.tx = tx, .sender = ledger_address(0)};
}

/* Whoever proves how a transaction ended gets all receipts of its block in one answer of at most 25 MB, in hex. */
static void a_block_has_receipts_that_one_answer_holds(void **state) {
	(void)state;
	enum { OFFERED = 8, TAKEN = 5 }; /* the fifth passes 8 MiB */
	struct ledger_world world;
	struct ordered_tx txs[OFFERED];
	ledger_open_by(&world, (struct ledger_rules){.gas_limit = "0x3b9aca00"});
	for (uint64_t i = 0; i < OFFERED; i++) txs[i] = talkative(&world, i);
	struct pending_block *pending = execute(&world, txs, OFFERED, 0);
	assert_int_equal(pending->receipt_count, TAKEN);
	assert_int_equal(pending->verdicts[TAKEN], TX_VERDICT_GAS_LIMIT_OVER_BLOCK); /* it waits for the next */
	assert_done(&world, chain_commit(world.chain, pending, NULL, &world.err));
	pending = execute(&world, txs + TAKEN, OFFERED - TAKEN, 0);
	assert_int_equal(pending->receipt_count, OFFERED - TAKEN);
	chain_drop(world.chain, pending);
	ledger_close(&world);
}

static void the_newest_states_are_kept_open(void **state) {
	(void)state;
	enum { BLOCKS = CHAIN_RECENT_HEADS + 10 };
	struct ledger_world world;
	ledger_open(&world, false);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		const struct ordered_tx tx = ordered(&world, 0, i, 1);
		assert_done(&world, chain_commit(world.chain, execute(&world, &tx, 1, 0), NULL, &world.err));
	}
	for (uint64_t number = 0; number <= BLOCKS + 1; number++) {
		const bool is_kept = number <= BLOCKS && number + CHAIN_RECENT_HEADS >= BLOCKS;
		assert_int_equal(kept_balance(&world, number), is_kept ? number : UINT64_MAX);
	}
	/* Of a branch that was left none stays, and the other branch's are its own. */
	struct chain_head *left = chain_head_at(world.chain, BLOCKS - 2);
	const hash32 left_hash = left->hash;
	chain_head_release(left);
	for (size_t i = 0; i < 3; i++) assert_done(&world, chain_unwind_head(world.chain, &world.err));
	assert_null(chain_head_at(world.chain, BLOCKS - 2));
	assert_null(chain_head_of(world.chain, &left_hash));
	assert_int_equal(kept_balance(&world, BLOCKS - 4), BLOCKS - 4);
	const struct ordered_tx tx = ordered(&world, 0, BLOCKS - 3, 5);
	assert_done(&world, chain_commit(world.chain, execute(&world, &tx, 1, 0), NULL, &world.err));
	assert_int_equal(kept_balance(&world, BLOCKS - 3), BLOCKS - 3);
	assert_int_equal(kept_balance(&world, BLOCKS - 2), BLOCKS - 3 + 5);
	assert_null(chain_head_at(world.chain, BLOCKS - 1));
	ledger_close(&world);
}

/* The base fee pinned to zero, and a price of zero. */
static void money_can_be_zero(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, true);
	const u256 before = ledger_balance(&world, &(addr20){{0}});
	const addr20 sender = ledger_address(0);
	const u256 rich = ledger_balance(&world, &sender);
	struct transaction tx = ledger_transfer(0, &somebody, 0, 0);
	ledger_sign(&world, &tx, 0);
	const struct ordered_tx free_tx = {.tx = &tx, .sender = sender};
	struct pending_block *pending = execute(&world, &free_tx, 1, 0);
	assert_int_equal(pending->verdicts[0], TX_VERDICT_OK);
	assert_true(u256_is_zero(&pending->header.base_fee_wei));
	assert_done(&world, chain_commit(world.chain, pending, NULL, &world.err));
	const u256 still = ledger_balance(&world, &sender), after = ledger_balance(&world, &(addr20){{0}});
	assert_true(u256_equal(&rich, &still));
	assert_true(u256_equal(&before, &after));
	ledger_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(executing_writes_nothing),
	    cmocka_unit_test(an_invalid_one_is_skipped),
	    cmocka_unit_test(a_block_has_receipts_that_one_answer_holds),
	    cmocka_unit_test(the_newest_states_are_kept_open),
	    cmocka_unit_test(what_is_made_here_is_valid_elsewhere),
	    cmocka_unit_test(restart_is_at_the_last_block),
	    cmocka_unit_test(another_genesis_is_refused),
	    cmocka_unit_test(blocks_can_be_taken_back),
	    cmocka_unit_test(money_can_be_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
