#include "ledger/trie/walk.h"

#include "eth/hash_builder.h"
#include "ledger/trie/branch.h"

#include <stdlib.h>

#define GROUP_LEAVES_MAX 64

struct row {
	struct bytes path;
	struct bytes record;
};

struct rows {
	struct row *items;
	size_t count, cap;
};

/* Leaves that were fed one after another, all there are below `path`. */
struct group {
	struct bytes path;
	size_t first, count;
};

struct trie_walker {
	struct hash_builder *builder;
	struct arena arena;    /* of the rows' and leaves' bytes; one walk */
	struct rows visited;   /* stored records that were opened, in order: each is made again or goes */
	struct rows made;      /* records of the branches that were closed, in post-order */
	struct trie_leaf *fed; /* for sink->leaves: all leaves so far */
	size_t fed_count, fed_cap;
	size_t reported; /* leaves before it have the hash that the builder reported */
	struct group *groups;
	size_t group_count, group_cap;
	const struct trie_source *source;
	const struct trie_changes *changes;
	const struct trie_sink *sink;
	size_t next; /* changes before it are fed */
	struct err *err;
};

struct path {
	uint8_t nibbles[NIBBLES_MAX];
	size_t len;
};

static void rows_add(struct trie_walker *walker, struct rows *rows, struct bytes path, struct bytes record) {
	if (rows->count == rows->cap) {
		rows->cap = rows->cap ? 2 * rows->cap : 64;
		rows->items = mem_realloc(rows->items, rows->cap * sizeof *rows->items);
	}
	rows->items[rows->count++] = (struct row){arena_dup(&walker->arena, path), arena_dup(&walker->arena, record)};
}

static void on_branch(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask, const hash32 *hashes,
    uint16_t tree_mask) {
	struct trie_walker *walker = context;
	if (!(hash_mask | tree_mask)) return;
	uint8_t record[TRIE_BRANCH_BYTES_MAX];
	size_t len = trie_branch_encode(record, child_mask, tree_mask, hash_mask, hashes);
	rows_add(walker, &walker->made, path, bytes_make(record, len));
}

static void on_leaf(void *context, size_t from, const hash32 *hash) {
	struct trie_walker *walker = context;
	if (!walker->sink->leaves) return;
	BUG_ON(walker->reported == walker->fed_count);
	struct trie_leaf *leaf = &walker->fed[walker->reported++];
	leaf->from = hash ? (uint8_t)from : 0;
	if (hash) leaf->hash = *hash;
}

static void on_node(void *context, struct bytes path, struct bytes rlp) {
	struct trie_walker *walker = context;
	if (walker->sink->node) walker->sink->node(walker->sink->context, path, rlp);
}

struct trie_walker *trie_walker_new(void) {
	struct trie_walker *walker = mem_zalloc(1, sizeof *walker);
	struct hash_builder_watch watch = {on_branch, on_node, on_leaf, walker};
	walker->builder = hash_builder_new(&watch);
	arena_init(&walker->arena);
	return walker;
}

void trie_walker_free(struct trie_walker *walker) {
	if (!walker) return;
	hash_builder_free(walker->builder);
	arena_fini(&walker->arena);
	mem_free(walker->fed);
	mem_free(walker->groups);
	mem_free(walker->visited.items);
	mem_free(walker->made.items);
	mem_free(walker);
}

static unsigned nibble_of(const uint8_t *key, size_t index) {
	return index % 2 ? key[index / 2] & 15u : key[index / 2] >> 4;
}

/* Where `key` stands to the keys that begin with `path`: before them (-1), among them (0), behind them (1). */
static int key_against(const uint8_t *key, const struct path *path) {
	for (size_t i = 0; i < path->len; i++) {
		int difference = (int)nibble_of(key, i) - path->nibbles[i];
		if (difference) return difference < 0 ? -1 : 1;
	}
	return 0;
}

