/* evm_*: dev mode's hands on the engine. What touches the chain runs on the executing thread, between two blocks
 * (solo_call). */
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"

#include <stdio.h>

#define MINE_MAX 20000u
#define GAS_LIMIT_LEAST 5000u /* a header that says less is invalid */

/* How many blocks, and when. */
struct mine {
	struct chain *chain;
	uint64_t count;
	bool has_timestamp;
	uint64_t timestamp;  /* of the first */
	uint64_t interval_s; /* between them; 0: as time goes */
};

static enum status mine_work(void *context, struct solo *solo, struct err *err) {
	const struct mine *mine = context;
	enum status status = STATUS_OK;
	if (mine->has_timestamp) solo_set_next_timestamp(solo, mine->timestamp);
	for (uint64_t i = 0; i < mine->count && status == STATUS_OK; i++) {
		struct chain_head *head = chain_head(mine->chain);
		const uint64_t newest = head->header.timestamp;
		chain_head_release(head);
		if (i > 0 && mine->interval_s > 0) solo_set_next_timestamp(solo, newest + mine->interval_s);
		chain_sync_later(mine->chain, i + 1 < mine->count);
		status = solo_seal_now(solo, err);
	}
	chain_sync_later(mine->chain, false);
	return status;
}

static enum status refuse_past(struct rpc_call *call, uint64_t timestamp) {
	struct chain_head *head = chain_head(call->rpc->options.chain);
	const uint64_t newest = head->header.timestamp;
	chain_head_release(head);
	if (timestamp > newest) return STATUS_OK;
	return rpc_fail(call, RPC_SERVER_ERROR, "timestamp %llu is not after the newest block's, %llu",
	    (unsigned long long)timestamp, (unsigned long long)newest);
}

static enum status run_mine(struct rpc_call *call, struct mine *mine) {
	if (mine->count > MINE_MAX) return rpc_bad_param(call, 0, "over %u blocks", MINE_MAX);
	if (mine->has_timestamp) TRY(refuse_past(call, mine->timestamp));
	mine->chain = call->rpc->options.chain;
	return solo_call(call->rpc->options.solo, mine_work, mine, &call->err);
}

/* A timestamp, or anvil's { blocks, timestamp }. */
enum status rpc_evm_mine(struct rpc_call *call) {
	const struct json *given = rpc_param(call, 0);
	struct mine mine = {.count = 1, .has_timestamp = given != NULL};
	if (json_is(given, JSON_OBJECT)) {
		const struct json *blocks = json_get(given, "blocks"), *timestamp = json_get(given, "timestamp");
		mine.has_timestamp = timestamp != NULL;
		if (blocks) TRY(rpc_number_of(call, &mine.count, blocks, 0));
		if (mine.has_timestamp) TRY(rpc_number_of(call, &mine.timestamp, timestamp, 0));
	} else if (given) {
		TRY(rpc_param_number(call, &mine.timestamp, 0));
	}
	TRY(run_mine(call, &mine));
	json_put_quantity(&call->out, NULL, 0);
	return STATUS_OK;
}

