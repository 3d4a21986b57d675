/*
 * Workers as an interface: threads that carry out what must not run on the threads that serve others. The queue is
 * bounded, and a full one refuses. net/worker_pool.h implements it; only app/ wires the two.
 *
 * Threads: workers_give from any thread; tasks run on the workers' own threads, several at once.
 */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include "base/http.h"

typedef void worker_task(void *argument);

struct workers {
	bool (*give)(void *context, worker_task *task, void *argument);
	void *context;
};

/* False: the queue is full or the workers stop; the task will not run. A task that was taken runs in any case. */
MUST_USE static inline bool workers_give(const struct workers *workers, worker_task *task, void *argument) {
	return workers->give(workers->context, task, argument);
}

/*
 * Defers the exchange and lets a worker call `handle`, which answers by returning; it may not defer. If nobody waits
 * for the answer any more when its turn comes, it is not called. Without room: 503 with Retry-After.
 */
void workers_handle(const struct workers *workers, http_handler *handle, void *context, struct http_exchange *exchange);

#endif
