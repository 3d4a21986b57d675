/* testing_buildBlockV1, beside the official exchanges: what it keeps apart, and what it refuses. */
#include "tests/unit.h"

#include "eth/sign.h"
#include "ledger/rpc/test_asking.h"

#define ZERO "'0x0000000000000000000000000000000000000000000000000000000000000000'"

static const char *head_hash(void) {
	return member(call("eth_getBlockByNumber", "'latest',false"), "hash");
}

/* Attributes of a Cancun block, and what follows them in the object. */
static const char *attributes(uint64_t timestamp, const char *rest) {
	return arena_printf(&node.arena, "{'timestamp':'0x%llx','prevRandao':" ZERO ",'suggestedFeeRecipient':'%s'%s}",
	    (unsigned long long)timestamp, address(1), rest);
}
#define WHOLE ",'withdrawals':[],'parentBeaconBlockRoot':" ZERO

static const struct json *payload_of(const struct json *answer) {
	return json_get(answer, "executionPayload");
}

/* A transfer by the first account. */
static const char *envelope(uint64_t nonce) {
	struct transaction tx = {.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(31337),
	    .nonce = nonce,
	    .gas_limit = 21000,
	    .to = accounts[1],
	    .max_fee_wei = u256_from(2000000000),
	    .max_priority_fee_wei = u256_from(7)};
	NODE_OK(&node, transaction_sign(&tx, &node.arena, &secrets[0], &node.err));
	return hex_of(tx.raw);
}

static void builds_what_is_named(void **state) {
	(void)state;
	const char *head = head_hash();
	const struct json *empty = payload_of(call("testing_buildBlockV1", "'%s',%s,[]", head, attributes(5, WHOLE)));
	assert_text(json_get(empty, "parentHash"), head);
	assert_text(json_get(empty, "gasUsed"), "0x0");
	assert_text(json_get(empty, "extraData"), "0x");
	assert_text(json_get(empty, "feeRecipient"), address(1));
	const struct json *answer = call("testing_buildBlockV1", "'%s',%s,['%s','%s'],'0x0102'", head,
	    attributes(5, WHOLE), envelope(0), envelope(1));
	const struct json *payload = payload_of(answer);
	assert_text(json_get(payload, "gasUsed"), "0xa410");
	assert_text(json_get(payload, "extraData"), "0x0102");
	assert_text(json_get(answer, "blockValue"), "0x47c70"); /* 42,000 times 7 */
	assert_text(json_at(json_get(payload, "transactions"), 1), envelope(1));
	assert_string_not_equal(member(payload, "stateRoot"), member(empty, "stateRoot"));
	/* the same again, as nothing was kept */
	const struct json *again = payload_of(call("testing_buildBlockV1", "'%s',%s,['%s','%s'],'0x0102'", head,
	    attributes(5, WHOLE), envelope(0), envelope(1)));
	assert_string_equal(member(again, "blockHash"), member(payload, "blockHash"));
	assert_text(call("eth_blockNumber", "%s", ""), "0x0");
	assert_text(call("eth_getTransactionCount", "'%s'", address(0)), "0x0");
}

static void withdrawals_are_paid(void **state) {
	(void)state;
	const char *with =
	    ",'parentBeaconBlockRoot':" ZERO ",'withdrawals':[{'index':'0x1','validatorIndex':'0x2','address':"
	    "'0x00000000000000000000000000000000000000aa','amount':'0x3'}]";
	const struct json *none =
	    payload_of(call("testing_buildBlockV1", "'%s',%s,[]", head_hash(), attributes(5, WHOLE)));
	const struct json *paid =
	    payload_of(call("testing_buildBlockV1", "'%s',%s,[]", head_hash(), attributes(5, with)));
	assert_text(json_get(json_at(json_get(paid, "withdrawals"), 0), "amount"), "0x3");
	assert_string_not_equal(member(paid, "stateRoot"), member(none, "stateRoot"));
}

/* What a sealer would take now; and, on an older block, what can stand there. */
static void builds_what_waits(void **state) {
	(void)state;
	const char *genesis = head_hash();
	call("evm_setAutomine", "false");
	const char *hash = text_of(call("eth_sendRawTransaction", "'%s'", envelope(0)));
	const struct json *waiting = payload_of(call("testing_buildBlockV1", "'%s',%s", genesis, attributes(5, WHOLE)));
	const struct json *named =
	    payload_of(call("testing_buildBlockV1", "'%s',%s,['%s'],null", genesis, attributes(5, WHOLE), envelope(0)));
	assert_string_equal(member(waiting, "blockHash"), member(named, "blockHash"));
	call("evm_mine", "%s", "");
	receipt_of(hash);
	call("eth_sendRawTransaction", "'%s'", envelope(1));
	const struct json *older =
	    payload_of(call("testing_buildBlockV1", "'%s',%s,null", genesis, attributes(5, WHOLE)));
	assert_int_equal(json_get(older, "transactions")->count, 0);
	const struct json *newer = payload_of(call(
	    "testing_buildBlockV1", "'%s',%s,null", head_hash(), attributes(test_now_ms(NULL) / 1000 + 60, WHOLE)));
	assert_text(json_at(json_get(newer, "transactions"), 0), envelope(1));
}

