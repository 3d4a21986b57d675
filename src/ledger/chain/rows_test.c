#include "ledger/chain/rows.h"

#include "ledger/chain/genesis.h"

#include "tests/unit.h"

static struct log logs[3] = {
    {.address = {{1}}, .topic_count = 0},
    {.address = {{2}}, .topic_count = 2, .topics = {{{7}}, {{8}}}, .data = {(const uint8_t *)"abc", 3}},
    {.address = {{3}}, .topic_count = 4, .data = {(const uint8_t *)"defgh", 5}},
};
static const struct receipt receipts[3] = {
    {.type = TX_LEGACY, .has_root = true, .root = {{9}}, .cumulative_gas = 21000},
    {.type = TX_DYNAMIC_FEE, .success = true, .cumulative_gas = 50000, .logs = logs, .log_count = 2},
    {.type = TX_SET_CODE, .success = false, .cumulative_gas = 90000, .logs = logs + 2, .log_count = 1},
};

static struct buf whole_row(void) {
	struct buf row;
	buf_init(&row, 4096);
	receipts_row_encode(&row, receipts, 3);
	return row;
}

static void receipts_come_back(void **state) {
	(void)state;
	struct buf row = whole_row();
	struct arena arena;
	struct err err;
	size_t count;
	arena_init(&arena);
	assert_int_equal(receipts_row_count(&count, buf_view(&row), &err), STATUS_OK);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 3; i++) {
		struct receipt got;
		assert_int_equal(receipts_row_get(&got, &arena, buf_view(&row), i, &err), STATUS_OK);
		assert_int_equal(got.type, receipts[i].type);
		assert_int_equal(got.has_root, receipts[i].has_root);
		assert_int_equal(got.success, receipts[i].success);
		assert_memory_equal(got.root.b, receipts[i].root.b, 32);
		assert_int_equal(got.cumulative_gas, receipts[i].cumulative_gas);
		assert_int_equal(got.log_count, receipts[i].log_count);
		for (size_t k = 0; k < got.log_count; k++) {
			const struct log *a = &got.logs[k], *b = &receipts[i].logs[k];
			assert_memory_equal(a->address.b, b->address.b, 20);
			assert_int_equal(a->topic_count, b->topic_count);
			assert_memory_equal(a->topics, b->topics, 32 * a->topic_count);
			assert_true(bytes_equal(a->data, b->data));
			assert_true(bloom_may_contain(got.bloom, BYTES_OF(a->address)));
		}
	}
	uint64_t log_count, gas;
	assert_int_equal(receipts_row_before(&log_count, &gas, buf_view(&row), 2, &err), STATUS_OK);
	assert_int_equal(log_count, 2);
	assert_int_equal(gas, 50000);
	struct receipt none;
	assert_int_equal(receipts_row_get(&none, &arena, buf_view(&row), 3, &err), STATUS_NOTFOUND);
	arena_fini(&arena);
	buf_fini(&row);
}

/* Cut anywhere, the last receipt is not given; changed anywhere, nothing is read past the end (the sanitizers watch).
 */
static void a_damaged_row_is_told(void **state) {
	(void)state;
	struct buf row = whole_row();
	struct err err;
	struct arena arena;
	struct receipt got;
	arena_init(&arena);
	for (size_t len = 0; len < row.len; len++) {
		uint8_t *exact = mem_alloc(len);
		if (len > 0) memcpy(exact, row.data, len);
		assert_int_not_equal(receipts_row_get(&got, &arena, bytes_make(exact, len), 2, &err), STATUS_OK);
		mem_free(exact);
	}
	size_t told = 0;
	for (size_t i = 0; i < row.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			row.data[i] ^= (uint8_t)(1 << bit);
			for (size_t k = 0; k < 3; k++)
				told += receipts_row_get(&got, &arena, buf_view(&row), k, &err) != STATUS_OK;
			row.data[i] ^= (uint8_t)(1 << bit);
		}
	assert_true(told > 0);
	arena_fini(&arena);
	buf_fini(&row);
}

