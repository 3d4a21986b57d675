/*
 * `struct workers` (base/workers.h) by threads and one bounded queue.
 *
 * Threads: worker_pool_open, worker_pool_stop and worker_pool_close from one thread.
 */
#ifndef NET_WORKER_POOL_H
#define NET_WORKER_POOL_H

#include "base/workers.h"

struct worker_pool;

/* Zero means the default in brackets. */
struct worker_pool_options {
	uint32_t threads;   /* [8], at most 256 */
	uint32_t queue_max; /* tasks that wait [1,024] */
};

MUST_USE enum status worker_pool_open(
    struct worker_pool **out, const struct worker_pool_options *options, struct err *err);
/* Valid until worker_pool_close. */
const struct workers *worker_pool_workers(const struct worker_pool *pool);
/* Tasks that wait, and those that run now. */
uint32_t worker_pool_waiting(struct worker_pool *pool);
uint32_t worker_pool_running(struct worker_pool *pool);
/* Takes nothing new, carries out what was taken, ends the threads; what is given later is refused. Once is enough. */
void worker_pool_stop(struct worker_pool *pool);
/* Stops it if that was not done, and frees it: nobody may give any more. NULL is allowed. */
void worker_pool_close(struct worker_pool *pool);

#endif
