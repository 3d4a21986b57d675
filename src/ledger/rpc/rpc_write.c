/* Blocks, transactions, receipts and logs as JSON, with geth's names and order. */
#include "ledger/rpc/rpc_write.h"
#include "ledger/rpc/rpc_chain.h"

void rpc_put_u256(struct json_writer *out, const char *name, const u256 *value) {
	uint8_t big_endian[32];
	u256_store_be(big_endian, value);
	json_put_quantity_be(out, name, bytes_make(big_endian, sizeof big_endian));
}

void rpc_put_word(struct json_writer *out, const char *name, const u256 *value) {
	uint8_t big_endian[32];
	u256_store_be(big_endian, value);
	json_put_hex(out, name, bytes_make(big_endian, sizeof big_endian));
}

void rpc_hex_name(char out[67], struct bytes data) {
	static const char digits[] = "0123456789abcdef";
	BUG_ON(data.len > 32);
	*out++ = '0', *out++ = 'x';
	for (size_t i = 0; i < data.len; i++) *out++ = digits[data.data[i] >> 4], *out++ = digits[data.data[i] & 15];
	*out = 0;
}

static void put_hash(struct json_writer *out, const char *name, const hash32 *hash) {
	json_put_hex(out, name, BYTES_OF(*hash));
}

static void put_address(struct json_writer *out, const char *name, const addr20 *address) {
	json_put_hex(out, name, BYTES_OF(*address));
}

/* --- transactions --- */

void rpc_write_access_list(
    struct json_writer *out, const char *name, const struct access_entry *entries, size_t count) {
	json_array_begin(out, name);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(out, NULL);
		put_address(out, "address", &entries[i].address);
		json_array_begin(out, "storageKeys");
		for (size_t k = 0; k < entries[i].slot_count; k++) put_hash(out, NULL, &entries[i].slots[k]);
		json_array_end(out);
		json_object_end(out);
	}
	json_array_end(out);
}

static void put_authorizations(struct json_writer *out, const struct transaction *tx) {
	json_array_begin(out, "authorizationList");
	for (size_t i = 0; i < tx->authorization_count; i++) {
		const struct authorization *authorization = &tx->authorizations[i];
		json_object_begin(out, NULL);
		rpc_put_u256(out, "chainId", &authorization->chain_id);
		put_address(out, "address", &authorization->address);
		json_put_quantity(out, "nonce", authorization->nonce);
		rpc_put_u256(out, "yParity", &authorization->y_parity);
		rpc_put_u256(out, "r", &authorization->r);
		rpc_put_u256(out, "s", &authorization->s);
		json_object_end(out);
	}
	json_array_end(out);
}

static void put_place(struct json_writer *out, const struct header *header, const hash32 *block_hash) {
	if (!header) {
		json_put_null(out, "blockHash");
		json_put_null(out, "blockNumber");
		json_put_null(out, "blockTimestamp");
		return;
	}
	put_hash(out, "blockHash", block_hash);
	json_put_quantity(out, "blockNumber", header->number);
	json_put_quantity(out, "blockTimestamp", header->timestamp);
}

static void put_fees(struct json_writer *out, const struct transaction *tx, const struct header *header) {
	u256 price = tx->max_fee_wei;
	if (header && header->field_count >= HEADER_LONDON) price = rpc_effective_gas_price(tx, &header->base_fee_wei);
	rpc_put_u256(out, "gasPrice", &price);
	if (tx->type < TX_DYNAMIC_FEE) return;
	rpc_put_u256(out, "maxFeePerGas", &tx->max_fee_wei);
	rpc_put_u256(out, "maxPriorityFeePerGas", &tx->max_priority_fee_wei);
	if (tx->type == TX_BLOB) rpc_put_u256(out, "maxFeePerBlobGas", &tx->max_blob_fee_wei);
}

