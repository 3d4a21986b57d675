/*
 * Inside health/records: may this home's account add to a folder? Threads: one owner a request.
 */
#ifndef HEALTH_RECORDS_RECORD_RIGHT_H
#define HEALTH_RECORDS_RECORD_RIGHT_H

#include "health/records/folder.h"

/* By words that are proved at a fresh head: its entry is active, and it controls the folder or has a grant to write
 * that is in force. `*is_proved` false says nothing: the contract is to be asked. */
MUST_USE enum status record_right_prove(struct actor_request *request, bool *is_proved, const hash32 *folder,
    const struct folder_target *target, struct err *err);

#endif
