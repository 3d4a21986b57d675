/*
 * The outer seal of a consortium: a lock (crypto/threshold/tdh2.h) around what opens a record, whose key the members
 * hold in shares. Here is what nodes and readers say to each other about it; docs/wire-formats.md §14.
 *
 *	statement   who holds shares, and the commitments of the key; its hash stands in the contract Members
 *	wish        what a reader asks members for: their parts of one lock, for a key of its own
 *	part        what one member gives, locked to that key, so that whoever passes it on learns nothing
 *
 * Ownership: plain values. Threads: pure, but for the random source.
 */
#ifndef ETH_OUTER_H
#define ETH_OUTER_H

#include "crypto/threshold/tdh2.h"

#define OUTER_HOLDERS_MAX VSS_SHARES_MAX
#define OUTER_HEAD_BYTES (16u + 8u + 2u)
#define OUTER_STATEMENT_MAX (OUTER_HEAD_BYTES + 20u * OUTER_HOLDERS_MAX + VOPRF_ELEMENT_BYTES * VSS_THRESHOLD_MAX)
#define OUTER_LABEL_BYTES (32u + 20u + 32u)
#define OUTER_WISH_BYTES (8u + 1u + TDH2_HEAD_BYTES + VOPRF_ELEMENT_BYTES)
#define OUTER_PART_BYTES (TDH2_OVERHEAD_BYTES + VOPRF_PART_BYTES)
/* An answer: the statement's number (8 bytes), how many parts (1), and the parts. */
#define OUTER_PARTS_HEAD_BYTES 9u
#define OUTER_PARTS_MAX (OUTER_PARTS_HEAD_BYTES + OUTER_PART_BYTES * OUTER_HOLDERS_MAX)
/* What a request for parts is signed as: "release 0x" and the SHA-256 of the wish. */
#define OUTER_ACTION_BYTES (sizeof "release 0x" + 64)

/* Of every `count` members so many open a lock together: f + 1, one more than may lie. */
static inline uint8_t outer_threshold(size_t count) {
	return (uint8_t)((count + 2) / 3);
}

struct outer_statement {
	uint64_t number; /* from 1 */
	uint8_t holder_count;
	addr20 holders[OUTER_HOLDERS_MAX]; /* nodes of members, ascending; holder i, from 0, has share i + 1 */
	struct vss_commitments commitments;
};
void outer_statement_write(struct buf *out, const struct outer_statement *statement);
/* STATUS_INVALID: not the one encoding of a statement; the threshold is another than outer_threshold, too. */
MUST_USE enum status outer_statement_read(struct outer_statement *out, struct bytes data);
hash32 outer_statement_hash(const struct outer_statement *statement);
/* The index of a node's share, from 1; 0: it has none. */
uint8_t outer_index(const struct outer_statement *statement, const addr20 *node);

/* What a lock of an item's is made for. */
void outer_label(uint8_t out[OUTER_LABEL_BYTES], const hash32 *genesis, const addr20 *gate, const hash32 *item);

struct outer_wish {
	uint64_t number;       /* of the statement that the reader knows */
	uint8_t needed;        /* so many parts are wanted of whoever is asked: its own, and other members' */
	struct tdh2_head head; /* of the lock */
	struct p256_public reader;
};
void outer_wish_write(uint8_t out[OUTER_WISH_BYTES], const struct outer_wish *wish);
MUST_USE enum status outer_wish_read(struct outer_wish *out, struct bytes data);
void outer_action(char out[OUTER_ACTION_BYTES], struct bytes wish);

/* Makes this holder's part. STATUS_DENIED: the lock was not made for this label. STATUS_INVALID: the reader's key is
 * not on the curve, or the share is out of range. */
MUST_USE enum status outer_part_make(uint8_t out[OUTER_PART_BYTES], const struct outer_wish *wish,
    const uint8_t label[OUTER_LABEL_BYTES], const struct vss_share *share, const struct random_source *random);
/* Opens one that came. STATUS_INVALID, STATUS_DENIED: it is none, or is not for this key and label. Whether it is true
 * is not judged. */
MUST_USE enum status outer_part_open(struct voprf_part *out, struct bytes part, const uint8_t label[OUTER_LABEL_BYTES],
    const struct p256_secret *reader);

#endif