static void put_typed_fields(struct json_writer *out, const struct transaction *tx) {
	if (tx->type != TX_LEGACY) rpc_write_access_list(out, "accessList", tx->access_list, tx->access_count);
	if (tx->type != TX_LEGACY || tx->has_chain_id) rpc_put_u256(out, "chainId", &tx->chain_id);
	if (tx->type == TX_BLOB) {
		json_array_begin(out, "blobVersionedHashes");
		for (size_t i = 0; i < tx->blob_count; i++) put_hash(out, NULL, &tx->blob_hashes[i]);
		json_array_end(out);
	}
	if (tx->type == TX_SET_CODE) put_authorizations(out, tx);
}

void rpc_write_tx(struct json_writer *out, const char *name, const struct transaction *tx, const addr20 *from,
    const struct header *header, const hash32 *block_hash, size_t index) {
	const hash32 hash = transaction_hash(tx);
	json_object_begin(out, name);
	put_place(out, header, block_hash);
	put_address(out, "from", from);
	json_put_quantity(out, "gas", tx->gas_limit);
	put_fees(out, tx, header);
	put_hash(out, "hash", &hash);
	json_put_hex(out, "input", tx->data);
	json_put_quantity(out, "nonce", tx->nonce);
	if (tx->is_create)
		json_put_null(out, "to");
	else
		put_address(out, "to", &tx->to);
	if (header)
		json_put_quantity(out, "transactionIndex", index);
	else
		json_put_null(out, "transactionIndex");
	rpc_put_u256(out, "value", &tx->value_wei);
	json_put_quantity(out, "type", (uint64_t)tx->type);
	put_typed_fields(out, tx);
	rpc_put_u256(out, "v", &tx->v);
	rpc_put_u256(out, "r", &tx->r);
	rpc_put_u256(out, "s", &tx->s);
	if (tx->type != TX_LEGACY) json_put_quantity(out, "yParity", tx->y_parity);
	json_object_end(out);
}

void rpc_write_raw_and_tx(struct json_writer *out, const struct transaction *tx, const addr20 *from) {
	json_object_begin(out, NULL);
	json_put_hex(out, "raw", tx->raw);
	rpc_write_tx(out, "tx", tx, from, NULL, NULL, 0);
	json_object_end(out);
}

/* --- blocks --- */

/* `hash` NULL: nobody sealed it, so it has no hash or nonce yet; `miner` NULL: nor is it said whose it will be. */
static void put_header_to_sha3uncles(
    struct json_writer *out, const struct header *header, const hash32 *hash, const addr20 *miner) {
	const uint8_t fields = header->field_count;
	if (fields >= HEADER_LONDON) rpc_put_u256(out, "baseFeePerGas", &header->base_fee_wei);
	if (fields >= HEADER_CANCUN) json_put_quantity(out, "blobGasUsed", header->blob_gas_used);
	rpc_put_u256(out, "difficulty", &header->difficulty);
	if (fields >= HEADER_CANCUN) json_put_quantity(out, "excessBlobGas", header->excess_blob_gas);
	json_put_hex(out, "extraData", bytes_make(header->extra_data, header->extra_data_len));
	json_put_quantity(out, "gasLimit", header->gas_limit);
	json_put_quantity(out, "gasUsed", header->gas_used);
	if (hash)
		put_hash(out, "hash", hash);
	else
		json_put_null(out, "hash");
	json_put_hex(out, "logsBloom", bytes_make(header->logs_bloom, BLOOM_BYTES));
	if (miner)
		put_address(out, "miner", miner);
	else
		json_put_null(out, "miner");
	put_hash(out, "mixHash", &header->mix_hash);
	if (hash)
		json_put_hex(out, "nonce", bytes_make(header->nonce, sizeof header->nonce));
	else
		json_put_null(out, "nonce");
	json_put_quantity(out, "number", header->number);
	if (fields >= HEADER_CANCUN) put_hash(out, "parentBeaconBlockRoot", &header->parent_beacon_root);
	put_hash(out, "parentHash", &header->parent_hash);
	put_hash(out, "receiptsRoot", &header->receipts_root);
	if (fields >= HEADER_PRAGUE) put_hash(out, "requestsHash", &header->requests_hash);
	put_hash(out, "sha3Uncles", &header->ommers_hash);
}

