/* The calls of a simulated block: each becomes an unsigned transaction, is run, and leaves what it did. */
#include "ledger/rpc/rpc_simulate.h"
#include "ledger/rpc/rpc_write.h"

#define CALLS_MAX 5000u
#define REVERT_TEXT_MAX ((size_t)2048)

/* --- logs, with transfers among them (the EIP-7528 address, ERC-20's event) --- */

static const addr20 ether_address = {{0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
    0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}};
/* keccak("Transfer(address,address,uint256)") */
static const hash32 transfer_topic = {{0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc,
    0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef}};

/* What one call logs; a frame that fails takes back what was logged since it began. */
struct watch {
	struct simulation *sim;
	struct sim_block *block;
	struct sim_log *first, **end;
	struct sim_log **ends[1026]; /* `end` when each frame began; EVM depth is at most 1025 */
	size_t depth;
};

static void keep_log(struct watch *watch, const struct log *log) {
	struct simulation *sim = watch->sim;
	struct arena *arena = sim->call->arena;
	const uint32_t index = watch->block->log_count++;
	sim->kept_bytes += sizeof(struct sim_log) + log->data.len;
	if (sim->kept_bytes > sim->call->rpc->options.response_max) return; /* reported after the run */
	struct sim_log *kept = arena_zalloc(arena, 1, sizeof *kept);
	kept->index = index;
	kept->log = *log;
	kept->log.data = arena_dup(arena, log->data);
	*watch->end = kept;
	watch->end = &kept->next;
}

static void keep_transfer(struct watch *watch, const addr20 *from, const addr20 *to, const u256 *wei) {
	struct log log = {.address = ether_address, .topic_count = 3};
	uint8_t data[32];
	if (u256_is_zero(wei)) return;
	log.topics[0] = transfer_topic;
	memcpy(log.topics[1].b + 12, from->b, sizeof from->b);
	memcpy(log.topics[2].b + 12, to->b, sizeof to->b);
	u256_store_be(data, wei);
	log.data = bytes_make(data, sizeof data);
	keep_log(watch, &log);
}

static void on_log(void *context, const struct log *log) {
	keep_log(context, log);
}

static void on_enter(void *context, const struct evm_message *message) {
	struct watch *watch = context;
	watch->ends[watch->depth++] = watch->end;
	const bool moves = message->kind != EVM_DELEGATECALL && message->kind != EVM_CALLCODE;
	if (watch->sim->trace_transfers && moves)
		keep_transfer(watch, &message->sender, &message->recipient, &message->value_wei);
}

static void on_leave(void *context, const struct evm_message *message, const struct evm_result *result) {
	struct watch *watch = context;
	(void)message;
	struct sim_log **began = watch->ends[--watch->depth];
	if (result->outcome == EVM_SUCCESS) return;
	*began = NULL;
	watch->end = began;
}

static void on_selfdestruct(void *context, const addr20 *self, const addr20 *heir, const u256 *wei) {
	struct watch *watch = context;
	if (watch->sim->trace_transfers) keep_transfer(watch, self, heir, wei);
}

/* --- transactions --- */

static int code_of_verdict(enum tx_verdict verdict) {
	if (verdict == TX_VERDICT_NONCE_TOO_LOW) return RPC_NONCE_TOO_LOW;
	if (verdict == TX_VERDICT_NONCE_TOO_HIGH) return RPC_NONCE_TOO_HIGH;
	if (verdict == TX_VERDICT_FEE_CAP_BELOW_BASE_FEE) return RPC_BASE_FEE_TOO_LOW;
	if (verdict == TX_VERDICT_INTRINSIC_GAS || verdict == TX_VERDICT_FLOOR_GAS) return RPC_INTRINSIC_GAS;
	if (verdict == TX_VERDICT_INSUFFICIENT_FUNDS) return RPC_INSUFFICIENT_FUNDS;
	if (verdict == TX_VERDICT_INIT_CODE_TOO_LARGE) return RPC_INIT_CODE_TOO_LARGE;
	return RPC_INTERNAL;
}

/* Fills in what the caller left open, as geth does: the hash shows it. */
static enum status complete(struct simulation *sim, const struct sim_block *block, struct rpc_tx_args *args) {
	struct rpc_call *call = sim->call;
	struct transaction *tx = &args->tx;
	const struct header *header = &block->block.block.header;
	const uint64_t room = header->gas_limit - header->gas_used;
	if (!args->has_nonce) TRY(state_get_nonce(call->worker->state, &tx->nonce, &args->from));
	if (!args->has_gas) tx->gas_limit = room;
	if (tx->gas_limit > room)
		return rpc_fail(call, RPC_BLOCK_GAS_LIMIT, "block gas limit reached: %llu >= %llu",
		    (unsigned long long)header->gas_used, (unsigned long long)header->gas_limit);
	if (tx->gas_limit > sim->gas_left) tx->gas_limit = sim->gas_left;
	tx->chain_id = block->rules.chain_id;
	tx->has_chain_id = true;
	if (tx->type != TX_BLOB) tx->max_blob_fee_wei = u256_from(0);
	struct buf envelope;
	buf_init(&envelope, BUF_MAX_DEFAULT);
	if (tx->type == TX_LEGACY) tx->v = u256_from(0);
	transaction_encode(&envelope, tx);
	tx->raw = arena_dup(call->arena, buf_view(&envelope));
	buf_fini(&envelope);
	return STATUS_OK;
}

