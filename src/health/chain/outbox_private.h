/* What the files of the outbox share. The runner is whoever is inside outbox_run, outbox_send or outbox_drain. */
#ifndef HEALTH_CHAIN_OUTBOX_PRIVATE_H
#define HEALTH_CHAIN_OUTBOX_PRIVATE_H

#include "health/chain/client_private.h"
#include "health/chain/outbox.h"
#include "health/chain/settled.h"

#define OUTBOX_HASHES_MAX 16u /* of one nonce: as often a fee is raised */

/* --- outbox_journal.c: records in a file, each whole or not there --- */

struct outbox_journal {
	char *path;
	int fd;
	uint64_t size_bytes, synced_bytes;
	bool is_broken; /* an fsync failed: what is on the disk is not known, nothing more is accepted */
};
/* Calls `visit` for each record, with its place in the file. STATUS_CORRUPT if a damaged record has whole ones behind
 * it; else a torn end is cut off. */
typedef enum status outbox_visit(void *context, uint64_t at, struct bytes record, struct err *err);
MUST_USE enum status outbox_journal_open(
    struct outbox_journal *journal, const char *path, outbox_visit *visit, void *context, struct err *err);
void outbox_journal_close(struct outbox_journal *journal);
/* In the kernel's hands; `*at` (may be NULL) is its place. On failure the file is as before. */
MUST_USE enum status outbox_journal_append(
    struct outbox_journal *journal, uint64_t *at, struct bytes record, struct err *err);
MUST_USE enum status outbox_journal_sync(struct outbox_journal *journal, struct err *err);
MUST_USE enum status outbox_journal_read(
    const struct outbox_journal *journal, struct buf *record, uint64_t at, struct err *err);
/* Replaces the file by one with these records, made by outbox_journal_put. */
MUST_USE enum status outbox_journal_replace(struct outbox_journal *journal, struct bytes records, struct err *err);
void outbox_journal_put(struct buf *records, struct bytes record);

/* --- what waits, and what is on its way --- */

struct outbox_tx;

struct outbox_waiter { /* somebody in outbox_send_all */
	struct outbox_result *result;
	struct arena *arena;
	bool is_done;
};

struct outbox_item {
	struct outbox_item *next; /* in the order of acceptance */
	uint64_t id;
	addr20 to;
	bool is_create;
	struct bytes data, merge_item; /* owned */
	hash32 *names;                 /* owned */
	size_t name_count;
	const struct outbox_merger *merger;
	hash32 merge_key;
	uint64_t gas_limit;  /* 0: estimated */
	uint64_t journal_at; /* its record, which holds the blobs */
	uint64_t moved_to;
	bool is_settling; /* not durable yet, and so not accepted: nothing may be sent of it */
	uint64_t deadline_ms;
	outbox_callback *completed;
	void *context;
	struct outbox_waiter *waiter;
	struct outbox_tx *tx; /* NULL: it waits for a transaction */
	bool is_restored;     /* of a backup: sent only as it was signed then */
	bool goes_alone;      /* a transaction with others failed */
	bool asks_again;      /* its estimate reverted: believed once all nonces below `after_nonce` are done */
	uint64_t after_nonce;
};

struct outbox_tx {
	struct outbox_tx *next; /* by nonce */
	uint64_t nonce;
	hash32 hashes[OUTBOX_HASHES_MAX]; /* of each fee that was signed; the last is `raw`'s */
	size_t hash_count;
	struct buf raw;
	u256 max_fee_wei, tip_wei;
	struct outbox_item *items[OUTBOX_MERGED_MAX]; /* none: it fills a nonce */
	size_t count;
	bool is_sent;
	uint64_t sent_ns; /* last time, monotonic */
	uint32_t resend_ms;
	/* The node says that it never takes it; `raw` is a transfer of nothing that may take its place. */
	bool is_refused;
	struct client_verdict refusal;
	unsigned nonce_gone; /* how often the node said that the nonce is used up, without a receipt */
};

struct outbox {
	struct outbox_options options;
	struct client *client;
	hash32 secret;
	addr20 account, node;
	hash32 genesis;
	struct monitor *monitor; /* NULL without threads. Guards everything below but the runner's */
	struct outbox_journal journal;
	bool opened, is_syncing, is_stopped, has_work;
	size_t expected; /* entries that somebody prepares (outbox_expect) */
	uint64_t compact_at_bytes;
	uint64_t next_id;
	struct outbox_item *first, **last;
	size_t item_count, dropped_count;
	struct outbox_counts counts;
	/* the runner's */
	struct outbox_witness witness;
	struct outbox_tx *txs;
	size_t last_merged; /* entries of the last transaction */
	uint64_t next_nonce;
	bool knows_nonce; /* proved once; from then on counted, until another program turns out to use the account */
	bool has_head, has_looked;
	bool is_shown;    /* the node says that the last one that was sent is in a block */
	struct head head; /* the last one that was taken, and when */
	uint64_t head_ms;
	uint64_t looked_at; /* no block up to this one holds what is in flight */
	bool hole_first;    /* a nonce below those on their way may be one that nothing will use */
	uint32_t pause_ms;
};