static void put_size(struct rpc_call *call, const struct block *block) {
	struct buf *scratch = &call->worker->scratch;
	buf_clear(scratch);
	block_encode(scratch, block);
	json_put_quantity(&call->out, "size", scratch->len);
}

static enum status put_transactions(struct rpc_call *call, struct rpc_block *block, bool full) {
	const struct block *content = &block->block;
	const struct header *header = block->is_pending ? NULL : &content->header;
	if (full && !block->is_pending) TRY(rpc_block_receipts(call, block));
	json_array_begin(&call->out, "transactions");
	for (size_t i = 0; i < content->transaction_count; i++) {
		const struct transaction *tx = &content->transactions[i];
		if (full) {
			rpc_write_tx(&call->out, NULL, tx, &block->receipts[i].sender, header, &block->hash, i);
		} else {
			const hash32 hash = transaction_hash(tx);
			put_hash(&call->out, NULL, &hash);
		}
	}
	json_array_end(&call->out);
	return STATUS_OK;
}

static void put_uncles(struct json_writer *out, const struct block *block) {
	json_array_begin(out, "uncles");
	for (size_t i = 0; i < block->ommer_count; i++) {
		const hash32 hash = header_hash(&block->ommers[i]);
		put_hash(out, NULL, &hash);
	}
	json_array_end(out);
}

void rpc_write_withdrawals(struct json_writer *out, const struct block *block) {
	json_array_begin(out, "withdrawals");
	for (size_t i = 0; i < block->withdrawal_count; i++) {
		const struct withdrawal *withdrawal = &block->withdrawals[i];
		json_object_begin(out, NULL);
		json_put_quantity(out, "index", withdrawal->index);
		json_put_quantity(out, "validatorIndex", withdrawal->validator_index);
		put_address(out, "address", &withdrawal->address);
		json_put_quantity(out, "amount", withdrawal->amount_gwei);
		json_object_end(out);
	}
	json_array_end(out);
}

enum status rpc_write_block_members(struct rpc_call *call, struct rpc_block *block, bool full) {
	struct json_writer *out = &call->out;
	const struct block *content = &block->block;
	/* A pending block's miner is null, as geth's; a development chain's can be ordered, and is shown, as anvil's.
	 */
	const addr20 *miner = !block->is_pending || call->rpc->options.dev ? &content->header.beneficiary : NULL;
	put_header_to_sha3uncles(out, &content->header, block->is_pending ? NULL : &block->hash, miner);
	put_size(call, content);
	put_hash(out, "stateRoot", &content->header.state_root);
	json_put_quantity(out, "timestamp", content->header.timestamp);
	TRY(put_transactions(call, block, full));
	put_hash(out, "transactionsRoot", &content->header.transactions_root);
	put_uncles(out, content);
	if (content->header.field_count < HEADER_SHANGHAI) return STATUS_OK;
	rpc_write_withdrawals(out, content);
	put_hash(out, "withdrawalsRoot", &content->header.withdrawals_root);
	return STATUS_OK;
}

enum status rpc_write_block(struct rpc_call *call, struct rpc_block *block, bool full) {
	json_object_begin(&call->out, NULL);
	TRY(rpc_write_block_members(call, block, full));
	json_object_end(&call->out);
	return STATUS_OK;
}

void rpc_write_head(struct rpc_call *call, const struct header *header, const hash32 *hash) {
	struct json_writer *out = &call->out;
	json_object_begin(out, NULL);
	put_header_to_sha3uncles(out, header, hash, &header->beneficiary);
	put_hash(out, "stateRoot", &header->state_root);
	json_put_quantity(out, "timestamp", header->timestamp);
	put_hash(out, "transactionsRoot", &header->transactions_root);
	if (header->field_count >= HEADER_SHANGHAI) put_hash(out, "withdrawalsRoot", &header->withdrawals_root);
	json_object_end(out);
}

void rpc_write_ommer(struct rpc_call *call, const struct header *header) {
	struct json_writer *out = &call->out;
	const struct block alone = {.header = *header, .has_withdrawals = header->field_count >= HEADER_SHANGHAI};
	const hash32 hash = header_hash(header);
	json_object_begin(out, NULL);
	put_header_to_sha3uncles(out, header, &hash, &header->beneficiary);
	put_size(call, &alone);
	put_hash(out, "stateRoot", &header->state_root);
	json_put_quantity(out, "timestamp", header->timestamp);
	put_hash(out, "transactionsRoot", &header->transactions_root);
	put_uncles(out, &alone);
	json_object_end(out);
}

