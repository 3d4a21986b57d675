/* Inside health/records and consent: the outer seal of a lead, on a deployment that names one. A lead's JWE begins with
 * 'e', and a lock with 2 or 3, so each is told from the other. Threads: as the request. */
#ifndef HEALTH_RECORDS_LEAD_LOCK_H
#define HEALTH_RECORDS_LEAD_LOCK_H

#include "health/actors/request.h"

/* Appends the lead, sealed to whomever, with the lock of its record if the deployment names an outer seal. */
MUST_USE enum status lead_lock_put(struct buf *out, const struct deployment *deployment, const hash32 *record,
    struct bytes lead, const struct random_source *random, struct err *err);
/* Appends the lead without its lock, which members open together for this asker now; as it is if it has none. */
MUST_USE enum status lead_lock_open(struct actor_request *request, struct buf *out, const struct blob_asker *asker,
    const hash32 *record, struct bytes part, struct err *err);

#endif
