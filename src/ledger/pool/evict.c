/*
 * Making room in a full pool. A transaction is worth the least tip from its sender's first one to it, as it cannot go
 * before them; each sender's last one is what may go. Looking at all of them is dear, so some are dropped at once, and
 * what the least is worth is remembered while the head stays.
 */
#include "ledger/pool/pool_private.h"

enum { DROPPED_AT_ONCE = 64 }; /* this part of the capacity */

/* A sender's last transaction, in a heap with the least on top. */
struct last {
	struct pool_account *account;
	u256 worth_wei;
};

static u256 worth_of_last(const struct pool *pool, const struct pool_account *account) {
	u256 least = pool_tip(pool, account->txs[0]);
	for (size_t i = 1; i < account->count; i++) {
		const u256 tip = pool_tip(pool, account->txs[i]);
		if (u256_less(&tip, &least)) least = tip;
	}
	return least;
}

static void sift_down(struct last *heap, size_t count, size_t at) {
	for (;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
			if (u256_less(&heap[child].worth_wei, &heap[least].worth_wei)) least = child;
		if (least == at) return;
		const struct last moved = heap[at];
		heap[at] = heap[least];
		heap[least] = moved;
		at = least;
	}
}

static struct last *heap_of_lasts(const struct pool *pool) {
	struct last *heap = mem_alloc(pool->account_count * sizeof *heap);
	for (size_t i = 0; i < pool->account_count; i++)
		heap[i] = (struct last){pool->accounts[i], worth_of_last(pool, pool->accounts[i])};
	for (size_t i = pool->account_count / 2; i-- > 0;) sift_down(heap, pool->account_count, i);
	return heap;
}

static bool has_room(const struct pool *pool, const struct pool_tx *tx) {
	return pool->count < pool->capacity && pool->bytes + tx->raw_len <= pool->bytes_max;
}

/* Those worth less than `worth`, until there is room and some to spare. */
static void drop_least(struct pool *pool, const struct pool_tx *tx, const u256 *worth_wei) {
	struct last *heap = heap_of_lasts(pool);
	size_t count = pool->account_count;
	for (size_t dropped = 0; count > 0 && u256_less(&heap[0].worth_wei, worth_wei); dropped++) {
		struct pool_account *account = heap[0].account;
		const bool is_only = account->count == 1;
		if (has_room(pool, tx) && dropped >= pool->capacity / DROPPED_AT_ONCE) break;
		pool_remove(pool, account->txs[account->count - 1]);
		if (is_only)
			heap[0] = heap[--count];
		else
			heap[0].worth_wei = worth_of_last(pool, account);
		sift_down(heap, count, 0);
	}
	pool->knows_least = count > 0;
	if (count > 0) pool->least_worth_wei = heap[0].worth_wei;
	mem_free(heap);
}

enum pool_verdict pool_make_room(
    struct pool *pool, const struct pool_tx *tx, const addr20 *sender, uint64_t state_nonce) {
	const struct pool_account *account = pool_account(pool, sender);
	const uint64_t next = account != NULL ? account->nonce + account->executable : state_nonce;
	u256 worth = pool_tip(pool, tx);
	if (tx->nonce > next) return POOL_FULL; /* what waits behind a gap takes nobody's place */
	if (account != NULL) {
		const u256 before = worth_of_last(pool, account);
		if (u256_less(&before, &worth)) worth = before;
	}
	if (!pool->knows_least || u256_less(&pool->least_worth_wei, &worth)) drop_least(pool, tx, &worth);
	if (has_room(pool, tx)) return POOL_OK;
	return u256_less(&worth, &pool->least_worth_wei) ? POOL_OUTBID : POOL_FULL;
}
