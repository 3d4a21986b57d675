/* Taking in: the head's state judges, room is found, and the journal has it before anyone sees it. */
#include "ledger/pool/pool_private.h"

enum {
	TX_MAX_BYTES = 128 * 1024,
	QUEUED_PER_SENDER_MAX = 64,
	REPLACEMENT_PERCENT = 10,
	BLOB_REPLACEMENT_PERCENT = 100
};

bool pool_unsigned_sender(addr20 *out, const struct transaction *tx) {
	if (!exec_is_impersonated(tx)) return false;
	*out = exec_impersonated_sender(tx);
	return true;
}

/* --- what the head says --- */

static enum status judge_sender(struct pool_standing *out, const struct chain_head *head, const struct transaction *tx,
    const addr20 *sender, struct err *err) {
	struct account account;
	bool exists;
	u256 cost;
	TRY(state_view_account(head->view, &account, &exists, sender, err));
	out->nonce = account.nonce;
	out->verdict = TX_VERDICT_OK;
	if (tx->nonce < account.nonce) {
		out->verdict = TX_VERDICT_NONCE_TOO_LOW;
		return STATUS_OK;
	}
	const bool overflow = exec_total_cost(&cost, tx, &tx->max_fee_wei, &tx->max_blob_fee_wei);
	if (overflow || u256_less(&account.balance_wei, &cost)) out->verdict = TX_VERDICT_INSUFFICIENT_FUNDS;
	if (hash32_equal(&account.code_hash, &empty_code_hash)) return STATUS_OK;

	struct buf code; /* EIP-3607: a sender with code must be an EIP-7702 account */
	buf_init(&code, BUF_MAX_DEFAULT);
	const enum status status = state_view_code(head->view, &code, &account.code_hash, err);
	const bool is_delegation = code.len == 23 && memcmp(code.data, "\xef\x01\x00", 3) == 0;
	if (status == STATUS_OK && !is_delegation && !exec_is_impersonated(tx))
		out->verdict = TX_VERDICT_SENDER_IS_CONTRACT;
	buf_fini(&code);
	return status;
}

static enum status judge(
    struct pool *pool, struct pool_standing *out, const struct transaction *tx, const addr20 *sender, struct err *err) {
	struct chain_head *head = chain_head(pool->chain);
	const struct exec_rules rules = pool_next_rules(pool, &head->header);
	enum status status = STATUS_OK;
	out->head_number = head->header.number;
	out->fork = rules.fork;
	out->verdict = exec_check_static(tx, &rules);
	if (out->verdict == TX_VERDICT_OK && tx->gas_limit > head->header.gas_limit)
		out->verdict = TX_VERDICT_GAS_LIMIT_OVER_BLOCK;
	if (out->verdict == TX_VERDICT_OK) status = judge_sender(out, head, tx, sender, err);
	chain_head_release(head);
	return status;
}

/* --- taking in --- */

/* So much more, of a fee that is not zero; equal zeros may be replaced on chains without fees only by paying something.
 */
static bool outbids(const u256 *fee, const u256 *old, uint64_t percent) {
	const u256 factor = u256_from(100 + percent), hundred = u256_from(100);
	u256 least, scaled;
	if (u256_mul_overflow(&least, old, &factor)) return false;
	if (u256_mul_overflow(&scaled, fee, &hundred)) return true;
	return !u256_less(&scaled, &least) && u256_less(old, fee);
}

static bool may_replace(const struct pool_tx *old, const struct pool_tx *tx) {
	const bool has_blobs = old->blob_count != 0 || tx->blob_count != 0;
	const uint64_t percent = has_blobs ? BLOB_REPLACEMENT_PERCENT : REPLACEMENT_PERCENT;
	return outbids(&tx->max_fee_wei, &old->max_fee_wei, percent) &&
	       outbids(&tx->max_priority_fee_wei, &old->max_priority_fee_wei, percent) &&
	       (!has_blobs || outbids(&tx->max_blob_fee_wei, &old->max_blob_fee_wei, percent));
}

enum pool_verdict pool_find_room(const struct pool *pool, const struct pool_tx *tx, const addr20 *sender) {
	if (pool_by_hash(pool, &tx->hash) != NULL) return POOL_ALREADY_KNOWN;
	const struct pool_account *account = pool_account(pool, sender);
	size_t place;
	const struct pool_tx *old = account != NULL ? pool_by_nonce(account, tx->nonce, &place) : NULL;
	if (old != NULL) return may_replace(old, tx) ? POOL_OK : POOL_UNDERPRICED;
	if (tx->blob_count != 0 && pool->blobs + tx->blob_count > pool->blobs_max) return POOL_BLOBS_FULL;
	if (account != NULL) {
		const bool is_next = tx->nonce == account->nonce + account->executable;
		if (account->count >= pool->per_sender) return POOL_SENDER_FULL;
		if (!is_next && account->count - account->executable >= QUEUED_PER_SENDER_MAX) return POOL_SENDER_FULL;
	}
	return pool->count >= pool->capacity || pool->bytes + tx->raw_len > pool->bytes_max ? POOL_FULL : POOL_OK;
}

