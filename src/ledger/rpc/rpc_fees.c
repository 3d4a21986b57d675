/* What gas costs: eth_gasPrice, eth_maxPriorityFeePerGas, eth_feeHistory, eth_baseFee, eth_blobBaseFee. */
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_write.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_BLOCKS 20u
#define SAMPLES_A_BLOCK 3u
#define SAMPLE_PERCENTILE 60u
#define TIP_DEFAULT_WEI ((uint64_t)1000000000)
#define HISTORY_MAX 1024u
#define PERCENTILES_MAX 100u

/* What a transaction left to the block's maker for each unit of gas. */
static u256 tip_of(const struct transaction *tx, const struct header *header) {
	const u256 base_fee = header->field_count >= HEADER_LONDON ? header->base_fee_wei : u256_from(0);
	u256 tip = rpc_effective_gas_price(tx, &base_fee);
	if (u256_sub_overflow(&tip, &tip, &base_fee)) return u256_from(0);
	return tip;
}

static int compare_u256(const void *a, const void *b) {
	const u256 *left = a, *right = b;
	return u256_less(left, right) ? -1 : u256_less(right, left);
}

/* The block's smallest tips that are more than dust, as geth samples them. */
static size_t sample_block(u256 out[SAMPLES_A_BLOCK], const struct block *block) {
	const u256 dust = u256_from(2);
	size_t count = 0;
	for (size_t i = 0; i < block->transaction_count; i++) {
		u256 tip = tip_of(&block->transactions[i], &block->header);
		if (u256_less(&tip, &dust)) continue;
		if (count == SAMPLES_A_BLOCK && !u256_less(&tip, &out[count - 1])) continue;
		size_t at = count < SAMPLES_A_BLOCK ? count++ : count - 1;
		for (; at > 0 && u256_less(&tip, &out[at - 1]); at--) out[at] = out[at - 1];
		out[at] = tip;
	}
	return count;
}

static enum status sample_tips(struct rpc_call *call, u256 *out_wei, const struct chain_head *head) {
	u256 samples[SAMPLE_BLOCKS * SAMPLES_A_BLOCK];
	size_t count = 0;
	const uint64_t newest = head->header.number;
	for (uint64_t back = 0; back < SAMPLE_BLOCKS && back < newest; back++) {
		struct rpc_block *block;
		struct header header;
		hash32 hash;
		enum status status =
		    chain_header_by_number(call->rpc->options.chain, &header, &hash, newest - back, &call->err);
		if (status == STATUS_OK && header.gas_used > 0) {
			status = rpc_block_load(call, &block, &hash);
			if (status == STATUS_OK) count += sample_block(samples + count, &block->block);
		}
		if (status != STATUS_OK && status != STATUS_NOTFOUND) return status;
	}
	qsort(samples, count, sizeof *samples, compare_u256);
	*out_wei = count ? samples[(count - 1) * SAMPLE_PERCENTILE / 100] : u256_from(TIP_DEFAULT_WEI);
	return STATUS_OK;
}

/* Found once a block; a chain without a base fee asks for nothing. */
enum status rpc_suggest_tip(struct rpc_call *call, u256 *out_wei) {
	struct rpc *rpc = call->rpc;
	struct chain_head *head = chain_head(rpc->options.chain);
	pthread_mutex_lock(&rpc->lock);
	const bool known = hash32_equal(&rpc->tip_block, &head->hash);
	if (known) *out_wei = rpc->suggested_tip_wei;
	pthread_mutex_unlock(&rpc->lock);
	enum status status = STATUS_OK;
	if (!known) {
		if (chain_rules(rpc->options.chain, &head->header).zero_base_fee)
			*out_wei = u256_from(0);
		else
			status = sample_tips(call, out_wei, head);
		pthread_mutex_lock(&rpc->lock);
		if (status == STATUS_OK) {
			rpc->tip_block = head->hash;
			rpc->suggested_tip_wei = *out_wei;
		}
		pthread_mutex_unlock(&rpc->lock);
	}
	chain_head_release(head);
	return status;
}

static struct header newest_header(const struct rpc_call *call) {
	struct chain_head *head = chain_head(call->rpc->options.chain);
	struct header header = head->header;
	chain_head_release(head);
	return header;
}

