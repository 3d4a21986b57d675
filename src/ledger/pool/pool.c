#include "ledger/pool/pool_private.h"

#include <errno.h>
#include <time.h>

#include "base/log.h"

const char *pool_verdict_text(enum pool_verdict verdict) {
#define POOL_VERDICT_TEXT(name, text) text,
	static const char *const texts[] = {POOL_VERDICTS(POOL_VERDICT_TEXT)};
#undef POOL_VERDICT_TEXT
	return (unsigned)verdict < POOL_VERDICT_COUNT ? texts[verdict] : "unknown";
}

void pool_reject(struct pool *pool, const hash32 *hash) {
	pthread_mutex_lock(&pool->lock);
	struct pool_tx *tx = pool_by_hash(pool, hash);
	if (tx != NULL) pool_remove(pool, tx);
	pool->has_work = pool->executable > 0;
	pthread_mutex_unlock(&pool->lock);
}

/* --- opening --- */

static void load_one(void *context, struct bytes envelope) {
	struct arena arena;
	struct transaction tx;
	struct bytes sidecar;
	struct err err;
	hash32 hash;
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	struct pool_offer offer = {.tx = &tx, .origin = POOL_FROM_JOURNAL};
	arena_init(&arena);
	enum status status = transaction_decode(&tx, &sidecar, &arena, envelope, &err);
	if (status == STATUS_OK) status = pool_add_decoded(context, &hash, &verdict, &tx_verdict, &offer, &err);
	if (status != STATUS_OK) log_warn("pool", "a journaled transaction is dropped: %s", err.message);
	arena_fini(&arena);
}

static bool waits(void *context, const hash32 *hash) {
	return pool_by_hash(context, hash) != NULL;
}

/* What waited when the node stopped. */
static enum status load(struct pool *pool, const struct pool_options *options, struct err *err) {
	TRY(sidecar_files_open(&pool->sidecars, options->sidecar_path, err));
	TRY(journal_open(&pool->journal, options->journal_path, load_one, pool, err));
	sidecar_files_sweep(&pool->sidecars, pool->head_number, waits, pool);
	return STATUS_OK;
}

enum status pool_open(struct pool **out, struct chain *chain, const struct pool_options *options, struct err *err) {
	struct pool *pool = mem_zalloc(1, sizeof *pool);
	pthread_condattr_t monotonic;
	pool->chain = chain;
	pool->admission = admission_new(chain);
	pool->admit = options->admit;
	pool->admit_context = options->admit_context;
	pool->capacity = options->capacity != 0 ? options->capacity : 65536;
	pool->per_sender = options->per_sender != 0 ? options->per_sender : 4096;
	pool->blobs_max = options->blobs_max != 0 ? options->blobs_max : 4096;
	pool->kzg = kzg_new();
	pool->bytes_max = options->bytes_max != 0 ? options->bytes_max : (size_t)256 << 20;
	pool->bucket_mask = 1;
	while (pool->bucket_mask < pool->capacity) pool->bucket_mask *= 2;
	pool->by_hash = mem_zalloc(pool->bucket_mask, sizeof(struct pool_tx *));
	pool->by_address = mem_zalloc(pool->bucket_mask, sizeof(struct pool_account *));
	pool->bucket_mask--;
	pthread_mutex_init(&pool->lock, NULL);
	foreseen_init(&pool->foreseen);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);

	struct chain_head *head = chain_head(chain);
	pool_learn_head(pool, &head->header);
	chain_head_release(head);
	const enum status status = load(pool, options, err);
	if (status != STATUS_OK) {
		pool_close(pool);
		return status;
	}
	pool_follow(pool);
	*out = pool;
	return STATUS_OK;
}

void pool_close(struct pool *pool) {
	if (pool == NULL) return;
	while (pool->account_count > 0) pool_set_nonce(pool, pool->accounts[0], UINT64_MAX);
	journal_close(&pool->journal);
	sidecar_files_close(&pool->sidecars);
	kzg_free(pool->kzg);
	mem_free(pool->accounts);
	mem_free(pool->by_hash);
	mem_free(pool->by_address);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	foreseen_fini(&pool->foreseen);
	admission_free(pool->admission);
	mem_free(pool);
}

/* --- waiting --- */

bool pool_wait(struct pool *pool, uint32_t timeout_ms) {
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&pool->lock);
	int result = 0;
	while (!pool->has_work && !pool->was_woken && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
	const bool has_work = pool->has_work;
	pool->was_woken = false;
	pthread_mutex_unlock(&pool->lock);
	return has_work;
}

void pool_wake(struct pool *pool) {
	pthread_mutex_lock(&pool->lock);
	pool->was_woken = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}
