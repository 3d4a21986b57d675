#include "ledger/consensus/work_queue.h"

#include <errno.h>
#include <time.h>

/* A caller that waits. */
struct work_item {
	struct work_item *next;
	engine_work *work;
	void *context;
	struct err *err;
	enum status status;
	bool done;
};

void work_queue_init(struct work_queue *queue, struct engine *engine, void (*wake)(struct engine *engine)) {
	pthread_condattr_t monotonic;
	*queue = (struct work_queue){.engine = engine, .wake = wake};
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->came, &monotonic);
	pthread_cond_init(&queue->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void work_queue_fini(struct work_queue *queue) {
	pthread_cond_destroy(&queue->came);
	pthread_cond_destroy(&queue->done);
	pthread_mutex_destroy(&queue->lock);
}

enum status work_queue_call(struct work_queue *queue, engine_work *work, void *context, struct err *err) {
	struct work_item item = {.work = work, .context = context, .err = err};
	pthread_mutex_lock(&queue->lock);
	if (queue->stopping) {
		pthread_mutex_unlock(&queue->lock);
		return err_set(err, STATUS_BUSY, "the node is stopping");
	}
	*queue->last = &item;
	queue->last = &item.next;
	pthread_cond_broadcast(&queue->came);
	pthread_mutex_unlock(&queue->lock);
	queue->wake(queue->engine);

	pthread_mutex_lock(&queue->lock);
	while (!item.done) pthread_cond_wait(&queue->done, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
	return item.status;
}

void work_queue_run(struct work_queue *queue, bool refuse) {
	pthread_mutex_lock(&queue->lock);
	while (queue->first != NULL) {
		struct work_item *item = queue->first;
		queue->first = item->next;
		if (queue->first == NULL) queue->last = &queue->first;
		pthread_mutex_unlock(&queue->lock);
		item->status = refuse ? err_set(item->err, STATUS_BUSY, "the node is stopping")
				      : item->work(item->context, queue->engine, item->err);
		pthread_mutex_lock(&queue->lock);
		item->done = true; /* from here on it may be gone */
		pthread_cond_broadcast(&queue->done);
	}
	pthread_mutex_unlock(&queue->lock);
}

void work_queue_stop(struct work_queue *queue) {
	pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	pthread_cond_broadcast(&queue->came);
	pthread_mutex_unlock(&queue->lock);
	queue->wake(queue->engine);
}

bool work_queue_is_stopping(struct work_queue *queue) {
	pthread_mutex_lock(&queue->lock);
	const bool stopping = queue->stopping;
	pthread_mutex_unlock(&queue->lock);
	return stopping;
}

void work_queue_wait(struct work_queue *queue, uint64_t ms) {
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	const uint64_t ns = (uint64_t)until.tv_nsec + ms % 1000 * 1000000;
	until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	int result = 0;
	pthread_mutex_lock(&queue->lock);
	while (queue->first == NULL && !queue->stopping && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&queue->came, &queue->lock, &until);
	pthread_mutex_unlock(&queue->lock);
}
