#include "crypto/merkle_map.h"

#include "crypto/hash.h"

enum { LEAF = 0x00, NODE = 0x01 };

static const hash32 nothing;

static hash32 make(uint8_t out[MERKLE_MAP_NODE_BYTES], uint8_t kind, const hash32 *first, const hash32 *second) {
	out[0] = kind;
	memcpy(out + 1, first->b, 32);
	memcpy(out + 33, second->b, 32);
	return keccak256(bytes_make(out, MERKLE_MAP_NODE_BYTES));
}

static hash32 part(const uint8_t node[MERKLE_MAP_NODE_BYTES], bool second) {
	hash32 out;
	memcpy(out.b, node + (second ? 33 : 1), 32);
	return out;
}

static hash32 path_of(const hash32 *key) {
	return keccak256(BYTES_OF(*key));
}

static bool bit_of(const hash32 *path, size_t depth) {
	return path->b[depth / 8] >> (7 - depth % 8) & 1;
}

/* How many of the first bits are the same. */
static size_t common_bits(const hash32 *a, const hash32 *b) {
	size_t depth = 0;
	while (depth < MERKLE_MAP_DEPTH_MAX && bit_of(a, depth) == bit_of(b, depth)) depth++;
	return depth;
}

/* The hash one step up. */
static hash32 above(
    uint8_t node[MERKLE_MAP_NODE_BYTES], const hash32 *path, size_t depth, const hash32 *own, const hash32 *sibling) {
	return bit_of(path, depth) ? make(node, NODE, sibling, own) : make(node, NODE, own, sibling);
}

/* From the root towards a key, as far as there are nodes. */
struct walk {
	hash32 path;
	hash32 passed[MERKLE_MAP_DEPTH_MAX]; /* the nodes themselves */
	hash32 siblings[MERKLE_MAP_DEPTH_MAX];
	size_t depth;
	hash32 end; /* the leaf's hash, or zeros */
	hash32 key, value;
};

static enum status walk_down(
    struct walk *walk, const struct merkle_map_nodes *nodes, const hash32 *root, const hash32 *key, struct err *err) {
	walk->path = path_of(key);
	walk->depth = 0;
	for (hash32 at = *root;; walk->depth++) {
		uint8_t node[MERKLE_MAP_NODE_BYTES];
		walk->end = at;
		if (hash32_is_zero(&at)) return STATUS_OK;
		TRY(nodes->get(nodes->context, node, &at, err));
		const hash32 hash = keccak256(bytes_make(node, sizeof node));
		if (!hash32_equal(&hash, &at)) break;
		if (node[0] == LEAF) {
			walk->key = part(node, false);
			walk->value = part(node, true);
			return STATUS_OK;
		}
		if (node[0] != NODE || walk->depth == MERKLE_MAP_DEPTH_MAX) break;
		const bool right = bit_of(&walk->path, walk->depth);
		walk->passed[walk->depth] = at;
		walk->siblings[walk->depth] = part(node, !right);
		at = part(node, right);
	}
	return err_set(err, STATUS_CORRUPT, "a node of a Merkle map is not what its hash says");
}

enum status merkle_map_put(
    const struct merkle_map_nodes *nodes, hash32 *root, const hash32 *key, const hash32 *value, struct err *err) {
	struct walk walk;
	uint8_t node[MERKLE_MAP_NODE_BYTES];
	BUG_ON(hash32_is_zero(value));
	TRY(walk_down(&walk, nodes, root, key, err));
	const bool is_leaf = !hash32_is_zero(&walk.end), is_same = is_leaf && hash32_equal(&walk.key, key);
	if (is_same && hash32_equal(&walk.value, value)) return STATUS_OK;
	for (size_t i = 0; i < walk.depth; i++) nodes->drop(nodes->context, &walk.passed[i]);
	if (is_same) nodes->drop(nodes->context, &walk.end);
	if (is_leaf && !is_same) { /* the other leaf becomes a sibling, where the two paths part */
		const hash32 other = path_of(&walk.key);
		const size_t parting = common_bits(&walk.path, &other);
		BUG_ON(parting == MERKLE_MAP_DEPTH_MAX); /* two keys with one hash */
		while (walk.depth < parting) walk.siblings[walk.depth++] = nothing;
		walk.siblings[walk.depth++] = walk.end;
	}
	hash32 hash = make(node, LEAF, key, value);
	nodes->put(nodes->context, &hash, node);
	for (size_t depth = walk.depth; depth-- > 0;) {
		hash = above(node, &walk.path, depth, &hash, &walk.siblings[depth]);
		nodes->put(nodes->context, &hash, node);
	}
	*root = hash;
	return STATUS_OK;
}

enum status merkle_map_prove(
    const struct merkle_map_nodes *nodes, struct buf *proof, const hash32 *root, const hash32 *key, struct err *err) {
	struct walk walk;
	TRY(walk_down(&walk, nodes, root, key, err));
	const bool is_leaf = !hash32_is_zero(&walk.end);
	buf_byte(proof, is_leaf);
	if (is_leaf) {
		buf_append(proof, BYTES_OF(walk.key));
		buf_append(proof, BYTES_OF(walk.value));
	}
	for (size_t i = 0; i < walk.depth; i++) buf_append(proof, BYTES_OF(walk.siblings[i]));
	return buf_status(proof, err);
}

static hash32 word_at(struct bytes proof, size_t at) {
	hash32 word;
	memcpy(word.b, proof.data + at, 32);
	return word;
}

bool merkle_map_verify(hash32 *value, const hash32 *root, const hash32 *key, struct bytes proof) {
	uint8_t node[MERKLE_MAP_NODE_BYTES];
	*value = nothing;
	if (proof.len == 0 || proof.len > MERKLE_MAP_PROOF_MAX || proof.data[0] > 1) return false;
	const size_t head = proof.data[0] ? MERKLE_MAP_NODE_BYTES : 1;
	if (proof.len < head || (proof.len - head) % 32 != 0) return false;
	const size_t depth = (proof.len - head) / 32;
	const hash32 path = path_of(key);
	hash32 hash = nothing, found = nothing;
	if (depth > MERKLE_MAP_DEPTH_MAX) return false;
	if (proof.data[0]) {
		const hash32 end_key = word_at(proof, 1), end_value = word_at(proof, 33), end_path = path_of(&end_key);
		if (hash32_is_zero(&end_value) || common_bits(&path, &end_path) < depth) return false;
		if (hash32_equal(&end_key, key)) found = end_value;
		hash = make(node, LEAF, &end_key, &end_value);
	}
	for (size_t i = depth; i-- > 0;) {
		const hash32 sibling = word_at(proof, head + 32 * i);
		hash = above(node, &path, i, &hash, &sibling);
	}
	if (!hash32_equal(&hash, root)) return false;
	*value = found;
	return true;
}
