#include "ledger/pool/pool.h"

#include "ledger/chain/branches.h"
#include "ledger/pool/pool_private.h"
#include "tests/unit.h"

#include "tests/ledger_world.h"

#define GWEI 1000000000ull

static const addr20 somebody = {{0x11, 0x22, 0x33}};

static enum pool_verdict add(struct ledger_world *world, size_t account, uint64_t nonce, uint64_t fee_wei) {
	hash32 hash;
	enum tx_verdict verdict;
	struct transaction tx = ledger_transfer(nonce, &somebody, 1, fee_wei);
	return ledger_add(world, &hash, ledger_sign(world, &tx, account), &verdict);
}

static enum tx_verdict refusal(struct ledger_world *world, struct transaction *tx, size_t account) {
	hash32 hash;
	enum tx_verdict verdict;
	assert_int_equal(ledger_add(world, &hash, ledger_sign(world, tx, account), &verdict), POOL_INVALID);
	return verdict;
}

static void assert_counts(struct ledger_world *world, size_t pending, size_t queued) {
	const struct pool_counts counts = pool_counts(world->pool);
	assert_int_equal(counts.pending, pending);
	assert_int_equal(counts.queued, queued);
}

static void a_gap_waits(void **state) {
	(void)state;
	struct ledger_world world;
	uint64_t nonce;
	const addr20 sender = ledger_address(0);
	ledger_open(&world, false);
	assert_int_equal(add(&world, 0, 0, 2 * GWEI), POOL_OK);
	assert_int_equal(add(&world, 0, 2, 2 * GWEI), POOL_OK);
	assert_counts(&world, 1, 1);
	assert_done(&world, pool_next_nonce(world.pool, &nonce, &sender, &world.err));
	assert_int_equal(nonce, 1);
	assert_int_equal(add(&world, 0, 1, 2 * GWEI), POOL_OK);
	assert_counts(&world, 3, 0);
	assert_done(&world, pool_next_nonce(world.pool, &nonce, &sender, &world.err));
	assert_int_equal(nonce, 3);
	assert_int_equal(ledger_seal(&world, 0), 3);
	assert_counts(&world, 0, 0);
	ledger_close(&world);
}

/* Who comes last with one is not behind another's many that pay more; and what is under way is not given again. */
static void to_send_everybodys_first_come_before_anybodys_second(void **state) {
	(void)state;
	struct ledger_world world;
	struct pool_pick picked;
	ledger_open(&world, false);
	for (uint64_t nonce = 0; nonce < 3; nonce++) assert_int_equal(add(&world, 0, nonce, 3 * GWEI), POOL_OK);
	assert_int_equal(add(&world, 1, 0, 2 * GWEI), POOL_OK);
	const struct pool_sending sending = {
	    .gas_max = 30000000, .count_max = 2, .bytes_max = 10000, .under_way_max = 3, .now = 1};
	assert_done(&world, pool_send(world.pool, &picked, &world.arena, &sending, &world.err));
	const addr20 first = ledger_address(0), second = ledger_address(1);
	assert_int_equal(picked.count, 2);
	assert_true(addr20_equal(&picked.txs[0].sender, &first) && addr20_equal(&picked.txs[1].sender, &second));
	assert_done(&world, pool_send(world.pool, &picked, &world.arena, &sending, &world.err));
	assert_int_equal(picked.count, 1); /* the limit of what is under way */
	assert_int_equal(picked.under_way, 3);
	assert_int_equal(picked.txs[0].tx->nonce, 1);
	ledger_close(&world);
}

static void replacement_needs_a_tenth_more(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	assert_int_equal(add(&world, 0, 0, 100), POOL_OK);
	assert_int_equal(add(&world, 0, 0, 100), POOL_ALREADY_KNOWN);
	assert_int_equal(add(&world, 0, 0, 109), POOL_UNDERPRICED);
	assert_int_equal(add(&world, 0, 0, 110), POOL_OK);
	assert_counts(&world, 1, 0);
	ledger_close(&world);
}

