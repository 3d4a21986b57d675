#include "ledger/chain/alloc.h"
#include "ledger/chain/chain_private.h"

#include "tests/unit.h"
#include "tests/vectors.h"

static void run_file(struct vectors *vectors, const char *path, const char *genesis_text) {
	struct arena arena;
	struct genesis *genesis;
	struct err err;
	arena_init(&arena);
	assert_int_equal(genesis_parse(&genesis, bytes_text(genesis_text), &err), STATUS_OK);
	json_foreach (test, vectors_json(&arena, path)) {
		struct header parent = {.ommers_hash = empty_ommers_hash};
		uint64_t number, timestamp;
		u256 expected;
		assert_true(loose_u64(&number, json_get(test, "currentBlockNumber")));
		assert_true(loose_u64(&timestamp, json_get(test, "currentTimestamp")));
		assert_true(loose_u64(&parent.timestamp, json_get(test, "parentTimestamp")));
		assert_true(loose_u256(&parent.difficulty, json_get(test, "parentDifficulty")));
		assert_true(loose_u256(&expected, json_get(test, "currentDifficulty")));
		const struct json *uncles = json_get(test, "parentUncles");
		if (uncles != NULL) assert_true(loose_word(&parent.ommers_hash, json_string(uncles)));
		parent.number = number - 1;
		const u256 got = chain_difficulty(genesis, &parent, timestamp);
		vectors_count(vectors, u256_equal(&got, &expected), path, test->name);
	}
	genesis_free(genesis);
	arena_fini(&arena);
}

static void difficulties(void **state) {
	(void)state;
	struct vectors vectors = {.name = "difficulty"};
	vectors_need("ethereum/basic/difficultyCustomHomestead.json");
	run_file(&vectors, "ethereum/basic/difficultyCustomHomestead.json",
	    "{\"config\":{\"chainId\":1,\"homesteadBlock\":0},\"gasLimit\":5000}");
	run_file(&vectors, "ethereum/basic/difficultyCustomMainNetwork.json",
	    "{\"config\":{\"chainId\":1,\"homesteadBlock\":1150000,\"byzantiumBlock\":4370000},\"gasLimit\":5000}");
	vectors_report(&vectors);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(difficulties)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
