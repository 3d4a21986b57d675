/* One transaction, from buying its gas to its receipt (Yellow Paper §6). */
#include "ledger/exec/executor.h"

static bool rule(const struct executor *executor, enum fork fork) {
	return executor->rules.fork >= fork;
}

/* Only a call or a simulation may name no price for its blobs: it pays none. */
static enum status buy_gas(
    struct executor *executor, const struct transaction *tx, const addr20 *sender, const u256 *price_wei) {
	const u256 limit = u256_from(tx->gas_limit), blob_gas = u256_from(tx->blob_count * GAS_PER_BLOB);
	u256 cost = u256_mul(&limit, price_wei);
	const u256 blob_price = u256_is_zero(&tx->max_blob_fee_wei) ? u256_from(0) : executor->env.blob_base_fee_wei;
	const u256 blob_cost = u256_mul(&blob_gas, &blob_price);
	u256_add_overflow(&cost, &cost, &blob_cost);
	return state_sub_balance(executor->state, sender, &cost);
}

/* EIP-2929, 2930, 3651: what is warm before the machine starts (which warms designated code itself). */
static void warm_up(struct executor *executor, const struct transaction *tx, const addr20 *sender) {
	struct state *state = executor->state;
	if (!rule(executor, FORK_BERLIN)) return;
	state_warm_account(state, sender);
	if (rule(executor, FORK_SHANGHAI)) state_warm_account(state, &executor->env.coinbase);
	for (size_t i = 0; i < tx->access_count; i++) {
		const struct access_entry *entry = &tx->access_list[i];
		state_warm_account(state, &entry->address);
		for (size_t k = 0; k < entry->slot_count; k++) {
			const u256 slot = u256_load_be(entry->slots[k].b);
			state_warm_slot(state, &entry->address, &slot);
		}
	}
	if (!tx->is_create) state_warm_account(state, &tx->to);
}

/* Runs the machine; `result` then holds what is left of the gas limit and what is to be given back at most. */
static enum status run_message(struct executor *executor, struct evm_result *result, const struct transaction *tx,
    const addr20 *sender, const u256 *price_wei) {
	struct state *state = executor->state;
	int64_t authorization_refund = 0;
	uint64_t nonce;
	TRY(state_get_nonce(state, &nonce, sender));
	TRY(state_set_nonce(state, sender, nonce + 1));
	TRY(exec_apply_authorizations(executor, &authorization_refund, tx));
	warm_up(executor, tx, sender);

	const struct evm_tx_env env = {.origin = *sender,
	    .gas_price_wei = *price_wei,
	    .blob_hashes = tx->blob_hashes,
	    .blob_count = tx->blob_count};
	evm_set_tx(executor->evm, &env);
	const struct evm_message message = {
	    .kind = tx->is_create ? EVM_CREATE : EVM_CALL,
	    .gas = tx->gas_limit - exec_intrinsic_gas(tx, executor->rules.fork),
	    .sender = *sender,
	    .recipient = tx->to,
	    .code_address = tx->to,
	    .value_wei = tx->value_wei,
	    .input = tx->data,
	};
	TRY(evm_execute(executor->evm, result, &message));
	result->refund_gas += authorization_refund;
	return STATUS_OK;
}

static void count_gas(const struct executor *executor, struct exec_tx_result *result, const struct transaction *tx,
    const struct evm_result *run) {
	const enum fork fork = executor->rules.fork;
	const uint64_t peak = tx->gas_limit - run->gas_left;
	const uint64_t most = peak / (fork >= FORK_LONDON ? 5 : 2);
	const uint64_t refund = run->refund_gas > 0 ? (uint64_t)run->refund_gas : 0;
	const uint64_t used = peak - (refund < most ? refund : most);
	const uint64_t floor = exec_floor_gas(tx, fork);
	result->gas_used = used < floor ? floor : used;
	result->peak_gas = peak < floor ? floor : peak;
}

static enum status settle(struct executor *executor, const struct transaction *tx, const addr20 *sender,
    const u256 *price_wei, uint64_t gas_used) {
	const u256 left = u256_from(tx->gas_limit - gas_used), used = u256_from(gas_used);
	const u256 back = u256_mul(&left, price_wei);
	TRY(state_add_balance(executor->state, sender, &back));
	u256 tip = *price_wei;
	if (rule(executor, FORK_LONDON) && u256_sub_overflow(&tip, &tip, &executor->env.base_fee_wei))
		tip = u256_from(0); /* eth_call with a price of zero */
	const u256 reward = u256_mul(&used, &tip);
	return state_add_balance(executor->state, &executor->env.coinbase, &reward);
}

