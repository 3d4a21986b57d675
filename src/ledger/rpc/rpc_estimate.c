/* eth_estimateGas: the least gas limit, found by halving. */
#include "ledger/rpc/rpc_run.h"

#define TX_GAS ((uint64_t)21000)
#define CALL_STIPEND ((uint64_t)2300)

/* The most that the sender's balance buys at the fee named; STATUS_INVALID if the value alone is too much. */
static enum status cap_by_funds(struct rpc_call *call, uint64_t *high, const struct rpc_run *run) {
	const struct transaction *tx = &run->args.tx;
	u256 balance, available;
	if (u256_is_zero(&tx->max_fee_wei)) return STATUS_OK;
	enum status status = state_get_balance(call->worker->state, &balance, &run->args.from);
	if (status != STATUS_OK) {
		call->err = call->worker->err;
		return status;
	}
	if (u256_sub_overflow(&available, &balance, &tx->value_wei))
		return rpc_fail(call, RPC_SERVER_ERROR, "insufficient funds for transfer");
	const u256 allowance = u256_div(&available, &tx->max_fee_wei);
	const uint64_t affordable = u256_clamp_u64(&allowance);
	if (affordable < *high) *high = affordable;
	return STATUS_OK;
}

static uint64_t upper_bound(const struct rpc_call *call, const struct rpc_run *run) {
	uint64_t high =
	    run->args.has_gas && run->args.tx.gas_limit >= TX_GAS ? run->args.tx.gas_limit : run->header.gas_limit;
	if (run->rules.fork >= FORK_OSAKA && high > TX_GAS_CAP) high = TX_GAS_CAP;
	return high > call->rpc->options.gas_cap ? call->rpc->options.gas_cap : high;
}

/* `*fits` false: with this limit it fails; a failure that more gas cannot cure ends the search at its first run. */
static enum status try_limit(
    struct rpc_call *call, struct exec_tx_result *result, bool *fits, const struct rpc_run *run, uint64_t gas) {
	struct transaction tx = run->args.tx;
	tx.gas_limit = gas;
	TRY(rpc_run_once(call, result, &tx, &run->args.from));
	*fits = result->verdict == TX_VERDICT_OK && result->outcome == EVM_SUCCESS;
	return STATUS_OK;
}

/* As geth counts it: with what is found while a price is reckoned. */
static bool lacks_gas(const struct exec_tx_result *result) {
	if (result->verdict != TX_VERDICT_OK)
		return result->verdict == TX_VERDICT_INTRINSIC_GAS || result->verdict == TX_VERDICT_FLOOR_GAS;
	return result->outcome == EVM_OUT_OF_GAS || result->outcome == EVM_MEMORY_OVERFLOW ||
	       result->outcome == EVM_SSTORE_SENTRY || result->outcome == EVM_INIT_CODE_TOO_LARGE;
}

static enum status fail_at_most(
    struct rpc_call *call, const struct exec_tx_result *result, const struct rpc_run *run, uint64_t high) {
	struct rpc_run highest = *run;
	highest.args.tx.gas_limit = high;
	highest.form = RPC_VERDICT_OF_ESTIMATE;
	if (!lacks_gas(result)) return rpc_fail_run(call, result, &highest);
	return rpc_fail(call, RPC_SERVER_ERROR, "gas required exceeds allowance (%llu)", (unsigned long long)high);
}

/* A plain payment to an account without code costs exactly this. */
static enum status is_plain_transfer(struct rpc_call *call, bool *plain, const struct rpc_run *run) {
	const struct transaction *tx = &run->args.tx;
	struct state_code code;
	*plain = false;
	if (tx->is_create || tx->data.len || tx->access_count || tx->authorization_count) return STATUS_OK;
	enum status status = state_get_code(call->worker->state, &code, &tx->to);
	if (status != STATUS_OK) call->err = call->worker->err;
	*plain = status == STATUS_OK && code.bytes.len == 0;
	return status;
}

enum status rpc_estimate(struct rpc_call *call, uint64_t *gas, struct rpc_run *run) {
	struct exec_tx_result result;
	bool fits, plain;
	uint64_t high = upper_bound(call, run);
	TRY(cap_by_funds(call, &high, run));
	TRY(is_plain_transfer(call, &plain, run));
	if (plain && high >= TX_GAS) {
		TRY(try_limit(call, &result, &fits, run, TX_GAS));
		*gas = TX_GAS;
		if (fits && result.gas_used == TX_GAS) return STATUS_OK;
	}
	TRY(try_limit(call, &result, &fits, run, high));
	if (!fits) return fail_at_most(call, &result, run, high);
	uint64_t low = result.gas_used - 1;
	/* Calls keep back a 64th for their caller (EIP-150); a limit just above that mostly fits. */
	const uint64_t guess = (result.gas_used + CALL_STIPEND) * 64 / 63;
	if (guess < high) {
		TRY(try_limit(call, &result, &fits, run, guess));
		*(fits ? &high : &low) = guess;
	}
	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2;
		if (low > 0 && middle / 2 > low) middle = low * 2; /* most need little more than they used */
		TRY(try_limit(call, &result, &fits, run, middle));
		*(fits ? &high : &low) = middle;
	}
	*gas = high;
	return STATUS_OK;
}
