/*
 * The branch record: what is kept of one branch node of a state or storage trie, so that a later root need not read the
 * leaves below it again (Yellow Paper app. D; the cache of hashes described in docs/architecture.md).
 *
 *   offset  size  field
 *   0       1     TRIE_BRANCH_VERSION
 *   1       2     child_mask: bit n is set where the branch has a child at nibble n
 *   3       2     tree_mask:  below child n, at any depth, a branch record is kept
 *   5       2     hash_mask:  child n is a branch node itself, and its hash stands here
 *   7       32k   the k hashes of hash_mask, in the order of their nibbles
 *
 * Numbers are big-endian. Invariants: tree_mask and hash_mask are within child_mask; k is the number of bits in
 * hash_mask; at least two children; tree_mask or hash_mask is not zero, or the record would not be kept. The hash of an
 * extension or a leaf never stands here: when its neighbours go, it merges with what is above, and only its leaves tell
 * how.
 *
 * Threads: pure.
 */
#ifndef LEDGER_TRIE_BRANCH_H
#define LEDGER_TRIE_BRANCH_H

#include "base/mem.h"

#define TRIE_BRANCH_VERSION 1u
#define TRIE_BRANCH_BYTES_MAX (7 + 16 * 32)

struct trie_branch {
	uint16_t child_mask, tree_mask, hash_mask;
	hash32 hashes[16]; /* by nibble; set where hash_mask says */
};

/* Returns the length; `out` has room for TRIE_BRANCH_BYTES_MAX. `hashes` are dense, in the order of their nibbles. */
size_t trie_branch_encode(
    uint8_t *out, uint16_t child_mask, uint16_t tree_mask, uint16_t hash_mask, const hash32 *hashes);
/* STATUS_CORRUPT for anything that breaks the table above. */
MUST_USE enum status trie_branch_decode(struct trie_branch *out, struct bytes record, struct err *err);

#endif
