/* The hash builder against its plain twin; and rebuilt from branch records and subtrees, against the full build. */
#include "eth/hash_builder.h"
#include "eth/trie_twin.h"
#include "tests/unit.h"

#define ENTRIES_MAX 400
#define RECORDS_MAX 1600

struct record {
	uint8_t path[NIBBLES_MAX];
	size_t path_len;
	uint16_t child_mask, hash_mask, tree_mask;
	hash32 hashes[16];
};

struct records {
	struct record items[RECORDS_MAX];
	size_t count;
};

static const struct record *record_at(const struct records *records, struct bytes path) {
	for (size_t i = 0; i < records->count; i++)
		if (bytes_equal(bytes_make(records->items[i].path, records->items[i].path_len), path))
			return &records->items[i];
	return NULL;
}

static void keep_branch(void *context, struct bytes path, uint16_t child_mask, uint16_t hash_mask, const hash32 *hashes,
    uint16_t tree_mask) {
	struct records *records = context;
	assert_int_equal(hash_mask & ~child_mask, 0);
	assert_int_equal(tree_mask & ~child_mask, 0);
	assert_true(__builtin_popcount(child_mask) >= 2);
	if (!hash_mask && !tree_mask) return;
	assert_true(records->count < RECORDS_MAX);
	struct record *record = &records->items[records->count++];
	if (path.len) memcpy(record->path, path.data, path.len);
	record->path_len = path.len;
	record->child_mask = child_mask;
	record->hash_mask = hash_mask;
	record->tree_mask = tree_mask;
	for (int i = 0; i < __builtin_popcount(hash_mask); i++) record->hashes[i] = hashes[i];
}

static struct bytes path_of(const struct twin_entry *entry) {
	return bytes_make(entry->path, NIBBLES_MAX);
}

static void feed_leaves(
    struct hash_builder *builder, const struct twin_entry *entries, size_t count, struct bytes prefix) {
	for (size_t i = 0; i < count; i++)
		if (bytes_equal(bytes_slice(path_of(&entries[i]), 0, prefix.len), prefix))
			hash_builder_leaf(
			    builder, path_of(&entries[i]), bytes_make(entries[i].value, entries[i].value_len));
}

static hash32 build(struct records *records, const struct twin_entry *entries, size_t count) {
	struct hash_builder_watch watch = {.branch = keep_branch, .context = records};
	struct hash_builder *builder = hash_builder_new(records ? &watch : NULL);
	feed_leaves(builder, entries, count, (struct bytes){0});
	hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	return root;
}

static void assert_hash(const hash32 *left, const hash32 *right) {
	assert_memory_equal(left->b, right->b, 32);
}

static void test_twin(void **state) {
	(void)state;
	static struct twin_entry entries[ENTRIES_MAX];
	uint64_t seed = 1;
	for (size_t round = 0; round < 300; round++) {
		size_t count = twin_make(entries, round < 20 ? round : 1 + twin_random(&seed) % ENTRIES_MAX, &seed);
		hash32 expected = twin_root(entries, count), root = build(NULL, entries, count);
		assert_hash(&root, &expected);
	}
}

/* Each bit of each mask, from the definition. */
static void check_masks(const struct records *records, const struct record *record) {
	size_t hash_index = 0;
	for (uint8_t nibble = 0; nibble < 16; nibble++) {
		uint8_t path[NIBBLES_MAX];
		memcpy(path, record->path, record->path_len);
		path[record->path_len] = nibble;
		struct bytes child = bytes_make(path, record->path_len + 1);
		bool has_record_below = false;
		for (size_t i = 0; i < records->count; i++) {
			const struct record *other = &records->items[i];
			if (bytes_equal(bytes_slice(bytes_make(other->path, other->path_len), 0, child.len), child) &&
			    other->path_len >= child.len)
				has_record_below = true;
		}
		assert_int_equal(record->tree_mask >> nibble & 1, has_record_below);
		if (record->hash_mask >> nibble & 1) assert_false(hash32_is_zero(&record->hashes[hash_index++]));
	}
}

/* Feeds the trie again: subtrees from records where no entry changed, leaves elsewhere. */
static void feed_again(struct hash_builder *builder, const struct records *records, const struct twin_entry *entries,
    size_t count, struct bytes changed, const struct record *record) {
	size_t hash_index = 0;
	for (uint8_t nibble = 0; nibble < 16; nibble++) {
		if (!(record->child_mask >> nibble & 1)) continue;
		uint8_t path[NIBBLES_MAX];
		memcpy(path, record->path, record->path_len);
		path[record->path_len] = nibble;
		struct bytes child = bytes_make(path, record->path_len + 1);
		bool has_hash = record->hash_mask >> nibble & 1;
		const hash32 *hash = has_hash ? &record->hashes[hash_index++] : NULL;
		const struct record *below = record_at(records, child);
		if (has_hash && !bytes_equal(bytes_slice(changed, 0, child.len), child))
			hash_builder_subtree(builder, child, hash, record->tree_mask >> nibble & 1);
		else if (below)
			feed_again(builder, records, entries, count, changed, below);
		else
			feed_leaves(builder, entries, count, child);
	}
}

