/*
 * What members of a consortium ask each other for, and what they answer, as bytes (docs/wire-formats.md §5a).
 * Threads: pure. Ownership: an answer's contents are views into it.
 */
#ifndef LEDGER_BLOB_BLOB_WIRE_H
#define LEDGER_BLOB_BLOB_WIRE_H

#include "base/mem.h"

#define BLOB_WISHES_MAX 64u
#define BLOB_WISH_BYTES (20u + 32u + 32u)
#define BLOB_WISHES_BYTES_MAX (8u + BLOB_WISHES_MAX * BLOB_WISH_BYTES)

/* The content of this item, if it is this blob. */
struct blob_wish {
	addr20 gate;
	hash32 item, blob;
};
/* `count` in [1, BLOB_WISHES_MAX]. */
void blob_wishes_encode(struct buf *out, const struct blob_wish *wishes, size_t count);
/* STATUS_INVALID: no canonical list of wishes. */
MUST_USE enum status blob_wishes_decode(
    struct blob_wish out[BLOB_WISHES_MAX], size_t *count, struct bytes bytes, struct err *err);

enum blob_found {
	BLOB_GIVEN = 1,  /* its content follows */
	BLOB_ABSENT = 2, /* this member does not have it */
	BLOB_LATER = 3,  /* it is here, and did not fit into this answer */
};
struct blob_answer {
	enum blob_found found;
	struct bytes content; /* of BLOB_GIVEN; not empty, not judged */
};
/* Appends; the answers in the order of the wishes. */
void blob_answers_encode(struct buf *out, const struct blob_answer *answers, size_t count);
/* To `count` wishes. STATUS_INVALID: it is not an answer to so many. */
MUST_USE enum status blob_answers_decode(
    struct blob_answer out[BLOB_WISHES_MAX], size_t count, struct bytes bytes, struct err *err);

/* --- what a member knows --- */

#define BLOB_PAGE_NAMES 1024u
#define BLOB_PAGE_ASK_BYTES (4u + 20u + 32u)
#define BLOB_PAGE_NAME_BYTES (20u + 32u + 32u + 8u)
#define BLOB_PAGE_BYTES_MAX (17u + BLOB_PAGE_NAMES * BLOB_PAGE_NAME_BYTES)

/* What the chain names and has not erased. Names stand in the order of gate and item, each item once. */
struct blob_name {
	addr20 gate;
	hash32 item, blob;
	uint64_t size_bytes; /* in [1, CONTAINER_BYTES_MAX] */
};
/* <0, 0, >0 as memcmp, by gate and item. */
int blob_name_compare(const struct blob_name *a, const struct blob_name *b);

struct blob_page {
	uint64_t followed; /* the newest block whose events the member has followed */
	bool is_last;      /* nothing comes after these names; a page that is not the last one is full */
	size_t count;
	struct blob_name names[BLOB_PAGE_NAMES];
};
/* Asks for what comes after this gate and item; zeros: from the first one on. */
void blob_page_ask(struct buf *out, const struct blob_name *after);
/* STATUS_INVALID. */
MUST_USE enum status blob_page_asked(struct blob_name *after, struct bytes bytes, struct err *err);
void blob_page_encode(struct buf *out, const struct blob_page *page);
/* STATUS_INVALID: it is no page of what comes after `after`. */
MUST_USE enum status blob_page_decode(
    struct blob_page *out, const struct blob_name *after, struct bytes bytes, struct err *err);

#endif
