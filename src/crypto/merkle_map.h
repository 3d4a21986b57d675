/*
 * A sparse Merkle map from 32-byte keys to 32-byte values: one root over any number of keys, and a short proof of what
 * a key's value is, or that it has none (docs/wire-formats.md §6).
 *
 * A key stands at the place that the bits of keccak256(key) lead to, from the highest bit on: 0 to the left, 1 to the
 * right. A part of the tree with no key in it hashes to zeros, a part with one key to that key's leaf, however deep; so
 * the root follows from keys and values alone, whatever their order.
 *
 *	leaf = keccak256(0x00 || key || value), node = keccak256(0x01 || left || right)
 *
 * A proof is, byte by byte:
 *
 *	0x00                    | siblings      the walk ends where nothing is
 *	0x01 | key 32, value 32 | siblings      the walk ends at this leaf, of the key itself or of another
 *
 * with the siblings' hashes, 32 bytes each, from the root down. Among n keys a walk is about log2(n) + 1 long.
 *
 * Threads: pure; the nodes' keeper has its own rule.
 */
#ifndef CRYPTO_MERKLE_MAP_H
#define CRYPTO_MERKLE_MAP_H

#include "base/mem.h"

#define MERKLE_MAP_DEPTH_MAX 256u
#define MERKLE_MAP_NODE_BYTES 65u /* what a leaf or a node is the hash of */
#define MERKLE_MAP_PROOF_MAX (MERKLE_MAP_NODE_BYTES + 32u * MERKLE_MAP_DEPTH_MAX)

/* Keeps leaves and nodes by their hashes. */
struct merkle_map_nodes {
	/* STATUS_CORRUPT: it is not there, though the root says so. */
	MUST_USE enum status (*get)(
	    void *context, uint8_t node[MERKLE_MAP_NODE_BYTES], const hash32 *hash, struct err *err);
	/* For merkle_map_put only. `drop`: the newest root does not need it any more; it was got just before. */
	void (*put)(void *context, const hash32 *hash, const uint8_t node[MERKLE_MAP_NODE_BYTES]);
	void (*drop)(void *context, const hash32 *hash);
	void *context;
};
/* Sets the value of a key, which is not zeros. `*root` is zeros if the map is empty. Nothing is put or dropped unless
 * the result is STATUS_OK. STATUS_CORRUPT also: a node is not what its hash says. */
MUST_USE enum status merkle_map_put(
    const struct merkle_map_nodes *nodes, hash32 *root, const hash32 *key, const hash32 *value, struct err *err);
/* Appends the proof of a key's value under this root. */
MUST_USE enum status merkle_map_prove(
    const struct merkle_map_nodes *nodes, struct buf *proof, const hash32 *root, const hash32 *key, struct err *err);

/* Does the proof lead to the root? Then *value is the key's, or zeros: it has none. */
bool merkle_map_verify(hash32 *value, const hash32 *root, const hash32 *key, struct bytes proof);

#endif
