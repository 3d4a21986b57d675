#include "ledger/consensus/replica.h"

#include <stdio.h>

#include "base/log.h"
#include "ledger/consensus/verdicts.h"
#include "ledger/consensus/work_queue.h"

/* META: the hash that the other node showed of the block that is our head (REPLICA_ORDER). */
#define OTHER_KEY "replica/other"
#define TIMESTAMP_MAX ((uint64_t)1 << 40) /* seconds; its milliseconds fit, and contracts keep times in 40 bits */

enum {
	SOON_MS = 5,             /* between two looks while something is on its way */
	SENDING_MAX = 256,       /* transactions handed over in one turn */
	SENDING_BYTES = 4 << 20, /* of their envelopes */
	UNDER_WAY_MAX = 4096,    /* handed over, and not in a block yet */
	RETRY_MS = 200,          /* after a look that failed: the other node is starting, or gone */
	AGAIN_AFTER_MS = 10000   /* what is in no block by then is handed over once more */
};

struct replica {
	struct engine engine;
	struct chain *chain;
	struct pool *pool;
	struct replica_options options;
	hash32 domain; /* of what it signs */
	bool has_sealer;
	addr20 sealer; /* whose seal each block must have */

	/* The executing thread's own. */
	hash32 other_hash; /* REPLICA_ORDER: of our head, as the other node has it; zeros: of block 0 */
	bool is_broken;    /* our own disk or database failed, not the other node */

	struct work_queue work;
	pthread_mutex_t lock; /* of what follows */
	bool is_following;
	uint64_t seen_ms; /* when the other node last answered; monotonic */
	uint64_t newest;
	char why[256];
};

static struct replica *replica_of(struct engine *engine) {
	return (struct replica *)engine; /* its first member */
}

static uint64_t now_ms(const struct replica *replica) {
	return clock_monotonic_ns(replica->options.clock) / 1000000;
}

static uint64_t head_number(const struct replica *replica) {
	struct chain_head *head = chain_head(replica->chain);
	const uint64_t number = head->header.number;
	chain_head_release(head);
	return number;
}

/* --- what it says of itself --- */

static void note(struct replica *replica, bool is_following, const char *why) {
	pthread_mutex_lock(&replica->lock);
	const bool is_news = replica->is_following != is_following || strcmp(replica->why, why) != 0;
	replica->is_following = is_following;
	snprintf(replica->why, sizeof replica->why, "%s", why);
	pthread_mutex_unlock(&replica->lock);
	if (is_news && is_following) log_info("replica", "all that the other node has is here");
	if (is_news && !is_following) log_warn("replica", "does not follow: %s", why);
}

static void note_answer(struct replica *replica, uint64_t newest) {
	pthread_mutex_lock(&replica->lock);
	replica->seen_ms = now_ms(replica);
	replica->newest = newest;
	pthread_mutex_unlock(&replica->lock);
}

struct replica_state replica_state(struct engine *engine) {
	struct replica *replica = replica_of(engine);
	struct replica_state out;
	pthread_mutex_lock(&replica->lock);
	out.is_following = replica->is_following;
	out.silent_ms = now_ms(replica) - replica->seen_ms;
	out.newest = replica->newest;
	memcpy(out.why, replica->why, sizeof out.why);
	pthread_mutex_unlock(&replica->lock);
	return out;
}

/* --- taking blocks --- */

