#include "ledger/consensus/solo.h"

#include "base/log.h"
#include "crypto/secp256k1_keys.h"
#include "ledger/consensus/verdicts.h"
#include "ledger/consensus/work_queue.h"

enum { IDLE_WAIT_MS = 1000, TRANSFER_GAS = 21000 };
enum { BASE_FEE_LEAST_WEI = 7 }; /* an eighth of less than 8 is nothing, so it falls no further (EIP-1559) */

struct solo {
	struct engine engine;
	struct chain *chain;
	struct pool *pool;
	struct solo_options options;
	addr20 sealer;
	hash32 domain; /* of what it signs (eth/seal.h) */

	/* The executing thread's own. */
	uint64_t last_seal_ns;
	uint64_t last_begin_ns; /* of a block by automine */

	struct work_queue work;
};

static struct solo *solo_of(struct engine *engine) {
	return (struct solo *)engine; /* its first member */
}

static addr20 sealer_of(const struct engine *engine) {
	return ((const struct solo *)engine)->sealer;
}

static enum status sign_seal(
    const struct engine *engine, struct secp_signature *out, uint64_t number, const hash32 *hash, struct err *err) {
	const struct solo *solo = (const struct solo *)engine;
	const hash32 digest = seal_digest(&solo->domain, number, hash);
	const enum status status = secp_sign(out, &solo->options.sealer_secret, &digest);
	return status == STATUS_OK ? status : err_set(err, STATUS_INTERNAL, "the block could not be signed");
}

static enum status sign_head(
    const struct engine *engine, struct eth_signature *out, const struct head_statement *head, struct err *err) {
	const struct solo *solo = (const struct solo *)engine;
	const hash32 digest = head_digest(&solo->domain, head);
	const enum status status = eth_sign_digest(out, &solo->options.sealer_secret, &digest);
	return status == STATUS_OK ? status : err_set(err, STATUS_INTERNAL, "the head could not be signed");
}

/* --- sealing --- */

/*
 * What the next block with these transactions is like; the one place that says so, for the sealer and for whoever asks
 * (without any). `orders` must live as long. Gives the head, which it comes after.
 */
static struct chain_head *decide(const struct solo *solo, struct block_decision *decision, struct block_orders *orders,
    const struct pool_pick *picked) {
	struct dev *dev = solo->options.dev;
	if (dev != NULL) dev_lock(dev);
	struct chain_head *head = chain_head(solo->chain);
	*decision = (struct block_decision){.txs = picked->txs,
	    .tx_count = picked->count,
	    .time_ms = clock_now_ms(solo->options.clock),
	    .proposer = solo->sealer};
	if (dev != NULL) {
		dev_decide(dev, decision, orders, &head->header);
		dev_unlock(dev);
	}
	return head;
}

static enum status next(struct engine *engine, struct engine_next *out, struct err *err) {
	struct solo *solo = solo_of(engine);
	struct block_decision decision;
	struct block_orders orders;
	out->head = decide(solo, &decision, &orders, &(struct pool_pick){0});
	const enum status status = chain_decide_header(solo->chain, &out->header, out->head, &decision, err);
	if (status != STATUS_OK) chain_head_release(out->head);
	return status;
}

static void drop_invalid(struct solo *solo, const struct pool_pick *picked, const struct pending_block *pending) {
	const bool block_is_empty = pending->block.transaction_count == 0;
	for (size_t i = 0; i < picked->count; i++) {
		if (verdict_may_stand_later(pending->verdicts[i], block_is_empty)) continue;
		const hash32 hash = transaction_hash(picked->txs[i].tx);
		log_info("solo", "a transaction is dropped: %s", tx_verdict_text(pending->verdicts[i]));
		pool_reject(solo->pool, &hash);
	}
}

static enum status sign_and_commit(struct solo *solo, struct pending_block *pending, struct err *err) {
	struct secp_signature seal;
	const uint64_t timestamp = pending->header.timestamp;
	enum status status = sign_seal(&solo->engine, &seal, pending->header.number, &pending->hash, err);
	if (status != STATUS_OK) {
		chain_drop(solo->chain, pending);
		return status;
	}
	struct dev *dev = solo->options.dev;
	if (dev == NULL) return chain_commit(solo->chain, pending, &seal, err);
	dev_lock(dev);
	status = chain_commit(solo->chain, pending, &seal, err);
	if (status == STATUS_OK) dev_sealed(dev, timestamp);
	dev_unlock(dev);
	return status;
}

