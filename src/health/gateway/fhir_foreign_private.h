/* What the files of folders of others share. Inside health/gateway. */
#ifndef HEALTH_GATEWAY_FHIR_FOREIGN_PRIVATE_H
#define HEALTH_GATEWAY_FHIR_FOREIGN_PRIVATE_H

#include <stdatomic.h>

#include "health/gateway/fhir_erased.h"
#include "health/gateway/fhir_foreign.h"
#include "health/records/record.h"

#define FHIR_FOREIGN_WAIT_MS 1000u /* of one wait for the monitor */

/* A folder of others that is open, or one record of it. In the index all of it is one folder, whose id is `id`: the
 * folder's or the record's. */
struct fhir_foreign_room {
	hash32 id, folder, record; /* record zeros: the whole folder */
	uint64_t opening;          /* which one: a room that was closed and opened again is another */
	uint64_t until_s[PURPOSE_COUNT];
	hash32 list;     /* the folder's list of records, as it was when it was taken in last */
	bool is_ready;   /* all of it is in the index */
	bool is_filling; /* somebody takes it in: nobody else does, and nobody drops it */
	bool is_over;    /* it is dropped as soon as that is possible */
	struct fhir_foreign_room *next;
};

struct fhir_foreign {
	struct fhir_foreign_options options;
	struct monitor *monitor;
	struct fhir_foreign_room *rooms;
	uint64_t openings;
	atomic_bool is_asking;     /* a worker asks the chain */
	bool is_restored;          /* of that worker: what stood open when the gateway started was looked for */
	bool was_told;             /* of that worker: in the log, that it could not */
	unsigned rounds;           /* of that worker */
	struct fhir_erased erased; /* of that worker */
};

/* --- fhir_foreign_fill.c --- */

/* Takes in what is registered and not there, and drops what was erased. */
MUST_USE enum status fhir_foreign_fill(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_room *room, size_t *taken, struct err *err);
/* The proved word that changes with each record that is added or erased. */
MUST_USE enum status fhir_foreign_list_word(
    struct actor_request *request, hash32 *out, const hash32 *folder, struct err *err);

/* --- fhir_foreign_watch.c --- */

/* What the chain says by now of all that is open; at the first call also what stands open there. */
void fhir_foreign_watch(void *foreign);

/* --- fhir_foreign_kept.c: what a restart opens again, by ids alone, in the home (fhir-open.json) --- */

/* Writes down which rooms are open; best effort. */
void fhir_foreign_keep(struct fhir_foreign *foreign);
/* Rooms that were written down, in the arena: id, folder and record. */
MUST_USE enum status fhir_foreign_kept(
    struct heads *heads, struct arena *arena, struct fhir_foreign_room **out, size_t *count, struct err *err);

/* --- fhir_foreign.c --- */

/* Sets until when it is open for a purpose, and takes it in if nobody did. `room`: id, folder and record are looked at.
 */
MUST_USE enum status fhir_foreign_show(struct fhir_foreign *foreign, struct actor_request *request,
    const struct fhir_foreign_room *room, size_t *taken, struct err *err);
/* Takes in what was added meanwhile to a room that was copied: opens nothing, and makes no room that is gone. */
MUST_USE enum status fhir_foreign_show_again(
    struct fhir_foreign *foreign, struct actor_request *request, const struct fhir_foreign_room *seen, struct err *err);
/* Copies of all rooms that are not over, in the arena. */
size_t fhir_foreign_rooms(struct fhir_foreign *foreign, struct arena *arena, struct fhir_foreign_room **out);
/* The ends by the chain, at `now_s`, take the place of those that the copy had; a purpose that was opened since keeps
 * its own. If no purpose is open, it is over. Nothing is done to a room that was closed since, and opened again. */
void fhir_foreign_set_ends(struct fhir_foreign *foreign, const struct fhir_foreign_room *seen,
    const uint64_t until_s[PURPOSE_COUNT], uint64_t now_s);

#endif
