/* The protocol, its parameters, and every method once on a dev node whose engine runs beside. */
#include "tests/unit.h"

#include "codec/hex.h"
#include "eth/proof.h"
#include "eth/sign.h"
#include "ledger/rpc/test_asking.h"

/* --- the protocol --- */

static long code_of(const struct json *answer) {
	return strtol(arena_strdup(&node.arena, json_get(json_get(answer, "error"), "code")->text), NULL, 10);
}

static void refuses_what_is_no_request(void **state) {
	(void)state;
	assert_int_equal(code_of(ask("{'jsonrpc':'2.0'")), RPC_PARSE_ERROR);
	assert_int_equal(code_of(ask("%s", "")), RPC_PARSE_ERROR);
	const char *bad[] = {"1", "null", "{}", "[]", "{'jsonrpc':'1.0','id':1,'method':'eth_chainId'}",
	    "{'id':1,'method':'eth_chainId'}", "{'jsonrpc':'2.0','id':1}", "{'jsonrpc':'2.0','id':1,'method':5}",
	    "{'jsonrpc':'2.0','id':{},'method':'eth_chainId'}", "{'jsonrpc':'2.0','id':[1],'method':'eth_chainId'}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct json *answer = ask("%s", bad[i]);
		assert_int_equal(code_of(answer), RPC_INVALID_REQUEST);
		assert_text(json_get(answer, "jsonrpc"), "2.0");
	}
	assert_int_equal(code_of(ask("{'jsonrpc':'2.0','id':1,'method':'eth_nothing'}")), RPC_NO_METHOD);
	assert_int_equal(
	    code_of(ask("{'jsonrpc':'2.0','id':1,'method':'eth_chainId','params':{}}")), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("eth_getBalance", "%s", ""), RPC_INVALID_PARAMS);
	assert_true(error_says("missing value for required argument 0"));
	assert_int_equal(error_of("eth_chainId", "1"), RPC_INVALID_PARAMS);
	assert_true(error_says("too many arguments, want at most 0"));
}

static void keeps_ids_and_answers_no_notification(void **state) {
	(void)state;
	const char *ids[] = {"1", "'abc'", "null", "12345678901234567890123", "-1.5e3", "'\\u00e9'"};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		const struct json *answer = ask("{'jsonrpc':'2.0','id':%s,'method':'eth_chainId'}", ids[i]);
		const struct json *id = json_get(answer, "id");
		assert_int_equal(id->raw.len, strlen(ids[i]));
		assert_text(json_get(answer, "result"), "0x7a69");
	}
	const char *silent = "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}";
	assert_int_equal(test_node_post(&node, bytes_text(silent)).len, 0);
	assert_int_equal(
	    test_node_post(&node, bytes_text("[{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}]")).len, 0);
}

static void carries_out_batches(void **state) {
	(void)state;
	const struct json *answers = ask("[{'jsonrpc':'2.0','id':1,'method':'eth_chainId'},"
					 "{'jsonrpc':'2.0','method':'eth_chainId'},5,"
					 "{'jsonrpc':'2.0','id':2,'method':'eth_nothing'},"
					 "{'jsonrpc':'2.0','id':3,'method':'net_version'},"
					 "{'jsonrpc':'2.0','method':'eth_nothing'}]");
	assert_int_equal(answers->count, 4);
	assert_text(json_get(json_at(answers, 0), "result"), "0x7a69");
	assert_int_equal(code_of(json_at(answers, 1)), RPC_INVALID_REQUEST);
	assert_int_equal(code_of(json_at(answers, 2)), RPC_NO_METHOD);
	assert_text(json_get(json_at(answers, 3), "result"), "31337");
	struct buf many;
	buf_init(&many, BUF_MAX_DEFAULT);
	for (size_t count = 1000; count <= 1001; count++) {
		buf_clear(&many);
		for (size_t i = 0; i < count; i++)
			buf_printf(
			    &many, "%c{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"eth_chainId\"}", i ? ',' : '[', i);
		buf_byte(&many, ']');
		const struct json *answer = test_node_ask(&node, buf_view(&many));
		if (count == 1000) {
			assert_int_equal(answer->count, 1000);
			continue;
		}
		assert_int_equal(answer->count, 1); /* it carries the first one's id */
		assert_int_equal(code_of(json_at(answer, 0)), RPC_INVALID_REQUEST);
		assert_string_equal(arena_strdup(&node.arena, json_get(json_at(answer, 0), "id")->text), "0");
	}
	buf_fini(&many);
}

static void speaks_http(void **state) {
	(void)state;
	struct http_response *response = &node.exchange.response;
	node.exchange.request =
	    (struct http_request){.body = BYTES_LITERAL("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}")};
	for (size_t i = 0; i < rpc_route_count; i++) {
		const bool is_post = rpc_routes[i].method == HTTP_POST;
		buf_clear(&response->body);
		rpc_routes[i].handle(node.rpc, &node.exchange);
		assert_string_equal(rpc_routes[i].path, "/");
		assert_non_null(strstr(buf_cstr(&response->body),
		    is_post ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x7a69\"}" : "xinglin/test"));
		assert_string_equal(response->content_type, is_post ? "application/json" : "text/plain");
	}
}

/* Whatever the arguments, every method of the table answers with a result or a well-formed error. */
static void every_method_bears_anything(void **state) {
	(void)state;
	static const char *const odd[] = {"", "null", "1", "-1", "'0x'", "'latest'", "{}", "[]", "true", "'0x00'",
	    "null,null,null,null", "{},{},{},{}", "[[]],[[]]", "'0xffffffffffffffffffff'", "{'from':5},'latest'",
	    "'0x0000000000000000000000000000000000000001',[],{}", "{'topics':[[[]]]}", "{'address':[]},'pending'",
	    "'0x0000000000000000000000000000000000000000000000000000000000000001','0x1'"};
	for (size_t i = 0; i < rpc_method_count(); i++) {
		const struct rpc_method_info info = rpc_method_info(i);
		assert_true(strlen(info.doc) > 0);
		if (strncmp(info.name, "evm_", 4) == 0) continue; /* they change the chain; see below, */
		if (strncmp(info.name, "anvil_", 6) == 0 || strncmp(info.name, "hardhat_", 8) == 0)
			continue; /* and rpc_dev_test.c */
		for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
			const struct json *answer =
			    ask("{'jsonrpc':'2.0','id':7,'method':'%s','params':[%s]}", info.name, odd[k]);
			const struct json *error = json_get(answer, "error");
			assert_true(!json_get(answer, "result") == (error != NULL));
			assert_text(json_get(answer, "jsonrpc"), "2.0");
			if (error) assert_true(json_is(json_get(error, "message"), JSON_STRING));
		}
		assert_int_equal(error_of(info.name, "1,2,3,4,5"), RPC_INVALID_PARAMS);
	}
}

