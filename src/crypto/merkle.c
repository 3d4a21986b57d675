#include "crypto/merkle.h"

#include "crypto/hash.h"

hash32 merkle_leaf(struct bytes data) {
	static const uint8_t domain = 0x00;
	return sha256_parts((struct bytes[]){bytes_make(&domain, 1), data}, 2);
}

hash32 merkle_node(const hash32 *left, const hash32 *right) {
	static const uint8_t domain = 0x01;
	return sha256_parts((struct bytes[]){bytes_make(&domain, 1), BYTES_OF(*left), BYTES_OF(*right)}, 3);
}

/* The largest power of two below count; count >= 2. */
static size_t split(size_t count) {
	return (size_t)1 << (63 - __builtin_clzll(count - 1));
}

hash32 merkle_root(const hash32 *leaves, size_t count) {
	BUG_ON(count == 0);
	if (count == 1) return leaves[0];
	size_t left_count = split(count);
	hash32 left = merkle_root(leaves, left_count);
	hash32 right = merkle_root(leaves + left_count, count - left_count);
	return merkle_node(&left, &right);
}

size_t merkle_path(hash32 path[MERKLE_DEPTH_MAX], const hash32 *leaves, size_t count, size_t index) {
	BUG_ON(index >= count || count > (size_t)1 << MERKLE_DEPTH_MAX);
	if (count == 1) return 0;
	size_t left_count = split(count);
	bool is_left = index < left_count;
	size_t len = is_left ? merkle_path(path, leaves, left_count, index)
			     : merkle_path(path, leaves + left_count, count - left_count, index - left_count);
	path[len] = is_left ? merkle_root(leaves + left_count, count - left_count) : merkle_root(leaves, left_count);
	return len + 1;
}

bool merkle_verify(
    const hash32 *root, const hash32 *leaf, size_t index, size_t count, const hash32 *path, size_t path_len) {
	if (index >= count || path_len > MERKLE_DEPTH_MAX) return false;
	hash32 node = *leaf;
	size_t last = count - 1; /* index of the last node on this level */
	for (size_t i = 0; i < path_len; i++) {
		if (last == 0) return false;
		if ((index & 1) || index == last) {
			node = merkle_node(&path[i], &node);
			/* A lone last node moves up unpaired until it is a right child. */
			while (!(index & 1) && index) {
				index >>= 1;
				last >>= 1;
			}
		} else {
			node = merkle_node(&node, &path[i]);
		}
		index >>= 1;
		last >>= 1;
	}
	return last == 0 && hash32_equal(&node, root);
}