/* --- receipts and logs --- */

void rpc_write_log(struct json_writer *out, const struct found_log *found, bool removed) {
	const struct log *log = found->log;
	json_object_begin(out, NULL);
	put_address(out, "address", &log->address);
	json_array_begin(out, "topics");
	for (size_t i = 0; i < log->topic_count; i++) put_hash(out, NULL, &log->topics[i]);
	json_array_end(out);
	json_put_hex(out, "data", log->data);
	json_put_quantity(out, "blockNumber", found->block_number);
	put_hash(out, "transactionHash", &found->tx_hash);
	json_put_quantity(out, "transactionIndex", found->tx_index);
	put_hash(out, "blockHash", &found->block_hash);
	json_put_quantity(out, "blockTimestamp", found->block_timestamp);
	json_put_quantity(out, "logIndex", found->log_index);
	json_put_bool(out, "removed", removed);
	json_object_end(out);
}

static void put_receipt_logs(struct json_writer *out, const struct receipt *receipt, struct found_log place) {
	json_array_begin(out, "logs");
	for (size_t i = 0; i < receipt->log_count; i++, place.log_index++) {
		place.log = &receipt->logs[i];
		rpc_write_log(out, &place, false);
	}
	json_array_end(out);
}

static void put_blob_gas(struct rpc_call *call, const struct transaction *tx, const struct header *header) {
	if (tx->type != TX_BLOB) return;
	const struct exec_rules rules = chain_rules(call->rpc->options.chain, header);
	const u256 price = exec_blob_base_fee(header->excess_blob_gas, &rules.blob);
	rpc_put_u256(&call->out, "blobGasPrice", &price);
	json_put_quantity(&call->out, "blobGasUsed", tx->blob_count * GAS_PER_BLOB);
}

void rpc_write_receipt(struct rpc_call *call, const struct transaction *tx, const struct mined_receipt *mined,
    const struct header *header, const hash32 *block_hash, size_t index) {
	struct json_writer *out = &call->out;
	const struct receipt *receipt = &mined->receipt;
	const addr20 from = mined->sender;
	const struct found_log place = {.block_number = header->number,
	    .block_hash = *block_hash,
	    .block_timestamp = header->timestamp,
	    .tx_hash = transaction_hash(tx),
	    .tx_index = (uint32_t)index,
	    .log_index = mined->first_log};
	const u256 base_fee = header->field_count >= HEADER_LONDON ? header->base_fee_wei : u256_from(0);
	const u256 price = rpc_effective_gas_price(tx, &base_fee);
	json_object_begin(out, NULL);
	put_blob_gas(call, tx, header);
	put_hash(out, "blockHash", block_hash);
	json_put_quantity(out, "blockNumber", header->number);
	if (tx->is_create) {
		const addr20 created = address_of_create(&from, tx->nonce);
		put_address(out, "contractAddress", &created);
	} else {
		json_put_null(out, "contractAddress");
	}
	json_put_quantity(out, "cumulativeGasUsed", receipt->cumulative_gas);
	rpc_put_u256(out, "effectiveGasPrice", &price);
	put_address(out, "from", &from);
	json_put_quantity(out, "gasUsed", mined->gas_used);
	put_receipt_logs(out, receipt, place);
	json_put_hex(out, "logsBloom", bytes_make(receipt->bloom, BLOOM_BYTES));
	if (receipt->has_root)
		put_hash(out, "root", &receipt->root);
	else
		json_put_quantity(out, "status", receipt->success);
	if (tx->is_create)
		json_put_null(out, "to");
	else
		put_address(out, "to", &tx->to);
	put_hash(out, "transactionHash", &place.tx_hash);
	json_put_quantity(out, "transactionIndex", index);
	json_put_quantity(out, "type", (uint64_t)tx->type);
	json_object_end(out);
}
