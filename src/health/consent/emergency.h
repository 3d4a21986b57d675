/*
 * Emergencies as the chain proves them and their actors signed them. The contract numbers them from 1 without a gap,
 * and each has its slots: so nobody can hide one, or invent one that its actor did not sign.
 *
 * Ownership: the arena of `verified`. Threads: one owner a request.
 */
#ifndef HEALTH_CONSENT_EMERGENCY_H
#define HEALTH_CONSENT_EMERGENCY_H

#include "health/chain/verified.h"
#include "health/contracts/consent.h"
#include "health/statements/statement.h"

#define EMERGENCY_PAGE 128u /* of one question */

/* The number of the newest; 0: there is none. A head was taken, for all that follows too. */
MUST_USE enum status emergency_newest(struct verified *verified, uint64_t *number, struct err *err);
/* `count` reviews (at most EMERGENCY_PAGE) from number `first` on. An actor of zeros: there is none. */
MUST_USE enum status emergency_reviews(
    struct verified *verified, struct consent_review *out, uint64_t first, size_t count, struct err *err);
/* One. STATUS_NOTFOUND. */
MUST_USE enum status emergency_review(
    struct verified *verified, struct consent_review *out, uint64_t number, struct err *err);
/* The newest of this actor in the folder; 0: there is none. */
MUST_USE enum status emergency_newest_of(
    struct verified *verified, uint64_t *number, const hash32 *folder, const addr20 *actor, struct err *err);
/* Is its window open, by the checker's clock? */
bool emergency_is_open(const struct verified *verified, const struct consent_review *review);
/* What its actor signed: the statement whose fact is the review's. STATUS_DENIED: the node does not serve it. */
MUST_USE enum status emergency_statement(struct verified *verified, struct statement_emergency *out, uint64_t number,
    const struct consent_review *review, struct err *err);
/* What this trustee released for it of the folder's epoch: `kind` NONE if nothing, else `about` is the blob. */
MUST_USE enum status emergency_release(struct verified *verified, struct consent_stored_item *out, uint64_t number,
    const addr20 *trustee, uint32_t epoch, struct err *err);

#endif
