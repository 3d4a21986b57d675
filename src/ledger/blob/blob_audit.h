/* What the files of the audit log share; nobody else includes it. */
#ifndef LEDGER_BLOB_BLOB_AUDIT_H
#define LEDGER_BLOB_BLOB_AUDIT_H

#include "eth/lists.h"
#include "ledger/blob/blob_room.h"

#define AUDIT_JWE_MAX 4096u
#define AUDIT_ENTRY_HEAD (32 + 8 + 4)
/* So many entries are written at once, at most; what a crash tears is not more. */
#define AUDIT_TOGETHER 16u
#define AUDIT_TOGETHER_BYTES (AUDIT_TOGETHER * (AUDIT_ENTRY_HEAD + AUDIT_JWE_MAX))

/* One that is added. */
struct audit_addition {
	hash32 list;
	uint64_t time_s;
	struct bytes sealed;
	struct audit_addition *next;
	/* What became of it, once it is done: blob_audit_add.c. */
	bool is_done;
	enum status status;
	struct err err;
};

struct blob_audit {
	int fd;
	uint64_t end;   /* of the file */
	uint64_t count; /* of its entries */
	hash32 root;    /* of the map of lists, after all entries */
	/* The map is frozen to be anchored, and grows on in the next round. Roots that were frozen can still be proved
	 * under: the newest one and the one before. */
	uint64_t round;
	struct blob_anchor frozen, before;
	uint64_t swept; /* in this run: what was replaced in earlier rounds is deleted */
};

/* What the log has of an entry; the sealed bytes are in the file. */
struct audit_row {
	uint64_t at; /* in the file */
	uint32_t length;
	uint64_t time_s;
	uint8_t after[LIST_HEAD_BYTES]; /* the list's head after it */
};

/* --- blob_audit.c --- */

/* After so many entries of the list; zeros: it has none. */
MUST_USE enum status blob_audit_state(
    struct blob_room *room, struct list_state *out, const hash32 *list, struct err *err);
MUST_USE enum status blob_audit_row(
    struct blob_room *room, struct audit_row *out, const hash32 *list, uint64_t number, struct err *err);
MUST_USE enum status blob_audit_read(
    struct blob_room *room, uint8_t sealed[AUDIT_JWE_MAX], const struct audit_row *row, struct err *err);
/* Under the lock: the file's next entries, `first` and those that follow it, at most AUDIT_TOGETHER. Durable when it
 * returns; after a failure none of them is acknowledged. */
MUST_USE enum status blob_audit_append(struct blob_room *room, const struct audit_addition *first, struct err *err);
/* Under the lock: all rows and the map anew from the file. */
MUST_USE enum status blob_audit_rebuild(struct blob_room *room, struct err *err);

/* --- blob_audit_map.c --- */

/* Under the lock: the list's state becomes its value in the map, in `batch`; *root is the map's then. */
MUST_USE enum status blob_audit_map_put(struct blob_room *room, struct store_batch *batch, hash32 *root,
    const hash32 *list, const struct list_state *state, struct err *err);
/* Under the lock, in `batch`: what the map is now can be anchored. */
void blob_audit_map_freeze(struct blob_audit *audit);
/* Under the lock: the row that says where file and map stand. */
void blob_audit_put_end(struct store_batch *batch, struct blob_room *room, const struct blob_audit *audit);
MUST_USE enum status blob_audit_get_end(struct blob_room *room, struct blob_audit *audit, struct err *err);
/* Appends the proof of the list's value under a root that can be proved under. STATUS_NOTFOUND: the root is none. */
MUST_USE enum status blob_audit_prove(
    struct blob_room *room, struct buf *proof, const hash32 *root, const hash32 *list, struct err *err);

#endif
