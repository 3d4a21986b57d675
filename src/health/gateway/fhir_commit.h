/*
 * New versions of resources, carried out: each gets its id, version and time, they are divided among folders (one
 * patient's into one), sealed as one record a folder, registered in one transaction, and then taken into the index. All
 * of them, or none.
 *
 * Whoever commits holds the locks of what it writes until `done` was called. Threads: one owner at a time; `done` is
 * called once, on a worker's thread or on the outbox's.
 */
#ifndef HEALTH_GATEWAY_FHIR_COMMIT_H
#define HEALTH_GATEWAY_FHIR_COMMIT_H

#include "codec/json_edit.h"
#include "health/gateway/fhir_server.h"
#include "health/gateway/gateway_private.h"

/* One new version. The caller sets what stands before "out". */
struct fhir_commit_change {
	struct resource_key key;
	enum resource_method method;
	const struct resource_version *before; /* the current version; NULL: there is none */
	const struct json *source;             /* the resource; NULL for RESOURCE_DELETE */
	struct json_edit *edit;                /* changes to it that were gathered already; NULL: none */
	/* out */
	struct resource_version after;
	const struct json *tree; /* of after.content */
	struct bytes patient;    /* "Patient/1" whose compartment decides; empty: nobody's */
	size_t addition;         /* index of its record */
};

struct fhir_commit {
	struct fhir_server *server;
	struct arena *arena;
	struct bytes base; /* references below it are relative ones */
	struct fhir_commit_change *changes;
	size_t count;
	/* `err` explains a failure. STATUS_TIMEOUT: it goes on, and is found later. */
	void (*done)(void *context, enum status status, const struct err *err);
	void *context;
	/* fhir_commit.c's */
	struct record_addition additions[RECORD_ADDITIONS_MAX];
	struct record_added added[RECORD_ADDITIONS_MAX];
	hash32 folders[RECORD_ADDITIONS_MAX];
	size_t addition_count;
	atomic_int arrivals;
	enum outbox_end end;
	enum contract_error refused_with;
};

/* Sets `after` (but for folder, record and part), `tree` and `patient` of every change. STATUS_INVALID, STATUS_LIMIT.
 */
MUST_USE enum status fhir_commit_prepare(struct fhir_commit *commit, struct err *err);
/* Carries out what was prepared. It may have ended when this returns. */
void fhir_commit_run(struct fhir_commit *commit);

#endif
