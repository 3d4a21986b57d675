/*
 * The one Merkle Patricia hash builder (Yellow Paper app. D): fed leaves and known subtrees in strictly increasing
 * order of their nibble paths, it gives the root. It serves transaction and receipt roots, genesis, the full rebuild,
 * the incremental root and proofs. Memory is fixed after hash_builder_new: a stack of at most 64 open branches with
 * references of at most 33 bytes, and one buffer that grows to the largest leaf and stays.
 *
 * Paths are one nibble a byte, at most 64. No path may be a prefix of another (keys of a trie have one length, and
 * rlp(index) is prefix-free), so branches never hold values. A path out of order, or a prefix of its neighbour, is a
 * bug of the caller and stops. Threads: one owner.
 */
#ifndef ETH_HASH_BUILDER_H
#define ETH_HASH_BUILDER_H

#include "base/mem.h"

#define NIBBLES_MAX 64

struct hash_builder;

/* What a caller may watch: every branch node as its group closes (for branch records), every node's RLP (for proofs).
 */
struct hash_builder_watch {
	/*
	 * The branch node at `path` is complete. Bit n of a mask stands for the child at nibble n:
	 *   child_mask  the child exists;
	 *   hash_mask   the child is itself a branch node (no leaf, no extension in between) and its reference is a
	 * 32-byte hash, so that it can be stored and given back through hash_builder_subtree at path || n. `hashes`
	 * holds these hashes in order of n, as many as bits are set; tree_mask   below the child, at any depth and also
	 * behind an extension, a branch record exists: a branch with a hash_mask or tree_mask that is not zero, or a
	 * subtree fed with `tree_below`. A branch record is worth keeping when hash_mask or tree_mask is not zero.
	 * Called in post-order. NULL allowed.
	 */
	void (*branch)(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask, const hash32 *hashes,
	    uint16_t tree_mask);
	/*
	 * The RLP of the node at `path` (leaf, extension or branch), in post-order, also of nodes that are shorter than
	 * 32 bytes and so stand inside their parent. Subtrees are not seen. NULL allowed.
	 */
	void (*node)(void *context, struct bytes path, struct bytes rlp);
	/*
	 * Reports leaves in the order in which they were fed: the node is below the first `from` nibbles of the path;
	 * `hash` is NULL if the node is shorter than 32 bytes. NULL allowed.
	 */
	void (*leaf)(void *context, size_t from, const hash32 *hash);
	void *context;
};

/* A NULL `watch` watches nothing; otherwise it is copied. */
struct hash_builder *hash_builder_new(const struct hash_builder_watch *watch);
void hash_builder_free(struct hash_builder *builder);
void hash_builder_reset(struct hash_builder *builder);
/* A leaf; `value` is its RLP payload (what stands in the node, already encoded where the trie stores RLP); it is
 * copied. */
void hash_builder_leaf(struct hash_builder *builder, struct bytes path, struct bytes value);
/*
 * The same, where the hash of the leaf's node below `from` nibbles, [1, 64], is known from before: it is taken if the
 * leaf still hangs there, and watch.node does not see it then.
 */
void hash_builder_leaf_known(
    struct hash_builder *builder, struct bytes path, struct bytes value, size_t from, const hash32 *hash);
/*
 * A whole subtree that is known by the hash of its topmost node, a branch at exactly `path`. `tree_below`: branch
 * records are kept at or below it. An extension that leads to it is made here where one is needed.
 */
void hash_builder_subtree(struct hash_builder *builder, struct bytes path, const hash32 *hash, bool tree_below);
/* The root; the builder is then as new. empty_trie_root where nothing was fed. */
hash32 hash_builder_root(struct hash_builder *builder);

/* Root of a list keyed by rlp(index), as of transactions, receipts and withdrawals. */
hash32 ordered_trie_root(const struct bytes *items, size_t count);
/* The nodes on the way to an item of such a list, from the root down, as proof_ordered takes them (eth/proof.h). */
#define ORDERED_PROOF_NODES_MAX 19u
struct ordered_proof {
	struct bytes nodes[ORDERED_PROOF_NODES_MAX];
	size_t count;
};
/* Proofs of the items at the places `wanted`, each below `count`; the nodes are in the arena. Returns the root. */
hash32 ordered_trie_prove(struct ordered_proof *proofs, struct arena *arena, const struct bytes *items, size_t count,
    const size_t *wanted, size_t wanted_count);

void nibbles_of(uint8_t *out, struct bytes key); /* 2 * key.len nibbles */

#endif
