/*
 * Work that a service does every so often on a thread of its own. Threads: the work on its thread; start and stop
 * belong to their caller.
 */
#ifndef APP_SERVE_PERIODIC_H
#define APP_SERVE_PERIODIC_H

#include "base/mem.h"

struct periodic_work {
	const char *name;  /* of messages: "the nodes' watch" */
	uint32_t every_ms; /* from the end of one time to the next */
	void (*once)(void *context);
	void *context;
};
struct periodic;
/* The first time is at once. */
MUST_USE enum status periodic_start(struct periodic **out, const struct periodic_work *work, struct err *err);
/* Waits for what is being done, and frees it. NULL is allowed. */
void periodic_stop(struct periodic *periodic);

#endif
