/* What the files of certified.h share; nobody else includes it. */
#ifndef HEALTH_ACTORS_CERTIFIED_PRIVATE_H
#define HEALTH_ACTORS_CERTIFIED_PRIVATE_H

#include "health/actors/certified.h"
#include "health/chain/calldata.h"

/* --- certified.c --- */

void certified_wants(
    struct verified_want wants[DIRECTORY_STORED_ACTOR_SLOTS], const addr20 *directory, const addr20 *address);
/* The half that is proved. STATUS_NOTFOUND: it is not in the directory. */
MUST_USE enum status certified_words(
    struct verified *verified, struct certified_actor *out, const addr20 *address, struct err *err);
/* The half that was signed; `out` has its words. */
MUST_USE enum status certified_said(struct verified *verified, const struct home *home, struct certified_actor *out,
    const struct statement_registrars *registrars, const addr20 *address, struct err *err);

/* --- statements, at the node and in the home (certified_registrars.c) --- */

MUST_USE enum status certified_logs(struct verified *verified, struct client_log **logs, size_t *count,
    uint64_t from_block, const struct contract_topics *topics, struct err *err);
/* STATUS_DENIED with CAUSE_NOT_PROVED: the node leaves out such logs; `what` it is. */
enum status certified_left_out(struct err *err, const char *what);
/* The calldata of this block's event, read by the wish until one is what was looked for. */
MUST_USE enum status certified_block(struct verified *verified, const struct contract_topics *topics, uint64_t block,
    const struct calldata_wish *wish, struct err *err);

#define CERTIFIED_CHAIN_MAX 256u /* a longer chain is asked for again each time */
/* A chain of statements, each of which names the fact before it. */
struct certified_chain {
	struct bytes inputs[CERTIFIED_CHAIN_MAX]; /* the newest first */
	size_t count;
};
/* From `newest` down to `first`, which is not in it. `link` gives the facts of a statement and of the one before it, or
 * false: it is no such calldata. False: the home does not keep all of it, or keeps nothing (NULL). No signature is
 * checked. */
bool certified_kept_chain(const struct home *home, struct certified_chain *out, struct arena *arena, hash32 newest,
    const hash32 *first, bool (*link)(hash32 *fact, hash32 *before, struct arena *arena, struct bytes input));

#endif
