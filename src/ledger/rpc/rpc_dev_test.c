/* anvil_* and hardhat_*: changes of state, impersonation, mining, reset. */
#include "tests/unit.h"

#include "ledger/rpc/test_asking.h"

#define STRANGER "0x00000000000000000000000000000000000faced"

static uint64_t block_number(void) {
	return number_of(call("eth_blockNumber", "%s", ""));
}

static void every_helper_bears_anything(void **state) {
	static const char *const odd[] = {"", "null", "-1", "'0x'", "{}", "[]", "true", "'0xffffffffffffffffffff'",
	    "'0x0000000000000000000000000000000000000001','0x1'", "'0x0000000000000000000000000000000000000001',{},[]"};
	(void)state;
	for (size_t i = 0; i < rpc_method_count(); i++) {
		const char *name = rpc_method_info(i).name;
		if (strncmp(name, "anvil_", 6) != 0 && strncmp(name, "hardhat_", 8) != 0) continue;
		for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
			const struct json *answer =
			    ask("{'jsonrpc':'2.0','id':7,'method':'%s','params':[%s]}", name, odd[k]);
			assert_true(!json_get(answer, "result") != !json_get(answer, "error"));
		}
	}
	call("evm_mine", "%s", ""); /* uses up a base fee that was set */
	call("anvil_reset", "%s", "");
	call("anvil_autoImpersonateAccount", "false");
	call("anvil_setCoinbase", "'%s'", address(0));
	call("anvil_setAutomine", "true");
	call("anvil_setIntervalMining", "0");
}

static void changes_are_seen_at_once_and_undone_by_revert(void **state) {
	(void)state;
	const char *snapshot = text_of(call("evm_snapshot", "%s", ""));
	const uint64_t before = block_number();
	const char *root = member(call("eth_getBlockByNumber", "'latest'"), "stateRoot");
	call("anvil_setBalance", "'%s','0x64'", STRANGER);
	assert_text(call("eth_getBalance", "'%s'", STRANGER), "0x64");
	call("hardhat_setBalance", "'%s',7", STRANGER);
	assert_text(call("eth_getBalance", "'%s'", STRANGER), "0x7");
	call("anvil_setNonce", "'%s','0x5'", STRANGER);
	call("hardhat_setNonce", "'%s','0x9'", STRANGER);
	assert_text(call("eth_getTransactionCount", "'%s'", STRANGER), "0x9");
	call("anvil_setCode", "'%s','0x00'", STRANGER);
	call("hardhat_setCode", "'%s','0x5f545f5260205ff3'", STRANGER); /* returns slot 0 */
	call("anvil_setStorageAt", "'%s','0x0','0x2a'", STRANGER);
	call("hardhat_setStorageAt", "'%s','0x1','0x%064d'", STRANGER, 3);
	assert_text(call("eth_call", "{'to':'%s'}", STRANGER),
	    "0x000000000000000000000000000000000000000000000000000000000000002a");
	assert_int_equal(block_number(), before + 8);
	const struct json *proof = call("eth_getProof", "'%s',['0x1'],'latest'", STRANGER);
	assert_text(json_get(json_at(json_get(proof, "storageProof"), 0), "value"), "0x3");
	assert_text(call("eth_getBalance", "'%s','0x%llx'", STRANGER, (unsigned long long)before), "0x0");
	assert_true(json_is(call("evm_revert", "'%s'", snapshot), JSON_TRUE));
	assert_text(call("eth_getCode", "'%s'", STRANGER), "0x");
	assert_text(call("eth_getBalance", "'%s'", STRANGER), "0x0");
	assert_text(json_get(call("eth_getBlockByNumber", "'latest'"), "stateRoot"), root);
	assert_int_equal(error_of("anvil_setBalance", "'%s'", STRANGER), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("anvil_setCode", "'%s','0x0'", STRANGER), RPC_INVALID_PARAMS);
}

