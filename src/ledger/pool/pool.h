/*
 * The transaction pool: admission, nonce order for each sender, replacement, limits, and a journal that makes a returned hash
 * survive `kill -9` (written before the hash is returned; not synced: power loss may take what no receipt showed).
 *
 * An engine takes executable transactions only; gaps wait here. Rules follow geth's: replacement needs 10 % more of both fees, 64
 * waiting a sender beyond the executable, 5,120 slots in all unless configured.
 * Threads: any; one lock inside.
 */
#ifndef LEDGER_POOL_POOL_H
#define LEDGER_POOL_POOL_H

#include "ledger/chain/chain.h"

struct pool;

struct pool_options {
	const char *journal_path; /* NULL: no journal (tests) */
	size_t capacity;          /* transactions; 0: 65,536 */
	size_t per_sender;        /* 0: 4,096 */
	size_t bytes_max;         /* 0: 256 MiB */
};
/* Reads the journal, dropping what is no longer valid. */
MUST_USE enum status pool_open(struct pool **out, struct chain *chain, const struct pool_options *options, struct err *err);
void pool_close(struct pool *pool);

/* Why a transaction was not taken in, beyond enum tx_verdict. Texts are geth's. */
#define POOL_VERDICTS(X)                                                                                               \
	X(OK, "")                                                                                                      \
	X(INVALID, "invalid transaction") /* the tx_verdict says why */                                                \
	X(ALREADY_KNOWN, "already known")                                                                              \
	X(UNDERPRICED, "replacement transaction underpriced")                                                          \
	X(FULL, "txpool is full")                                                                                      \
	X(SENDER_FULL, "too many queued transactions of this sender")                                                  \
	X(TOO_LARGE, "oversized data")
#define POOL_VERDICT_ENUM(name, text) POOL_##name,
enum pool_verdict { POOL_VERDICTS(POOL_VERDICT_ENUM) POOL_VERDICT_COUNT };
#undef POOL_VERDICT_ENUM
const char *pool_verdict_text(enum pool_verdict verdict);

/*
 * `envelope` is copied. Decodes, recovers the sender, checks against the head, journals. On POOL_OK `hash` is set and the
 * transaction will be offered to the engine once it is executable. `message` tells more for a person.
 * STATUS_INVALID: it does not decode.
 */
MUST_USE enum status pool_add(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    struct bytes envelope, struct err *err);
/* As pool_add, for a sender that signs nothing (dev mode's impersonation). */
MUST_USE enum status pool_add_unsigned(struct pool *pool, hash32 *hash, enum pool_verdict *verdict,
    enum tx_verdict *tx_verdict, const struct transaction *tx, const addr20 *sender, struct err *err);

/* Executable transactions, best first (fee, then arrival) in nonce order for each sender, until gas or count is used up.
 * They stay in the pool until a head includes them or pool_reject drops them. The arena holds copies. */
struct pool_pick {
	struct ordered_tx *txs;
	size_t count;
};
MUST_USE enum status pool_pick(struct pool *pool, struct pool_pick *out, struct arena *arena, uint64_t gas_max,
    size_t count_max, struct err *err);
/* The engine found it invalid after all. */
void pool_reject(struct pool *pool, const hash32 *hash);
/* Blocks until something is executable, `timeout_ms` went by, or pool_wake. True: there is work. */
bool pool_wait(struct pool *pool, uint32_t timeout_ms);
void pool_wake(struct pool *pool);

/* For RPC. A transaction's copy into the arena; false where unknown. */
bool pool_find(struct pool *pool, struct transaction *tx, addr20 *sender, struct arena *arena, const hash32 *hash);
/* The next nonce of an account with what waits here (eth_getTransactionCount "pending"). */
MUST_USE enum status pool_next_nonce(struct pool *pool, uint64_t *nonce, const addr20 *address, struct err *err);
struct pool_counts {
	size_t pending; /* executable */
	size_t queued;
};
struct pool_counts pool_counts(struct pool *pool);
void pool_visit(struct pool *pool, void (*visit)(void *context, const struct transaction *tx, const addr20 *sender,
    bool executable), void *context);

/* A transaction became known (newPendingTransactions). One observer; set before threads start. */
struct pool_observer {
	void (*added)(void *context, const hash32 *hash);
	void *context;
};
void pool_observe(struct pool *pool, const struct pool_observer *observer);

#endif
