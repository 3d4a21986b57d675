/* debug_trace*: blocks, transactions and calls run once more, watched. */
#include "ledger/rpc/rpc_trace.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_run.h"
#include "ledger/rpc/rpc_write.h"

/* --- what tracers share --- */

struct bytes trace_keep(struct trace *trace, struct bytes data) {
	trace->kept_bytes += data.len;
	if (trace->kept_bytes > trace->call->rpc->options.response_max) return (struct bytes){NULL, 0};
	return arena_dup(trace->call->arena, data);
}

const char *trace_opcode_name(const struct trace *trace, uint8_t opcode) {
	return rpc_opcode_name(trace->call->arena, trace->fork, opcode);
}

const char *trace_error_text(const struct trace *trace, enum evm_outcome outcome) {
	return rpc_fault_text(trace->call, trace->fork, outcome);
}

/* --- options --- */

static enum status take_flag(
    struct rpc_call *call, bool *out, const struct json *object, const char *name, size_t index) {
	const struct json *value = json_get(object, name);
	if (!value) return STATUS_OK;
	if (!json_is(value, JSON_TRUE) && !json_is(value, JSON_FALSE))
		return rpc_bad_param(call, index, "%s: expected true or false", name);
	*out = json_is(value, JSON_TRUE);
	return STATUS_OK;
}

/* Members that other clients know (timeout, reexec, …) and that mean nothing here are passed over. */
static enum status take_options(struct rpc_call *call, struct trace_options *out, size_t index) {
	static const struct tracer *const named[] = {&trace_calls, &trace_prestate, &trace_4byte, &trace_nothing};
	const struct json *config = rpc_param(call, index);
	*out = (struct trace_options){.tracer = &trace_opcodes};
	if (!config) return STATUS_OK;
	if (!json_is(config, JSON_OBJECT)) return rpc_bad_param(call, index, "expected an object");
	const struct json *name = json_get(config, "tracer"), *own = json_get(config, "tracerConfig");
	if (own && !json_is(own, JSON_OBJECT)) return rpc_bad_param(call, index, "tracerConfig: expected an object");
	if (json_string(name).len > 0) {
		out->tracer = NULL;
		for (size_t i = 0; i < sizeof named / sizeof *named; i++)
			if (json_string_is(name, named[i]->name)) out->tracer = named[i];
		if (!out->tracer)
			return rpc_fail(call, RPC_SERVER_ERROR,
			    "no such tracer: callTracer, prestateTracer, 4byteTracer, noopTracer, or none");
	}
	TRY(take_flag(call, &out->no_stack, config, "disableStack", index));
	TRY(take_flag(call, &out->no_storage, config, "disableStorage", index));
	TRY(take_flag(call, &out->with_memory, config, "enableMemory", index));
	TRY(take_flag(call, &out->with_return_data, config, "enableReturnData", index));
	const struct json *limit = json_get(config, "limit");
	if (limit && !json_u64(&out->limit, limit)) return rpc_bad_param(call, index, "limit: expected a number");
	TRY(take_flag(call, &out->only_top_call, own, "onlyTopCall", index));
	TRY(take_flag(call, &out->with_log, own, "withLog", index));
	TRY(take_flag(call, &out->diff_mode, own, "diffMode", index));
	TRY(take_flag(call, &out->no_code, own, "disableCode", index));
	TRY(take_flag(call, &out->no_slots, own, "disableStorage", index));
	return take_flag(call, &out->with_empty, own, "includeEmpty", index);
}

/* --- running --- */

typedef enum status execute(
    struct executor *executor, struct exec_tx_result *result, const struct transaction *tx, const addr20 *sender);

/* Runs the transaction with `run` under the tracer and writes its value. */
static enum status run_traced(struct trace *trace, struct exec_tx_result *result, execute *run) {
	struct rpc_worker *worker = trace->call->worker;
	struct evm *evm = executor_evm(worker->executor);
	trace->hooks = (struct evm_tracer){.context = trace};
	enum status status = trace->options->tracer->begin(trace);
	if (status == STATUS_OK) {
		evm_set_tracer(evm, &trace->hooks);
		status = run(worker->executor, result, trace->tx, &trace->from);
		evm_set_tracer(evm, NULL);
	}
	if (status == STATUS_OK) status = trace->failure;
	if (status != STATUS_OK) {
		trace->call->err = worker->err;
		return status;
	}
	if (result->verdict != TX_VERDICT_OK) return STATUS_OK;
	if (trace->kept_bytes > trace->call->rpc->options.response_max)
		return rpc_fail(trace->call, RPC_TOO_LARGE, "response too large");
	return trace->options->tracer->finish(trace, result);
}

