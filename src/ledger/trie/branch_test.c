#include "ledger/trie/branch.h"

#include "tests/unit.h"

static size_t sample(uint8_t *record) {
	hash32 hashes[2];
	memset(hashes[0].b, 0xaa, 32);
	memset(hashes[1].b, 0xbb, 32);
	return trie_branch_encode(record, 0x8103, 0x0001, 0x8002, hashes);
}

static void round_trip(void **state) {
	(void)state;
	uint8_t record[TRIE_BRANCH_BYTES_MAX];
	size_t len = sample(record);
	assert_int_equal(len, 7 + 64);
	static const uint8_t head[] = {1, 0x81, 0x03, 0x00, 0x01, 0x80, 0x02, 0xaa};
	assert_memory_equal(record, head, sizeof head);
	struct trie_branch branch;
	assert_int_equal(trie_branch_decode(&branch, bytes_make(record, len), NULL), STATUS_OK);
	assert_int_equal(branch.child_mask, 0x8103);
	assert_int_equal(branch.tree_mask, 0x0001);
	assert_int_equal(branch.hash_mask, 0x8002);
	assert_int_equal(branch.hashes[1].b[0], 0xaa);
	assert_int_equal(branch.hashes[15].b[31], 0xbb);
}

static void what_contradicts_itself_is_refused(void **state) {
	(void)state;
	uint8_t record[TRIE_BRANCH_BYTES_MAX + 1];
	struct trie_branch branch;
	size_t len = sample(record);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(trie_branch_decode(&branch, bytes_make(record, cut), NULL), STATUS_CORRUPT);
	assert_int_equal(trie_branch_decode(&branch, bytes_make(record, len + 1), NULL), STATUS_CORRUPT);
	static const struct {
		size_t at;
		uint8_t value;
	} damages[] = {{0, 2}, {0, 0}, {2, 0x01}, {3, 0x40}, {5, 0x00}, {6, 0x03}};
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		sample(record);
		record[damages[i].at] = damages[i].value;
		assert_int_equal(trie_branch_decode(&branch, bytes_make(record, len), NULL), STATUS_CORRUPT);
	}
	static const uint8_t needless[] = {1, 0, 3, 0, 0, 0, 0}, lonely[] = {1, 0, 1, 0, 1, 0, 0};
	assert_int_equal(trie_branch_decode(&branch, bytes_make(needless, 7), NULL), STATUS_CORRUPT);
	assert_int_equal(trie_branch_decode(&branch, bytes_make(lonely, 7), NULL), STATUS_CORRUPT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(what_contradicts_itself_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