static void names_the_bad_parameter(void **state) {
	(void)state;
	static const struct {
		const char *method, *params, *says;
	} cases[] = {
	    {"eth_getBalance", "'0x12'", "invalid argument 0: expected an address of 20 bytes"},
	    {"eth_getBalance", "'0000000000000000000000000000000000000001'", "without 0x prefix"},
	    {"eth_getBalance", "'0x000000000000000000000000000000000000000g'", "invalid argument 0"},
	    {"eth_getBalance", "'0x0000000000000000000000000000000000000001','newest'", "invalid argument 1"},
	    {"eth_getBalance", "'0x0000000000000000000000000000000000000001','0x01'", "invalid argument 1"},
	    {"eth_getBalance", "'0x0000000000000000000000000000000000000001',1", "invalid argument 1"},
	    {"eth_getBalance", "'0x0000000000000000000000000000000000000001',{'blockNumber':'0x0','blockHash':'0x0'}",
		"cannot specify both"},
	    {"eth_call", "{'to':'0x1'}", "invalid argument 0: to: "},
	    {"eth_call", "{'gas':'0x01'}", "invalid argument 0: gas: "},
	    {"eth_call", "{'data':'0x1'}", "invalid argument 0: data: "},
	    {"eth_call", "{'value':'0x10000000000000000000000000000000000000000000000000000000000000000'}", "value: "},
	    {"eth_getBlockByNumber", "'latest','yes'", "invalid argument 1: expected true or false"},
	    {"eth_sendRawTransaction", "'f86b'", "without 0x prefix"},
	    {"eth_sendRawTransaction", "'0xf86'", "even number of hex digits"},
	    {"eth_getLogs",
		"{'fromBlock':'0x1','blockHash':'0x0000000000000000000000000000000000000000000000000000000000000001'}",
		"cannot specify both"},
	    {"eth_getLogs", "{'topics':[null,null,null,null,null]}", "exceed max topics"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(error_of(cases[i].method, "%s", cases[i].params), RPC_INVALID_PARAMS);
		if (!error_says(cases[i].says))
			fail_msg("%s(%s): %.*s", cases[i].method, cases[i].params, (int)error_message.len,
			    (const char *)error_message.data);
	}
}

static void says_what_it_is(void **state) {
	(void)state;
	assert_text(call("web3_clientVersion", "%s", ""), "xinglin/test");
	assert_text(call("web3_sha3", "'0x'"), "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	assert_true(json_is(call("net_listening", "%s", ""), JSON_TRUE));
	assert_text(call("net_peerCount", "%s", ""), "0x0");
	assert_text(call("net_version", "%s", ""), "31337");
	assert_text(call("eth_chainId", "%s", ""), "0x7a69");
	assert_true(json_is(call("eth_syncing", "%s", ""), JSON_FALSE));
	const struct json *list = call("eth_accounts", "%s", "");
	assert_int_equal(list->count, 2);
	assert_text(json_at(list, 0), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
	const struct json *info = call("xinglin_chainInfo", "%s", "");
	assert_string_equal(member(info, "chainId"), "0x7a69");
	assert_string_equal(member(info, "sealer"), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
	assert_string_equal(member(info, "genesisHash"), member(call("eth_getBlockByNumber", "'0x0'"), "hash"));
	assert_int_equal(json_get(info, "blobGates")->count, 0);
	assert_true(json_is(json_get(info, "admission"), JSON_NULL));
	assert_true(json_is(json_get(info, "members"), JSON_NULL));
	assert_true(json_is(call("xinglin_lightBlock", "'0x1'"), JSON_NULL)); /* of a consortium alone */
	assert_int_equal(call("xinglin_snapshots", "%s", "")->count, 0);
}

/* --- a dev node's life --- */

static void sends_and_finds_a_payment(void **state) {
	(void)state;
	const char *hash =
	    text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s','value':'0x64'}", address(0), address(1)));
	const struct json *receipt = receipt_of(hash);
	assert_string_equal(member(receipt, "status"), "0x1");
	assert_string_equal(member(receipt, "gasUsed"), "0x5208");
	assert_string_equal(member(receipt, "from"), address(0));
	const struct json *tx = call("eth_getTransactionByHash", "'%s'", hash);
	assert_string_equal(member(tx, "value"), "0x64");
	assert_string_equal(member(tx, "type"), "0x2");
	const char *block = member(receipt, "blockHash"), *number = member(receipt, "blockNumber");
	const struct json *by_index = call("eth_getTransactionByBlockHashAndIndex", "'%s','0x0'", block);
	assert_string_equal(member(by_index, "hash"), hash);
	assert_string_equal(
	    member(call("eth_getTransactionByBlockNumberAndIndex", "'%s','0x0'", number), "hash"), hash);
	assert_true(json_is(call("eth_getTransactionByBlockNumberAndIndex", "'%s','0x9'", number), JSON_NULL));
	assert_text(call("eth_getBlockTransactionCountByHash", "'%s'", block), "0x1");
	assert_text(call("eth_getUncleCountByBlockNumber", "'%s'", number), "0x0");
	assert_true(json_is(call("eth_getUncleByBlockHashAndIndex", "'%s','0x0'", block), JSON_NULL));
	const struct json *full = call("eth_getBlockByHash", "'%s',true", block);
	assert_string_equal(member(json_at(json_get(full, "transactions"), 0), "hash"), hash);
	assert_int_equal(call("eth_getBlockReceipts", "'%s'", number)->count, 1);
	assert_text(call("eth_getBalance", "'%s',{'blockHash':'%s','requireCanonical':true}", address(1), block),
	    "0xde0b6b3a7640064");
	assert_text(call("eth_getBalance", "'%s','earliest'", address(1)), "0xde0b6b3a7640000");
	assert_text(call("eth_getTransactionCount", "'%s','pending'", address(0)), "0x1");
	const struct json *seal = call("xinglin_sealOf", "'%s'", block);
	assert_string_equal(member(seal, "sealer"), address(0));
	assert_int_equal(strlen(member(seal, "signature")), 2 + 130);
	assert_true(json_is(call("xinglin_sealOf", "'0x%064d'", 0), JSON_NULL));
}

static hash32 hash_of(const char *text) {
	hash32 hash;
	assert_int_equal(hex_fixed(hash.b, 32, bytes_text(text)), STATUS_OK);
	return hash;
}

static hash32 own_domain(void) {
	const u256 chain_id = u256_from(31337);
	return seal_domain(&chain_id, chain_genesis_hash(node.chain));
}

static void assert_signed_by_the_sealer(const struct json *answer, const hash32 *digest) {
	struct eth_signature signature;
	addr20 signer;
	assert_int_equal(
	    hex_fixed(signature.b, sizeof signature.b, json_string(json_get(answer, "signature"))), STATUS_OK);
	assert_int_equal(eth_signer(&signer, &signature, digest), STATUS_OK);
	assert_memory_equal(signer.b, accounts[0].b, 20);
}

#define CHALLENGE "0x00000000000000000000000000000000000000000000000000000000000000c4"

/* What a reader needs who believes the sealer alone; a block that a test tool made has a seal too. */
static void signs_seals_and_heads(void **state) {
	(void)state;
	call("hardhat_setBalance", "'%s','0x%llx'", address(1), 0xde0b6b3a7640000ull);
	const hash32 domain = own_domain();
	const struct json *head = call("xinglin_head", "'" CHALLENGE "'");
	const struct head_statement statement = {.number = number_of(json_get(head, "number")),
	    .hash = hash_of(member(head, "hash")),
	    .time_s = number_of(json_get(head, "time")),
	    .challenge = hash_of(CHALLENGE)};
	const hash32 head_is = head_digest(&domain, &statement);
	assert_signed_by_the_sealer(head, &head_is);
	const struct json *block = call("eth_getBlockByNumber", "'latest',false");
	assert_string_equal(member(block, "hash"), member(head, "hash"));
	assert_string_equal(member(block, "timestamp"), member(head, "time"));
	assert_string_equal(text_of(call("debug_getRawHeader", "'latest'")), member(head, "header"));
	const hash32 seal_is = seal_digest(&domain, statement.number, &statement.hash);
	assert_signed_by_the_sealer(call("xinglin_sealOf", "'%s'", member(head, "hash")), &seal_is);
}

static void signs_no_other_head_and_not_without_end(void **state) {
	(void)state;
	assert_int_equal(error_of("xinglin_head", "'0x%064d'", 0), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("xinglin_head", "'0x12'"), RPC_INVALID_PARAMS);
	const char *parent = member(call("eth_getBlockByNumber", "'latest',false"), "parentHash");
	assert_int_equal(error_of("xinglin_head", "'" CHALLENGE "','%s'", parent), RPC_INVALID_PARAMS);
	assert_true(error_says("newest block alone"));
	const uint32_t before = node.rpc->options.heads_a_second;
	node.rpc->options.heads_a_second = 2;
	int code = 0;
	for (int i = 0; i < 100 && !code; i++) code = (int)error_of("xinglin_head", "'" CHALLENGE "'");
	node.rpc->options.heads_a_second = before;
	assert_int_equal(code, RPC_LIMIT);
}

/* A raw transaction, refused when it comes again, with geth's words. */
static void takes_raw_transactions(void **state) {
	(void)state;
	struct arena arena;
	struct transaction tx = {.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(31337),
	    .max_priority_fee_wei = u256_from(1000000000),
	    .max_fee_wei = u256_from(10000000000),
	    .gas_limit = 21000,
	    .to = accounts[0],
	    .value_wei = u256_from(5)};
	arena_init(&arena);
	assert_int_equal(transaction_sign(&tx, &arena, &secrets[1], NULL), STATUS_OK);
	const char *raw = hex_of(tx.raw);
	const hash32 hash = transaction_hash(&tx);
	assert_text(call("eth_sendRawTransaction", "'%s'", raw), hex_of(BYTES_OF(hash)));
	receipt_of(hex_of(BYTES_OF(hash)));
	assert_text(call("debug_getRawTransaction", "'%s'", hex_of(BYTES_OF(hash))), raw);
	const struct json *receipt = receipt_of(hex_of(BYTES_OF(hash)));
	const char *block = member(receipt, "blockHash"), *number = member(receipt, "blockNumber");
	assert_text(call("eth_getRawTransactionByHash", "'%s'", hex_of(BYTES_OF(hash))), raw);
	assert_text(call("eth_getRawTransactionByBlockHashAndIndex", "'%s','0x0'", block), raw);
	assert_text(call("eth_getRawTransactionByBlockNumberAndIndex", "'%s','0x0'", number), raw);
	assert_text(call("eth_getRawTransactionByBlockNumberAndIndex", "'%s','0x1'", number), "0x");
	assert_text(call("eth_getRawTransactionByBlockNumberAndIndex", "'0x77','0x0'"), "0x");
	assert_int_equal(error_of("eth_sendRawTransaction", "'%s'", raw), RPC_SERVER_ERROR);
	assert_true(error_says("nonce too low"));
	tx.chain_id = u256_from(1);
	assert_int_equal(transaction_sign(&tx, &arena, &secrets[1], NULL), STATUS_OK);
	assert_int_equal(error_of("eth_sendRawTransaction", "'%s'", hex_of(tx.raw)), RPC_SERVER_ERROR);
	assert_int_equal(error_of("eth_sendRawTransaction", "'0x'"), RPC_SERVER_ERROR);
	assert_int_equal(error_of("eth_sendRawTransaction", "'0x02c0'"), RPC_SERVER_ERROR);
	tx.chain_id = u256_from(31337);
	tx.nonce = 9; /* a gap: it waits */
	assert_int_equal(transaction_sign(&tx, &arena, &secrets[1], NULL), STATUS_OK);
	const char *waiting = text_of(call("eth_sendRawTransaction", "'%s'", hex_of(tx.raw)));
	assert_int_equal(error_of("eth_sendRawTransaction", "'%s'", hex_of(tx.raw)), RPC_SERVER_ERROR);
	assert_true(error_says("already known"));
	assert_string_equal(member(call("txpool_status", "%s", ""), "queued"), "0x1");
	assert_true(json_is(json_get(call("eth_getTransactionByHash", "'%s'", waiting), "blockHash"), JSON_NULL));
	assert_true(json_is(call("eth_getTransactionReceipt", "'%s'", waiting), JSON_NULL));
	char checksum[43];
	address_checksum(checksum, &accounts[1]);
	const struct json *queued = json_get(json_get(call("txpool_content", "%s", ""), "queued"), checksum);
	assert_string_equal(member(json_get(queued, "9"), "hash"), waiting);
	assert_int_equal(json_get(call("txpool_contentFrom", "'%s'", address(1)), "queued")->count, 1);
	assert_true(json_is(
	    json_get(json_get(json_get(call("txpool_inspect", "%s", ""), "queued"), checksum), "9"), JSON_STRING));
	arena_fini(&arena);
}

/*
 * A contract of few bytes: with no call data it stores 1 at slot 0 and logs topic 7; with call data it reverts with
 * Error("no"). CALLDATASIZE; PUSH1 dest; JUMPI; PUSH1 1; PUSH1 0; SSTORE; PUSH1 7; PUSH1 0; PUSH1 0; LOG1; STOP; dest:
 * JUMPDEST ...
 */
static const char runtime[] = "36601157600160005560076000"
			      "6000a1005b"
			      "7f08c379a000000000000000000000000000000000000000000000000000000000600052"
			      "60206004526002602452"
			      "7f6e6f000000000000000000000000000000000000000000000000000000000000604452"
			      "60466000fd";

static const char *deploy(void) {
	const size_t len = strlen(runtime) / 2;
	const struct json *receipt = receipt_of(text_of(call("eth_sendTransaction",
	    "{'from':'%s','data':'0x60%02zx600c60003960%02zx6000f3%s'}", address(0), len, len, runtime)));
	assert_string_equal(member(receipt, "status"), "0x1");
	return member(receipt, "contractAddress");
}

static void calls_contracts(void **state) {
	(void)state;
	const char *contract = deploy();
	assert_int_equal(strlen(text_of(call("eth_getCode", "'%s'", contract))), 2 + strlen(runtime));
	assert_text(call("eth_call", "{'to':'%s'}", contract), "0x");
	const struct json *reverted =
	    ask("{'jsonrpc':'2.0','id':1,'method':'eth_call','params':[{'to':'%s','data':'0x01'}]}", contract);
	const struct json *error = json_get(reverted, "error");
	assert_int_equal(code_of(reverted), RPC_REVERTED);
	assert_string_equal(member(error, "message"), "execution reverted: no");
	assert_int_equal(strlen(member(error, "data")), 2 + 2 * 0x46);
	assert_int_equal(error_of("eth_estimateGas", "{'to':'%s','data':'0x01'}", contract), RPC_REVERTED);
	assert_int_equal(error_of("eth_call", "{'to':'%s','gas':'0x5300'}", contract), RPC_SERVER_ERROR);
	assert_true(error_says("out of gas"));

	const char *gas = text_of(call("eth_estimateGas", "{'from':'%s','to':'%s'}", address(0), contract));
	const struct json *receipt = receipt_of(
	    text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s','gas':'%s'}", address(0), contract, gas)));
	assert_string_equal(member(receipt, "status"), "0x1");
	assert_text(call("eth_getStorageAt", "'%s','0x0'", contract),
	    "0x0000000000000000000000000000000000000000000000000000000000000001");
	const struct json *list = call("eth_createAccessList", "{'from':'%s','to':'%s'}", address(0), contract);
	assert_int_equal(json_get(json_at(json_get(list, "accessList"), 0), "storageKeys")->count, 1);
	const struct json *proof = call("eth_getProof", "'%s',['0x0'],'latest'", contract);
	assert_string_equal(member(json_at(json_get(proof, "storageProof"), 0), "value"), "0x1");

	/* overrides: PUSH1 0; SLOAD; PUSH1 0; MSTORE; PUSH1 32; PUSH1 0; RETURN in place of the code, and another slot
	 */
	const char *reader = "0x60005460005260206000f3";
	const char *word = "0x000000000000000000000000000000000000000000000000000000000000002a";
	const char *slot0 = "0x0000000000000000000000000000000000000000000000000000000000000000";
	assert_text(call("eth_call", "{'to':'%s'},'latest',{'%s':{'code':'%s'}}", contract, contract, reader),
	    "0x0000000000000000000000000000000000000000000000000000000000000001");
	assert_text(call("eth_call", "{'to':'%s'},'latest',{'%s':{'code':'%s','stateDiff':{'%s':'%s'}}}", contract,
			contract, reader, slot0, word),
	    word);
	assert_text(
	    call("eth_call", "{'to':'%s'},'latest',{'%s':{'code':'%s','state':{}}}", contract, contract, reader),
	    slot0);
	assert_text(call("eth_call", "{'to':'%s'},'latest',{'%s':{'code':'0x4260005260206000f3'}},{'time':'0x2a'}",
			contract, contract),
	    word);
	assert_text(call("eth_call", "{'to':'%s','data':'0x'}", contract), "0x"); /* nothing of that stayed */

	const char *number = member(receipt, "blockNumber");
	const struct json *logs = call("eth_getLogs", "{'address':'%s','fromBlock':'0x0'}", contract);
	assert_int_equal(logs->count, 1);
	assert_string_equal(member(json_at(logs, 0), "blockNumber"), number);
	assert_int_equal(error_of("eth_getLogs", "{'fromBlock':'0x2','toBlock':'0x1'}"), RPC_INVALID_PARAMS);
	const char *topic = "0x0000000000000000000000000000000000000000000000000000000000000007";
	assert_int_equal(call("eth_getLogs", "{'fromBlock':'%s','topics':[['%s',null]]}", number, topic)->count, 1);
	assert_int_equal(call("eth_getLogs", "{'fromBlock':'%s','topics':['%s']}", number, slot0)->count, 0);
}

/* A block's state stays what it was, and the newest is always seen, however often a worker was used before. */
static void reads_old_and_new_states(void **state) {
	(void)state;
	/* with call data slot 0 is given back, without it grows by one */
	const char *run = "366010576000546001016000550000005b60005460005260206000f3";
	const struct json *created =
	    receipt_of(text_of(call("eth_sendTransaction", "{'from':'%s','data':'0x60%02zx600c60003960%02zx6000f3%s'}",
		address(0), strlen(run) / 2, strlen(run) / 2, run)));
	const char *contract = member(created, "contractAddress");
	const uint64_t base = strtoull(member(created, "blockNumber") + 2, NULL, 16);
	for (unsigned i = 1; i <= 5; i++) {
		receipt_of(text_of(
		    call("eth_sendTransaction", "{'from':'%s','to':'%s','gas':'0x186a0'}", address(0), contract)));
		for (int again = 0; again < 3; again++)
			assert_int_equal(
			    strtoul(text_of(call("eth_call", "{'to':'%s','data':'0x01'}", contract)) + 2, NULL, 16), i);
	}
	for (unsigned i = 0; i <= 5; i++) {
		const char *value = text_of(
		    call("eth_call", "{'to':'%s','data':'0x01'},'0x%llx'", contract, (unsigned long long)base + i));
		assert_int_equal(strtoul(value + 2, NULL, 16), i);
		value =
		    text_of(call("eth_getStorageAt", "'%s','0x0','0x%llx'", contract, (unsigned long long)base + i));
		assert_int_equal(strtoul(value + 2, NULL, 16), i);
	}
	assert_text(call("eth_call", "{'to':'%s','data':'0x01'},'earliest'", contract), "0x");
	assert_text(call("eth_getCode", "'%s','earliest'", contract), "0x");
	assert_int_equal(error_of("eth_call", "{'to':'%s'},'0xffffff'", contract), RPC_SERVER_ERROR);
	assert_true(error_says("header not found"));
}

static void bounds_its_answers(void **state) {
	(void)state;
	const size_t usual = node.rpc->options.response_max;
	node.rpc->options.response_max = 600;
	assert_int_equal(error_of("eth_getBlockByNumber", "'latest'"), RPC_TOO_LARGE);
	const struct json *answers = ask("[{'jsonrpc':'2.0','id':1,'method':'eth_chainId'},"
					 "{'jsonrpc':'2.0','id':2,'method':'eth_getBlockByNumber','params':['latest']},"
					 "{'jsonrpc':'2.0','id':3,'method':'eth_chainId'}]");
	assert_text(json_get(json_at(answers, 0), "result"), "0x7a69");
	assert_int_equal(code_of(json_at(answers, 1)), RPC_TOO_LARGE);
	assert_int_equal(code_of(json_at(answers, 2)), RPC_TOO_LARGE); /* not carried out any more */
	node.rpc->options.response_max = usual;
	node.rpc->options.logs_max = 1;
	assert_int_equal(error_of("eth_getLogs", "{'fromBlock':'0x0'}"), RPC_SERVER_ERROR);
	assert_true(error_says("more than 1 logs"));
	node.rpc->options.logs_max = 10000;
}

/* A contract that calls the identity precompile for ever. */
static void bounds_the_time_of_a_call(void **state) {
	(void)state;
	static const char loop[] =
	    "{'to':'0x0000000000000000000000000000000000000c0d'},'latest',"
	    "{'0x0000000000000000000000000000000000000c0d':{'code':'0x5b5f5f5f5f5f60045af1505f56'}}";
	const struct rpc_options usual = node.rpc->options;
	node.rpc->options.gas_cap = UINT64_MAX / 4;
	node.rpc->options.call_timeout_ms = 50;
	assert_int_equal(error_of("eth_call", "%s", loop), RPC_SERVER_ERROR);
	assert_true(error_says("execution aborted (timeout = 50ms)"));
	assert_int_equal(error_of("eth_createAccessList", "%s", loop), RPC_SERVER_ERROR);
	assert_true(error_says("execution aborted"));
	node.rpc->options.batch_timeout_ms = 50;
	const struct json *answers = ask("[{'jsonrpc':'2.0','id':1,'method':'eth_call','params':[%s]},"
					 "{'jsonrpc':'2.0','id':2,'method':'eth_chainId'}]",
	    loop);
	assert_int_equal(code_of(json_at(answers, 0)), RPC_SERVER_ERROR);
	assert_int_equal(code_of(json_at(answers, 1)), RPC_TIMED_OUT);
	node.rpc->options = usual;
	assert_text(call("eth_chainId", "%s", ""), "0x7a69");
}

static void filters_tell_what_is_new(void **state) {
	(void)state;
	const char *contract = deploy();
	const char *logs = text_of(call("eth_newFilter", "{'address':['%s']}", contract));
	const char *blocks = text_of(call("eth_newBlockFilter", "%s", ""));
	const char *pending = text_of(call("eth_newPendingTransactionFilter", "%s", ""));
	assert_int_equal(call("eth_getFilterChanges", "'%s'", logs)->count, 0);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", blocks)->count, 0);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", pending)->count, 0);
	const char *hash =
	    text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s','gas':'0x186a0'}", address(0), contract));
	const struct json *receipt = receipt_of(hash);
	const struct json *changes = call("eth_getFilterChanges", "'%s'", logs);
	assert_int_equal(changes->count, 1);
	assert_string_equal(member(json_at(changes, 0), "transactionHash"), hash);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", logs)->count, 0);
	assert_text(json_at(call("eth_getFilterChanges", "'%s'", blocks), 0), member(receipt, "blockHash"));
	assert_text(json_at(call("eth_getFilterChanges", "'%s'", pending), 0), hash);
	const char *all = text_of(call("eth_newFilter", "{'address':'%s','fromBlock':'earliest'}", contract));
	assert_int_equal(call("eth_getFilterLogs", "'%s'", all)->count, 1);
	assert_true(json_is(call("eth_uninstallFilter", "'%s'", logs), JSON_TRUE));
	assert_true(json_is(call("eth_uninstallFilter", "'%s'", logs), JSON_FALSE));
	assert_int_equal(error_of("eth_getFilterChanges", "'%s'", logs), RPC_SERVER_ERROR);
	assert_true(error_says("filter not found"));
}

static void headers_are_blocks_without_their_transactions(void **state) {
	(void)state;
	const struct json *block = call("eth_getBlockByNumber", "'latest'");
	const struct json *header = call("eth_getHeaderByNumber", "'latest'");
	json_foreach (item, header)
		assert_true(bytes_equal(item->raw, json_get(block, arena_strdup(&node.arena, item->name))->raw));
	assert_null(json_get(header, "transactions"));
	assert_int_equal(header->count, block->count - 4); /* and without size, uncles, withdrawals */
	assert_true(bytes_equal(call("eth_getHeaderByHash", "'%s'", member(header, "hash"))->raw, header->raw));
	assert_true(json_is(call("eth_getHeaderByNumber", "'0xffffff'"), JSON_NULL));
	assert_true(json_is(call("eth_getHeaderByHash", "'0x%064d'", 1), JSON_NULL));
	const struct json *pending = call("eth_getHeaderByNumber", "'pending'");
	assert_true(json_is(json_get(pending, "hash"), JSON_NULL) && json_is(json_get(pending, "nonce"), JSON_NULL));
	assert_int_equal(number_of(json_get(pending, "number")), number_of(json_get(header, "number")) + 1);
	assert_int_equal(error_of("eth_getHeaderByHash", "'latest'"), RPC_INVALID_PARAMS);
}

static void modules_are_the_prefixes_that_are_served(void **state) {
	(void)state;
	const struct json *modules = call("rpc_modules", "%s", "");
	static const char *const served[] = {"anvil", "debug", "eth", "evm", "hardhat", "net", "personal", "rpc",
	    "testing", "txpool", "web3", "xinglin"};
	assert_int_equal(modules->count, sizeof served / sizeof *served);
	for (size_t i = 0; i < sizeof served / sizeof *served; i++) assert_text(json_get(modules, served[i]), "1.0");
	assert_text(call("eth_networkId", "%s", ""), "31337");
	assert_int_equal(call("eth_requestAccounts", "%s", "")->count, 2);
}

static void ids_are_long_and_random(void **state) {
	(void)state;
	const char *ids[64];
	unsigned lead_bits = 0;
	for (size_t i = 0; i < 64; i++) {
		ids[i] = text_of(call("eth_newBlockFilter", "%s", ""));
		const size_t digits = strlen(ids[i]) - 2;
		assert_true(digits <= 32 && digits >= 24); /* leading zeros are not written, as in a quantity */
		assert_true(ids[i][2] != '0');
		if (digits == 32) lead_bits |= 1u << ((ids[i][2] & 0x40 ? ids[i][2] - 'a' + 10 : ids[i][2] - '0') & 15);
		for (size_t k = 0; k < i; k++) assert_string_not_equal(ids[i], ids[k]);
	}
	assert_true(__builtin_popcount(lead_bits) > 4);
	for (size_t i = 0; i < 64; i++) assert_true(json_is(call("eth_uninstallFilter", "'%s'", ids[i]), JSON_TRUE));
	assert_true(json_is(call("eth_uninstallFilter", "'0x0'"), JSON_FALSE));
	assert_true(json_is(call("eth_uninstallFilter", "'no id'"), JSON_FALSE));
	assert_int_equal(error_of("eth_getFilterChanges", "'0x1'"), RPC_SERVER_ERROR);
	assert_true(error_says("filter not found"));
	assert_int_equal(error_of("eth_getFilterChanges", "1"), RPC_INVALID_PARAMS);
}

static const char *emit(const char *contract) {
	const char *hash =
	    text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s','gas':'0x186a0'}", address(0), contract));
	receipt_of(hash);
	return hash;
}

/* A reported log of a block that is taken back is reported again; one that was never reported stays unreported. */
static void filters_tell_what_is_removed(void **state) {
	(void)state;
	const char *contract = deploy();
	const char *start = text_of(call("evm_snapshot", "%s", ""));
	const char *logs = text_of(call("eth_newFilter", "{'address':'%s'}", contract));
	const char *others = text_of(call("eth_newFilter", "{'address':'%s'}", address(0)));
	const char *later = text_of(call("eth_newFilter", "{'address':'%s','fromBlock':'0xffff'}", contract));
	const char *blocks = text_of(call("eth_newBlockFilter", "%s", ""));
	const char *reported = emit(contract);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", logs)->count, 1);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", blocks)->count, 1);
	emit(contract);
	assert_true(json_is(call("evm_revert", "'%s'", start), JSON_TRUE));
	const struct json *changes = call("eth_getFilterChanges", "'%s'", logs);
	assert_int_equal(changes->count, 1);
	assert_true(json_is(json_get(json_at(changes, 0), "removed"), JSON_TRUE));
	assert_string_equal(member(json_at(changes, 0), "transactionHash"), reported);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", logs)->count, 0);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", others)->count, 0);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", later)->count, 0);
	const char *again = emit(contract);
	changes = call("eth_getFilterChanges", "'%s'", logs);
	assert_int_equal(changes->count, 1);
	assert_true(json_is(json_get(json_at(changes, 0), "removed"), JSON_FALSE));
	assert_string_equal(member(json_at(changes, 0), "transactionHash"), again);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", blocks)->count, 1);
	/* Removed and what took its place, in one answer and in this order. */
	start = text_of(call("evm_snapshot", "%s", ""));
	emit(contract);
	assert_int_equal(call("eth_getFilterChanges", "'%s'", logs)->count, 1);
	assert_true(json_is(call("evm_revert", "'%s'", start), JSON_TRUE));
	emit(contract);
	changes = call("eth_getFilterChanges", "'%s'", logs);
	assert_int_equal(changes->count, 2);
	assert_true(json_is(json_get(json_at(changes, 0), "removed"), JSON_TRUE));
	assert_true(json_is(json_get(json_at(changes, 1), "removed"), JSON_FALSE));
}

