/*
 * The bearer token that a client shows to its node, if the node asks for one (ledger/rpc/rpc_callers.h). It comes from
 * a file that only its owner can read: a token, or the secret of 64 hexadecimal digits that the node has too, from
 * which a token is made for each request.
 *
 * Threads: any, once it is open.
 */
#ifndef APP_BEARER_H
#define APP_BEARER_H

#include "base/mem.h"
#include "base/world.h"

struct bearer;
/* STATUS_INVALID: the file holds neither. `clock` is borrowed. */
MUST_USE enum status bearer_open(
    struct bearer **out, const char *path, const struct clock_source *clock, struct err *err);
void bearer_close(struct bearer *bearer); /* wipes it; NULL is allowed */
/* These header lines (NULL-terminated, or NULL) and the token's; in the arena. `bearer` NULL: `headers`. */
const char *const *bearer_headers(const struct bearer *bearer, struct arena *arena, const char *const *headers);

#endif
