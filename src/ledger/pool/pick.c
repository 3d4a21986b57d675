/* Offering transactions to an engine, or sending them away to be ordered: the best sender's next one, again and again.
 */
#include "base/log.h"
#include "ledger/pool/pool_private.h"

/* A sender in the heap: first by its turn, then by what its next transaction pays over the base fee. */
struct candidate {
	struct pool_account *account;
	size_t place;
	u256 tip_wei;
	size_t turn; /* to send: how many of the sender's own come before it, under way or not; else 0 */
	uint64_t arrival;
};

static bool is_better(const struct candidate *a, const struct candidate *b) {
	if (a->turn != b->turn) return a->turn < b->turn;
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
    struct candidate *out, const struct pool *pool, struct pool_account *account, size_t place, bool is_sending) {
	if (place >= account->executable) return false;
	const struct pool_tx *tx = account->txs[place];
	if (u256_less(&tx->max_fee_wei, &pool->next_base_fee_wei)) return false;
	if (tx->blob_count != 0 && u256_less(&tx->max_blob_fee_wei, &pool->next_blob_base_fee_wei)) return false;
	*out = (struct candidate){.account = account,
	    .place = place,
	    .tip_wei = pool_tip(pool, tx),
	    .turn = is_sending ? place : 0,
	    .arrival = tx->arrival};
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

/* What may be taken together. */
struct room {
	uint64_t gas;
	size_t count, bytes;
	bool is_sending; /* what is under way is left out, and what is taken is under way */
};

static bool fits(const struct pool *pool, const struct room *room, const struct pool_tx *tx, size_t blobs) {
	return tx->gas_limit <= room->gas && tx->blob_count <= blobs && tx->raw_len <= room->bytes &&
	       is_admitted(pool, &tx->account->address);
}

static void pick(struct pool *pool, struct pool_pick *out, struct arena *arena, struct room room) {
	struct candidate *heap = arena_alloc(arena, pool->account_count * sizeof *heap);
	size_t count = 0, blobs = pool->next_blobs_max;
	for (size_t i = 0; i < pool->account_count; i++)
		count += candidate_of(&heap[count], pool, pool->accounts[i],
		    room.is_sending ? pool->accounts[i]->sent : 0, room.is_sending);
	for (size_t i = count / 2; i-- > 0;) sift_down(heap, count, i);
	if (room.count > pool->executable) room.count = pool->executable;
	*out = (struct pool_pick){.txs = arena_alloc(arena, room.count * sizeof *out->txs)};
	while (count > 0 && out->count < room.count) {
		const struct candidate best = heap[0];
		const struct pool_tx *tx = best.account->txs[best.place];
		const bool taken = fits(pool, &room, tx, blobs);
		if (taken) {
			take(&out->txs[out->count++], arena, tx);
			room.gas -= tx->gas_limit;
			room.bytes -= tx->raw_len;
			blobs -= tx->blob_count;
			if (room.is_sending) tx->account->sent = best.place + 1;
		}
		if (!taken || !candidate_of(&heap[0], pool, best.account, best.place + 1, room.is_sending))
			heap[0] = heap[--count];
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
	pick(pool, out, arena, (struct room){.gas = gas_max, .count = count_max, .bytes = SIZE_MAX});
	pool->has_work = false; /* until something comes, or the next block moves what is left */
	pthread_mutex_unlock(&pool->lock);
	return decode_picked(out, arena, err);
}

enum status pool_peek(struct pool *pool, struct pool_pick *out, struct arena *arena, uint64_t gas_max, size_t count_max,
    struct err *err) {
	pthread_mutex_lock(&pool->lock);
	pick(pool, out, arena, (struct room){.gas = gas_max, .count = count_max, .bytes = SIZE_MAX});
	pthread_mutex_unlock(&pool->lock);
	return decode_picked(out, arena, err);
}

/* --- sending --- */

/* Gives up waiting for what was sent long ago; returns how many are under way. */
static size_t recall_old(struct pool *pool, const struct pool_sending *sending) {
	size_t under_way = 0;
	for (size_t i = 0; i < pool->account_count; i++) {
		struct pool_account *account = pool->accounts[i];
		if (account->sent_at < sending->again_before) account->sent = 0;
		if (account->sent == 0) account->sent_at = sending->now;
		under_way += account->sent;
	}
	return under_way;
}

enum status pool_send(struct pool *pool, struct pool_pick *out, struct arena *arena, const struct pool_sending *sending,
    struct err *err) {
	pthread_mutex_lock(&pool->lock);
	pool->sending_at = sending->now;
	const size_t under_way = recall_old(pool, sending);
	const size_t room = under_way < sending->under_way_max ? sending->under_way_max - under_way : 0;
	pick(pool, out, arena,
	    (struct room){.gas = sending->gas_max,
		.count = room < sending->count_max ? room : sending->count_max,
		.bytes = sending->bytes_max,
		.is_sending = true});
	out->under_way = under_way + out->count;
	pool->has_work = out->count > 0; /* there may be more */
	pthread_mutex_unlock(&pool->lock);
	return decode_picked(out, arena, err);
}

void pool_send_again(struct pool *pool, const hash32 *tx_hash) {
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; tx_hash == NULL && i < pool->account_count; i++) pool->accounts[i]->sent = 0;
	const struct pool_tx *tx = tx_hash != NULL ? pool_by_hash(pool, tx_hash) : NULL;
	if (tx != NULL) tx->account->sent = 0;
	pool->has_work = pool->executable > 0;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}
