/*
 * The chain's complete lists (contracts/src/lib/Lists.sol). A list is one slot: how many entries there are, and a hash
 * over all of them in order. Entries themselves are events, which anybody can serve, and fold to the slot:
 *
 *	head_n = the first 24 bytes of keccak256(abi.encode(bytes24 head_(n-1), uint256 n, uint256 time, bytes32 entry))
 *
 * with head_0 = 0 and `time` the block's. So a reader that has the slot proved takes the entries newest first, and
 * knows of each one at once that it is right, and at the end that none is missing. Threads: pure.
 */
#ifndef ETH_LISTS_H
#define ETH_LISTS_H

#include "base/bytes.h"
#include "base/status.h"

#define LIST_HEAD_BYTES 24u

/* After `count` entries. */
struct list_state {
	uint8_t head[LIST_HEAD_BYTES];
	uint64_t count;
};
/* As the slot holds it: the head in its low end, the count above it. */
struct list_state list_load(const hash32 *word);
hash32 list_store(const struct list_state *list);

struct list_entry {
	uint64_t n;                      /* from 1 */
	uint8_t before[LIST_HEAD_BYTES]; /* the head that it was appended to */
	uint64_t time_s;                 /* the block's timestamp */
	hash32 entry;
};
/* What the contract does. */
void list_append(struct list_state *list, uint64_t time_s, const hash32 *entry);

/* Where a reader stands: everything above `at` was shown and is right; it goes down to `until`. */
struct list_fold {
	struct list_state at, until;
};
/* From the proved state to a remembered one (zeros: to the beginning). STATUS_DENIED: the list has fewer entries than
 * are remembered, or others at the same count. */
MUST_USE enum status list_fold_begin(
    struct list_fold *fold, const struct list_state *proved, const struct list_state *remembered, struct err *err);
/* The next entry downwards. STATUS_DENIED names the entries that were left out, or the one that is not the list's. */
MUST_USE enum status list_fold_step(struct list_fold *fold, const struct list_entry *entry, struct err *err);
bool list_fold_is_done(const struct list_fold *fold);
/* There are no more: STATUS_DENIED names the entries that nobody served, or says that what is remembered is not this
 * list's past. */
MUST_USE enum status list_fold_end(const struct list_fold *fold, struct err *err);

#endif
