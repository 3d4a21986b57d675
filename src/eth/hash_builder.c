#include "eth/hash_builder.h"

#include "codec/rlp.h"
#include "crypto/hash.h"
#include "eth/types.h"

/* What a parent holds for a child: 0xa0 || hash, or the child's RLP itself where that is under 32 bytes. */
struct reference {
	uint8_t len;
	uint8_t rlp[33];
};

/* A branch on the way to the newest path, at depth `depth`, whose later children are not known yet. */
struct open_branch {
	uint8_t depth;
	uint16_t child_mask, hash_mask, tree_mask;
	struct reference children[16];
};

/* A finished node that waits for its parent. */
struct node {
	struct reference reference;
	bool is_branch;  /* and stands right at its path, with no extension before it */
	bool tree_below; /* branch records exist at or below it */
};

enum newest { NEWEST_NONE, NEWEST_LEAF, NEWEST_SUBTREE };

/*
 * The newest leaf or subtree is held back: only the next path shows how deep it hangs. Invariant: `open` are the
 * branches above it that have a child before it, by rising depth.
 */
struct hash_builder {
	struct hash_builder_watch watch;
	enum newest newest;
	uint8_t path[NIBBLES_MAX];
	size_t path_len;
	struct buf value;  /* of a leaf */
	size_t known_from; /* of a leaf whose hash below so many nibbles stands in `known_hash`; 0: it is not known */
	hash32 known_hash;
	struct node known; /* of a subtree */
	hash32 last_hash;  /* of the node that was finished last, also where it is inlined */
	struct buf scratch;
	size_t open_count;
	struct open_branch open[NIBBLES_MAX];
};

struct hash_builder *hash_builder_new(const struct hash_builder_watch *watch) {
	struct hash_builder *builder = mem_alloc(sizeof *builder);
	builder->watch = watch ? *watch : (struct hash_builder_watch){0};
	buf_init(&builder->value, BUF_MAX_DEFAULT);
	buf_init(&builder->scratch, BUF_MAX_DEFAULT);
	hash_builder_reset(builder);
	return builder;
}

void hash_builder_free(struct hash_builder *builder) {
	if (!builder) return;
	buf_fini(&builder->value);
	buf_fini(&builder->scratch);
	mem_free(builder);
}

void hash_builder_reset(struct hash_builder *builder) {
	builder->newest = NEWEST_NONE;
	builder->open_count = 0;
	builder->path_len = 0;
}

static struct reference hash_reference(const hash32 *hash) {
	struct reference reference = {.len = 33, .rlp = {0xa0}};
	memcpy(reference.rlp + 1, hash->b, 32);
	return reference;
}

/* The node in `scratch`, which stands at the newest path's first `depth` nibbles, becomes a reference. */
static struct reference finish_node(struct hash_builder *builder, size_t depth, bool is_root) {
	BUG_ON(builder->scratch.overflow);
	struct bytes rlp = buf_view(&builder->scratch);
	if (builder->watch.node) builder->watch.node(builder->watch.context, bytes_make(builder->path, depth), rlp);
	if (rlp.len >= 32 || is_root) builder->last_hash = keccak256(rlp);
	if (rlp.len >= 32) return hash_reference(&builder->last_hash);
	struct reference reference = {.len = (uint8_t)rlp.len};
	memcpy(reference.rlp, rlp.data, rlp.len);
	return reference;
}

/* The hex-prefix form of the newest path's nibbles [from, to), as an RLP string (Yellow Paper app. C). */
static void put_compact(struct buf *out, const uint8_t *path, size_t from, size_t to, bool is_leaf) {
	uint8_t compact[1 + NIBBLES_MAX / 2];
	size_t len = 1;
	compact[0] = is_leaf ? 0x20 : 0;
	if ((to - from) % 2) compact[0] |= (uint8_t)(0x10 | path[from++]);
	for (; from < to; from += 2) compact[len++] = (uint8_t)(path[from] << 4 | path[from + 1]);
	rlp_put_string(out, bytes_make(compact, len));
}

