/* debug_getRaw*: the bytes behind the JSON. */
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"

static enum status require_param(struct rpc_call *call, struct rpc_found_block *out) {
	struct rpc_block_id id;
	TRY(rpc_param_block(call, &id, 0));
	return rpc_require_block(call, out, &id);
}

static struct buf *clear_scratch(struct rpc_call *call) {
	buf_clear(&call->worker->scratch);
	return &call->worker->scratch;
}

enum status rpc_debug_raw_header(struct rpc_call *call) {
	struct rpc_found_block found;
	TRY(require_param(call, &found));
	struct buf *rlp = clear_scratch(call);
	header_encode(rlp, &found.header);
	json_put_hex(&call->out, NULL, buf_view(rlp));
	return STATUS_OK;
}

enum status rpc_debug_raw_block(struct rpc_call *call) {
	struct rpc_found_block found;
	struct rpc_block *block;
	TRY(require_param(call, &found));
	TRY(rpc_block_load(call, &block, &found.hash));
	struct buf *rlp = clear_scratch(call);
	block_encode(rlp, &block->block);
	json_put_hex(&call->out, NULL, buf_view(rlp));
	return STATUS_OK;
}

enum status rpc_debug_raw_receipts(struct rpc_call *call) {
	struct rpc_found_block found;
	struct mined_receipt *receipts;
	size_t count;
	TRY(require_param(call, &found));
	TRY(chain_receipts(
	    call->rpc->options.chain, &receipts, &count, call->arena, found.header.number, &found.hash, &call->err));
	json_array_begin(&call->out, NULL);
	for (size_t i = 0; i < count; i++) {
		struct buf *rlp = clear_scratch(call);
		receipt_encode(rlp, &receipts[i].receipt);
		json_put_hex(&call->out, NULL, buf_view(rlp));
	}
	json_array_end(&call->out);
	return STATUS_OK;
}

enum status rpc_debug_raw_transaction(struct rpc_call *call) {
	hash32 hash;
	struct rpc_found_tx at;
	struct transaction waiting;
	addr20 from;
	bool found;
	TRY(rpc_param_hash(call, &hash, 0));
	TRY(rpc_find_tx(call, &at, &found, &hash));
	const bool waits = !found && pool_find(call->rpc->options.pool, &waiting, &from, call->arena, &hash);
	/* A block may have taken it out of the pool between the two looks. */
	if (!found && !waits) TRY(rpc_find_tx(call, &at, &found, &hash));
	const struct transaction *tx = found ? &at.tx : &waiting;
	if (!found && !waits) {
		json_put_hex(&call->out, NULL, (struct bytes){NULL, 0}); /* as geth */
		return STATUS_OK;
	}
	struct buf *envelope = clear_scratch(call);
	transaction_encode(envelope, tx);
	json_put_hex(&call->out, NULL, buf_view(envelope));
	return STATUS_OK;
}
