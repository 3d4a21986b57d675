#include "ledger/chain/rows.h"

#include "ledger/chain/genesis.h"

#include "tests/unit.h"

static struct log logs[3] = {
    {.address = {{1}}, .topic_count = 0},
    {.address = {{2}}, .topic_count = 2, .topics = {{{7}}, {{8}}}, .data = {(const uint8_t *)"abc", 3}},
    {.address = {{3}}, .topic_count = 4, .data = {(const uint8_t *)"defgh", 5}},
};
static const struct mined_receipt receipts[3] = {
    {.receipt = {.type = TX_LEGACY, .has_root = true, .root = {{9}}, .cumulative_gas = 21000},
	.sender = {{4}},
	.gas_used = 21000},
    {.receipt = {.type = TX_DYNAMIC_FEE, .success = true, .cumulative_gas = 50000, .logs = logs, .log_count = 2},
	.sender = {{5}},
	.gas_used = 29000},
    {.receipt = {.type = TX_SET_CODE, .cumulative_gas = 90000, .logs = logs + 2, .log_count = 1},
	.sender = {{4}},
	.gas_used = 40000,
	.first_log = 2},
};

static struct buf whole_row(void) {
	struct buf row;
	buf_init(&row, 4096);
	group_row_begin(&row, 3);
	for (size_t i = 0; i < 3; i++) {
		receipt_item_encode(&row, &receipts[i]);
		group_row_end(&row, i);
	}
	return row;
}

static enum status get(struct mined_receipt *out, struct arena *arena, struct bytes row, size_t item, struct err *err) {
	struct bytes bytes;
	TRY(group_row_item(&bytes, row, item, err));
	return receipt_item_decode(out, arena, bytes, true, err);
}

static void assert_receipt(const struct mined_receipt *got, const struct mined_receipt *wanted) {
	const struct receipt *a = &got->receipt, *b = &wanted->receipt;
	assert_memory_equal(got->sender.b, wanted->sender.b, 20);
	assert_int_equal(got->gas_used, wanted->gas_used);
	assert_int_equal(got->first_log, wanted->first_log);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->has_root, b->has_root);
	assert_int_equal(a->success, b->success);
	assert_memory_equal(a->root.b, b->root.b, 32);
	assert_int_equal(a->cumulative_gas, b->cumulative_gas);
	assert_int_equal(a->log_count, b->log_count);
	for (size_t k = 0; k < a->log_count; k++) {
		assert_memory_equal(a->logs[k].address.b, b->logs[k].address.b, 20);
		assert_int_equal(a->logs[k].topic_count, b->logs[k].topic_count);
		assert_memory_equal(a->logs[k].topics, b->logs[k].topics, 32 * b->logs[k].topic_count);
		assert_true(bytes_equal(a->logs[k].data, b->logs[k].data));
		assert_true(bloom_may_contain(a->bloom, BYTES_OF(b->logs[k].address)));
	}
}

static void receipts_come_back(void **state) {
	(void)state;
	struct buf row = whole_row();
	struct arena arena;
	struct err err;
	struct mined_receipt got;
	size_t count;
	arena_init(&arena);
	assert_int_equal(group_row_count(&count, buf_view(&row), &err), STATUS_OK);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(get(&got, &arena, buf_view(&row), i, &err), STATUS_OK);
		assert_receipt(&got, &receipts[i]);
	}
	assert_int_equal(get(&got, &arena, buf_view(&row), 3, &err), STATUS_NOTFOUND);
	arena_fini(&arena);
	buf_fini(&row);
}

static void a_group_begins_at_a_multiple_of_its_size(void **state) {
	(void)state;
	const hash32 hash = {{7}};
	const struct block_key block = block_key(5, &hash);
	const struct group_key first = group_key(&block, 0), fifteenth = group_key(&block, 15),
			       sixteenth = group_key(&block, 16);
	assert_memory_equal(first.b, fifteenth.b, sizeof first);
	assert_true(memcmp(first.b, sixteenth.b, sizeof first) < 0);
	assert_int_equal(load_be32(sixteenth.b + 40), 16);
}

/* Cut anywhere, the last receipt is not given; changed anywhere, nothing is read past the end (the sanitizers watch).
 */
static void a_damaged_row_is_told(void **state) {
	(void)state;
	struct buf row = whole_row();
	struct err err;
	struct arena arena;
	struct mined_receipt got;
	arena_init(&arena);
	for (size_t len = 0; len < row.len; len++) {
		uint8_t *exact = mem_alloc(len);
		if (len > 0) memcpy(exact, row.data, len);
		assert_int_not_equal(get(&got, &arena, bytes_make(exact, len), 2, &err), STATUS_OK);
		mem_free(exact);
	}
	size_t refused = 0;
	for (size_t i = 0; i < row.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			row.data[i] ^= (uint8_t)(1 << bit);
			for (size_t k = 0; k < 3; k++)
				refused += get(&got, &arena, buf_view(&row), k, &err) != STATUS_OK;
			row.data[i] ^= (uint8_t)(1 << bit);
		}
	assert_true(refused > 0);
	arena_fini(&arena);
	buf_fini(&row);
}

static void a_body_row_comes_back(void **state) {
	(void)state;
	const u256 weights[] = {
	    u256_from(0), u256_from(1), u256_from(0x123456789abcdef), {{~0ull, ~0ull, ~0ull, ~0ull}}};
	const struct block block = {.transaction_count = 70000, .has_withdrawals = true};
	for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
		struct body_row got;
		struct buf row;
		buf_init(&row, 4096);
		body_row_encode(&row, &block, &weights[i]);
		assert_int_equal(body_row_decode(&got, buf_view(&row), NULL), STATUS_OK);
		assert_int_equal(got.transaction_count, 70000);
		assert_true(u256_equal(&got.total_difficulty, &weights[i]));
		assert_int_equal(got.rlp.len, 4); /* [[], [], []] */
		for (size_t len = 0; len < row.len - 4; len++)
			assert_int_equal(body_row_decode(&got, bytes_make(row.data, len), NULL), STATUS_CORRUPT);
		buf_fini(&row);
	}
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
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"equalTimestamps\":\"yes\"}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"sealer\":\"0x12\"}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"blobGates\":[\"0x\"]}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"admission\":\"0x12\"}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"admission\":true}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"members\":\"0x12\"}}}",
	    "{" GAS "\"config\":{\"chainId\":1,\"xinglin\":{\"members\":\"0x3333333333333333333333333333333333333333\","
	    "\"sealer\":\"0x3333333333333333333333333333333333333333\"}}}",
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
	    cmocka_unit_test(a_group_begins_at_a_multiple_of_its_size),
	    cmocka_unit_test(a_damaged_row_is_told),
	    cmocka_unit_test(a_body_row_comes_back),
	    cmocka_unit_test(a_bad_genesis_is_refused),
	    cmocka_unit_test(forks_follow_the_schedule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
