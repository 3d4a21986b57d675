/* Blocks, states, transactions and fees, as several methods look for them. */
#include "ledger/rpc/rpc_chain.h"
#include "crypto/secp256k1_keys.h"
#include "ledger/chain/branches.h"

/* --- blocks --- */

static enum status find_newest(struct rpc_call *call, struct rpc_found_block *out) {
	struct chain_head *head = chain_head(call->rpc->options.chain);
	out->header = head->header;
	out->hash = head->hash;
	chain_head_release(head);
	return STATUS_OK;
}

/* One of the newest blocks is asked for most, and stands in memory. */
static enum status find_by_number(struct rpc_call *call, struct rpc_found_block *out, uint64_t number) {
	struct chain *chain = call->rpc->options.chain;
	struct chain_head *head = chain_head_at(chain, number);
	if (head == NULL) return chain_header_by_number(chain, &out->header, &out->hash, number, &call->err);
	out->header = head->header;
	out->hash = head->hash;
	chain_head_release(head);
	return STATUS_OK;
}

/* A known block that was unwound is not on the chain any more. */
static enum status find_by_hash(struct rpc_call *call, struct rpc_found_block *out, const struct rpc_block_id *id) {
	struct chain *chain = call->rpc->options.chain;
	struct header canonical;
	hash32 canonical_hash;
	out->hash = id->hash;
	TRY(chain_header_by_hash(chain, &out->header, &id->hash, &call->err));
	TRY(chain_header_by_number(chain, &canonical, &canonical_hash, out->header.number, &call->err));
	return hash32_equal(&canonical_hash, &id->hash) ? STATUS_OK : STATUS_NOTFOUND;
}

