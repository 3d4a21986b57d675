/*
 * The chain: genesis, the fork schedule, executing and committing blocks, and the head that everyone reads.
 *
 * The seam for any consensus (architecture rule 7): `chain_execute` gives a header and everything that would be
 * written, without writing; `chain_commit` makes it durable in one database transaction and publishes the new head.
 * Solo sealing and, later, CometBFT use these two and nothing else.
 *
 * Threads: one thread executes, commits and imports. Any thread takes a view of the head (chain_head) and reads blocks.
 * Ownership: a `struct chain_head` is counted; release what you take.
 */
#ifndef LEDGER_CHAIN_CHAIN_H
#define LEDGER_CHAIN_CHAIN_H

#include "ledger/chain/genesis.h"
#include "ledger/exec/exec.h"
#include "ledger/state/commitment.h"

struct chain;

/*
 * Opens the chain in `store`; a new store is given the genesis block of `genesis_json` (geth's format). With a store
 * that holds a chain, `genesis_json` may be empty; one that makes another genesis block is refused (STATUS_INVALID).
 */
struct chain_retention {
	uint64_t blocks;  /* at least CHAIN_RETAIN_LEAST; 0: all of them */
	uint64_t seconds; /* blocks that are younger than so long before the head stay, too */
};
/* BLOCKHASH reaches back 256 blocks, and so does a snapshot, which is made while blocks are dropped. */
#define CHAIN_RETAIN_LEAST 1024u
struct chain_options {
	struct bytes genesis_json;
	size_t cache_bytes; /* for recently used parts of the tries; 0: 32 MiB */
	struct chain_retention retention;
};
MUST_USE enum status chain_open(
    struct chain **out, struct store *store, const struct chain_options *options, struct err *err);
void chain_close(struct chain *chain);

const struct genesis *chain_genesis(const struct chain *chain);
const hash32 *chain_genesis_hash(const struct chain *chain);

/* The newest block with the state after it: immutable, shared, counted. */
struct chain_head {
	struct header header;
	hash32 hash;
	const struct state_view *view;
	/* private below this line */
	struct chain *chain;
	size_t references;
};
struct chain_head *chain_head(struct chain *chain);
/* One of the newest blocks, the head or one of so many before it: their states are kept open, so that a client that
 * asked for the head a moment ago reads and has proofs at it as fast as at the head. NULL: it is not one of them. */
#define CHAIN_RECENT_HEADS 64
struct chain_head *chain_head_at(struct chain *chain, uint64_t number);
struct chain_head *chain_head_of(struct chain *chain, const hash32 *hash);
void chain_head_release(struct chain_head *head);
/* The state after an older block of the canonical chain. */
MUST_USE enum status chain_view_at(struct chain *chain, struct state_view **out, uint64_t number, struct err *err);

/* What is kept of the past. Headers stay, and in which block a transaction is. Asking for what was dropped is
 * STATUS_PRUNED. Any thread. */
struct chain_horizon {
	uint64_t first_block; /* from this block on bodies and receipts are there; block 0 always is */
	uint64_t first_state; /* after this block, and after later ones, the state can be read */
};
struct chain_horizon chain_horizon(const struct chain *chain);

struct exec_rules chain_rules(const struct chain *chain, const struct header *header);
/* Towards `target`, as far as one block may go from its parent's gas limit (Yellow Paper §4.4.4). */
uint64_t chain_next_gas_limit(uint64_t parent, uint64_t target);
/* Ancestors' hashes for a block whose parent is given. */
struct exec_block_hashes chain_block_hashes(struct chain *chain);

/* --- the seam --- */

