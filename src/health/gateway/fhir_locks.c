#include "health/gateway/fhir_locks.h"

#include <stdlib.h>

#include "crypto/hash.h"

#define BUCKETS 4096u /* a power of two */

/*
 * A bucket lists the locks of its keys, those held and those waited for, in the order of asking. One is granted once no
 * earlier one of its key forbids it, so that nobody who waits is passed by.
 */
struct bucket {
	struct fhir_lock *first, *last;
};
struct fhir_locks {
	const struct threads *threads;
	struct monitor *monitor;
	struct bucket buckets[BUCKETS];
};

struct fhir_locks *fhir_locks_new(const struct threads *threads) {
	struct fhir_locks *locks = mem_zalloc(1, sizeof *locks);
	locks->threads = threads;
	if (threads) locks->monitor = threads->monitor_new(threads->context);
	return locks;
}

void fhir_locks_free(struct fhir_locks *locks) {
	if (!locks) return;
	if (locks->threads) locks->threads->monitor_free(locks->monitor);
	mem_free(locks);
}

/* --- a request --- */

void fhir_lock_request_init(struct fhir_lock_request *request, struct arena *arena, size_t capacity) {
	*request = (struct fhir_lock_request){.capacity = capacity};
	request->locks = arena_zalloc(arena, capacity + 1, sizeof *request->locks);
}

void fhir_lock_request_put(struct fhir_lock_request *request, struct bytes name, bool is_exclusive) {
	const hash32 digest = sha256(name);
	BUG_ON(request->count == request->capacity);
	request->locks[request->count++] =
	    (struct fhir_lock){.key = load_be64(digest.b), .is_exclusive = is_exclusive, .request = request};
}

static int by_key(const void *left, const void *right) {
	const struct fhir_lock *a = left, *b = right;
	if (a->key != b->key) return a->key < b->key ? -1 : 1;
	return (int)b->is_exclusive - (int)a->is_exclusive;
}

/* One lock a key, the exclusive one if there is one. */
static void settle(struct fhir_lock_request *request) {
	size_t kept = 0;
	if (request->count) qsort(request->locks, request->count, sizeof *request->locks, by_key);
	for (size_t i = 0; i < request->count; i++)
		if (kept == 0 || request->locks[kept - 1].key != request->locks[i].key)
			request->locks[kept++] = request->locks[i];
	request->count = kept;
}

/* --- taking and giving back --- */

static void lock_table(struct fhir_locks *locks) {
	if (locks->threads) locks->threads->lock(locks->monitor);
}

static void unlock_table(struct fhir_locks *locks) {
	if (locks->threads) locks->threads->unlock(locks->monitor);
}

static struct bucket *bucket_of(struct fhir_locks *locks, uint64_t key) {
	return &locks->buckets[key & (BUCKETS - 1)];
}

static bool is_free(const struct fhir_lock *lock) {
	for (const struct fhir_lock *earlier = lock->prev; earlier; earlier = earlier->prev)
		if (earlier->key == lock->key && (lock->is_exclusive || earlier->is_exclusive)) return false;
	return true;
}

bool fhir_locks_take(struct fhir_locks *locks, struct fhir_lock_request *request) {
	settle(request);
	lock_table(locks);
	request->waiting = 0;
	for (size_t i = 0; i < request->count; i++) {
		struct fhir_lock *lock = &request->locks[i];
		struct bucket *bucket = bucket_of(locks, lock->key);
		lock->prev = bucket->last;
		lock->next = NULL;
		*(bucket->last ? &bucket->last->next : &bucket->first) = lock;
		bucket->last = lock;
		lock->is_granted = is_free(lock);
		request->waiting += !lock->is_granted;
	}
	const bool has_all = request->waiting == 0;
	unlock_table(locks);
	return has_all;
}

static void take_out(struct bucket *bucket, struct fhir_lock *lock) {
	*(lock->prev ? &lock->prev->next : &bucket->first) = lock->next;
	*(lock->next ? &lock->next->prev : &bucket->last) = lock->prev;
}

/* Adds to the list of those who have all of their locks now. */
static void grant_next(struct fhir_lock_request **ready, const struct bucket *bucket, uint64_t key) {
	for (struct fhir_lock *lock = bucket->first; lock; lock = lock->next) {
		if (lock->key != key || lock->is_granted) continue;
		if (!is_free(lock)) return;
		lock->is_granted = true;
		if (--lock->request->waiting > 0) continue;
		lock->request->next_ready = *ready;
		*ready = lock->request;
	}
}

void fhir_locks_give_back(struct fhir_locks *locks, struct fhir_lock_request *request) {
	struct fhir_lock_request *ready = NULL;
	lock_table(locks);
	for (size_t i = 0; i < request->count; i++) {
		struct fhir_lock *lock = &request->locks[i];
		struct bucket *bucket = bucket_of(locks, lock->key);
		take_out(bucket, lock);
		grant_next(&ready, bucket, lock->key);
	}
	unlock_table(locks);
	request->count = 0;
	while (ready) {
		struct fhir_lock_request *next = ready->next_ready; /* it may be gone once it was called */
		ready->granted(ready->context);
		ready = next;
	}
}