static void invalid_ones_stay_out(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	struct transaction tx = ledger_transfer(0, &somebody, 1, GWEI);
	tx.chain_id = u256_from(1);
	assert_int_equal(refusal(&world, &tx, 0), TX_VERDICT_WRONG_CHAIN_ID);
	tx = ledger_transfer(0, &somebody, 1, GWEI);
	tx.gas_limit = 20999;
	assert_int_equal(refusal(&world, &tx, 0), TX_VERDICT_INTRINSIC_GAS);
	tx.gas_limit = (1 << 24) + 1;
	assert_int_equal(refusal(&world, &tx, 0), TX_VERDICT_GAS_LIMIT_OVER_CAP);
	tx = ledger_transfer(0, &somebody, 1, GWEI);
	assert_true(u256_from_decimal(&tx.value_wei, BYTES_LITERAL("1000000000000000000000000")));
	assert_int_equal(refusal(&world, &tx, 0), TX_VERDICT_INSUFFICIENT_FUNDS);
	tx = ledger_transfer(0, &somebody, 1, GWEI);
	tx.max_priority_fee_wei = u256_from(2 * GWEI);
	assert_int_equal(refusal(&world, &tx, 0), TX_VERDICT_TIP_ABOVE_FEE_CAP);
	assert_int_equal(add(&world, 0, 0, 2 * GWEI), POOL_OK);
	assert_int_equal(ledger_seal(&world, 0), 1);
	tx = ledger_transfer(0, &somebody, 1, GWEI);
	assert_int_equal(refusal(&world, &tx, 0), TX_VERDICT_NONCE_TOO_LOW);

	hash32 hash;
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	const enum status status =
	    pool_add(world.pool, &hash, &verdict, &tx_verdict, BYTES_LITERAL("\x02\xc0"), &world.err);
	assert_int_equal(status, STATUS_INVALID);
	assert_counts(&world, 0, 0);
	ledger_close(&world);
}

/* Read ahead, good transactions come in as by pool_add; what is malformed, or signed by nobody, is left to pool_add. */
static void many_are_read_ahead(void **state) {
	(void)state;
	enum { MANY = 11, MALFORMED = 3, UNSIGNED = 7 };
	struct ledger_world world;
	struct arena arena;
	struct bytes envelopes[MANY];
	struct transaction txs[MANY];
	struct pool_reading readings[MANY];
	ledger_open(&world, false);
	arena_init(&arena);
	for (size_t i = 0; i < MANY; i++) {
		struct buf raw;
		buf_init(&raw, BUF_MAX_DEFAULT);
		txs[i] = ledger_transfer(i / 2, &somebody, 1, 2 * GWEI);
		ledger_sign(&world, &txs[i], i % 2);
		if (i == UNSIGNED) txs[i].r = u256_from(0);
		txs[i].raw = (struct bytes){0};
		transaction_encode(&raw, &txs[i]);
		envelopes[i] = arena_dup(&arena, bytes_slice(buf_view(&raw), 0, raw.len - (i == MALFORMED)));
		buf_fini(&raw);
	}
	pool_read_many(readings, &arena, envelopes, MANY);
	for (size_t i = 0; i < MANY; i++) {
		hash32 hash;
		enum pool_verdict verdict = POOL_OK;
		enum tx_verdict tx_verdict;
		const addr20 sender = ledger_address(i % 2);
		assert_int_equal(readings[i].good, i != MALFORMED && i != UNSIGNED);
		if (!readings[i].good) continue;
		assert_memory_equal(readings[i].sender.b, sender.b, sizeof sender.b);
		assert_done(
		    &world, pool_add_reading(world.pool, &hash, &verdict, &tx_verdict, &readings[i], &world.err));
		assert_int_equal(verdict, POOL_OK);
		assert_done(&world, pool_add(world.pool, &hash, &verdict, &tx_verdict, envelopes[i], &world.err));
		assert_int_equal(verdict, POOL_ALREADY_KNOWN);
	}
	assert_counts(&world, 7, 2); /* the second account lacks its nonces 1 and 3 */
	arena_fini(&arena);
	ledger_close(&world);
}

