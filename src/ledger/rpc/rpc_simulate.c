/* eth_simulateV1: blocks of calls that nobody seals, one on the other, on the newest block. */
#include "ledger/rpc/rpc_simulate.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_write.h"

#include "ledger/state/commitment.h"

#define BLOCKS_MAX 256u
#define BLOCK_SECONDS 12u

/* --- the blocks' order --- */

struct order {
	struct sim_block *blocks;
	size_t count;
	uint64_t base_number;
	uint64_t number, timestamp; /* of the last one */
};

static struct sim_block *add_block(struct order *order, uint64_t timestamp) {
	struct sim_block *block = &order->blocks[order->count++];
	order->timestamp = timestamp;
	block->number = ++order->number;
	block->timestamp = timestamp;
	return block;
}

/* One that was asked for, after the empty ones that lead to its number. */
static enum status place_block(struct rpc_call *call, struct order *order, const struct json *object) {
	const struct json *overrides = json_get(object, "blockOverrides");
	uint64_t number = order->number + 1, timestamp;
	bool has_time;
	if (!json_is(object, JSON_OBJECT)) return rpc_bad_param(call, 0, "blockStateCalls: expected objects");
	TRY(rpc_member_quantity(call, &number, NULL, overrides, "number", 0));
	TRY(rpc_member_quantity(call, &timestamp, &has_time, overrides, "time", 0));
	if (number <= order->number)
		return rpc_fail(call, RPC_BLOCK_ORDER, "block numbers must be in order: %llu <= %llu",
		    (unsigned long long)number, (unsigned long long)order->number);
	if (number - order->base_number > BLOCKS_MAX) return rpc_fail(call, RPC_OVER_LIMIT, "too many blocks");
	while (order->number + 1 < number) add_block(order, order->timestamp + BLOCK_SECONDS);
	if (!has_time) timestamp = order->timestamp + BLOCK_SECONDS;
	if (timestamp <= order->timestamp)
		return rpc_fail(call, RPC_TIME_ORDER, "block timestamps must be in order: %llu <= %llu",
		    (unsigned long long)timestamp, (unsigned long long)order->timestamp);
	struct sim_block *block = add_block(order, timestamp);
	block->header_json = overrides;
	block->overrides_json = json_get(object, "stateOverrides");
	block->calls = json_get(object, "calls");
	if (block->calls && !json_is(block->calls, JSON_ARRAY))
		return rpc_bad_param(call, 0, "calls: expected an array");
	return STATUS_OK;
}

static enum status take_order(
    struct rpc_call *call, struct order *order, const struct json *list, const struct header *base) {
	if (!json_is(list, JSON_ARRAY)) return rpc_bad_param(call, 0, "blockStateCalls: expected an array");
	if (list->count == 0) return rpc_fail(call, RPC_INVALID_PARAMS, "empty input");
	if (list->count > BLOCKS_MAX) return rpc_fail(call, RPC_OVER_LIMIT, "too many blocks");
	*order = (struct order){.blocks = arena_zalloc(call->arena, BLOCKS_MAX, sizeof *order->blocks),
	    .base_number = base->number,
	    .number = base->number,
	    .timestamp = base->timestamp};
	json_foreach (object, list) TRY(place_block(call, order, object));
	return STATUS_OK;
}

/* --- one block --- */

static enum status hash_of_ancestor(void *context, hash32 *out, uint64_t number) {
	const struct simulation *sim = context;
	if (number < sim->first_number) return sim->older.get(sim->older.context, out, number);
	if (number - sim->first_number < sim->hash_count) *out = sim->hashes[number - sim->first_number];
	return STATUS_OK;
}

static enum status make_header(
    struct simulation *sim, struct sim_block *block, const struct header *parent, const hash32 *parent_hash) {
	const struct rpc *rpc = sim->call->rpc;
	const struct chain *chain = rpc->options.chain;
	struct header *header = &block->block.block.header;
	*header = (struct header){.parent_hash = *parent_hash,
	    .ommers_hash = empty_ommers_hash,
	    .beneficiary = parent->beneficiary,
	    .difficulty = parent->difficulty,
	    .number = block->number,
	    .gas_limit = parent->gas_limit,
	    .timestamp = block->timestamp};
	block->rules = chain_rules(chain, header);
	header->field_count = header_field_count(block->rules.fork);
	if (sim->strict && block->rules.fork >= FORK_LONDON)
		header->base_fee_wei =
		    exec_next_base_fee(parent, &block->rules, chain_rules(chain, parent).fork >= FORK_LONDON);
	if (block->rules.fork >= FORK_CANCUN) header->excess_blob_gas = exec_excess_blob_gas(parent, &block->rules);
	TRY(rpc_override_block(sim->call, &block->override, header, block->header_json, 0));
	if (header->field_count >= HEADER_CANCUN) header->parent_beacon_root = block->override.beacon_root;
	return STATUS_OK;
}

