/*
 * Competing branches. A valid block whose parent is known but is not the head is kept aside; the chain follows the
 * branch with the greatest total difficulty before the merge (Yellow Paper §10; of equals the first stays), and after
 * it only the head that is named (EIP-3675).
 *
 * What is kept aside was checked as far as its header and body tell; it is executed when its branch is followed. Moving
 * to another branch is one commit a block: after a crash in between the head is a block of the way, and nothing is
 * lost. Threads: the one that executes, commits and imports.
 */
#ifndef LEDGER_CHAIN_BRANCHES_H
#define LEDGER_CHAIN_BRANCHES_H

#include "ledger/chain/chain.h"

enum chain_taken { CHAIN_EXTENDED, CHAIN_KEPT_ASIDE, CHAIN_CHANGED_BRANCH };

/*
 * As chain_import, but of any known parent. STATUS_EXISTS for a block that is there, also aside; STATUS_INVALID with
 * the reason, also where the parent is unknown. Where a heavier branch turns out invalid the head stays as it was.
 */
MUST_USE enum status chain_take(struct chain *chain, enum chain_taken *taken, struct bytes block_rlp, struct err *err);
/* Makes a known block the head, whatever its weight. STATUS_NOTFOUND; STATUS_INVALID if a block on the way to it
 * does not hold: then that block is forgotten, and the old head is the head. */
MUST_USE enum status chain_follow(struct chain *chain, const hash32 *hash, struct err *err);

/* What a consensus layer names (engine API, forkchoiceUpdated). Zero hashes: none. */
struct chain_forkchoice {
	hash32 head, safe, finalized;
};
/* Follows the head, and stores the other two, which must be it or its ancestors (STATUS_INVALID). */
MUST_USE enum status chain_set_forkchoice(struct chain *chain, const struct chain_forkchoice *choice, struct err *err);
/* `head` is the head's hash; what was never set, or was taken back since, is zero. Any thread. */
MUST_USE enum status chain_get_forkchoice(struct chain *chain, struct chain_forkchoice *out, struct err *err);

#endif