enum status rpc_eth_max_priority_fee(struct rpc_call *call) {
	u256 tip;
	TRY(rpc_suggest_tip(call, &tip));
	rpc_put_u256(&call->out, NULL, &tip);
	return STATUS_OK;
}

/* As geth, over the newest block's base fee; of a development chain, whose next base fee may be ordered, over that. */
enum status rpc_eth_gas_price(struct rpc_call *call) {
	struct header header = newest_header(call);
	u256 price;
	TRY(rpc_suggest_tip(call, &price));
	if (call->rpc->options.dev) TRY(rpc_next_header(call, &header));
	if (header.field_count >= HEADER_LONDON) u256_add_overflow(&price, &price, &header.base_fee_wei);
	rpc_put_u256(&call->out, NULL, &price);
	return STATUS_OK;
}

enum status rpc_eth_base_fee(struct rpc_call *call) {
	struct header next;
	TRY(rpc_next_header(call, &next));
	rpc_put_u256(&call->out, NULL, &next.base_fee_wei);
	return STATUS_OK;
}

/* Zero before blobs. */
static u256 blob_base_fee(const struct rpc_call *call, const struct header *header) {
	if (header->field_count < HEADER_CANCUN) return u256_from(0);
	const struct exec_rules rules = chain_rules(call->rpc->options.chain, header);
	return exec_blob_base_fee(header->excess_blob_gas, &rules.blob);
}

enum status rpc_eth_blob_base_fee(struct rpc_call *call) {
	const struct header head = newest_header(call);
	const u256 fee = blob_base_fee(call, &head);
	rpc_put_u256(&call->out, NULL, &fee);
	return STATUS_OK;
}

/* --- eth_feeHistory --- */

struct percentiles {
	double values[PERCENTILES_MAX];
	size_t count;
};

static enum status take_percentiles(struct rpc_call *call, struct percentiles *out) {
	const struct json *array = rpc_param(call, 2);
	out->count = 0;
	if (!array) return STATUS_OK;
	if (!json_is(array, JSON_ARRAY) || array->count > PERCENTILES_MAX)
		return rpc_bad_param(call, 2, "expected an array of at most %u percentiles", PERCENTILES_MAX);
	json_foreach (item, array) {
		if (!json_is(item, JSON_NUMBER)) return rpc_bad_param(call, 2, "expected numbers");
		const double value = strtod(arena_strdup(call->arena, item->text), NULL);
		if (!(value >= 0 && value <= 100))
			return rpc_fail(call, RPC_SERVER_ERROR, "invalid reward percentile: %g", value);
		if (out->count && value < out->values[out->count - 1])
			return rpc_fail(call, RPC_SERVER_ERROR, "invalid reward percentile: %g after %g", value,
			    out->values[out->count - 1]);
		out->values[out->count++] = value;
	}
	return STATUS_OK;
}

struct paid {
	u256 tip;
	uint64_t gas_used;
};

static int compare_paid(const void *a, const void *b) {
	return compare_u256(&((const struct paid *)a)->tip, &((const struct paid *)b)->tip);
}

/* One block's tips at the percentiles of its gas. */
static enum status put_rewards(
    struct rpc_call *call, const struct rpc_found_block *at, const struct percentiles *wanted) {
	struct rpc_block *block;
	const struct arena_mark mark = arena_mark(call->arena);
	TRY(rpc_block_load(call, &block, &at->hash));
	TRY(rpc_block_receipts(call, block));
	const size_t count = block->block.transaction_count;
	struct paid *paid = arena_alloc(call->arena, count * sizeof *paid + 1);
	for (size_t i = 0; i < count; i++) {
		paid[i].tip = tip_of(&block->block.transactions[i], &at->header);
		paid[i].gas_used = block->receipts[i].gas_used;
	}
	qsort(paid, count, sizeof *paid, compare_paid);
	const u256 zero = u256_from(0);
	size_t index = 0;
	uint64_t gas = count ? paid[0].gas_used : 0;
	json_array_begin(&call->out, NULL);
	for (size_t i = 0; i < wanted->count; i++) {
		const uint64_t threshold = (uint64_t)((double)at->header.gas_used * wanted->values[i] / 100);
		while (index + 1 < count && gas < threshold) gas += paid[++index].gas_used;
		rpc_put_u256(&call->out, NULL, count ? &paid[index].tip : &zero);
	}
	json_array_end(&call->out);
	arena_rewind(call->arena, mark);
	return STATUS_OK;
}

