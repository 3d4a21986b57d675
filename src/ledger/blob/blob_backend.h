/*
 * Where contents are kept, as one table of functions: files of this machine (blob_files.c), or an object store
 * (blob_s3.c). A content's place says in which of the two it is, so a node that was given an object store later still
 * serves what its files have. Only blob_content.c looks at that; nobody else knows which it is.
 *
 * Threads: any. `put`, `read`, `has` and `work` may wait for a network; nothing else does, so the committing thread may
 * call it. A backend never says STATUS_NOTFOUND or STATUS_CORRUPT of what it only could not reach: whoever is told so
 * takes the content for lost, and has it fetched from other members.
 */
#ifndef LEDGER_BLOB_BLOB_BACKEND_H
#define LEDGER_BLOB_BLOB_BACKEND_H

#include "envelope/segments.h"
#include "ledger/blob/blob.h"
#include "ledger/store/store.h"

/* A place's `segment` if its content is in an object store; `at` is then the object's number. */
#define BLOB_REMOTE UINT32_MAX

/* Whose content stands where. */
struct blob_spot {
	addr20 gate;
	hash32 blob;
	struct segments_place place;
};

struct blob_backend {
	/* Durable when it returns, at a place that nothing ever had. */
	MUST_USE enum status (*put)(void *context, struct segments_place *out, const struct segments_label *label,
	    struct bytes content, struct err *err);
	/* Appends. STATUS_NOTFOUND: it was erased, or is lost; STATUS_CORRUPT: it is not what was put; STATUS_IO: it
	 * cannot be read now. */
	MUST_USE enum status (*read)(void *context, struct buf *out, const struct blob_spot *spot, struct err *err);
	/* Is it there, and this spot's own? Its bytes are not looked at. */
	MUST_USE enum status (*has)(void *context, bool *has, const struct blob_spot *spot, struct err *err);
	/* Nobody is given it any more, and it will be gone once `owes` says no; durable as the database is. `item`:
	 * whose it was; NULL: nobody's yet. Repeating it is allowed. */
	MUST_USE enum status (*erase)(void *context, const struct blob_spot *spot, const hash32 *item, struct err *err);
	/* Is anything that was this item's still there, though it was erased? */
	MUST_USE enum status (*owes)(
	    void *context, bool *owes, const addr20 *gate, const hash32 *item, struct err *err);
	/* What was put and may wait, from a place on, oldest first. */
	MUST_USE enum status (*walk)(
	    void *context, const struct segments_place *from, segments_visit *visit, void *of, struct err *err);
	/* Of what `walk` finds: was its put finished? STATUS_NOTFOUND: no, or it was erased. */
	MUST_USE enum status (*is_whole)(void *context, const struct segments_place *place, struct err *err);
	/* Not before it comes what is put next. */
	struct segments_place (*end)(void *context);
	/* Nothing before `from` is needed but what is in these segments (numbers, as they are in memory). */
	MUST_USE enum status (*tidy)(
	    void *context, const struct segments_place *from, struct bytes used, struct err *err);
	/* What takes time: on one thread of its own. *more: there is more to do at once. */
	MUST_USE enum status (*work)(void *context, bool *more, struct err *err);
	void (*state)(void *context, struct blob_store_state *out);
	void (*close)(void *context);
	void *context;
};

/* blob_files.c. The folder is made if it is not there, unless it is only read. */
MUST_USE enum status blob_files_open(
    struct blob_backend *out, const char *directory, const struct threads *threads, bool only_reads, struct err *err);
/* blob_s3.c. `options` NULL: no object store is named, and what is in one cannot be read. STATUS_DENIED: it must not be
 * used as it is; a store that does not answer is asked again by `work`. `random` NULL: nothing is changed, in the store
 * or in the database. */
MUST_USE enum status blob_s3_open(struct blob_backend *out, struct store *store, const struct blob_s3_options *options,
    const struct random_source *random, struct err *err);

#endif