static void tells_fees(void **state) {
	(void)state;
	const char *names[] = {"eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_blobBaseFee", "eth_baseFee"};
	for (size_t i = 0; i < 4; i++) assert_int_equal(strncmp(text_of(call(names[i], "%s", "")), "0x", 2), 0);
	const struct json *history = call("eth_feeHistory", "2,'latest',[0,50,100]");
	assert_int_equal(json_get(history, "baseFeePerGas")->count, 3);
	assert_int_equal(json_get(history, "baseFeePerBlobGas")->count, 3);
	assert_int_equal(json_get(history, "gasUsedRatio")->count, 2);
	assert_int_equal(json_get(history, "reward")->count, 2);
	assert_int_equal(json_at(json_get(history, "reward"), 0)->count, 3);
	assert_int_equal(error_of("eth_feeHistory", "1,'latest',[50,20]"), RPC_SERVER_ERROR);
	assert_int_equal(error_of("eth_feeHistory", "1,'0xffffff'"), RPC_SERVER_ERROR);
}

static void fills_a_transaction(void **state) {
	(void)state;
	const struct json *filled = call("eth_fillTransaction", "{'from':'%s','to':'%s'}", address(0), address(1));
	assert_int_equal(strncmp(text_of(json_get(filled, "raw")), "0x02", 4), 0);
	assert_text(json_get(json_get(filled, "tx"), "gas"), "0x5208");
	assert_text(json_get(json_get(filled, "tx"), "s"), "0x0");
	assert_int_equal(error_of("eth_fillTransaction", "{'from':'%s'}", address(0)), RPC_SERVER_ERROR);
	assert_true(error_says("contract creation without any data provided"));
	assert_int_equal(error_of("eth_fillTransaction", "{'to':'%s','chainId':'0x1'}", address(1)), RPC_SERVER_ERROR);
}

