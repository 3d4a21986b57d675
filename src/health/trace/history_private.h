/* Inside trace: what the two files of a pack's story share. */
#ifndef HEALTH_TRACE_HISTORY_PRIVATE_H
#define HEALTH_TRACE_HISTORY_PRIVATE_H

#include "health/trace/history.h"

struct history_containers {
	hash32 ids[HISTORY_CONTAINERS_MAX];
	size_t count;
};
/* `logs`: oldest first. STATUS_DENIED with CAUSE_NOT_PROVED: the chain does not hold one of them. */
MUST_USE enum status history_prove(
    struct actor_request *request, const struct client_log *const *logs, size_t count, struct err *err);
/* `around`: the containers that hold the pack where the story ends. */
MUST_USE enum status history_check_end(struct actor_request *request, struct history_end *out,
    const struct history_entry *entries, size_t count, const struct stock_unit *unit,
    const struct history_containers *around, struct err *err);

#endif