/* The sealer's signature of a block, if the genesis names one, else this node's, as a witness of it. */
static enum status find_seal(
    struct replica *replica, struct secp_signature *out, uint64_t number, const hash32 *hash, struct err *err) {
	const struct replica_link *link = &replica->options.link;
	const hash32 digest = seal_digest(&replica->domain, number, hash);
	struct eth_signature seal = {0};
	addr20 signer;
	if (!replica->has_sealer) return secp_sign(out, &replica->options.secret, &digest);
	const enum status status = link->seal(link->context, &seal, hash, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	if (eth_signer(&signer, &seal, &digest) != STATUS_OK || !addr20_equal(&signer, &replica->sealer))
		return err_set(err, STATUS_INVALID, "the chain's sealer did not seal it");
	memcpy(out->r, seal.b, 32);
	memcpy(out->s, seal.b + 32, 32);
	out->y_parity = seal.b[64] % 27;
	return STATUS_OK;
}

static enum status take_rlp(struct replica *replica, struct arena *arena, struct bytes rlp, struct err *err) {
	struct block block;
	struct secp_signature seal;
	TRY(block_decode(&block, arena, rlp, err));
	const hash32 hash = header_hash(&block.header);
	TRY(find_seal(replica, &seal, block.header.number, &hash, err));
	const enum status status = chain_import_sealed(replica->chain, rlp, &seal, err);
	replica->is_broken = status != STATUS_OK && status != STATUS_INVALID;
	return status;
}

/* What does not decode, or nobody signed, is left out as what is not valid is. */
static struct ordered_tx *decode(size_t *count, struct arena *arena, const struct replica_block *block) {
	struct ordered_tx *txs = arena_zalloc(arena, block->envelope_count + 1, sizeof *txs);
	*count = 0;
	for (size_t i = 0; i < block->envelope_count; i++) {
		struct transaction *tx = arena_zalloc(arena, 1, sizeof *tx);
		addr20 sender;
		enum status status = transaction_decode(tx, NULL, arena, block->envelopes[i], NULL);
		if (status == STATUS_OK) status = transaction_sender(&sender, tx, true, NULL);
		if (status == STATUS_OK)
			txs[(*count)++] = (struct ordered_tx){.tx = tx, .sender = sender};
		else
			log_warn("replica", "a transaction of the other node is left out: it does not decode");
	}
	return txs;
}

static enum status take_order(struct replica *replica, struct arena *arena, const struct replica_block *block,
    const hash32 *other_hash, struct err *err) {
	struct pending_block *pending;
	struct secp_signature seal;
	struct block_decision decision = {.time_ms = block->timestamp * 1000};
	if (block->timestamp > TIMESTAMP_MAX) return err_set(err, STATUS_INVALID, "its timestamp is beyond all time");
	decision.txs = decode(&decision.tx_count, arena, block);
	enum status status = chain_execute(replica->chain, &pending, &decision, err);
	replica->is_broken = status != STATUS_OK;
	TRY(status);
	for (size_t i = 0; i < decision.tx_count; i++)
		if (pending->verdicts[i] != TX_VERDICT_OK)
			log_warn("replica", "a transaction of the other node is left out: %s",
			    tx_verdict_text(pending->verdicts[i]));
	const struct chain_note other = {bytes_text(OTHER_KEY), BYTES_OF(*other_hash)};
	pending->notes = &other;
	pending->note_count = 1;
	status = find_seal(replica, &seal, pending->header.number, &pending->hash, err);
	if (status != STATUS_OK) {
		chain_drop(replica->chain, pending);
		return status;
	}
	status = chain_commit(replica->chain, pending, &seal, err);
	replica->is_broken = status != STATUS_OK;
	if (status == STATUS_OK) replica->other_hash = *other_hash;
	return status;
}

/* STATUS_INVALID: the block is not valid, or of another branch. */
static enum status take_block(struct replica *replica, uint64_t number, struct err *err) {
	const struct replica_link *link = &replica->options.link;
	struct replica_block block = {0};
	struct arena arena;
	hash32 hash;
	arena_init(&arena);
	enum status status = link->block(link->context, &block, &arena, number, err);
	if (status == STATUS_OK && replica->options.mode == REPLICA_BLOCKS) {
		status = take_rlp(replica, &arena, block.rlp, err);
	} else if (status == STATUS_OK) {
		status = link->hash(link->context, &hash, number, err);
		if (status == STATUS_OK) status = take_order(replica, &arena, &block, &hash, err);
	}
	arena_fini(&arena);
	if (status == STATUS_INVALID)
		err_prefix(err, status, "the node's block %llu is not taken", (unsigned long long)number);
	return status;
}

/* Does the other node still show the block that our head came of? */
static enum status check_branch(struct replica *replica, struct err *err) {
	const struct replica_link *link = &replica->options.link;
	struct chain_head *head = chain_head(replica->chain);
	const uint64_t number = head->header.number;
	const hash32 own = replica->options.mode == REPLICA_BLOCKS ? head->hash : replica->other_hash;
	hash32 theirs;
	chain_head_release(head);
	enum status status = link->hash(link->context, &theirs, number, err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	if (status == STATUS_OK && (hash32_equal(&theirs, &own) || (number == 0 && hash32_is_zero(&own))))
		return STATUS_OK;
	return err_set(err, STATUS_INVALID,
	    "the node shows another block %llu than this node has executed, or none; it keeps the first",
	    (unsigned long long)number);
}

static enum status look(struct replica *replica, struct err *err) {
	const struct replica_link *link = &replica->options.link;
	uint64_t newest;
	TRY(link->newest(link->context, &newest, err));
	if (newest <= head_number(replica)) TRY(check_branch(replica, err));
	note_answer(replica, newest);
	for (uint64_t next = head_number(replica) + 1; next <= newest; next++) {
		if (work_queue_is_stopping(&replica->work)) return STATUS_OK;
		TRY(take_block(replica, next, err));
		note_answer(replica, newest);
		work_queue_run(&replica->work, false);
	}
	note(replica, true, "");
	return STATUS_OK;
}

/* --- handing on what the pool has --- */

/* A refused transaction goes: whoever sent it finds it neither here nor in a block. */
static enum status hand_on(struct replica *replica, const struct ordered_tx *tx, struct err *err) {
	const struct replica_link *link = &replica->options.link;
	struct err why = {0};
	const enum status status = link->send(link->context, tx->tx->raw, &why);
	if (status == STATUS_OK) return STATUS_OK;
	if (status != STATUS_DENIED) return err_set(err, status, "%s", why.message);
	const hash32 hash = transaction_hash(tx->tx);
	log_warn("replica", "the other node refuses a transaction: %s", why.message);
	pool_reject(replica->pool, &hash);
	return STATUS_OK;
}

static enum status hand_on_all(struct replica *replica, struct err *err) {
	const uint64_t now = now_ms(replica);
	const struct pool_sending sending = {.gas_max = UINT64_MAX,
	    .count_max = SENDING_MAX,
	    .bytes_max = SENDING_BYTES,
	    .under_way_max = UNDER_WAY_MAX,
	    .now = now,
	    .again_before = now > AGAIN_AFTER_MS ? now - AGAIN_AFTER_MS : 0};
	struct pool_pick picked;
	struct arena arena;
	arena_init(&arena);
	enum status status = pool_send(replica->pool, &picked, &arena, &sending, err);
	for (size_t i = 0; status == STATUS_OK && i < picked.count; i++) status = hand_on(replica, &picked.txs[i], err);
	if (status != STATUS_OK) pool_send_again(replica->pool, NULL);
	arena_fini(&arena);
	return status;
}

/* --- the executing thread --- */

static enum status turn(struct replica *replica) {
	struct err err = {0};
	enum status status = hand_on_all(replica, &err);
	if (status == STATUS_OK) status = look(replica, &err);
	if (status != STATUS_OK) note(replica, false, err.message);
	return status;
}

/* Until there is something to hand on, or it is time to look again. */
static void pause_after(struct replica *replica, enum status status) {
	if (status != STATUS_OK)
		work_queue_wait(&replica->work, RETRY_MS);
	else if (pool_counts(replica->pool).pending > 0)
		work_queue_wait(&replica->work, SOON_MS);
	else
		pool_wait(replica->pool, replica->options.poll_ms);
}

static enum status run(struct engine *engine, struct err *err) {
	struct replica *replica = replica_of(engine);
	while (!work_queue_is_stopping(&replica->work) && !replica->is_broken) {
		work_queue_run(&replica->work, false);
		const enum status status = turn(replica);
		if (!replica->is_broken) pause_after(replica, status);
	}
	work_queue_stop(&replica->work); /* nobody may wait for a thread that has gone */
	work_queue_run(&replica->work, true);
	return replica->is_broken ? err_set(err, STATUS_IO, "this node's own chain failed: %s", replica->why)
				  : STATUS_OK;
}

static void wake(struct engine *engine) {
	pool_wake(replica_of(engine)->pool);
}

static void stop(struct engine *engine) {
	work_queue_stop(&replica_of(engine)->work);
}

static enum status call(struct engine *engine, engine_work *work, void *context, struct err *err) {
	return work_queue_call(&replica_of(engine)->work, work, context, err);
}

/* --- what an engine is asked --- */

static enum status seal(struct engine *engine, struct err *err) {
	(void)engine;
	return err_set(err, STATUS_UNSUPPORTED, "this node follows another one's chain, and seals nothing");
}

static enum status next(struct engine *engine, struct engine_next *out, struct err *err) {
	struct replica *replica = replica_of(engine);
	const struct block_decision decision = {.time_ms = clock_now_ms(replica->options.clock)};
	out->head = chain_head(replica->chain);
	const enum status status = chain_decide_header(replica->chain, &out->header, out->head, &decision, err);
	if (status != STATUS_OK) chain_head_release(out->head);
	return status;
}

static addr20 sealer_of(const struct engine *engine) {
	return ((const struct replica *)engine)->sealer;
}

static enum status sign_seal(
    const struct engine *engine, struct secp_signature *out, uint64_t number, const hash32 *hash, struct err *err) {
	(void)engine, (void)out, (void)number, (void)hash;
	return err_set(err, STATUS_UNSUPPORTED, "this node follows another one's chain, and seals nothing");
}

static enum status sign_head(
    const struct engine *engine, struct eth_signature *out, const struct head_statement *head, struct err *err) {
	const struct replica *replica = (const struct replica *)engine;
	const struct replica_state state = replica_state((struct engine *)engine);
	const hash32 digest = head_digest(&replica->domain, head);
	if (!state.is_following) return err_set(err, STATUS_DENIED, "this witness signs nothing: %s", state.why);
	if (state.silent_ms > REPLICA_SILENT_MS)
		return err_set(err, STATUS_DENIED, "this witness signs nothing: its node has not answered for %llu ms",
		    (unsigned long long)state.silent_ms);
	return eth_sign_digest(out, &replica->options.secret, &digest);
}

/* --- making and freeing --- */

static void free_replica(struct engine *engine) {
	struct replica *replica = replica_of(engine);
	work_queue_fini(&replica->work);
	pthread_mutex_destroy(&replica->lock);
	mem_wipe(&replica->options.secret, sizeof replica->options.secret);
	mem_free(replica);
}

static const struct engine_kind replica_kind = {.run = run,
    .stop = stop,
    .call = call,
    .seal = seal,
    .next = next,
    .sealer = sealer_of,
    .sign_seal = sign_seal,
    .sign_head = sign_head,
    .free = free_replica,
    .is_final = true};

static enum status read_other(struct replica *replica, struct store *store, struct err *err) {
	struct store_value value;
	TRY(store_get(store, NULL, TABLE_META, &value, bytes_text(OTHER_KEY), err));
	const bool is_there = value.view.data != NULL, is_hash = value.view.len == sizeof replica->other_hash.b;
	if (is_there && is_hash) memcpy(replica->other_hash.b, value.view.data, sizeof replica->other_hash.b);
	store_value_release(&value);
	return !is_there || is_hash ? STATUS_OK : err_set(err, STATUS_CORRUPT, "the row %s is not a hash", OTHER_KEY);
}

enum status replica_new(struct engine **out, struct chain *chain, struct pool *pool, struct store *store,
    const struct replica_options *options, struct err *err) {
	struct replica *replica = mem_zalloc(1, sizeof *replica);
	const u256 chain_id = genesis_chain_id(chain_genesis(chain));
	replica->engine.kind = &replica_kind;
	replica->chain = chain;
	replica->pool = pool;
	replica->options = *options;
	replica->domain = seal_domain(&chain_id, chain_genesis_hash(chain));
	replica->has_sealer = options->mode == REPLICA_BLOCKS && genesis_sealer(chain_genesis(chain), &replica->sealer);
	snprintf(replica->why, sizeof replica->why, "it has not reached its node yet");
	pthread_mutex_init(&replica->lock, NULL);
	work_queue_init(&replica->work, &replica->engine, wake);
	const enum status status = read_other(replica, store, err);
	if (status != STATUS_OK) {
		free_replica(&replica->engine);
		return status;
	}
	*out = &replica->engine;
	return STATUS_OK;
}
