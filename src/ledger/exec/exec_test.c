/* Prices and verdicts that need no contract. Numbers are from the EIPs' own texts or worked out by hand. */
#include "ledger/exec/exec.h"

#include "tests/unit.h"

static struct transaction call_with(const char *data, size_t len) {
	return (struct transaction){.type = TX_LEGACY, .data = bytes_make(data, len)};
}

static void intrinsic_gas(void **state) {
	(void)state;
	struct transaction tx = call_with("\0\0\1", 3);
	assert_int_equal(exec_intrinsic_gas(&tx, FORK_FRONTIER), 21000 + 2 * 4 + 68);
	assert_int_equal(exec_intrinsic_gas(&tx, FORK_ISTANBUL), 21000 + 2 * 4 + 16);
	tx.is_create = true;
	assert_int_equal(exec_intrinsic_gas(&tx, FORK_FRONTIER), 21000 + 2 * 4 + 68);
	assert_int_equal(exec_intrinsic_gas(&tx, FORK_HOMESTEAD), 53000 + 2 * 4 + 68);
	assert_int_equal(exec_intrinsic_gas(&tx, FORK_SHANGHAI), 53000 + 2 * 4 + 16 + 2);

	const hash32 slots[3] = {{{0}}};
	const struct access_entry list[] = {{.slots = slots, .slot_count = 3}, {.slot_count = 0}};
	tx = (struct transaction){.type = TX_ACCESS_LIST, .access_list = list, .access_count = 2};
	assert_int_equal(exec_intrinsic_gas(&tx, FORK_BERLIN), 21000 + 2 * 2400 + 3 * 1900);
	tx = (struct transaction){.type = TX_SET_CODE, .authorization_count = 2};
	assert_int_equal(exec_intrinsic_gas(&tx, FORK_PRAGUE), 21000 + 2 * 25000);
}

static void floor_gas(void **state) {
	(void)state;
	const struct transaction tx = call_with("\0\0\1", 3);
	assert_int_equal(exec_floor_gas(&tx, FORK_CANCUN), 0);
	assert_int_equal(exec_floor_gas(&tx, FORK_PRAGUE), 21000 + 10 * (2 + 4));
}

static uint64_t next_fee(uint64_t fee, uint64_t limit, uint64_t used) {
	const struct header parent = {.gas_limit = limit, .gas_used = used, .base_fee_wei = u256_from(fee)};
	const struct exec_rules rules = {.fork = FORK_LONDON};
	const u256 next = exec_next_base_fee(&parent, &rules, true);
	assert_true(u256_fits_u64(&next));
	return next.w[0];
}

static void base_fee(void **state) {
	(void)state;
	assert_int_equal(next_fee(1000000000, 20000000, 10000000), 1000000000);
	assert_int_equal(next_fee(1000000000, 20000000, 9000000), 987500000);
	assert_int_equal(next_fee(1000000000, 20000000, 11000000), 1012500000);
	assert_int_equal(next_fee(1000000000, 20000000, 0), 875000000);
	assert_int_equal(next_fee(1000000000, 20000000, 20000000), 1125000000);
	assert_int_equal(next_fee(7, 20000000, 20000000), 8); /* at least one more */
	assert_int_equal(next_fee(7, 20000000, 0), 7);
	const struct header parent = {.gas_limit = 20000000, .base_fee_wei = u256_from(5)};
	struct exec_rules rules = {.fork = FORK_LONDON};
	u256 fee = exec_next_base_fee(&parent, &rules, false);
	assert_int_equal(fee.w[0], 1000000000);
	rules.zero_base_fee = true;
	fee = exec_next_base_fee(&parent, &rules, true);
	assert_true(u256_is_zero(&fee));
}

