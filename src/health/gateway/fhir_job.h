/*
 * Interactions that take effect together: one (a create, an update, …) or those of a batch or a transaction. A job goes
 * through these steps, and never waits on a thread for a lock or for a block:
 *
 *	check    each resource is validated
 *	locks    of the identities that it writes, and of the types that its conditions ask
 *	resolve  conditions are found out, identities and versions given, preconditions held to
 *	write    references are rewritten, and all that is new is committed (fhir_commit.h)
 *	answer   by the job's owner, after the locks were given back
 *
 * Ownership: everything lives in the call's arena. Threads: one owner at a time.
 */
#ifndef HEALTH_GATEWAY_FHIR_JOB_H
#define HEALTH_GATEWAY_FHIR_JOB_H

#include "health/fhir/transaction.h"
#include "health/gateway/fhir_call.h"
#include "health/gateway/fhir_commit.h"

#define FHIR_JOB_NO_SCOPE                                                                                              \
	"no scope of the token allows this for this resource; a patient/ scope is for the patient of its launch"

/* What became of an entry, beside its status (in the plan). */
struct fhir_job_result {
	const struct resource_version *before; /* the current version as it was found; NULL: there was none */
	const struct resource_version *after;  /* what is current now; NULL: nothing is, or it was refused */
	const struct json *source;             /* what is to be written */
	struct fhir_commit_change *change;     /* NULL: nothing is written */
};

struct fhir_job {
	struct fhir_call *call;
	struct fhir_server *server;
	struct arena *arena;
	struct fhir_transaction plan;
	struct fhir_job_result *results;
	bool is_bundle; /* expressions name its entries */
	/* Ends the job: the plan's entries have their statuses. `is_done` false: the call's issues say why nothing was
	 * done, and `status` which answer that is. */
	void (*answer)(struct fhir_job *job);
	bool is_done;
	int status;
	/* fhir_job.c's */
	struct fhir_lock_request locks;
	bool has_locks;
	struct names deleted; /* references of what the plan deletes: conditional references are resolved after that */
	struct fhir_commit commit;
};

/* A job of one entry, to be filled in. */
struct fhir_job *fhir_job_of_one(struct fhir_call *call, void (*answer)(struct fhir_job *job));
/* A job of a plan that was read. */
struct fhir_job *fhir_job_of_plan(
    struct fhir_call *call, const struct fhir_transaction *plan, void (*answer)(struct fhir_job *job));
/* On a worker. The answer may come on another thread. */
void fhir_job_run(struct fhir_job *job);

/* --- inside the job --- */

/* Is the resource valid, and one that this server can take? Adds what is wrong. */
bool fhir_job_check(
    struct fhir_job *job, struct fhir_validator *validator, struct fhir_issues *issues, const struct json *resource);

/* fhir_resolve.c: what an entry writes, or that it is refused. Under the locks. */
void fhir_job_resolve(struct fhir_job *job, size_t index);
/* May the asker write an entry of this kind in place of `version`? NULL, or a deleted one: there is nothing to shield.
 */
bool fhir_job_may_replace(struct fhir_job *job, const struct fhir_entry *entry, const struct resource_version *version);
/* May the answer show what the entry wrote? After a patch that is also what was there, so it needs the right to read.
 */
bool fhir_job_may_show(struct fhir_job *job, const struct fhir_entry *entry, const struct resource_version *version);
/* fhir_admit.c: finds by a rule's search what is not written yet, as the index would once it is. */
struct asker_finder fhir_job_finder(struct fhir_job *job);
/* fhir_admit.c: may the asker write this prepared change? */
bool fhir_job_admits(struct fhir_job *job, const struct fhir_commit_change *change);
/* fhir_match.c: the resources that a condition finds among those that the asker may search or read, at most two. False:
 * the entry is refused. */
MUST_USE bool fhir_job_match(struct fhir_job *job, size_t index, uint16_t type, struct bytes condition,
    struct resource_version out[2], size_t *count);

#endif
