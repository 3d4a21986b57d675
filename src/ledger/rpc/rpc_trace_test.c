/* Tracers on a dev node: what the official exchanges leave out. */
#include "tests/unit.h"

#include "ledger/rpc/test_asking.h"

/* Runs `code` as a contract of its own at 0xc0de, and `inner` at 0xbabe. */
static const struct json *trace(const char *code, const char *inner, const char *config) {
	return call("debug_traceCall",
	    "{'to':'0x000000000000000000000000000000000000c0de','gas':'0xf4240','input':'0x0102030405'},'latest',"
	    "{'stateOverrides':{'0x000000000000000000000000000000000000c0de':{'code':'%s'},"
	    "'0x000000000000000000000000000000000000babe':{'code':'%s'}}%s}",
	    code, inner, config);
}

#define CALL_BABE "0x5f5f5f5f5f61babe61fffff1"

static bool number_is(const struct json *value, uint64_t expected) {
	uint64_t number;
	return json_u64(&number, value) && number == expected;
}

static void steps_tell_costs_and_slots(void **state) {
	(void)state;
	/* SSTORE 7 to slot 1, SLOAD it, SLOAD slot 2, MSTORE, stop */
	const struct json *result = trace("0x6007600155600154506002545f5200", "0x", ",'enableMemory':true");
	const struct json *steps = json_get(result, "structLogs");
	assert_true(json_is(json_get(result, "failed"), JSON_FALSE));
	assert_text(json_get(result, "returnValue"), "0x");
	assert_int_equal(steps->count, 11);
	const struct json *sstore = json_at(steps, 2), *sload = json_at(steps, 4), *cold = json_at(steps, 7);
	assert_text(json_get(sstore, "op"), "SSTORE");
	assert_true(number_is(json_get(sstore, "gasCost"), 22100));
	assert_int_equal(json_get(sstore, "storage")->count, 1);
	assert_true(number_is(json_get(sload, "gasCost"), 100));
	assert_true(number_is(json_get(cold, "gasCost"), 2100));
	assert_int_equal(json_get(cold, "storage")->count, 2);
	assert_text(json_at(json_get(sload, "stack"), 0), "0x1");
	assert_true(number_is(json_get(json_at(steps, 9), "gasCost"), 6)); /* MSTORE, with a word */
	assert_int_equal(json_get(json_at(steps, 10), "memory")->count, 1);
	result = trace("0x600760015500", "0x", ",'disableStack':true,'disableStorage':true,'limit':3");
	assert_int_equal(json_get(result, "structLogs")->count, 3);
	assert_null(json_get(json_at(json_get(result, "structLogs"), 2), "storage"));
	assert_null(json_get(json_at(json_get(result, "structLogs"), 2), "stack"));
}

static void steps_tell_failures_and_depth(void **state) {
	(void)state;
	const struct json *result = trace(CALL_BABE, "0x1f", "");
	const struct json *steps = json_get(result, "structLogs"), *inside = json_at(steps, 8);
	assert_true(number_is(json_get(json_at(steps, 7), "gasCost"), 2600 + 0xffff));
	assert_text(json_get(inside, "op"), "opcode 0x1f not defined");
	assert_null(json_get(inside, "error")); /* geth writes a step before the instruction runs */
	assert_true(number_is(json_get(inside, "depth"), 2));
	assert_true(number_is(json_get(json_at(steps, 9), "depth"), 1));
	result = trace("0x01", "0x", "");
	assert_true(json_is(json_get(result, "failed"), JSON_TRUE));
	assert_text(json_get(json_at(json_get(result, "structLogs"), 0), "error"), "stack underflow (0 <=> 2)");
	result = trace("0x602a5f5260205ffd", "0x", "");
	assert_int_equal(json_string(json_get(result, "returnValue")).len, 66); /* what it reverted with */
}

static void calls_are_a_tree_with_logs(void **state) {
	(void)state;
	/* LOG0, call, LOG0 */
	const struct json *result = trace("0x5f5fa05f5f5f5f5f61babe61fffff15f5fa0", "0x5f5fa05f5fa000",
	    ",'tracer':'callTracer','tracerConfig':{'withLog':true}");
	const struct json *inner = json_at(json_get(result, "calls"), 0), *logs = json_get(result, "logs");
	assert_text(json_get(result, "type"), "CALL");
	assert_text(json_get(result, "input"), "0x0102030405");
	assert_int_equal(logs->count, 2);
	assert_text(json_get(json_at(logs, 1), "index"), "0x3");
	assert_text(json_get(json_at(logs, 1), "position"), "0x1");
	assert_int_equal(json_get(inner, "logs")->count, 2);
	/* the same, and the call fails: its logs are gone and do not count */
	result = trace(
	    "0x5f5f5f5f5f61babe61fffff15f5fa0", "0x5f5fa0fe", ",'tracer':'callTracer','tracerConfig':{'withLog':true}");
	inner = json_at(json_get(result, "calls"), 0);
	assert_text(json_get(inner, "error"), "invalid opcode: INVALID");
	assert_null(json_get(inner, "logs"));
	assert_text(json_get(json_at(json_get(result, "logs"), 0), "index"), "0x0");
	result = trace(CALL_BABE, "0x00", ",'tracer':'callTracer','tracerConfig':{'onlyTopCall':true}");
	assert_null(json_get(result, "calls"));
	result = trace("0x61babeff", "0x", ",'tracer':'callTracer'");
	assert_text(json_get(json_at(json_get(result, "calls"), 0), "type"), "SELFDESTRUCT");
}

