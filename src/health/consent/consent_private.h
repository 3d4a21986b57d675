/* What the files of health/consent share. */
#ifndef HEALTH_CONSENT_CONSENT_PRIVATE_H
#define HEALTH_CONSENT_CONSENT_PRIVATE_H

#include "health/actors/action.h"
#include "health/consent/access.h"
#include "health/contracts/consent.h"
#include "health/records/own_folder.h"

/* support.c */

/* These parts as a container in the arena, which the action carries; its name is given back. */
MUST_USE enum status consent_carry(struct actor_request *request, struct action *action, hash32 *blob,
    const struct buf *parts, size_t count, struct err *err);
/* A controller asks for blobs under the account of that folder; `*secret` is the caller's to wipe. */
MUST_USE enum status consent_asker(struct actor_request *request, struct blob_asker *asker, hash32 *secret,
    const struct own_folder *folder, struct err *err);

/* access.c: an event of the contract as an entry of the log. */
void access_event_of(struct access_event *out, const struct consent_access_event *event);

/* glass.c. STATUS_NOTFOUND. */
MUST_USE enum status glass_review_find(
    struct actor_request *request, struct consent_review *out, uint64_t number, struct err *err);

#endif
