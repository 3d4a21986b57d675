/*
 * Running a call that will not be mined. A worker keeps its state and machine standing at the newest block, so that the
 * next call there finds warm caches: every run is undone by the state's journal.
 */
#include "ledger/rpc/rpc_run.h"

#include <stdio.h>

/* A prepared state is made anew after this many units: runs, and millions of gas (both leave memory behind). */
#define USES_MAX 512u
#define REASON_SHOWN_BYTES 1024u

void rpc_worker_forget(struct rpc_worker *worker) {
	if (worker->prepared) chain_head_release(worker->prepared);
	worker->prepared = NULL;
	worker->prepared_uses = 0;
}

enum status rpc_executor_begin(struct rpc_call *call, const struct state_source *source, const struct exec_rules *rules,
    const struct header *header, bool opens_block) {
	struct rpc_worker *worker = call->worker;
	const struct exec_block_hashes hashes = chain_block_hashes(call->rpc->options.chain);
	rpc_worker_forget(worker);
	worker->source = *source;
	worker->err.message[0] = 0;
	if (worker->state)
		state_reset(worker->state, &worker->source);
	else
		worker->state = state_new(&worker->source, &worker->err);
	if (!worker->executor) {
		worker->executor = executor_new();
		evm_set_interrupt(executor_evm(worker->executor), &worker->interrupt);
	}
	evm_set_precompile_moves(executor_evm(worker->executor), NULL, 0);
	if (!opens_block) {
		executor_begin_calls(worker->executor, worker->state, rules, header, &hashes, &worker->err);
		return STATUS_OK;
	}
	enum status status =
	    executor_begin_block(worker->executor, worker->state, rules, header, &hashes, &worker->err);
	if (status != STATUS_OK) call->err = worker->err;
	return status;
}

static enum status prepare(struct rpc_call *call, struct rpc_run *run, struct rpc_overrides *overrides, bool plain) {
	struct rpc_worker *worker = call->worker;
	struct rpc_state *state = &run->state;
	if (plain && state->head && worker->prepared && hash32_equal(&worker->prepared->hash, &state->hash) &&
	    worker->prepared_uses < USES_MAX)
		return STATUS_OK;
	const struct state_source source = overrides ? rpc_overrides_source(overrides, &state->source) : state->source;
	struct evm_precompile_move *moves;
	size_t move_count;
	TRY(rpc_overrides_moves(call, overrides, run->rules.fork, &moves, &move_count));
	TRY(rpc_executor_begin(call, &source, &run->rules, &run->header, false));
	evm_set_precompile_moves(executor_evm(worker->executor), moves, move_count);
	if (!plain || !state->head) return STATUS_OK;
	worker->prepared = state->head; /* the worker's from now on; the view lives as long */
	state->head = NULL;
	return STATUS_OK;
}

/* Fills gas and type of what the caller left open; nothing is charged where no price was named. */
static enum status complete(struct rpc_call *call, struct rpc_run *run) {
	struct rpc_tx_args *args = &run->args;
	struct transaction *tx = &args->tx;
	const u256 chain_id = run->rules.chain_id;
	if (args->has_chain_id && !u256_equal(&tx->chain_id, &chain_id)) {
		char have[80], want[80];
		u256_to_decimal(have, &tx->chain_id);
		u256_to_decimal(want, &chain_id);
		return rpc_fail(call, RPC_SERVER_ERROR, "chainId does not match node's (have=%s, want=%s)", have, want);
	}
	tx->chain_id = chain_id;
	tx->has_chain_id = true;
	if (tx->type == TX_DYNAMIC_FEE && !args->has_max_fee && !args->has_max_priority_fee && !args->has_access_list)
		tx->type = TX_LEGACY;
	const uint64_t cap = call->rpc->options.gas_cap;
	if (!args->has_gas || tx->gas_limit > cap) tx->gas_limit = cap;
	return STATUS_OK;
}

/* Those of eth_simulateV1 alone: a call opens and ends no block. */
static enum status refuse_whole_blocks(struct rpc_call *call, const struct rpc_block_override *block) {
	if (!block->has_beacon_root && !block->has_withdrawals) return STATUS_OK;
	return rpc_fail(call, RPC_SERVER_ERROR, "block override \"%s\" is not supported for this RPC method",
	    block->has_beacon_root ? "beaconRoot" : "withdrawals");
}

static enum status open_with(struct rpc_call *call, struct rpc_run *run, const struct json *overrides_json,
    const struct json *header_json, const struct rpc_block_id *id) {
	struct rpc_overrides *overrides;
	struct rpc_block_override block;
	run->form = RPC_VERDICT_OF_CALL;
	TRY(rpc_overrides_parse(call, &overrides, overrides_json, 2));
	TRY(rpc_state_open(call, &run->state, id));
	run->header = run->state.header;
	enum status status = rpc_override_block(call, &block, &run->header, header_json, 3);
	if (status == STATUS_OK) status = refuse_whole_blocks(call, &block);
	run->rules = chain_rules(call->rpc->options.chain, &run->header);
	if (status == STATUS_OK) status = complete(call, run);
	const bool is_sealed = id->kind != RPC_BLOCK_PENDING && id->kind != RPC_BLOCK_NEXT;
	const bool plain = !overrides && !header_json && is_sealed;
	if (status == STATUS_OK) status = prepare(call, run, overrides, plain);
	if (status == STATUS_OK && block.has_blob_base_fee)
		executor_set_blob_base_fee(call->worker->executor, &block.blob_base_fee_wei);
	if (status != STATUS_OK) rpc_state_close(&run->state);
	return status;
}