/* What was foreseen comes in, or is refused, as if it had not been. */
static void foreseen_ones_are_judged_alike(void **state) {
	(void)state;
	struct ledger_world world;
	hash32 hash;
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	ledger_open(&world, false);
	for (size_t i = 0; i < 4; i++) {
		struct transaction tx = ledger_transfer(i / 2, &somebody, 1, 2 * GWEI);
		struct buf raw;
		ledger_sign(&world, &tx, 0);
		if (i % 2) tx.r = u256_from(0);
		tx.raw = (struct bytes){0};
		buf_init(&raw, BUF_MAX_DEFAULT);
		transaction_encode(&raw, &tx);
		assert_true(pool_foresee(world.pool, buf_view(&raw)));
		assert_done(&world, pool_add(world.pool, &hash, &verdict, &tx_verdict, buf_view(&raw), &world.err));
		assert_int_equal(verdict, i % 2 ? POOL_INVALID : POOL_OK);
		assert_int_equal(tx_verdict, i % 2 ? TX_VERDICT_BAD_SIGNATURE : TX_VERDICT_OK);
		buf_fini(&raw);
	}
	assert_counts(&world, 2, 0);
	ledger_close(&world);
}

/* One that is read alone has its sender as if it came with others, and uses up what was foreseen of it. */
static void one_is_read_as_many_are(void **state) {
	(void)state;
	enum { GOOD, UNSIGNED, MALFORMED, COUNT };
	struct ledger_world world;
	struct arena arena;
	const addr20 account = ledger_address(0);
	ledger_open(&world, false);
	arena_init(&arena);
	for (size_t i = 0; i < 2 * COUNT; i++) {
		const bool is_foreseen = i >= COUNT;
		struct transaction tx = ledger_transfer(0, &somebody, 1, 2 * GWEI);
		struct pool_reading reading;
		struct buf raw;
		addr20 sender;
		ledger_sign(&world, &tx, 0);
		if (i % COUNT == UNSIGNED) tx.r = u256_from(0);
		tx.raw = (struct bytes){0};
		buf_init(&raw, BUF_MAX_DEFAULT);
		transaction_encode(&raw, &tx);
		const struct bytes envelope = bytes_slice(buf_view(&raw), 0, raw.len - (i % COUNT == MALFORMED));
		if (is_foreseen) assert_true(pool_foresee(world.pool, envelope));
		pool_read(world.pool, &reading, &arena, envelope);
		assert_int_equal(reading.good, i % COUNT == GOOD);
		if (reading.good) assert_memory_equal(reading.sender.b, account.b, sizeof account.b);
		if (reading.good) assert_false(foreseen_take(&world.pool->foreseen, &sender, envelope));
		buf_fini(&raw);
	}
	arena_fini(&arena);
	ledger_close(&world);
}

static void the_best_fee_goes_first(void **state) {
	(void)state;
	struct ledger_world world;
	struct pool_pick picked;
	ledger_open(&world, true);
	assert_int_equal(add(&world, 0, 0, 5), POOL_OK);
	assert_int_equal(add(&world, 0, 1, 50), POOL_OK);
	assert_int_equal(add(&world, 1, 0, 7), POOL_OK);
	assert_int_equal(add(&world, 2, 0, 7), POOL_OK);
	assert_int_equal(add(&world, 3, 0, 0), POOL_OK);
	assert_done(&world, pool_pick(world.pool, &picked, &world.arena, UINT64_MAX, 100, &world.err));
	const size_t senders[] = {1, 2, 0, 0, 3};
	assert_int_equal(picked.count, 5);
	for (size_t i = 0; i < 5; i++) {
		const addr20 expected = ledger_address(senders[i]);
		assert_memory_equal(picked.txs[i].sender.b, expected.b, 20);
	}
	assert_done(&world, pool_pick(world.pool, &picked, &world.arena, 2 * 21000, 100, &world.err));
	assert_int_equal(picked.count, 2);
	assert_int_equal(ledger_seal(&world, 0), 5);
	ledger_close(&world);
}

