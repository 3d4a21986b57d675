/* What the files of certified.h share; nobody else includes it. */
#ifndef HEALTH_ACTORS_CERTIFIED_PRIVATE_H
#define HEALTH_ACTORS_CERTIFIED_PRIVATE_H

#include "health/actors/certified.h"

/* All sets of registrars, from the anchor's to the proved one. */
MUST_USE enum status certified_registrars(
    struct verified *verified, struct statement_registrars **sets, struct err *err);
void certified_wants(
    struct verified_want wants[DIRECTORY_STORED_ACTOR_SLOTS], const addr20 *directory, const addr20 *address);
/* The half that is proved. STATUS_NOTFOUND: it is not in the directory. */
MUST_USE enum status certified_words(
    struct verified *verified, struct certified_actor *out, const addr20 *address, struct err *err);
/* The half that was signed; `out` has its words. */
MUST_USE enum status certified_said(struct verified *verified, struct certified_actor *out,
    const struct statement_registrars *registrars, const addr20 *address, struct err *err);

#endif