/* What a signature of "hello" must recover to, through the chain's own ecrecover precompile. */
static void signs_messages(void **state) {
	(void)state;
	const char *signature = text_of(call("eth_sign", "'%s','0x68656c6c6f'", address(0)));
	/* EIP-712's own example, whose digest is known; as an object and in a string. */
	static const char mail[] =
	    "{'types':{'EIP712Domain':[{'name':'name','type':'string'},{'name':'version','type':'string'},"
	    "{'name':'chainId','type':'uint256'},{'name':'verifyingContract','type':'address'}],"
	    "'Person':[{'name':'name','type':'string'},{'name':'wallet','type':'address'}],"
	    "'Mail':[{'name':'from','type':'Person'},{'name':'to','type':'Person'},"
	    "{'name':'contents','type':'string'}]},'primaryType':'Mail','domain':{'name':'Ether Mail','version':'1',"
	    "'chainId':1,'verifyingContract':'0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC'},"
	    "'message':{'from':{'name':'Cow','wallet':'0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826'},"
	    "'to':{'name':'Bob','wallet':'0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB'},'contents':'Hello, Bob!'}}";
	static const uint8_t digest_of_mail[32] = {0xbe, 0x60, 0x9a, 0xee, 0x34, 0x3f, 0xb3, 0xc4, 0xb2, 0x8e, 0x1d,
	    0xf9, 0xe6, 0x32, 0xfc, 0xa6, 0x4f, 0xcf, 0xae, 0xde, 0x20, 0xf0, 0x2e, 0x86, 0x24, 0x4e, 0xfd, 0xdf, 0x30,
	    0x95, 0x7b, 0xd2};
	static const char *const names[] = {"eth_signTypedData", "eth_signTypedData_v3", "eth_signTypedData_v4"};
	hash32 mail_digest;
	memcpy(mail_digest.b, digest_of_mail, sizeof mail_digest.b);
	struct eth_signature expected;
	assert_int_equal(eth_sign_digest(&expected, &secrets[0], &mail_digest), STATUS_OK);
	struct buf quoted;
	buf_init(&quoted, 4096);
	for (const char *at = mail; *at; at++) buf_text(&quoted, *at == '\'' ? "\\'" : (char[]){*at, 0});
	const char *text = arena_strdup(&node.arena, buf_view(&quoted));
	buf_fini(&quoted);
	for (size_t i = 0; i < 3; i++) {
		assert_text(call(names[i], "'%s',%s", address(0), mail), hex_of(BYTES_OF(expected)));
		assert_text(call(names[i], "'%s','%s'", address(0), text), hex_of(BYTES_OF(expected)));
	}
	assert_int_equal(error_of("eth_signTypedData_v4", "'%s',{}", address(0)), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("eth_signTypedData_v4", "'%s','{'", address(0)), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("eth_signTypedData_v4", "'0x%040d',%s", 1, mail), RPC_SERVER_ERROR);
	assert_true(error_says("unknown account"));
	assert_text(call("personal_sign", "'0x68656c6c6f','%s'", address(0)), signature);
	const char *digest =
	    text_of(call("web3_sha3", "'0x%s68656c6c6f'", "19457468657265756d205369676e6564204d6573736167653a0a35"));
	const char *recovered =
	    text_of(call("eth_call", "{'to':'0x0000000000000000000000000000000000000001','data':'%s%062d%.2s%.128s'}",
		digest, 0, signature + 130, signature + 2));
	assert_string_equal(recovered + 26, address(0) + 2);
	assert_int_equal(error_of("eth_sign", "'0x0000000000000000000000000000000000000001','0x'"), RPC_SERVER_ERROR);
	assert_true(error_says("unknown account"));
}

