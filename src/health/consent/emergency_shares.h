/*
 * The emergency actor's side: what trustees released for its emergency, each release checked against the commitments of
 * the folder's epoch, and the key that enough of them give. A release that is false is its trustee's, if it is the blob
 * that the chain shows; then the actor names it on the chain. Everything else that does not fit is the node's lie, and
 * is passed over. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_EMERGENCY_SHARES_H
#define HEALTH_CONSENT_EMERGENCY_SHARES_H

#include "health/consent/emergency.h"
#include "health/records/folder.h"

/* Of one emergency and one epoch of its folder. */
struct emergency_shares {
	size_t needed;   /* the threshold; 0: the epoch has no trustees */
	size_t released; /* by so many trustees, which is proved; those that were named false count no more */
	size_t count;    /* of them valid: these */
	struct vss_share shares[VSS_SHARES_MAX];
};
/* How many released, without fetching anything: `count` is 0. */
MUST_USE enum status emergency_shares_released(struct actor_request *request, struct emergency_shares *out,
    uint64_t review, const struct statement_epoch *epoch, struct err *err);
/* The home's account is the review's actor. *out is the caller's to wipe. */
MUST_USE enum status emergency_shares_read(struct actor_request *request, struct emergency_shares *out, uint64_t number,
    const struct consent_review *review, const struct statement_epoch *epoch, struct err *err);
/* The epoch's key of so many valid shares as are needed. STATUS_DENIED: there are fewer. */
MUST_USE enum status emergency_shares_combine(struct p256_secret *secret, const struct emergency_shares *shares,
    const struct statement_epoch *epoch, struct err *err);

#endif
