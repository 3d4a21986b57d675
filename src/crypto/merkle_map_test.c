#include "crypto/merkle_map.h"

#include "tests/unit.h"

#include "crypto/hash.h"
#include "tests/hexbytes.h"

#define KEYS 200u
#define ROWS 4096u

/* Nodes in memory. */
struct kept {
	struct row {
		hash32 hash;
		uint8_t node[MERKLE_MAP_NODE_BYTES];
		bool is_there;
	} rows[ROWS];
	size_t count, there;
};

static struct row *find(struct kept *kept, const hash32 *hash) {
	for (size_t i = 0; i < kept->count; i++)
		if (kept->rows[i].is_there && hash32_equal(&kept->rows[i].hash, hash)) return &kept->rows[i];
	return NULL;
}

static enum status get(void *context, uint8_t node[MERKLE_MAP_NODE_BYTES], const hash32 *hash, struct err *err) {
	const struct row *row = find(context, hash);
	if (!row) return err_set(err, STATUS_CORRUPT, "a node is not there");
	memcpy(node, row->node, MERKLE_MAP_NODE_BYTES);
	return STATUS_OK;
}

static void put(void *context, const hash32 *hash, const uint8_t node[MERKLE_MAP_NODE_BYTES]) {
	struct kept *kept = context;
	size_t at = 0;
	while (at < kept->count && kept->rows[at].is_there) at++;
	assert_true(at < ROWS);
	kept->rows[at] = (struct row){.hash = *hash, .is_there = true};
	memcpy(kept->rows[at].node, node, MERKLE_MAP_NODE_BYTES);
	kept->count = at == kept->count ? at + 1 : kept->count;
	kept->there++;
}

static void drop(void *context, const hash32 *hash) {
	struct kept *kept = context;
	struct row *row = find(kept, hash);
	assert_non_null(row);
	row->is_there = false;
	kept->there--;
}

static struct merkle_map_nodes nodes_of(struct kept *kept) {
	return (struct merkle_map_nodes){get, put, drop, kept};
}

static hash32 word_of(uint8_t first, uint32_t number) {
	hash32 word = {{first}};
	store_be32(word.b + 28, number);
	return word;
}

/* Keys `first` to `last`, each with its own number as the value. */
static hash32 filled(struct kept *kept, uint32_t first, uint32_t last) {
	const struct merkle_map_nodes nodes = nodes_of(kept);
	hash32 root = {{0}};
	struct err err;
	memset(kept, 0, sizeof *kept);
	for (uint32_t number = first; number <= last; number++) {
		const hash32 key = word_of(0, number), value = word_of(1, number);
		assert_int_equal(merkle_map_put(&nodes, &root, &key, &value, &err), STATUS_OK);
	}
	return root;
}

static void prove(struct buf *proof, struct kept *kept, const hash32 *root, const hash32 *key) {
	const struct merkle_map_nodes nodes = nodes_of(kept);
	struct err err;
	buf_init(proof, MERKLE_MAP_PROOF_MAX);
	assert_int_equal(merkle_map_prove(&nodes, proof, root, key, &err), STATUS_OK);
}

/* Roots that another program computed, by the definition: recursively over all keys at once. */
static void known_roots(void **state) {
	struct kept *kept = *state;
	const hash32 none = filled(kept, 1, 0);
	assert_true(hash32_is_zero(&none));
	const hash32 one = filled(kept, 1, 1), three = filled(kept, 1, 3), all = filled(kept, 1, KEYS);
	assert_hex(one.b, 32, "b2ef287c343d4bf3228053202e0a18952a8ab8d653ab139c406d9ac0eabb2476");
	assert_hex(three.b, 32, "4839be522eeb0cb8cf2227ab8502b9e54b5658da34b89dea778257d208321f3c");
	assert_hex(all.b, 32, "e109d4dd7ef353db12f81abd3d3108086d4d229786ecbea19810d920de3518ba");
}

