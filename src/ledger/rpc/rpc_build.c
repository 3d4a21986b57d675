/*
 * testing_buildBlockV1 (execution APIs; served only where rpc_options.test_methods says so): the payload that would
 * follow on a block of the chain with the attributes that a consensus layer gives. It is made on the worker's own state
 * and nothing of it is kept.
 *
 * Of transactions that are named, each must be good; of those that wait, the others are left out. Blob transactions are
 * not taken, since their sidecars would have to come with the payload.
 */
#include "codec/hex.h"
#include "codec/rlp.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_run.h"
#include "ledger/rpc/rpc_write.h"
#include "ledger/state/commitment.h"

#define GAS_LIMIT_TARGET 60000000u /* where gas limits go by default in geth 1.16 */
#define LEAST_TX_GAS 21000u
#define LIST_MAX 65536u
#define BODY_MARGIN_BYTES 4096u /* for what stands in a block beside transactions (EIP-7934) */

struct build {
	struct rpc_call *call;
	struct rpc_state parent;
	struct exec_rules rules;
	struct block block;
	hash32 hash;
	size_t room_bytes; /* what transactions may still take */
	u256 value_wei;    /* tips */
};

/* --- parameters --- */

/* What the fork has must be there, and nothing else. */
static enum status take_optional_attributes(struct build *build, const struct json *attributes) {
	struct rpc_call *call = build->call;
	const struct json *withdrawals = json_get(attributes, "withdrawals");
	bool has_root;
	build->block.has_withdrawals = build->rules.fork >= FORK_SHANGHAI;
	if (build->block.has_withdrawals != (withdrawals != NULL))
		return rpc_bad_param(
		    call, 1, "withdrawals: %s in a block of this fork", withdrawals ? "none" : "missing");
	if (withdrawals)
		TRY(rpc_withdrawals_of(
		    call, &build->block.withdrawals, &build->block.withdrawal_count, withdrawals, 1));
	TRY(rpc_member_hash(
	    call, &build->block.header.parent_beacon_root, &has_root, attributes, "parentBeaconBlockRoot", 1));
	if (has_root == (build->rules.fork >= FORK_CANCUN)) return STATUS_OK;
	return rpc_bad_param(
	    call, 1, "parentBeaconBlockRoot: %s in a block of this fork", has_root ? "none" : "missing");
}

static enum status take_extra(struct rpc_call *call, struct header *header) {
	struct bytes extra = {NULL, 0};
	if (!rpc_param(call, 3)) return STATUS_OK;
	TRY(rpc_param_data(call, &extra, 3));
	if (extra.len > sizeof header->extra_data)
		return rpc_bad_param(call, 3, "over %zu bytes", sizeof header->extra_data);
	if (extra.len) memcpy(header->extra_data, extra.data, extra.len);
	header->extra_data_len = (uint8_t)extra.len;
	return STATUS_OK;
}

static enum status take_header(struct build *build) {
	struct rpc_call *call = build->call;
	const struct json *attributes = rpc_param(call, 1);
	const struct header *parent = &build->parent.header;
	const struct chain *chain = call->rpc->options.chain;
	struct header *header = &build->block.header;
	bool has_time, has_randao, has_recipient;
	if (!json_is(attributes, JSON_OBJECT)) return rpc_bad_param(call, 1, "expected an object");
	*header = (struct header){.parent_hash = build->parent.hash,
	    .ommers_hash = empty_ommers_hash,
	    .number = parent->number + 1,
	    .gas_limit = chain_next_gas_limit(parent->gas_limit, GAS_LIMIT_TARGET)};
	TRY(rpc_member_quantity(call, &header->timestamp, &has_time, attributes, "timestamp", 1));
	TRY(rpc_member_hash(call, &header->mix_hash, &has_randao, attributes, "prevRandao", 1));
	TRY(rpc_member_address(call, &header->beneficiary, &has_recipient, attributes, "suggestedFeeRecipient", 1));
	if (!has_time || !has_randao || !has_recipient)
		return rpc_bad_param(call, 1, "timestamp, prevRandao and suggestedFeeRecipient are required");
	if (header->timestamp <= parent->timestamp)
		return rpc_bad_param(
		    call, 1, "timestamp: not after the parent's, %llu", (unsigned long long)parent->timestamp);
	build->rules = chain_rules(chain, header);
	if (build->rules.fork < FORK_PARIS) return rpc_bad_param(call, 0, "a payload can only follow the merge");
	header->field_count = header_field_count(build->rules.fork);
	header->base_fee_wei =
	    exec_next_base_fee(parent, &build->rules, chain_rules(chain, parent).fork >= FORK_LONDON);
	if (build->rules.fork >= FORK_CANCUN) header->excess_blob_gas = exec_excess_blob_gas(parent, &build->rules);
	TRY(take_extra(call, header));
	return take_optional_attributes(build, attributes);
}

