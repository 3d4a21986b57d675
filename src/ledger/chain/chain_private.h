/*
 * What the files of chain/ share. Internal to chain/.
 *
 * The one lock here guards the published head and its count, nothing else: it is the point where the executing thread's
 * work becomes visible to all others (the determinism wall has no other thread in it).
 */
#ifndef LEDGER_CHAIN_PRIVATE_H
#define LEDGER_CHAIN_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ledger/chain/chain.h"

enum { OBSERVERS_MAX = 8 };

struct chain {
	struct store *store;
	struct genesis *genesis;
	hash32 genesis_hash;

	pthread_mutex_t lock; /* of `head`, `recent` and all heads' references */
	struct chain_head *head;
	struct chain_head *recent[CHAIN_RECENT_HEADS]; /* the heads before it, by number; NULL: none */

	atomic_ullong first_block, first_state; /* chain_horizon */

	/* The executing thread's own. */
	struct chain_retention retention;
	struct err err; /* what state and executor write to */
	struct state *state;
	struct executor *executor;
	struct trie_cache *trie_cache;
	struct account_cache *account_cache;
	bool syncs_later;
	struct pending_block *pending; /* one at a time */
	bool next_is_merged;
	u256 total_difficulty; /* of the head and all before it */
	uint64_t time_ms;      /* of the head, where it was decided here; else 0 */

	struct chain_observer observers[OBSERVERS_MAX];
	size_t observer_count;
};

struct pending_block_private {
	struct arena arena;
	struct state_diff diff;
	struct trie_updates *updates;
	addr20 *senders;                       /* of block.transactions */
	const struct block_decision *decision; /* while it is executed; NULL: a foreign block */
};

/* The failure that state or executor explained, passed on. */
enum status chain_fault(struct chain *chain, enum status status, struct err *err);

/* What follows for the child of the head: is it merged, what is the difficulty so far, what time is it. */
MUST_USE enum status chain_weigh_head(struct chain *chain, struct err *err);
/* Is what follows this block, which weighs `total` with all before it, after the merge? */
bool chain_is_merged(const struct chain *chain, const struct header *header, const u256 *total);
/* Makes a head of the store's newest state and publishes it. */
MUST_USE enum status chain_publish(
    struct chain *chain, const struct header *header, const hash32 *hash, struct err *err);

/* Block 0, with the state of the genesis, into a store whose state tables are empty. */
MUST_USE enum status chain_write_genesis(struct chain *chain, struct err *err);

/* horizon.c */
MUST_USE enum status chain_load_horizon(struct chain *chain, struct err *err);
void chain_put_horizon(struct store_batch *batch, struct chain *chain, const struct chain_horizon *horizon);
void chain_set_horizon(struct chain *chain, const struct chain_horizon *horizon);
/* Something of this block is not in the store: STATUS_PRUNED if it was dropped, else STATUS_NOTFOUND. */
MUST_USE enum status chain_missing_block(const struct chain *chain, uint64_t number, const char *what, struct err *err);
/* STATUS_PRUNED: the state after this block is not kept. */
MUST_USE enum status chain_check_state(const struct chain *chain, uint64_t number, struct err *err);
/* Drops some of what the retention does not keep, after a commit. */
MUST_USE enum status chain_prune(struct chain *chain, struct err *err);

/* adopt.c: did an adoption begin that has not ended? Its mark goes with block 0. */
MUST_USE enum status chain_is_adopting(struct chain *chain, bool *out, struct err *err);
void chain_del_mark(struct store_batch *batch, struct chain *chain);

/* A value that must be there. STATUS_NOTFOUND says `what` is not. */
MUST_USE enum status chain_get(struct chain *chain, struct store_value *out, enum store_table table, struct bytes key,
    const char *what, struct err *err);
/* A header by its whole key, on the chain or aside. */
MUST_USE enum status chain_header_at(
    struct chain *chain, struct header *out, uint64_t number, const hash32 *hash, struct err *err);
MUST_USE enum status chain_canonical_hash(struct chain *chain, hash32 *out, uint64_t number, struct err *err);

/* bodies.c: the rows of a block's body, and what it weighs with all before it. */
void chain_put_body(struct store_batch *batch, struct chain *chain, const struct block *block, const hash32 *hash,
    const u256 *total_difficulty);
void chain_del_body(
    struct store_batch *batch, struct chain *chain, uint64_t number, const hash32 *hash, size_t transaction_count);
/* The rows of its receipts, and of the index over their logs. */
void chain_put_receipts(struct store_batch *batch, struct chain *chain, const struct pending_block *pending);
void chain_del_receipts(struct store_batch *batch, struct chain *chain, uint64_t number, const hash32 *hash,
    const struct mined_receipt *receipts, size_t count);
struct block_key;
/* The row that holds item `index` of a block, in TXS or RECEIPTS. STATUS_NOTFOUND. */
MUST_USE enum status chain_read_group(struct chain *chain, const struct store_snapshot *snapshot,
    struct store_value *out, enum store_table table, const struct block_key *key, size_t index, struct err *err);
/* The difficulty of a block on the chain or aside, and of all its ancestors. */
MUST_USE enum status chain_weigh(
    struct chain *chain, u256 *total, uint64_t number, const hash32 *hash, struct err *err);

/* logs.c: chain_logs' plain twin, which reads every receipt of the range. */
MUST_USE enum status chain_logs_by_scan(struct chain *chain, const struct log_filter *filter, size_t limit,
    void (*visit)(void *context, const struct found_log *log), void *context, struct err *err);

/* produce.c: a new pending block on the head. Its header is filled but for what execution gives. */
struct pending_block *pending_new(struct chain *chain);
/* decide.c: the decided time, brought into the second that the header says; a clock that went back does not take the
 * chain's milliseconds with it. 0: there is none. */
uint64_t chain_decide_ms(const struct chain *chain, uint64_t timestamp, uint64_t time_ms);
/* Runs `txs` in order; `strict`: an invalid one is STATUS_INVALID instead of being skipped. Fills the header to its
 * hash. */
MUST_USE enum status pending_execute(struct chain *chain, struct pending_block *pending, const struct ordered_tx *txs,
    size_t count, bool strict, struct err *err);

/* import.c: as chain_unwind_head, but the block is kept aside. */
MUST_USE enum status chain_unwind_aside(struct chain *chain, struct err *err);
/* branches.c: notes that the header and body of this block, which is not on the chain, are kept. */
void chain_put_aside(struct store_batch *batch, struct chain *chain, uint64_t number, const hash32 *hash);

/* difficulty.c: of a block before the merge (Yellow Paper §4.4.4; EIP-2, 100). */
u256 chain_difficulty(const struct genesis *genesis, const struct header *parent, uint64_t timestamp);

/* dao.c (EIP-779): what moves at the fork's block, before its transactions; and the extra data of its ten blocks. */
MUST_USE enum status dao_move_funds(const struct genesis *genesis, struct state *state, uint64_t number);
bool dao_extra_is_valid(const struct genesis *genesis, const struct header *header);

/* validate.c: is this header one that may follow `parent`? STATUS_INVALID says what is wrong. */
MUST_USE enum status chain_check_header(
    const struct chain *chain, const struct header *header, const struct header *parent, bool merged, struct err *err);
/* The hash over a block's list of ommers, as its header names it. */
hash32 chain_ommers_hash(const struct block *block);
MUST_USE enum status chain_check_ommers(struct chain *chain, const struct block *block, struct err *err);

#endif
