/* What a blob transaction needs beside the rules of the chain: a sidecar that holds, and no gap before it. */
#include "ledger/pool/pool_private.h"
#include "ledger/pool/sidecar.h"

/* Before anything dear is done. */
static enum pool_verdict find_place(
    struct pool *pool, const struct pool_tx *kept, const addr20 *sender, uint64_t nonce) {
	pthread_mutex_lock(&pool->lock);
	enum pool_verdict verdict = pool_find_room(pool, kept, sender);
	const struct pool_account *account = pool_account(pool, sender);
	if (account != NULL) nonce = account->nonce + account->executable;
	if (verdict == POOL_FULL) verdict = POOL_OK; /* room may be made for it once it is proved */
	if (verdict == POOL_OK && kept->nonce > nonce) verdict = POOL_BLOB_GAP;
	pthread_mutex_unlock(&pool->lock);
	return verdict;
}

static enum status check_new(
    struct pool *pool, struct arena *arena, const struct pool_offer *offer, enum fork fork, struct err *err) {
	struct sidecar sidecar;
	TRY(sidecar_decode(&sidecar, arena, offer->sidecar, err));
	TRY(sidecar_check(&sidecar, offer->tx, fork, err));
	return sidecar_prove(&sidecar, pool->kzg, err);
}

/* Proved once, before a fork perhaps: the file must be there and be this transaction's. */
static enum status check_kept(
    struct pool *pool, struct arena *arena, const struct pool_tx *kept, const struct transaction *tx, struct err *err) {
	struct sidecar sidecar;
	struct buf items;
	buf_init(&items, BUF_MAX_DEFAULT);
	enum status status = sidecar_files_get(&pool->sidecars, &items, &kept->hash, err);
	if (status == STATUS_OK) status = sidecar_decode(&sidecar, arena, buf_view(&items), err);
	if (status == STATUS_OK)
		status = sidecar_check(&sidecar, tx, sidecar.version == 0 ? FORK_CANCUN : FORK_OSAKA, err);
	buf_fini(&items);
	return status;
}

enum status pool_check_blobs(struct pool *pool, enum pool_verdict *verdict, const struct pool_tx *kept,
    const struct pool_offer *offer, const struct pool_standing *standing, struct err *err) {
	struct arena arena;
	enum status status = STATUS_OK;
	arena_init(&arena);
	if (offer->origin != POOL_FROM_OUTSIDE) {
		status = check_kept(pool, &arena, kept, offer->tx, err);
	} else {
		*verdict = find_place(pool, kept, &offer->sender, standing->nonce);
		if (*verdict == POOL_OK) status = check_new(pool, &arena, offer, standing->fork, err);
	}
	arena_fini(&arena);
	return status;
}
