/*
 * Locks of identities ("Patient/1") and of types, so that of two writes of one resource one goes first, and a condition
 * that was found true stays true until its write is done. A request takes all its locks at once, and nobody waits on a
 * thread: who cannot have them yet is called when it has them, in the order of asking.
 *
 * Threads: any; with `threads` NULL one. Ownership: a request's memory is its owner's, from asking until it gave its
 * locks back.
 */
#ifndef HEALTH_GATEWAY_FHIR_LOCKS_H
#define HEALTH_GATEWAY_FHIR_LOCKS_H

#include "base/mem.h"
#include "base/threads.h"

struct fhir_locks;
struct fhir_locks *fhir_locks_new(const struct threads *threads);
void fhir_locks_free(struct fhir_locks *locks); /* NULL is allowed; none is held */

/* One lock. Two keys that collide only wait for each other. */
struct fhir_lock {
	uint64_t key;
	bool is_exclusive; /* else others may share it */
	/* fhir_locks.c's: */
	bool is_granted;
	struct fhir_lock_request *request;
	struct fhir_lock *next, *prev;
};
struct fhir_lock_request {
	struct fhir_lock *locks; /* no key twice: fhir_lock_request_put sees to it */
	size_t count, capacity;
	void (*granted)(void *context); /* on the thread of whoever gave a lock back; must not block */
	void *context;
	/* fhir_locks.c's: */
	size_t waiting; /* locks that it does not have yet */
	struct fhir_lock_request *next_ready;
};
void fhir_lock_request_init(struct fhir_lock_request *request, struct arena *arena, size_t capacity);
/* A lock of the name; an exclusive one takes the place of a shared one. */
void fhir_lock_request_put(struct fhir_lock_request *request, struct bytes name, bool is_exclusive);

/* True: it has them all. False: `granted` will be called, maybe before this returns. */
MUST_USE bool fhir_locks_take(struct fhir_locks *locks, struct fhir_lock_request *request);
void fhir_locks_give_back(struct fhir_locks *locks, struct fhir_lock_request *request);

#endif
