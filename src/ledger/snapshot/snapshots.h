/*
 * The snapshots that a node keeps to serve: DIRECTORY/HEIGHT each (make.h), made in the background every so many
 * blocks, the newest few kept. All nodes make the same ones, since the block's number says when.
 *
 * Threads: snapshots_committed is for the thread that commits; the rest is for any. One thread of its own makes them.
 */
#ifndef LEDGER_SNAPSHOT_SNAPSHOTS_H
#define LEDGER_SNAPSHOT_SNAPSHOTS_H

#include "ledger/chain/chain.h"
#include "ledger/snapshot/format.h"

enum { SNAPSHOTS_KEPT_MAX = 10 }; /* CometBFT offers no more of a node */

struct snapshots_options {
	struct chain *chain;
	struct store *store;
	const char *directory; /* made if it is not there */
	uint64_t every;        /* blocks; 0: none are made, and those that are there are served */
	size_t keep;           /* 1 to SNAPSHOTS_KEPT_MAX */
};
struct snapshots;
/* What an interrupted run left is removed. */
MUST_USE enum status snapshots_open(struct snapshots **out, const struct snapshots_options *options, struct err *err);
/* Gives up one that is in the making. NULL is allowed. */
void snapshots_close(struct snapshots *snapshots);

/* A block was decided at this height, and is the head. While one is made no other begins. */
void snapshots_committed(struct snapshots *snapshots, uint64_t height, uint64_t number);

struct snapshot_info {
	uint64_t height, number;
	size_t chunk_count;
	hash32 hash;
	struct bytes manifest; /* in the arena */
};
/* The newest first, up to `height_max`. Returns how many. */
size_t snapshots_list(struct snapshots *snapshots, struct snapshot_info out[SNAPSHOTS_KEPT_MAX], struct arena *arena,
    uint64_t height_max);
/* Appends a chunk, as it was made: one that the disk has changed is not served. STATUS_NOTFOUND, STATUS_CORRUPT. */
MUST_USE enum status snapshots_read(
    struct snapshots *snapshots, struct buf *out, uint64_t height, size_t index, struct err *err);
/* The height of the oldest one; 0: there is none. Blocks after it are still asked for. */
uint64_t snapshots_oldest(struct snapshots *snapshots);
/* Are they made? */
bool snapshots_are_made(const struct snapshots *snapshots);

#endif