/* --- transactions --- */

static enum status add_tx(struct build *build, enum tx_verdict *verdict, const struct ordered_tx *next) {
	struct block *block = &build->block;
	struct exec_tx_result result;
	const size_t size = rlp_string_size(next->tx->raw);
	*verdict = TX_VERDICT_GAS_LIMIT_OVER_BLOCK;
	if (size > build->room_bytes) return STATUS_OK;
	TRY(executor_run(build->call->worker->executor, &result, next->tx, &next->sender));
	*verdict = result.verdict;
	if (result.verdict != TX_VERDICT_OK) return STATUS_OK;
	const u256 price = rpc_effective_gas_price(next->tx, &block->header.base_fee_wei);
	const u256 gas = u256_from(result.gas_used);
	u256 tip;
	u256_sub_overflow(&tip, &price, &block->header.base_fee_wei);
	tip = u256_mul(&tip, &gas);
	u256_add_overflow(&build->value_wei, &build->value_wei, &tip);
	build->room_bytes -= size;
	block->transactions[block->transaction_count++] = *next->tx;
	return STATUS_OK;
}

static enum status read_tx(struct build *build, struct transaction *out, const struct json *text, size_t index) {
	struct rpc_call *call = build->call;
	struct buf data;
	struct err err = {.message = "not an even number of hex digits"};
	buf_init(&data, BLOCK_RLP_MAX);
	enum status status = hex_data(&data, rpc_hex_text(call, json_string(text)));
	const struct bytes envelope = arena_dup(call->arena, buf_view(&data));
	buf_fini(&data);
	if (status == STATUS_OK) status = transaction_decode(out, NULL, call->arena, envelope, &err);
	if (status != STATUS_OK) return rpc_bad_param(call, 2, "transaction %zu: %s", index, err.message);
	if (out->type == TX_BLOB) return rpc_bad_param(call, 2, "transaction %zu: one with blobs", index);
	return STATUS_OK;
}

static enum status refuse_tx(struct build *build, enum tx_verdict verdict, const struct ordered_tx *next) {
	const struct rpc_failed_tx failed = {
	    next->tx, &next->sender, &build->block.header, build->rules.fork, RPC_VERDICT_ALONE};
	return rpc_fail_verdict(build->call, RPC_SERVER_ERROR, verdict, &failed);
}

static enum status run_named(struct build *build, const struct json *list) {
	struct rpc_call *call = build->call;
	size_t index = 0;
	if (!json_is(list, JSON_ARRAY) || list->count > LIST_MAX)
		return rpc_bad_param(call, 2, "expected an array of at most %u, or null", LIST_MAX);
	build->block.transactions = arena_alloc(call->arena, list->count * sizeof *build->block.transactions);
	json_foreach (item, list) {
		struct transaction tx;
		struct ordered_tx next = {.tx = &tx};
		enum tx_verdict verdict = TX_VERDICT_BAD_SIGNATURE;
		TRY(read_tx(build, &tx, item, index));
		if (transaction_sender(&next.sender, &tx, true, NULL) == STATUS_OK) TRY(add_tx(build, &verdict, &next));
		if (verdict != TX_VERDICT_OK) return refuse_tx(build, verdict, &next);
		index++;
	}
	return STATUS_OK;
}

static enum status run_waiting(struct build *build) {
	struct rpc_call *call = build->call;
	const uint64_t gas = build->block.header.gas_limit;
	struct pool_pick picked;
	TRY(pool_peek(
	    call->rpc->options.pool, &picked, call->arena, gas, (size_t)(gas / LEAST_TX_GAS), &call->worker->err));
	build->block.transactions = arena_alloc(call->arena, picked.count * sizeof *build->block.transactions);
	for (size_t i = 0; i < picked.count; i++) {
		enum tx_verdict verdict;
		if (picked.txs[i].tx->type != TX_BLOB) TRY(add_tx(build, &verdict, &picked.txs[i]));
	}
	return STATUS_OK;
}

