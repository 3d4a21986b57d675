/* Offering transactions to an engine: the best sender's next one, again and again. */
#include "base/log.h"
#include "ledger/pool/pool_private.h"

/* A sender in the heap, by what its next transaction pays over the base fee. */
struct candidate {
	const struct pool_account *account;
	size_t place;
	u256 tip_wei;
	uint64_t arrival;
};

static bool is_better(const struct candidate *a, const struct candidate *b) {
	if (!u256_equal(&a->tip_wei, &b->tip_wei)) return u256_less(&b->tip_wei, &a->tip_wei);
	return a->arrival < b->arrival;
}

static void sift_down(struct candidate *heap, size_t count, size_t at) {
	for (;;) {
		size_t best = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
			if (is_better(&heap[child], &heap[best])) best = child;
		if (best == at) return;
		const struct candidate moved = heap[at];
		heap[at] = heap[best];
		heap[best] = moved;
		at = best;
	}
}

u256 pool_tip(const struct pool *pool, const struct pool_tx *tx) {
	u256 tip;
	if (u256_sub_overflow(&tip, &tx->max_fee_wei, &pool->next_base_fee_wei)) return u256_from(0);
	return u256_less(&tx->max_priority_fee_wei, &tip) ? tx->max_priority_fee_wei : tip;
}

/* False if the account has nothing more that the next block could take. */
static bool candidate_of(
    struct candidate *out, const struct pool *pool, const struct pool_account *account, size_t place) {
	if (place >= account->executable) return false;
	const struct pool_tx *tx = account->txs[place];
	if (u256_less(&tx->max_fee_wei, &pool->next_base_fee_wei)) return false;
	if (tx->blob_count != 0 && u256_less(&tx->max_blob_fee_wei, &pool->next_blob_base_fee_wei)) return false;
	*out = (struct candidate){
	    .account = account, .place = place, .tip_wei = pool_tip(pool, tx), .arrival = tx->arrival};
	return true;
}

/* Copies the envelope; it is decoded once the lock is free. */
static void take(struct ordered_tx *out, struct arena *arena, const struct pool_tx *kept) {
	struct transaction *tx = arena_alloc(arena, sizeof *tx);
	tx->raw = arena_dup(arena, bytes_make(kept->raw, kept->raw_len));
	const struct bytes hash = arena_dup(arena, BYTES_OF(kept->hash));
	*out = (struct ordered_tx){.tx = tx, .sender = kept->account->address, .hash = (const hash32 *)hash.data};
}

/* A sender that was admitted may not be any more. */
static bool is_admitted(const struct pool *pool, const addr20 *sender) {
	bool admits;
	struct err err;
	if (admission_admits(pool->admission, &admits, sender, &err) == STATUS_OK) return admits;
	log_error("pool", "a sender cannot be judged: %s", err.message);
	return false;
}

static void pick(struct pool *pool, struct pool_pick *out, struct arena *arena, uint64_t gas_max, size_t count_max) {
	struct candidate *heap = arena_alloc(arena, pool->account_count * sizeof *heap);
	size_t count = 0, blobs_max = pool->next_blobs_max;
	for (size_t i = 0; i < pool->account_count; i++)
		count += candidate_of(&heap[count], pool, pool->accounts[i], 0);
	for (size_t i = count / 2; i-- > 0;) sift_down(heap, count, i);
	if (count_max > pool->executable) count_max = pool->executable;
	*out = (struct pool_pick){.txs = arena_alloc(arena, count_max * sizeof *out->txs)};
	while (count > 0 && out->count < count_max) {
		const struct candidate best = heap[0];
		const struct pool_tx *tx = best.account->txs[best.place];
		const bool fits = tx->gas_limit <= gas_max && tx->blob_count <= blobs_max &&
				  is_admitted(pool, &best.account->address);
		if (fits) {
			take(&out->txs[out->count++], arena, tx);
			gas_max -= tx->gas_limit;
			blobs_max -= tx->blob_count;
		}
		if (!fits || !candidate_of(&heap[0], pool, best.account, best.place + 1)) heap[0] = heap[--count];
		sift_down(heap, count, 0);
	}
}

static enum status decode_picked(struct pool_pick *out, struct arena *arena, struct err *err) {
	for (size_t i = 0; i < out->count; i++) {
		struct bytes sidecar;
		struct transaction *tx = (struct transaction *)out->txs[i].tx;
		TRY(transaction_decode(tx, &sidecar, arena, tx->raw, err));
	}
	return STATUS_OK;
}

enum status pool_pick(struct pool *pool, struct pool_pick *out, struct arena *arena, uint64_t gas_max, size_t count_max,
    struct err *err) {
	pthread_mutex_lock(&pool->lock);
	pick(pool, out, arena, gas_max, count_max);
	pool->has_work = false; /* until something comes, or the next block moves what is left */
	pthread_mutex_unlock(&pool->lock);
	return decode_picked(out, arena, err);
}

enum status pool_peek(struct pool *pool, struct pool_pick *out, struct arena *arena, uint64_t gas_max, size_t count_max,
    struct err *err) {
	pthread_mutex_lock(&pool->lock);
	pick(pool, out, arena, gas_max, count_max);
	pthread_mutex_unlock(&pool->lock);
	return decode_picked(out, arena, err);
}
