/* evm_*: dev mode's hands on the engine. What touches the chain runs on the executing thread, between two blocks
 * (engine_call). */
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"

#include <stdio.h>

#define MINE_MAX 20000u
#define MILLISECONDS_FROM ((uint64_t)1000000000000)
#define GAS_LIMIT_LEAST 5000u /* a header that says less is invalid */

/* How many blocks, and when. */
struct mine {
	struct rpc *rpc;
	uint64_t count;
	bool has_timestamp;
	uint64_t timestamp;  /* of the first */
	uint64_t interval_s; /* between them; 0: as time goes */
};

static struct header newest_header(const struct rpc *rpc) {
	struct chain_head *head = chain_head(rpc->options.chain);
	const struct header header = head->header;
	chain_head_release(head);
	return header;
}

/* On the executing thread, so that no block comes between. */
static enum status set_next_timestamp(const struct rpc *rpc, uint64_t timestamp, struct err *err) {
	const uint64_t newest = newest_header(rpc).timestamp;
	if (timestamp <= newest)
		return err_set(err, STATUS_INVALID, "timestamp %llu is not after the newest block's, %llu",
		    (unsigned long long)timestamp, (unsigned long long)newest);
	dev_set_next_timestamp(rpc->options.dev, timestamp);
	return STATUS_OK;
}

static enum status mine_work(void *context, struct engine *engine, struct err *err) {
	const struct mine *mine = context;
	const struct rpc_options *options = &mine->rpc->options;
	enum status status = STATUS_OK;
	if (mine->has_timestamp) TRY(set_next_timestamp(mine->rpc, mine->timestamp, err));
	for (uint64_t i = 0; i < mine->count && status == STATUS_OK; i++) {
		if (i > 0 && mine->interval_s > 0)
			dev_set_next_timestamp(options->dev, newest_header(mine->rpc).timestamp + mine->interval_s);
		chain_sync_later(options->chain, i + 1 < mine->count);
		status = engine_seal(engine, err);
	}
	chain_sync_later(options->chain, false);
	return status;
}

/* A number of seconds or milliseconds. */
static enum status param_at_most(struct rpc_call *call, uint64_t *out, size_t index, uint64_t max, const char *unit) {
	TRY(rpc_param_number(call, out, index));
	if (*out > max) return rpc_bad_param(call, index, "over %llu %s", (unsigned long long)max, unit);
	return STATUS_OK;
}

