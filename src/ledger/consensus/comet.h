/*
 * Consensus by CometBFT, an engine (engine.h): this node is the application of a CometBFT process beside it, which
 * orders bundles (bundle.h) among the members of a consortium. What it decides is executed and committed here, by the
 * same chain_execute and chain_commit as in solo mode.
 *
 * The application hash is the head's hash, so a decision in which no transaction stands changes nothing, and heights
 * and block numbers differ. The newest height is kept in the store, in the batch of its block, so that after a crash
 * at any moment CometBFT repeats what is missing, and the same bytes come of it. A block bears no seal: CometBFT's
 * commit over the next header proves it.
 *
 * Threads: as engine.h says; engine_run owns the connections to CometBFT, and starts one thread more, which bundles
 * what the pool has and sends it. The link's functions are called from that thread, and from callers of
 * engine_light_block.
 */
#ifndef LEDGER_CONSENSUS_COMET_H
#define LEDGER_CONSENSUS_COMET_H

#include "base/world.h"
#include "ledger/consensus/engine.h"
#include "ledger/pool/pool.h"
#include "ledger/snapshot/snapshots.h"

/* What the engine asks of the CometBFT beside it. */
struct comet_link {
	/* Hands bundles over, to be ordered. A failure: none may have arrived, and they are sent again. */
	MUST_USE enum status (*send)(void *context, const struct bytes *bundles, size_t count, struct err *err);
	/* The light block (header, commit and validators, tendermint.types.LightBlock) of a height; 0: the newest. */
	MUST_USE enum status (*light_block)(void *context, struct buf *out, uint64_t height, struct err *err);
	/* Somebody is no member any more, and may still be connected. Must be quick. */
	void (*members_left)(void *context);
	void *context;
	/* This member's validator, and the newest height for which its key remembers to have signed. False: it is not
	 * known. NULL: nobody knows. */
	bool (*remembers)(void *context, addr20 *validator, uint64_t *height);
	/* It has signed more than it remembers. The engine stops. */
	void (*forgot)(void *context);
};

enum { COMET_FOLLOWERS_MAX = 64 };
struct comet_options {
	const char *socket; /* where CometBFT connects to */
	const struct clock_source *clock;
	struct comet_link link;
	struct snapshots *snapshots; /* to be served to who joins; NULL: none are */
	/* Nodes that are no members and may be connected. */
	addr20 followers[COMET_FOLLOWERS_MAX];
	size_t follower_count;
};
/* Binds the socket. STATUS_INVALID: the chain was sealed by an engine that keeps no heights. */
MUST_USE enum status comet_new(struct engine **out, struct chain *chain, struct pool *pool, struct store *store,
    const struct comet_options *options, struct err *err);
/* The newest height that is committed in this store; 0: none. */
MUST_USE enum status comet_kept_height(struct store *store, uint64_t *out, struct err *err);

/* How it gets on. Any thread. */
struct comet_progress {
	uint64_t height;   /* the newest that is committed */
	uint64_t quiet_ms; /* since it came, or since the engine was made */
};
struct comet_progress comet_progress(struct engine *engine);
/* Where a node stands in the list of members, after the newest block; `node`: CometBFT's identifier of it. Any thread.
 * STATUS_NOTFOUND: it is no member. */
MUST_USE enum status comet_member_place(struct engine *engine, size_t *place, const addr20 *node, struct err *err);

/* How many members there are after the newest block; 0: it cannot be read. Any thread. */
size_t comet_member_count(struct engine *engine);
/* Members of this moment that signed two things for one height, and the height whose block last had evidence of it.
 * Returns how many; at most COMET_LIARS_MAX are in `out`. Any thread. */
enum { COMET_LIARS_MAX = 8 };
struct comet_liar {
	addr20 account;
	uint64_t height;
};
size_t comet_liars(struct engine *engine, struct comet_liar out[COMET_LIARS_MAX]);
/* May this node be connected, though it is no member? Any thread. */
bool comet_is_follower(const struct engine *engine, const addr20 *node);

/* CometBFT says that the other members decided what this node finds wrong: the engine reports what this node holds, and
 * engine_run fails. Any thread. */
void comet_fail(struct engine *engine, const char *why);

#endif
