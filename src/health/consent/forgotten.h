/*
 * What a forgotten folder leaves behind (contracts/src/interfaces/IFolders.sol, forget). Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_FORGOTTEN_H
#define HEALTH_CONSENT_FORGOTTEN_H

#include "health/actors/request.h"

/* As this home's account, by anyone: names everything in a forgotten folder for deletion, in as many transactions as
 * that takes. Doing it again does no harm. STATUS_DENIED: the folder is not forgotten. */
MUST_USE enum status consent_erase_forgotten(struct actor_request *request, const hash32 *folder, struct err *err);

#endif
