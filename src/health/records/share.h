/*
 * A trustee's share of an epoch's key (crypto/threshold/vss.h), sealed and bound to its place: as it is dealt, to the
 * trustee (`typ` xinglin-share); in an emergency, by the trustee, to the emergency actor (xinglin-release).
 * docs/wire-formats.md §3. What is opened is the caller's to wipe. Threads: pure but for the random source.
 */
#ifndef HEALTH_RECORDS_SHARE_H
#define HEALTH_RECORDS_SHARE_H

#include "base/mem.h"
#include "crypto/threshold/vss.h"
#include "health/statements/folder_statements.h"

/* For which emergency a share is released. */
struct share_release {
	uint64_t review;
	uint32_t key_version; /* of the emergency actor's key that it is sealed to */
	uint64_t expiry_s;    /* the end of the review's window */
};
struct share_place {
	const hash32 *genesis, *folder;
	uint32_t epoch;
	uint8_t index;                       /* the trustee's, from 1 */
	const struct share_release *release; /* NULL: as it is dealt */
};

MUST_USE enum status share_seal(struct buf *out, const struct share_place *place, const struct p256_public *recipient,
    const struct vss_share *share, const struct random_source *random, struct err *err);
/* STATUS_DENIED: not sealed under this key. STATUS_INVALID: it is no share, or one of another place. */
MUST_USE enum status share_open(struct vss_share *share, const struct share_place *place,
    const struct p256_secret *recipient, struct bytes sealed, struct err *err);

/* What the epoch's shares are checked against. It has trustees, and was verified. */
MUST_USE enum status share_commitments(
    struct vss_commitments *out, const struct statement_epoch *epoch, struct err *err);
/* 0: it is no trustee of the epoch. */
uint8_t share_index_of(const struct statement_epoch *epoch, const addr20 *account);

#endif
