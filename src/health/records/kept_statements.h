/*
 * Inside health/records: calldata of statements that were verified once, in the home's statements/, by their fact.
 * Their signatures are checked anew each time: a file that was changed or lost is read from a node again. Threads: one
 * owner a request.
 */
#ifndef HEALTH_RECORDS_KEPT_STATEMENTS_H
#define HEALTH_RECORDS_KEPT_STATEMENTS_H

#include "health/actors/request.h"
#include "health/chain/calldata.h"

#define KEPT_STATEMENTS_MAX 4096u /* files of a few KB; one of them goes for each new one beyond */

/* verified_statement, which asks a node only if the home does not keep the calldata. */
MUST_USE enum status kept_statement(
    struct actor_request *request, const hash32 *fact, const struct calldata_wish *wish, struct err *err);

#endif
