/*
 * Merkle trees in the shape of RFC 6962 §2.1 over SHA-256: leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left ||
 * right), an odd tree splits at the largest power of two below its size. Callers that need a leaf of their own form
 * (with a salt and a domain byte) give leaf hashes. Threads: pure.
 */
#ifndef CRYPTO_MERKLE_H
#define CRYPTO_MERKLE_H

#include "base/bytes.h"
#include "base/status.h"

#define MERKLE_DEPTH_MAX 32

hash32 merkle_leaf(struct bytes data);
hash32 merkle_node(const hash32 *left, const hash32 *right);
/* count >= 1. */
hash32 merkle_root(const hash32 *leaves, size_t count);
/* The audit path of leaf `index` (< count), from the leaf up; returns its length, at most MERKLE_DEPTH_MAX. */
size_t merkle_path(hash32 path[MERKLE_DEPTH_MAX], const hash32 *leaves, size_t count, size_t index);
/* RFC 9162 §2.1.3.2: does the path lead from the leaf at `index` of `count` to the root? A path of wrong length is
 * refused. */
bool merkle_verify(
    const hash32 *root, const hash32 *leaf, size_t index, size_t count, const hash32 *path, size_t path_len);

/* --- several leaves at once --- */

/* A leaf that is known, in a list ascending by place. */
struct merkle_member {
	size_t place; /* < count of the tree's leaves */
	hash32 leaf;
	hash32 *path; /* room for merkle_depth(count) */
	size_t path_len;
};
/* No path is longer in a tree of `count` leaves. */
size_t merkle_depth(size_t count);
/*
 * The proof that all members are in one tree: the roots of the largest subtrees without any of them, from left to
 * right. Made of the members' own paths. Returns how many; at most `room` are written. n >= 1.
 */
size_t merkle_set_proof(hash32 *proof, size_t room, const struct merkle_member *members, size_t n, size_t count);
/* The root that follows from members and proof, and each member's own path beside it. False: a proof of wrong length,
 * or members that are not in order. */
bool merkle_set_root(
    hash32 *root, struct merkle_member *members, size_t n, size_t count, const hash32 *proof, size_t proof_len);

#endif