/* A chain at Prague, whose contract of withdrawal requests always gives one of zeros, and that of consolidations none.
 */
static const char prague[] =
    "{\"config\":{\"chainId\":1,\"homesteadBlock\":0,\"eip150Block\":0,\"eip155Block\":0,\"eip158Block\":0,"
    "\"byzantiumBlock\":0,\"constantinopleBlock\":0,\"petersburgBlock\":0,\"istanbulBlock\":0,\"berlinBlock\":0,"
    "\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"shanghaiTime\":0,\"cancunTime\":0,\"pragueTime\":0},"
    "\"gasLimit\":\"0x1c9c380\",\"difficulty\":\"0x0\",\"timestamp\":\"0x1\",\"alloc\":{"
    "\"0x00000961ef480eb55e80d19ad83579a64c007002\":{\"balance\":\"0x0\",\"code\":\"0x604c6000f3\"},"
    "\"0x0000bbddc7ce488642fb579f8b00f3a590007251\":{\"balance\":\"0x0\",\"code\":\"0x00\"}}}";

static void requests_are_told(void **state) {
	(void)state;
	struct test_node other;
	test_node_open(&other, bytes_text(prague));
	test_node_serve(&other, NULL, 0);
	char *request =
	    arena_printf(&other.arena, "{'jsonrpc':'2.0','id':1,'method':'testing_buildBlockV1','params':['%s',%s,[]]}",
		hex_of(BYTES_OF(*chain_genesis_hash(other.chain))), attributes(5, WHOLE));
	for (char *at = request; *at; at++)
		if (*at == '\'') *at = '"';
	const struct json *answer = test_node_ask(&other, bytes_text(request));
	const struct json *requests = json_get(json_get(answer, "result"), "executionRequests");
	const uint8_t expected[1 + 76] = {1};
	if (!requests) fail_msg("%.*s", (int)answer->raw.len, (const char *)answer->raw.data);
	assert_int_equal(requests->count, 1);
	assert_text(json_at(requests, 0), hex_of(bytes_make(expected, sizeof expected)));
	test_node_close(&other);
}

static void refuses_what_is_wrong(void **state) {
	(void)state;
	const uint64_t now = test_now_ms(NULL) / 1000 + 60;
	const char *head = head_hash(), *good = attributes(now, WHOLE);
	const struct {
		const char *attributes, *rest;
		long code;
		const char *says;
	} cases[] = {
	    {attributes(1, WHOLE), "", RPC_INVALID_PARAMS, "timestamp"},
	    {attributes(now, ",'withdrawals':[]"), "", RPC_INVALID_PARAMS, "parentBeaconBlockRoot: missing"},
	    {attributes(now, ",'parentBeaconBlockRoot':" ZERO), "", RPC_INVALID_PARAMS, "withdrawals: missing"},
	    {attributes(now, ",'parentBeaconBlockRoot':" ZERO ",'withdrawals':[{}]"), "", RPC_INVALID_PARAMS, "lacks"},
	    {"{'timestamp':'0x1'}", "", RPC_INVALID_PARAMS, "required"},
	    {"[]", "", RPC_INVALID_PARAMS, "object"},
	    {good, ",'0x'", RPC_INVALID_PARAMS, "array"},
	    {good, ",['0x02']", RPC_INVALID_PARAMS, "transaction 0"},
	    {good, ",['0x0']", RPC_INVALID_PARAMS, "hex"},
	    {good, ",[7]", RPC_INVALID_PARAMS, "hex"},
	    {good, arena_printf(&node.arena, ",['%s','%s']", envelope(1), envelope(1)), RPC_SERVER_ERROR,
		"nonce too low: address 0x"},
	    {good, ",[],'0x000000000000000000000000000000000000000000000000000000000000000000'", RPC_INVALID_PARAMS,
		"over 32 bytes"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(
		    error_of("testing_buildBlockV1", "'%s',%s%s", head, cases[i].attributes, cases[i].rest),
		    cases[i].code);
		if (!error_says(cases[i].says))
			fail_msg("case %zu: %.*s", i, (int)error_message.len, (const char *)error_message.data);
	}
	assert_int_equal(error_of("testing_buildBlockV1", ZERO ",%s", good), RPC_SERVER_ERROR);
	call("testing_buildBlockV1", "'%s',%s,[]", head, good);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(builds_what_is_named),
	    cmocka_unit_test(withdrawals_are_paid),
	    cmocka_unit_test(builds_what_waits),
	    cmocka_unit_test(requests_are_told),
	    cmocka_unit_test(refuses_what_is_wrong),
	};
	return cmocka_run_group_tests_name("rpc build", tests, start, stop);
}