static void a_fee_below_the_base_fee_waits(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, false);
	assert_int_equal(add(&world, 0, 0, 700000000), POOL_OK);
	assert_true(pool_wait(world.pool, 0));
	assert_int_equal(ledger_seal(&world, 0), 0); /* 875,000,000 wei; each empty block takes an eighth off */
	assert_true(pool_wait(world.pool, 0));
	assert_int_equal(ledger_seal(&world, 0), 0); /* 765,625,000 */
	assert_int_equal(ledger_seal(&world, 0), 1); /* 669,921,875 */
	assert_false(pool_wait(world.pool, 0));
	ledger_close(&world);
}

static void limits_hold(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, true);
	for (uint64_t nonce = 1; nonce <= 64; nonce++) assert_int_equal(add(&world, 0, nonce, 0), POOL_OK);
	assert_int_equal(add(&world, 0, 65, 0), POOL_SENDER_FULL);
	assert_int_equal(add(&world, 0, 0, 0), POOL_OK);
	assert_counts(&world, 65, 0);
	ledger_close(&world);
}

static void shrink(struct ledger_world *world, size_t capacity) {
	ledger_end(world);
	world->capacity = capacity;
	ledger_start(world);
}

static void who_pays_more_takes_the_place_of_the_least(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, true);
	shrink(&world, 3);
	assert_int_equal(add(&world, 0, 0, 0), POOL_OK);
	assert_int_equal(add(&world, 1, 0, 5), POOL_OK);
	assert_int_equal(add(&world, 2, 0, 7), POOL_OK);
	assert_int_equal(add(&world, 3, 0, 0), POOL_FULL); /* no more than the least */
	assert_int_equal(add(&world, 3, 1, 9), POOL_FULL); /* waits behind a gap */
	assert_int_equal(add(&world, 0, 1, 9), POOL_FULL); /* worth what stands before it, nothing */
	assert_int_equal(add(&world, 3, 0, 6), POOL_OK);   /* for account 0's */
	assert_int_equal(add(&world, 4, 0, 4), POOL_OUTBID);
	assert_int_equal(add(&world, 4, 0, 6), POOL_OK); /* for account 1's */
	assert_int_equal(add(&world, 3, 0, 8), POOL_OK); /* a replacement needs no room */
	assert_int_equal(add(&world, 4, 1, 9), POOL_FULL);
	assert_int_equal(add(&world, 4, 0, 7), POOL_OK);
	assert_counts(&world, 3, 0);
	ledger_close(&world);
}

/* A sender's last goes first, and what is worth nothing for those before it goes however much it offers. */
static void the_last_of_a_sender_goes_first(void **state) {
	(void)state;
	struct ledger_world world;
	uint64_t nonce;
	const addr20 first = ledger_address(0), second = ledger_address(1);
	ledger_open(&world, true);
	shrink(&world, 4);
	assert_int_equal(add(&world, 0, 0, 5), POOL_OK);
	assert_int_equal(add(&world, 0, 1, 3), POOL_OK);
	assert_int_equal(add(&world, 0, 2, 1000), POOL_OK);
	assert_int_equal(add(&world, 1, 0, 4), POOL_OK);
	assert_int_equal(add(&world, 2, 0, 6), POOL_OK);
	assert_done(&world, pool_next_nonce(world.pool, &nonce, &first, &world.err));
	assert_int_equal(nonce, 2);
	assert_int_equal(add(&world, 2, 1, 6), POOL_OK);
	assert_done(&world, pool_next_nonce(world.pool, &nonce, &first, &world.err));
	assert_int_equal(nonce, 1);
	assert_int_equal(add(&world, 2, 2, 6), POOL_OK); /* for account 1's, which pays 4 */
	assert_done(&world, pool_next_nonce(world.pool, &nonce, &second, &world.err));
	assert_int_equal(nonce, 0);
	assert_counts(&world, 4, 0);
	ledger_close(&world);
}