#define GAS "\"gasLimit\":\"0x1c9c380\","

static void a_bad_genesis_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {"", "[]", "{}", "{\"config\":1}", "{" GAS "\"config\":{\"chainId\":-1}}",
	    "{" GAS "\"config\":{\"chainId\":1.5}}", "{" GAS "\"config\":{\"chainId\":1,\"londonBlock\":\"soon\"}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"homesteadBlock\":5,\"eip150Block\":4}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"cancunTime\":9,\"pragueTime\":8}}",
	    "{\"config\":{\"chainId\":1},\"gasLimit\":\"0xg\"}", "{\"config\":{\"chainId\":1}}",
	    "{" GAS "\"config\":{\"homesteadBlock\":0}}",
	    "{" GAS "\"config\":{\"chainId\":1},\"extraData\":"
	    "\"0x000000000000000000000000000000000000000000000000000000000000000000\"}",
	    "{" GAS "\"config\":{\"chainId\":1},\"alloc\":[]}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"zeroBaseFee\":1}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"sealer\":\"0x12\"}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"blobGates\":[\"0x\"]}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"londonBlock\":0,\"xinglin\":{\"zeroBaseFee\":true}},\"baseFeePerGas\":"
	    "\"0x1\"}",
	    "{" GAS
	    "\"config\":{\"chainId\":1,\"cancunTime\":0,\"blobSchedule\":{\"cancun\":{\"target\":3,\"max\":2}}}}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct genesis *genesis;
		struct err err;
		assert_int_equal(genesis_parse(&genesis, bytes_text(bad[i]), &err), STATUS_INVALID);
		assert_true(strlen(err.message) > 10);
	}
}

static void forks_follow_the_schedule(void **state) {
	(void)state;
	struct genesis *genesis;
	struct err err;
	const char *json =
	    "{" GAS "\"config\":{\"chainId\":5,\"homesteadBlock\":2,\"byzantiumBlock\":4,\"constantinopleBlock\":6,"
	    "\"londonBlock\":8,\"terminalTotalDifficulty\":100,\"shanghaiTime\":50,\"cancunTime\":60,"
	    "\"pragueTime\":70,\"osakaTime\":80,\"bpo1Time\":90,\"blobSchedule\":{\"bpo1\":{\"target\":10,"
	    "\"max\":15,\"baseFeeUpdateFraction\":8346193}}}}";
	assert_int_equal(genesis_parse(&genesis, bytes_text(json), &err), STATUS_OK);
	const struct {
		uint64_t number, time;
		bool merged;
		enum fork fork;
		uint32_t blobs;
	} points[] = {{0, 0, false, FORK_FRONTIER, 0}, {3, 99, false, FORK_HOMESTEAD, 0},
	    {5, 0, false, FORK_BYZANTIUM, 0}, {6, 0, false, FORK_PETERSBURG, 0}, {8, 99, false, FORK_LONDON, 0},
	    {9, 49, true, FORK_PARIS, 0}, {9, 50, true, FORK_SHANGHAI, 0}, {9, 69, true, FORK_CANCUN, 6},
	    {9, 70, true, FORK_PRAGUE, 9}, {9, 89, true, FORK_OSAKA, 9}, {9, 90, true, FORK_OSAKA, 15}};
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		const struct exec_rules rules =
		    genesis_rules(genesis, points[i].number, points[i].time, points[i].merged);
		assert_int_equal(rules.fork, points[i].fork);
		assert_int_equal(rules.blob.max, points[i].blobs);
	}
	const u256 below = u256_from(99), enough = u256_from(100);
	assert_false(genesis_is_merged(genesis, &below));
	assert_true(genesis_is_merged(genesis, &enough));
	genesis_free(genesis);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(receipts_come_back),
	    cmocka_unit_test(a_damaged_row_is_told),
	    cmocka_unit_test(a_bad_genesis_is_refused),
	    cmocka_unit_test(forks_follow_the_schedule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
