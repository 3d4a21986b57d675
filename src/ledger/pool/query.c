/* Looking into the pool. */
#include "ledger/pool/pool_private.h"

bool pool_find(struct pool *pool, struct transaction *tx, addr20 *sender, struct arena *arena, const hash32 *hash) {
	struct bytes raw = {0}, sidecar;
	pthread_mutex_lock(&pool->lock);
	const struct pool_tx *kept = pool_by_hash(pool, hash);
	if (kept != NULL) {
		raw = arena_dup(arena, bytes_make(kept->raw, kept->raw_len));
		*sender = kept->account->address;
	}
	pthread_mutex_unlock(&pool->lock);
	return raw.data != NULL && transaction_decode(tx, &sidecar, arena, raw, NULL) == STATUS_OK;
}

enum status pool_next_nonce(struct pool *pool, uint64_t *nonce, const addr20 *address, struct err *err) {
	struct account state;
	bool exists;
	pthread_mutex_lock(&pool->lock);
	const struct pool_account *account = pool_account(pool, address);
	if (account != NULL) *nonce = account->nonce + account->executable;
	pthread_mutex_unlock(&pool->lock);
	if (account != NULL) return STATUS_OK;
	struct chain_head *head = chain_head(pool->chain);
	const enum status status = state_view_account(head->view, &state, &exists, address, err);
	if (status == STATUS_OK) *nonce = state.nonce;
	chain_head_release(head);
	return status;
}

struct pool_counts pool_counts(struct pool *pool) {
	pthread_mutex_lock(&pool->lock);
	const struct pool_counts counts = {.pending = pool->executable, .queued = pool->count - pool->executable};
	pthread_mutex_unlock(&pool->lock);
	return counts;
}

void pool_visit(struct pool *pool,
    void (*visit)(void *context, const struct transaction *tx, const addr20 *sender, bool executable), void *context) {
	struct arena arena;
	arena_init(&arena);
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < pool->account_count; i++) {
		const struct pool_account *account = pool->accounts[i];
		for (size_t k = 0; k < account->count; k++) {
			struct transaction tx;
			struct bytes sidecar;
			const struct bytes raw = bytes_make(account->txs[k]->raw, account->txs[k]->raw_len);
			if (transaction_decode(&tx, &sidecar, &arena, raw, NULL) == STATUS_OK)
				visit(context, &tx, &account->address, k < account->executable);
			arena_reset(&arena);
		}
	}
	pthread_mutex_unlock(&pool->lock);
	arena_fini(&arena);
}

void pool_observe(struct pool *pool, const struct pool_observer *observer) {
	pool->observer = *observer;
}