/* The next change that is not fed yet, or NULL. */
static const uint8_t *next_change(const struct trie_walker *walker) {
	const struct trie_changes *changes = walker->changes;
	return walker->next < changes->count ? changes->keys + walker->next * changes->stride : NULL;
}

static bool has_change_below(const struct trie_walker *walker, const struct path *path) {
	const uint8_t *key = next_change(walker);
	return key && key_against(key, path) == 0;
}

static void keep_leaf(struct trie_walker *walker, const struct trie_leaf *leaf) {
	if (walker->fed_count == walker->fed_cap) {
		walker->fed_cap = walker->fed_cap ? 2 * walker->fed_cap : 64;
		walker->fed = mem_realloc(walker->fed, walker->fed_cap * sizeof *walker->fed);
	}
	walker->fed[walker->fed_count++] = (struct trie_leaf){
	    .key = arena_dup(&walker->arena, leaf->key), .value = arena_dup(&walker->arena, leaf->value)};
}

static void feed_leaf(struct trie_walker *walker, const struct trie_leaf *leaf) {
	uint8_t nibbles[NIBBLES_MAX];
	nibbles_of(nibbles, leaf->key);
	struct bytes path = bytes_make(nibbles, 2 * leaf->key.len);
	if (leaf->from && !walker->sink->node)
		hash_builder_leaf_known(walker->builder, path, leaf->value, leaf->from, &leaf->hash);
	else
		hash_builder_leaf(walker->builder, path, leaf->value);
	if (walker->sink->leaves) keep_leaf(walker, leaf);
}

/* What was fed since leaf `first` is all there is below `path`. Of many leaves, records will tell next time. */
static void add_group(struct trie_walker *walker, const struct path *path, size_t first) {
	if (!walker->sink->leaves) return;
	size_t count = walker->fed_count - first;
	if (count > GROUP_LEAVES_MAX) count = 0;
	if (walker->group_count == walker->group_cap) {
		walker->group_cap = walker->group_cap ? 2 * walker->group_cap : 64;
		walker->groups = mem_realloc(walker->groups, walker->group_cap * sizeof *walker->groups);
	}
	walker->groups[walker->group_count++] =
	    (struct group){arena_dup(&walker->arena, bytes_make(path->nibbles, path->len)), first, count};
}

static void feed_next_change(struct trie_walker *walker) {
	const uint8_t *key = next_change(walker);
	struct trie_leaf leaf = {.key = bytes_make(key, walker->changes->key_bytes),
	    .value = walker->changes->value(walker->changes->context, walker->next)};
	if (leaf.value.data) feed_leaf(walker, &leaf);
	walker->next++;
}

static void feed_changes_below(struct trie_walker *walker, const struct path *path) {
	while (has_change_below(walker, path)) feed_next_change(walker);
}

/* Nothing is stored between the path that was asked for and the record found below it. */
static void feed_changes_before(struct trie_walker *walker, const struct path *path) {
	const uint8_t *key;
	while ((key = next_change(walker)) && key_against(key, path) < 0) feed_next_change(walker);
}

/* Stored leaves below `path`, the changes laid over them. */
static enum status walk_leaves(struct trie_walker *walker, const struct path *path) {
	const struct trie_source *source = walker->source;
	size_t key_bytes = walker->changes->key_bytes;
	uint8_t from[NIBBLES_MAX / 2] = {0};
	for (size_t i = 0; i < path->len; i++) from[i / 2] |= (uint8_t)(path->nibbles[i] << (i % 2 ? 0 : 4));
	const size_t first = walker->fed_count, next = walker->next;
	bool is_known = true;
	struct trie_leaf leaf;
	TRY(source->leaf_seek(source->context, &leaf, bytes_make(from, key_bytes), path->len, walker->err));
	while (leaf.key.data) {
		if (leaf.key.len != key_bytes)
			return err_set(walker->err, STATUS_CORRUPT, "a leaf's key has %zu bytes", leaf.key.len);
		if (key_against(leaf.key.data, path) != 0) break;
		int order = -1;
		while (has_change_below(walker, path) &&
		       (order = memcmp(next_change(walker), leaf.key.data, key_bytes)) < 0)
			feed_next_change(walker);
		if (has_change_below(walker, path) && order == 0)
			feed_next_change(walker);
		else
			feed_leaf(walker, &leaf);
		is_known &= leaf.from != 0;
		TRY(source->leaf_next(source->context, &leaf, walker->err));
	}
	feed_changes_below(walker, path);
	if (!is_known || walker->next != next) add_group(walker, path, first);
	return STATUS_OK;
}

