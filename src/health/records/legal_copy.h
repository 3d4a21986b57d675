/*
 * Inside health/records: the author's legal record, the lead's plaintext sealed to its own encryption key, in
 * records/<id>.jwe. Threads: one owner a request.
 */
#ifndef HEALTH_RECORDS_LEGAL_COPY_H
#define HEALTH_RECORDS_LEGAL_COPY_H

#include "health/records/record.h"

MUST_USE enum status legal_copy_store(
    struct actor_request *request, const hash32 *record, struct bytes lead, struct err *err);
/* Of a record that was not registered after all; best effort. */
void legal_copy_remove(const struct home *home, const hash32 *record);
/* STATUS_NOTFOUND: this home is not the author. */
MUST_USE enum status legal_copy_load(
    struct actor_request *request, struct record_lead *lead, const hash32 *record, struct err *err);

#endif
