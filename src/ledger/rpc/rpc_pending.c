/*
 * "pending": the block that would come next if what waits in the pool were sealed now, as far as the gas of one call
 * goes. It is made for each call anew, on the worker's own state, and nothing of it is kept.
 */
#include "ledger/rpc/rpc_run.h"

#include "ledger/state/commitment.h"

#define LEAST_TX_GAS 21000u

static void decide_header(const struct rpc *rpc, struct header *out, const struct chain_head *head) {
	const struct header *parent = &head->header;
	const uint64_t now = clock_now_ms(rpc->options.clock) / 1000;
	*out = (struct header){.parent_hash = head->hash,
	    .ommers_hash = empty_ommers_hash,
	    .beneficiary = rpc->options.solo ? solo_sealer(rpc->options.solo) : parent->beneficiary,
	    .number = parent->number + 1,
	    .gas_limit = parent->gas_limit,
	    .timestamp = now > parent->timestamp ? now : parent->timestamp + 1};
	const struct exec_rules rules = chain_rules(rpc->options.chain, out);
	out->field_count = header_field_count(rules.fork);
	out->base_fee_wei = rpc_next_base_fee(rpc, parent);
	if (rules.fork >= FORK_CANCUN) out->excess_blob_gas = exec_excess_blob_gas(parent, &rules);
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
		if (result.verdict != TX_VERDICT_OK) continue;
		const size_t place = block->block.transaction_count++;
		block->block.transactions[place] = *next->tx;
		block->receipts[place].sender = next->sender;
	}
	block->block.has_withdrawals = block->block.header.field_count >= HEADER_SHANGHAI;
	return executor_end_block(worker->executor, &block->block.header, &block->block);
}

static enum status make_block(struct rpc_call *call, struct rpc_block *block, const struct chain_head *head) {
	const struct rpc *rpc = call->rpc;
	const struct state_source source = state_view_source(head->view);
	struct pool_pick picked;
	*block = (struct rpc_block){.is_pending = true};
	decide_header(rpc, &block->block.header, head);
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
	*out = (struct rpc_state){.head = chain_head(call->rpc->options.chain)};
	const enum status status = make_block(call, &block, out->head);
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
	struct chain_head *head = chain_head(call->rpc->options.chain);
	struct rpc_block *block = arena_alloc(call->arena, sizeof *block);
	struct state_diff diff;
	enum status status = make_block(call, block, head);
	if (status == STATUS_OK) status = state_get_diff(worker->state, &diff);
	if (status == STATUS_OK) {
		struct trie_updates *updates = trie_updates_new(NULL);
		status = state_root(&block->block.header.state_root, &diff, updates, head->view, &call->err);
		trie_updates_free(updates);
	}
	chain_head_release(head);
	*out = block;
	return status;
}