static void prestate_and_selectors(void **state) {
	(void)state;
	const struct json *result = trace("0x600760015500", "0x", ",'tracer':'prestateTracer'");
	const struct json *account = json_get(result, "0x000000000000000000000000000000000000c0de");
	assert_int_equal(json_get(account, "storage")->count, 1);
	assert_text(json_get(account, "code"), "0x600760015500");
	result = trace("0x600760015500", "0x", ",'tracer':'prestateTracer','tracerConfig':{'diffMode':true}");
	account = json_get(json_get(result, "post"), "0x000000000000000000000000000000000000c0de");
	assert_int_equal(json_string(json_get(account, "storage")->first).len, 66);
	assert_null(json_get(account, "code"));
	result = trace("0x00", "0x", ",'tracer':'4byteTracer'");
	assert_true(number_is(json_get(result, "0x01020304-1"), 1));
	assert_int_equal(trace("0x00", "0x", ",'tracer':'noopTracer'")->count, 0);
	assert_int_equal(error_of("debug_traceCall", "{},'latest',{'tracer':'myTracer'}"), RPC_SERVER_ERROR);
	assert_int_equal(error_of("debug_traceCall", "{},'latest',{'tracer':1,'limit':'x'}"), RPC_INVALID_PARAMS);
}

/* A sealed transaction traced alone, by its block, and as an encoded block says the same. */
static void blocks_and_transactions_agree(void **state) {
	(void)state;
	const char *hash = text_of(call("eth_sendTransaction",
	    "{'from':'%s','data':'0x600760015560015460025560018060045f395ff3','gas':'0x30d40'}", address(0)));
	const struct json *receipt = receipt_of(hash);
	const char *number = member(receipt, "blockNumber"), *block_hash = member(receipt, "blockHash");
	const struct json *alone = call("debug_traceTransaction", "'%s'", hash);
	uint64_t gas;
	assert_true(json_u64(&gas, json_get(alone, "gas")));
	assert_int_equal(gas, number_of(json_get(receipt, "gasUsed")));
	const struct json *by_number = json_at(call("debug_traceBlockByNumber", "'%s'", number), 0);
	const struct json *by_hash = json_at(call("debug_traceBlockByHash", "'%s'", block_hash), 0);
	const char *raw = text_of(call("debug_getRawBlock", "'%s'", number));
	const struct json *by_rlp = json_at(call("debug_traceBlock", "'%s'", raw), 0);
	assert_text(json_get(by_number, "txHash"), hash);
	assert_true(bytes_equal(json_get(by_number, "result")->raw, alone->raw));
	assert_true(bytes_equal(json_get(by_hash, "result")->raw, alone->raw));
	assert_true(bytes_equal(json_get(by_rlp, "result")->raw, alone->raw));
	assert_int_equal(error_of("debug_traceTransaction", "'%s'", block_hash), RPC_SERVER_ERROR);
	assert_true(error_says("transaction not found"));
	assert_int_equal(error_of("debug_traceBlock", "'0xc0'"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("debug_traceBlockByNumber", "'0x0'"), RPC_SERVER_ERROR);
}

/* Calls with much input in a loop: what is kept is bounded, and the node lives on. */
static void a_greedy_contract_is_bounded(void **state) {
	(void)state;
	/* JUMPDEST; STATICCALL(gas 0, 0xbabe, in 0..0x80000); jump to 0 */
	const struct json *answer =
	    ask("{'jsonrpc':'2.0','id':1,'method':'debug_traceCall','params':[{'to':'"
		"0x000000000000000000000000000000000000c0de'},"
		"'latest',{'tracer':'callTracer','stateOverrides':{'0x000000000000000000000000000000000000c0de':"
		"{'code':'0x5b5f5f620800005f61babe5ffa505f56'}}}]}");
	assert_text(json_get(json_get(answer, "error"), "message"), "response too large");
	call("eth_blockNumber", "%s", "");
}

static void every_tracing_method_answered(void **state) {
	static const char *const prefixes[] = {"debug_trace", NULL};
	(void)state;
	assert_answered(prefixes, false);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(steps_tell_costs_and_slots),
	    cmocka_unit_test(steps_tell_failures_and_depth),
	    cmocka_unit_test(calls_are_a_tree_with_logs),
	    cmocka_unit_test(prestate_and_selectors),
	    cmocka_unit_test(blocks_and_transactions_agree),
	    cmocka_unit_test(a_greedy_contract_is_bounded),
	    cmocka_unit_test(every_tracing_method_answered),
	};
	return cmocka_run_group_tests_name("rpc traces", tests, start, stop);
}