/* A thousand offers to a full pool, against a list that is sorted anew each time. */
static void a_full_pool_keeps_the_best(void **state) {
	(void)state;
	struct ledger_world world;
	uint64_t kept[LEDGER_ACCOUNTS];
	uint32_t random = 1;
	ledger_open(&world, true);
	shrink(&world, LEDGER_ACCOUNTS - 1);
	for (size_t i = 0; i < LEDGER_ACCOUNTS; i++) kept[i] = 0;
	for (size_t round = 0; round < 1000; round++) {
		random = random * 1664525 + 1013904223;
		const size_t account = random >> 28 & (LEDGER_ACCOUNTS - 1);
		const uint64_t fee = 1 + (random >> 11 & 0xfffff); /* hardly ever equal */
		size_t count = 0, least = LEDGER_ACCOUNTS;
		for (size_t i = 0; i < LEDGER_ACCOUNTS; i++) {
			if (kept[i] == 0) continue;
			count++;
			if (least == LEDGER_ACCOUNTS || kept[i] < kept[least]) least = i;
		}
		const enum pool_verdict verdict = add(&world, account, 0, fee);
		if (kept[account] != 0) {
			if (verdict == POOL_OK) assert_true(fee * 10 >= kept[account] * 11);
		} else if (count == LEDGER_ACCOUNTS - 1) {
			assert_int_equal(verdict, fee > kept[least]   ? POOL_OK
						  : fee < kept[least] ? POOL_OUTBID
								      : POOL_FULL);
			if (verdict == POOL_OK) kept[least] = 0;
		} else {
			assert_int_equal(verdict, POOL_OK);
		}
		if (verdict == POOL_OK) kept[account] = fee;
	}
	ledger_close(&world);
}

/* Blocks of a branch that is left go back to the pool; blocks that are taken back for good do not. */
static void what_fork_choice_leaves_waits_again(void **state) {
	(void)state;
	struct ledger_world world;
	struct chain_head *head;
	uint64_t nonce;
	const addr20 sender = ledger_address(0);
	ledger_open(&world, true);
	const hash32 genesis = *chain_genesis_hash(world.chain);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(add(&world, 0, 2 * i, 5), POOL_OK);
		assert_int_equal(add(&world, 0, 2 * i + 1, 5), POOL_OK);
		assert_int_equal(ledger_seal(&world, 0), 2);
	}
	assert_counts(&world, 0, 0);
	assert_int_equal(add(&world, 0, 6, 5), POOL_OK);
	head = chain_head(world.chain);
	const hash32 left = head->hash;
	chain_head_release(head);
	assert_done(&world, chain_follow(world.chain, &genesis, &world.err));
	assert_counts(&world, 7, 0);
	assert_done(&world, chain_follow(world.chain, &left, &world.err));
	assert_counts(&world, 1, 0);
	assert_done(&world, chain_follow(world.chain, &genesis, &world.err));
	ledger_end(&world);
	ledger_start(&world); /* they are in the journal */
	assert_counts(&world, 7, 0);
	assert_int_equal(ledger_seal(&world, 77000), 7);
	assert_done(&world, chain_unwind_head(world.chain, &world.err));
	assert_counts(&world, 0, 0);
	assert_done(&world, pool_next_nonce(world.pool, &nonce, &sender, &world.err));
	assert_int_equal(nonce, 0);
	ledger_close(&world);
}

static enum status odd_nonces_only(
    void *context, enum pool_verdict *verdict, const struct transaction *tx, const addr20 *sender, struct err *err) {
	size_t *asked = context;
	const addr20 expected = ledger_address(0);
	(void)err;
	assert_memory_equal(sender->b, expected.b, 20);
	*verdict = tx->nonce % 2 == 1 ? POOL_OK : POOL_BLOB_NOT_PUT;
	(*asked)++;
	return STATUS_OK;
}