/* anvil_mine, hardhat_mine: a count, and the seconds between. */
enum status rpc_dev_mine(struct rpc_call *call) {
	struct mine mine = {.count = 1};
	if (rpc_param(call, 0)) TRY(rpc_param_number(call, &mine.count, 0));
	if (rpc_param(call, 1)) TRY(rpc_param_number(call, &mine.interval_s, 1));
	if (mine.interval_s > INT32_MAX) return rpc_bad_param(call, 1, "over %d seconds", INT32_MAX);
	TRY(run_mine(call, &mine));
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

/* --- the clock, and what the blocks to come are like --- */

enum order_kind {
	ORDER_TIME_SHIFT,
	ORDER_NEXT_TIMESTAMP,
	ORDER_TIMESTAMP_INTERVAL,
	ORDER_AUTOMINE,
	ORDER_INTERVAL,
	ORDER_BASE_FEE,
	ORDER_RANDAO,
	ORDER_GAS_LIMIT,
	ORDER_COINBASE,
	ORDER_NOTHING, /* asks alone */
};

/* What the executing thread is told, and what it says of itself afterwards. */
struct order {
	enum order_kind kind;
	uint64_t number;
	u256 wei;
	hash32 randao;
	addr20 coinbase;
	int64_t shift_s;
	bool automine;
};

static enum status order_work(void *context, struct solo *solo, struct err *err) {
	struct order *order = context;
	(void)err;
	switch (order->kind) {
	case ORDER_TIME_SHIFT: solo_shift_time(solo, order->shift_s); break;
	case ORDER_NEXT_TIMESTAMP: solo_set_next_timestamp(solo, order->number); break;
	case ORDER_TIMESTAMP_INTERVAL: solo_set_timestamp_interval(solo, order->number); break;
	case ORDER_AUTOMINE: solo_set_automine(solo, order->automine); break;
	case ORDER_INTERVAL: solo_set_interval(solo, (uint32_t)order->number); break;
	case ORDER_BASE_FEE: solo_set_next_base_fee(solo, &order->wei); break;
	case ORDER_RANDAO: solo_set_next_randao(solo, &order->randao); break;
	case ORDER_GAS_LIMIT: solo_set_gas_limit(solo, order->number); break;
	case ORDER_COINBASE: solo_set_coinbase(solo, &order->coinbase); break;
	case ORDER_NOTHING: break;
	}
	order->shift_s = solo_time_shift(solo);
	order->automine = solo_is_automine(solo);
	return STATUS_OK;
}

static enum status give_order(struct rpc_call *call, struct order *order) {
	return solo_call(call->rpc->options.solo, order_work, order, &call->err);
}

static enum status answer_true(struct rpc_call *call, enum status status) {
	if (status == STATUS_OK) json_put_bool(&call->out, NULL, true);
	return status;
}

static enum status answer_null(struct rpc_call *call, enum status status) {
	if (status == STATUS_OK) json_put_null(&call->out, NULL);
	return status;
}

/* A number of seconds or milliseconds in parameter 0. */
static enum status param_at_most(struct rpc_call *call, uint64_t *out, uint64_t max, const char *unit) {
	TRY(rpc_param_number(call, out, 0));
	if (*out > max) return rpc_bad_param(call, 0, "over %llu %s", (unsigned long long)max, unit);
	return STATUS_OK;
}

enum status rpc_evm_increase_time(struct rpc_call *call) {
	struct order order = {.kind = ORDER_TIME_SHIFT};
	char sum[24];
	TRY(param_at_most(call, &order.number, INT32_MAX, "seconds"));
	order.shift_s = (int64_t)order.number;
	TRY(give_order(call, &order));
	const int len = snprintf(sum, sizeof sum, "%lld", (long long)order.shift_s);
	json_put_raw(&call->out, NULL, bytes_make(sum, (size_t)len));
	return STATUS_OK;
}

enum status rpc_evm_set_next_timestamp(struct rpc_call *call) {
	struct order order = {.kind = ORDER_NEXT_TIMESTAMP};
	TRY(rpc_param_number(call, &order.number, 0));
	TRY(refuse_past(call, order.number));
	return answer_null(call, give_order(call, &order));
}

enum status rpc_dev_set_timestamp_interval(struct rpc_call *call) {
	struct order order = {.kind = ORDER_TIMESTAMP_INTERVAL};
	TRY(param_at_most(call, &order.number, INT32_MAX, "seconds"));
	return answer_null(call, give_order(call, &order));
}

enum status rpc_dev_remove_timestamp_interval(struct rpc_call *call) {
	struct order order = {.kind = ORDER_TIMESTAMP_INTERVAL};
	return answer_true(call, give_order(call, &order));
}

enum status rpc_evm_set_automine(struct rpc_call *call) {
	struct order order = {.kind = ORDER_AUTOMINE};
	TRY(rpc_param_bool(call, &order.automine, 0, false));
	return answer_true(call, give_order(call, &order));
}

enum status rpc_dev_get_automine(struct rpc_call *call) {
	struct order order = {.kind = ORDER_NOTHING};
	TRY(give_order(call, &order));
	json_put_bool(&call->out, NULL, order.automine);
	return STATUS_OK;
}

/* Hardhat's. */
enum status rpc_evm_set_interval(struct rpc_call *call) {
	struct order order = {.kind = ORDER_INTERVAL};
	TRY(param_at_most(call, &order.number, UINT32_MAX, "milliseconds"));
	return answer_true(call, give_order(call, &order));
}

/* Anvil's. */
enum status rpc_dev_set_interval_seconds(struct rpc_call *call) {
	struct order order = {.kind = ORDER_INTERVAL};
	TRY(param_at_most(call, &order.number, UINT32_MAX / 1000, "seconds"));
	order.number *= 1000;
	return answer_null(call, give_order(call, &order));
}

enum status rpc_dev_set_base_fee(struct rpc_call *call) {
	struct order order = {.kind = ORDER_BASE_FEE};
	TRY(rpc_big_number_of(call, &order.wei, rpc_param(call, 0), 0));
	return answer_null(call, give_order(call, &order));
}

enum status rpc_dev_set_randao(struct rpc_call *call) {
	struct order order = {.kind = ORDER_RANDAO};
	TRY(rpc_param_hash(call, &order.randao, 0));
	return answer_true(call, give_order(call, &order));
}

enum status rpc_dev_set_gas_limit(struct rpc_call *call) {
	struct order order = {.kind = ORDER_GAS_LIMIT};
	TRY(rpc_param_number(call, &order.number, 0));
	if (order.number < GAS_LIMIT_LEAST || order.number > INT64_MAX)
		return rpc_bad_param(call, 0, "a block's gas limit is %u to 2^63 - 1", GAS_LIMIT_LEAST);
	return answer_true(call, give_order(call, &order));
}

enum status rpc_dev_set_coinbase(struct rpc_call *call) {
	struct order order = {.kind = ORDER_COINBASE};
	TRY(rpc_param_address(call, &order.coinbase, 0));
	return answer_true(call, give_order(call, &order));
}
