#include "crypto/merkle.h"

#include "base/mem.h"
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

/* --- several leaves at once --- */

size_t merkle_depth(size_t count) {
	size_t depth = 0;
	while (depth < MERKLE_DEPTH_MAX && ((size_t)1 << depth) < count) depth++;
	return depth;
}

/* A subtree of `count` leaves from `from` on, and the `n` members in it. */
struct subtree {
	size_t from, count;
	struct merkle_member *members;
	size_t n;
};

static void split_subtree(struct subtree *left, struct subtree *right, const struct subtree *tree) {
	size_t half = 1, n = 0;
	while (2 * half < tree->count) half *= 2;
	while (n < tree->n && tree->members[n].place < tree->from + half) n++;
	*left = (struct subtree){tree->from, half, tree->members, n};
	*right = (struct subtree){tree->from + half, tree->count - half, tree->members + n, tree->n - n};
}

struct set_proof {
	hash32 *nodes;
	size_t len, room;
};

static void put_node(struct set_proof *proof, const struct merkle_member *beside, size_t depth) {
	if (proof->len < proof->room) proof->nodes[proof->len] = beside->path[beside->path_len - 1 - depth];
	proof->len++;
}

/* Members are in it; `depth` below the root. */
static void collect(struct set_proof *proof, const struct subtree *tree, size_t depth) {
	struct subtree left, right;
	if (tree->count == 1) return;
	split_subtree(&left, &right, tree);
	if (left.n)
		collect(proof, &left, depth + 1);
	else
		put_node(proof, right.members, depth);
	if (right.n)
		collect(proof, &right, depth + 1);
	else
		put_node(proof, left.members, depth);
}

size_t merkle_set_proof(hash32 *proof, size_t room, const struct merkle_member *members, size_t n, size_t count) {
	struct set_proof out = {.nodes = proof, .room = room};
	struct merkle_member *list = mem_zalloc(n, sizeof *list);
	memcpy(list, members, n * sizeof *list);
	collect(&out, &(struct subtree){0, count, list, n}, 0);
	mem_free(list);
	return out.len;
}

/* What is left of the proof; `failed` stays. */
struct set_rest {
	const hash32 *nodes;
	size_t len;
	bool failed;
};

static hash32 fold(struct set_rest *rest, const struct subtree *tree) {
	struct subtree left, right;
	if (tree->n == 0) {
		rest->failed = rest->failed || rest->len == 0;
		if (rest->failed) return (hash32){{0}};
		rest->len--;
		return *rest->nodes++;
	}
	if (tree->count == 1) {
		rest->failed = rest->failed || tree->n != 1 || tree->members[0].place != tree->from;
		return tree->members[0].leaf;
	}
	split_subtree(&left, &right, tree);
	hash32 a = fold(rest, &left), b = fold(rest, &right);
	for (size_t i = 0; i < left.n; i++) left.members[i].path[left.members[i].path_len++] = b;
	for (size_t i = 0; i < right.n; i++) right.members[i].path[right.members[i].path_len++] = a;
	return merkle_node(&a, &b);
}

bool merkle_set_root(
    hash32 *root, struct merkle_member *members, size_t n, size_t count, const hash32 *proof, size_t proof_len) {
	struct set_rest rest = {proof, proof_len, false};
	if (n == 0 || count == 0) return false;
	for (size_t i = 0; i < n; i++) {
		if (members[i].place >= count || (i && members[i].place <= members[i - 1].place)) return false;
		members[i].path_len = 0;
	}
	*root = fold(&rest, &(struct subtree){0, count, members, n});
	return !rest.failed && rest.len == 0;
}
