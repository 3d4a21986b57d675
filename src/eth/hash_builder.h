/*
 * The one Merkle Patricia hash builder (Yellow Paper app. D): fed leaves and known subtrees in strictly increasing order of their
 * nibble paths, it gives the root. It serves transaction and receipt roots, genesis, the full rebuild, the incremental root and
 * proofs. Fixed memory, no heap: a stack of at most 65 levels of references of at most 33 bytes.
 *
 * Paths are one nibble a byte, at most 64 (128 never occur: storage tries have their own builder).
 * Threads: one owner.
 */
#ifndef ETH_HASH_BUILDER_H
#define ETH_HASH_BUILDER_H

#include "base/mem.h"

#define NIBBLES_MAX 64

struct hash_builder;

/* What a caller may watch: every branch node as its group closes (for branch records), every node's RLP (for proofs). */
struct hash_builder_watch {
	/* A branch at `path`: which children exist; for each existing child its reference (RLP of ≤ 32 bytes or hash). NULL allowed. */
	void (*branch)(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask, const hash32 *hashes,
	    uint16_t tree_mask);
	/* The RLP of the node at `path` (leaf, extension or branch), in post-order. NULL allowed. */
	void (*node)(void *context, struct bytes path, struct bytes rlp);
	void *context;
};

struct hash_builder *hash_builder_new(const struct hash_builder_watch *watch);
void hash_builder_free(struct hash_builder *builder);
void hash_builder_reset(struct hash_builder *builder);
/* A leaf; `value` is its RLP payload (what stands in the node, already encoded where the trie stores RLP). */
void hash_builder_leaf(struct hash_builder *builder, struct bytes path, struct bytes value);
/* A whole subtree that is known by the hash of its branch node. `tree_below`: branch records are kept for it. */
void hash_builder_subtree(struct hash_builder *builder, struct bytes path, const hash32 *hash, bool tree_below);
/* The root; the builder is then as new. empty_trie_root where nothing was fed. */
hash32 hash_builder_root(struct hash_builder *builder);

/* Root of a list keyed by rlp(index), as of transactions, receipts and withdrawals. */
hash32 ordered_trie_root(const struct bytes *items, size_t count);

void nibbles_of(uint8_t *out, struct bytes key); /* 2 * key.len nibbles */

#endif
