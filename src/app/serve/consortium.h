/*
 * What stands beside a node that is a member of a consortium: its CometBFT, and the clients of CometBFT's JSON-RPC that
 * the engine uses (ledger/consensus/comet.h).
 *
 * The sockets are in the node's data folder: abci.sock, where the node listens, and comet.sock, where CometBFT does.
 * Threads: one of its own, which sends those away who are no members any more; the link's functions and
 * consortium_standing are called from any, the rest from the thread that owns the node.
 */
#ifndef APP_SERVE_CONSORTIUM_H
#define APP_SERVE_CONSORTIUM_H

#include "ledger/consensus/comet.h"

struct consortium_options {
	const char *data;    /* the node's data folder */
	const char *home;    /* CometBFT's folder; NULL: somebody else runs it */
	const char *program; /* a path, or a name that is looked up */
};

struct consortium;
MUST_USE enum status consortium_open(
    struct consortium **out, const struct consortium_options *options, struct err *err);
/* NULL is allowed. */
void consortium_close(struct consortium *consortium);
/* Where the engine listens, and what it asks of CometBFT; both live as long as the consortium. */
const char *consortium_socket(const struct consortium *consortium);
struct comet_link consortium_link(struct consortium *consortium);
/* The engine over that link; it must live as long. Before anything below. */
void consortium_attach(struct consortium *consortium, struct engine *engine);
/* Starts CometBFT, once the engine listens. `height`: the newest one that the node holds. If the other members
 * decide what this node finds wrong, the engine fails (comet_fail). */
MUST_USE enum status consortium_start(struct consortium *consortium, uint64_t height, struct err *err);
/* A request of CometBFT's JSON-RPC, whole, and its answer, appended. */
MUST_USE enum status consortium_ask(
    struct consortium *consortium, struct buf *out, struct bytes request, struct err *err);
/* CometBFT does not run, or runs again: while its files are copied. Any thread. */
void consortium_pause(struct consortium *consortium, bool is_paused);
/* Ends it, while the engine still answers it. */
void consortium_stop(struct consortium *consortium);

/* What an operator wants to know. Waits up to two seconds for CometBFT; an answer counts for one second. */
struct consortium_standing {
	struct comet_progress progress;
	bool answers; /* does CometBFT? else the next three are zero */
	uint64_t round, peers;
	bool is_catching_up;
	size_t liar_count; /* members against whom evidence stands; at most COMET_LIARS_MAX are in `liars` */
	struct comet_liar liars[COMET_LIARS_MAX];
};
struct consortium_standing consortium_standing(struct consortium *consortium);

#endif