static void put_ratio(struct json_writer *out, uint64_t part, uint64_t whole) {
	json_put_name(out, NULL);
	buf_printf(out->out, "%.10g", whole ? (double)part / (double)whole : 0.0);
}

/* The block after this one: of the newest one, that which would come now. */
static enum status header_after(struct rpc_call *call, struct header *out, const struct header *parent) {
	const enum status status =
	    chain_header_by_number(call->rpc->options.chain, out, NULL, parent->number + 1, &call->err);
	return status == STATUS_NOTFOUND ? rpc_next_header(call, out) : status;
}

static enum status put_history(
    struct rpc_call *call, const struct rpc_found_block *blocks, size_t count, const struct percentiles *wanted) {
	struct json_writer *out = &call->out;
	struct header next = {0};
	if (count) TRY(header_after(call, &next, &blocks[count - 1].header));
	json_object_begin(out, NULL);
	json_put_quantity(out, "oldestBlock", count ? blocks[0].header.number : 0);
	if (wanted->count && count) {
		json_array_begin(out, "reward");
		for (size_t i = 0; i < count; i++) TRY(put_rewards(call, &blocks[i], wanted));
		json_array_end(out);
	}
	json_array_begin(out, "baseFeePerGas");
	for (size_t i = 0; i < count; i++) {
		const u256 fee =
		    blocks[i].header.field_count >= HEADER_LONDON ? blocks[i].header.base_fee_wei : u256_from(0);
		rpc_put_u256(out, NULL, &fee);
	}
	if (count) rpc_put_u256(out, NULL, &next.base_fee_wei);
	json_array_end(out);
	json_array_begin(out, "gasUsedRatio");
	for (size_t i = 0; i < count; i++) put_ratio(out, blocks[i].header.gas_used, blocks[i].header.gas_limit);
	json_array_end(out);
	json_array_begin(out, "baseFeePerBlobGas");
	for (size_t i = 0; i < count; i++) {
		const u256 fee = blob_base_fee(call, &blocks[i].header);
		rpc_put_u256(out, NULL, &fee);
	}
	if (count) {
		const u256 fee = blob_base_fee(call, &next);
		rpc_put_u256(out, NULL, &fee);
	}
	json_array_end(out);
	json_array_begin(out, "blobGasUsedRatio");
	for (size_t i = 0; i < count; i++) {
		const struct exec_rules rules = chain_rules(call->rpc->options.chain, &blocks[i].header);
		put_ratio(out, blocks[i].header.blob_gas_used, rules.blob.max * GAS_PER_BLOB);
	}
	json_array_end(out);
	json_object_end(out);
	return STATUS_OK;
}

enum status rpc_eth_fee_history(struct rpc_call *call) {
	struct rpc_block_id id;
	struct rpc_found_block newest;
	struct percentiles wanted;
	uint64_t count;
	TRY(rpc_param_number(call, &count, 0));
	TRY(rpc_param_block_number(call, &id, 1));
	TRY(take_percentiles(call, &wanted));
	TRY(rpc_find_block(call, &newest, &(bool){false}, &(struct rpc_block_id){.kind = RPC_BLOCK_LATEST}));
	if (id.kind == RPC_BLOCK_NUMBER && id.number > newest.header.number)
		return rpc_fail(call, RPC_SERVER_ERROR, "request beyond head block: requested %llu, head %llu",
		    (unsigned long long)id.number, (unsigned long long)newest.header.number);
	TRY(rpc_require_block(call, &newest, &id));
	if (count > HISTORY_MAX) count = HISTORY_MAX;
	if (count > newest.header.number + 1) count = newest.header.number + 1;
	struct rpc_found_block *blocks = arena_alloc(call->arena, count * sizeof *blocks + 1);
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t number = newest.header.number - (count - 1 - i);
		TRY(rpc_require_block(
		    call, &blocks[i], &(struct rpc_block_id){.kind = RPC_BLOCK_NUMBER, .number = number}));
	}
	return put_history(call, blocks, count, &wanted);
}
