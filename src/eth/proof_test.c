/* Proofs made with the hash builder's node watch hold; no byte of them can be changed. */
#include "eth/proof.h"
#include "eth/trie_twin.h"
#include "tests/unit.h"

#define ENTRIES_MAX 200
#define NODES_MAX 66

/* Collects the nodes on the way to one key, from the leaf up. */
struct collector {
	uint8_t key[NIBBLES_MAX];
	struct arena arena;
	struct bytes nodes[NODES_MAX];
	size_t count;
};

static void collect(void *context, struct bytes path, struct bytes rlp) {
	struct collector *collector = context;
	bool is_on_the_way = path.len == 0 || memcmp(path.data, collector->key, path.len) == 0;
	if (is_on_the_way && (rlp.len >= 32 || path.len == 0))
		collector->nodes[collector->count++] = arena_dup(&collector->arena, rlp);
}

static hash32 key_of(const struct twin_entry *entry) {
	hash32 key;
	for (size_t i = 0; i < 32; i++) key.b[i] = (uint8_t)(entry->path[2 * i] << 4 | entry->path[2 * i + 1]);
	return key;
}

/* The proof for `key`, from the root down. */
static hash32 make_proof(
    struct collector *collector, const struct twin_entry *entries, size_t count, const hash32 *key) {
	arena_init(&collector->arena);
	collector->count = 0;
	nibbles_of(collector->key, BYTES_OF(*key));
	struct hash_builder *builder =
	    hash_builder_new(&(struct hash_builder_watch){.node = collect, .context = collector});
	for (size_t i = 0; i < count; i++)
		hash_builder_leaf(builder, bytes_make(entries[i].path, NIBBLES_MAX),
		    bytes_make(entries[i].value, entries[i].value_len));
	hash32 root = hash_builder_root(builder);
	hash_builder_free(builder);
	for (size_t i = 0; i < collector->count / 2; i++) {
		struct bytes swapped = collector->nodes[i];
		collector->nodes[i] = collector->nodes[collector->count - 1 - i];
		collector->nodes[collector->count - 1 - i] = swapped;
	}
	return root;
}

static enum status verify(
    struct bytes *value, const struct collector *collector, const hash32 *root, const hash32 *key) {
	return proof_verify(value, root, key, collector->nodes, collector->count, NULL);
}

static void check_tampered(struct collector *collector, const hash32 *root, const hash32 *key) {
	struct bytes value;
	for (size_t i = 0; i < collector->count; i++) {
		uint8_t *data = (uint8_t *)collector->nodes[i].data;
		for (size_t k = 0; k < collector->nodes[i].len; k++) {
			data[k] ^= 1;
			assert_int_equal(verify(&value, collector, root, key), STATUS_INVALID);
			assert_null(value.data);
			data[k] ^= 1;
		}
	}
	collector->nodes[collector->count++] = collector->nodes[0]; /* one too many */
	assert_int_equal(verify(&value, collector, root, key), STATUS_INVALID);
	collector->count -= 2; /* one too few */
	assert_int_equal(verify(&value, collector, root, key), STATUS_INVALID);
	collector->count++;
	hash32 other_root = *root;
	other_root.b[31] ^= 0x80;
	assert_int_equal(verify(&value, collector, &other_root, key), STATUS_INVALID);
	assert_int_equal(verify(&value, collector, root, key), STATUS_OK);
}

