/*
 * The chain of registrar sets, from the anchor's own set 0 to the newest: who may list actors, and whose signatures
 * count. Each set is signed by m of the one before and by each of its newcomers, and names the fact before it.
 *
 * Ownership: statement.h. Threads: one owner.
 */
#ifndef HEALTH_STATEMENTS_REGISTRARS_H
#define HEALTH_STATEMENTS_REGISTRARS_H

#include "health/statements/statement.h"

struct statement_set {
	hash32 fact;
	const addr20 *members; /* ascending */
	size_t member_count;
	uint8_t threshold;
	bool theft; /* what earlier sets signed counts no more, but for `affirmed` */
	const addr20 *affirmed;
	size_t affirmed_count;
};

struct statement_registrars {
	const struct deployment *anchor;
	struct arena *arena;
	struct statement_set *sets; /* by number, from 0 */
	size_t count, cap;
};

/* Set 0. STATUS_INVALID: the anchor's registrars are not ascending, or the threshold is half of them or less. */
MUST_USE enum status statement_registrars_begin(
    struct statement_registrars *out, struct arena *arena, const struct deployment *anchor, struct err *err);
/* The next set, of calldata of Directory.changeRegistrars. */
MUST_USE enum status statement_registrars_next(
    struct statement_registrars *registrars, struct bytes calldata, struct err *err);
/* Is the newest set the one whose number and fact the chain holds? */
MUST_USE enum status statement_registrars_are_proved(
    const struct statement_registrars *registrars, uint32_t number, const hash32 *proved, struct err *err);
/* Does what set `number` signed for the actor still count? Not if a later set says theft and does not affirm it. */
bool statement_registrars_count(const struct statement_registrars *registrars, uint32_t number, const addr20 *actor);

#endif