static void blob_fees(void **state) {
	(void)state;
	const struct blob_schedule cancun = exec_blob_schedule(FORK_CANCUN);
	/* EIP-4844: e to the power of excess / fraction, rounded down step by step. */
	const struct { uint64_t excess, fee; } prices[] = {{0, 1}, {2314057, 1}, {2314058, 2}, {10 * 1024 * 1024, 23}};
	for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
		const u256 fee = exec_blob_base_fee(prices[i].excess, &cancun);
		assert_int_equal(fee.w[0], prices[i].fee);
	}
	const struct exec_rules rules = {.fork = FORK_CANCUN, .blob = cancun};
	struct header parent = {.field_count = HEADER_CANCUN, .blob_gas_used = 3 * GAS_PER_BLOB};
	assert_int_equal(exec_excess_blob_gas(&parent, &rules), 0);
	parent.blob_gas_used = 4 * GAS_PER_BLOB;
	assert_int_equal(exec_excess_blob_gas(&parent, &rules), GAS_PER_BLOB);
	parent.excess_blob_gas = GAS_PER_BLOB;
	parent.blob_gas_used = GAS_PER_BLOB;
	assert_int_equal(exec_excess_blob_gas(&parent, &rules), 0);
}

/* EIP-7918: while execution gas is dear, the excess falls no further. */
static void blob_reserve_price(void **state) {
	(void)state;
	const struct exec_rules rules = {.fork = FORK_OSAKA, .blob = exec_blob_schedule(FORK_OSAKA)};
	struct header parent = {.field_count = HEADER_PRAGUE,
	    .excess_blob_gas = 10 * GAS_PER_BLOB,
	    .blob_gas_used = 6 * GAS_PER_BLOB,
	    .base_fee_wei = u256_from(1000000000)};
	assert_int_equal(exec_excess_blob_gas(&parent, &rules), 10 * GAS_PER_BLOB + 2 * GAS_PER_BLOB);
	parent.base_fee_wei = u256_from(16); /* 2^13 * 16 = 2^17 * 1: not dear */
	assert_int_equal(exec_excess_blob_gas(&parent, &rules), 10 * GAS_PER_BLOB);
	parent.base_fee_wei = u256_from(17);
	assert_int_equal(exec_excess_blob_gas(&parent, &rules), 12 * GAS_PER_BLOB);
}

static void static_verdicts(void **state) {
	(void)state;
	const struct exec_rules osaka = {
	    .fork = FORK_OSAKA, .chain_id = u256_from(7), .blob = exec_blob_schedule(FORK_OSAKA)};
	const struct exec_rules berlin = {.fork = FORK_BERLIN, .chain_id = u256_from(7)};
	const struct transaction good = {
	    .type = TX_DYNAMIC_FEE, .has_chain_id = true, .chain_id = u256_from(7), .gas_limit = 21000};
	struct transaction tx = good;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_OK);
	assert_int_equal(exec_check_static(&tx, &berlin), TX_VERDICT_TYPE_NOT_SUPPORTED);
	tx.gas_limit = TX_GAS_CAP;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_OK);
	tx.gas_limit++;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_GAS_LIMIT_OVER_CAP);
	tx = good;
	tx.nonce = UINT64_MAX;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_NONCE_MAX);
	tx = good;
	tx.type = TX_SET_CODE;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_SET_CODE_EMPTY);
	tx.is_create = true;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_SET_CODE_CREATE);

	hash32 hashes[7];
	memset(hashes, 0, sizeof hashes);
	for (size_t i = 0; i < 7; i++) hashes[i].b[0] = 1;
	tx = good;
	tx.type = TX_BLOB;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_BLOB_NONE);
	tx.blob_hashes = hashes;
	tx.blob_count = 6;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_OK);
	tx.blob_count = 7; /* EIP-7594: six a transaction, whatever a block may hold */
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_BLOB_TOO_MANY);
	tx.blob_count = 1;
	hashes[0].b[0] = 2;
	assert_int_equal(exec_check_static(&tx, &osaka), TX_VERDICT_BLOB_VERSION);
}

static void every_verdict_has_a_text(void **state) {
	(void)state;
	for (int verdict = TX_VERDICT_TYPE_NOT_SUPPORTED; verdict < TX_VERDICT_COUNT; verdict++)
		assert_true(strlen(tx_verdict_text((enum tx_verdict)verdict)) > 5);
}