static void dev_methods_move_the_chain(void **state) {
	(void)state;
	const uint64_t before = number_of(call("eth_blockNumber", "%s", ""));
	const char *snapshot = text_of(call("evm_snapshot", "%s", ""));
	const char *balance = text_of(call("eth_getBalance", "'%s'", address(1)));
	call("evm_mine", "%s", "");
	assert_int_equal(number_of(call("eth_blockNumber", "%s", "")), before + 1);
	const struct json *mined = call("eth_getBlockByNumber", "'latest'");
	const uint64_t later = number_of(json_get(mined, "timestamp")) + 1000;
	call("evm_setNextBlockTimestamp", "%llu", (unsigned long long)later);
	call("evm_mine", "%s", "");
	assert_int_equal(number_of(json_get(call("eth_getBlockByNumber", "'latest'"), "timestamp")), later);
	assert_int_equal(error_of("evm_setNextBlockTimestamp", "1"), RPC_SERVER_ERROR);
	call("evm_setBlockGasLimit", "'0x%llx'",
	    (unsigned long long)number_of(json_get(call("eth_getBlockByNumber", "'latest'"), "gasLimit")));
	assert_true(json_is(call("evm_increaseTime", "5000"), JSON_NUMBER));
	call("evm_mine", "%s", "");
	assert_true(number_of(json_get(call("eth_getBlockByNumber", "'latest'"), "timestamp")) > later);

	call("evm_setAutomine", "false");
	const char *hash =
	    text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s','value':'0x1'}", address(0), address(1)));
	assert_true(json_is(call("eth_getTransactionReceipt", "'%s'", hash), JSON_NULL));
	assert_string_equal(member(call("txpool_status", "%s", ""), "pending"), "0x1");
	call("evm_mine", "%s", "");
	receipt_of(hash);
	call("evm_setIntervalMining", "0");

	assert_true(json_is(call("evm_revert", "'%s'", snapshot), JSON_TRUE));
	assert_int_equal(number_of(call("eth_blockNumber", "%s", "")), before);
	assert_text(call("eth_getBalance", "'%s'", address(1)), balance);
	assert_true(json_is(call("evm_revert", "'%s'", snapshot), JSON_FALSE));
	call("evm_setAutomine", "true");
}

