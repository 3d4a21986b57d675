/*
 * ethereum/tests TrieTests: plain and hashed keys, in any order, with deletions. What is left, sorted, gives the root
 * by the plain twin, and by the builder. Where one key is a prefix of another a branch holds a value, which no trie of
 * a chain has and so the builder refuses: there the twin stands alone.
 */
#include "tests/unit.h"

#include "crypto/hash.h"
#include "eth/trie_twin.h"
#include "tests/vectors.h"

#define ENTRIES_MAX 4096

static struct bytes text_or_hex(struct arena *arena, struct bytes text) {
	bool is_hex = text.len >= 2 && text.data[0] == '0' && text.data[1] == 'x';
	return is_hex ? vectors_hex(arena, text) : text;
}

/* An empty value deletes. */
static void put(struct twin_entry *entries, size_t *count, struct bytes key, struct bytes value) {
	struct twin_entry entry = {.path_len = 2 * key.len, .value_len = value.len};
	assert_true(entry.path_len <= sizeof entry.path && value.len <= sizeof entry.value);
	nibbles_of(entry.path, key);
	if (value.len) memcpy(entry.value, value.data, value.len);
	size_t i = 0;
	while (i < *count && twin_compare(&entries[i], &entry)) i++;
	if (i == *count) {
		assert_true(*count < ENTRIES_MAX);
		(*count)++;
	}
	entries[i] = value.len ? entry : entries[--*count];
}

static size_t read_entries(struct twin_entry *entries, struct arena *arena, const struct json *in, bool is_secure) {
	size_t count = 0;
	json_foreach (item, in) {
		bool is_pair = json_is(item, JSON_ARRAY);
		struct bytes key = text_or_hex(arena, is_pair ? json_string(json_at(item, 0)) : item->name);
		struct bytes value = text_or_hex(arena, json_string(is_pair ? json_at(item, 1) : item));
		hash32 hash = keccak256(key);
		put(entries, &count, is_secure ? BYTES_OF(hash) : key, value);
	}
	qsort(entries, count, sizeof *entries, twin_compare);
	return count;
}

static bool has_prefix_of_next(const struct twin_entry *entries, size_t count) {
	for (size_t i = 1; i < count; i++)
		if (memcmp(entries[i - 1].path, entries[i].path, entries[i - 1].path_len) == 0) return true;
	return false;
}

static hash32 build(const struct twin_entry *entries, size_t count) {
	struct hash_builder *builder = hash_builder_new(NULL);
	for (size_t i = 0; i < count; i++)
		hash_builder_leaf(builder, bytes_make(entries[i].path, entries[i].path_len),
		    bytes_make(entries[i].value, entries[i].value_len));
	hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	return root;
}

static void run_file(struct vectors *vectors, const char *name, bool is_secure) {
	static struct twin_entry entries[ENTRIES_MAX];
	struct arena arena;
	arena_init(&arena);
	const char *file = arena_printf(&arena, "ethereum/trie/%s", name);
	json_foreach (test, vectors_json(&arena, file)) {
		hash32 expected;
		assert_int_equal(hex_fixed(expected.b, 32, json_string(json_get(test, "root"))), STATUS_OK);
		size_t count = read_entries(entries, &arena, json_get(test, "in"), is_secure);
		hash32 twin = twin_root(entries, count);
		bool is_good = hash32_equal(&twin, &expected);
		if (!has_prefix_of_next(entries, count)) {
			hash32 root = build(entries, count);
			is_good &= hash32_equal(&root, &expected);
		}
		vectors_count(vectors, is_good, name, test->name);
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
