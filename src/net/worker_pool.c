#include "net/worker_pool.h"

#include <pthread.h>

#define THREADS_DEFAULT 8u
#define THREADS_MAX 256u
#define QUEUE_MAX_DEFAULT 1024u

struct queued_task {
	worker_task *task;
	void *argument;
};

struct worker_pool {
	struct workers workers;
	uint32_t thread_count, queue_max;
	pthread_t *threads;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t news;
	struct queued_task *queue; /* a ring of queue_max */
	uint32_t first, count, running;
	bool is_closing;
};

static bool give(void *context, worker_task *task, void *argument) {
	struct worker_pool *pool = context;
	pthread_mutex_lock(&pool->lock);
	const bool has_room = pool->count < pool->queue_max && !pool->is_closing;
	if (has_room) {
		pool->queue[(pool->first + pool->count++) % pool->queue_max] = (struct queued_task){task, argument};
		pthread_cond_signal(&pool->news);
	}
	pthread_mutex_unlock(&pool->lock);
	return has_room;
}

/* Under the lock: the next task, when there is one; false: there will be none. */
static bool take(struct worker_pool *pool, struct queued_task *out) {
	while (pool->count == 0 && !pool->is_closing) pthread_cond_wait(&pool->news, &pool->lock);
	if (pool->count == 0) return false;
	*out = pool->queue[pool->first];
	pool->first = (pool->first + 1) % pool->queue_max;
	pool->count--;
	return true;
}

static void *work(void *context) {
	struct worker_pool *pool = context;
	struct queued_task next;
	pthread_mutex_lock(&pool->lock);
	while (take(pool, &next)) {
		pool->running++;
		pthread_mutex_unlock(&pool->lock);
		next.task(next.argument);
		pthread_mutex_lock(&pool->lock);
		pool->running--;
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

enum status worker_pool_open(struct worker_pool **out, const struct worker_pool_options *options, struct err *err) {
	*out = NULL;
	const uint32_t threads = options->threads ? options->threads : THREADS_DEFAULT;
	if (threads > THREADS_MAX) return err_set(err, STATUS_INVALID, "%u workers; at most %u", threads, THREADS_MAX);
	struct worker_pool *pool = mem_zalloc(1, sizeof *pool);
	pool->workers = (struct workers){give, pool};
	pool->queue_max = options->queue_max ? options->queue_max : QUEUE_MAX_DEFAULT;
	pool->queue = mem_zalloc(pool->queue_max, sizeof *pool->queue);
	pool->threads = mem_zalloc(threads, sizeof *pool->threads);
	BUG_ON(pthread_mutex_init(&pool->lock, NULL) != 0 || pthread_cond_init(&pool->news, NULL) != 0);
	for (uint32_t i = 0; i < threads; i++) {
		if (pthread_create(&pool->threads[i], NULL, work, pool) != 0) {
			worker_pool_close(pool);
			return err_set(err, STATUS_INTERNAL, "cannot start worker %u of %u", i + 1, threads);
		}
		pool->thread_count++;
	}
	*out = pool;
	return STATUS_OK;
}

const struct workers *worker_pool_workers(const struct worker_pool *pool) {
	return &pool->workers;
}

uint32_t worker_pool_waiting(struct worker_pool *pool) {
	pthread_mutex_lock(&pool->lock);
	const uint32_t count = pool->count;
	pthread_mutex_unlock(&pool->lock);
	return count;
}

uint32_t worker_pool_running(struct worker_pool *pool) {
	pthread_mutex_lock(&pool->lock);
	const uint32_t running = pool->running;
	pthread_mutex_unlock(&pool->lock);
	return running;
}

void worker_pool_stop(struct worker_pool *pool) {
	pthread_mutex_lock(&pool->lock);
	pool->is_closing = true;
	pthread_cond_broadcast(&pool->news);
	pthread_mutex_unlock(&pool->lock);
	for (uint32_t i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i], NULL);
	pool->thread_count = 0;
}

void worker_pool_close(struct worker_pool *pool) {
	if (!pool) return;
	worker_pool_stop(pool);
	pthread_cond_destroy(&pool->news);
	pthread_mutex_destroy(&pool->lock);
	mem_free(pool->threads);
	mem_free(pool->queue);
	mem_free(pool);
}
