/* What the files of this room share; nobody else includes it. */
#ifndef LEDGER_BLOB_BLOB_ROOM_H
#define LEDGER_BLOB_BLOB_ROOM_H

#include <pthread.h>
#include <stdatomic.h>

#include "envelope/container.h"
#include "envelope/segments.h"
#include "ledger/blob/blob.h"
#include "ledger/blob/blob_backend.h"
#include "ledger/chain/ask.h"

/* What a row of TABLE_BLOB says of an item. */
enum blob_state {
	BLOB_NAMED = 1,     /* content is here */
	BLOB_MISSING = 2,   /* named, and its content was not put here; it can be put later while the item stands */
	BLOB_ERASED = 3,    /* content deleted, confirmation owed */
	BLOB_CONFIRMED = 4, /* content deleted, and the chain says so */
};

struct blob_item {
	addr20 gate;
	hash32 item;
	hash32 blob;
	uint64_t size_bytes; /* as the transaction that named it says; content has it, too */
	enum blob_state state;
	struct segments_place
	    place; /* of the content if it is NAMED; segment 0: a file of an older node; BLOB_REMOTE */
};

#define BLOB_NAMES_MAX 64u       /* in one transaction */
#define BLOB_EXPIRY_AHEAD_S 120u /* of a signed request, at most */
#define BLOB_BLOCK_BYTES 4096u   /* of the disk */

struct blob_audit;
struct blob_accounts;
struct blob_peers;
struct blob_fetch;
struct blob_names;
struct blob_rows;

/* Has it followed the other members since it started? But for is_current, of the fetching thread. */
struct blob_current {
	atomic_bool is_current;
	uint64_t number, since_ms, look_at_ms;
};

/* That an account may put so much, at a head and in a second of the clock; zeros: nothing. */
struct blob_may_put {
	addr20 gate, who;
	uint64_t head, second, size_bytes;
};
#define BLOB_MAY_PUT_KEPT 16u
#define BLOB_MAY_PUT_BYTES ((uint64_t)1 << 20)

/* Reads that wait until they are in the audit log: blob_audit_add.c. */
struct audit_addition;
struct audit_queue {
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t written;
	struct audit_addition *first, **end;
	bool is_writing; /* one of those who wait writes for others too */
};
void audit_queue_init(struct audit_queue *queue);
void audit_queue_fini(struct audit_queue *queue);

struct blob_room {
	struct chain *chain;
	struct store *store;
	struct blob_options options;
	char *directory;
	addr20 gates[BLOB_GATES_MAX];
	size_t gate_count;
	struct blob_backend files,
	    remote; /* content; their own locks. `remote` is asked of what is in an object store */
	bool puts_remote;
	struct chain_asker *asker;
	pthread_mutex_t ask_lock; /* of the asker */

	/* Which item has which blob. Events take effect on the committing thread, late puts on others: one at a time.
	 */
	pthread_mutex_t index_lock;
	_Atomic uint64_t followed; /* newest block whose events all took effect */
	uint32_t applied;          /* events of gates in the block after it that took effect already */
	uint64_t saved;            /* `followed` as "h" in the table says */

	pthread_mutex_t nonce_lock; /* of what blob_nonces.c keeps in the table */
	uint64_t refuse_until_s;    /* requests that expire up to then may have been served before the power failed */
	bool is_running;            /* the table says that this room is open */

	pthread_mutex_t audit_lock;
	struct blob_audit *audit;
	struct audit_queue audit_queue;

	struct blob_peers *peers; /* NULL: this node keeps blobs alone */
	struct blob_fetch *fetch; /* the fetching thread only */
	struct blob_current current;
	struct blob_names *names; /* what was named before a snapshot, and is learned still: blob_names.c */
	atomic_bool has_more_missing;
	_Atomic uint64_t missing, damaged;

	pthread_mutex_t lock; /* of what stands until the next empty line; held for moments */
	pthread_cond_t followed_more;
	struct blob_accounts *accounts;
	struct blob_may_put may_put[BLOB_MAY_PUT_KEPT]; /* blob_gate.c */
	struct blob_rows *waiting; /* what was put and is not named, or will be in a moment (blob_waiting.c) */
	uint64_t item_count, content_bytes;
	uint64_t waiting_count, waiting_bytes; /* charged to their putters; bytes in whole blocks of the disk */
	uint64_t strangers;                    /* requests of accounts that no gate knows, since the start */

	/* duties' thread only */
	uint64_t confirm_after_ms;
	uint64_t swept_ms;
	uint64_t anchored_ms;
};