static enum status walk_below(struct trie_walker *walker, const struct path *path);
static enum status walk_record(struct trie_walker *walker, const struct path *at, struct bytes record);

/* A child that is a branch itself, with a record below it, has one of its own: no search is needed. */
static enum status walk_branch_child(struct trie_walker *walker, const struct path *path) {
	struct bytes record;
	TRY(walker->source->record_get(
	    walker->source->context, &record, bytes_make(path->nibbles, path->len), walker->err));
	if (!record.data)
		return err_set(walker->err, STATUS_CORRUPT, "a branch record at depth %zu is missing", path->len);
	return walk_record(walker, path, record);
}

static enum status walk_child(
    struct trie_walker *walker, const struct trie_branch *branch, const struct path *path, unsigned nibble) {
	if (!(branch->child_mask >> nibble & 1)) {
		const size_t first = walker->fed_count;
		feed_changes_below(walker, path);
		add_group(walker, path, first);
		return STATUS_OK;
	}
	bool tree_below = branch->tree_mask >> nibble & 1, has_hash = branch->hash_mask >> nibble & 1;
	if (has_hash && !has_change_below(walker, path)) {
		hash_builder_subtree(
		    walker->builder, bytes_make(path->nibbles, path->len), &branch->hashes[nibble], tree_below);
		return STATUS_OK;
	}
	if (!tree_below) return walk_leaves(walker, path);
	return has_hash ? walk_branch_child(walker, path) : walk_below(walker, path);
}

/* The branch at `at`, as its record says. */
static enum status walk_record(struct trie_walker *walker, const struct path *at, struct bytes record) {
	struct trie_branch branch;
	if (at->len >= 2 * walker->changes->key_bytes)
		return err_set(walker->err, STATUS_CORRUPT, "a branch record stands at a path of %zu nibbles", at->len);
	TRY(trie_branch_decode(&branch, record, walker->err));
	rows_add(walker, &walker->visited, bytes_make(at->nibbles, at->len), record);
	struct path child = *at;
	child.len++;
	for (unsigned nibble = 0; nibble < 16; nibble++) {
		child.nibbles[child.len - 1] = (uint8_t)nibble;
		TRY(walk_child(walker, &branch, &child, nibble));
	}
	return STATUS_OK;
}

/* Everything below `path`, where records may be stored. */
static enum status walk_below(struct trie_walker *walker, const struct path *path) {
	struct bytes found, record;
	TRY(walker->source->record_seek(
	    walker->source->context, &found, &record, bytes_make(path->nibbles, path->len), walker->err));
	if (!found.data || found.len < path->len || memcmp(found.data, path->nibbles, path->len) != 0)
		return walk_leaves(walker, path);
	if (found.len >= NIBBLES_MAX)
		return err_set(
		    walker->err, STATUS_CORRUPT, "a branch record stands at a path of %zu nibbles", found.len);
	struct path at = {.len = found.len};
	memcpy(at.nibbles, found.data, found.len);
	feed_changes_before(walker, &at);
	TRY(walk_record(walker, &at, record));
	feed_changes_below(walker, path);
	return STATUS_OK;
}

