/* Each item of a list is proved by its nodes, and nothing else is. */
#include "eth/hash_builder.h"
#include "eth/proof.h"
#include "eth/types.h"
#include "tests/unit.h"

#define ITEMS_MAX 300u

static struct arena arena;
static struct bytes items[ITEMS_MAX];

static int begin(void **state) {
	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < ITEMS_MAX; i++)
		items[i] = bytes_text(arena_printf(&arena, "an item of a list, longer than a hash, number %zu", i));
	return 0;
}

static int end(void **state) {
	(void)state;
	arena_fini(&arena);
	return 0;
}

static void every_item_is_proved_at_its_place_alone(void **state) {
	(void)state;
	static const size_t counts[] = {1, 2, 17, 127, 128, 129, 256, ITEMS_MAX};
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct ordered_proof proofs[ITEMS_MAX];
		size_t wanted[ITEMS_MAX];
		for (size_t i = 0; i < counts[c]; i++) wanted[i] = i;
		const hash32 root = ordered_trie_root(items, counts[c]);
		const hash32 again = ordered_trie_prove(proofs, &arena, items, counts[c], wanted, counts[c]);
		assert_true(hash32_equal(&root, &again));
		for (size_t i = 0; i < counts[c]; i++) {
			const struct ordered_proof *proof = &proofs[i];
			struct bytes value;
			assert_int_equal(proof_ordered(&value, &root, i, proof->nodes, proof->count, NULL), STATUS_OK);
			assert_true(bytes_equal(value, items[i]));
			assert_int_not_equal(
			    proof_ordered(&value, &root, i + 1, proof->nodes, proof->count, NULL), STATUS_OK);
			assert_int_not_equal(
			    proof_ordered(&value, &root, i, proof->nodes, proof->count - 1, NULL), STATUS_OK);
		}
	}
}

static void no_byte_of_a_proof_can_be_changed(void **state) {
	(void)state;
	const size_t wanted = 130;
	struct ordered_proof proof;
	struct bytes value;
	const hash32 root = ordered_trie_prove(&proof, &arena, items, ITEMS_MAX, &wanted, 1);
	assert_true(proof.count > 1);
	for (size_t i = 0; i < proof.count; i++) {
		uint8_t *data = (uint8_t *)proof.nodes[i].data;
		for (size_t k = 0; k < proof.nodes[i].len; k++) {
			data[k] ^= 1;
			assert_int_equal(
			    proof_ordered(&value, &root, wanted, proof.nodes, proof.count, NULL), STATUS_INVALID);
			data[k] ^= 1;
		}
	}
	assert_int_equal(proof_ordered(&value, &root, wanted, proof.nodes, proof.count, NULL), STATUS_OK);
}

static void what_a_list_does_not_hold_is_not_proved(void **state) {
	(void)state;
	const size_t wanted = 1;
	struct ordered_proof proof;
	struct bytes value;
	const hash32 root = ordered_trie_prove(&proof, &arena, items, 2, &wanted, 1);
	assert_int_equal(proof_ordered(&value, &root, 2, proof.nodes, 1, NULL), STATUS_INVALID);
	assert_int_equal(proof_ordered(&value, &empty_trie_root, 0, NULL, 0, NULL), STATUS_INVALID);
	assert_int_equal(proof_ordered(&value, &root, UINT64_MAX, proof.nodes, proof.count, NULL), STATUS_INVALID);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_item_is_proved_at_its_place_alone, begin, end),
	    cmocka_unit_test_setup_teardown(no_byte_of_a_proof_can_be_changed, begin, end),
	    cmocka_unit_test_setup_teardown(what_a_list_does_not_hold_is_not_proved, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
