/*
 * Which leaves of the state's tries the blocks since an older one changed, each once: what stands between that block's
 * tries and the head's. Every hash on the way from a root down covers all leaves below it, so a caller that wants an
 * older block's root, or a proof under it, needs them all. Private to state/.
 *
 * What that costs: every list of changes since is read, once and in order, and every leaf in them that differs is kept
 * and then read as it was. It grows with the distance and with what changed, not with the state, and is bounded three
 * ways; where a bound is met, the answer is STATUS_UNSUPPORTED.
 *
 * Threads: one owner. Source: store/tables.h (CHANGES).
 */
#ifndef LEDGER_STATE_TOUCHED_H
#define LEDGER_STATE_TOUCHED_H

#include "ledger/state/overlay.h"
#include "ledger/state/view_private.h"

#define TOUCHED_LEAVES_MAX ((size_t)1000000)
#define TOUCHED_BLOCKS_MAX ((uint64_t)1000000)
#define TOUCHED_BYTES_MAX ((size_t)512 << 20) /* of lists that are read */

/* An account's own leaf has no slot. */
struct touched_leaf {
	hash32 account, slot;
	bool has_slot;
};

struct touched {
	struct touched_leaf *leaves;
	size_t count, cap;
	struct index_table table; /* of the leaves, until they are sorted */
	size_t bytes_left;
	struct err *err;
};

/* Slots that are wanted beside the accounts. */
enum touched_slots { TOUCHED_NO_SLOTS, TOUCHED_SLOTS_OF_ONE, TOUCHED_ALL_SLOTS };

/* `err` must outlive it. */
void touched_init(struct touched *touched, struct err *err);
void touched_fini(struct touched *touched);
/* `slot` NULL: the account's own leaf. One that is there already changes nothing. */
MUST_USE enum status touched_add(struct touched *touched, const hash32 *account, const hash32 *slot);
/* Adds what the blocks after the view's changed, up to its snapshot's head: accounts, and the slots of all, of `owner`
 * or of none. The account of a slot is always there too. Nothing where the view is of the head. */
MUST_USE enum status touched_since(
    struct touched *touched, const struct state_view *view, enum touched_slots slots, const hash32 *owner);
/* By account, its own leaf first, then its slots rising. Nothing can be added after it. */
void touched_sort(struct touched *touched);

#endif