static enum status run_mine(struct rpc_call *call, struct mine *mine) {
	if (mine->count > MINE_MAX) return rpc_bad_param(call, 0, "over %u blocks", MINE_MAX);
	if (mine->timestamp > DEV_TIMESTAMP_MAX)
		return rpc_bad_param(call, 0, "a timestamp over %llu", (unsigned long long)DEV_TIMESTAMP_MAX);
	mine->rpc = call->rpc;
	return engine_call(call->rpc->options.engine, mine_work, mine, &call->err);
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
	if (rpc_param(call, 1)) TRY(param_at_most(call, &mine.interval_s, 1, INT32_MAX, "seconds"));
	TRY(run_mine(call, &mine));
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

/* --- the clock, and what the blocks to come are like --- */

enum order_kind {
	ORDER_INCREASE_TIME,
	ORDER_SET_TIME,
	ORDER_NEXT_TIMESTAMP,
	ORDER_TIMESTAMP_INTERVAL,
	ORDER_AUTOMINE,
	ORDER_INTERVAL,
	ORDER_BASE_FEE,
	ORDER_RANDAO,
	ORDER_GAS_LIMIT,
	ORDER_COINBASE,
};

/* An order to the executing thread, and what the thread answers. */
struct order {
	enum order_kind kind;
	const struct rpc *rpc;
	uint64_t number;
	u256 wei;
	hash32 randao;
	addr20 coinbase;
	bool automine;
	int64_t shift_s;  /* an answer */
	uint64_t ahead_s; /* likewise: by how much the time went on */
};

/* The blocks' time is this now. */
static void set_time(struct order *order) {
	const struct rpc_options *options = &order->rpc->options;
	const int64_t now = (int64_t)(clock_now_ms(options->clock) / 1000);
	const int64_t ahead = (int64_t)order->number - now - dev_time_shift(options->dev);
	dev_set_time_shift(options->dev, (int64_t)order->number - now);
	order->ahead_s = ahead > 0 ? (uint64_t)ahead : 0;
}

static enum status order_work(void *context, struct engine *engine, struct err *err) {
	struct order *order = context;
	struct dev *dev = order->rpc->options.dev;
	const struct header newest = newest_header(order->rpc);
	(void)engine;
	switch (order->kind) {
	case ORDER_INCREASE_TIME: dev_increase_time(dev, &newest, order->number); break;
	case ORDER_SET_TIME: set_time(order); break;
	case ORDER_NEXT_TIMESTAMP: TRY(set_next_timestamp(order->rpc, order->number, err)); break;
	case ORDER_TIMESTAMP_INTERVAL: dev_set_timestamp_interval(dev, order->number); break;
	case ORDER_AUTOMINE: dev_set_automine(dev, order->automine); break;
	case ORDER_INTERVAL: dev_set_interval(dev, (uint32_t)order->number); break;
	case ORDER_BASE_FEE: dev_set_next_base_fee(dev, &order->wei); break;
	case ORDER_RANDAO: dev_set_next_randao(dev, &order->randao); break;
	case ORDER_GAS_LIMIT: dev_set_gas_limit(dev, order->number); break;
	case ORDER_COINBASE: dev_set_coinbase(dev, &order->coinbase); break;
	}
	order->shift_s = dev_time_shift(dev);
	return STATUS_OK;
}

static enum status give_order(struct rpc_call *call, struct order *order) {
	order->rpc = call->rpc;
	return engine_call(call->rpc->options.engine, order_work, order, &call->err);
}

static enum status answer_done(struct rpc_call *call, enum status status) {
	if (status == STATUS_OK) rpc_put_done(call, true);
	return status;
}

static enum status answer_true(struct rpc_call *call, enum status status) {
	if (status == STATUS_OK) json_put_bool(&call->out, NULL, true);
	return status;
}

static enum status answer_null(struct rpc_call *call, enum status status) {
	if (status == STATUS_OK) json_put_null(&call->out, NULL);
	return status;
}

enum status rpc_evm_increase_time(struct rpc_call *call) {
	struct order order = {.kind = ORDER_INCREASE_TIME};
	char sum[24];
	TRY(param_at_most(call, &order.number, 0, INT32_MAX, "seconds"));
	TRY(give_order(call, &order));
	const int len = snprintf(sum, sizeof sum, "%lld", (long long)order.shift_s);
	json_put_raw(&call->out, NULL, bytes_make(sum, (size_t)len));
	return STATUS_OK;
}

/* Takes seconds, or milliseconds if the number is that large. Answers the seconds that this moves the clock ahead. */
enum status rpc_evm_set_time(struct rpc_call *call) {
	struct order order = {.kind = ORDER_SET_TIME};
	TRY(rpc_param_number(call, &order.number, 0));
	if (order.number > MILLISECONDS_FROM) order.number /= 1000;
	if (order.number > DEV_TIMESTAMP_MAX) return rpc_bad_param(call, 0, "too late a time");
	TRY(give_order(call, &order));
	json_put_u64(&call->out, NULL, order.ahead_s);
	return STATUS_OK;
}

enum status rpc_evm_set_next_timestamp(struct rpc_call *call) {
	struct order order = {.kind = ORDER_NEXT_TIMESTAMP};
	TRY(param_at_most(call, &order.number, 0, DEV_TIMESTAMP_MAX, "seconds"));
	return answer_null(call, give_order(call, &order));
}

enum status rpc_dev_set_timestamp_interval(struct rpc_call *call) {
	struct order order = {.kind = ORDER_TIMESTAMP_INTERVAL};
	TRY(param_at_most(call, &order.number, 0, INT32_MAX, "seconds"));
	return answer_null(call, give_order(call, &order));
}

enum status rpc_dev_remove_timestamp_interval(struct rpc_call *call) {
	struct order order = {.kind = ORDER_TIMESTAMP_INTERVAL};
	return answer_true(call, give_order(call, &order));
}

enum status rpc_evm_set_automine(struct rpc_call *call) {
	struct order order = {.kind = ORDER_AUTOMINE};
	TRY(rpc_param_bool(call, &order.automine, 0, false));
	return answer_done(call, give_order(call, &order));
}

enum status rpc_dev_get_automine(struct rpc_call *call) {
	const struct dev_pace pace = dev_pace(call->rpc->options.dev);
	json_put_bool(&call->out, NULL, pace.automine && pace.interval_ms == 0);
	return STATUS_OK;
}

/* Seconds; null: there is no interval. */
enum status rpc_dev_get_interval(struct rpc_call *call) {
	const uint32_t interval_ms = dev_pace(call->rpc->options.dev).interval_ms;
	if (interval_ms == 0)
		json_put_null(&call->out, NULL);
	else
		json_put_u64(&call->out, NULL, (interval_ms + 999) / 1000);
	return STATUS_OK;
}

/* Hardhat's. */
enum status rpc_evm_set_interval(struct rpc_call *call) {
	struct order order = {.kind = ORDER_INTERVAL};
	TRY(param_at_most(call, &order.number, 0, UINT32_MAX, "milliseconds"));
	return answer_true(call, give_order(call, &order));
}

/* Anvil's. */
enum status rpc_dev_set_interval_seconds(struct rpc_call *call) {
	struct order order = {.kind = ORDER_INTERVAL};
	TRY(param_at_most(call, &order.number, 0, UINT32_MAX / 1000, "seconds"));
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
	return answer_done(call, give_order(call, &order));
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
	return answer_done(call, give_order(call, &order));
}
