/* What the files of health/consent share. */
#ifndef HEALTH_CONSENT_CONSENT_PRIVATE_H
#define HEALTH_CONSENT_CONSENT_PRIVATE_H

#include "eth/lists.h"
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

/* keccak256(abi.encode(folder, record, account)): under which the contract keeps a grant and a window. */
hash32 consent_key(const hash32 *folder, const hash32 *record, const addr20 *account);

/* access.c */

/* An event of the contract as an entry of the log. */
void access_event_of(struct access_event *out, const struct consent_access_event *event);
/* What the home's account asked, and the list of looks before it. */
struct access_asked {
	hash32 folder, record;
	uint8_t purpose;
	struct list_state before;
};
/* At a head that is taken now, after the transaction: the newest entry since then that answers it. STATUS_NOTFOUND:
 * there is none. */
MUST_USE enum status access_decision(
    struct actor_request *request, struct access_event *out, const struct access_asked *asked, struct err *err);
/* The node says that the transaction failed with this status: is it so? STATUS_DENIED with CAUSE_NOT_PROVED: no. Else
 * the status, and the error that is there. */
MUST_USE enum status access_was_refused(
    struct actor_request *request, const struct access_asked *asked, enum status refused, struct err *err);

#endif
