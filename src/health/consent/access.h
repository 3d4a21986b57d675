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
	hash32 folder, record;
	addr20 actor;
	uint8_t purpose;
	bool permitted;
	uint8_t reason;
	uint64_t until; /* of the window, seconds */
	uint64_t block_number;
	uint64_t timestamp; /* of the block, seconds; 0 in the answer of access_ask and glass_break */
	hash32 tx_hash;
};
/* Sends the access transaction; the decision is in *out. A refusal is STATUS_OK with permitted == false; STATUS_DENIED:
 * the account is not listed, or over its quota of refusals. */
MUST_USE enum status access_ask(struct actor_request *request, struct access_event *out, const hash32 *folder,
    const hash32 *record, enum purpose purpose, struct err *err);
/* The folder's log from the chain, oldest first. */
MUST_USE enum status access_log(
    struct actor_request *request, struct access_event **out, size_t *count, const hash32 *folder, struct err *err);

#endif