static void check_incremental(
    const struct twin_entry *entries, size_t count, struct bytes changed, const struct records *before) {
	static struct records after, visited;
	const struct record *top = record_at(before, (struct bytes){0});
	if (!top) return;
	after.count = visited.count = 0;
	hash32 expected = build(&after, entries, count);
	struct hash_builder_watch watch = {.branch = keep_branch, .context = &visited};
	struct hash_builder *builder = hash_builder_new(&watch);
	feed_again(builder, before, entries, count, changed, top);
	hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	assert_hash(&root, &expected);
	for (size_t i = 0; i < visited.count; i++) {
		const struct record *seen = &visited.items[i];
		const struct record *full = record_at(&after, bytes_make(seen->path, seen->path_len));
		assert_non_null(full);
		assert_int_equal(seen->child_mask, full->child_mask);
		assert_int_equal(seen->hash_mask, full->hash_mask);
		assert_int_equal(seen->tree_mask, full->tree_mask);
		assert_memory_equal(seen->hashes, full->hashes, 32u * (unsigned)__builtin_popcount(full->hash_mask));
	}
}

static void test_incremental(void **state) {
	(void)state;
	static struct twin_entry entries[ENTRIES_MAX];
	static struct records before;
	uint64_t seed = 2;
	size_t with_records = 0;
	for (size_t round = 0; round < 200; round++) {
		size_t count = twin_make(entries, 2 + twin_random(&seed) % (ENTRIES_MAX - 2), &seed);
		before.count = 0;
		build(&before, entries, count);
		for (size_t i = 0; i < before.count; i++) check_masks(&before, &before.items[i]);
		with_records += before.count > 1;
		struct twin_entry *changed = &entries[twin_random(&seed) % count];
		twin_value(changed, &seed);
		check_incremental(entries, count, path_of(changed), &before);
	}
	assert_true(with_records > 50);
}

/* A subtree that hangs deeper than its new parent gets its extension; alone it is the whole trie. */
static void test_subtree_extension(void **state) {
	(void)state;
	static struct twin_entry entries[2];
	static struct records records;
	uint64_t seed = 3;
	size_t count = twin_make(entries, 2, &seed);
	assert_int_equal(count, 2);
	memset(entries[0].path, 1, NIBBLES_MAX);
	memset(entries[1].path, 1, NIBBLES_MAX);
	entries[0].path[5] = 0;
	entries[0].value_len = entries[1].value_len = 40;
	hash32 expected = twin_root(entries, 2);
	struct buf branch;
	buf_init(&branch, 4096);
	twin_node(&branch, entries, 2, 5);
	hash32 hash = keccak256(buf_view(&branch)), root;
	buf_fini(&branch);
	struct hash_builder *builder =
	    hash_builder_new(&(struct hash_builder_watch){.branch = keep_branch, .context = &records});
	hash_builder_subtree(builder, bytes_make(entries[0].path, 5), &hash, false);
	root = hash_builder_root(builder);
	assert_hash(&root, &expected);
	hash_builder_subtree(builder, (struct bytes){0}, &hash, false);
	root = hash_builder_root(builder);
	assert_hash(&root, &hash);
	root = hash_builder_root(builder);
	assert_hash(&root, &empty_trie_root);
	/* Behind an extension a subtree is no branch child, so no hash bit; tree_below passes through. */
	const uint8_t other[NIBBLES_MAX] = {2};
	hash_builder_subtree(builder, bytes_make(entries[0].path, 5), &hash, true);
	hash_builder_leaf(builder, bytes_make(other, NIBBLES_MAX), BYTES_LITERAL("value"));
	hash_builder_root(builder);
	assert_int_equal(records.count, 1);
	assert_int_equal(records.items[0].child_mask, 1 << 1 | 1 << 2);
	assert_int_equal(records.items[0].hash_mask, 0);
	assert_int_equal(records.items[0].tree_mask, 1 << 1);
	hash_builder_free(builder);
}

static void test_ordered(void **state) {
	(void)state;
	static struct bytes items[300];
	hash32 root = ordered_trie_root(NULL, 0);
	assert_hash(&root, &empty_trie_root);
	for (size_t i = 0; i < 300; i++) items[i] = bytes_text("item");
	/* Each count gives another root, also across the jumps of the key's order at 1, 128 and 256. */
	hash32 previous = root;
	for (size_t count = 1; count <= 300; count++) {
		root = ordered_trie_root(items, count);
		assert_false(hash32_equal(&root, &previous));
		previous = root;
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_twin), cmocka_unit_test(test_incremental),
	    cmocka_unit_test(test_subtree_extension), cmocka_unit_test(test_ordered)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