static enum status apply(
    struct executor *executor, struct exec_tx_result *result, const struct transaction *tx, const addr20 *sender) {
	const u256 price = exec_gas_price(executor, tx);
	struct evm_result run;
	TRY(buy_gas(executor, tx, sender, &price));
	TRY(run_message(executor, &run, tx, sender, &price));
	result->outcome = run.outcome;
	result->output = run.output;
	result->created = run.created;
	result->is_create = tx->is_create;
	count_gas(executor, result, tx, &run);
	return settle(executor, tx, sender, &price, result->gas_used);
}

static struct log *copy_logs(struct arena *arena, const struct log *logs, size_t count) {
	struct log *copy = arena_alloc(arena, count * sizeof *copy);
	for (size_t i = 0; i < count; i++) {
		copy[i] = logs[i];
		copy[i].data = arena_dup(arena, logs[i].data);
	}
	return copy;
}

static void make_receipt(struct executor *executor, struct exec_tx_result *result, const struct transaction *tx) {
	struct receipt *receipt = &result->receipt;
	*receipt = (struct receipt){.type = tx->type,
	    .success = result->outcome == EVM_SUCCESS,
	    .cumulative_gas = executor->gas_used + result->gas_used};
	const struct log *logs = state_logs(executor->state, &receipt->log_count);
	receipt->logs = copy_logs(&executor->arena, logs, receipt->log_count);
	for (size_t i = 0; i < receipt->log_count; i++) bloom_add_log(receipt->bloom, &logs[i]);
}

static void keep_receipt(struct executor *executor, const struct receipt *receipt) {
	if (executor->receipt_count == executor->receipt_cap) {
		executor->receipt_cap = executor->receipt_cap == 0 ? 64 : 2 * executor->receipt_cap;
		executor->receipts =
		    mem_realloc(executor->receipts, executor->receipt_cap * sizeof *executor->receipts);
	}
	executor->receipts[executor->receipt_count++] = *receipt;
	if (receipt->log_count == 0) return;
	for (size_t i = 0; i < BLOOM_BYTES; i++) executor->bloom[i] |= receipt->bloom[i];
}

/* A transaction that was found good, to its receipt. */
static enum status run_to_receipt(
    struct executor *executor, struct exec_tx_result *result, const struct transaction *tx, const addr20 *sender) {
	TRY(apply(executor, result, tx, sender));
	make_receipt(executor, result, tx);
	TRY(state_end_transaction(executor->state, rule(executor, FORK_SPURIOUS)));
	if (!rule(executor, FORK_BYZANTIUM)) {
		result->receipt.has_root = true;
		if (executor->roots.root != NULL)
			TRY(executor->roots.root(executor->roots.context, &result->receipt.root, executor->state));
	}
	executor->gas_used += result->gas_used;
	executor->blob_gas_used += tx->blob_count * GAS_PER_BLOB;
	keep_receipt(executor, &result->receipt);
	return STATUS_OK;
}

enum status executor_run(
    struct executor *executor, struct exec_tx_result *result, const struct transaction *tx, const addr20 *sender) {
	*result = (struct exec_tx_result){0};
	TRY(exec_validate(executor, &result->verdict, tx, sender));
	return result->verdict == TX_VERDICT_OK ? run_to_receipt(executor, result, tx, sender) : STATUS_OK;
}

static enum status check_simulated(struct executor *executor, enum tx_verdict *verdict, const struct transaction *tx,
    const addr20 *sender, bool strict) {
	const enum fork fork = executor->rules.fork;
	const bool names_price = !u256_is_zero(&tx->max_fee_wei) || !u256_is_zero(&tx->max_priority_fee_wei);
	const bool names_blob_price = tx->blob_count > 0 && (strict || !u256_is_zero(&tx->max_blob_fee_wei));
	u256 balance, cost;
	uint64_t nonce;
	TRY(state_get_balance(executor->state, &balance, sender));
	TRY(state_get_nonce(executor->state, &nonce, sender));
	*verdict = TX_VERDICT_OK;
	if (strict && tx->nonce == UINT64_MAX)
		*verdict = TX_VERDICT_NONCE_MAX;
	else if (strict && tx->nonce != nonce)
		*verdict = tx->nonce < nonce ? TX_VERDICT_NONCE_TOO_LOW : TX_VERDICT_NONCE_TOO_HIGH;
	else if (u256_less(&tx->max_fee_wei, &tx->max_priority_fee_wei))
		*verdict = TX_VERDICT_TIP_ABOVE_FEE_CAP;
	else if ((strict || names_price) && u256_less(&tx->max_fee_wei, &executor->env.base_fee_wei))
		*verdict = TX_VERDICT_FEE_CAP_BELOW_BASE_FEE;
	else if (names_blob_price && u256_less(&tx->max_blob_fee_wei, &executor->env.blob_base_fee_wei))
		*verdict = TX_VERDICT_BLOB_FEE_CAP;
	else if (exec_total_cost(&cost, tx, &tx->max_fee_wei, &tx->max_blob_fee_wei) || u256_less(&balance, &cost))
		*verdict = TX_VERDICT_INSUFFICIENT_FUNDS;
	else if (tx->gas_limit < exec_intrinsic_gas(tx, fork))
		*verdict = TX_VERDICT_INTRINSIC_GAS;
	else if (tx->gas_limit < exec_floor_gas(tx, fork))
		*verdict = TX_VERDICT_FLOOR_GAS;
	else if (tx->is_create && fork >= FORK_SHANGHAI && tx->data.len > INIT_CODE_MAX_BYTES)
		*verdict = TX_VERDICT_INIT_CODE_TOO_LARGE;
	return STATUS_OK;
}

