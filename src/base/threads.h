/*
 * Threads as an interface: a lock with a condition, made by app/ (app/threads.c). Rooms below app/ start no thread;
 * they say here how they share what several threads of a service use. A command without threads hands in no interface
 * (NULL), and then nothing is locked.
 *
 * Threads: all functions may be called from any thread.
 */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <stdint.h>

/* A lock and one condition on it. It is not recursive. */
struct monitor;

struct threads {
	struct monitor *(*monitor_new)(void *context);
	void (*monitor_free)(struct monitor *monitor); /* NULL is allowed */
	void (*lock)(struct monitor *monitor);
	void (*unlock)(struct monitor *monitor);
	/* Gives the lock up until somebody wakes it, or for `timeout_ms`, and takes it again. It may return early. */
	void (*wait)(struct monitor *monitor, uint32_t timeout_ms);
	void (*wake_all)(struct monitor *monitor); /* with the lock held or not */
	void *context;
};

#endif