/* What is no rule of the chain keeps a transaction out all the same; what was admitted once stays after a restart. */
static void a_further_condition_is_asked(void **state) {
	(void)state;
	struct ledger_world world;
	size_t asked = 0;
	ledger_open(&world, true);
	pool_close(world.pool);
	const struct pool_options options = {
	    .journal_path = world.journal, .admit = odd_nonces_only, .admit_context = &asked};
	assert_done(&world, pool_open(&world.pool, world.chain, &options, &world.err));
	assert_int_equal(add(&world, 0, 0, 0), POOL_BLOB_NOT_PUT);
	assert_int_equal(add(&world, 0, 1, 0), POOL_OK);
	assert_int_equal(asked, 2);
	assert_counts(&world, 0, 1);
	pool_close(world.pool);
	assert_done(&world, pool_open(&world.pool, world.chain, &options, &world.err));
	assert_int_equal(asked, 2);
	assert_counts(&world, 0, 1);
	ledger_close(&world);
}

static void nobody_signs(void **state) {
	(void)state;
	struct ledger_world world;
	hash32 hash;
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	addr20 named;
	const addr20 sender = ledger_address(5);
	struct transaction tx = ledger_transfer(0, &somebody, 77, 2 * GWEI), found;
	ledger_open(&world, false);
	assert_done(&world, pool_add_unsigned(world.pool, &hash, &verdict, &tx_verdict, &tx, &sender, &world.err));
	assert_int_equal(verdict, POOL_OK);
	assert_true(pool_find(world.pool, &found, &named, &world.arena, &hash));
	assert_memory_equal(named.b, sender.b, 20);
	assert_true(pool_unsigned_sender(&named, &found));
	assert_memory_equal(named.b, sender.b, 20);
	/* From outside it has no sender, though its numbers are those of a signature. */
	assert_false(u256_is_zero(&found.r) || u256_is_zero(&found.s));
	struct pool_reading reading;
	pool_read_many(&reading, &world.arena, &found.raw, 1);
	assert_false(reading.good);
	assert_int_equal(ledger_add(&world, &hash, found.raw, &tx_verdict), POOL_INVALID);
	assert_int_equal(tx_verdict, TX_VERDICT_BAD_SIGNATURE);
	/* From the journal it has. */
	ledger_end(&world);
	ledger_start(&world);
	assert_counts(&world, 1, 0);
	assert_int_equal(ledger_seal(&world, 0), 1);
	const u256 got = ledger_balance(&world, &somebody);
	assert_int_equal(got.w[0], 77);
	ledger_close(&world);
}

static void the_journal_is_read_back(void **state) {
	(void)state;
	struct ledger_world world;
	ledger_open(&world, true);
	for (uint64_t nonce = 0; nonce < 10; nonce++) assert_int_equal(add(&world, 0, nonce, 0), POOL_OK);
	ledger_end(&world);
	ledger_start(&world);
	assert_counts(&world, 10, 0);
	assert_int_equal(ledger_seal(&world, 0), 10);
	assert_int_equal(add(&world, 0, 10, 0), POOL_OK);
	ledger_end(&world);
	ledger_start(&world);
	assert_counts(&world, 1, 0); /* what stands in a block is not taken in again */
	ledger_close(&world);
}

/* The journal cut at every byte of its last record, and with each of them changed. */
static void a_bad_tail_is_dropped(void **state) {
	(void)state;
	struct ledger_world world;
	uint8_t whole[4096];
	ledger_open(&world, true);
	assert_int_equal(add(&world, 0, 0, 0), POOL_OK);
	FILE *file = fopen(world.journal, "rb");
	const size_t first = fread(whole, 1, sizeof whole, file);
	fclose(file);
	assert_int_equal(add(&world, 0, 1, 0), POOL_OK);
	file = fopen(world.journal, "rb");
	const size_t all = fread(whole, 1, sizeof whole, file);
	fclose(file);
	assert_true(first > 100 && all > first + 100);
	for (size_t i = first; i < all; i++)
		for (int cut = 0; cut < 2; cut++) {
			pool_close(world.pool);
			file = fopen(world.journal, "wb");
			if (!cut) whole[i] ^= 0x10;
			assert_int_equal(fwrite(whole, 1, cut ? i : all, file), cut ? i : all);
			if (!cut) whole[i] ^= 0x10;
			fclose(file);
			chain_close(world.chain);
			const struct chain_options options = {0};
			assert_done(&world, chain_open(&world.chain, world.store, &options, &world.err));
			const struct pool_options pool = {.journal_path = world.journal};
			assert_done(&world, pool_open(&world.pool, world.chain, &pool, &world.err));
			assert_counts(&world, 1, 0);
			assert_int_equal(add(&world, 0, 1, 0), POOL_OK); /* and it goes on behind what is whole */
		}
	ledger_end(&world);
	ledger_start(&world);
	assert_counts(&world, 2, 0);
	ledger_close(&world);
}