/* blob_accounts.c: what each account that a gate knows uses of this node. Strangers have no row in it. */
struct blob_accounts *blob_accounts_new(void);
void blob_accounts_free(struct blob_accounts *accounts);
/* One more request now; false: its share of the two minutes is used up. */
bool blob_account_asks(struct blob_room *room, const addr20 *who);
/* One more entry in an audit today; false: its share of the day is used up. */
bool blob_account_wishes(struct blob_room *room, const addr20 *who);
/* A wish that waits for other members; collected gives its place back. */
bool blob_account_collects(struct blob_room *room, const addr20 *who);
void blob_account_collected(struct blob_room *room, const addr20 *who);
bool blob_account_is_logged(struct blob_room *room, const addr20 *who, bool served);
/* What a container costs while it waits: whole blocks of the disk, however small it is. */
static inline uint64_t blob_charge_bytes(uint64_t size_bytes) {
	return (size_bytes + BLOB_BLOCK_BYTES - 1) / BLOB_BLOCK_BYTES * BLOB_BLOCK_BYTES;
}
/* So many bytes wait for a transaction; gives what waits of this account at this gate with them. STATUS_LIMIT: they do
 * not fit in the node's room for blobs, and nothing has changed. */
MUST_USE enum status blob_account_waits(
    struct blob_room *room, uint64_t *waiting_bytes, const addr20 *gate, const addr20 *who, uint64_t size_bytes);
void blob_account_waits_no_more(struct blob_room *room, const addr20 *gate, const addr20 *who, uint64_t size_bytes);
/* Forgets accounts of which nothing counts any more. */
void blob_accounts_sweep(struct blob_room *room);

/* blob_nonces.c: a signed request is served once, over restarts too. */
MUST_USE enum status blob_nonces_open(struct blob_room *room, struct err *err);
void blob_nonces_close(struct blob_room *room);
/* `*fresh` false: it was used before, or may have been. */
MUST_USE enum status blob_nonce_use(
    struct blob_room *room, bool *fresh, const addr20 *who, uint64_t nonce, uint64_t expiry_s, struct err *err);
MUST_USE enum status blob_nonces_sweep(struct blob_room *room, struct err *err);

/* What was put, to wait for a transaction that names it: a blob, at a gate, of an account. */
struct blob_waiting {
	addr20 gate;
	hash32 blob;
	addr20 putter;
};

/* blob_waiting.c: the table of what waits. With the room's lock held. */
enum blob_row_state {
	BLOB_STORING, /* is being written: nothing before its place may be forgotten, and nobody sees it */
	BLOB_WAITS,
	BLOB_TAKEN, /* its content is an item's by now */
};
struct blob_row {
	struct blob_row *next;
	struct blob_waiting waiting;
	struct segments_place place;
	uint64_t since_ms;
	enum blob_row_state state;
};
struct blob_rows *blob_rows_new(void);
void blob_rows_free(struct blob_rows *rows);
struct blob_row *blob_rows_add(
    struct blob_rows *rows, const struct blob_waiting *waiting, const struct segments_place *place);
/* NULL: none, or it is being written. */
struct blob_row *blob_rows_find(const struct blob_rows *rows, const struct blob_waiting *waiting);
void blob_rows_remove(struct blob_rows *rows, struct blob_row *row);
/* The first row that has waited since before `since_ms`; NULL: none. */
struct blob_row *blob_rows_older(const struct blob_rows *rows, uint64_t since_ms);
/* The lowest place of a row, or `end`. */
struct segments_place blob_rows_lowest(const struct blob_rows *rows, const struct segments_place *end);

/* blob_content.c: contents of items, and what waits. */
MUST_USE enum status blob_content_open(struct blob_room *room, struct err *err);
void blob_content_close(struct blob_room *room);
/* The caller has charged its size (blob_account_waits); it is given back if the same waits already, or on failure. */
MUST_USE enum status blob_content_put(
    struct blob_room *room, const struct blob_waiting *waiting, struct bytes container, struct err *err);
/* False: no such blob waits. */
bool blob_content_waits(struct blob_room *room, uint64_t *size_bytes, const struct blob_waiting *waiting);
/* What waits is to be an item's content, at this place. STATUS_NOTFOUND if nothing of this size waits. It goes on
 * waiting until blob_content_drop; blob_content_give_back if it did not become the item's after all. Under the index's
 * lock. */
MUST_USE enum status blob_content_name(struct blob_room *room, struct segments_place *out,
    const struct blob_waiting *waiting, uint64_t size_bytes, struct err *err);
