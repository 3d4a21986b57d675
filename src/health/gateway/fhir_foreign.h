/*
 * What others granted to this gateway's actor. The chain alone says it: grants name their grantee, and what a log says
 * is proved before it is used. Nothing of it is kept before a window is asked for (a look, which leaves its trace on
 * the chain). Then the folder's records are fetched, verified and taken into the index, and shown to those whose
 * purpose is the window's. When the window ends by the clock, or when the chain shows that the grant, the folder or the
 * listing does not hold any more, nobody is shown anything of it from that moment on, and it is dropped: from the
 * index, its log of writes and free pages, and from memory. A gateway that starts has nothing of others, whatever its
 * file held; what stands open on the chain it fetches again.
 *
 * A grant of one record opens that record alone. Records that were not written by a FHIR server's REST have no versions
 * and are not taken in (GET /records/{id} reads them). Resources get ids of their own here (fhir/foreign.h).
 *
 * Threads: any; fhir_foreign_step one. What waits for a chain runs on a worker.
 */
#ifndef HEALTH_GATEWAY_FHIR_FOREIGN_H
#define HEALTH_GATEWAY_FHIR_FOREIGN_H

#include "base/threads.h"
#include "base/workers.h"
#include "health/actors/actor.h"
#include "health/consent/access.h"
#include "health/index/resources.h"

struct fhir_foreign;
struct fhir_foreign_options {
	struct actor *actor;
	struct resources *resources;
	const struct threads *threads;
	const struct workers *workers;
	const struct clock_source *clock;
};
/* Drops what the index has of others. STATUS_BUSY: another program reads it. All are borrowed. */
MUST_USE enum status fhir_foreign_open(
    struct fhir_foreign **out, const struct fhir_foreign_options *options, struct err *err);
void fhir_foreign_close(struct fhir_foreign *foreign); /* NULL is allowed; after the workers stopped */

/* Lets a scope see what is open now for this purpose ("TREAT"). The list lives in the arena. */
void fhir_foreign_admit(
    struct fhir_foreign *foreign, struct resource_scope *scope, struct arena *arena, const char *purpose);
/* Every second: ends what is over, and asks the chain about the rest on a worker. */
void fhir_foreign_step(struct fhir_foreign *foreign);

/* A grant to read that holds now. */
struct fhir_foreign_grant {
	hash32 folder, record; /* record zeros: the whole folder */
	uint16_t purposes;     /* bits */
	uint64_t from_s, until_s;
	uint64_t window_s[PURPOSE_COUNT]; /* until when it is open here; 0: it is not */
};
/* Of all folders of others, or of one (NULL: all): in the request's arena. */
MUST_USE enum status fhir_foreign_granted(struct fhir_foreign *foreign, struct actor_request *request,
    struct fhir_foreign_grant **out, size_t *count, const hash32 *folder, struct err *err);

struct fhir_foreign_opened {
	bool permitted;
	unsigned reason;  /* of the contract (access.h) */
	uint64_t until_s; /* if it is permitted */
	size_t records;   /* that were taken in */
};
/* Asks for a window unless one is open, and takes in what it shows. A refusal is STATUS_OK. STATUS_EXISTS: the folder
 * is this organisation's own. */
MUST_USE enum status fhir_foreign_ask(struct fhir_foreign *foreign, struct actor_request *request, const hash32 *folder,
    enum purpose purpose, struct fhir_foreign_opened *out, struct err *err);
/* Drops a folder before its window ends, for every purpose. False: nothing of it was open. */
bool fhir_foreign_end(struct fhir_foreign *foreign, const hash32 *folder);

#endif
