/*
 * What a trustee remembers between programs: from which emergency on it looks, from which block on for shares that were
 * dealt, and for whom it has released shares today, so that nobody gets more of them than a day's number, whatever the
 * chain says. trustee.json of the home:
 *	{"v":2,"next":N,"block":N,"day":N,"released":[{"review":N,"actor":"0x…"},…]}
 * A day is one of UTC, as the contract counts them. Threads: one owner a request; a home has one program that sends.
 */
#ifndef HEALTH_CONSENT_RELEASES_H
#define HEALTH_CONSENT_RELEASES_H

#include "health/chain/heads.h"

#define RELEASES_A_DAY 16u /* for an actor of which registrars say nothing else: as Directory has it */
#define RELEASES_MAX 512u  /* of one day, for all actors together */

/* The oldest emergency that may still be owed a release; 1: nothing is remembered. */
MUST_USE enum status releases_next(struct heads *heads, uint64_t *next, struct err *err);
/* Never to an older one than is remembered. */
MUST_USE enum status releases_set_next(struct heads *heads, uint64_t next, struct err *err);
/* The block from which on shares that were dealt were not checked; 0: nothing is remembered. Never to an older one. */
MUST_USE enum status releases_checked_to(struct heads *heads, uint64_t *block, struct err *err);
MUST_USE enum status releases_set_checked_to(struct heads *heads, uint64_t block, struct err *err);
/* A share that may be released: of which review, to whom, and how many that actor gets in a day. */
struct releases_wish {
	uint64_t review;
	addr20 actor;
	uint32_t a_day;
	uint64_t now_s;
};
/* Before it is released: *allowed if the actor had fewer today, or this one already; then it is written down. */
MUST_USE enum status releases_take(
    struct heads *heads, bool *allowed, const struct releases_wish *wish, struct err *err);

#endif
