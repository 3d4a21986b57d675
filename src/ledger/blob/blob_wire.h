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

#endif