void blob_content_give_back(struct blob_room *room, const struct blob_waiting *waiting);
void blob_content_drop(struct blob_room *room, const struct blob_waiting *waiting);
/* The content of an item that awaits it, which nobody else's put is touched by. Nothing if it does not await it any
 * more. STATUS_LIMIT: it does not fit in the node's room for blobs. */
MUST_USE enum status blob_content_fill(
    struct blob_room *room, const struct blob_item *item, struct bytes container, struct err *err);
/* Is the item's content here? STATUS_IO: it cannot be said now. */
MUST_USE enum status blob_content_has(
    struct blob_room *room, bool *has, const addr20 *gate, const hash32 *item, struct err *err);
/* Nobody is given it any more, and blob_content_owes says when it is gone; the item's row is the caller's. */
MUST_USE enum status blob_content_delete(
    struct blob_room *room, const addr20 *gate, const hash32 *item, struct err *err);
/* Is anything of the item, which was erased, still there? */
MUST_USE enum status blob_content_owes(
    struct blob_room *room, bool *owes, const addr20 *gate, const hash32 *item, struct err *err);
/* Appends the whole container, or one part. STATUS_NOTFOUND: no such item or part. STATUS_IO: not now. */
MUST_USE enum status blob_content_read(struct blob_room *room, struct buf *out, const addr20 *gate, const hash32 *item,
    bool whole, uint32_t part, struct err *err);
/* Drops what has waited longer than `age_ms`, and notes from where on the next start has to look for what waits. */
MUST_USE enum status blob_content_sweep(struct blob_room *room, uint64_t age_ms, struct err *err);

/* blob_index.c: which item has which blob. */
/* Waits until the events of the newest block took effect, a second at most: a receipt can be seen a moment earlier. Not
 * on the committing thread. */
void blob_index_settle(struct blob_room *room);
MUST_USE enum status blob_index_find(
    struct blob_room *room, struct blob_item *out, const addr20 *gate, const hash32 *item, struct err *err);
MUST_USE enum status blob_index_catch_up(struct blob_room *room, struct err *err);
/* Every item whose content is here. */
typedef enum status blob_item_visit(void *context, const struct blob_item *item, struct err *err);
MUST_USE enum status blob_index_walk(struct blob_room *room, blob_item_visit *visit, void *context, struct err *err);
/* The oldest erasures that are not confirmed, at most `max`. */
MUST_USE enum status blob_index_unconfirmed(
    struct blob_room *room, struct blob_item *out, size_t *count, size_t max, struct err *err);
/* Items that were named with this blob and size, and whose content this node was never given; at most `max`. */
MUST_USE enum status blob_index_awaiting(struct blob_room *room, struct blob_item *out, size_t *count, size_t max,
    const addr20 *gate, const hash32 *blob, uint64_t size_bytes, struct err *err);
/* What is at this place becomes the content of an item that awaits it still; `*is_its` says whether. */
MUST_USE enum status blob_index_fill(struct blob_room *room, bool *is_its, const struct blob_item *item,
    const struct segments_place *place, struct err *err);
/* Items that await their content, from the one after `*after` on, at most `max`; `*after` is then the last of them, and
 * zeros at the end. A pass begins with zeros. */
struct blob_awaited {
	uint8_t b[20 + 32 + 32]; /* gate, blob, item */
};
MUST_USE enum status blob_index_missing(struct blob_room *room, struct blob_item *out, size_t *count, size_t max,
    struct blob_awaited *after, struct err *err);
/* Items that other members know become rows, but for those of which this node knows, in whatever state. */
MUST_USE enum status blob_index_learn(
    struct blob_room *room, const struct blob_item *items, size_t count, struct err *err);
/* A row of the table; false: it is no item's, or damaged. */
bool blob_index_parse(struct blob_item *out, struct bytes key, struct bytes value);
/* Items that have content, in the same way as blob_index_missing. */
struct blob_kept {
	uint8_t b[20 + 32]; /* gate, item */
};
MUST_USE enum status blob_index_named(
    struct blob_room *room, struct blob_item *out, size_t *count, size_t max, struct blob_kept *after, struct err *err);
/* The item's content was lost or changed: it goes, and the item awaits its content again. Nothing if the item has
 * another blob by now. */
MUST_USE enum status blob_index_lost(struct blob_room *room, const struct blob_item *item, struct err *err);

/* blob_names.c: what was named before the snapshot that this node began with. */
struct blob_names *blob_names_new(void);
void blob_names_free(struct blob_names *names); /* NULL is allowed */
MUST_USE enum status blob_names_open(struct blob_room *room, struct err *err);
/* Adds to a batch that what was named up to this block has to be learned, and it counts from now on. */
void blob_names_owe(struct blob_room *room, struct store_batch *batch, uint64_t block);
/* Is there something to learn? */
bool blob_names_are_due(struct blob_room *room);

