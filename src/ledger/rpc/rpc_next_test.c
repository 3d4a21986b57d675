/* The block that would come next: whatever is ordered for it, "pending" shows it before, and what is mined is that. */
#include "tests/unit.h"

#include "ledger/rpc/test_asking.h"

#define BEGAN_S 1900000000ull
#define GWEI 1000000000ull
enum { ROUNDS = 150, ALONE_MAX_S = 100000 };

/* It stands still unless a test moves it. */
static _Atomic uint64_t now_ms = BEGAN_S * 1000;
static uint64_t scripted_now_ms(void *context) {
	(void)context;
	return now_ms;
}

static int start_at_scripted_time(void **state) {
	asked_now_ms = scripted_now_ms;
	return start(state);
}

static uint64_t draw(uint64_t below) {
	static uint64_t seed = 1;
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

static const struct json *block(const char *tag) {
	return call("eth_getBlockByNumber", "'%s',false", tag);
}

static uint64_t timestamp_of(const char *tag) {
	return number_of(json_get(block(tag), "timestamp"));
}

static uint64_t base_fee_of(const char *tag) {
	return number_of(json_get(block(tag), "baseFeePerGas"));
}

/* --- any combination --- */

static void order_time(void) {
	const unsigned long long newest = timestamp_of("latest"), some = 1 + draw(ALONE_MAX_S);
	switch (draw(6)) {
	case 0: call("evm_increaseTime", "%llu", some); break;
	case 1: call("evm_setNextBlockTimestamp", "%llu", newest + some); break;
	case 2: call("anvil_setBlockTimestampInterval", "%llu", some); break;
	case 3: call("anvil_removeBlockTimestampInterval", "%s", ""); break;
	case 4: now_ms += draw(5000); break;
	default: break;
	}
}

static void order_the_rest(void) {
	const unsigned long long gas = 20000000 + draw(1000000), fee = draw(3 * GWEI);
	if (draw(3) == 0) call("anvil_setNextBlockBaseFeePerGas", "'0x%llx'", fee);
	if (draw(3) == 0) call("hardhat_setPrevRandao", "'0x%064llx'", gas);
	if (draw(3) == 0) call("anvil_setBlockGasLimit", "%llu", gas);
	if (draw(3) == 0) call("anvil_setCoinbase", "'0x%040llx'", gas);
	if (draw(3) == 0)
		call("eth_sendTransaction",
		    "{'from':'%s','to':'0x%040llx','value':'0x1','gas':'0x5208','gasPrice':'0x%llx'}", address(draw(2)),
		    gas, (unsigned long long)(4 * GWEI));
}

static bool is_of_sealed_blocks(const char *name) {
	return strcmp(name, "hash") == 0 || strcmp(name, "nonce") == 0;
}

static void assert_same_members(const struct json *pending, const struct json *mined) {
	json_foreach (member, mined) {
		const char *name = arena_strdup(&node.arena, member->name);
		const struct json *before = json_get(pending, name);
		if (is_of_sealed_blocks(name)) continue;
		if (!before || !bytes_equal(before->raw, member->raw))
			fail_msg("%s: %.*s was pending, %.*s was mined", name, before ? (int)before->raw.len : 0,
			    before ? (const char *)before->raw.data : "", (int)member->raw.len,
			    (const char *)member->raw.data);
	}
	assert_int_equal(pending->count, mined->count);
}

/* What contracts see there: NUMBER, TIMESTAMP, COINBASE, PREVRANDAO, GASLIMIT, BASEFEE as words. */
#define SEES_CODE "0x435f52426020524160405244606052456080524860a05260c05ff3"

static const char *seen_at(const char *tag) {
	return text_of(
	    call("eth_call", "{'to':'0x%040d'},'%s',{'0x%040d':{'code':'%s'}}", 0x5ee5, tag, 0x5ee5, SEES_CODE));
}

static void what_is_pending_is_what_is_mined(void **state) {
	(void)state;
	call("evm_setAutomine", "false");
	for (int round = 0; round < ROUNDS; round++) {
		for (uint64_t orders = draw(4); orders > 0; orders--) order_time();
		order_the_rest();
		const struct json *pending = block("pending");
		const char *seen = seen_at("pending");
		const struct json *history = call("eth_feeHistory", "'0x1','latest',[]");
		const char *next_fee = text_of(json_at(json_get(history, "baseFeePerGas"), 1));
		const char *asked_fee = text_of(call("eth_baseFee", "%s", ""));
		call("evm_mine", "%s", "");
		const struct json *mined = block("latest");
		assert_same_members(pending, mined);
		assert_string_equal(seen, seen_at("latest"));
		assert_text(json_get(mined, "baseFeePerGas"), next_fee);
		assert_text(json_get(mined, "baseFeePerGas"), asked_fee);
	}
	call("anvil_removeBlockTimestampInterval", "%s", "");
	call("anvil_setCoinbase", "'%s'", address(0));
	call("evm_setAutomine", "true");
}

/* --- time --- */

static void an_increase_is_added_to_the_newest_block(void **state) {
	(void)state;
	call("anvil_mine", "60"); /* a second each, and the clock stands still: now the chain is ahead */
	uint64_t newest = timestamp_of("latest");
	call("evm_increaseTime", "10");
	assert_int_equal(timestamp_of("pending"), newest + 10);
	call("evm_mine", "%s", "");
	assert_int_equal(timestamp_of("latest"), newest + 10);
	call("anvil_mine", "30");
	newest = timestamp_of("latest");
	call("evm_increaseTime", "86400");
	call("evm_increaseTime", "5");
	call("evm_mine", "%s", "");
	assert_int_equal(timestamp_of("latest"), newest + 86405);
	now_ms += 7000; /* and from there the clock goes on */
	call("evm_mine", "%s", "");
	assert_int_equal(timestamp_of("latest"), newest + 86412);
}

static void an_increase_counts_from_the_clock_after_a_rest(void **state) {
	(void)state;
	call("evm_mine", "%s", "");
	const uint64_t newest = timestamp_of("latest");
	now_ms += 1000000;
	call("evm_increaseTime", "10");
	call("evm_mine", "%s", "");
	assert_true(timestamp_of("latest") >= newest + 10);
	assert_true(timestamp_of("latest") <= newest + 1010);
}

static void a_timestamp_is_ordered_within_bounds(void **state) {
	(void)state;
	const unsigned long long newest = timestamp_of("latest");
	assert_int_equal(error_of("evm_setNextBlockTimestamp", "%llu", newest), RPC_SERVER_ERROR);
	assert_true(error_says("is not after the newest block's"));
	assert_int_equal(error_of("evm_mine", "%llu", newest - 1), RPC_SERVER_ERROR);
	assert_int_equal(error_of("evm_setNextBlockTimestamp", "%llu", 1ull << 54), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("evm_mine", "%llu", 1ull << 54), RPC_INVALID_PARAMS);
	const char *snapshot = text_of(call("evm_snapshot", "%s", ""));
	call("evm_setNextBlockTimestamp", "%llu", 1ull << 53);
	call("evm_mine", "%s", "");
	call("evm_increaseTime", "2147483647"); /* the end of time is not the node's */
	call("evm_mine", "%s", "");
	assert_true(timestamp_of("latest") > 1ull << 53 && timestamp_of("latest") < 1ull << 54);
	assert_true(json_is(call("evm_revert", "'%s'", snapshot), JSON_TRUE));
	call("evm_mine", "%s", "");
	assert_true(timestamp_of("latest") < newest + 10);
}

/* --- what asks for the next block --- */

/* Reverts before a time: PUSH4 time, TIMESTAMP, LT, PUSH1 11, JUMPI, STOP, JUMPDEST, PUSH0, DUP1, REVERT. */
static void a_transaction_that_time_allows_is_estimated(void **state) {
	(void)state;
	const unsigned long long opens = timestamp_of("latest") + 5000;
	const char *locked = "0x00000000000000000000000000000000000010c6";
	call("anvil_setCode", "'%s','0x63%08llx4210600b57005b5f80fd'", locked, opens);
	assert_int_equal(error_of("eth_estimateGas", "{'from':'%s','to':'%s'}", address(0), locked), RPC_REVERTED);
	call("evm_increaseTime", "10000");
	call("eth_estimateGas", "{'from':'%s','to':'%s'}", address(0), locked);
	call("eth_estimateGas", "{'from':'%s','to':'%s'},'pending'", address(0), locked);
	call("eth_createAccessList", "{'from':'%s','to':'%s'}", address(0), locked);
	assert_int_equal(
	    error_of("eth_estimateGas", "{'from':'%s','to':'%s'},'latest'", address(0), locked), RPC_REVERTED);
	const char *hash = text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s'}", address(0), locked));
	assert_text(json_get(receipt_of(hash), "status"), "0x1");
}

static void an_ordered_base_fee_is_asked_for(void **state) {
	(void)state;
	const uint64_t tip = number_of(call("eth_maxPriorityFeePerGas", "%s", ""));
	call("anvil_setNextBlockBaseFeePerGas", "'0x%llx'", (unsigned long long)(7 * GWEI));
	assert_int_equal(number_of(call("eth_gasPrice", "%s", "")), tip + 7 * GWEI);
	assert_int_equal(base_fee_of("pending"), 7 * GWEI);
	const char *hash =
	    text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s','value':'0x1'}", address(0), address(1)));
	const struct json *receipt = receipt_of(hash);
	assert_int_equal(number_of(json_get(receipt, "effectiveGasPrice")), tip + 7 * GWEI);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_pending_is_what_is_mined),
	    cmocka_unit_test(an_increase_is_added_to_the_newest_block),
	    cmocka_unit_test(an_increase_counts_from_the_clock_after_a_rest),
	    cmocka_unit_test(a_timestamp_is_ordered_within_bounds),
	    cmocka_unit_test(a_transaction_that_time_allows_is_estimated),
	    cmocka_unit_test(an_ordered_base_fee_is_asked_for),
	};
	return cmocka_run_group_tests(tests, start_at_scripted_time, stop);
}
