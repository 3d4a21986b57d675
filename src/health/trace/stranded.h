/*
 * Stock of a lot whose custodian is not active any more (suspended, withdrawn): a regulator gives it to somebody else.
 * Loose packs move row by row, containers with all that is inside, other lots' packs too.
 *
 * Ownership: the request's arena. Threads: as the request.
 */
#ifndef HEALTH_TRACE_STRANDED_H
#define HEALTH_TRACE_STRANDED_H

#include "health/trace/medicines.h"

#define STRANDED_CONTAINERS_MAX 64u /* that one transaction moves */

struct stranded {
	const uint32_t *rows; /* loose packs of the lot: places of the holder's rows */
	size_t row_count;
	const hash32 *containers; /* outermost ones with packs of the lot inside */
	size_t container_count;
	uint64_t units; /* of the lot */
};
MUST_USE enum status stranded_find(
    struct actor_request *request, struct stranded *out, const hash32 *batch, const addr20 *from, struct err *err);
/* One transaction a row, and one for every STRANDED_CONTAINERS_MAX containers; `sent`: how many were.
 * After a failure the same again moves what is left. */
MUST_USE enum status stranded_move(struct actor_request *request, size_t *sent, const struct stranded *stranded,
    const hash32 *batch, const addr20 *to, struct err *err);

#endif