static void raw_forms_hash_to_their_names(void **state) {
	(void)state;
	const struct json *block = call("eth_getBlockByNumber", "'latest'");
	const char *header = text_of(call("debug_getRawHeader", "'latest'"));
	assert_text(call("web3_sha3", "'%s'", header), member(block, "hash"));
	const char *raw = text_of(call("debug_getRawBlock", "'latest'"));
	assert_int_equal((strlen(raw) - 2) / 2, number_of(json_get(block, "size")));
	assert_int_equal(call("debug_getRawReceipts", "'latest'")->count, json_get(block, "transactions")->count);
	assert_int_equal(error_of("debug_getRawHeader", "'0xffffff'"), RPC_SERVER_ERROR);
	const struct json *values = call("eth_getStorageValues", "{'%s':['0x0','0x1']}", address(0));
	assert_int_equal(values->first->count, 2);
}

static struct bytes bytes_of(const char *hex) {
	struct buf bytes;
	buf_init(&bytes, 1 << 20);
	assert_int_equal(hex_data(&bytes, bytes_text(hex)), STATUS_OK);
	const struct bytes copy = arena_dup(&node.arena, buf_view(&bytes));
	buf_fini(&bytes);
	return copy;
}

static void proves_receipts_one_by_one(void **state) {
	(void)state;
	call("evm_setAutomine", "false");
	for (unsigned i = 0; i < 3; i++)
		call("eth_sendTransaction", "{'from':'%s','to':'%s','value':'0x1'}", address(0), address(1));
	call("evm_mine", "%s", "");
	call("evm_setAutomine", "true");
	const struct bytes stated = bytes_of(member(call("eth_getBlockByNumber", "'latest'"), "receiptsRoot"));
	const struct json *all = call("debug_getRawReceipts", "'latest'");
	const struct json *proofs = call("xinglin_receiptProofs", "'latest',[2,'0x0',2]");
	static const uint64_t places[] = {2, 0, 2};
	hash32 root;
	memcpy(root.b, stated.data, sizeof root.b);
	assert_int_equal(proofs->count, 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct json *list = json_at(proofs, i);
		struct bytes nodes[4], receipt;
		assert_true(list->count > 0 && list->count <= 4);
		for (unsigned k = 0; k < list->count; k++) nodes[k] = bytes_of(text_of(json_at(list, k)));
		assert_int_equal(proof_ordered(&receipt, &root, places[i], nodes, list->count, NULL), STATUS_OK);
		assert_true(bytes_equal(receipt, bytes_of(text_of(json_at(all, (size_t)places[i])))));
	}
	assert_int_equal(call("xinglin_receiptProofs", "'latest',[]")->count, 0);
	assert_int_equal(error_of("xinglin_receiptProofs", "'latest',[3]"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("xinglin_receiptProofs", "'latest',0"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("xinglin_receiptProofs", "'0xffffff',[0]"), RPC_SERVER_ERROR);
	char many[300] = "0";
	for (unsigned i = 0; i < 64; i++) memcpy(many + 1 + 2 * i, ",0", 3);
	assert_int_equal(error_of("xinglin_receiptProofs", "'latest',[%s]", many), RPC_INVALID_PARAMS);
}

/* A transfer in one block, seen in the next; nothing of it is kept. */
static void simulates_blocks(void **state) {
	(void)state;
	const char *to = "0x00000000000000000000000000000000000abcde";
	const struct json *blocks = call("eth_simulateV1",
	    "{'blockStateCalls':[{'calls':[{'from':'%s','to':'%s','value':'0x5'}]},"
	    "{'stateOverrides':{'0x0000000000000000000000000000000000000c0d':{'code':'0x%s3160005260206000f3'}},"
	    "'calls':[{'from':'%s','to':'0x0000000000000000000000000000000000000c0d'},{'data':'0xfe'}]}],"
	    "'traceTransfers':true}",
	    address(0), to, "7300000000000000000000000000000000000abcde", address(0));
	const struct json *first = json_at(blocks, 0), *second = json_at(blocks, 1);
	assert_int_equal(blocks->count, 2);
	assert_text(json_get(second, "parentHash"), member(first, "hash"));
	assert_int_equal(json_get(json_at(json_get(first, "calls"), 0), "logs")->count, 1);
	assert_int_equal(number_of(json_get(second, "timestamp")), number_of(json_get(first, "timestamp")) + 12);
	const char *seen = member(json_at(json_get(second, "calls"), 0), "returnData");
	assert_string_equal(seen + 64, "05");
	assert_text(json_get(json_at(json_get(second, "calls"), 1), "status"), "0x0");
	assert_text(call("eth_getBalance", "'%s'", to), "0x0");
	const struct json *rootless = call("eth_simulateV1", "{'blockStateCalls':[{}],'omitStateRoot':true}");
	assert_true(json_string_is(json_get(rootless->first, "stateRoot"),
	    "0x0000000000000000000000000000000000000000000000000000000000000000"));
	const struct json *rooted = call("eth_simulateV1", "{'blockStateCalls':[{}],'omitStateRoot':false}");
	assert_false(json_string_is(json_get(rooted->first, "stateRoot"),
	    "0x0000000000000000000000000000000000000000000000000000000000000000"));
	assert_int_equal(error_of("eth_simulateV1", "{'blockStateCalls':[{}],'omitStateRoot':1}"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("eth_simulateV1", "{'blockStateCalls':[]}"), RPC_INVALID_PARAMS);
	const struct json *early = call("eth_simulateV1", "{'blockStateCalls':[{}]},'0x0'");
	assert_text(json_get(json_at(early, 0), "number"), "0x1");
	assert_text(
	    json_get(json_at(early, 0), "parentHash"), member(call("eth_getBlockByNumber", "'0x0',false"), "hash"));
	assert_int_equal(
	    error_of("eth_simulateV1", "{'blockStateCalls':[{'calls':[{'nonce':'0x9999'}]}],'validation':true}"),
	    RPC_NONCE_TOO_HIGH);
	/* a precompile goes elsewhere, for a call too */
	const char *moved = text_of(call("eth_call",
	    "{'to':'%s','data':'0x1234'},'latest',{'0x0000000000000000000000000000000000000004':{'"
	    "movePrecompileToAddress':'%s'}}",
	    to, to));
	assert_string_equal(moved, "0x1234");
	assert_text(call("eth_call", "{'to':'0x0000000000000000000000000000000000000004','data':'0x1234'}"), "0x1234");
}

/* Last: no method of the table was left out above, but for those that other tests ask. */
static void every_method_answered(void **state) {
	static const char *const elsewhere[] = {"anvil_", "debug_trace", "evm_setTime", "evm_setAccountNonce",
	    "eth_resend", "eth_pendingTransactions", "eth_signTransaction", "eth_sendRawTransactionSync",
	    "eth_subscribe", "eth_unsubscribe", "hardhat_", "testing_", NULL};
	(void)state;
	const struct json *block = call("eth_getBlockByNumber", "'0x1',true");
	assert_text(call("eth_getBlockTransactionCountByNumber", "'0x1'"), "0x1");
	const struct json *current = json_get(call("eth_config", "%s", ""), "current");
	assert_text(json_get(current, "chainId"), "0x7a69");
	assert_null(json_get(json_get(current, "precompiles"), "P256VERIFY")); /* this chain is at Cancun */
	assert_text(json_get(json_get(call("eth_capabilities", "%s", ""), "state"), "oldestBlock"), "0x0");
	assert_text(call("eth_getUncleCountByBlockHash", "'%s'", member(block, "hash")), "0x0");
	assert_true(json_is(call("eth_getUncleByBlockNumberAndIndex", "'0x1','0x0'"), JSON_NULL));
	call("eth_sendUnsignedTransaction", "{'from':'%s','to':'%s'}", address(0), address(1));
	assert_answered(elsewhere, true);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_is_no_request),
	    cmocka_unit_test(keeps_ids_and_answers_no_notification),
	    cmocka_unit_test(carries_out_batches),
	    cmocka_unit_test(speaks_http),
	    cmocka_unit_test(every_method_bears_anything),
	    cmocka_unit_test(names_the_bad_parameter),
	    cmocka_unit_test(says_what_it_is),
	    cmocka_unit_test(sends_and_finds_a_payment),
	    cmocka_unit_test(signs_seals_and_heads),
	    cmocka_unit_test(signs_no_other_head_and_not_without_end),
	    cmocka_unit_test(takes_raw_transactions),
	    cmocka_unit_test(calls_contracts),
	    cmocka_unit_test(reads_old_and_new_states),
	    cmocka_unit_test(headers_are_blocks_without_their_transactions),
	    cmocka_unit_test(modules_are_the_prefixes_that_are_served),
	    cmocka_unit_test(ids_are_long_and_random),
	    cmocka_unit_test(filters_tell_what_is_new),
	    cmocka_unit_test(filters_tell_what_is_removed),
	    cmocka_unit_test(bounds_its_answers),
	    cmocka_unit_test(bounds_the_time_of_a_call),
	    cmocka_unit_test(tells_fees),
	    cmocka_unit_test(fills_a_transaction),
	    cmocka_unit_test(signs_messages),
	    cmocka_unit_test(simulates_blocks),
	    cmocka_unit_test(dev_methods_move_the_chain),
	    cmocka_unit_test(raw_forms_hash_to_their_names),
	    cmocka_unit_test(proves_receipts_one_by_one),
	    cmocka_unit_test(every_method_answered),
	};
	return cmocka_run_group_tests_name("rpc", tests, start, stop);
}
