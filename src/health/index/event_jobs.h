/*
 * Capture jobs, in the file of events: what was accepted to be captured, until it is, and what became of it. A job that
 * was added is durable, and so is its end.
 *
 * Ownership: answers live in the caller's arena. Threads: any. Source: EPCIS 2.0 §12.4.
 */
#ifndef HEALTH_INDEX_EVENT_JOBS_H
#define HEALTH_INDEX_EVENT_JOBS_H

#include "health/index/events.h"

#define EVENT_JOB_NAME_SIZE 37u /* a UUID, NUL-terminated */
#define EVENT_JOBS_WAITING_MAX 1000u

struct event_job {
	char name[EVENT_JOB_NAME_SIZE];
	struct bytes asker;              /* who gave it */
	bool proceeds;                   /* past events that cannot be captured */
	int64_t created_ms, finished_ms; /* finished: 0 while it runs */
	bool success;
	struct bytes errors; /* JSON: a list of problems; empty: none */
	struct bytes body;   /* what is to be captured; empty once it has ended */
};

/* STATUS_BUSY: EVENT_JOBS_WAITING_MAX wait already. */
MUST_USE enum status event_jobs_add(struct events *events, const struct event_job *job, struct err *err);
/* The oldest that has not ended. */
MUST_USE enum status event_jobs_next(
    struct events *events, struct event_job *out, bool *found, struct arena *arena, struct err *err);
MUST_USE enum status event_jobs_end(struct events *events, const struct event_job *job, struct err *err);
/* One by its name, if this asker gave it; without its body. */
MUST_USE enum status event_jobs_find(struct events *events, struct event_job *out, bool *found, struct arena *arena,
    struct bytes name, struct bytes asker, struct err *err);
/* The asker's, the newest first, from behind the job `*after` [0: from the newest], which moves on; 0: no others are
 * behind. */
MUST_USE enum status event_jobs_list(struct events *events, struct event_job *out, size_t *count, size_t room,
    int64_t *after, struct arena *arena, struct bytes asker, struct err *err);

#endif
