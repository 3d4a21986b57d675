/*
 * "pending": the block that would come next if what waits in the pool were sealed now, as far as the gas of one call
 * goes. It is made for each call anew, on the worker's own state, and nothing of it is kept.
 */
#include "ledger/rpc/rpc_run.h"

#include "ledger/state/commitment.h"

#define LEAST_TX_GAS 21000u

/* What the engine would seal now; if nobody seals here, what follows from the newest block and the clock. */
enum status rpc_next_block(struct rpc_call *call, struct engine_next *out) {
	const struct rpc_options *options = &call->rpc->options;
	if (options->engine) return engine_next(options->engine, out, &call->err);
	out->head = chain_head(options->chain);
	const struct header *parent = &out->head->header;
	const struct block_decision decision = {
	    .time_ms = clock_now_ms(options->clock), .proposer = parent->beneficiary, .gas_limit = parent->gas_limit};
	const enum status status = chain_decide_header(options->chain, &out->header, out->head, &decision, &call->err);
	if (status != STATUS_OK) chain_head_release(out->head);
	return status;
}

enum status rpc_next_header(struct rpc_call *call, struct header *out) {
	struct engine_next next;
	TRY(rpc_next_block(call, &next));
	*out = next.header;
	chain_head_release(next.head);
	return STATUS_OK;
}

/* Those that cannot stand in it are left out. */
static enum status run_waiting(struct rpc_call *call, struct rpc_block *block, const struct pool_pick *picked) {
	struct rpc_worker *worker = call->worker;
	block->block.transactions = arena_alloc(call->arena, picked->count * sizeof *block->block.transactions);
	block->receipts = arena_zalloc(call->arena, picked->count, sizeof *block->receipts);
	for (size_t i = 0; i < picked->count; i++) {
		struct exec_tx_result result;
		const struct ordered_tx *next = &picked->txs[i];
		TRY(executor_run(worker->executor, &result, next->tx, &next->sender));
		worker->spent_gas += result.gas_used;
		if (result.verdict != TX_VERDICT_OK) continue;
		const size_t place = block->block.transaction_count++;
		block->block.transactions[place] = *next->tx;
		block->receipts[place].sender = next->sender;
	}
	block->block.has_withdrawals = block->block.header.field_count >= HEADER_SHANGHAI;
	return executor_end_block(worker->executor, &block->block.header, &block->block);
}

static enum status make_block(struct rpc_call *call, struct rpc_block *block, const struct engine_next *next) {
	const struct rpc *rpc = call->rpc;
	const struct state_source source = state_view_source(next->head->view);
	struct pool_pick picked;
	*block = (struct rpc_block){.is_pending = true};
	block->block.header = next->header;
	const struct header *header = &block->block.header;
	const struct exec_rules rules = chain_rules(rpc->options.chain, header);
	const uint64_t gas = rpc->options.gas_cap < header->gas_limit ? rpc->options.gas_cap : header->gas_limit;
	TRY(pool_peek(rpc->options.pool, &picked, call->arena, gas, (size_t)(gas / LEAST_TX_GAS), &call->err));
	TRY(rpc_executor_begin(call, &source, &rules, header, true));
	const enum status status = run_waiting(call, block, &picked);
	if (status != STATUS_OK) call->err = call->worker->err;
	return status;
}

enum status rpc_pending_open(struct rpc_call *call, struct rpc_state *out) {
	struct rpc_worker *worker = call->worker;
	struct rpc_block block;
	struct engine_next next;
	TRY(rpc_next_block(call, &next));
	*out = (struct rpc_state){.head = next.head};
	const enum status status = make_block(call, &block, &next);
	if (status != STATUS_OK) {
		rpc_state_close(out);
		return status;
	}
	struct state *made = worker->state; /* others look on from it, with the worker's other state */
	worker->state = worker->other_state;
	worker->other_state = made;
	out->header = block.block.header;
	out->hash = out->head->hash;
	out->view = out->head->view;
	out->source = state_as_source(made);
	return STATUS_OK;
}

enum status rpc_pending_block(struct rpc_call *call, struct rpc_block **out) {
	struct rpc_worker *worker = call->worker;
	struct rpc_block *block = arena_alloc(call->arena, sizeof *block);
	struct engine_next next;
	struct state_diff diff;
	TRY(rpc_next_block(call, &next));
	enum status status = make_block(call, block, &next);
	if (status == STATUS_OK) status = state_get_diff(worker->state, &diff);
	if (status == STATUS_OK) {
		struct trie_updates *updates = trie_updates_new(NULL);
		status = state_root(&block->block.header.state_root, &diff, updates, next.head->view, &call->err);
		trie_updates_free(updates);
	}
	chain_head_release(next.head);
	*out = block;
	return status;
}