/* Clients that decode strictly take anvil's answers as nothing, and Hardhat's as booleans. */
static void what_is_done_is_null_for_anvil_and_true_for_hardhat(void **state) {
	static const struct {
		const char *method, *more;
	} done[] = {{"setBalance", ",'0x64'"}, {"setNonce", ",'0x9'"}, {"setCode", ",'0x00'"}, {"setCoinbase", ""},
	    {"impersonateAccount", ""}, {"stopImpersonatingAccount", ""}};
	char name[64];
	(void)state;
	const char *snapshot = text_of(call("evm_snapshot", "%s", ""));
	for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
		snprintf(name, sizeof name, "hardhat_%s", done[i].method);
		assert_true(json_is(call(name, "'" STRANGER "'%s", done[i].more), JSON_TRUE));
		snprintf(name, sizeof name, "anvil_%s", done[i].method);
		assert_true(json_is(call(name, "'" STRANGER "'%s", done[i].more), JSON_NULL));
	}
	assert_true(json_is(call("anvil_setStorageAt", "'" STRANGER "','0x0','0x%064d'", 1), JSON_TRUE));
	assert_true(json_is(call("anvil_setAutomine", "true"), JSON_NULL));
	assert_true(json_is(call("evm_setAutomine", "true"), JSON_TRUE));
	call("evm_revert", "'%s'", snapshot);
	call("anvil_setCoinbase", "'%s'", address(0));
}

static void impersonated_accounts_send(void **state) {
	(void)state;
	const char *send = "{'from':'" STRANGER "','to':'0x0000000000000000000000000000000000000abc','value':'0x3'}";
	call("anvil_setBalance", "'%s','0xde0b6b3a7640000'", STRANGER);
	call("anvil_setCode", "'%s','0x5f5ffd'", STRANGER); /* a contract, even */
	assert_int_equal(error_of("eth_sendTransaction", "%s", send), RPC_SERVER_ERROR);
	call("hardhat_impersonateAccount", "'%s'", STRANGER);
	call("anvil_impersonateAccount", "'%s'", STRANGER);
	const char *hash = text_of(call("eth_sendTransaction", "%s", send));
	const struct json *receipt = receipt_of(hash);
	assert_text(json_get(receipt, "from"), STRANGER);
	assert_text(json_get(receipt, "status"), "0x1");
	const struct json *tx = call("eth_getTransactionByHash", "'%s'", hash);
	assert_text(json_get(tx, "from"), STRANGER);
	assert_text(json_get(tx, "s"), "0x1"); /* strict clients refuse zero */
	assert_text(json_get(call("debug_traceTransaction", "'%s',{'tracer':'callTracer'}", hash), "from"), STRANGER);
	const char *raw = text_of(call("debug_getRawTransaction", "'%s'", hash));
	assert_int_equal(error_of("eth_sendRawTransaction", "'%s'", raw), RPC_SERVER_ERROR); /* nobody else can */
	assert_true(json_is(call("hardhat_stopImpersonatingAccount", "'%s'", STRANGER), JSON_TRUE));
	assert_true(json_is(call("hardhat_stopImpersonatingAccount", "'%s'", STRANGER), JSON_FALSE));
	assert_int_equal(error_of("eth_sendTransaction", "%s", send), RPC_SERVER_ERROR);
	call("anvil_autoImpersonateAccount", "true");
	receipt_of(text_of(call("eth_sendTransaction", "%s", send)));
	call("anvil_autoImpersonateAccount", "false");
	receipt_of(text_of(call("eth_sendUnsignedTransaction", "%s", send)));
}