static void every_key_is_proved_there_and_every_other_is_proved_absent(void **state) {
	struct kept *kept = *state;
	const hash32 root = filled(kept, 1, KEYS);
	for (uint32_t i = 1; i <= 2 * KEYS; i++) {
		const hash32 key = word_of(0, i), value = word_of(1, i);
		hash32 proved;
		struct buf proof;
		prove(&proof, kept, &root, &key);
		assert_true(merkle_map_verify(&proved, &root, &key, buf_view(&proof)));
		assert_true(i <= KEYS ? hash32_equal(&proved, &value) : hash32_is_zero(&proved));
		buf_fini(&proof);
	}
}

static void the_order_of_keys_does_not_matter_and_nothing_old_is_kept(void **state) {
	struct kept *kept = *state;
	const struct merkle_map_nodes nodes = nodes_of(kept);
	const hash32 root = filled(kept, 1, KEYS);
	const size_t there = kept->there;
	hash32 other = {{0}};
	struct err err;
	memset(kept, 0, sizeof *kept);
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = KEYS; i > 0; i--) {
			const hash32 key = word_of(0, i), value = word_of(1, i + (round ? 0 : 1000));
			assert_int_equal(merkle_map_put(&nodes, &other, &key, &value, &err), STATUS_OK);
		}
	assert_true(hash32_equal(&other, &root));
	assert_int_equal(kept->there, there);
}

static void a_changed_proof_proves_nothing(void **state) {
	struct kept *kept = *state;
	const hash32 root = filled(kept, 1, KEYS), other_root = {{1}};
	for (uint32_t i = KEYS - 1; i <= KEYS + 2; i++) {
		const hash32 key = word_of(0, i);
		hash32 value;
		struct buf proof;
		prove(&proof, kept, &root, &key);
		assert_false(merkle_map_verify(&value, &other_root, &key, buf_view(&proof)));
		for (size_t at = 0; at < proof.len; at++) {
			proof.data[at] ^= 1;
			assert_false(merkle_map_verify(&value, &root, &key, buf_view(&proof)));
			proof.data[at] ^= 1;
		}
		for (size_t len = 0; len < proof.len; len++)
			assert_false(merkle_map_verify(&value, &root, &key, bytes_make(proof.data, len)));
		buf_fini(&proof);
	}
}

static void a_proof_is_of_its_own_key(void **state) {
	struct kept *kept = *state;
	const hash32 root = filled(kept, 1, KEYS);
	const hash32 key = word_of(0, 7);
	struct buf proof;
	prove(&proof, kept, &root, &key);
	for (uint32_t i = 1; i <= KEYS; i++) {
		const hash32 other = word_of(0, i);
		hash32 value;
		if (i != 7) assert_false(merkle_map_verify(&value, &root, &other, buf_view(&proof)));
	}
	buf_fini(&proof);
}

static void a_node_that_is_gone_or_changed_is_noticed_and_nothing_is_written(void **state) {
	struct kept *kept = *state;
	const struct merkle_map_nodes nodes = nodes_of(kept);
	const hash32 root = filled(kept, 1, KEYS), key = word_of(0, 9), value = word_of(1, 99);
	const size_t there = kept->there;
	struct err err;
	hash32 changed = root;
	struct row *row = find(kept, &root);
	row->node[40] ^= 1;
	assert_int_equal(merkle_map_put(&nodes, &changed, &key, &value, &err), STATUS_CORRUPT);
	row->node[40] ^= 1;
	row->is_there = false;
	assert_int_equal(merkle_map_put(&nodes, &changed, &key, &value, &err), STATUS_CORRUPT);
	assert_true(hash32_equal(&changed, &root));
	assert_int_equal(kept->there, there);
}

static int kept_init(void **state) {
	*state = mem_zalloc(1, sizeof(struct kept));
	return 0;
}

static int kept_fini(void **state) {
	mem_free(*state);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_roots),
	    cmocka_unit_test(every_key_is_proved_there_and_every_other_is_proved_absent),
	    cmocka_unit_test(the_order_of_keys_does_not_matter_and_nothing_old_is_kept),
	    cmocka_unit_test(a_changed_proof_proves_nothing),
	    cmocka_unit_test(a_proof_is_of_its_own_key),
	    cmocka_unit_test(a_node_that_is_gone_or_changed_is_noticed_and_nothing_is_written),
	};
	return cmocka_run_group_tests(tests, kept_init, kept_fini);
}
