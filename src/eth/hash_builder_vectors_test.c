/*
 * ethereum/tests TrieTests: plain and hashed keys, in any order, with deletions. The builder is fed what is left,
 * sorted. Cases in which one key is a prefix of another need values in branches, which no trie of this chain has:
 * skipped and counted.
 */
#include "tests/unit.h"

#include "crypto/hash.h"
#include "eth/hash_builder.h"
#include "tests/vectors.h"

#define ENTRIES_MAX 4096

struct entry {
	struct bytes key, value;
};

static struct bytes text_or_hex(struct arena *arena, struct bytes text) {
	bool is_hex = text.len >= 2 && text.data[0] == '0' && text.data[1] == 'x';
	return is_hex ? vectors_hex(arena, text) : text;
}

static void put(struct entry *entries, size_t *count, struct bytes key, struct bytes value) {
	size_t i = 0;
	while (i < *count && !bytes_equal(entries[i].key, key)) i++;
	if (i == *count) {
		assert_true(*count < ENTRIES_MAX);
		(*count)++;
	}
	entries[i] = (struct entry){key, value};
	if (!value.len) entries[i] = entries[--*count];
}

static int compare_entries(const void *a, const void *b) {
	const struct entry *left = a, *right = b;
	return bytes_compare(left->key, right->key);
}

static struct bytes trie_key(struct arena *arena, struct bytes key, bool is_secure) {
	if (!is_secure) return key;
	hash32 hash = keccak256(key);
	return arena_dup(arena, BYTES_OF(hash));
}

/* Sorted; false where a key is a prefix of the next. */
static bool read_entries(
    struct entry *entries, size_t *count, struct arena *arena, const struct json *in, bool is_secure) {
	*count = 0;
	json_foreach (item, in) {
		bool is_pair = json_is(item, JSON_ARRAY);
		struct bytes key = is_pair ? json_string(json_at(item, 0)) : item->name;
		struct bytes value = json_string(is_pair ? json_at(item, 1) : item);
		key = trie_key(arena, text_or_hex(arena, key), is_secure);
		put(entries, count, key, text_or_hex(arena, value));
	}
	qsort(entries, *count, sizeof *entries, compare_entries);
	for (size_t i = 1; i < *count; i++)
		if (bytes_equal(entries[i - 1].key, bytes_slice(entries[i].key, 0, entries[i - 1].key.len)))
			return false;
	return true;
}

static hash32 build(const struct entry *entries, size_t count) {
	struct hash_builder *builder = hash_builder_new(NULL);
	for (size_t i = 0; i < count; i++) {
		uint8_t nibbles[NIBBLES_MAX];
		assert_true(entries[i].key.len <= NIBBLES_MAX / 2);
		nibbles_of(nibbles, entries[i].key);
		hash_builder_leaf(builder, bytes_make(nibbles, 2 * entries[i].key.len), entries[i].value);
	}
	hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	return root;
}

static void run_file(struct vectors *vectors, const char *name, bool is_secure) {
	static struct entry entries[ENTRIES_MAX];
	struct arena arena;
	arena_init(&arena);
	const char *file = arena_printf(&arena, "ethereum/trie/%s", name);
	json_foreach (test, vectors_json(&arena, file)) {
		size_t count;
		hash32 expected;
		assert_int_equal(hex_fixed(expected.b, 32, json_string(json_get(test, "root"))), STATUS_OK);
		if (!read_entries(entries, &count, &arena, json_get(test, "in"), is_secure)) {
			printf("%s %.*s: skipped, needs a value in a branch\n", name, (int)test->name.len,
			    (const char *)test->name.data);
			vectors->skipped++;
			continue;
		}
		hash32 root = build(entries, count);
		vectors_count(vectors, hash32_equal(&root, &expected), name, test->name);
	}
	arena_fini(&arena);
}

static void test_tries(void **state) {
	(void)state;
	vectors_need("ethereum/trie");
	struct vectors vectors = {.name = "TrieTests"};
	run_file(&vectors, "trietest.json", false);
	run_file(&vectors, "trieanyorder.json", false);
	run_file(&vectors, "trietest_secureTrie.json", true);
	run_file(&vectors, "trieanyorder_secureTrie.json", true);
	run_file(&vectors, "hex_encoded_securetrie_test.json", true);
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_tries)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
