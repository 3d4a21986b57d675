/*
 * The transaction pool: admission, nonce order for each sender, replacement, limits, and a journal that makes a
 * returned hash survive `kill -9` (written before the hash is returned; not synced: power loss may take what no receipt
 * showed).
 *
 * An engine takes executable transactions only; gaps wait here. Rules follow geth's: replacement needs 10 % more of
 * both fees, at most 64 a sender wait behind a gap. A full pool drops what pays least for what pays more and could be
 * executed; a transaction is worth no more than those of its sender before it, and the last goes first.
 *
 * Transactions of blocks that fork choice leaves wait again; those of a block that is taken back for good (dev mode's
 * evm_revert) do not.
 *
 * A blob transaction (type 3, EIP-4844) comes with its sidecar, whose proofs are checked here (EIP-7594: cell proofs
 * from Osaka on, blob proofs before); it leaves no gap, and replacement needs twice all three fees. Its sidecar is a
 * file beside the journal while it waits, and for some blocks longer (sidecar_files.h). The rest of the ledger sees
 * such transactions without sidecars.
 *
 * The journal is a row of records, each `length u32, crc32 u32, envelope` (big-endian; the CRC is zlib's, over the
 * envelope). It is appended to with one write(2) a transaction, and written anew, beside and then renamed, when most of
 * it is dead. Reading stops at the first record that is cut off or whose CRC is wrong: what follows was never
 * acknowledged.
 *
 * A genesis may name a contract that says whose transactions are taken (admission.h): others are neither taken in nor
 * offered to an engine.
 *
 * A transaction that nobody signed (dev mode's impersonation) carries its sender in the place of a signature
 * (exec_impersonate); pool_unsigned_sender reads it, also for one that is in a block. Threads: any; one lock inside.
 */
#ifndef LEDGER_POOL_POOL_H
#define LEDGER_POOL_POOL_H

#include "ledger/chain/chain.h"

struct pool;

/* Why a transaction was not taken in, beyond enum tx_verdict. Texts are geth's. */
#define POOL_VERDICTS(X)                                                                                               \
	X(OK, "")                                                                                                      \
	X(INVALID, "invalid transaction") /* the tx_verdict says why */                                                \
	X(ALREADY_KNOWN, "already known")                                                                              \
	X(UNDERPRICED, "replacement transaction underpriced")                                                          \
	X(FULL, "txpool is full")                                                                                      \
	X(OUTBID, "transaction underpriced") /* all that is in a full pool pays more */                                \
	X(SENDER_FULL, "too many queued transactions of this sender")                                                  \
	X(TOO_LARGE, "oversized data")                                                                                 \
	X(BLOBS_FULL, "blob pool is full")                                                                             \
	X(BLOB_GAP, "nonce too high")                                                                                  \
	X(BLOB_NOT_PUT, "the blob that it names was not put here by its sender")                                       \
	X(BLOB_OTHER_SIZE, "the size that it says is not that of the blob which was put here")                         \
	X(SENDER_NOT_ADMITTED, "this chain takes no transactions of this sender") /* admission.h */
#define POOL_VERDICT_ENUM(name, text) POOL_##name,
enum pool_verdict { POOL_VERDICTS(POOL_VERDICT_ENUM) POOL_VERDICT_COUNT };
#undef POOL_VERDICT_ENUM
const char *pool_verdict_text(enum pool_verdict verdict);

struct pool_options {
	const char *journal_path; /* NULL: no journal (tests) */
	size_t capacity;          /* transactions; 0: 65,536 */
	size_t per_sender;        /* 0: 4,096 */
	size_t bytes_max;         /* 0: 256 MiB */
	const char *sidecar_path; /* a folder; NULL: sidecars are checked and not kept (tests) */
	size_t blobs_max;         /* waiting; 0: 4,096 (512 MiB on the disk) */
	/* A further condition of admission, which is no rule of the chain (a blob must be held here); asked outside the
	 * pool's lock. NULL: none. Sets the verdict: POOL_OK, POOL_BLOB_NOT_PUT or POOL_BLOB_OTHER_SIZE. */
	MUST_USE enum status (*admit)(void *context, enum pool_verdict *verdict, const struct transaction *tx,
	    const addr20 *sender, struct err *err);
	void *admit_context;
};
/* Reads the journal, dropping what is no longer valid. */
MUST_USE enum status pool_open(
    struct pool **out, struct chain *chain, const struct pool_options *options, struct err *err);
void pool_close(struct pool *pool);

/*
 * `envelope` is copied. Decodes, recovers the sender, checks against the head, journals. On POOL_OK `hash` is set and
 * the transaction will be offered to the engine once it is executable. STATUS_INVALID: it does not decode, or its
 * sidecar does not fit it; the message is geth's.
 */