static void blocks_are_rolled_back_and_sealed_anew(void **state) {
	(void)state;
	const uint64_t before = block_number();
	const char *root = member(call("eth_getBlockByNumber", "'latest'"), "stateRoot");
	call("anvil_addBalance", "'%s','0x7'", STRANGER);
	call("hardhat_addBalance", "'%s','3'", STRANGER);
	assert_int_equal(block_number(), before + 2);
	const uint64_t had = number_of(call("eth_getBalance", "'%s','0x%llx'", STRANGER, (unsigned long long)before));
	assert_int_equal(number_of(call("eth_getBalance", "'%s'", STRANGER)), had + 10);
	call("anvil_rollback", "%s", "");
	assert_int_equal(number_of(call("eth_getBalance", "'%s'", STRANGER)), had + 7);
	call("anvil_rollback", "1");
	assert_int_equal(block_number(), before);
	assert_text(json_get(call("eth_getBlockByNumber", "'latest'"), "stateRoot"), root);
	call("anvil_mine", "3");
	const char *old = member(call("eth_getBlockByNumber", "'0x%llx'", (unsigned long long)before + 2), "hash");
	const struct json *filled = call("eth_signTransaction",
	    "{'from':'%s','to':'" STRANGER "','value':'0x5','gas':'0x5208','maxFeePerGas':'0x77359400',"
	    "'maxPriorityFeePerGas':'0x1','nonce':'%s'}",
	    address(0), text_of(call("eth_getTransactionCount", "'%s'", address(0))));
	const char *raw = member(filled, "raw"), *hash = member(json_get(filled, "tx"), "hash");
	call("anvil_reorg", "3,[['%s',1]]", raw);
	assert_int_equal(block_number(), before + 3);
	const struct json *block = call("eth_getBlockByNumber", "'0x%llx'", (unsigned long long)before + 2);
	assert_string_not_equal(member(block, "hash"), old);
	assert_text(json_at(json_get(block, "transactions"), 0), hash);
	assert_int_equal(error_of("anvil_rollback", "'0xffff'"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("anvil_reorg", "'0xffff'"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("anvil_reorg", "20001"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("anvil_reorg", "1,[['%s',1]]", raw), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("anvil_reorg", "1,['%s']", raw), RPC_INVALID_PARAMS);
	assert_int_equal(block_number(), before + 3);
}

/* How many transactions a block has, and whether its last one succeeded. */
static size_t txs_of(uint64_t number, bool *is_good) {
	const struct json *block = call("eth_getBlockByNumber", "'0x%llx'", (unsigned long long)number);
	const struct json *txs = json_get(block, "transactions");
	const char *hash = text_of(json_at(txs, txs->count - 1));
	*is_good = number_of(json_get(call("eth_getTransactionReceipt", "'%s'", hash), "status")) == 1;
	return txs->count;
}

#define RECEIVER "0x00000000000000000000000000000000000a11ce"

/* As anvil takes them: nonces follow each other, whoever has no gas gets what it needs, and a call that fails at any
 * gas is sealed as one that failed. */
static void unsigned_transactions_are_sealed_anew(void **state) {
	(void)state;
	static const char other[] = "0x00000000000000000000000000000000000a0b0c";
	bool is_good;
	call("anvil_setBalance", "'%s','0xde0b6b3a7640000'", other);
	call("anvil_setCode", "'0x0000000000000000000000000000000000fa1100','0xfe'");
	call("anvil_impersonateAccount", "'%s'", other);
	call("anvil_mine", "3");
	const uint64_t head = block_number(), had = number_of(call("eth_getBalance", "'" RECEIVER "'"));
	const uint64_t nonce = number_of(call("eth_getTransactionCount", "'%s'", address(0)));
	call("anvil_reorg",
	    "3,[[{'from':'%s','to':'" RECEIVER "','value':'0x1'},0],[{'to':'" RECEIVER "','value':'0x2'},2],"
	    "[{'from':'%s','to':'" RECEIVER "','value':'0x4'},2],"
	    "[{'from':'%s','to':'0x0000000000000000000000000000000000fa1100'},1]]",
	    address(0), other, address(1));
	assert_int_equal(block_number(), head);
	assert_int_equal(number_of(call("eth_getBalance", "'" RECEIVER "'")), had + 7);
	assert_int_equal(number_of(call("eth_getTransactionCount", "'%s'", address(0))), nonce + 2);
	assert_int_equal(txs_of(head - 2, &is_good), 1);
	assert_true(is_good);
	assert_int_equal(txs_of(head - 1, &is_good), 1);
	assert_false(is_good);
	assert_int_equal(txs_of(head, &is_good), 2);
	assert_true(is_good);
	call("anvil_stopImpersonatingAccount", "'%s'", other);
	/* Nothing goes back for a request that nobody can sign, or that cannot be filled in. */
	assert_int_equal(error_of("anvil_reorg", "1,[[{'from':'%s'},0]]", other), RPC_SERVER_ERROR);
	assert_int_equal(error_of("anvil_reorg", "1,[[{'chainId':'0x1','to':'" RECEIVER "'},0]]"), RPC_SERVER_ERROR);
	assert_int_equal(error_of("anvil_reorg", "1,[[{'value':'1'},0]]"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("anvil_reorg", "1,[['0x',0]]"), RPC_INVALID_PARAMS);
	assert_int_equal(block_number(), head);
	assert_int_equal(txs_of(head, &is_good), 2);
}

static void time_is_set_and_pools_are_emptied(void **state) {
	(void)state;
	const uint64_t then = number_of(json_get(call("eth_getBlockByNumber", "'latest'"), "timestamp")) + 5000;
	call("evm_setTime", "'0x%llx'", (unsigned long long)then);
	call("evm_mine", "%s", "");
	const uint64_t got = number_of(json_get(call("eth_getBlockByNumber", "'latest'"), "timestamp"));
	assert_true(got >= then && got < then + 60);
	call("anvil_setTime", "%llu", (unsigned long long)(then + 10000) * 1000); /* milliseconds */
	call("evm_mine", "%s", "");
	const uint64_t after = number_of(json_get(call("eth_getBlockByNumber", "'latest'"), "timestamp"));
	assert_true(after >= then + 10000 && after < then + 10060);
	call("evm_setAccountNonce", "'" STRANGER "','0x9'");
	assert_text(call("eth_getTransactionCount", "'" STRANGER "'"), "0x9");
	call("anvil_setAutomine", "false");
	assert_true(json_is(call("anvil_getIntervalMining", "%s", ""), JSON_NULL));
	for (size_t i = 0; i < 2; i++)
		call("eth_sendTransaction", "{'from':'%s','to':'" STRANGER "','gas':'0x5208'}", address(i));
	assert_int_equal(call("eth_pendingTransactions", "%s", "")->count, 2);
	call("anvil_removePoolTransactions", "'%s'", address(0));
	const struct json *left = call("eth_pendingTransactions", "%s", "");
	assert_int_equal(left->count, 1);
	assert_text(json_get(json_at(left, 0), "from"), address(1));
	call("hardhat_dropAllTransactions", "%s", "");
	assert_int_equal(call("eth_pendingTransactions", "%s", "")->count, 0);
	call("anvil_setAutomine", "true");
	call("hardhat_autoImpersonateAccount", "false");
	call("anvil_setIntervalMining", "7200");
	assert_int_equal(json_is(call("anvil_getIntervalMining", "%s", ""), JSON_NUMBER), true);
	call("anvil_setIntervalMining", "0");
	call("anvil_setAutomine", "true");
}

static void a_waiting_transaction_is_sent_again_on_other_terms(void **state) {
	(void)state;
	call("anvil_setAutomine", "false");
	const char *nonce = text_of(call("eth_getTransactionCount", "'%s'", address(1)));
	const char *tx = arena_printf(&node.arena,
	    "{'from':'%s','to':'" STRANGER "','gas':'0x5208','gasPrice':'0x77359400','nonce':'%s'}", address(1), nonce);
	const char *first = text_of(call("eth_sendTransaction", "%s", tx));
	const char *second = text_of(call("eth_resend", "%s,'0x12a05f200','0x7530'", tx));
	assert_string_not_equal(first, second);
	const struct json *waiting = call("eth_pendingTransactions", "%s", "");
	assert_int_equal(waiting->count, 1);
	assert_text(json_get(json_at(waiting, 0), "hash"), second);
	assert_text(json_get(json_at(waiting, 0), "gasPrice"), "0x12a05f200");
	assert_text(json_get(json_at(waiting, 0), "gas"), "0x7530");
	assert_int_equal(error_of("eth_resend", "%s,'0x12a05f200'", tx), RPC_SERVER_ERROR); /* that one is gone */
	assert_true(error_says("not found"));
	assert_int_equal(error_of("eth_resend", "{'from':'%s'}", address(1)), RPC_SERVER_ERROR);
	assert_true(error_says("missing transaction nonce"));
	call("anvil_dropAllTransactions", "%s", "");
	call("anvil_setAutomine", "true");
}

static void a_receipt_is_waited_for(void **state) {
	(void)state;
	const struct json *made = call("eth_signTransaction",
	    "{'from':'%s','to':'0x0000000000000000000000000000000000000abc','gas':'0x7530','gasPrice':'0x12a05f200','"
	    "nonce':'%s'}",
	    address(1), text_of(call("eth_getTransactionCount", "'%s'", address(1))));
	const struct json *receipt = call("eth_sendRawTransactionSync", "'%s'", member(made, "raw"));
	assert_text(json_get(receipt, "transactionHash"), member(json_get(made, "tx"), "hash"));
	assert_text(json_get(receipt, "status"), "0x1");
	call("anvil_setAutomine", "false");
	made = call("eth_signTransaction",
	    "{'from':'%s','to':'0x0000000000000000000000000000000000000abc','gas':'0x7530','gasPrice':'0x12a05f200','"
	    "nonce':'%s'}",
	    address(1), text_of(call("eth_getTransactionCount", "'%s'", address(1))));
	assert_int_equal(error_of("eth_sendRawTransactionSync", "'%s',5", member(made, "raw")), RPC_NOT_SEALED);
	call("anvil_dropAllTransactions", "%s", "");
	call("anvil_setAutomine", "true");
}

static uint64_t newest_number(const char *name) {
	return number_of(json_get(call("eth_getBlockByNumber", "'latest'"), name));
}

static void blocks_are_as_ordered(void **state) {
	(void)state;
	const char *randao = "0x00000000000000000000000000000000000000000000000000000000000000ab";
	const uint64_t gas_limit = newest_number("gasLimit");
	call("hardhat_setPrevRandao", "'%s'", randao);
	call("evm_setBlockGasLimit", "'0x1000000'");
	call("evm_mine", "%s", "");
	assert_text(json_get(call("eth_getBlockByNumber", "'latest'"), "mixHash"), randao);
	call("anvil_setPrevRandao", "'0x%064d'", 1);
	call("anvil_setBalance", "'%s','0x64'", STRANGER); /* no such block takes an order */
	assert_int_equal(newest_number("gasLimit"), 0x1000000);
	call("anvil_setBlockTimestampInterval", "1000");
	const uint64_t before = newest_number("timestamp");
	call("anvil_mine", "3");
	assert_int_equal(newest_number("timestamp"), before + 3000);
	assert_int_equal(newest_number("gasLimit"), 0x1000000);
	call("anvil_removeBlockTimestampInterval", "%s", "");
	call("evm_mine", "%s", "");
	assert_true(newest_number("timestamp") < before + 4000);
	call("anvil_setBlockGasLimit", "'0x%llx'", (unsigned long long)gas_limit);
	assert_int_equal(error_of("evm_setBlockGasLimit", "'0x1387'"), RPC_INVALID_PARAMS);
	assert_int_equal(error_of("hardhat_setPrevRandao", "'0x1'"), RPC_INVALID_PARAMS);
}

static void going_back_takes_the_time_along(void **state) {
	(void)state;
	const char *snapshot = text_of(call("anvil_snapshot", "%s", ""));
	const uint64_t before = newest_number("timestamp");
	uint64_t sum = 0;
	assert_true(json_u64(&sum, call("anvil_increaseTime", "31536000")));
	call("anvil_setNextBlockTimestamp", "%llu", (unsigned long long)before + 40000000);
	assert_true(sum >= 31536000);
	call("evm_mine", "%s", "");
	call("evm_setNextBlockTimestamp", "%llu", (unsigned long long)before + 50000000);
	assert_true(json_is(call("anvil_revert", "'%s'", snapshot), JSON_TRUE));
	call("evm_mine", "%s", "");
	assert_true(newest_number("timestamp") < before + 31536000);
}

static void tells_how_it_seals(void **state) {
	(void)state;
	assert_true(json_is(call("hardhat_getAutomine", "%s", ""), JSON_TRUE));
	call("anvil_setAutomine", "false");
	assert_true(json_is(call("anvil_getAutomine", "%s", ""), JSON_FALSE));
	call("anvil_setAutomine", "true");
	call("anvil_setIntervalMining", "3600");
	assert_true(json_is(call("anvil_getAutomine", "%s", ""), JSON_FALSE));
	call("anvil_setIntervalMining", "0");
	call("hardhat_setLoggingEnabled", "false");
	call("anvil_setLoggingEnabled", "true");
}

static void mines_as_asked(void **state) {
	(void)state;
	const uint64_t before = block_number();
	call("hardhat_mine", "'0x5','0x3c'");
	assert_int_equal(block_number(), before + 5);
	const struct json *last = call("eth_getBlockByNumber", "'latest'");
	const struct json *other = call("eth_getBlockByNumber", "'0x%llx'", (unsigned long long)before + 4);
	const uint64_t later = number_of(json_get(last, "timestamp"));
	assert_int_equal(later - number_of(json_get(other, "timestamp")), 60);
	call("anvil_mine", "%s", "");
	call("evm_mine", "{'blocks':2,'timestamp':%llu}", (unsigned long long)later + 1000);
	assert_int_equal(block_number(), before + 8);
	other = call("eth_getBlockByNumber", "'0x%llx'", (unsigned long long)before + 7);
	assert_int_equal(number_of(json_get(other, "timestamp")), later + 1000);
	assert_int_equal(error_of("anvil_mine", "1000000000"), RPC_INVALID_PARAMS);
	const char *sealer = member(last, "miner");
	call("anvil_setNextBlockBaseFeePerGas", "'0x3039'");
	call("hardhat_setCoinbase", "'%s'", STRANGER);
	call("evm_mine", "%s", "");
	last = call("eth_getBlockByNumber", "'latest'");
	assert_text(json_get(last, "baseFeePerGas"), "0x3039");
	assert_text(json_get(last, "miner"), STRANGER);
	call("anvil_setCoinbase", "'%s'", sealer);
	call("hardhat_setNextBlockBaseFeePerGas", "'0x1'");
	call("evm_mine", "%s", "");
	assert_text(json_get(call("eth_getBlockByNumber", "'latest'"), "miner"), sealer);
}

static void the_pool_is_emptied(void **state) {
	(void)state;
	call("evm_setAutomine", "false");
	const char *hash = text_of(call("eth_sendTransaction",
	    "{'from':'%s','to':'0x0000000000000000000000000000000000000abc','value':'0x1'}", address(0)));
	assert_text(call("anvil_dropTransaction", "'%s'", hash), hash);
	assert_true(json_is(call("anvil_dropTransaction", "'%s'", hash), JSON_NULL));
	assert_true(json_is(call("hardhat_dropTransaction", "'%s'", hash), JSON_FALSE));
	call("eth_sendTransaction", "{'from':'%s','to':'%s','value':'0x1'}", address(0), address(1));
	call("anvil_dropAllTransactions", "%s", "");
	assert_text(json_get(call("txpool_status", "%s", ""), "pending"), "0x0");
	call("evm_setAutomine", "true");
}

#define PAYEE "0x00000000000000000000000000000000000fabc5"
/* Sets slot 0 to 9 and leaves code that returns slot 0. */
#define CREATION "0x60095f556008600f5f3960085ff3005f545f5260205ff3"
#define NINE "0x0000000000000000000000000000000000000000000000000000000000000009"

static const char *create(void) {
	return text_of(call("eth_sendTransaction", "{'from':'%s','data':'" CREATION "','gas':'0x30000'}", address(0)));
}

/* A payment and a new contract wait; the contract's address is known from a block that went back. */
static const char *let_two_wait(const char **made) {
	const char *snapshot = text_of(call("evm_snapshot", "%s", ""));
	call("eth_sendTransaction", "{'from':'%s','to':'" PAYEE "','value':'0x5'}", address(0));
	*made = member(receipt_of(create()), "contractAddress");
	call("evm_revert", "'%s'", snapshot);
	call("evm_setAutomine", "false");
	call("eth_sendTransaction", "{'from':'%s','to':'" PAYEE "','value':'0x5'}", address(0));
	return create();
}

static void what_waits_stands_in_the_pending_block(void **state) {
	(void)state;
	const char *made, *hash = let_two_wait(&made);
	const struct json *block = call("eth_getBlockByNumber", "'pending',true");
	assert_int_equal(number_of(json_get(block, "number")), block_number() + 1);
	assert_true(json_is(json_get(block, "hash"), JSON_NULL) && json_is(json_get(block, "nonce"), JSON_NULL));
	const struct json *second = json_at(json_get(block, "transactions"), 1);
	assert_text(json_get(second, "hash"), hash);
	assert_text(json_get(second, "from"), address(0));
	assert_true(json_is(json_get(second, "blockHash"), JSON_NULL));
	assert_text(call("eth_getBlockTransactionCountByNumber", "'pending'"), "0x2");
	assert_true(json_is(call("eth_getBlockReceipts", "'pending'"), JSON_NULL));
	assert_true(json_is(call("eth_getTransactionByBlockNumberAndIndex", "'pending','0x0'"), JSON_NULL));
	const char *gas_used = member(block, "gasUsed"), *receipts = member(block, "receiptsRoot");
	call("evm_mine", "%s", "");
	block = call("eth_getBlockByNumber", "'latest',true");
	assert_text(json_get(block, "gasUsed"), gas_used);
	assert_text(json_get(block, "receiptsRoot"), receipts);
	assert_text(json_get(json_at(json_get(block, "transactions"), 1), "hash"), hash);
	call("evm_setAutomine", "true");
	assert_text(call("eth_getBlockTransactionCountByNumber", "'pending'"), "0x0");
}

static void what_waits_shows_in_the_pending_state(void **state) {
	(void)state;
	const char *made;
	const uint64_t before = number_of(call("eth_getBalance", "'" PAYEE "','latest'"));
	let_two_wait(&made);
	for (int i = 0; i < 2; i++) { /* the second time on a worker that made one before */
		assert_int_equal(number_of(call("eth_getBalance", "'" PAYEE "','pending'")), before + 5);
		assert_text(call("eth_getCode", "'%s','pending'", made), "0x5f545f5260205ff3");
		assert_text(call("eth_getStorageAt", "'%s','0x0','pending'", made), NINE);
		assert_text(call("eth_call", "{'to':'%s'},'pending'", made), NINE);
		assert_text(call("eth_call", "{'to':'%s'},'pending',{'%s':{'balance':'0x1'}}", made, made), NINE);
		assert_text(call("eth_getCode", "'%s','latest'", made), "0x");
		assert_text(call("eth_call", "{'to':'%s'},'latest'", made), "0x");
	}
	assert_true(number_of(call("eth_estimateGas", "{'to':'%s'},'pending'", made)) > 23000);
	assert_int_equal(number_of(call("eth_getTransactionCount", "'%s','pending'", address(0))),
	    number_of(call("eth_getTransactionCount", "'%s','latest'", address(0))) + 2);
	call("evm_setAutomine", "true"); /* looking at what waits has not used it up */
	receipt_of(text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s'}", address(1), address(0))));
	assert_text(call("eth_call", "{'to':'%s'},'latest'", made), NINE);
}

static void tells_and_resets(void **state) {
	(void)state;
	const struct json *info = call("anvil_nodeInfo", "%s", ""), *data = call("hardhat_metadata", "%s", "");
	assert_int_equal(number_of(json_get(info, "currentBlockNumber")), block_number());
	assert_text(json_get(data, "latestBlockHash"), member(info, "currentBlockHash"));
	call("anvil_metadata", "%s", "");
	call("anvil_reset", "%s", "");
	assert_int_equal(block_number(), 0);
	assert_text(call("eth_getBalance", "'%s'", STRANGER), "0x0");
	assert_int_equal(
	    error_of("hardhat_reset", "{'forking':{'jsonRpcUrl':'http://127.0.0.1'}}"), RPC_INVALID_PARAMS);
	call("hardhat_reset", "{'forking':{'blockNumber':null}}"); /* as viem asks for none */
	call("hardhat_reset", "%s", "");
	receipt_of(
	    text_of(call("eth_sendTransaction", "{'from':'%s','to':'%s','value':'0x1'}", address(0), address(1))));
	assert_int_equal(block_number(), 1);
}

static void every_helper_answered(void **state) {
	static const char *const prefixes[] = {"anvil_", "hardhat_", "evm_setTime", "evm_setAccountNonce", "eth_resend",
	    "eth_pendingTransactions", "eth_signTransaction", "eth_sendRawTransactionSync", NULL};
	(void)state;
	assert_answered(prefixes, false);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_helper_bears_anything),
	    cmocka_unit_test(changes_are_seen_at_once_and_undone_by_revert),
	    cmocka_unit_test(what_is_done_is_null_for_anvil_and_true_for_hardhat),
	    cmocka_unit_test(impersonated_accounts_send),
	    cmocka_unit_test(blocks_are_rolled_back_and_sealed_anew),
	    cmocka_unit_test(unsigned_transactions_are_sealed_anew),
	    cmocka_unit_test(time_is_set_and_pools_are_emptied),
	    cmocka_unit_test(a_receipt_is_waited_for),
	    cmocka_unit_test(a_waiting_transaction_is_sent_again_on_other_terms),
	    cmocka_unit_test(blocks_are_as_ordered),
	    cmocka_unit_test(going_back_takes_the_time_along),
	    cmocka_unit_test(tells_how_it_seals),
	    cmocka_unit_test(mines_as_asked),
	    cmocka_unit_test(the_pool_is_emptied),
	    cmocka_unit_test(what_waits_stands_in_the_pending_block),
	    cmocka_unit_test(what_waits_shows_in_the_pending_state),
	    cmocka_unit_test(tells_and_resets),
	    cmocka_unit_test(every_helper_answered),
	};
	return cmocka_run_group_tests_name("rpc dev", tests, start, stop);
}