/* A block on the state before it. */
struct replay {
	struct rpc_call *call;
	struct rpc_state parent;
	struct exec_rules rules;
	const struct block *block;
};

static enum status replay_open(
    struct rpc_call *call, struct replay *replay, const struct block *block, const struct rpc_block_id *parent) {
	*replay = (struct replay){.call = call, .block = block};
	replay->rules = chain_rules(call->rpc->options.chain, &block->header);
	TRY(rpc_state_open(call, &replay->parent, parent));
	const struct state_source source = state_view_source(replay->parent.view);
	enum status status = rpc_executor_begin(call, &source, &replay->rules, &block->header, true);
	if (status != STATUS_OK) rpc_state_close(&replay->parent);
	return status;
}

/* A canonical block's transactions are valid; a block that was given may hold others. */
static enum status refuse_invalid(struct rpc_call *call, const struct exec_tx_result *result, size_t index) {
	if (result->verdict == TX_VERDICT_OK) return STATUS_OK;
	return rpc_fail(call, RPC_SERVER_ERROR, "transaction %zu: %s", index, tx_verdict_text(result->verdict));
}

static enum status replay_plain(struct replay *replay, size_t index, const addr20 *sender) {
	struct rpc_worker *worker = replay->call->worker;
	struct exec_tx_result result;
	enum status status = executor_run(worker->executor, &result, &replay->block->transactions[index], sender);
	if (status == STATUS_OK) worker->spent_gas += result.gas_used;
	if (status == STATUS_OK) return refuse_invalid(replay->call, &result, index);
	replay->call->err = worker->err;
	return status;
}

static enum status replay_traced(
    struct replay *replay, const struct trace_options *options, size_t index, const addr20 *sender) {
	struct rpc_call *call = replay->call;
	struct exec_tx_result result;
	struct trace trace = {.call = call,
	    .options = options,
	    .state = call->worker->state,
	    .fork = replay->rules.fork,
	    .coinbase = replay->block->header.beneficiary,
	    .tx = &replay->block->transactions[index],
	    .from = *sender};
	TRY(run_traced(&trace, &result, executor_run));
	call->worker->spent_gas += result.gas_used;
	return refuse_invalid(call, &result, index);
}

static enum status trace_each(struct replay *replay, const struct trace_options *options) {
	struct rpc_call *call = replay->call;
	for (size_t i = 0; i < replay->block->transaction_count; i++) {
		const hash32 hash = transaction_hash(&replay->block->transactions[i]);
		const struct arena_mark mark = arena_mark(call->arena);
		addr20 sender;
		TRY(rpc_sender_of(call, &sender, &replay->block->transactions[i], replay->rules.fork));
		json_object_begin(&call->out, NULL);
		json_put_hex(&call->out, "txHash", BYTES_OF(hash));
		json_put_name(&call->out, "result");
		call->out.needs_comma = false;
		TRY(replay_traced(replay, options, i, &sender));
		json_object_end(&call->out);
		arena_rewind(call->arena, mark);
	}
	return STATUS_OK;
}

static enum status trace_block(
    struct rpc_call *call, const struct block *block, const struct rpc_block_id *parent, size_t config_index) {
	struct trace_options options;
	struct replay replay;
	TRY(take_options(call, &options, config_index));
	TRY(replay_open(call, &replay, block, parent));
	json_array_begin(&call->out, NULL);
	enum status status = trace_each(&replay, &options);
	json_array_end(&call->out);
	rpc_state_close(&replay.parent);
	return status;
}

/* --- methods --- */

static struct rpc_block_id parent_of(const struct header *header) {
	return (struct rpc_block_id){.kind = RPC_BLOCK_NUMBER, .number = header->number - 1};
}

