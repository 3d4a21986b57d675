/* A trustee's service: releasing folders' keys to emergency accounts. Threads: one owner a request. */
#ifndef HEALTH_CONSENT_TRUSTEE_H
#define HEALTH_CONSENT_TRUSTEE_H

#include "health/actors/request.h"

struct trustee_round {
	uint64_t from_block; /* in: where to begin; out: where the next round may */
	size_t released;
	size_t failed; /* each is in the log, and is tried again next time */
};
/* Releases the folder's key for every open window of folders that this home is trustee of, unless it has done so. */
MUST_USE enum status trustee_serve_once(struct actor_request *request, struct trustee_round *round, struct err *err);

#endif
