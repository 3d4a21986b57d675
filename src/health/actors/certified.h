/*
 * An actor as its registrars have certified it: the entry and the keys from the signatures in calldata
 * (health/statements/entry.h), held to the facts that are proved in the directory's storage. The node shows where the
 * statements stand and is believed in nothing. What was verified once is kept in the home (kept_statements.h): then
 * only the slots are asked for.
 *
 * What the chain alone says is in `words`: status, times, key version. Ownership: all in the arena of `verified`.
 * Threads: as `verified`.
 */
#ifndef HEALTH_ACTORS_CERTIFIED_H
#define HEALTH_ACTORS_CERTIFIED_H

#include "health/actors/home.h"
#include "health/chain/verified.h"
#include "health/statements/entry.h"

struct certified_actor {
	struct directory_actor words; /* proved */
	struct statement_actor said;
	uint64_t now_s;    /* of the reading, by the clock and never behind the head */
	hash32 words_hash; /* of all words that it was proved by, the registrars' too */
};
/* At the head that was taken; `home` NULL: keeps nothing. STATUS_NOTFOUND: it is not in the directory, which is proved.
 * STATUS_DENIED: what the node shows is not believed, and why. */
MUST_USE enum status certified_find(struct verified *verified, const struct home *home, struct certified_actor *out,
    const addr20 *address, struct err *err);
/* All sets of registrars, from the anchor's to the proved one. */
MUST_USE enum status certified_registrars(
    struct verified *verified, const struct home *home, struct statement_registrars **sets, struct err *err);
/* Everybody who holds all bits of `roles` (0: any) and whose entry counts, active or not, in the order of their first
 * listing: of the directory's proved list, so nobody is left out. Whose entry fell with a theft of registrars' keys
 * is not among them. Refuses as certified_find does, whoever it is that is not shown. */
MUST_USE enum status certified_find_all(struct verified *verified, const struct home *home,
    struct certified_actor **out, size_t *count, uint32_t roles, struct err *err);

#endif
