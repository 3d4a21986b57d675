/*
 * Which members of a consortium hold a container: their signed receipts in the answer to a put, held to the proved list
 * of members (docs/wire-formats.md §5a). Members that lie have less than a third of the power, so a third of it means
 * that an honest one holds it.
 *
 * Threads: as `verified`.
 */
#ifndef HEALTH_CHAIN_HOLDERS_H
#define HEALTH_CHAIN_HOLDERS_H

#include "eth/held.h"
#include "health/chain/verified.h"

#define HOLDERS_AGE_S 120u /* of a receipt, by the reader's clock */

struct holders {
	struct held_blob blob; /* what was put; the reader's own facts */
	struct held_receipt receipts[HELD_RECEIPTS_MAX];
	size_t count;
};
/* The receipts of an answer to a put; 0 of them if it has none, or what is none. Nothing is believed yet. */
void holders_read(struct holders *out, struct bytes answer);

/* *enough: receipts of members with a third of the power are valid and new. STATUS_DENIED, CAUSE_NOT_PROVED: the list
 * of members is not proved. */
MUST_USE enum status holders_are_enough(
    struct verified *verified, bool *enough, const struct holders *holders, struct err *err);

#endif