/* On `worker->state`, which holds what the blocks before did. */
static enum status run_block(struct simulation *sim, struct sim_block *block) {
	struct rpc_worker *worker = sim->call->worker;
	struct header *header = &block->block.block.header;
	const struct exec_block_hashes hashes = {hash_of_ancestor, sim};
	struct rpc_overrides *overrides;
	struct evm_precompile_move *moves;
	size_t move_count;
	TRY(rpc_overrides_parse(sim->call, &overrides, block->overrides_json, 0));
	TRY(rpc_overrides_moves(sim->call, overrides, block->rules.fork, &moves, &move_count));
	TRY(rpc_overrides_apply(overrides, worker->state));
	TRY(executor_begin_block(worker->executor, worker->state, &block->rules, header, &hashes, &worker->err));
	if (block->override.has_blob_base_fee)
		executor_set_blob_base_fee(worker->executor, &block->override.blob_base_fee_wei);
	evm_set_precompile_moves(executor_evm(worker->executor), moves, move_count);
	enum status status = sim_run_calls(sim, block);
	evm_set_precompile_moves(executor_evm(worker->executor), NULL, 0);
	TRY(status);
	if (header->field_count >= HEADER_SHANGHAI) {
		block->block.block.has_withdrawals = true;
		block->block.block.withdrawals = block->override.withdrawals;
		block->block.block.withdrawal_count = block->override.withdrawal_count;
	}
	return executor_end_block(worker->executor, header, &block->block.block);
}

static enum status find_root(struct simulation *sim, struct sim_block *block, const struct state_view *view) {
	struct rpc_worker *worker = sim->call->worker;
	struct header *header = &block->block.block.header;
	struct state_diff diff;
	enum status status = STATUS_OK;
	if (!sim->omits_root) {
		TRY(state_get_diff(worker->state, &diff));
		struct trie_updates *updates = trie_updates_new(NULL);
		status = state_root(&header->state_root, &diff, updates, view, &worker->err);
		trie_updates_free(updates);
	}
	block->block.hash = header_hash(header);
	block->block.is_loaded = true;
	sim->hashes[sim->hash_count++] = block->block.hash;
	return status;
}

static enum status simulate_block(struct simulation *sim, struct sim_block *block, const struct header *parent,
    const hash32 *parent_hash, const struct state_view *view) {
	struct rpc_call *call = sim->call;
	TRY(make_header(sim, block, parent, parent_hash));
	enum status status = run_block(sim, block);
	if (status == STATUS_OK) status = find_root(sim, block, view);
	if (status != STATUS_OK) {
		if (!call->error_code && !call->err.message[0]) call->err = call->worker->err;
		return status;
	}
	json_object_begin(&call->out, NULL);
	TRY(rpc_write_block_members(call, &block->block, sim->full));
	sim_write_calls(sim, block);
	json_object_end(&call->out);
	return STATUS_OK;
}

/* --- the method --- */

static enum status take_flag(struct rpc_call *call, bool *out, const struct json *object, const char *name) {
	const struct json *value = json_get(object, name);
	*out = json_is(value, JSON_TRUE);
	if (!value || *out || json_is(value, JSON_FALSE)) return STATUS_OK;
	return rpc_bad_param(call, 0, "%s: expected true or false", name);
}

static enum status simulate(struct simulation *sim, struct order *order, const struct rpc_state *base) {
	struct rpc_call *call = sim->call;
	const struct header *parent = &base->header;
	const hash32 *parent_hash = &base->hash;
	const struct state_source source = state_view_source(base->view);
	const struct exec_rules rules = chain_rules(call->rpc->options.chain, parent);
	TRY(rpc_executor_begin(call, &source, &rules, parent, false));
	json_array_begin(&call->out, NULL);
	for (size_t i = 0; i < order->count; i++) {
		struct sim_block *block = &order->blocks[i];
		TRY(simulate_block(sim, block, parent, parent_hash, base->view));
		parent = &block->block.block.header;
		parent_hash = &block->block.hash;
	}
	json_array_end(&call->out);
	return STATUS_OK;
}

enum status rpc_eth_simulate(struct rpc_call *call) {
	const struct json *options = rpc_param(call, 0);
	struct simulation sim = {.call = call, .gas_left = call->rpc->options.gas_cap};
	struct rpc_block_id id;
	struct rpc_state base;
	struct order order = {.count = 0};
	if (!json_is(options, JSON_OBJECT)) return rpc_bad_param(call, 0, "expected an object");
	TRY(take_flag(call, &sim.trace_transfers, options, "traceTransfers"));
	TRY(take_flag(call, &sim.strict, options, "validation"));
	TRY(take_flag(call, &sim.full, options, "returnFullTransactions"));
	TRY(take_flag(call, &sim.omits_root, options, "omitStateRoot"));
	TRY(rpc_param_block(call, &id, 1));
	if (id.kind == RPC_BLOCK_PENDING) id.kind = RPC_BLOCK_LATEST;
	TRY(rpc_state_open(call, &base, &id));
	enum status status = take_order(call, &order, json_get(options, "blockStateCalls"), &base.header);
	sim.first_number = base.header.number + 1;
	sim.hashes = arena_alloc(call->arena, BLOCKS_MAX * sizeof *sim.hashes);
	sim.older = chain_block_hashes(call->rpc->options.chain);
	if (status == STATUS_OK) status = simulate(&sim, &order, &base);
	rpc_worker_forget(call->worker);
	rpc_state_close(&base);
	return status;
}