/* A transaction that was taken in before; the sender may be known already. */
struct ordered_tx {
	const struct transaction *tx;
	addr20 sender;
	const hash32 *hash; /* transaction_hash(tx), from whoever has it; NULL: it is computed */
};
struct chain_note {
	struct bytes key, value;
};
struct pending_block {
	struct header header;
	hash32 hash;
	uint64_t time_ms;                /* decided: within the second of the header's timestamp; 0: elsewhere */
	struct block block;              /* the transactions that stand in it */
	const enum tx_verdict *verdicts; /* one for each ordered transaction; not OK: skipped */
	const struct receipt *receipts;
	size_t receipt_count;
	const hash32 *tx_hashes; /* of block.transactions */
	/* Rows of META that are written in the block's own batch. Whoever executes it may set them before the commit.
	 */
	const struct chain_note *notes;
	size_t note_count;
	/* private */
	struct pending_block_private *private_part;
};
/*
 * What only a development chain, or a tool that makes test data, decides of a block; zero: none of it. No other node
 * could follow a block with `edit`, nor one with `timestamp`, `base_fee_wei` or `gas_limit` outside of the rules.
 */
struct block_orders {
	uint64_t timestamp; /* exactly this one, after the parent's as `spacing` says; 0: by the decided time */
	enum {
		SPACING_OF_CHAIN, /* as the genesis allows */
		SPACING_SECOND,   /* a second after the parent at least, though the genesis allows less */
		SPACING_NONE      /* may have the parent's timestamp, whatever the genesis says */
	} spacing;
	bool has_base_fee, has_randao;
	u256 base_fee_wei;
	hash32 randao;
	uint64_t gas_limit; /* at once, not by steps */
	/* Changes the state after the transactions, outside of any. */
	MUST_USE enum status (*edit)(void *context, struct state *state);
	void *edit_context;
};
/* A function of the decided block alone (rule 7d): prevrandao = keccak(parent hash || number as 8 bytes), the parent
 * beacon root is zero (there is no beacon chain), no withdrawals, extra data empty. `time_ms`: the decided time;
 * timestamp = max(parent + 1, time_ms / 1000), or max(parent, time_ms / 1000) on a chain whose genesis allows equal
 * timestamps. `gas_limit` 0: the parent's, moved towards the genesis' target. */
struct block_decision {
	const struct ordered_tx *txs;
	size_t tx_count;
	uint64_t time_ms;
	addr20 proposer;
	uint64_t gas_limit;
	const struct block_orders *orders; /* NULL: none */
};
/* The header of a block so decided on `head`, but for what execution gives. From any thread. STATUS_INVALID: the orders
 * name a timestamp that may not follow the parent's. */
MUST_USE enum status chain_decide_header(struct chain *chain, struct header *out, const struct chain_head *head,
    const struct block_decision *decision, struct err *err);
/* On the head. The pending block stays valid until it is committed or dropped; one at a time. What `decision` points
 * to, and the transactions' envelopes (`raw`), must live as long. */
MUST_USE enum status chain_execute(
    struct chain *chain, struct pending_block **out, const struct block_decision *decision, struct err *err);
/* The state after the pending block, for the executing thread, until it is committed or dropped. */
struct state_source chain_pending_state(struct chain *chain, const struct pending_block *pending);
struct secp_signature;
/* Durable when it returns; then the head has moved and observers were called. `seal` NULL: none. Frees `pending` in any
 * case. */
MUST_USE enum status chain_commit(
    struct chain *chain, struct pending_block *pending, const struct secp_signature *seal, struct err *err);
void chain_drop(struct chain *chain, struct pending_block *pending);
/* A foreign block on the head: checked to the letter (but for ethash seals), executed, committed. An invalid one, or
 * one whose parent is not the head, is STATUS_INVALID with the reason; one that is there already STATUS_EXISTS. To
 * follow another branch, unwind to its root first. */
MUST_USE enum status chain_import(struct chain *chain, struct bytes block_rlp, struct err *err);
/* The same with its sealer's signature, which the caller has checked; NULL: none. */
MUST_USE enum status chain_import_sealed(
    struct chain *chain, struct bytes block_rlp, const struct secp_signature *seal, struct err *err);
/* The head's block goes; its parent is the head again (dev mode's evm_revert, reorganisations). */
MUST_USE enum status chain_unwind_head(struct chain *chain, struct err *err);
/* While `later`, blocks that come and go are on the disk only with the first that comes or goes after it: for dev
 * mode's long runs, which answer at their end. */
void chain_sync_later(struct chain *chain, bool later);

/* --- reading --- */

