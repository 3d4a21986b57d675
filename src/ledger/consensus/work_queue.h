/*
 * What other threads want done on an engine's executing thread, between two blocks: the queue behind engine_call.
 *
 * Threads: any may call work_queue_call and work_queue_stop; the executing one runs what waits.
 */
#ifndef LEDGER_CONSENSUS_WORK_QUEUE_H
#define LEDGER_CONSENSUS_WORK_QUEUE_H

#include <pthread.h>

#include "ledger/consensus/engine.h"

struct work_item;

struct work_queue {
	struct engine *engine;
	/* Wakes the executing thread, wherever it waits; any thread. */
	void (*wake)(struct engine *engine);
	/* private below this line */
	pthread_mutex_t lock;
	pthread_cond_t came, done;
	struct work_item *first, **last;
	bool stopping;
};

void work_queue_init(struct work_queue *queue, struct engine *engine, void (*wake)(struct engine *engine));
void work_queue_fini(struct work_queue *queue);
/* engine_call. */
MUST_USE enum status work_queue_call(struct work_queue *queue, engine_work *work, void *context, struct err *err);
/* Runs what waits; `refuse`: answers that the node is stopping. */
void work_queue_run(struct work_queue *queue, bool refuse);
/* From now on nothing is taken in. */
void work_queue_stop(struct work_queue *queue);
bool work_queue_is_stopping(struct work_queue *queue);
/* Until something comes, the stop, or so many milliseconds went by. */
void work_queue_wait(struct work_queue *queue, uint64_t ms);

#endif