static struct pool_tx *pool_tx_new(const struct transaction *tx) {
	struct pool_tx *kept = mem_alloc(sizeof *kept + tx->raw.len);
	*kept = (struct pool_tx){.hash = transaction_hash(tx),
	    .nonce = tx->nonce,
	    .gas_limit = tx->gas_limit,
	    .max_fee_wei = tx->max_fee_wei,
	    .max_priority_fee_wei = tx->max_priority_fee_wei,
	    .max_blob_fee_wei = tx->max_blob_fee_wei,
	    .blob_count = (uint32_t)tx->blob_count,
	    .raw_len = tx->raw.len};
	memcpy(kept->raw, tx->raw.data, tx->raw.len);
	return kept;
}

/* Journaled before anyone can see it. */
static enum status write_down(
    struct pool *pool, const struct pool_tx *tx, const struct pool_offer *offer, struct err *err) {
	if (tx->blob_count != 0 && offer->origin == POOL_FROM_OUTSIDE)
		TRY(sidecar_files_put(&pool->sidecars, &tx->hash, offer->sidecar, err));
	if (tx->blob_count != 0) sidecar_files_claim(&pool->sidecars, &tx->hash);
	if (offer->origin == POOL_FROM_JOURNAL) return STATUS_OK;
	const enum status status = journal_append(&pool->journal, bytes_make(tx->raw, tx->raw_len), err);
	if (status != STATUS_OK && tx->blob_count != 0)
		sidecar_files_retire(&pool->sidecars, &tx->hash, pool->head_number);
	return status;
}

/* Under the lock: `tx` is taken over only if the verdict is POOL_OK. */
static enum status put(struct pool *pool, enum pool_verdict *verdict, struct pool_tx *tx,
    const struct pool_offer *offer, uint64_t state_nonce, struct err *err) {
	*verdict = pool_find_room(pool, tx, &offer->sender);
	if (*verdict == POOL_FULL) *verdict = pool_make_room(pool, tx, &offer->sender, state_nonce);
	if (*verdict != POOL_OK) return STATUS_OK;
	TRY(write_down(pool, tx, offer, err));
	const size_t executable = pool->executable;
	pool_insert(pool, tx, &offer->sender, state_nonce);
	pool->knows_least = false;
	if (pool->executable > executable || tx->nonce < tx->account->nonce + tx->account->executable) {
		pool->has_work = true;
		pthread_cond_broadcast(&pool->changed);
	}
	return STATUS_OK;
}

static enum status add_judged(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    const struct pool_offer *offer, struct err *err) {
	struct pool_tx *kept = pool_tx_new(offer->tx);
	bool is_checked = offer->tx->type != TX_BLOB;
	enum status status;
	*hash = kept->hash;
	for (bool again = true; again;) {
		struct pool_standing standing;
		status = judge(pool, &standing, offer->tx, &offer->sender, err);
		*tx_verdict = standing.verdict;
		*verdict = standing.verdict == TX_VERDICT_OK ? POOL_OK : POOL_INVALID;
		if (status == STATUS_OK && *verdict == POOL_OK && !is_checked)
			status = pool_check_blobs(pool, verdict, kept, offer, &standing, err);
		is_checked = true;
		if (status != STATUS_OK || *verdict != POOL_OK) break;
		pthread_mutex_lock(&pool->lock);
		again = standing.head_number < pool->head_number; /* a block came in between */
		if (!again) status = put(pool, verdict, kept, offer, standing.nonce, err);
		pthread_mutex_unlock(&pool->lock);
	}
	const bool taken = status == STATUS_OK && *verdict == POOL_OK;
	if (!taken) mem_free(kept);
	if (taken && pool->observer.added != NULL) pool->observer.added(pool->observer.context, hash);
	return status;
}

static enum status admit(
    struct pool *pool, enum pool_verdict *verdict, const struct pool_offer *offer, struct err *err) {
	bool admits;
	*verdict = POOL_OK;
	if (offer->origin != POOL_FROM_OUTSIDE) return STATUS_OK;
	TRY(admission_admits(pool->admission, &admits, &offer->sender, err));
	if (!admits)
		*verdict = POOL_SENDER_NOT_ADMITTED;
	else if (pool->admit != NULL)
		TRY(pool->admit(pool->admit_context, verdict, offer->tx, &offer->sender, err));
	return STATUS_OK;
}