/* blob_gate.c: local calls at the head. A call that reverts answers no. */
bool blob_gate_is(const struct blob_room *room, const addr20 *gate);
MUST_USE enum status blob_gate_may_put(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, uint64_t size, struct err *err);
MUST_USE enum status blob_gate_may_get(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err);
MUST_USE enum status blob_gate_may_audit(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *list, struct err *err);
/* May it put what the item was named with, though the namer did not? Only while the item stands. */
MUST_USE enum status blob_gate_may_put_late(
    struct blob_room *room, bool *may, const addr20 *gate, const addr20 *who, const hash32 *item, struct err *err);
/* Where a read of an item is entered, and the key that the entry is sealed to. */
struct blob_gate_audit {
	bool is_wanted; /* false: the gate wants no entries for this item */
	hash32 list;
	uint8_t xy[64];
};
MUST_USE enum status blob_gate_audit_of(
    struct blob_room *room, struct blob_gate_audit *out, const addr20 *gate, const hash32 *item, struct err *err);
/* What this node has anchored of its audit log, and at which gate it anchors; NULL: at none. */
struct blob_anchor {
	hash32 root;
	uint64_t count;
};
MUST_USE enum status blob_gate_anchor(
    struct blob_room *room, const addr20 **gate, struct blob_anchor *out, struct err *err);
/* May this account do anything at all at this gate? */
MUST_USE enum status blob_gate_knows(
    struct blob_room *room, bool *knows, const addr20 *gate, const addr20 *who, struct err *err);
/* Where `*count` is over BLOB_NAMES_MAX, only so many are in `blobs`. */
MUST_USE enum status blob_gate_blobs_of(struct blob_room *room, hash32 blobs[BLOB_NAMES_MAX], size_t *count,
    const addr20 *gate, struct bytes input, struct err *err);
/* What this transaction would name if it were the next one: its gates' events, at most BLOB_NAMES_MAX. None if it would
 * fail. */
struct blob_claim {
	addr20 gate;
	hash32 blob;
	uint64_t size_bytes;
};
MUST_USE enum status blob_gate_claims_of(struct blob_room *room, struct blob_claim claims[BLOB_NAMES_MAX],
    size_t *count, const struct transaction *tx, const addr20 *sender, struct err *err);
/* Would this transaction of the node's succeed now? */
MUST_USE enum status blob_gate_would_succeed(
    struct blob_room *room, bool *would, const addr20 *gate, struct bytes data, struct err *err);
void blob_gate_confirm_erased_data(struct buf *out, const hash32 *item);
void blob_gate_anchor_audit_data(struct buf *out, const struct blob_anchor *anchor);

/* blob_request.c: reading a request's header. A canonical decimal number. */
bool blob_decimal(uint64_t *out, struct bytes text);
/* One "name=value" of an Authorization header, up to ',' or the end; empty: there is none. */
struct bytes blob_credential(struct bytes header, const char *name);

/* blob_audit.c: the trace of every read, with the reader's own signed request: nobody can invent one. */
struct blob_read {
	addr20 gate;
	hash32 item;
	const char *action; /* as it is signed */
	uint32_t part;
	addr20 who;
	uint64_t expiry_s, nonce;
	uint8_t signature[65];
	bool served;
};
MUST_USE enum status blob_audit_open(struct blob_room *room, struct err *err);
void blob_audit_close(struct blob_audit *audit);
/* Durable when it returns: the trace comes before the answer. */
MUST_USE enum status blob_audit_add(struct blob_room *room, const struct blob_read *read, struct err *err);
struct blob_audit_page {
	uint64_t before; /* entries below this number; 0: from the newest on */
	bool has_root;   /* with the proof of what the list is under this root */
	hash32 root;
};
/* A page of a list's sealed entries as JSON, newest first. STATUS_NOTFOUND: nothing is proved under this root. */
MUST_USE enum status blob_audit_list(
    struct blob_room *room, struct buf *out, const hash32 *list, const struct blob_audit_page *page, struct err *err);
uint64_t blob_audit_count(struct blob_room *room);

/* blob_audit_map.c: what is anchored. */

/* Freezes the map if there is something new and the chain has what was frozen before. *owed: `anchor` is to be sent. */
MUST_USE enum status blob_audit_owed(struct blob_room *room, bool *owed, struct blob_anchor *anchor,
    const struct blob_anchor *on_chain, struct err *err);
/* Deletes what no root needs any more. */
MUST_USE enum status blob_audit_sweep(struct blob_room *room, struct err *err);

#endif