static enum status seal_picked(struct solo *solo, const struct pool_pick *picked, bool even_if_empty, struct err *err) {
	struct pending_block *pending;
	struct block_decision decision;
	struct block_orders orders;
	chain_head_release(decide(solo, &decision, &orders, picked));
	TRY(chain_execute(solo->chain, &pending, &decision, err));
	drop_invalid(solo, picked, pending);
	if (pending->block.transaction_count > 0 || even_if_empty) return sign_and_commit(solo, pending, err);
	chain_drop(solo->chain, pending);
	return STATUS_OK;
}

static enum status seal(struct solo *solo, bool even_if_empty, struct err *err) {
	struct arena arena;
	struct pool_pick picked;
	struct chain_head *head = chain_head(solo->chain);
	const uint64_t gas_limit = head->header.gas_limit;
	chain_head_release(head);
	const uint64_t gas_max = solo->options.block_gas_max != 0 ? solo->options.block_gas_max : UINT64_MAX;
	arena_init(&arena);
	enum status status =
	    pool_pick(solo->pool, &picked, &arena, gas_max, (size_t)(gas_limit / TRANSFER_GAS) + 1, err);
	if (status == STATUS_OK && (picked.count > 0 || even_if_empty))
		status = seal_picked(solo, &picked, even_if_empty, err);
	arena_fini(&arena);
	return status;
}

static enum status seal_now(struct engine *engine, struct err *err) {
	return seal(solo_of(engine), true, err);
}

/* --- the executing thread --- */

static void wake(struct engine *engine) {
	pool_wake(solo_of(engine)->pool);
}

static enum status call(struct engine *engine, engine_work *work, void *context, struct err *err) {
	return work_queue_call(&solo_of(engine)->work, work, context, err);
}

/* A development chain's pace may have been changed by what ran. */
static void follow_pace(struct solo *solo) {
	if (solo->options.dev == NULL) return;
	const struct dev_pace pace = dev_pace(solo->options.dev);
	if (pace.interval_ms != solo->options.interval_ms) solo->last_seal_ns = clock_monotonic_ns(solo->options.clock);
	solo->options.interval_ms = pace.interval_ms;
	solo->options.automine = pace.automine;
}

static void run_work(struct solo *solo) {
	work_queue_run(&solo->work, false);
	follow_pace(solo);
}

static void stop(struct engine *engine) {
	work_queue_stop(&solo_of(engine)->work);
}

/* How long the next block has to wait, lest the chain's time run too far ahead of the clock. */
static uint64_t hold_ms(const struct solo *solo) {
	if (solo->options.ahead_max_s == 0 || genesis_equal_timestamps(chain_genesis(solo->chain))) return 0;
	struct chain_head *head = chain_head(solo->chain);
	const uint64_t next_ms = (head->header.timestamp + 1) * 1000;
	chain_head_release(head);
	const uint64_t latest_ms = clock_now_ms(solo->options.clock) + (uint64_t)solo->options.ahead_max_s * 1000;
	return next_ms > latest_ms ? next_ms - latest_ms : 0;
}

/* One turn by interval: waits for the rest of it, and seals when it is over. */
static enum status turn_by_interval(struct solo *solo, struct err *err) {
	const uint64_t interval_ns = (uint64_t)solo->options.interval_ms * 1000000;
	const uint64_t passed_ns = clock_monotonic_ns(solo->options.clock) - solo->last_seal_ns;
	if (passed_ns < interval_ns) {
		work_queue_wait(&solo->work, (interval_ns - passed_ns + 999999) / 1000000);
		return STATUS_OK;
	}
	solo->last_seal_ns += passed_ns < 2 * interval_ns ? interval_ns : passed_ns; /* no bunch of late blocks */
	return seal(solo, true, err);
}

