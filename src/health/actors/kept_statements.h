/*
 * Calldata of statements that were verified once, in the home's statements/, by their fact. Their signatures are
 * checked anew each time: a file that was changed or lost is read from a node again. Ownership: in the arena. Threads:
 * one owner a request.
 */
#ifndef HEALTH_ACTORS_KEPT_STATEMENTS_H
#define HEALTH_ACTORS_KEPT_STATEMENTS_H

#include "health/actors/request.h"
#include "health/chain/calldata.h"

#define KEPT_STATEMENTS_MAX 4096u /* files of a few KB; one of them goes for each new one beyond */

/* verified_statement, which asks a node only if the home does not keep the calldata. */
MUST_USE enum status kept_statement(
    struct actor_request *request, const hash32 *fact, const struct calldata_wish *wish, struct err *err);

/* What is kept of this fact, and not checked yet. False: nothing is. */
bool kept_statement_get(const struct home *home, struct bytes *input, struct arena *arena, const hash32 *fact);
/* After its check. Best effort: what cannot be kept is asked for again. */
void kept_statement_put(const struct home *home, struct arena *arena, const hash32 *fact, struct bytes input);

#endif
