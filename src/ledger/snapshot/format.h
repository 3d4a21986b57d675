/*
 * The bytes of a snapshot: what a node needs to go on from one block, the same on every node that has that block
 * (docs/wire-formats.md).
 *
 * A snapshot is a manifest and chunks. The manifest names the block by its header, whose hash a joining node has from
 * CometBFT's light client, and each chunk by its SHA-256. A chunk is a sequence of items, and an item is never split.
 * The kinds of items rise from the first chunk to the last, but for slots, which follow their account: headers up to
 * the snapshot's own, the newest blocks, codes by rising hash, and accounts by rising keccak(address).
 *
 * What is read here is only well-formed; load.h checks that it is the state that the header names. Views point into the
 * input. Threads: pure.
 */
#ifndef LEDGER_SNAPSHOT_FORMAT_H
#define LEDGER_SNAPSHOT_FORMAT_H

#include "eth/types.h"

enum {
	SNAPSHOT_FORMAT = 1,
	SNAPSHOT_HEADERS = 256,              /* so many, or all: what BLOCKHASH may ask for */
	SNAPSHOT_BLOCKS_BYTES = 8 << 20,     /* the newest blocks, so many bytes of them, but at least one */
	SNAPSHOT_CHUNK_BYTES = 8 << 20,      /* a chunk with more than one item is not larger */
	SNAPSHOT_CHUNK_BYTES_MAX = 15 << 20, /* CometBFT carries 16 MiB */
	SNAPSHOT_CHUNKS_MAX = 100000,        /* CometBFT's limit */
	SNAPSHOT_CODES_MAX = 1 << 22,
	SNAPSHOT_MANIFEST_BYTES_MAX = 4 << 20
};

struct snapshot_manifest {
	hash32 genesis;
	uint64_t height; /* of CometBFT: at which the block was decided */
	struct header header;
	hash32 block; /* the header's hash */
	const hash32 *chunks;
	size_t chunk_count;
};
/* `block` is not written: it follows from the header. */
void snapshot_manifest_encode(struct buf *out, const struct snapshot_manifest *manifest);
/* Chunks' hashes are in the arena. STATUS_INVALID. */
MUST_USE enum status snapshot_manifest_decode(
    struct snapshot_manifest *out, struct arena *arena, struct bytes manifest, struct err *err);
/* What names the snapshot among CometBFT's peers. */
hash32 snapshot_hash(struct bytes manifest);

enum snapshot_kind {
	SNAPSHOT_HEADER = 1,  /* value: its RLP */
	SNAPSHOT_BLOCK = 2,   /* number; value: the body's RLP; more: an RLP list of receipts, each its envelope */
	SNAPSHOT_CODE = 3,    /* value */
	SNAPSHOT_ACCOUNT = 4, /* key: keccak(address); value: its row (store/tables.h) */
	SNAPSHOT_SLOT = 5     /* key: keccak(slot); value: 1 to 32 bytes */
};
struct snapshot_item {
	enum snapshot_kind kind;
	uint64_t number;
	hash32 key;
	struct bytes value, more;
};
void snapshot_item_put(struct buf *out, const struct snapshot_item *item);
/* Takes the first item off `rest`, which is not empty. STATUS_INVALID. */
MUST_USE enum status snapshot_item_take(struct snapshot_item *out, struct bytes *rest, struct err *err);

#endif