enum status rpc_find_block(
    struct rpc_call *call, struct rpc_found_block *out, bool *found, const struct rpc_block_id *id) {
	enum status status = STATUS_INTERNAL;
	switch (id->kind) {
	case RPC_BLOCK_LATEST:
	case RPC_BLOCK_NEXT:
	case RPC_BLOCK_PENDING: status = find_newest(call, out); break;
	case RPC_BLOCK_NUMBER: status = find_by_number(call, out, id->number); break;
	case RPC_BLOCK_HASH: status = find_by_hash(call, out, id); break;
	}
	*found = status == STATUS_OK;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status rpc_require_block(struct rpc_call *call, struct rpc_found_block *out, const struct rpc_block_id *id) {
	bool found;
	TRY(rpc_find_block(call, out, &found, id));
	if (found) return STATUS_OK;
	return rpc_fail(
	    call, RPC_SERVER_ERROR, id->kind == RPC_BLOCK_HASH ? "header for hash not found" : "header not found");
}

enum status rpc_find_safe(struct rpc_call *call, struct rpc_block_id *out, bool finalized) {
	struct chain *chain = call->rpc->options.chain;
	struct chain_forkchoice choice;
	struct secp_signature seal;
	struct header header;
	*out = (struct rpc_block_id){.kind = RPC_BLOCK_LATEST};
	TRY(chain_get_forkchoice(chain, &choice, &call->err));
	const hash32 *named = finalized ? &choice.finalized : &choice.safe;
	if (hash32_is_zero(named)) return STATUS_OK;
	const struct engine *engine = call->rpc->options.engine;
	enum status status = chain_seal(chain, &seal, &choice.head, &call->err);
	if (status != STATUS_NOTFOUND && (!engine || engine_is_final(engine))) return status; /* sealed here */
	status = chain_header_by_hash(chain, &header, named, &call->err);
	if (status == STATUS_OK) *out = (struct rpc_block_id){.kind = RPC_BLOCK_NUMBER, .number = header.number};
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

static enum status open_next(struct rpc_call *call, struct rpc_state *out) {
	struct engine_next next;
	TRY(rpc_next_block(call, &next));
	*out = (struct rpc_state){.header = next.header,
	    .hash = next.head->hash,
	    .view = next.head->view,
	    .source = state_view_source(next.head->view),
	    .head = next.head};
	return STATUS_OK;
}

/* NULL if the block is none of the newest. */
static struct chain_head *recent_head(struct chain *chain, const struct rpc_block_id *id) {
	if (id->kind == RPC_BLOCK_LATEST) return chain_head(chain);
	if (id->kind == RPC_BLOCK_NUMBER) return chain_head_at(chain, id->number);
	return id->kind == RPC_BLOCK_HASH ? chain_head_of(chain, &id->hash) : NULL;
}

enum status rpc_state_open(struct rpc_call *call, struct rpc_state *out, const struct rpc_block_id *id) {
	struct chain *chain = call->rpc->options.chain;
	if (id->kind == RPC_BLOCK_PENDING) return rpc_pending_open(call, out);
	if (id->kind == RPC_BLOCK_NEXT) return open_next(call, out);
	*out = (struct rpc_state){.head = recent_head(chain, id)};
	if (out->head != NULL) {
		out->header = out->head->header;
		out->hash = out->head->hash;
		out->view = out->head->view;
		out->source = state_view_source(out->view);
		return STATUS_OK;
	}
	struct rpc_found_block block;
	enum status status = rpc_require_block(call, &block, id);
	if (status == STATUS_OK) status = chain_view_at(chain, &out->owned_view, block.header.number, &call->err);
	if (status != STATUS_OK) return status;
	out->header = block.header;
	out->hash = block.hash;
	out->view = out->owned_view;
	out->source = state_view_source(out->view);
	return STATUS_OK;
}

void rpc_state_close(struct rpc_state *state) {
	if (state->head) chain_head_release(state->head);
	if (state->owned_view) state_view_close(state->owned_view);
}

/* --- transactions of blocks --- */

enum status rpc_block_load(struct rpc_call *call, struct rpc_block **out, const hash32 *hash) {
	struct rpc_block *cached = &call->worker->block;
	*out = cached;
	if (cached->is_loaded && hash32_equal(&cached->hash, hash)) return STATUS_OK;
	cached->is_loaded = false;
	arena_reset(&cached->arena);
	TRY(chain_block_by_hash(call->rpc->options.chain, &cached->block, &cached->arena, hash, &call->err));
	cached->hash = *hash;
	cached->receipts = NULL;
	cached->is_loaded = true;
	return STATUS_OK;
}

enum status rpc_sender_of(struct rpc_call *call, addr20 *out, const struct transaction *tx, enum fork fork) {
	if (exec_is_impersonated(tx) && pool_unsigned_sender(out, tx)) return STATUS_OK;
	return transaction_sender(out, tx, fork >= FORK_HOMESTEAD, &call->err);
}

enum status rpc_block_receipts(struct rpc_call *call, struct rpc_block *block) {
	size_t count;
	struct mined_receipt *receipts;
	const uint64_t number = block->block.header.number;
	if (block->receipts) return STATUS_OK;
	TRY(chain_receipts(
	    call->rpc->options.chain, &receipts, &count, &block->arena, number, &block->hash, &call->err));
	if (count != block->block.transaction_count)
		return err_set(&call->err, STATUS_CORRUPT, "block %llu has %zu transactions and %zu receipts",
		    (unsigned long long)number, block->block.transaction_count, count);
	block->receipts = receipts;
	return STATUS_OK;
}

static enum status read_tx(struct rpc_call *call, struct rpc_found_tx *out) {
	return chain_transaction(call->rpc->options.chain, &out->tx, call->arena, out->block.header.number,
	    &out->block.hash, out->index, &call->err);
}

enum status rpc_find_tx(struct rpc_call *call, struct rpc_found_tx *out, bool *found, const hash32 *tx_hash) {
	struct chain *chain = call->rpc->options.chain;
	struct rpc_found_block *block = &out->block;
	uint64_t number;
	*found = false;
	enum status status = chain_find_tx(chain, &number, &out->index, tx_hash, &call->err);
	if (status == STATUS_OK) status = find_by_number(call, block, number);
	if (status == STATUS_OK) status = read_tx(call, out);
	if (status == STATUS_NOTFOUND) return STATUS_OK; /* unknown, or unwound meanwhile */
	TRY(status);
	const hash32 hash = transaction_hash(&out->tx);
	*found = hash32_equal(&hash, tx_hash); /* else another block took its place meanwhile */
	return STATUS_OK;
}

enum status rpc_param_tx_place(struct rpc_call *call, struct rpc_found_tx *out, bool *found) {
	struct rpc_block_id id;
	uint64_t index;
	TRY(rpc_param_block(call, &id, 0));
	TRY(rpc_param_quantity(call, &index, 1));
	TRY(rpc_find_block(call, &out->block, found, &id));
	if (!*found || id.kind == RPC_BLOCK_PENDING || index > UINT32_MAX) {
		*found = false;
		return STATUS_OK;
	}
	out->index = (uint32_t)index;
	const enum status status = read_tx(call, out);
	*found = status == STATUS_OK;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

enum status rpc_tx_receipt(
    struct rpc_call *call, struct mined_receipt *out, bool *found, const struct rpc_found_tx *tx) {
	const enum status status = chain_receipt(call->rpc->options.chain, out, call->arena, tx->block.header.number,
	    &tx->block.hash, tx->index, &call->err);
	*found = status == STATUS_OK;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* --- fees --- */

u256 rpc_effective_gas_price(const struct transaction *tx, const u256 *base_fee_wei) {
	if (tx->type < TX_DYNAMIC_FEE) return tx->max_fee_wei;
	u256 price;
	if (u256_add_overflow(&price, &tx->max_priority_fee_wei, base_fee_wei)) return tx->max_fee_wei;
	return u256_less(&tx->max_fee_wei, &price) ? tx->max_fee_wei : price;
}