/* --- the block --- */

static enum status run_block(struct build *build) {
	struct rpc_call *call = build->call;
	struct rpc_worker *worker = call->worker;
	struct header *header = &build->block.header;
	const struct json *list = rpc_param(call, 2);
	struct state_diff diff;
	TRY(take_header(build));
	TRY(rpc_executor_begin(call, &build->parent.source, &build->rules, header, true));
	build->room_bytes = BLOCK_RLP_MAX - BODY_MARGIN_BYTES;
	TRY(list ? run_named(build, list) : run_waiting(build));
	TRY(executor_end_block(worker->executor, header, &build->block));
	TRY(state_get_diff(worker->state, &diff));
	struct trie_updates *updates = trie_updates_new(NULL);
	const enum status status = state_root(&header->state_root, &diff, updates, build->parent.view, &worker->err);
	trie_updates_free(updates);
	build->hash = header_hash(header);
	return status;
}

static void write_payload(struct json_writer *out, const struct build *build) {
	const struct block *block = &build->block;
	const struct header *header = &block->header;
	json_object_begin(out, "executionPayload");
	json_put_hex(out, "parentHash", BYTES_OF(header->parent_hash));
	json_put_hex(out, "feeRecipient", BYTES_OF(header->beneficiary));
	json_put_hex(out, "stateRoot", BYTES_OF(header->state_root));
	json_put_hex(out, "receiptsRoot", BYTES_OF(header->receipts_root));
	json_put_hex(out, "logsBloom", bytes_make(header->logs_bloom, BLOOM_BYTES));
	json_put_hex(out, "prevRandao", BYTES_OF(header->mix_hash));
	json_put_quantity(out, "blockNumber", header->number);
	json_put_quantity(out, "gasLimit", header->gas_limit);
	json_put_quantity(out, "gasUsed", header->gas_used);
	json_put_quantity(out, "timestamp", header->timestamp);
	json_put_hex(out, "extraData", bytes_make(header->extra_data, header->extra_data_len));
	rpc_put_u256(out, "baseFeePerGas", &header->base_fee_wei);
	json_put_hex(out, "blockHash", BYTES_OF(build->hash));
	json_array_begin(out, "transactions");
	for (size_t i = 0; i < block->transaction_count; i++) json_put_hex(out, NULL, block->transactions[i].raw);
	json_array_end(out);
	if (block->has_withdrawals) rpc_write_withdrawals(out, block);
	if (header->field_count >= HEADER_CANCUN) {
		json_put_quantity(out, "blobGasUsed", header->blob_gas_used);
		json_put_quantity(out, "excessBlobGas", header->excess_blob_gas);
	}
	json_object_end(out);
}

static void write_answer(struct build *build) {
	static const char *const empty[] = {"commitments", "proofs", "blobs"};
	struct json_writer *out = &build->call->out;
	size_t count;
	const struct bytes *requests = executor_requests(build->call->worker->executor, &count);
	json_object_begin(out, NULL);
	write_payload(out, build);
	rpc_put_u256(out, "blockValue", &build->value_wei);
	json_object_begin(out, "blobsBundle");
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		json_array_begin(out, empty[i]);
		json_array_end(out);
	}
	json_object_end(out);
	json_array_begin(out, "executionRequests");
	for (size_t i = 0; i < count; i++) json_put_hex(out, NULL, requests[i]);
	json_array_end(out);
	json_put_bool(out, "shouldOverrideBuilder", false);
	json_object_end(out);
}

enum status rpc_testing_build_block(struct rpc_call *call) {
	struct build build = {.call = call};
	struct rpc_block_id id = {.kind = RPC_BLOCK_HASH};
	TRY(rpc_param_hash(call, &id.hash, 0));
	TRY(rpc_state_open(call, &build.parent, &id));
	const enum status status = run_block(&build);
	if (status == STATUS_OK)
		write_answer(&build);
	else if (!call->error_code && !call->err.message[0])
		call->err = call->worker->err;
	rpc_worker_forget(call->worker);
	rpc_state_close(&build.parent);
	return status;
}
