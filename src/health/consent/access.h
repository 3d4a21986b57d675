/*
 * Asking the contract for access, and the log of all who asked (contracts/src/interfaces/IConsent.sol). What the
 * contract decides is a verdict (`permitted`, `reason`), not a failure.
 *
 * Ownership: lists and texts live in the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_ACCESS_H
#define HEALTH_CONSENT_ACCESS_H

#include "health/actors/request.h"
#include "health/consent/purpose.h"

/* Why the contract permitted or refused: IConsent.Reason, same numbers. A sentence; and its stable name, "NO_GRANT". */
const char *access_reason_text(unsigned reason);
const char *access_reason_name(unsigned reason);

/* One look as the contract decided it; also an entry of the log. */
struct access_event {
	uint64_t n; /* in the folder's list of looks, from 1; 0: a look inside a window that was open already */
	hash32 folder, record;
	addr20 actor;
	uint8_t purpose;
	bool permitted;
	uint8_t reason;
	uint64_t until;        /* of the window, seconds */
	uint64_t review;       /* of an emergency; 0: none */
	uint64_t timestamp;    /* of the block, seconds; 0 if it is no entry of the list */
	uint64_t block_number; /* where the node says that it stands; not proved, as the next one */
	hash32 tx_hash;
};
/* Sends the access transaction; the decision is in *out, proved: a new entry of the folder's list of looks, or a window
 * that is open already. A refusal is STATUS_OK with permitted == false; STATUS_DENIED: the account is not listed, or
 * over its quota of refusals, or the node's answer is not proved. */
MUST_USE enum status access_ask(struct actor_request *request, struct access_event *out, const hash32 *folder,
    const hash32 *record, enum purpose purpose, struct err *err);
/* When the windows of this home's account over a record, or over the folder (`record` zeros), end: seconds, for each
 * purpose; 0: it never had one. Proved at the request's head. Whether a grant still stands behind it is not looked at.
 */
MUST_USE enum status access_windows(struct actor_request *request, uint64_t until_s[PURPOSE_COUNT],
    const hash32 *folder, const hash32 *record, struct err *err);
/* A page of the folder's log, newest first; complete, or STATUS_DENIED names what the node left out. */
struct access_page {
	uint64_t before; /* entries below this number; 0: from the newest */
	uint64_t max;    /* 0: all */
};
MUST_USE enum status access_log(struct actor_request *request, struct access_event **out, size_t *count,
    const hash32 *folder, const struct access_page *page, struct err *err);

#endif
