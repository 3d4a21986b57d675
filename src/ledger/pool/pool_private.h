/*
 * What the files of pool/ share. Internal to pool/.
 *
 * A transaction is kept as its envelope and the few numbers that ordering needs; readers decode it again. Every sender
 * with transactions here has an account: its nonce after the newest block, and its transactions by nonce. Invariants
 * under the lock: each account has at least one transaction and none below its nonce; `executable` counts those from
 * its nonce on without a gap.
 */
#ifndef LEDGER_POOL_PRIVATE_H
#define LEDGER_POOL_PRIVATE_H

#include <pthread.h>

#include "ledger/pool/journal.h"
#include "ledger/pool/pool.h"

struct pool_account;

struct pool_tx {
	struct pool_tx *next; /* in its bucket */
	struct pool_account *account;
	hash32 hash;
	uint64_t nonce, gas_limit;
	uint64_t arrival; /* counts up */
	u256 max_fee_wei, max_priority_fee_wei;
	size_t raw_len;
	uint8_t raw[];
};

struct pool_account {
	struct pool_account *next; /* in its bucket */
	size_t place;              /* in pool->accounts */
	addr20 address;
	uint64_t nonce;
	struct pool_tx **txs; /* by nonce */
	size_t count, cap;
	size_t executable;
};

struct pool {
	struct chain *chain;
	MUST_USE enum status (*admit)(
	    void *context, bool *admits, const struct transaction *tx, const addr20 *sender, struct err *err);
	void *admit_context;
	size_t capacity, per_sender, bytes_max;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct pool_tx **by_hash;
	struct pool_account **by_address;
	size_t bucket_mask;
	struct pool_account **accounts;
	size_t account_count, account_cap;
	size_t count, executable, bytes;
	uint64_t arrivals;
	uint64_t head_number;
	u256 next_base_fee_wei;
	bool has_work; /* something executable came, or a block changed what is */
	bool was_woken;
	bool is_loading;
	struct journal journal;
	struct pool_observer observer;
};

/* index.c. All under the lock. */
struct pool_tx *pool_by_hash(const struct pool *pool, const hash32 *hash);
struct pool_account *pool_account(const struct pool *pool, const addr20 *address);
/* The account's transaction of this nonce, or NULL; `*place`: where it stands or would. */
struct pool_tx *pool_by_nonce(const struct pool_account *account, uint64_t nonce, size_t *place);
/* Takes `tx` over; makes the account where it has none, with `state_nonce`. A transaction of the same nonce goes. */
void pool_insert(struct pool *pool, struct pool_tx *tx, const addr20 *sender, uint64_t state_nonce);
void pool_remove(struct pool *pool, struct pool_tx *tx);
/* The account's nonce after a block; what is below goes. The account may be gone then. */
void pool_set_nonce(struct pool *pool, struct pool_account *account, uint64_t nonce);

#endif