/* Over 4 MiB of dead records: the file shrinks to what is alive. */
static void a_dead_journal_shrinks(void **state) {
	(void)state;
	struct ledger_world world;
	uint8_t *data = mem_zalloc(1, 100000);
	ledger_open(&world, true);
	assert_int_equal(add(&world, 1, 5, 0), POOL_OK); /* waits behind a gap all the time */
	for (uint64_t nonce = 0; nonce < 45; nonce++) {
		hash32 hash;
		enum tx_verdict verdict;
		struct transaction tx = ledger_transfer(nonce, &somebody, 1, 0);
		tx.data = bytes_make(data, 100000);
		tx.gas_limit = 21000 + 100000 * 10;
		assert_int_equal(ledger_add(&world, &hash, ledger_sign(&world, &tx, 0), &verdict), POOL_OK);
		assert_int_equal(ledger_seal(&world, 0), 1);
	}
	FILE *file = fopen(world.journal, "rb");
	fseek(file, 0, SEEK_END);
	assert_true(ftell(file) < 1000000);
	fclose(file);
	ledger_end(&world);
	ledger_start(&world);
	assert_counts(&world, 0, 1);
	ledger_close(&world);
	mem_free(data);
}

static void a_rejected_one_goes(void **state) {
	(void)state;
	struct ledger_world world;
	hash32 hash;
	enum tx_verdict verdict;
	ledger_open(&world, true);
	struct transaction tx = ledger_transfer(0, &somebody, 1, 0);
	assert_int_equal(ledger_add(&world, &hash, ledger_sign(&world, &tx, 0), &verdict), POOL_OK);
	assert_int_equal(add(&world, 0, 1, 0), POOL_OK);
	assert_int_equal(add(&world, 0, 2, 0), POOL_OK);
	pool_reject(world.pool, &hash);
	assert_counts(&world, 0, 2);
	assert_int_equal(add(&world, 0, 0, 1), POOL_OK);
	assert_counts(&world, 3, 0);
	ledger_close(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_gap_waits),
	    cmocka_unit_test(to_send_everybodys_first_come_before_anybodys_second),
	    cmocka_unit_test(replacement_needs_a_tenth_more),
	    cmocka_unit_test(invalid_ones_stay_out),
	    cmocka_unit_test(many_are_read_ahead),
	    cmocka_unit_test(foreseen_ones_are_judged_alike),
	    cmocka_unit_test(one_is_read_as_many_are),
	    cmocka_unit_test(the_best_fee_goes_first),
	    cmocka_unit_test(a_fee_below_the_base_fee_waits),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(who_pays_more_takes_the_place_of_the_least),
	    cmocka_unit_test(the_last_of_a_sender_goes_first),
	    cmocka_unit_test(a_full_pool_keeps_the_best),
	    cmocka_unit_test(what_fork_choice_leaves_waits_again),
	    cmocka_unit_test(a_further_condition_is_asked),
	    cmocka_unit_test(nobody_signs),
	    cmocka_unit_test(the_journal_is_read_back),
	    cmocka_unit_test(a_bad_tail_is_dropped),
	    cmocka_unit_test(a_dead_journal_shrinks),
	    cmocka_unit_test(a_rejected_one_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
