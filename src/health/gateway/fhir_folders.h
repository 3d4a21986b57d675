/*
 * Which folder a patient's resources go into. A patient who has none gets one of this organisation's at the first write
 * (a child account of its wallet controls it, and hands it over later); what is about no patient goes into a folder of
 * the organisation itself.
 *
 * Written down in the home as `fhir-folders`: a line of 32 bytes of HMAC (of the patient's reference, under a key that
 * follows from the home's secret) and the folder's id, before anything is written into it; so the file names nobody. A
 * folder that waits for a patient has zeros there.
 *
 * Threads: any; opening a folder waits for its block.
 */
#ifndef HEALTH_GATEWAY_FHIR_FOLDERS_H
#define HEALTH_GATEWAY_FHIR_FOLDERS_H

#include "base/threads.h"
#include "health/actors/actor.h"

struct fhir_folders;
/* `home` is borrowed. STATUS_CORRUPT: the file is damaged; STATUS_IO. */
MUST_USE enum status fhir_folders_open(
    struct fhir_folders **out, const struct home *home, const struct threads *threads, struct err *err);
void fhir_folders_close(struct fhir_folders *folders); /* NULL is allowed */

/* The folder of a patient by its reference ("Patient/1"), opened if there is none; an empty one: the organisation's. */
MUST_USE enum status fhir_folders_find(
    struct fhir_folders *folders, struct actor_request *request, hash32 *out, struct bytes patient, struct err *err);

/*
 * Folders that wait for a patient, so that a first write needs no block of its own for them. Opens a few, if there are
 * few left and some patient has come already; a call that finds another at it does nothing.
 */
bool fhir_folders_are_few(struct fhir_folders *folders);
void fhir_folders_refill(struct fhir_folders *folders, struct actor_request *request);

#endif