enum status executor_simulate(struct executor *executor, struct exec_tx_result *result, const struct transaction *tx,
    const addr20 *sender, bool strict) {
	*result = (struct exec_tx_result){0};
	TRY(check_simulated(executor, &result->verdict, tx, sender, strict));
	return result->verdict == TX_VERDICT_OK ? run_to_receipt(executor, result, tx, sender) : STATUS_OK;
}

/* A call that is never mined: what the caller left open (nonce, fees) does not count against it. */
static enum status check_call(
    struct executor *executor, enum tx_verdict *verdict, const struct transaction *tx, const addr20 *sender) {
	const struct evm_block_env *env = &executor->env;
	const enum fork fork = executor->rules.fork;
	u256 balance, cost;
	TRY(state_get_balance(executor->state, &balance, sender));
	*verdict = TX_VERDICT_OK;
	if (u256_less(&tx->max_fee_wei, &tx->max_priority_fee_wei))
		*verdict = TX_VERDICT_TIP_ABOVE_FEE_CAP;
	else if (!u256_is_zero(&tx->max_fee_wei) && u256_less(&tx->max_fee_wei, &env->base_fee_wei))
		*verdict = TX_VERDICT_FEE_CAP_BELOW_BASE_FEE;
	else if (!u256_is_zero(&tx->max_blob_fee_wei) && u256_less(&tx->max_blob_fee_wei, &env->blob_base_fee_wei))
		*verdict = TX_VERDICT_BLOB_FEE_CAP;
	else if (tx->is_create && fork >= FORK_SHANGHAI && tx->data.len > INIT_CODE_MAX_BYTES)
		*verdict = TX_VERDICT_INIT_CODE_TOO_LARGE;
	else if (tx->gas_limit < exec_intrinsic_gas(tx, fork))
		*verdict = TX_VERDICT_INTRINSIC_GAS;
	else if (tx->gas_limit < exec_floor_gas(tx, fork))
		*verdict = TX_VERDICT_FLOOR_GAS;
	else if (exec_total_cost(&cost, tx, &tx->max_fee_wei, &tx->max_blob_fee_wei) || u256_less(&balance, &cost))
		*verdict = TX_VERDICT_INSUFFICIENT_FUNDS;
	return STATUS_OK;
}

enum status executor_call(
    struct executor *executor, struct exec_tx_result *result, const struct transaction *tx, const addr20 *sender) {
	*result = (struct exec_tx_result){0};
	TRY(check_call(executor, &result->verdict, tx, sender));
	if (result->verdict != TX_VERDICT_OK) return STATUS_OK;
	const u256 base_fee = executor->env.base_fee_wei, blob_base_fee = executor->env.blob_base_fee_wei;
	struct evm_block_env env = executor->env;
	if (u256_is_zero(&tx->max_fee_wei)) env.base_fee_wei = u256_from(0); /* as geth: BASEFEE is 0 then, too */
	if (tx->blob_count > 0 && u256_is_zero(&tx->max_blob_fee_wei)) env.blob_base_fee_wei = u256_from(0);
	executor->env = env;
	evm_set_block(executor->evm, executor->rules.fork, &executor->env);
	const enum status status = apply(executor, result, tx, sender);
	executor->env.base_fee_wei = base_fee;
	executor->env.blob_base_fee_wei = blob_base_fee;
	TRY(status);
	make_receipt(executor, result, tx);
	return STATUS_OK;
}
