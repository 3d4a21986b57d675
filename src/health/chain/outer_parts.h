/*
 * Opening what is locked with a consortium's outer seal (eth/outer.h): who holds shares is proved, members are asked
 * for their parts, each part is checked, and enough of them are put together.
 *
 * Threads: as `verified`.
 */
#ifndef HEALTH_CHAIN_OUTER_PARTS_H
#define HEALTH_CHAIN_OUTER_PARTS_H

#include "eth/outer.h"
#include "health/chain/blobs.h"
#include "health/chain/verified.h"

/* A lock of an item, for which it was made. */
struct outer_parts_lock {
	const addr20 *gate;
	const hash32 *item;
	struct bytes lock;
};
/*
 * Appends what was locked. STATUS_INVALID: it is not a lock, or not of this item. STATUS_DENIED: members do not let the
 * asker read the item now; CAUSE_NOT_PROVED: no statement of the deployment's key is proved. STATUS_IO,
 * CAUSE_TOO_FEW_RELEASE: too few members gave a true part; the error names who gave a false one.
 */
MUST_USE enum status outer_parts_open(struct buf *out, struct verified *verified, const struct deployment *deployment,
    const struct blob_asker *asker, const struct outer_parts_lock *lock, struct err *err);

#endif