static struct reference leaf_reference(struct hash_builder *builder, size_t from, bool is_root) {
	if (builder->known_from == from && !is_root) return hash_reference(&builder->known_hash);
	buf_clear(&builder->scratch);
	size_t list = rlp_list_begin(&builder->scratch);
	put_compact(&builder->scratch, builder->path, from, builder->path_len, true);
	rlp_put_string(&builder->scratch, buf_view(&builder->value));
	rlp_list_end(&builder->scratch, list);
	return finish_node(builder, from, is_root);
}

static struct node make_leaf(struct hash_builder *builder, size_t from, bool is_root) {
	struct node leaf = {.reference = leaf_reference(builder, from, is_root)};
	if (!builder->watch.leaf) return leaf;
	hash32 hash;
	const bool is_hashed = leaf.reference.len == 33;
	if (is_hashed) memcpy(hash.b, leaf.reference.rlp + 1, 32);
	builder->watch.leaf(builder->watch.context, from, is_hashed ? &hash : NULL);
	return leaf;
}

/* An extension over the nibbles [from, to) before a branch; the branch itself if the range is empty. */
static struct node extend(struct hash_builder *builder, struct node branch, size_t from, size_t to, bool is_root) {
	if (from == to) return branch;
	buf_clear(&builder->scratch);
	size_t list = rlp_list_begin(&builder->scratch);
	put_compact(&builder->scratch, builder->path, from, to, false);
	buf_append(&builder->scratch, bytes_make(branch.reference.rlp, branch.reference.len));
	rlp_list_end(&builder->scratch, list);
	return (struct node){.reference = finish_node(builder, from, is_root), .tree_below = branch.tree_below};
}

static void tell_branch(struct hash_builder *builder, const struct open_branch *branch) {
	if (!builder->watch.branch) return;
	hash32 hashes[16];
	size_t count = 0;
	for (int i = 0; i < 16; i++)
		if (branch->hash_mask >> i & 1) memcpy(hashes[count++].b, branch->children[i].rlp + 1, 32);
	builder->watch.branch(builder->watch.context, bytes_make(builder->path, branch->depth), branch->child_mask,
	    branch->hash_mask, hashes, branch->tree_mask);
}

static struct node close_branch(struct hash_builder *builder, const struct open_branch *branch, bool is_root) {
	tell_branch(builder, branch);
	size_t payload_len = 1; /* the empty value */
	for (int i = 0; i < 16; i++) payload_len += branch->child_mask >> i & 1 ? branch->children[i].len : 1;
	buf_clear(&builder->scratch);
	rlp_put_list_header(&builder->scratch, payload_len);
	uint8_t *to = buf_extend(&builder->scratch, payload_len);
	BUG_ON(!to);
	for (int i = 0; i < 16; i++) {
		if (branch->child_mask >> i & 1) {
			memcpy(to, branch->children[i].rlp, branch->children[i].len);
			to += branch->children[i].len;
		} else {
			*to++ = 0x80;
		}
	}
	*to = 0x80;
	return (struct node){.reference = finish_node(builder, branch->depth, is_root),
	    .is_branch = true,
	    .tree_below = (branch->hash_mask | branch->tree_mask) != 0};
}

static void add_child(struct open_branch *branch, unsigned nibble, const struct node *child) {
	uint16_t bit = (uint16_t)(1u << nibble);
	branch->children[nibble] = child->reference;
	branch->child_mask |= bit;
	if (child->is_branch && child->reference.len == 33) branch->hash_mask |= bit;
	if (child->tree_below) branch->tree_mask |= bit;
}