static enum status add_signed(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    const struct pool_offer *offer, struct err *err) {
	TRY(admit(pool, verdict, offer, err));
	return *verdict == POOL_OK ? add_judged(pool, hash, verdict, tx_verdict, offer, err) : STATUS_OK;
}

enum status pool_add_decoded(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    struct pool_offer *offer, struct err *err) {
	const struct transaction *tx = offer->tx;
	const bool is_unsigned = offer->origin != POOL_FROM_OUTSIDE && pool_unsigned_sender(&offer->sender, tx);
	*tx_verdict = TX_VERDICT_OK;
	*verdict = POOL_OK;
	if (tx->raw.len > TX_MAX_BYTES) *verdict = POOL_TOO_LARGE;
	/* From outside, impersonation's form is no signature, though some key fits it. */
	const bool is_refused = !is_unsigned && exec_is_impersonated(tx);
	if (*verdict == POOL_OK && !is_unsigned && !foreseen_take(&pool->foreseen, &offer->sender, tx->raw) &&
	    (is_refused || transaction_sender(&offer->sender, tx, true, err) != STATUS_OK)) {
		*verdict = POOL_INVALID;
		*tx_verdict = TX_VERDICT_BAD_SIGNATURE;
	}
	return *verdict == POOL_OK ? add_signed(pool, hash, verdict, tx_verdict, offer, err) : STATUS_OK;
}

enum status pool_add(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    struct bytes envelope, struct err *err) {
	struct arena arena;
	struct transaction tx;
	struct pool_offer offer = {.tx = &tx};
	arena_init(&arena);
	enum status status = transaction_decode(&tx, &offer.sidecar, &arena, envelope, err);
	if (status == STATUS_OK) status = pool_add_decoded(pool, hash, verdict, tx_verdict, &offer, err);
	arena_fini(&arena);
	return status;
}

/* All of a reading but its sender; false: there will be none. */
static bool decode_reading(struct pool_reading *out, struct arena *arena, struct bytes envelope) {
	struct err err;
	return transaction_decode(&out->tx, &out->sidecar, arena, envelope, &err) == STATUS_OK &&
	       out->tx.raw.len <= TX_MAX_BYTES && !exec_is_impersonated(&out->tx);
}

void pool_read(struct pool *pool, struct pool_reading *out, struct arena *arena, struct bytes envelope) {
	struct err err;
	out->good = decode_reading(out, arena, envelope) &&
		    (foreseen_take(&pool->foreseen, &out->sender, out->tx.raw) ||
			transaction_sender(&out->sender, &out->tx, true, &err) == STATUS_OK);
}

void pool_read_many(struct pool_reading *out, struct arena *arena, const struct bytes *envelopes, size_t count) {
	const struct transaction **txs = arena_alloc(arena, count * sizeof *txs);
	addr20 *senders = arena_alloc(arena, count * sizeof *senders);
	enum status *statuses = arena_alloc(arena, count * sizeof *statuses);
	size_t decoded = 0;
	for (size_t i = 0; i < count; i++) {
		out[i].good = decode_reading(&out[i], arena, envelopes[i]);
		if (out[i].good) txs[decoded++] = &out[i].tx;
	}
	transaction_senders(senders, statuses, txs, decoded, true);
	for (size_t i = 0, k = 0; i < count; i++) {
		if (!out[i].good) continue;
		out[i].good = statuses[k] == STATUS_OK;
		out[i].sender = senders[k++];
	}
}

bool pool_foresee(struct pool *pool, struct bytes envelope) {
	return foreseen_put(&pool->foreseen, envelope);
}

enum status pool_add_reading(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    const struct pool_reading *reading, struct err *err) {
	BUG_ON(!reading->good);
	const struct pool_offer offer = {.tx = &reading->tx, .sidecar = reading->sidecar, .sender = reading->sender};
	*tx_verdict = TX_VERDICT_OK;
	return add_signed(pool, hash, verdict, tx_verdict, &offer, err);
}

enum status pool_add_unsigned(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    const struct transaction *tx, const addr20 *sender, struct err *err) {
	struct transaction marked = *tx;
	const struct pool_offer offer = {.tx = &marked, .sender = *sender};
	struct buf raw;
	buf_init(&raw, BUF_MAX_DEFAULT);
	marked.v = u256_from(tx->type == TX_LEGACY ? 27 : 0);
	marked.has_chain_id = tx->type != TX_LEGACY;
	exec_impersonate(&marked, sender);
	marked.raw = (struct bytes){0};
	transaction_encode(&raw, &marked);
	marked.raw = buf_view(&raw);
	*tx_verdict = TX_VERDICT_OK;
	*verdict = POOL_TOO_LARGE;
	enum status status = STATUS_OK;
	if (raw.len <= TX_MAX_BYTES) status = add_judged(pool, hash, verdict, tx_verdict, &offer, err);
	buf_fini(&raw);
	return status;
}
