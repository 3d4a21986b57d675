/*
 * The contract ABI (Solidity specification, "Contract ABI Specification"): encoding by small calls into a buffer, and
 * a strict reader of what comes back.
 *
 * A call or a tuple is a row of 32-byte heads; the head of a dynamic value is an offset, from the row's begin, of
 * its tail:
 *
 *	abi_put_selector(&out, "transfer(address,bytes)");
 *	struct abi_row row = abi_row_begin(&out);
 *	abi_put_address(&out, &to);
 *	size_t data = abi_reserve(&out);
 *	abi_tail(&row, data);
 *	abi_put_bytes(&out, bytes);
 *
 * An array is a tail: its length by abi_put_u64, then its elements; where these are dynamic they stand in a row of
 * their own, which begins behind the length. Overflow of `out` is sticky there (`buf_status`).
 *
 * Ownership: the reader's views point into its input. Threads: one owner a row or reader.
 */
#ifndef ETH_ABI_H
#define ETH_ABI_H

#include "base/mem.h"
#include "eth/u256.h"

/* keccak of a signature, as of "Transfer(address,address,uint256)": an event's first topic; its first 4 bytes select a
 * function. */
hash32 abi_topic(const char *signature);
/* Indexed arguments: an address or a number as an event's topic. */
hash32 abi_topic_of_address(const addr20 *address);
hash32 abi_topic_of_u64(uint64_t value);
void abi_put_selector(struct buf *out, const char *signature);

/* One word each. */
void abi_put_u64(struct buf *out, uint64_t value);
void abi_put_u256(struct buf *out, const u256 *value);
void abi_put_bool(struct buf *out, bool value);
void abi_put_address(struct buf *out, const addr20 *address);
void abi_put_hash32(struct buf *out, const hash32 *hash);
/* bytes1 … bytes32: at most 32 bytes, padded behind. */
void abi_put_fixed(struct buf *out, struct bytes value);
/* A tail of `bytes` or `string`: its length, and its bytes padded to whole words. */
void abi_put_bytes(struct buf *out, struct bytes value);
/* A tail of `bytes[]`. */
void abi_put_bytes_array(struct buf *out, const struct bytes *values, size_t count);

struct abi_row {
	struct buf *out;
	size_t begin;
};
struct abi_row abi_row_begin(struct buf *out);
/* The head of a dynamic value; returns where it stands. */
size_t abi_reserve(struct buf *out);
/* The tail of that head begins here. */
void abi_tail(const struct abi_row *row, size_t head);

/*
 * Reads a row. Fails stickily: after the first fault every read gives zeros or empty views and children that have
 * failed too; abi_finish reports it. Refused: what lies outside the input, offsets that are no whole words or point
 * into the row's own heads read so far, high bits outside a narrow type, padding that is not zero.
 */
struct abi_reader {
	struct bytes row;
	size_t at;               /* of the next head */
	size_t end, total;       /* behind what was read, tails included, and its sum; of the outermost reader */
	const char *fault;       /* static text, or NULL */
	struct abi_reader *root; /* where faults and ends are kept; NULL: this one */
};
struct abi_reader abi_reader(struct bytes data);
uint64_t abi_u64(struct abi_reader *reader);
/* uint8 … uint64: a number of at most `bits` bits. */
uint64_t abi_uint(struct abi_reader *reader, unsigned bits);
/* A member of an enum of `count` members. */
unsigned abi_enum(struct abi_reader *reader, unsigned count);
u256 abi_u256(struct abi_reader *reader);
bool abi_bool(struct abi_reader *reader);
addr20 abi_address(struct abi_reader *reader);
hash32 abi_hash32(struct abi_reader *reader);
/* bytesN, N = len. */
void abi_fixed(struct abi_reader *reader, uint8_t *out, size_t len);
/* `bytes` or `string`, through an offset. */
struct bytes abi_bytes(struct abi_reader *reader);
/* A dynamic tuple or array of static size, through an offset: a reader of its row. Its faults are reported to
 * the outermost reader. */
struct abi_reader abi_tuple(struct abi_reader *reader);
/* A dynamic array, through an offset: its elements' row and their count, of which each has at least one word. */
struct abi_reader abi_array(struct abi_reader *reader, size_t *count);
/* Call on the outermost reader. STATUS_INVALID with the fault's text. */
MUST_USE enum status abi_finish(const struct abi_reader *reader, struct err *err);
/* The same; STATUS_INVALID also if the input goes on behind what was read, or has holes. */
MUST_USE enum status abi_finish_whole(const struct abi_reader *reader, struct err *err);

#endif
