/* Following the chain: what a new block took, and what a block that was left gives back. */
#include "base/log.h"
#include "ledger/pool/pool_private.h"

static const uint64_t JOURNAL_WASTE_BYTES = 4 << 20;

struct exec_rules pool_next_rules(const struct pool *pool, const struct header *head) {
	const struct header next = {.number = head->number + 1, .timestamp = head->timestamp + 1};
	return chain_rules(pool->chain, &next);
}

void pool_learn_head(struct pool *pool, const struct header *header) {
	const struct exec_rules rules = pool_next_rules(pool, header);
	pool->head_number = header->number;
	pool->knows_least = false;
	pool->next_base_fee_wei = u256_from(0);
	pool->next_blobs_max = rules.blob.max;
	pool->next_blob_base_fee_wei = u256_from(0);
	if (rules.fork >= FORK_CANCUN)
		pool->next_blob_base_fee_wei = exec_blob_base_fee(exec_excess_blob_gas(header, &rules), &rules.blob);
	if (rules.fork >= FORK_LONDON)
		pool->next_base_fee_wei = exec_next_base_fee(header, &rules, header->field_count >= HEADER_LONDON);
	pool->has_work = pool->executable > 0;
	pthread_cond_broadcast(&pool->changed);
}

/* Nonces may have moved otherwise than by the account's own transactions: all are read again. */
static void refresh_all(struct pool *pool, const struct chain_head *head) {
	for (size_t i = pool->account_count; i-- > 0;) {
		struct account state;
		bool exists;
		struct err err;
		if (state_view_account(head->view, &state, &exists, &pool->accounts[i]->address, &err) == STATUS_OK)
			pool_set_nonce(pool, pool->accounts[i], state.nonce);
		else
			log_error("pool", "an account could not be read: %s", err.message);
	}
}

static void trim_journal(struct pool *pool) {
	const uint64_t live = pool->bytes + pool->count * JOURNAL_HEADER_BYTES;
	struct journal *journal = &pool->journal;
	struct err err;
	if (journal->path == NULL || journal->size_bytes < JOURNAL_WASTE_BYTES || journal->size_bytes < 4 * live)
		return;
	struct buf records;
	buf_init(&records, SIZE_MAX);
	for (size_t i = 0; i < pool->account_count; i++)
		for (size_t k = 0; k < pool->accounts[i]->count; k++) {
			const struct pool_tx *tx = pool->accounts[i]->txs[k];
			journal_put(&records, bytes_make(tx->raw, tx->raw_len));
		}
	if (journal_replace(journal, buf_view(&records), &err) != STATUS_OK) log_warn("pool", "%s", err.message);
	buf_fini(&records);
}

/* Did all of the block come through this pool, so that nonces moved by what it knows alone? */
static bool is_own_block(const struct pool *pool, const struct pending_block *pending) {
	const struct block *block = &pending->block;
	for (size_t i = 0; i < block->transaction_count; i++)
		if (block->transactions[i].type == TX_SET_CODE || pool_by_hash(pool, &pending->tx_hashes[i]) == NULL)
			return false;
	return true;
}

/* From the last on: a sender's last transaction takes those before it along. */
static void drop_included(struct pool *pool, const struct pending_block *pending) {
	for (size_t i = pending->block.transaction_count; i-- > 0;) {
		const struct pool_tx *tx = pool_by_hash(pool, &pending->tx_hashes[i]);
		if (tx != NULL) pool_set_nonce(pool, tx->account, tx->nonce + 1);
	}
}

static void on_new_head(void *context, const struct chain_head *head, const struct pending_block *pending) {
	struct pool *pool = context;
	pthread_mutex_lock(&pool->lock);
	if (is_own_block(pool, pending))
		drop_included(pool, pending);
	else
		refresh_all(pool, head);
	pool_learn_head(pool, &head->header);
	trim_journal(pool);
	sidecar_files_trim(&pool->sidecars, pool->head_number);
	pthread_mutex_unlock(&pool->lock);
}

/* What stood in a block of the branch that was left waits again, but for what does not hold any more. */
static void put_back(struct pool *pool, const struct header *header, const hash32 *hash) {
	struct arena arena;
	struct block block = {0};
	struct err err;
	arena_init(&arena);
	const enum status status = chain_block_at(pool->chain, &block, &arena, header->number, hash, &err);
	if (status != STATUS_OK && status != STATUS_NOTFOUND) log_error("pool", "a block left: %s", err.message);
	for (size_t i = 0; status == STATUS_OK && i < block.transaction_count; i++) {
		hash32 tx_hash;
		enum pool_verdict verdict;
		enum tx_verdict tx_verdict;
		struct pool_offer offer = {.tx = &block.transactions[i], .origin = POOL_FROM_BLOCK};
		if (pool_add_decoded(pool, &tx_hash, &verdict, &tx_verdict, &offer, &err) != STATUS_OK)
			log_warn("pool", "a transaction of a block left is dropped: %s", err.message);
	}
	arena_fini(&arena);
}

static void on_removed_head(void *context, const struct unwound_block *block) {
	struct pool *pool = context;
	struct chain_head *head = chain_head(pool->chain);
	pthread_mutex_lock(&pool->lock);
	refresh_all(pool, head);
	pool_learn_head(pool, &head->header);
	pthread_mutex_unlock(&pool->lock);
	chain_head_release(head);
	put_back(pool, &block->header, &block->hash);
}

static void on_jump(void *context, const struct chain_head *head) {
	struct pool *pool = context;
	pthread_mutex_lock(&pool->lock);
	refresh_all(pool, head);
	pool_learn_head(pool, &head->header);
	pthread_mutex_unlock(&pool->lock);
}

void pool_follow(struct pool *pool) {
	const struct chain_observer observer = {
	    .new_head = on_new_head, .removed_head = on_removed_head, .jumped = on_jump, .context = pool};
	chain_observe(pool->chain, &observer);
}