void outbox_enter(struct outbox *outbox);
void outbox_leave(struct outbox *outbox);

/* --- outbox_record.c: the journal's records --- */

enum outbox_fate { OUTBOX_FATE_FINISHED, OUTBOX_FATE_WAITS_AGAIN };
void outbox_record_item(struct buf *out, const struct outbox_item *item, const struct outbox_entry *entry);
void outbox_record_tx(struct buf *out, const struct outbox_tx *tx);
/* The transaction of this nonce is over, and its items are finished or wait again. */
void outbox_record_tx_end(struct buf *out, uint64_t nonce, enum outbox_fate fate);
/* An item that was in no transaction is finished. */
void outbox_record_item_end(struct buf *out, uint64_t id);
/* The journal so far came from a backup. */
void outbox_record_restored(struct buf *out);
/* Reads one record into the lists; for outbox_journal_open. */
MUST_USE enum status outbox_record_read(void *outbox, uint64_t at, struct bytes record, struct err *err);
/* The blobs of an item's record, one after another, into `visit`. */
typedef enum status outbox_blob_visit(void *context, const struct outbox_blob *blob, struct err *err);
MUST_USE enum status outbox_record_blobs(struct bytes record, outbox_blob_visit *visit, void *context, struct err *err);

/* --- outbox_item.c --- */

struct outbox_item *outbox_item_new(struct outbox *outbox, const struct outbox_entry *entry);
struct outbox_item *outbox_item_find(const struct outbox *outbox, uint64_t id);
/* Shows a refusal to the witness. By the runner, without the lock, and before the journal says that it is over. */
void outbox_item_testify(
    const struct outbox *outbox, const struct outbox_item *item, const struct outbox_result *result);
/* Leaves the list and is freed; whoever waits gets the result. With the lock held, which is given up for a callback. */
void outbox_item_end(struct outbox *outbox, struct outbox_item *item, const struct outbox_result *result);
void outbox_item_free(struct outbox *outbox, struct outbox_item *item);
struct outbox_tx *outbox_tx_find(const struct outbox *outbox, uint64_t nonce);
void outbox_tx_insert(struct outbox *outbox, struct outbox_tx *tx);
void outbox_tx_free(struct outbox *outbox, struct outbox_tx *tx);
/* Views into `tx->raw`. */
MUST_USE enum status outbox_tx_take_raw(struct outbox_tx *tx, struct bytes raw, struct err *err);

/* --- outbox_form.c and outbox_send.c: the runner's steps; each without the lock --- */

/* Makes transactions of what waits, and journals them. STATUS_IO: the node or the disk does not answer; later. */
MUST_USE enum status outbox_form(struct outbox *outbox, bool *progress, struct err *err);
/* Sends what is not sent, looks for receipts, sends again. */
MUST_USE enum status outbox_deliver(struct outbox *outbox, bool *progress, struct err *err);
/* Signs `tx` with its nonce; at least an eighth over the fees that it had. */
MUST_USE enum status outbox_sign(
    struct outbox *outbox, struct outbox_tx *tx, struct transaction *fields, struct arena *arena, struct err *err);

/* --- outbox_proof.c: what is proved if the outbox has heads, and the node's word else --- */

/* How many transactions of the account are in blocks; with heads, at a new one. */
MUST_USE enum status outbox_nonce(struct outbox *outbox, uint64_t *nonce, struct arena *arena, struct err *err);
/* Of the newest block; `anew`: not of one that was read a moment ago. */
MUST_USE enum status outbox_base_fee(
    struct outbox *outbox, u256 *base_fee_wei, bool anew, struct arena *arena, struct err *err);
/* Only with heads: ends what is proved to have ended, under any of its hashes, since the last look. */
MUST_USE enum status outbox_look(struct outbox *outbox, bool *progress, struct arena *arena, struct err *err);
/* What is signed next cannot be in a block up to the head. */
void outbox_begin_looking(struct outbox *outbox);
/* The node was answering, and what it says is not believed. */
bool outbox_is_disbelief(const struct err *err);

/* A transfer of nothing to the account itself: it uses a nonce. */
struct transaction outbox_filler(const struct outbox *outbox);
/* All items of the transaction end with `result`, or wait again alone; it goes. */
void outbox_tx_end(struct outbox *outbox, struct outbox_tx *tx, struct outbox_result *result);
void outbox_tx_undo(struct outbox *outbox, struct outbox_tx *tx, bool alone);
/* It is in a block, with this receipt. */
void outbox_tx_mined(
    struct outbox *outbox, struct outbox_tx *tx, const struct client_receipt *receipt, struct arena *arena);
/* The transfer of nothing that was to take its place is in a block: it is refused for good. */
void outbox_tx_filled(struct outbox *outbox, struct outbox_tx *tx);
/* Another transaction used its nonce, so this one never will: its entries get a new nonce. */
void outbox_tx_displaced(struct outbox *outbox, struct outbox_tx *tx);

#endif
