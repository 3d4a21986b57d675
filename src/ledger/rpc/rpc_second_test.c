/* A minute's worth of blocks within one second of the clock, on a chain whose blocks may have equal timestamps. */
#include "tests/unit.h"

#include "ledger/rpc/test_asking.h"

#define BEGAN_S 1900000000ull
#define GWEI 1000000000ull
enum { BLOCKS = 200 };
/* Logs its calldata's first word: PUSH0, CALLDATALOAD, PUSH0, MSTORE, PUSH1 32, PUSH0, LOG0. */
#define LOGGER "0x0000000000000000000000000000000000010660"

/* It stands still unless a test moves it. */
static _Atomic uint64_t now_ms = BEGAN_S * 1000;
static uint64_t scripted_now_ms(void *context) {
	(void)context;
	return now_ms;
}

/* The block that holds a change of state, and the first that a transaction made. */
static uint64_t first;
static const char *blocks_filter, *logs_filter;
static char hashes[BLOCKS][67]; /* of the transactions */

/* Each is sent when the receipt of the one before is there, as a gateway does. */
static int start_and_send(void **state) {
	asked_now_ms = scripted_now_ms;
	asked_equal_timestamps = true;
	if (start(state) != 0) return -1;
	call("anvil_setCode", "'%s','0x5f355f5260205fa0'", LOGGER);
	first = number_of(call("eth_blockNumber", "%s", "")) + 1;
	blocks_filter = text_of(call("eth_newBlockFilter", "%s", ""));
	logs_filter = text_of(call("eth_newFilter", "{'address':'%s'}", LOGGER));
	for (int i = 0; i < BLOCKS; i++) {
		const struct json *hash = call("eth_sendTransaction",
		    "{'from':'%s','to':'%s','data':'0x%064x','gas':'0x186a0','gasPrice':'0x%llx'}", address(0), LOGGER,
		    i, (unsigned long long)(2 * GWEI));
		snprintf(hashes[i], sizeof hashes[i], "%s", text_of(hash));
		receipt_of(hashes[i]);
	}
	return 0;
}

static const struct json *block_at(uint64_t number) {
	return call("eth_getBlockByNumber", "'0x%llx',false", (unsigned long long)number);
}

static void blocks_come_at_once_and_never_ahead_of_the_clock(void **state) {
	(void)state;
	assert_int_equal(number_of(call("eth_blockNumber", "%s", "")), first + BLOCKS - 1);
	for (uint64_t number = first; number < first + BLOCKS; number++)
		assert_int_equal(number_of(json_get(block_at(number), "timestamp")), BEGAN_S);
}

static void receipts_and_logs_are_of_their_own_block(void **state) {
	(void)state;
	const struct json *logs = call("eth_getLogs", "{'fromBlock':'0x0','address':'%s'}", LOGGER);
	assert_int_equal(logs->count, BLOCKS);
	for (unsigned i = 0; i < BLOCKS; i++) {
		const struct json *receipt = receipt_of(hashes[i]), *block = block_at(first + i),
				  *log = json_at(logs, i);
		char data[67];
		snprintf(data, sizeof data, "0x%064x", i);
		assert_int_equal(number_of(json_get(receipt, "blockNumber")), first + i);
		assert_text(json_get(receipt, "blockHash"), member(block, "hash"));
		assert_text(json_at(json_get(block, "transactions"), 0), hashes[i]);
		assert_text(json_get(log, "transactionHash"), hashes[i]);
		assert_text(json_get(log, "blockHash"), member(block, "hash"));
		assert_text(json_get(log, "data"), data);
		assert_int_equal(number_of(json_get(log, "blockTimestamp")), BEGAN_S);
		assert_int_equal(number_of(json_get(log, "logIndex")), 0);
	}
}

static void filters_tell_each_block_once(void **state) {
	(void)state;
	const struct json *blocks = call("eth_getFilterChanges", "'%s'", blocks_filter);
	const struct json *logs = call("eth_getFilterChanges", "'%s'", logs_filter);
	assert_int_equal(blocks->count, BLOCKS);
	assert_int_equal(logs->count, BLOCKS);
	for (unsigned i = 0; i < BLOCKS; i++) {
		assert_text(json_at(blocks, i), member(block_at(first + i), "hash"));
		assert_text(json_get(json_at(logs, i), "transactionHash"), hashes[i]);
	}
	assert_int_equal(call("eth_getFilterChanges", "'%s'", blocks_filter)->count, 0);
}

static void the_history_of_fees_has_every_block(void **state) {
	(void)state;
	const struct json *history = call("eth_feeHistory", "'0x%x','latest',[50]", BLOCKS);
	const struct json *fees = json_get(history, "baseFeePerGas"), *rewards = json_get(history, "reward");
	assert_int_equal(number_of(json_get(history, "oldestBlock")), first);
	assert_int_equal(fees->count, BLOCKS + 1);
	assert_int_equal(rewards->count, BLOCKS);
	for (unsigned i = 0; i < BLOCKS; i++) {
		const uint64_t fee = number_of(json_get(block_at(first + i), "baseFeePerGas"));
		assert_int_equal(number_of(json_at(fees, i)), fee);
		assert_int_equal(number_of(json_at(json_at(rewards, i), 0)), 2 * GWEI - fee);
	}
	const struct json *pending = call("eth_getBlockByNumber", "'pending',false");
	assert_int_equal(number_of(json_at(fees, BLOCKS)), number_of(json_get(pending, "baseFeePerGas")));
}

static void old_states_are_told_apart(void **state) {
	(void)state;
	for (unsigned i = 0; i < BLOCKS; i += 33)
		assert_int_equal(number_of(call("eth_getTransactionCount", "'%s','0x%llx'", address(0),
				     (unsigned long long)(first + i))),
		    i + 1);
}

static void only_requests_and_the_clock_move_the_time(void **state) {
	(void)state;
	call("evm_increaseTime", "%s", "1000");
	call("evm_mine", "%s", "");
	assert_int_equal(number_of(json_get(block_at(first + BLOCKS), "timestamp")), BEGAN_S + 1000);
	call("anvil_mine", "%s", "10"); /* blocks of nobody are a second apart */
	assert_int_equal(number_of(json_get(block_at(first + BLOCKS + 10), "timestamp")), BEGAN_S + 1010);
	now_ms += 20000;
	call("evm_mine", "%s", "");
	assert_int_equal(number_of(json_get(block_at(first + BLOCKS + 11), "timestamp")), BEGAN_S + 1020);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_come_at_once_and_never_ahead_of_the_clock),
	    cmocka_unit_test(receipts_and_logs_are_of_their_own_block),
	    cmocka_unit_test(filters_tell_each_block_once),
	    cmocka_unit_test(the_history_of_fees_has_every_block),
	    cmocka_unit_test(old_states_are_told_apart),
	    cmocka_unit_test(only_requests_and_the_clock_move_the_time),
	};
	return cmocka_run_group_tests(tests, start_and_send, stop);
}
