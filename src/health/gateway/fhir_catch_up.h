/*
 * What was registered and is not in the index yet: after a kill between the two, when entries of the outbox end that an
 * earlier run accepted, or when the index is new. Until all of that is taken in, writes wait (503), since versions are
 * counted from what is there. A step is done once a second.
 *
 * Inside health/gateway. Threads: fhir_catch_up_step one; the others any.
 */
#ifndef HEALTH_GATEWAY_FHIR_CATCH_UP_H
#define HEALTH_GATEWAY_FHIR_CATCH_UP_H

#include "base/threads.h"
#include "health/actors/actor.h"
#include "health/chain/outbox.h"
#include "health/index/resources.h"

struct fhir_catch_up;
/* All are borrowed. */
struct fhir_catch_up *fhir_catch_up_new(struct actor *actor, struct outbox *outbox, struct resources *resources);
void fhir_catch_up_free(struct fhir_catch_up *work); /* NULL is allowed */

/* May something be written? */
bool fhir_catch_up_is_done(const struct fhir_catch_up *work);
/* A record goes on, and nobody waits for it any more. */
void fhir_catch_up_add(struct fhir_catch_up *work);
void fhir_catch_up_step(struct fhir_catch_up *work);

#endif