/* Of a trie that is wiped every record is opened, and no leaf counts. */
static enum status walk_wiped(struct trie_walker *walker) {
	const struct trie_source *source = walker->source;
	struct path from = {.len = 0};
	for (;;) {
		struct bytes at, record;
		TRY(source->record_seek(
		    source->context, &at, &record, bytes_make(from.nibbles, from.len), walker->err));
		if (!at.data) break;
		if (at.len >= NIBBLES_MAX)
			return err_set(
			    walker->err, STATUS_CORRUPT, "a branch record stands at a path of %zu nibbles", at.len);
		rows_add(walker, &walker->visited, at, record);
		if (at.len) memcpy(from.nibbles, at.data, at.len);
		from.nibbles[at.len] = 0; /* the first path behind it */
		from.len = at.len + 1;
	}
	while (next_change(walker)) feed_next_change(walker);
	return STATUS_OK;
}

static int compare_rows(const void *a, const void *b) {
	return bytes_compare(((const struct row *)a)->path, ((const struct row *)b)->path);
}

static void emit_leaves(const struct trie_walker *walker) {
	const struct trie_sink *sink = walker->sink;
	for (size_t i = 0; i < walker->group_count; i++) {
		const struct group *group = &walker->groups[i];
		sink->leaves(sink->context, group->path, &walker->fed[group->first], group->count);
	}
}

/*
 * Leaves are asked for below the children of a record, or below the top if there is none. So if a record comes,
 * nobody will ask for the leaves of a path on the way to it; if one goes, nobody asks for those of its children.
 */
static void forget_leaves(const struct trie_walker *walker, struct bytes path, bool is_new) {
	const struct trie_sink *sink = walker->sink;
	if (!sink->leaves) return;
	for (size_t len = 0; is_new && len <= path.len; len++)
		sink->leaves(sink->context, bytes_slice(path, 0, len), NULL, 0);
	uint8_t child[NIBBLES_MAX];
	if (path.len) memcpy(child, path.data, path.len);
	for (uint8_t nibble = 0; !is_new && nibble < 16; nibble++) {
		child[path.len] = nibble;
		sink->leaves(sink->context, bytes_make(child, path.len + 1), NULL, 0);
	}
}

/* What was visited and not made again goes; what was made and is not there already is put. */
static void emit_records(struct trie_walker *walker) {
	const struct rows *old = &walker->visited, *new = &walker->made;
	const struct trie_sink *sink = walker->sink;
	if (new->count) qsort(new->items, new->count, sizeof *new->items, compare_rows);
	for (size_t i = 0, j = 0; i < old->count || j < new->count;) {
		int order = i == old->count ? 1 : j == new->count ? -1 : compare_rows(&old->items[i], &new->items[j]);
		if (order) forget_leaves(walker, (order < 0 ? old->items[i] : new->items[j]).path, order > 0);
		if (order < 0 && sink->record_del) sink->record_del(sink->context, old->items[i].path);
		bool same = order == 0 && bytes_equal(old->items[i].record, new->items[j].record);
		if (order >= 0 && !same && sink->record_put)
			sink->record_put(sink->context, new->items[j].path, new->items[j].record);
		i += order <= 0;
		j += order >= 0;
	}
}

enum status trie_walk(struct trie_walker *walker, hash32 *root, const struct trie_source *source,
    const struct trie_changes *changes, const struct trie_sink *sink, struct err *err) {
	BUG_ON(changes->key_bytes == 0 || changes->key_bytes > NIBBLES_MAX / 2);
	hash_builder_reset(walker->builder);
	arena_reset(&walker->arena);
	walker->visited.count = walker->made.count = 0;
	walker->fed_count = walker->reported = walker->group_count = 0;
	walker->source = source;
	walker->changes = changes;
	walker->sink = sink;
	walker->next = 0;
	walker->err = err;
	static const struct path top = {.len = 0};
	TRY(changes->wiped ? walk_wiped(walker) : walk_below(walker, &top));
	BUG_ON(walker->next != changes->count);
	*root = hash_builder_root(walker->builder);
	emit_leaves(walker);
	emit_records(walker);
	return STATUS_OK;
}
