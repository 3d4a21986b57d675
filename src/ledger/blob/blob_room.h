/* What the files of this room share; nobody else includes it. */
#ifndef LEDGER_BLOB_BLOB_ROOM_H
#define LEDGER_BLOB_BLOB_ROOM_H

#include <pthread.h>

#include "envelope/container.h"
#include "ledger/blob/blob.h"

/* What a row of TABLE_BLOB says of an item. */
enum blob_state {
	BLOB_NAMED = 1,     /* content is in items/ */
	BLOB_MISSING = 2,   /* named by a transaction whose sender put nothing here */
	BLOB_ERASED = 3,    /* content deleted, confirmation owed */
	BLOB_CONFIRMED = 4, /* content deleted, and the chain says so */
};

struct blob_item {
	addr20 gate;
	hash32 item;
	hash32 blob;
	uint64_t size_bytes;
	enum blob_state state;
};

#define BLOB_NAMES_MAX 64u     /* in one transaction */
#define BLOB_NONCES_MAX 65536u /* remembered requests; over that, new ones wait until old ones expire */

struct blob_audit;

struct blob_room {
	struct chain *chain;
	struct store *store;
	struct blob_options options;
	char *directory;
	addr20 gates[BLOB_GATES_MAX];
	size_t gate_count;
	/* Newest block whose events took effect; the committing thread's, which alone writes it. */
	_Atomic uint64_t followed;
	pthread_cond_t followed_more; /* under `lock` */
	uint64_t saved;               /* as "h" in the table says */

	pthread_mutex_t ask_lock; /* one local call at a time */
	struct executor *executor;

	pthread_mutex_t lock; /* of what stands until the next empty line */
	struct nonce_entry {
		addr20 who;
		uint64_t nonce;
		uint64_t expiry;
	} * nonces;
	size_t nonce_count;
	uint64_t content_bytes;
	uint64_t item_count;
	struct blob_audit *audit;

	/* duties' thread only */
	uint64_t confirm_after_ms;
	uint64_t swept_ms;
	uint64_t anchored_ms;
};

/* blob_content.c: files. All paths are made here. */
MUST_USE enum status blob_content_open(struct blob_room *room, struct err *err);
MUST_USE enum status blob_content_put(
    struct blob_room *room, const hash32 *blob, const addr20 *putter, struct bytes container, struct err *err);
bool blob_content_is_pending(const struct blob_room *room, const hash32 *blob, const addr20 *putter);
/* The putter's pending blob becomes the item's content. STATUS_NOTFOUND if it put none. */
MUST_USE enum status blob_content_name(struct blob_room *room, const addr20 *gate, const hash32 *item,
    const hash32 *blob, const addr20 *putter, uint64_t *size_bytes, struct err *err);
MUST_USE enum status blob_content_delete(
    struct blob_room *room, const addr20 *gate, const hash32 *item, struct err *err);
/* Appends the whole container, or one part. STATUS_NOTFOUND: no such item or part. */
MUST_USE enum status blob_content_read(struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item,
    bool whole, uint32_t part, struct err *err);
/* Drops pending blobs older than `age_ms`; returns how many are left. */
uint64_t blob_content_sweep(struct blob_room *room, uint64_t age_ms);

/* blob_index.c: which item has which blob. */
/* Waits until the events of the newest block took effect, a second at most: a receipt can be seen a moment earlier. Not
 * on the committing thread. */
void blob_index_settle(struct blob_room *room);
MUST_USE enum status blob_index_find(
    struct blob_room *room, struct blob_item *out, const addr20 *gate, const hash32 *item, struct err *err);
MUST_USE enum status blob_index_catch_up(struct blob_room *room, struct err *err);
/* The oldest erasures that are not confirmed, at most `max`. */
MUST_USE enum status blob_index_unconfirmed(
    struct blob_room *room, struct blob_item *out, size_t *count, size_t max, struct err *err);

/* blob_gate.c: local calls at the head. A call that reverts answers no. */
bool blob_gate_is(const struct blob_room *room, const addr20 *gate);
MUST_USE enum status blob_gate_may_put(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, uint64_t size, struct err *err);
MUST_USE enum status blob_gate_may_get(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err);
MUST_USE enum status blob_gate_may_audit(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err);
/* `*has` false: the gate wants no audit entries for this item. */
MUST_USE enum status blob_gate_audit_key(
    struct blob_room *room, bool *has, uint8_t xy[64], const addr20 *gate, const hash32 *item, struct err *err);
/* Where `*count` is over BLOB_NAMES_MAX, only so many are in `blobs`. */
MUST_USE enum status blob_gate_blobs_of(struct blob_room *room, hash32 blobs[BLOB_NAMES_MAX], size_t *count,
    const addr20 *gate, struct bytes input, struct err *err);
/* Would this transaction of the node's succeed now? */
MUST_USE enum status blob_gate_would_succeed(
    struct blob_room *room, bool *would, const addr20 *gate, struct bytes data, struct err *err);
void blob_gate_confirm_erased_data(struct buf *out, const hash32 *item);
void blob_gate_anchor_audit_data(struct buf *out, const hash32 *head, uint64_t count);

/* blob_audit.c: the trace of every read. */
struct blob_read {
	addr20 gate;
	hash32 item;
	uint32_t part;
	addr20 who;
	bool served;
};
MUST_USE enum status blob_audit_open(struct blob_audit **out, const char *directory, struct err *err);
void blob_audit_close(struct blob_audit *audit);
/* Durable when it returns: the trace comes before the answer. */
MUST_USE enum status blob_audit_add(struct blob_room *room, const struct blob_read *read, struct err *err);
/* The sealed entries of one item as a JSON array of strings. */
MUST_USE enum status blob_audit_list(
    struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item, struct err *err);
/* True where entries are not anchored yet: the newest entry's hash and the count. */
bool blob_audit_unanchored(struct blob_room *room, hash32 *head, uint64_t *count);
void blob_audit_anchored(struct blob_room *room, uint64_t count);

#endif
