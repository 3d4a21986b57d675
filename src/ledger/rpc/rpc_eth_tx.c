/* Transactions: finding them, their receipts, and sending signed ones. */
#include "ledger/rpc/rpc_internal.h"

static enum status put_null(struct rpc_call *call) {
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

static enum status put_block_tx(struct rpc_call *call, struct rpc_block *block, size_t index) {
	addr20 from;
	TRY(rpc_block_sender(call, &from, block, index));
	rpc_write_tx(
	    &call->out, NULL, &block->block.transactions[index], &from, &block->block.header, &block->hash, index);
	return STATUS_OK;
}

enum status rpc_eth_get_tx_by_hash(struct rpc_call *call) {
	hash32 hash;
	struct rpc_block *block;
	struct transaction waiting;
	addr20 from;
	size_t index;
	bool found;
	TRY(rpc_param_hash(call, &hash, 0));
	TRY(rpc_find_tx(call, &block, &index, &found, &hash));
	if (found) return put_block_tx(call, block, index);
	if (pool_find(call->rpc->options.pool, &waiting, &from, call->arena, &hash)) {
		rpc_write_tx(&call->out, NULL, &waiting, &from, NULL, NULL, 0);
		return STATUS_OK;
	}
	/* A block may have taken it out of the pool between the two looks. */
	TRY(rpc_find_tx(call, &block, &index, &found, &hash));
	return found ? put_block_tx(call, block, index) : put_null(call);
}

enum status rpc_eth_get_tx_by_index(struct rpc_call *call) {
	struct rpc_block_id id;
	struct rpc_found_block found_block;
	struct rpc_block *block;
	uint64_t index;
	bool found;
	TRY(rpc_param_block(call, &id, 0));
	TRY(rpc_param_quantity(call, &index, 1));
	TRY(rpc_find_block(call, &found_block, &found, &id));
	if (!found) return put_null(call);
	TRY(rpc_block_load(call, &block, &found_block.hash));
	return index < block->block.transaction_count ? put_block_tx(call, block, index) : put_null(call);
}

enum status rpc_eth_get_receipt(struct rpc_call *call) {
	hash32 hash;
	struct rpc_block *block;
	struct receipt receipt;
	uint64_t first_log, gas_used;
	size_t index;
	bool found;
	TRY(rpc_param_hash(call, &hash, 0));
	TRY(rpc_find_tx(call, &block, &index, &found, &hash));
	if (!found) return put_null(call);
	enum status status = chain_receipt(call->rpc->options.chain, &receipt, &first_log, &gas_used, call->arena,
	    block->block.header.number, &block->hash, (uint32_t)index, &call->err);
	if (status == STATUS_NOTFOUND) return put_null(call); /* unwound meanwhile */
	TRY(status);
	return rpc_write_receipt(call, block, index, &receipt, first_log, gas_used);
}

/* What became of it in the pool. */
static enum status put_taken(
    struct rpc_call *call, const hash32 *hash, enum pool_verdict verdict, enum tx_verdict tx_verdict) {
	if (verdict == POOL_INVALID) return rpc_fail(call, RPC_SERVER_ERROR, "%s", tx_verdict_text(tx_verdict));
	if (verdict != POOL_OK) return rpc_fail(call, RPC_SERVER_ERROR, "%s", pool_verdict_text(verdict));
	json_put_hex(&call->out, NULL, BYTES_OF(*hash));
	return STATUS_OK;
}

enum status rpc_pool_take(struct rpc_call *call, struct bytes envelope) {
	hash32 hash;
	enum pool_verdict verdict = POOL_OK;
	enum tx_verdict tx_verdict = TX_VERDICT_OK;
	call->err.message[0] = 0;
	enum status status = pool_add(call->rpc->options.pool, &hash, &verdict, &tx_verdict, envelope, &call->err);
	if (status == STATUS_INVALID)
		return rpc_fail(
		    call, RPC_SERVER_ERROR, "%s", call->err.message[0] ? call->err.message : "malformed transaction");
	TRY(status);
	return put_taken(call, &hash, verdict, tx_verdict);
}

enum status rpc_pool_take_unsigned(struct rpc_call *call, const struct transaction *tx, const addr20 *from) {
	hash32 hash;
	enum pool_verdict verdict = POOL_OK;
	enum tx_verdict tx_verdict = TX_VERDICT_OK;
	TRY(pool_add_unsigned(call->rpc->options.pool, &hash, &verdict, &tx_verdict, tx, from, &call->err));
	return put_taken(call, &hash, verdict, tx_verdict);
}

enum status rpc_eth_send_raw(struct rpc_call *call) {
	struct bytes envelope;
	TRY(rpc_param_data(call, &envelope, 0));
	return rpc_pool_take(call, envelope);
}
