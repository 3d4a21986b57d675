/*
 * The wire format of Protocol Buffers, version 3: a cursor over the fields of one message, and a writer. There are no
 * schemas here: whoever reads walks the fields, switches over their numbers, and opens submessages with a cursor of
 * their own, so that no input decides how deep a program goes.
 *
 * The cursor is strict: a varint has at most 10 bytes and 64 bits, field numbers are 1 to 2^29 - 1, and groups, which
 * version 3 does not have, are refused. A varint that is longer than it must be is accepted, as every other reader
 * does: what needs one encoding of a message compares it with what it writes itself. It fails stickily: after the first
 * fault there are no more fields, and one `protobuf_finish` at the end reports it. Views point into the input.
 *
 * The writer puts fields in the order in which it is called. Source: protobuf.dev/programming-guides/encoding.
 * Threads: one owner a cursor.
 */
#ifndef CODEC_PROTOBUF_H
#define CODEC_PROTOBUF_H

#include "base/mem.h"

enum protobuf_type { PROTOBUF_VARINT = 0, PROTOBUF_FIXED64 = 1, PROTOBUF_BYTES = 2, PROTOBUF_FIXED32 = 5 };

struct protobuf_cursor {
	const uint8_t *at;
	const uint8_t *end;
	const char *fault; /* static text; NULL while all is well */
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_type type;
	uint64_t value;     /* a varint, or a fixed number */
	struct bytes bytes; /* a string, bytes, or a message */
};

struct protobuf_cursor protobuf_cursor(struct bytes message);
/* The next field, also one that the caller does not know. False: there are no more, or the cursor failed. A field that
 * occurs again replaces the earlier one, unless it is repeated. */
bool protobuf_next(struct protobuf_cursor *cursor, struct protobuf_field *out);
/* The field as a value of its type. A field of another wire type fails the cursor, and gives 0 or an empty view. */
uint64_t protobuf_u64(struct protobuf_cursor *cursor, const struct protobuf_field *field);
int64_t protobuf_i64(struct protobuf_cursor *cursor, const struct protobuf_field *field);
uint64_t protobuf_fixed64(struct protobuf_cursor *cursor, const struct protobuf_field *field);
struct bytes protobuf_bytes(struct protobuf_cursor *cursor, const struct protobuf_field *field);
/* Marks the cursor as failed, for rules of the caller; the first fault stays. */
void protobuf_fail(struct protobuf_cursor *cursor, const char *fault);
/* STATUS_INVALID with the fault's text, also if fields were not read. */
MUST_USE enum status protobuf_finish(const struct protobuf_cursor *cursor, struct err *err);

/* Takes an unsigned varint from the front of *rest, as stands before a message in a stream. False, and *rest as it was:
 * it is cut off, or has more than 64 bits (then rest->len >= 10). */
bool protobuf_uvarint(uint64_t *out, struct bytes *rest);

void protobuf_put_uvarint(struct buf *out, uint64_t value);
/* A value of 0 and empty bytes are absent, as version 3 writes them. */
void protobuf_put_u64(struct buf *out, uint32_t number, uint64_t value);
void protobuf_put_i64(struct buf *out, uint32_t number, int64_t value);
void protobuf_put_fixed64(struct buf *out, uint32_t number, uint64_t value);
void protobuf_put_bytes(struct buf *out, uint32_t number, struct bytes value);
/* Present also if it is empty: a submessage that is there, or an element of a repeated field. */
void protobuf_put_message(struct buf *out, uint32_t number, struct bytes message);
/* A submessage of what is appended between the two calls. */
size_t protobuf_begin(struct buf *out, uint32_t number);
void protobuf_end(struct buf *out, size_t mark);

#endif
