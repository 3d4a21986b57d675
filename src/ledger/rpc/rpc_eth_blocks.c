/* Blocks: by hash and number, headers, counts, ommers, receipts. */
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_write.h"

/* The block that parameter 0 names, or null in its place as the answer. */
static enum status load_param(struct rpc_call *call, struct rpc_block **block) {
	struct rpc_block_id id;
	struct rpc_found_block found_block;
	bool found;
	*block = NULL;
	TRY(rpc_param_block(call, &id, 0));
	if (id.kind == RPC_BLOCK_PENDING) return rpc_pending_block(call, block);
	TRY(rpc_find_block(call, &found_block, &found, &id));
	if (found) {
		enum status status = rpc_block_load(call, block, &found_block.hash);
		if (status == STATUS_OK) return STATUS_OK;
		*block = NULL;
		if (status != STATUS_NOTFOUND) return status;
	}
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

static enum status get_block(struct rpc_call *call) {
	bool full;
	struct rpc_block *block;
	TRY(rpc_param_bool(call, &full, 1, false));
	TRY(load_param(call, &block));
	return block ? rpc_write_block(call, block, full) : STATUS_OK;
}

enum status rpc_eth_get_block_by_hash(struct rpc_call *call) {
	hash32 hash;
	TRY(rpc_param_hash(call, &hash, 0));
	return get_block(call);
}

enum status rpc_eth_get_block_by_number(struct rpc_call *call) {
	struct rpc_block_id id;
	TRY(rpc_param_block_number(call, &id, 0));
	return get_block(call);
}

static enum status get_header(struct rpc_call *call, const struct rpc_block_id *id) {
	struct rpc_found_block found_block;
	struct rpc_block *block;
	bool found;
	if (id->kind == RPC_BLOCK_PENDING) {
		TRY(rpc_pending_block(call, &block));
		rpc_write_head(call, &block->block.header, NULL);
		return STATUS_OK;
	}
	TRY(rpc_find_block(call, &found_block, &found, id));
	if (found)
		rpc_write_head(call, &found_block.header, &found_block.hash);
	else
		json_put_null(&call->out, NULL);
	return STATUS_OK;
}

enum status rpc_eth_get_header_by_hash(struct rpc_call *call) {
	struct rpc_block_id id = {.kind = RPC_BLOCK_HASH};
	TRY(rpc_param_hash(call, &id.hash, 0));
	return get_header(call, &id);
}

enum status rpc_eth_get_header_by_number(struct rpc_call *call) {
	struct rpc_block_id id;
	TRY(rpc_param_block_number(call, &id, 0));
	return get_header(call, &id);
}

static enum status pending_tx_count(struct rpc_call *call) {
	struct rpc_block *block;
	TRY(rpc_pending_block(call, &block));
	json_put_quantity(&call->out, NULL, block->block.transaction_count);
	return STATUS_OK;
}

enum status rpc_eth_block_tx_count(struct rpc_call *call) {
	struct rpc_block_id id;
	struct rpc_found_block block;
	size_t count;
	bool found;
	TRY(rpc_param_block(call, &id, 0));
	if (id.kind == RPC_BLOCK_PENDING) return pending_tx_count(call);
	TRY(rpc_find_block(call, &block, &found, &id));
	enum status status = STATUS_NOTFOUND;
	if (found)
		status = chain_transaction_count(
		    call->rpc->options.chain, &count, block.header.number, &block.hash, &call->err);
	if (status == STATUS_OK) json_put_quantity(&call->out, NULL, count);
	if (status == STATUS_NOTFOUND) json_put_null(&call->out, NULL);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status rpc_eth_uncle_count(struct rpc_call *call) {
	struct rpc_block *block;
	TRY(load_param(call, &block));
	if (block) json_put_quantity(&call->out, NULL, block->block.ommer_count);
	return STATUS_OK;
}

enum status rpc_eth_get_uncle(struct rpc_call *call) {
	struct rpc_block *block;
	uint64_t index;
	TRY(rpc_param_quantity(call, &index, 1));
	TRY(load_param(call, &block));
	if (!block) return STATUS_OK;
	if (index < block->block.ommer_count)
		rpc_write_ommer(call, &block->block.ommers[index]);
	else
		json_put_null(&call->out, NULL);
	return STATUS_OK;
}

enum status rpc_eth_get_block_receipts(struct rpc_call *call) {
	struct rpc_block *block;
	TRY(load_param(call, &block));
	if (!block) return STATUS_OK;
	if (block->is_pending) { /* what was not sealed has none */
		json_put_null(&call->out, NULL);
		return STATUS_OK;
	}
	TRY(rpc_block_receipts(call, block));
	const struct block *content = &block->block;
	json_array_begin(&call->out, NULL);
	for (size_t i = 0; i < content->transaction_count; i++)
		rpc_write_receipt(
		    call, &content->transactions[i], &block->receipts[i], &content->header, &block->hash, i);
	json_array_end(&call->out);
	return STATUS_OK;
}