static enum status trace_found(struct rpc_call *call, const struct rpc_found_block *found) {
	struct rpc_block *block;
	if (found->header.number == 0) return rpc_fail(call, RPC_SERVER_ERROR, "genesis is not traceable");
	TRY(rpc_block_load(call, &block, &found->hash));
	const struct rpc_block_id parent = parent_of(&found->header);
	return trace_block(call, &block->block, &parent, 1);
}

enum status rpc_debug_trace_block_by_number(struct rpc_call *call) {
	struct rpc_block_id id;
	struct rpc_found_block block;
	bool found;
	TRY(rpc_param_block_number(call, &id, 0));
	TRY(rpc_find_block(call, &block, &found, &id));
	if (found) return trace_found(call, &block);
	return rpc_fail(call, RPC_SERVER_ERROR, "block #%llu not found", (unsigned long long)id.number);
}

enum status rpc_debug_trace_block_by_hash(struct rpc_call *call) {
	struct rpc_block_id id = {.kind = RPC_BLOCK_HASH};
	struct rpc_found_block block;
	char name[67];
	bool found;
	TRY(rpc_param_hash(call, &id.hash, 0));
	TRY(rpc_find_block(call, &block, &found, &id));
	if (found) return trace_found(call, &block);
	rpc_hex_name(name, BYTES_OF(id.hash));
	return rpc_fail(call, RPC_SERVER_ERROR, "block %s not found", name);
}

enum status rpc_debug_trace_block(struct rpc_call *call) {
	struct bytes rlp;
	struct block block;
	struct rpc_found_block parent;
	struct rpc_block_id id = {.kind = RPC_BLOCK_HASH};
	bool found;
	TRY(rpc_param_data(call, &rlp, 0));
	if (block_decode(&block, call->arena, arena_dup(call->arena, rlp), &call->err) != STATUS_OK)
		return rpc_bad_param(call, 0, "could not decode block: %s", call->err.message);
	id.hash = block.header.parent_hash;
	TRY(rpc_find_block(call, &parent, &found, &id));
	if (!found || parent.header.number + 1 != block.header.number)
		return rpc_fail(call, RPC_SERVER_ERROR, "the block's parent is not found");
	return trace_block(call, &block, &id, 1);
}

enum status rpc_debug_trace_transaction(struct rpc_call *call) {
	hash32 hash;
	struct trace_options options;
	struct rpc_found_tx at;
	struct rpc_block *block;
	struct replay replay;
	bool found;
	TRY(rpc_param_hash(call, &hash, 0));
	TRY(take_options(call, &options, 1));
	TRY(rpc_find_tx(call, &at, &found, &hash));
	if (!found) return rpc_fail(call, RPC_SERVER_ERROR, "transaction not found");
	TRY(rpc_block_load(call, &block, &at.block.hash));
	TRY(rpc_block_receipts(call, block));
	const struct rpc_block_id parent = parent_of(&block->block.header);
	TRY(replay_open(call, &replay, &block->block, &parent));
	enum status status = STATUS_OK;
	for (size_t i = 0; i <= at.index && status == STATUS_OK; i++) {
		const addr20 *sender = &block->receipts[i].sender;
		status = i < at.index ? replay_plain(&replay, i, sender) : replay_traced(&replay, &options, i, sender);
	}
	rpc_state_close(&replay.parent);
	return status;
}

enum status rpc_debug_trace_call(struct rpc_call *call) {
	struct trace_options options;
	struct rpc_run run;
	struct exec_tx_result result;
	TRY(take_options(call, &options, 2));
	TRY(rpc_run_open_traced(call, &run));
	struct state *state = call->worker->state;
	struct trace trace = {.call = call,
	    .options = &options,
	    .state = state,
	    .fork = run.rules.fork,
	    .coinbase = run.header.beneficiary,
	    .tx = &run.args.tx,
	    .from = run.args.from};
	const size_t snapshot = state_snapshot(state);
	enum status status = run_traced(&trace, &result, executor_call);
	if (status == STATUS_OK) state_revert_to(state, snapshot);
	if (status == STATUS_OK) call->worker->spent_gas += result.gas_used;
	rpc_worker_forget(call->worker);
	if (status == STATUS_OK && result.verdict != TX_VERDICT_OK)
		status = rpc_fail(call, RPC_SERVER_ERROR, "tracing failed: %s", tx_verdict_text(result.verdict));
	rpc_run_close(&run);
	return status;
}
