/*
 * Raw DEFLATE (RFC 1951) through zlib, as JOSE's `"zip":"DEF"` wants it.
 *
 * Ownership: appends to the caller's buffer. What zlib and we work in is wiped, since it may be a plain resource.
 * Threads: pure.
 */
#ifndef ENVELOPE_DEFLATE_H
#define ENVELOPE_DEFLATE_H

#include "base/mem.h"

/*
 * Appends the compressed form. If `bucket_bytes` is above 1, its length is a multiple of that: empty blocks, which
 * every inflater passes over, fill it up, so that the length reveals little of the content.
 */
void deflate_raw(struct buf *out, struct bytes plain, size_t bucket_bytes);

/* STATUS_INVALID: damaged, cut short, or followed by something. STATUS_LIMIT: more than `out` may still take. */
MUST_USE enum status inflate_raw(struct buf *out, struct bytes deflated, struct err *err);

#endif