static void test_presence_and_absence(void **state) {
	(void)state;
	static struct twin_entry entries[ENTRIES_MAX];
	static struct collector collector;
	uint64_t seed = 11;
	size_t absent = 0, inlined = 0;
	for (size_t round = 0; round < 150; round++) {
		size_t count = twin_make(entries, 1 + twin_random(&seed) % (round < 20 ? 3 : ENTRIES_MAX), &seed);
		const struct twin_entry *entry = &entries[twin_random(&seed) % count];
		hash32 key = key_of(entry);
		hash32 root = make_proof(&collector, entries, count, &key);
		struct bytes value;
		assert_int_equal(verify(&value, &collector, &root, &key), STATUS_OK);
		assert_true(bytes_equal(value, bytes_make(entry->value, entry->value_len)));
		struct bytes last = collector.nodes[collector.count - 1];
		inlined += value.data + value.len < last.data + last.len;
		if (round % 5 == 0) check_tampered(&collector, &root, &key);
		arena_fini(&collector.arena);

		key.b[twin_random(&seed) % 32] ^= (uint8_t)(1 + twin_random(&seed) % 255);
		root = make_proof(&collector, entries, count, &key);
		assert_int_equal(verify(&value, &collector, &root, &key), STATUS_OK);
		bool is_there = false;
		for (size_t i = 0; i < count; i++)
			is_there = is_there || memcmp(collector.key, entries[i].path, NIBBLES_MAX) == 0;
		assert_true(is_there == (value.data != NULL));
		absent += !is_there;
		if (round % 5 == 0) check_tampered(&collector, &root, &key);
		arena_fini(&collector.arena);
	}
	assert_true(absent > 100);
	assert_true(inlined > 0); /* leaves that stand inside their parent occurred */
}

static void test_account_and_storage(void **state) {
	(void)state;
	const addr20 address = {{1, 2, 3}};
	struct proof_account account;
	bool exists = true;
	assert_int_equal(proof_account(&exists, &account, &empty_trie_root, &address, NULL, 0, NULL), STATUS_OK);
	assert_false(exists);

	hash32 key = keccak256(BYTES_OF(address)), root;
	uint8_t path[NIBBLES_MAX];
	nibbles_of(path, BYTES_OF(key));
	struct buf value;
	buf_init(&value, 1024);
	size_t list = rlp_list_begin(&value);
	rlp_put_u64(&value, 7);
	rlp_put_u64(&value, 1000);
	rlp_put_string(&value, BYTES_OF(empty_trie_root));
	rlp_put_string(&value, BYTES_OF(empty_code_hash));
	rlp_list_end(&value, list);
	static struct collector collector;
	memcpy(collector.key, path, NIBBLES_MAX);
	arena_init(&collector.arena);
	struct hash_builder *builder =
	    hash_builder_new(&(struct hash_builder_watch){.node = collect, .context = &collector});
	hash_builder_leaf(builder, bytes_make(path, NIBBLES_MAX), buf_view(&value));
	root = hash_builder_root(builder);
	assert_int_equal(
	    proof_account(&exists, &account, &root, &address, collector.nodes, collector.count, NULL), STATUS_OK);
	assert_true(exists);
	assert_int_equal(account.nonce, 7);
	assert_int_equal(account.balance_wei.w[0], 1000);
	assert_memory_equal(&account.code_hash, &empty_code_hash, 32);
	const addr20 other = {{9}};
	assert_int_equal(
	    proof_account(&exists, &account, &root, &other, collector.nodes, collector.count, NULL), STATUS_OK);
	assert_false(exists);

	/* The same leaf is no storage value; a stored zero is refused. */
	u256 number;
	hash32 slot = {0};
	slot.b[31] = 5;
	key = keccak256(BYTES_OF(slot));
	nibbles_of(path, BYTES_OF(key));
	static const struct {
		const char *rlp;
		size_t len;
		enum status status;
	} cases[] = {{"\x05", 1, STATUS_OK}, {"\x80", 1, STATUS_INVALID}, {"\x81\x05", 2, STATUS_INVALID},
	    {"\x82\x00\x05", 3, STATUS_INVALID}, {"\xc0", 1, STATUS_INVALID}, {"\x05\x05", 2, STATUS_INVALID}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		collector.count = 0;
		memcpy(collector.key, path, NIBBLES_MAX);
		hash_builder_leaf(builder, bytes_make(path, NIBBLES_MAX), bytes_make(cases[i].rlp, cases[i].len));
		root = hash_builder_root(builder);
		assert_int_equal(
		    proof_storage(&number, &root, &slot, collector.nodes, collector.count, NULL), cases[i].status);
		if (!cases[i].status) assert_int_equal(number.w[0], 5);
	}
	hash_builder_free(builder);
	arena_fini(&collector.arena);
	buf_fini(&value);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_presence_and_absence), cmocka_unit_test(test_account_and_storage)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
