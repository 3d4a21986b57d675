/*
 * The world as interfaces: time, randomness, and somebody who waits. Nothing below app/ calls the clock or the kernel's
 * random numbers by itself (the determinism wall, docs/conventions.md); it is handed one of these, and tests hand it a
 * scripted one.
 *
 * Threads: implementations made by app/ may be called from any thread.
 */
#ifndef BASE_WORLD_H
#define BASE_WORLD_H

#include "base/bytes.h"
#include "base/status.h"

struct clock_source {
	uint64_t (*now_ms)(void *context);       /* Unix time, milliseconds */
	uint64_t (*monotonic_ns)(void *context); /* for intervals only */
	void *context;
};

struct random_source {
	/* Fills `out` with cryptographically secure bytes or stops the process. */
	void (*fill)(void *context, uint8_t *out, size_t len);
	void *context;
};

/* Long work says how far it is, and prints nothing itself. */
struct progress {
	/* `what` is static text, "sending the parts of a document". The last call of a piece of work has `done` ==
	 * `of`. `of` 0: it cannot be counted, "waiting for a block", and may be a moment within counted work. */
	void (*at)(void *context, const char *what, uint64_t done, uint64_t of);
	void *context;
};

static inline uint64_t clock_now_ms(const struct clock_source *clock) {
	return clock->now_ms(clock->context);
}

static inline uint64_t clock_monotonic_ns(const struct clock_source *clock) {
	return clock->monotonic_ns(clock->context);
}

static inline void random_fill(const struct random_source *random, void *out, size_t len) {
	random->fill(random->context, (uint8_t *)out, len);
}

/* NULL: nobody waits. */
static inline void progress_at(const struct progress *progress, const char *what, uint64_t done, uint64_t of) {
	if (progress) progress->at(progress->context, what, done, of);
}

#endif
