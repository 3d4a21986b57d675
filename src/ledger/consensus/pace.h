/*
 * How much a height decides at once. A proposal that takes everything that waits makes heights of seconds when much
 * waits, and a lone transaction waits as long: so the limit on a proposal's bundles falls when heights take longer than
 * PACE_MS, and rises while they are full and quick. It is each proposer's own: nobody else has to agree.
 *
 * Threads: pace_height is for the executing thread, what follows it for the bundling one; `bytes` for any.
 */
#ifndef LEDGER_CONSENSUS_PACE_H
#define LEDGER_CONSENSUS_PACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACE_MS = 400,
	PACE_BYTES_MIN = 256 * 1024,
	PACE_BYTES_MAX = 4 * 1024 * 1024,
	PACE_TXS_MIN = 128, /* under way of one node, whatever heights decide */
	PACE_TXS_MAX = 16384
};

struct pace {
	atomic_ullong bytes; /* of the next proposal's bundles */
	/* The executing thread's own. */
	uint64_t last_ms;
	bool was_busy;
	/* The bundling thread's own. */
	uint64_t seen_height;
	size_t under_way; /* after its last turn */
	size_t gone;      /* of its own transactions, since seen_height */
	size_t decided;   /* of its own transactions, that a height decides on average */
};

void pace_init(struct pace *pace);
/* A height was committed at `now_ms` of a clock that never goes back, with so many bytes of bundles; none: there was
 * nothing to decide. */
void pace_height(struct pace *pace, uint64_t now_ms, size_t bytes);

/* How many transactions this node keeps under way: two heights' worth and a half of what heights decide of its own on
 * average, those with none included. While one height's worth is decided, the next proposal finds its own, and a little
 * more, so that heights can grow. All nodes together then have no more under way than that, so what is sent now stands
 * in the height after the next one at the latest. */
size_t pace_under_way(const struct pace *pace);
/* So many are under way at this height: first what is left of those before, then with those that were sent. */
void pace_left(struct pace *pace, uint64_t height, size_t under_way);
void pace_sent(struct pace *pace, size_t under_way);

#endif
