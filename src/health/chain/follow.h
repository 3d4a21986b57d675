/*
 * Following a chain: each watch is a filter and a cursor, the first block that was not read for it. follow_run brings
 * watches to the newest block, asking the node only for what is new, and hands each page to a store, which keeps rows
 * and cursors in one transaction. So a program that is killed at any moment goes on where it was.
 *
 * Reorganisations: with each page the store keeps the number and hash of its last block, the newest FOLLOW_KEPT of
 * them. A run begins at the newest kept block that the node still has; if that is not the newest kept one, the store
 * unwinds to it first. If the node has none of them it is another chain, or one that was changed deeper than is kept:
 * STATUS_CORRUPT, and nothing is read. The hash of a page's last block is asked before its logs: if the chain turns in
 * between, the next run finds out and reads again.
 *
 * A watch that is new begins where it matters (block 0, or the block in which a container came into sight) and rides
 * with the others once it has caught up: watches at the same block that differ in one topic are asked together.
 *
 * Threads: as the client. Nothing here is proved: the node is believed to show all logs (docs/threat-model.md).
 */
#ifndef HEALTH_CHAIN_FOLLOW_H
#define HEALTH_CHAIN_FOLLOW_H

#include "health/chain/logs.h"

#define FOLLOW_KEPT 128u

struct follow_block {
	uint64_t number;
	hash32 hash;
};

struct follow_watch {
	addr20 address;
	hash32 topics[4];
	bool has_topic[4];
	uint64_t next_block; /* in and out */
	int64_t id;          /* the store's own */
};

struct follow_page {
	/* One page is one question: all of these had the same next_block, which becomes end.number + 1. */
	struct follow_watch *const *watches;
	size_t watch_count;
	const struct client_log *logs; /* ordered, each once; each passes at least one of the watches */
	size_t log_count;
	struct follow_block end;
};

struct follow_store {
	/* A kept block, `back` 0: the newest. *found false: there is none so far back. */
	MUST_USE enum status (*kept)(
	    void *context, struct follow_block *out, bool *found, size_t back, struct err *err);
	/* Forgets rows, cursors and kept blocks behind `last`. */
	MUST_USE enum status (*unwind)(void *context, uint64_t last, struct err *err);
	/* All of it, or nothing: rows, the watches' cursors, the kept block. A row that is there already stays.
	 * STATUS_BUSY: another program unwound meanwhile, begin again. */
	MUST_USE enum status (*add)(void *context, const struct follow_page *page, struct err *err);
	void *context;
	const struct progress *progress; /* hears of blocks; NULL: nobody does */
};

/* Does this log pass the watch's filter? */
bool follow_passes(const struct follow_watch *watch, const struct log *log);

/*
 * `genesis`: the hash that block 0 must have, asked when nothing is kept yet. STATUS_DENIED: it has another.
 * STATUS_CORRUPT: see above. STATUS_IO, STATUS_TIMEOUT: what was read so far is kept.
 */
MUST_USE enum status follow_run(struct client *client, const struct follow_store *store, const hash32 *genesis,
    struct follow_watch *watches, size_t count, struct err *err);

#endif
