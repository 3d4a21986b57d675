/* The official VM tests (Frontier's gas rules), under both dispatchers: gas, output, logs and the world after. */
#include "tests/unit.h"

#include "ledger/evm/test_host.h"
#include "tests/vectors.h"

struct run {
	struct vectors tally;
	struct evm *evm;
	struct test_host *host;
};

static u256 word_of(const struct json *object, const char *name) {
	u256 word = u256_from(0);
	if (json_get(object, name) && !test_hex_word(&word, json_string(json_get(object, name))))
		fail_msg("%s is no number", name);
	return word;
}

static addr20 address_of(const struct json *object, const char *name) {
	addr20 address;
	if (!test_hex_address(&address, json_string(json_get(object, name)))) fail_msg("%s is no address", name);
	return address;
}

static bool passes(struct run *run, struct arena *arena, const struct json *test) {
	const struct json *env = json_get(test, "env"), *exec = json_get(test, "exec");
	const struct evm_block_env block = {
	    .coinbase = address_of(env, "currentCoinbase"),
	    .number = word_of(env, "currentNumber").w[0],
	    .timestamp = word_of(env, "currentTimestamp").w[0],
	    .gas_limit = word_of(env, "currentGasLimit").w[0],
	    .difficulty = word_of(env, "currentDifficulty"),
	};
	const struct evm_tx_env tx = {.origin = address_of(exec, "origin"), .gas_price_wei = word_of(exec, "gasPrice")};
	struct evm_message message = {
	    .kind = EVM_DELEGATECALL, /* VM tests start at the code: no value moves */
	    .gas = word_of(exec, "gas").w[0],
	    .sender = address_of(exec, "caller"),
	    .recipient = address_of(exec, "address"),
	    .code_address = address_of(exec, "address"),
	    .value_wei = word_of(exec, "value"),
	    .input = vectors_hex(arena, json_string(json_get(exec, "data"))),
	};
	test_host_reset(run->host);
	if (!test_host_load(run->host, json_get(test, "pre"))) fail_msg("malformed accounts");
	test_host_begin_transaction(run->host);
	evm_set_block(run->evm, FORK_FRONTIER, &block);
	evm_set_tx(run->evm, &tx);
	struct evm_result result;
	assert_int_equal(evm_execute(run->evm, &result, &message), STATUS_OK);

	const struct json *gas = json_get(test, "gas");
	if (!gas) return result.outcome != EVM_SUCCESS && test_host_matches(run->host, json_get(test, "pre"));
	hash32 logs = test_host_logs_hash(run->host), expected_logs;
	assert_int_equal(hex_fixed(expected_logs.b, 32, json_string(json_get(test, "logs"))), STATUS_OK);
	return result.outcome == EVM_SUCCESS && result.gas_left == word_of(test, "gas").w[0] &&
	       bytes_equal(result.output, vectors_hex(arena, json_string(json_get(test, "out")))) &&
	       hash32_equal(&logs, &expected_logs) && test_host_matches(run->host, json_get(test, "post"));
}

static void visit(void *context, const char *path) {
	struct run *run = context;
	struct arena arena;
	arena_init(&arena);
	json_foreach (test, vectors_parse(&arena, path)) {
		for (int reference = 0; reference < 2; reference++) {
			evm_set_reference_dispatch(run->evm, reference);
			vectors_count(&run->tally, passes(run, &arena, test), path, test->name);
		}
	}
	arena_fini(&arena);
}

static void test_vmtests(void **state) {
	(void)state;
	struct arena arena;
	vectors_need("ethereum/vmtests");
	struct run run = {.tally.name = "ethereum/vmtests, two dispatchers", .evm = evm_new(), .host = test_host_new()};
	evm_set_host(run.evm, &test_host_table, run.host);
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "ethereum/vmtests"), ".json", visit, &run);
	arena_fini(&arena);
	evm_free(run.evm);
	test_host_free(run.host);
	vectors_report(&run.tally);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_vmtests)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