/* Into the arena; STATUS_NOTFOUND. */
MUST_USE enum status chain_header_by_number(
    struct chain *chain, struct header *out, hash32 *hash, uint64_t number, struct err *err);
MUST_USE enum status chain_header_by_hash(struct chain *chain, struct header *out, const hash32 *hash, struct err *err);
MUST_USE enum status chain_block_by_hash(
    struct chain *chain, struct block *out, struct arena *arena, const hash32 *hash, struct err *err);
/* Likewise, also of a block that stands aside on another branch. */
MUST_USE enum status chain_block_at(
    struct chain *chain, struct block *out, struct arena *arena, uint64_t number, const hash32 *hash, struct err *err);
MUST_USE enum status chain_transaction_count(
    struct chain *chain, size_t *out, uint64_t number, const hash32 *block_hash, struct err *err);
/* One transaction of a block without the others; STATUS_NOTFOUND. */
MUST_USE enum status chain_transaction(struct chain *chain, struct transaction *out, struct arena *arena,
    uint64_t number, const hash32 *block_hash, uint32_t index, struct err *err);
/* A receipt with what execution reported beside it. */
struct mined_receipt {
	struct receipt receipt;
	addr20 sender;
	uint64_t gas_used;  /* of this transaction alone */
	uint32_t first_log; /* the index of its first log in the block */
};
/* One receipt without the others; STATUS_NOTFOUND. */
MUST_USE enum status chain_receipt(struct chain *chain, struct mined_receipt *out, struct arena *arena, uint64_t number,
    const hash32 *block_hash, uint32_t index, struct err *err);
MUST_USE enum status chain_receipts(struct chain *chain, struct mined_receipt **out, size_t *count, struct arena *arena,
    uint64_t number, const hash32 *block_hash, struct err *err);
MUST_USE enum status chain_find_tx(
    struct chain *chain, uint64_t *number, uint32_t *index, const hash32 *tx_hash, struct err *err);
/* The decided time of a block that was made here: its timestamp's second, and the milliseconds that no header has. It
 * never falls from block to block. STATUS_NOTFOUND. */
MUST_USE enum status chain_time_ms(
    struct chain *chain, uint64_t *out, uint64_t number, const hash32 *hash, struct err *err);
/* The sealer's signature over a block (eth/seal.h: Seal). STATUS_NOTFOUND if it was not sealed here. */
MUST_USE enum status chain_seal(struct chain *chain, struct secp_signature *out, const hash32 *hash, struct err *err);

/* Logs of the canonical chain, by the index over addresses and topics (log_index.h); `visit` gets each in order. */
struct log_filter {
	uint64_t from, to; /* inclusive */
	const addr20 *addresses;
	size_t address_count; /* 0: any */
	struct {
		const hash32 *any_of;
		size_t count; /* 0: any */
	} topics[4];
	size_t topic_count;
};
struct found_log {
	const struct log *log;
	uint64_t block_number;
	hash32 block_hash;
	uint64_t block_timestamp;
	hash32 tx_hash;
	uint32_t tx_index;
	uint32_t log_index;
};
/* Its address and topics; not its block. */
bool log_filter_matches(const struct log_filter *filter, const struct log *log);
/* Stops with STATUS_LIMIT after `limit` logs. */
MUST_USE enum status chain_logs(struct chain *chain, const struct log_filter *filter, size_t limit,
    void (*visit)(void *context, const struct found_log *log), void *context, struct err *err);

/* --- observing --- */

/* A block that was taken back, and what went with it. */
struct unwound_block {
	struct header header;
	hash32 hash;
	const struct mined_receipt *receipts;
	const hash32 *tx_hashes;
	size_t count; /* of both */
};
/* Called on the committing thread after the head moved; must be quick. Up to 8 observers; set before threads start. */
struct chain_observer {
	void (*new_head)(void *context, const struct chain_head *head, const struct pending_block *block);
	void (*removed_head)(void *context, const struct unwound_block *block);
	/* The chain goes on from a head that none of its blocks led to (adopt.h). */
	void (*jumped)(void *context, const struct chain_head *head);
	void *context;
};
void chain_observe(struct chain *chain, const struct chain_observer *observer);

#endif
