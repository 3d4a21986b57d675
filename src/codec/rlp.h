/*
 * RLP (Yellow Paper app. B), strict: only the one canonical form of every item is accepted.
 *
 * Reading uses a cursor that fails stickily: after the first fault every read gives zeros or empty views, and one
 * `rlp_finish` at the end reports it. Views point into the input. Threads: one owner a cursor.
 */
#ifndef CODEC_RLP_H
#define CODEC_RLP_H

#include "base/mem.h"

struct rlp_cursor {
	const uint8_t *at;
	const uint8_t *end;
	const char *fault; /* static text; NULL while all is well */
};

/* A cursor over the items of `items` (a payload: the items of a list stand one after another). */
struct rlp_cursor rlp_cursor(struct bytes items);
bool rlp_at_end(const struct rlp_cursor *cursor); /* also true after a fault */
bool rlp_next_is_list(const struct rlp_cursor *cursor);
/* The next item, a string: its payload. */
struct bytes rlp_string(struct rlp_cursor *cursor);
/* The next item, a list: a cursor over its items. A fault inside the child is passed up by rlp_leave. */
struct rlp_cursor rlp_enter(struct rlp_cursor *cursor);
/* Faults the parent where the child failed or has items left. */
void rlp_leave(struct rlp_cursor *parent, const struct rlp_cursor *child);
/* The next item whole, header included, whatever it is (well-formed at its top level). */
struct bytes rlp_raw(struct rlp_cursor *cursor);
/* Exactly len bytes into out; zeros on a fault. */
void rlp_fixed(struct rlp_cursor *cursor, uint8_t *out, size_t len);
/* Numbers: no leading zero byte; at most 8 / 32 bytes. The latter is written big-endian, left-padded. */
uint64_t rlp_u64(struct rlp_cursor *cursor);
void rlp_u256(struct rlp_cursor *cursor, uint8_t out[32]);
/* Marks the cursor as failed, for rules of the caller; the first fault stays. */
void rlp_fail(struct rlp_cursor *cursor, const char *fault);
/* STATUS_INVALID with the fault's text, also when items are left over. */
MUST_USE enum status rlp_finish(const struct rlp_cursor *cursor, struct err *err);
/* Is `item` exactly one well-formed item, canonical to its leaves (nesting at most 1024)? For vectors and fuzzers. */
MUST_USE enum status rlp_check(struct bytes item, struct err *err);

void rlp_put_string(struct buf *out, struct bytes payload);
void rlp_put_u64(struct buf *out, uint64_t value);
/* A big-endian number of any width; leading zeros are dropped. */
void rlp_put_uint(struct buf *out, struct bytes big_endian);
/* A list around what is appended between the two calls. */
size_t rlp_list_begin(struct buf *out);
void rlp_list_end(struct buf *out, size_t mark);
/* The size of a string's / list's encoding with a payload of that size. */
size_t rlp_string_size(struct bytes payload);
size_t rlp_header_size(size_t payload_len);
void rlp_put_list_header(struct buf *out, size_t payload_len);

#endif
