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

#include "ledger/pool/admission.h"
#include "ledger/pool/foreseen.h"
#include "ledger/pool/journal.h"
#include "ledger/pool/kzg.h"
#include "ledger/pool/pool.h"
#include "ledger/pool/sidecar_files.h"

struct pool_account;

struct pool_tx {
	struct pool_tx *next; /* in its bucket */
	struct pool_account *account;
	hash32 hash;
	uint64_t nonce, gas_limit;
	uint64_t arrival; /* counts up */
	u256 max_fee_wei, max_priority_fee_wei, max_blob_fee_wei;
	uint32_t blob_count;
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
	size_t sent;      /* so many of its first are under way (pool_send); at most `executable` */
	uint64_t sent_at; /* the sender's clock, when the first of them was sent or the account last moved */
};

struct pool {
	struct chain *chain;
	struct admission *admission; /* NULL: every sender is admitted */
	MUST_USE enum status (*admit)(void *context, enum pool_verdict *verdict, const struct transaction *tx,
	    const addr20 *sender, struct err *err);
	void *admit_context;
	size_t capacity, per_sender, bytes_max, blobs_max;
	struct kzg *kzg;
	struct foreseen foreseen; /* with a lock of its own */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct pool_tx **by_hash;
	struct pool_account **by_address;
	size_t bucket_mask;
	struct pool_account **accounts;
	size_t account_count, account_cap;
	size_t count, executable, bytes, blobs;
	uint64_t arrivals;
	uint64_t head_number;
	bool knows_least; /* evict.c: nothing here is worth less than this, as of this head */
	u256 least_worth_wei;
	u256 next_base_fee_wei, next_blob_base_fee_wei;
	uint32_t next_blobs_max;
	uint64_t sending_at; /* the sender's clock, as it last said */
	bool has_work;       /* something executable came, or a block changed what is */
	bool was_woken;
	struct journal journal;
	struct sidecar_files sidecars;
	struct pool_observer observer;
};

/* What somebody wants to be taken in. */
struct pool_offer {
	const struct transaction *tx;
	addr20 sender;
	struct bytes sidecar; /* of a blob transaction from outside */
	/* What was in the journal or in a block was admitted once, and is not asked again. */
	enum { POOL_FROM_OUTSIDE, POOL_FROM_JOURNAL, POOL_FROM_BLOCK } origin;
};

/* The account after the head, and what follows for the transaction. */
struct pool_standing {
	uint64_t nonce;
	uint64_t head_number;
	enum fork fork; /* of the next block */
	enum tx_verdict verdict;
};

/* admit.c. Fills the offer's sender. */
MUST_USE enum status pool_add_decoded(struct pool *pool, hash32 *hash, enum pool_verdict *verdict,
    enum tx_verdict *tx_verdict, struct pool_offer *offer, struct err *err);

/* follow.c: the rules of the block after `head`; what the pool knows of it, under the lock; from now on, each head. */
struct exec_rules pool_next_rules(const struct pool *pool, const struct header *head);
void pool_learn_head(struct pool *pool, const struct header *head);
void pool_follow(struct pool *pool);

/* admit.c, under the lock: may `tx` come in beside what is here? */
enum pool_verdict pool_find_room(const struct pool *pool, const struct pool_tx *tx, const addr20 *sender);

/* blob_tx.c, not under the lock: may a blob transaction come in, and does its sidecar hold? STATUS_INVALID with the
 * reason where it does not. */
MUST_USE enum status pool_check_blobs(struct pool *pool, enum pool_verdict *verdict, const struct pool_tx *kept,
    const struct pool_offer *offer, const struct pool_standing *standing, struct err *err);

/* What it pays over the next block's base fee for each gas; 0 if it cannot pay that. */
u256 pool_tip(const struct pool *pool, const struct pool_tx *tx);

/* evict.c, under the lock. The pool is full: drops what is worth less than `tx`. POOL_OK: there is room now. */
enum pool_verdict pool_make_room(
    struct pool *pool, const struct pool_tx *tx, const addr20 *sender, uint64_t state_nonce);

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
