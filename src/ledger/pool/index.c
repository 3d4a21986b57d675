#include "ledger/pool/pool_private.h"

static struct pool_tx **hash_bucket(const struct pool *pool, const hash32 *hash) {
	return &pool->by_hash[load_be64(hash->b) & pool->bucket_mask];
}

static struct pool_account **address_bucket(const struct pool *pool, const addr20 *address) {
	return &pool->by_address[load_be64(address->b + 12) & pool->bucket_mask];
}

struct pool_tx *pool_by_hash(const struct pool *pool, const hash32 *hash) {
	struct pool_tx *tx = *hash_bucket(pool, hash);
	while (tx != NULL && !hash32_equal(&tx->hash, hash)) tx = tx->next;
	return tx;
}

struct pool_account *pool_account(const struct pool *pool, const addr20 *address) {
	struct pool_account *account = *address_bucket(pool, address);
	while (account != NULL && !addr20_equal(&account->address, address)) account = account->next;
	return account;
}

struct pool_tx *pool_by_nonce(const struct pool_account *account, uint64_t nonce, size_t *place) {
	size_t low = 0, high = account->count;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		if (account->txs[middle]->nonce < nonce)
			low = middle + 1;
		else
			high = middle;
	}
	*place = low;
	return low < account->count && account->txs[low]->nonce == nonce ? account->txs[low] : NULL;
}

static struct pool_account *make_account(struct pool *pool, const addr20 *address, uint64_t nonce) {
	struct pool_account *account = mem_zalloc(1, sizeof *account), **bucket = address_bucket(pool, address);
	if (pool->account_count == pool->account_cap) {
		pool->account_cap = pool->account_cap == 0 ? 64 : 2 * pool->account_cap;
		pool->accounts = mem_realloc(pool->accounts, pool->account_cap * sizeof(struct pool_account *));
	}
	account->address = *address;
	account->nonce = nonce;
	account->next = *bucket;
	account->place = pool->account_count;
	pool->accounts[pool->account_count++] = account;
	*bucket = account;
	return account;
}

static void drop_account(struct pool *pool, struct pool_account *account) {
	struct pool_account **link = address_bucket(pool, &account->address);
	while (*link != account) link = &(*link)->next;
	*link = account->next;
	struct pool_account *last = pool->accounts[--pool->account_count];
	pool->accounts[account->place] = last;
	last->place = account->place;
	mem_free(account->txs);
	mem_free(account);
}

/* From `executable` on, as far as there is no gap. */
static void count_executable(struct pool *pool, struct pool_account *account, size_t known) {
	size_t executable = known;
	while (executable < account->count && account->txs[executable]->nonce == account->nonce + executable)
		executable++;
	pool->executable += executable - account->executable;
	account->executable = executable;
	if (account->sent > executable) account->sent = executable;
}

static void unlink_tx(struct pool *pool, struct pool_tx *tx) {
	struct pool_tx **link = hash_bucket(pool, &tx->hash);
	while (*link != tx) link = &(*link)->next;
	*link = tx->next;
	pool->count--;
	pool->bytes -= tx->raw_len;
	if (tx->blob_count != 0) {
		pool->blobs -= tx->blob_count;
		sidecar_files_retire(&pool->sidecars, &tx->hash, pool->head_number);
	}
	mem_free(tx);
}

void pool_insert(struct pool *pool, struct pool_tx *tx, const addr20 *sender, uint64_t state_nonce) {
	struct pool_account *account = pool_account(pool, sender);
	struct pool_tx **bucket = hash_bucket(pool, &tx->hash);
	size_t place;
	if (account == NULL) account = make_account(pool, sender, state_nonce);
	struct pool_tx *old = pool_by_nonce(account, tx->nonce, &place);
	tx->account = account;
	tx->arrival = pool->arrivals++;
	tx->next = *bucket;
	*bucket = tx;
	pool->count++;
	pool->bytes += tx->raw_len;
	pool->blobs += tx->blob_count;
	if (old != NULL) {
		account->txs[place] = tx;
		if (account->sent > place) account->sent = place;
		unlink_tx(pool, old);
		return;
	}
	if (account->count == account->cap) {
		account->cap = account->cap == 0 ? 4 : 2 * account->cap;
		account->txs = mem_realloc(account->txs, account->cap * sizeof(struct pool_tx *));
	}
	memmove(account->txs + place + 1, account->txs + place, (account->count - place) * sizeof *account->txs);
	account->txs[place] = tx;
	account->count++;
	count_executable(pool, account, account->executable);
}

void pool_remove(struct pool *pool, struct pool_tx *tx) {
	struct pool_account *account = tx->account;
	size_t place;
	BUG_ON(pool_by_nonce(account, tx->nonce, &place) != tx);
	memmove(account->txs + place, account->txs + place + 1, (account->count - place - 1) * sizeof *account->txs);
	account->count--;
	if (account->sent > place) account->sent = place;
	count_executable(pool, account, place < account->executable ? place : account->executable);
	unlink_tx(pool, tx);
	if (account->count == 0) drop_account(pool, account);
}

void pool_set_nonce(struct pool *pool, struct pool_account *account, uint64_t nonce) {
	size_t below;
	pool_by_nonce(account, nonce, &below);
	for (size_t i = 0; i < below; i++) unlink_tx(pool, account->txs[i]);
	account->count -= below;
	memmove(account->txs, account->txs + below, account->count * sizeof *account->txs);
	account->sent -= below < account->sent ? below : account->sent;
	if (below > 0) account->sent_at = pool->sending_at;
	account->nonce = nonce;
	count_executable(pool, account, 0);
	if (account->count == 0) drop_account(pool, account);
}
