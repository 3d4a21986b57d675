/* The tries of a block's lists, keyed by rlp(index): their roots, and the nodes on the way to some of their items. */
#include "codec/rlp.h"
#include "eth/hash_builder.h"

#define KEY_NIBBLES_MAX (2u * 9)

struct ordered_key {
	uint8_t nibbles[KEY_NIBBLES_MAX];
	size_t count;
};

static struct ordered_key key_of(size_t index) {
	struct ordered_key key;
	struct buf rlp;
	buf_init(&rlp, 9);
	rlp_put_u64(&rlp, index);
	nibbles_of(key.nibbles, buf_view(&rlp));
	key.count = 2 * rlp.len;
	buf_fini(&rlp);
	return key;
}

static void add(struct hash_builder *builder, const struct bytes *items, size_t index) {
	const struct ordered_key key = key_of(index);
	hash_builder_leaf(builder, bytes_make(key.nibbles, key.count), items[index]);
}

/* In the order of their keys: rlp(0) = 0x80 stands behind rlp(127) = 0x7f and before rlp(128) = 0x8180. */
static hash32 build(const struct hash_builder_watch *watch, const struct bytes *items, size_t count) {
	struct hash_builder *builder = hash_builder_new(watch);
	for (size_t i = 1; i < count && i < 0x80; i++) add(builder, items, i);
	if (count) add(builder, items, 0);
	for (size_t i = 0x80; i < count; i++) add(builder, items, i);
	const hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	return root;
}

hash32 ordered_trie_root(const struct bytes *items, size_t count) {
	return build(NULL, items, count);
}

/* --- proofs --- */

struct proving {
	struct arena *arena;
	struct ordered_proof *proofs;
	const struct ordered_key *keys; /* of what is proved */
	size_t count;
};

/* Nodes come from the leaves up, and a proof begins with the root. */
static void put_before(struct ordered_proof *proof, struct bytes node) {
	BUG_ON(proof->count == ORDERED_PROOF_NODES_MAX);
	memmove(proof->nodes + 1, proof->nodes, proof->count * sizeof *proof->nodes);
	proof->nodes[0] = node;
	proof->count++;
}

/* A node under 32 bytes stands inside its parent, unless it is the root. */
static void on_node(void *context, struct bytes path, struct bytes rlp) {
	struct proving *proving = context;
	struct bytes copy = {0};
	if (rlp.len < 32 && path.len) return;
	for (size_t i = 0; i < proving->count; i++) {
		const struct ordered_key *key = &proving->keys[i];
		if (path.len > key->count || (path.len && memcmp(path.data, key->nibbles, path.len) != 0)) continue;
		if (!copy.data) copy = arena_dup(proving->arena, rlp);
		put_before(&proving->proofs[i], copy);
	}
}

hash32 ordered_trie_prove(struct ordered_proof *proofs, struct arena *arena, const struct bytes *items, size_t count,
    const size_t *wanted, size_t wanted_count) {
	struct ordered_key *keys = arena_alloc(arena, (wanted_count + 1) * sizeof *keys);
	struct proving proving = {arena, proofs, keys, wanted_count};
	for (size_t i = 0; i < wanted_count; i++) {
		BUG_ON(wanted[i] >= count);
		keys[i] = key_of(wanted[i]);
		proofs[i].count = 0;
	}
	return build(&(struct hash_builder_watch){.node = on_node, .context = &proving}, items, count);
}
