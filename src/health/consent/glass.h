/*
 * Breaking the glass: emergency access, and its review by the controller or a regulator
 * (contracts/src/interfaces/IConsent.sol). What the contract decides is a verdict, not a failure.
 *
 * Ownership: lists and texts live in the request's arena. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_GLASS_H
#define HEALTH_CONSENT_GLASS_H

#include "health/actors/action.h"
#include "health/consent/access.h"

#define GLASS_REASON_MAX 4096u /* bytes */

struct glass_event {
	uint64_t review;
	hash32 folder;
	addr20 actor;
	uint64_t until;
	struct access_event decision;
	uint64_t block_number, timestamp;
	hash32 tx_hash;
	hash32 reason_hash;
	const char *reason;    /* for the controller: the sealed text, opened; else NULL */
	size_t releases;       /* of shares, by trustees: once an epoch */
	size_t false_releases; /* of them, as the emergency actor says */
	bool open;             /* the review is; the window may be over */
	bool justified;        /* if it is closed, by */
	addr20 closed_by;
};
/* The reason is sealed to the folder. Where the contract refuses, out->decision says why and out->review is 0. Both are
 * proved. */
MUST_USE enum status glass_break(struct actor_request *request, struct glass_event *out, const hash32 *folder,
    struct bytes reason_text, struct err *err);
/* After glass_break: waits until enough trustees have released their shares of the folder's key. STATUS_TIMEOUT. */
MUST_USE enum status glass_wait(
    struct actor_request *request, const struct glass_event *glass, uint64_t seconds, struct err *err);
/* A folder's emergencies, newest first: all of them, proved, with what their actors signed. */
MUST_USE enum status glass_log(
    struct actor_request *request, struct glass_event **out, size_t *count, const hash32 *folder, struct err *err);
/* By the controller, signed; or, where this home is a regulator, without a signature: then only it can send it. */
MUST_USE enum status glass_close_action(
    struct actor_request *request, struct action *action, uint64_t review, bool justified, struct err *err);

#endif
