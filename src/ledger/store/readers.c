#include "ledger/store/readers.h"

#include <pthread.h>
#include <signal.h>

#define THREADS 11 /* besides the caller: about what a disk has use for, and few for two processors */
#define STACK_BYTES ((size_t)512 << 10)

struct readers {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t begun, done;
	pthread_t threads[THREADS];
	size_t thread_count;
	void (*work)(void *context, size_t index);
	void *context;
	size_t next, count; /* what nobody took yet: [next, count) */
	size_t busy;        /* threads at work on what they took */
	bool ends;
};

struct readers *readers_new(void) {
	struct readers *readers = mem_zalloc(1, sizeof *readers);
	pthread_mutex_init(&readers->lock, NULL);
	pthread_cond_init(&readers->begun, NULL);
	pthread_cond_init(&readers->done, NULL);
	return readers;
}

/* Takes pieces until there are no more. The lock is held before and after. */
static void take_pieces(struct readers *readers) {
	readers->busy++;
	while (readers->next < readers->count) {
		const size_t index = readers->next++;
		pthread_mutex_unlock(&readers->lock);
		readers->work(readers->context, index);
		pthread_mutex_lock(&readers->lock);
	}
	if (--readers->busy == 0) pthread_cond_signal(&readers->done);
}

static void *serve(void *context) {
	struct readers *readers = context;
	pthread_mutex_lock(&readers->lock);
	while (!readers->ends) {
		take_pieces(readers);
		pthread_cond_wait(&readers->begun, &readers->lock);
	}
	pthread_mutex_unlock(&readers->lock);
	return NULL;
}

/* Signals are for the threads that were there before. Too few threads are no failure: the caller works too. */
static void start(struct readers *readers) {
	sigset_t all, before;
	pthread_attr_t attributes;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	while (readers->thread_count < THREADS &&
	       pthread_create(&readers->threads[readers->thread_count], &attributes, serve, readers) == 0)
		readers->thread_count++;
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void readers_run(struct readers *readers, void (*work)(void *context, size_t index), void *context, size_t count) {
	pthread_mutex_lock(&readers->lock);
	BUG_ON(readers->busy != 0 || readers->next != readers->count);
	readers->work = work;
	readers->context = context;
	readers->next = 0;
	readers->count = count;
	if (count > 1 && readers->thread_count == 0) start(readers);
	for (size_t i = 1; i < count && i <= readers->thread_count; i++) pthread_cond_signal(&readers->begun);
	take_pieces(readers);
	while (readers->busy) pthread_cond_wait(&readers->done, &readers->lock);
	pthread_mutex_unlock(&readers->lock);
}

void readers_free(struct readers *readers) {
	if (!readers) return;
	pthread_mutex_lock(&readers->lock);
	readers->ends = true;
	pthread_cond_broadcast(&readers->begun);
	pthread_mutex_unlock(&readers->lock);
	for (size_t i = 0; i < readers->thread_count; i++) pthread_join(readers->threads[i], NULL);
	pthread_cond_destroy(&readers->begun);
	pthread_cond_destroy(&readers->done);
	pthread_mutex_destroy(&readers->lock);
	mem_free(readers);
}