MUST_USE enum status pool_add(struct pool *pool, hash32 *hash, enum pool_verdict *verdict, enum tx_verdict *tx_verdict,
    struct bytes envelope, struct err *err);
/*
 * The part of pool_add that asks nothing, ahead and for many, since senders are cheaper to recover together
 * (crypto/secp256k1_many.h); pool_add_reading does the rest. What does not decode, or nobody signed, is not `good`: it
 * is pool_add's, which says why. The arena holds what a reading views, beside its envelope.
 */
struct pool_reading {
	struct transaction tx;
	struct bytes sidecar;
	addr20 sender;
	bool good;
};
void pool_read_many(struct pool_reading *out, struct arena *arena, const struct bytes *envelopes, size_t count);
/* The same of one, whose sender may have been foreseen. */
void pool_read(struct pool *pool, struct pool_reading *out, struct arena *arena, struct bytes envelope);
MUST_USE enum status pool_add_reading(struct pool *pool, hash32 *hash, enum pool_verdict *verdict,
    enum tx_verdict *tx_verdict, const struct pool_reading *reading, struct err *err);
/* A pool_add of this envelope is about to come, on any thread: where others are too, their senders are recovered
 * together (foreseen.h). False: it will be alone, so there is nothing to wait for. */
bool pool_foresee(struct pool *pool, struct bytes envelope);
/* As pool_add, for a sender that signs nothing (dev mode's impersonation). */
MUST_USE enum status pool_add_unsigned(struct pool *pool, hash32 *hash, enum pool_verdict *verdict,
    enum tx_verdict *tx_verdict, const struct transaction *tx, const addr20 *sender, struct err *err);

/* The sender that an unsigned transaction names; false for any other. */
bool pool_unsigned_sender(addr20 *out, const struct transaction *tx);

/* Executable transactions, best first (fee, then arrival) in nonce order for each sender, until gas or count is used
 * up. They stay in the pool until a head includes them or pool_reject drops them. The arena holds copies. */
struct pool_pick {
	struct ordered_tx *txs;
	size_t count;
	size_t under_way; /* pool_send alone: with these */
};
MUST_USE enum status pool_pick(
    struct pool *pool, struct pool_pick *out, struct arena *arena, uint64_t gas_max, size_t count_max, struct err *err);
/* The same for one who will not seal it. */
MUST_USE enum status pool_peek(
    struct pool *pool, struct pool_pick *out, struct arena *arena, uint64_t gas_max, size_t count_max, struct err *err);
/* For an engine whose transactions are ordered elsewhere: executable ones, best first (who has fewest before it of its
 * own, so that nobody waits for somebody's thousands whatever they pay, then fee, then arrival), but none that is under
 * way already; and what is given is under way from now on, until a head includes it, until it was sent before
 * `again_before`, or until pool_send_again. The clock is the caller's, in any unit, and never goes back. */
struct pool_sending {
	uint64_t gas_max;
	size_t count_max, bytes_max; /* of this time; bytes of envelopes */
	size_t under_way_max;        /* of all that is under way */
	uint64_t now, again_before;
};
MUST_USE enum status pool_send(
    struct pool *pool, struct pool_pick *out, struct arena *arena, const struct pool_sending *sending, struct err *err);
/* Nothing of its sender is under way any more: what comes before it may be lost, too. NULL: nothing at all is. */
void pool_send_again(struct pool *pool, const hash32 *tx_hash);
/* The engine found it invalid after all. */
void pool_reject(struct pool *pool, const hash32 *hash);
/* Blocks until something is executable, `timeout_ms` went by, or pool_wake. True: there is work. */
bool pool_wait(struct pool *pool, uint32_t timeout_ms);
void pool_wake(struct pool *pool);

/* For RPC. A transaction's copy into the arena; false if unknown. */
bool pool_find(struct pool *pool, struct transaction *tx, addr20 *sender, struct arena *arena, const hash32 *hash);
/* The next nonce of an account with what waits here (eth_getTransactionCount "pending"). */
MUST_USE enum status pool_next_nonce(struct pool *pool, uint64_t *nonce, const addr20 *address, struct err *err);
struct pool_counts {
	size_t pending; /* executable */
	size_t queued;
};
struct pool_counts pool_counts(struct pool *pool);
void pool_visit(struct pool *pool,
    void (*visit)(void *context, const struct transaction *tx, const addr20 *sender, bool executable), void *context);

/* A transaction became known (newPendingTransactions). One observer; set before threads start. */
struct pool_observer {
	void (*added)(void *context, const hash32 *hash);
	void *context;
};
void pool_observe(struct pool *pool, const struct pool_observer *observer);

#endif
