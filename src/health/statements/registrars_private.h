/* Registrars' signatures, for the actors' statements. */
#ifndef HEALTH_STATEMENTS_REGISTRARS_PRIVATE_H
#define HEALTH_STATEMENTS_REGISTRARS_PRIVATE_H

#include "health/statements/registrars.h"

/* Who signed, strictly ascending. */
struct registrar_signers {
	addr20 all[STATEMENT_REGISTRARS_MAX];
	size_t count;
};
/* False: too many, not ascending, or a signature that is of nobody. */
bool registrar_signers_of(
    struct registrar_signers *out, const struct bytes *signatures, size_t count, const hash32 *digest);
/* Are all of them members, and as many as the set's threshold asks? */
bool registrar_signers_suffice(const struct registrar_signers *signers, const struct statement_set *set);
/* Did m of any one set whose signatures count for the actor sign? Which set it was, statements other than Entry do not
 * say. */
bool registrars_signed_for(const struct statement_registrars *registrars, const addr20 *actor,
    const struct bytes *signatures, size_t count, const hash32 *digest);

#endif