/* The branch at `depth` on the newest path, opened where it is new. Deeper ones are closed already. */
static struct open_branch *branch_at(struct hash_builder *builder, size_t depth) {
	if (builder->open_count && builder->open[builder->open_count - 1].depth == depth)
		return &builder->open[builder->open_count - 1];
	struct open_branch *branch = &builder->open[builder->open_count++];
	branch->depth = (uint8_t)depth;
	branch->child_mask = branch->hash_mask = branch->tree_mask = 0;
	return branch;
}

static struct node make_newest(struct hash_builder *builder, size_t from, bool is_root) {
	if (builder->newest == NEWEST_LEAF) return make_leaf(builder, from, is_root);
	if (from == builder->path_len && is_root) memcpy(builder->last_hash.b, builder->known.reference.rlp + 1, 32);
	return extend(builder, builder->known, from, builder->path_len, is_root);
}

/*
 * Hangs the newest item under its branch, and closes the branches that are deeper than `shared`, the nibbles that the
 * next path has in common with it.
 */
static void settle(struct hash_builder *builder, size_t shared) {
	size_t deepest = builder->open_count ? builder->open[builder->open_count - 1].depth : shared;
	size_t parent = deepest > shared ? deepest : shared;
	struct node child = make_newest(builder, parent + 1, false);
	add_child(branch_at(builder, parent), builder->path[parent], &child);
	while (builder->open[builder->open_count - 1].depth > shared) {
		const struct open_branch *closing = &builder->open[--builder->open_count];
		parent = builder->open_count ? builder->open[builder->open_count - 1].depth : shared;
		if (parent < shared) parent = shared;
		child = close_branch(builder, closing, false);
		child = extend(builder, child, parent + 1, closing->depth, false);
		add_child(branch_at(builder, parent), builder->path[parent], &child);
	}
}

/* Settles what was newest, now that `path` follows it. */
static void advance(struct hash_builder *builder, struct bytes path) {
	BUG_ON(path.len > NIBBLES_MAX);
	if (builder->newest != NEWEST_NONE) {
		size_t shared = 0, common = path.len < builder->path_len ? path.len : builder->path_len;
		while (shared < common && path.data[shared] == builder->path[shared]) shared++;
		BUG_ON(shared == common || path.data[shared] < builder->path[shared]);
		settle(builder, shared);
	}
	if (path.len) memcpy(builder->path, path.data, path.len);
	builder->path_len = path.len;
}

void hash_builder_leaf(struct hash_builder *builder, struct bytes path, struct bytes value) {
	advance(builder, path);
	builder->newest = NEWEST_LEAF;
	builder->known_from = 0;
	buf_clear(&builder->value);
	buf_append(&builder->value, value);
}

void hash_builder_leaf_known(
    struct hash_builder *builder, struct bytes path, struct bytes value, size_t from, const hash32 *hash) {
	hash_builder_leaf(builder, path, value);
	builder->known_from = from;
	builder->known_hash = *hash;
}

void hash_builder_subtree(struct hash_builder *builder, struct bytes path, const hash32 *hash, bool tree_below) {
	advance(builder, path);
	builder->newest = NEWEST_SUBTREE;
	builder->known = (struct node){.reference = hash_reference(hash), .is_branch = true, .tree_below = tree_below};
}

hash32 hash_builder_root(struct hash_builder *builder) {
	if (builder->newest == NEWEST_NONE) return empty_trie_root;
	if (!builder->open_count) {
		make_newest(builder, 0, true);
	} else {
		settle(builder, builder->open[0].depth);
		const struct open_branch *top = &builder->open[0];
		struct node branch = close_branch(builder, top, top->depth == 0);
		extend(builder, branch, 0, top->depth, true);
	}
	hash_builder_reset(builder);
	return builder->last_hash;
}

void nibbles_of(uint8_t *out, struct bytes key) {
	for (size_t i = 0; i < key.len; i++) {
		out[2 * i] = key.data[i] >> 4;
		out[2 * i + 1] = key.data[i] & 15;
	}
}