/* An empty world and a funded sender: what a transfer leaves behind. */
static void a_transfer_pays_its_fee(void **context) {
	(void)context;
	struct err err;
	struct state *state = state_new(NULL, &err);
	struct executor *executor = executor_new();
	const addr20 sender = {{1}}, to = {{2}}, coinbase = {{3}};
	const u256 funds = u256_from(10000000);
	assert_int_equal(state_set_balance(state, &sender, &funds), STATUS_OK);
	assert_int_equal(state_end_transaction(state, true), STATUS_OK);
	const struct exec_rules rules = {.fork = FORK_SHANGHAI, .chain_id = u256_from(7)};
	const struct header header = {
	    .number = 1, .gas_limit = 30000, .beneficiary = coinbase, .base_fee_wei = u256_from(100)};
	assert_int_equal(executor_begin_block(executor, state, &rules, &header, NULL, &err), STATUS_OK);
	struct transaction tx = {.type = TX_DYNAMIC_FEE,
	    .has_chain_id = true,
	    .chain_id = u256_from(7),
	    .max_fee_wei = u256_from(150),
	    .max_priority_fee_wei = u256_from(20),
	    .gas_limit = 25000,
	    .to = to,
	    .value_wei = u256_from(5)};
	struct exec_tx_result result;
	assert_int_equal(executor_run(executor, &result, &tx, &sender), STATUS_OK);
	assert_int_equal(result.verdict, TX_VERDICT_OK);
	assert_int_equal(result.gas_used, 21000);
	u256 balance;
	assert_int_equal(state_get_balance(state, &balance, &sender), STATUS_OK);
	assert_int_equal(balance.w[0], 10000000 - 21000 * 120 - 5);
	assert_int_equal(state_get_balance(state, &balance, &coinbase), STATUS_OK);
	assert_int_equal(balance.w[0], 21000 * 20);
	assert_int_equal(executor_run(executor, &result, &tx, &sender), STATUS_OK);
	assert_int_equal(result.verdict, TX_VERDICT_GAS_LIMIT_OVER_BLOCK);
	tx.gas_limit = 21000;
	assert_int_equal(executor_begin_block(executor, state, &rules, &header, NULL, &err), STATUS_OK);
	assert_int_equal(executor_run(executor, &result, &tx, &sender), STATUS_OK);
	assert_int_equal(result.verdict, TX_VERDICT_NONCE_TOO_LOW);
	tx.nonce = 1;
	tx.max_fee_wei = u256_from(99);
	assert_int_equal(executor_run(executor, &result, &tx, &sender), STATUS_OK);
	assert_int_equal(result.verdict, TX_VERDICT_FEE_CAP_BELOW_BASE_FEE);
	tx.max_fee_wei = u256_from(1000);
	assert_int_equal(executor_run(executor, &result, &tx, &sender), STATUS_OK);
	assert_int_equal(result.verdict, TX_VERDICT_INSUFFICIENT_FUNDS);
	/* A call needs no nonce and, at a price of zero, no base fee. */
	tx = (struct transaction){.type = TX_LEGACY, .gas_limit = 21000, .to = to, .value_wei = u256_from(1)};
	const size_t before = state_snapshot(state);
	assert_int_equal(executor_call(executor, &result, &tx, &sender), STATUS_OK);
	assert_int_equal(result.verdict, TX_VERDICT_OK);
	assert_int_equal(state_get_balance(state, &balance, &to), STATUS_OK);
	assert_int_equal(balance.w[0], 6);
	state_revert_to(state, before);
	assert_int_equal(state_get_balance(state, &balance, &to), STATUS_OK);
	assert_int_equal(balance.w[0], 5);
	executor_free(executor);
	state_free(state);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(intrinsic_gas),
	    cmocka_unit_test(floor_gas),
	    cmocka_unit_test(base_fee),
	    cmocka_unit_test(blob_fees),
	    cmocka_unit_test(blob_reserve_price),
	    cmocka_unit_test(static_verdicts),
	    cmocka_unit_test(every_verdict_has_a_text),
	    cmocka_unit_test(a_transfer_pays_its_fee),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
