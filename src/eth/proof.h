/*
 * Merkle proofs as eth_getProof gives them (EIP-1186), verified offline against a root that the caller trusts. Strict:
 * every node given is needed, each hash fits, nothing is left over; a proof shows a value or shows that there is none.
 *
 * Threads: pure.
 */
#ifndef ETH_PROOF_H
#define ETH_PROOF_H

#include "base/mem.h"
#include "eth/u256.h"

struct proof_account {
	uint64_t nonce;
	u256 balance_wei;
	hash32 storage_root;
	hash32 code_hash;
};

/* `nodes` are the RLP of the nodes from the root down. STATUS_INVALID if the proof does not hold; then *exists is
 * false. */
MUST_USE enum status proof_account(bool *exists, struct proof_account *out, const hash32 *state_root,
    const addr20 *address, const struct bytes *nodes, size_t node_count, struct err *err);
/* `slot` as in the contract (it is hashed here). Zero in *out: proven to be absent, which is the same as zero. */
MUST_USE enum status proof_storage(u256 *out, const hash32 *storage_root, const hash32 *slot, const struct bytes *nodes,
    size_t node_count, struct err *err);
/*
 * What both stand on: the leaf value under a 32-byte trie key (already hashed), a view into a node; data == NULL if
 * its absence is proven.
 */
MUST_USE enum status proof_verify(struct bytes *value, const hash32 *root, const hash32 *key, const struct bytes *nodes,
    size_t node_count, struct err *err);
/*
 * An item of a list whose root is a block's transactionsRoot or receiptsRoot (hash_builder.h, ordered_trie_root): a
 * view into a node. STATUS_INVALID also if the list has no such item.
 */
MUST_USE enum status proof_ordered(struct bytes *value, const hash32 *root, uint64_t index, const struct bytes *nodes,
    size_t node_count, struct err *err);

#endif
