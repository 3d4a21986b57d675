/*
 * Inside health/records: what the author keeps of a record, as the law asks, whatever becomes of the record itself: the
 * record's container whose first part, the lead, is sealed to the author's own encryption key instead of the folder's.
 * It is an entry of the home's records/NNNNNNNN.seg, takes as much disk as the container, at most CONTAINER_BYTES_MAX,
 * and stays. Threads: one owner a request.
 */
#ifndef HEALTH_RECORDS_LEGAL_COPY_H
#define HEALTH_RECORDS_LEGAL_COPY_H

#include "envelope/container.h"
#include "health/records/record.h"

/* `lead`: its plaintext; `container`: as it was put. Durable after legal_copy_sync_all. The actor's outbox is open. */
MUST_USE enum status legal_copy_store(
    struct actor_request *request, const hash32 *record, struct bytes lead, struct bytes container, struct err *err);
MUST_USE enum status legal_copy_sync_all(struct actor_request *request, struct err *err);
/* Of a record that was not registered after all; best effort. */
void legal_copy_remove(const struct home *home, const hash32 *record);
/* The lead, and the container (in the request's arena) whose other parts are the record's. Nothing of it is checked
 * against the chain. STATUS_NOTFOUND: this home is not the author, or the copy is gone. */
MUST_USE enum status legal_copy_load(struct actor_request *request, struct record_lead *lead,
    struct container *container, const hash32 *record, struct err *err);

#endif