static enum status run_one(struct simulation *sim, struct sim_block *block, size_t index, const struct json *object) {
	struct rpc_call *call = sim->call;
	struct rpc_worker *worker = call->worker;
	struct evm *evm = executor_evm(worker->executor);
	struct watch *watch = arena_zalloc(call->arena, 1, sizeof *watch);
	struct exec_tx_result result;
	struct rpc_tx_args args;
	TRY(rpc_tx_args_of(call, &args, object, 0));
	TRY(complete(sim, block, &args));
	watch->sim = sim;
	watch->block = block;
	watch->end = &watch->first;
	const struct evm_tracer tracer = {
	    .enter = on_enter, .leave = on_leave, .selfdestruct = on_selfdestruct, .log = on_log, .context = watch};
	evm_set_tracer(evm, &tracer);
	enum status status = executor_simulate(worker->executor, &result, &args.tx, &args.from, sim->strict);
	evm_set_tracer(evm, NULL);
	if (status != STATUS_OK) {
		call->err = worker->err;
		return status;
	}
	const struct rpc_failed_tx failed = {
	    &args.tx, &args.from, &block->block.block.header, block->rules.fork, RPC_VERDICT_OF_CALL};
	if (result.verdict != TX_VERDICT_OK)
		return rpc_fail_verdict(call, code_of_verdict(result.verdict), result.verdict, &failed);
	sim->kept_bytes += result.output.len;
	if (sim->kept_bytes > call->rpc->options.response_max)
		return rpc_fail(call, RPC_TOO_LARGE, "response too large");
	const bool has_output = result.outcome == EVM_REVERT || (result.outcome == EVM_SUCCESS);
	block->results[index] = (struct sim_call){.outcome = result.outcome,
	    .gas_used = result.gas_used,
	    .peak_gas = result.peak_gas,
	    .failure = rpc_fault_text(call, block->rules.fork, result.outcome),
	    .output = has_output ? arena_dup(call->arena, result.output) : (struct bytes){NULL, 0},
	    .logs = watch->first};
	worker->spent_gas += result.gas_used;
	block->block.block.header.gas_used += result.gas_used;
	sim->gas_left -= result.gas_used < sim->gas_left ? result.gas_used : sim->gas_left;
	block->block.block.transactions[index] = args.tx;
	block->block.block.transaction_count++;
	block->block.receipts[index].sender = args.from;
	return STATUS_OK;
}

enum status sim_run_calls(struct simulation *sim, struct sim_block *block) {
	struct arena *arena = sim->call->arena;
	const size_t count = block->calls ? block->calls->count : 0;
	if (count > CALLS_MAX) return rpc_fail(sim->call, RPC_OVER_LIMIT, "too many calls in block: %zu", count);
	block->results = arena_zalloc(arena, count, sizeof *block->results);
	block->block.block.transactions = arena_zalloc(arena, count, sizeof *block->block.block.transactions);
	block->block.receipts = arena_zalloc(arena, count, sizeof *block->block.receipts);
	size_t index = 0;
	json_foreach (object, block->calls) TRY(run_one(sim, block, index++, object));
	return STATUS_OK;
}

/* --- writing --- */

static void put_error(struct json_writer *out, const struct sim_call *result) {
	const bool reverted = result->outcome == EVM_REVERT;
	struct buf message;
	buf_init(&message, REVERT_TEXT_MAX);
	if (reverted)
		rpc_put_revert(&message, result->output);
	else
		buf_text(&message, result->failure);
	json_object_begin(out, "error");
	json_put_string(out, "message", buf_view(&message));
	buf_fini(&message);
	json_put_name(out, "code");
	buf_printf(out->out, "%d", reverted ? RPC_REVERTED : RPC_VM_ERROR);
	if (reverted) json_put_hex(out, "data", result->output);
	json_object_end(out);
}

void sim_write_calls(struct simulation *sim, const struct sim_block *block) {
	struct json_writer *out = &sim->call->out;
	const struct header *header = &block->block.block.header;
	json_array_begin(out, "calls");
	for (size_t i = 0; i < block->block.block.transaction_count; i++) {
		const struct sim_call *result = &block->results[i];
		struct found_log place = {.block_number = header->number,
		    .block_hash = block->block.hash,
		    .block_timestamp = header->timestamp,
		    .tx_hash = transaction_hash(&block->block.block.transactions[i]),
		    .tx_index = (uint32_t)i};
		json_object_begin(out, NULL);
		json_put_hex(
		    out, "returnData", result->outcome == EVM_SUCCESS ? result->output : (struct bytes){NULL, 0});
		json_array_begin(out, "logs");
		for (const struct sim_log *log = result->logs; log; log = log->next) {
			place.log = &log->log;
			place.log_index = log->index;
			rpc_write_log(out, &place, false);
		}
		json_array_end(out);
		json_put_quantity(out, "gasUsed", result->gas_used);
		json_put_quantity(out, "maxUsedGas", result->peak_gas);
		json_put_quantity(out, "status", result->outcome == EVM_SUCCESS);
		if (result->outcome != EVM_SUCCESS) put_error(out, result);
		json_object_end(out);
	}
	json_array_end(out);
}