/*
 * One turn by automine: something is there to seal, and is sealed at once. A block costs something before its first
 * transaction does (a signature, a sync, the system's calls), but what comes during that stands in the next one, so
 * under load blocks are large by themselves. Work from engine_call goes first.
 */
static enum status turn_at_once(struct solo *solo, struct err *err) {
	run_work(solo);
	if (!solo->options.automine || solo->options.interval_ms != 0) return STATUS_OK;
	solo->last_begin_ns = clock_monotonic_ns(solo->options.clock);
	return seal(solo, false, err);
}

/*
 * Nothing came for a while, but something may wait that offers less than the base fees. Full blocks raised them;
 * elsewhere time lowers it again, so here a block a second does, though it be empty.
 */
static enum status turn_in_vain(struct solo *solo, struct err *err) {
	const uint64_t now_ns = clock_monotonic_ns(solo->options.clock), least_ns = (uint64_t)IDLE_WAIT_MS * 1000000;
	if (now_ns - solo->last_begin_ns < least_ns || pool_counts(solo->pool).pending == 0) return STATUS_OK;
	struct chain_head *head = chain_head(solo->chain);
	const u256 least = u256_from(BASE_FEE_LEAST_WEI);
	const bool may_fall = u256_less(&least, &head->header.base_fee_wei) || head->header.excess_blob_gas > 0;
	chain_head_release(head);
	solo->last_begin_ns = now_ns;
	return may_fall ? seal(solo, true, err) : STATUS_OK;
}

static enum status run(struct engine *engine, struct err *err) {
	struct solo *solo = solo_of(engine);
	enum status status = STATUS_OK;
	while (status == STATUS_OK && !work_queue_is_stopping(&solo->work)) {
		run_work(solo);
		const uint64_t hold = hold_ms(solo);
		if (hold != 0)
			work_queue_wait(&solo->work, hold < IDLE_WAIT_MS ? hold : IDLE_WAIT_MS);
		else if (solo->options.interval_ms != 0)
			status = turn_by_interval(solo, err);
		else if (!solo->options.automine)
			work_queue_wait(&solo->work, IDLE_WAIT_MS);
		else if (pool_wait(solo->pool, IDLE_WAIT_MS))
			status = turn_at_once(solo, err);
		else
			status = turn_in_vain(solo, err);
	}
	stop(engine); /* nobody may wait for a thread that has gone */
	work_queue_run(&solo->work, true);
	return status;
}

/* --- making and freeing --- */

static void free_solo(struct engine *engine) {
	struct solo *solo = solo_of(engine);
	work_queue_fini(&solo->work);
	mem_wipe(&solo->options.sealer_secret, sizeof solo->options.sealer_secret);
	mem_free(solo);
}

static const struct engine_kind solo_kind = {.run = run,
    .stop = stop,
    .call = call,
    .seal = seal_now,
    .next = next,
    .sealer = sealer_of,
    .sign_seal = sign_seal,
    .sign_head = sign_head,
    .free = free_solo,
    .is_final = true};

enum status solo_new(
    struct engine **out, struct chain *chain, struct pool *pool, const struct solo_options *options, struct err *err) {
	addr20 sealer, named;
	if (address_of_secret(&sealer, &options->sealer_secret) != STATUS_OK)
		return err_set(err, STATUS_INVALID, "the sealer's key is not a valid secret");
	if (genesis_sealer(chain_genesis(chain), &named) && !addr20_equal(&sealer, &named))
		return err_set(err, STATUS_DENIED, "the genesis file names another sealer than this key's address");
	struct solo *solo = mem_zalloc(1, sizeof *solo);
	*solo =
	    (struct solo){.engine = {&solo_kind}, .chain = chain, .pool = pool, .options = *options, .sealer = sealer};
	const u256 chain_id = genesis_chain_id(chain_genesis(chain));
	solo->domain = seal_domain(&chain_id, chain_genesis_hash(chain));
	solo->last_seal_ns = clock_monotonic_ns(options->clock);
	work_queue_init(&solo->work, &solo->engine, wake);
	if (options->dev != NULL) {
		dev_set_automine(options->dev, options->automine);
		dev_set_interval(options->dev, options->interval_ms);
	}
	*out = &solo->engine;
	return STATUS_OK;
}