enum status rpc_run_open(struct rpc_call *call, struct rpc_run *run) {
	struct rpc_block_id id;
	TRY(rpc_param_tx(call, &run->args, 0));
	TRY(rpc_param_block(call, &id, 1));
	return open_with(call, run, rpc_param(call, 2), rpc_param(call, 3), &id);
}

/*
 * Where what will become a transaction runs if no block is named: in the block that would come next. A chain that
 * seals what is sent and nothing else may have a newest block that is days old. With test methods, or if nobody seals
 * here, as geth: on the newest block.
 */
static struct rpc_block_id next_id(const struct rpc_call *call) {
	const struct rpc_options *options = &call->rpc->options;
	const bool seals = options->dev || (options->engine && !options->test_methods);
	return (struct rpc_block_id){.kind = seals ? RPC_BLOCK_NEXT : RPC_BLOCK_LATEST};
}

enum status rpc_run_open_to_send(struct rpc_call *call, struct rpc_run *run) {
	struct rpc_block_id id = next_id(call);
	TRY(rpc_param_tx(call, &run->args, 0));
	if (rpc_param(call, 1)) TRY(rpc_param_block(call, &id, 1));
	return open_with(call, run, rpc_param(call, 2), rpc_param(call, 3), &id);
}

enum status rpc_run_open_traced(struct rpc_call *call, struct rpc_run *run) {
	struct rpc_block_id id;
	const struct json *config = rpc_param(call, 2);
	TRY(rpc_param_tx(call, &run->args, 0));
	TRY(rpc_param_block(call, &id, 1));
	return open_with(call, run, json_get(config, "stateOverrides"), json_get(config, "blockOverrides"), &id);
}

enum status rpc_run_open_next(struct rpc_call *call, struct rpc_run *run, const struct rpc_tx_args *args) {
	const struct rpc_block_id id = next_id(call);
	run->args = *args;
	return open_with(call, run, NULL, NULL, &id);
}

void rpc_run_close(struct rpc_run *run) {
	rpc_state_close(&run->state);
}

enum status rpc_run_once(
    struct rpc_call *call, struct exec_tx_result *result, const struct transaction *tx, const addr20 *from) {
	struct rpc_worker *worker = call->worker;
	const size_t snapshot = state_snapshot(worker->state);
	enum status status = executor_call(worker->executor, result, tx, from);
	if (status != STATUS_OK) {
		call->err = worker->err;
		rpc_worker_forget(worker);
		return status;
	}
	state_revert_to(worker->state, snapshot);
	worker->spent_gas += result->gas_used;
	worker->prepared_uses += 1 + (unsigned)(result->gas_used / 1000000);
	return STATUS_OK;
}

/* --- what a failed run says --- */

static const char *panic_text(uint64_t code) {
	static const struct {
		uint64_t code;
		const char *text;
	} panics[] = {{0x00, "generic panic"}, {0x01, "assert(false)"}, {0x11, "arithmetic underflow or overflow"},
	    {0x12, "division or modulo by zero"}, {0x21, "enum overflow"},
	    {0x22, "invalid encoded storage byte array accessed"},
	    {0x31, "out-of-bounds array access; popping on an empty array"},
	    {0x32, "out-of-bounds access of an array or bytesN"}, {0x41, "out of memory"},
	    {0x51, "uninitialized function"}};
	for (size_t i = 0; i < sizeof panics / sizeof *panics; i++)
		if (panics[i].code == code) return panics[i].text;
	return NULL;
}

struct bytes rpc_revert_reason(struct bytes output, char panic[RPC_PANIC_TEXT_BYTES]) {
	const size_t panic_size = RPC_PANIC_TEXT_BYTES;
	const struct bytes none = {NULL, 0};
	if (output.len >= 36 && load_be32(output.data) == 0x4e487b71) {
		const u256 code = u256_load_be(output.data + 4);
		const char *text = u256_fits_u64(&code) ? panic_text(code.w[0]) : NULL;
		int len = text ? snprintf(panic, panic_size, "%s", text)
			       : snprintf(panic, panic_size, "unknown panic code: %#llx",
				     (unsigned long long)u256_clamp_u64(&code));
		return bytes_make(panic, (size_t)len);
	}
	if (output.len < 68 || load_be32(output.data) != 0x08c379a0) return none;
	const u256 offset = u256_load_be(output.data + 4), length = u256_load_be(output.data + 36);
	if (!u256_fits_u64(&offset) || offset.w[0] != 32) return none;
	if (!u256_fits_u64(&length) || length.w[0] > output.len - 68) return none;
	return bytes_slice(output, 68, length.w[0]);
}

void rpc_put_revert(struct buf *out, struct bytes output) {
	char panic[RPC_PANIC_TEXT_BYTES];
	const struct bytes reason = rpc_revert_reason(output, panic);
	buf_text(out, "execution reverted");
	if (!reason.len) return;
	buf_text(out, ": ");
	buf_append(out, bytes_slice(reason, 0, REASON_SHOWN_BYTES));
}

static enum status fail_reverted(struct rpc_call *call, struct bytes output) {
	rpc_fail(call, RPC_REVERTED, "%s", "");
	rpc_put_revert(&call->error_message, output);
	rpc_fail_data(call, output);
	return STATUS_INVALID;
}

enum status rpc_fail_run(struct rpc_call *call, const struct exec_tx_result *result, const struct rpc_run *run) {
	const struct rpc_failed_tx failed = {&run->args.tx, &run->args.from, &run->header, run->rules.fork, run->form};
	if (result->verdict != TX_VERDICT_OK) return rpc_fail_verdict(call, RPC_SERVER_ERROR, result->verdict, &failed);
	if (result->outcome == EVM_REVERT) return fail_reverted(call, result->output);
	return rpc_fail(call, RPC_SERVER_ERROR, "%s", rpc_fault_text(call, run->rules.fork, result->outcome));
}
