/* evm_*: dev mode's hands on the engine. What touches the chain runs on the executing thread, between two blocks
 * (solo_call). */
#include "ledger/rpc/rpc_internal.h"

#define MINE_MAX 20000u

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
	if (mine->has_timestamp) solo_set_next_timestamp(solo, mine->timestamp);
	for (uint64_t i = 0; i < mine->count; i++) {
		struct chain_head *head = chain_head(mine->chain);
		const uint64_t newest = head->header.timestamp;
		chain_head_release(head);
		if (i > 0 && mine->interval_s > 0) solo_set_next_timestamp(solo, newest + mine->interval_s);
		TRY(solo_seal_now(solo, err));
	}
	return STATUS_OK;
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
		mine.has_timestamp = timestamp && !json_is(timestamp, JSON_NULL);
		if (blocks && !json_is(blocks, JSON_NULL)) TRY(rpc_number_of(call, &mine.count, blocks, 0));
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

static enum status shift_work(void *context, struct solo *solo, struct err *err) {
	(void)err;
	solo_shift_time(solo, *(const int64_t *)context);
	return STATUS_OK;
}

enum status rpc_evm_increase_time(struct rpc_call *call) {
	struct rpc *rpc = call->rpc;
	uint64_t seconds;
	TRY(rpc_param_number(call, &seconds, 0));
	if (seconds > INT32_MAX) return rpc_bad_param(call, 0, "over %d seconds", INT32_MAX);
	int64_t shift = (int64_t)seconds;
	TRY(solo_call(rpc->options.solo, shift_work, &shift, &call->err));
	pthread_mutex_lock(&rpc->lock);
	rpc->time_shift_s += shift;
	const int64_t sum = rpc->time_shift_s;
	pthread_mutex_unlock(&rpc->lock);
	json_put_u64(&call->out, NULL, (uint64_t)sum);
	return STATUS_OK;
}

static enum status timestamp_work(void *context, struct solo *solo, struct err *err) {
	(void)err;
	solo_set_next_timestamp(solo, *(const uint64_t *)context);
	return STATUS_OK;
}

enum status rpc_evm_set_next_timestamp(struct rpc_call *call) {
	uint64_t timestamp;
	TRY(rpc_param_number(call, &timestamp, 0));
	TRY(refuse_past(call, timestamp));
	TRY(solo_call(call->rpc->options.solo, timestamp_work, &timestamp, &call->err));
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

static enum status automine_work(void *context, struct solo *solo, struct err *err) {
	(void)err;
	solo_set_automine(solo, *(const bool *)context);
	return STATUS_OK;
}

enum status rpc_evm_set_automine(struct rpc_call *call) {
	bool on;
	TRY(rpc_param_bool(call, &on, 0, false));
	TRY(solo_call(call->rpc->options.solo, automine_work, &on, &call->err));
	json_put_bool(&call->out, NULL, true);
	return STATUS_OK;
}

static enum status interval_work(void *context, struct solo *solo, struct err *err) {
	(void)err;
	solo_set_interval(solo, *(const uint32_t *)context);
	return STATUS_OK;
}

enum status rpc_evm_set_interval(struct rpc_call *call) {
	uint64_t given;
	TRY(rpc_param_number(call, &given, 0));
	if (given > UINT32_MAX) return rpc_bad_param(call, 0, "over %u milliseconds", UINT32_MAX);
	uint32_t interval_ms = (uint32_t)given;
	TRY(solo_call(call->rpc->options.solo, interval_work, &interval_ms, &call->err));
	json_put_bool(&call->out, NULL, true);
	return STATUS_OK;
}

static enum status base_fee_work(void *context, struct solo *solo, struct err *err) {
	(void)err;
	solo_set_next_base_fee(solo, context);
	return STATUS_OK;
}

enum status rpc_dev_set_base_fee(struct rpc_call *call) {
	u256 wei;
	TRY(rpc_slot_of(call, &wei, rpc_param(call, 0), 0));
	TRY(solo_call(call->rpc->options.solo, base_fee_work, &wei, &call->err));
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

static enum status coinbase_work(void *context, struct solo *solo, struct err *err) {
	(void)err;
	solo_set_coinbase(solo, context);
	return STATUS_OK;
}

enum status rpc_dev_set_coinbase(struct rpc_call *call) {
	addr20 coinbase;
	TRY(rpc_param_address(call, &coinbase, 0));
	TRY(solo_call(call->rpc->options.solo, coinbase_work, &coinbase, &call->err));
	json_put_bool(&call->out, NULL, true);
	return STATUS_OK;
}

/* --- snapshots --- */

struct snapshot_task {
	struct rpc *rpc;
	uint64_t id;
	bool found;
};

/* The oldest goes where there is no room. */
static enum status snapshot_work(void *context, struct solo *solo, struct err *err) {
	(void)solo, (void)err;
	struct snapshot_task *task = context;
	struct rpc *rpc = task->rpc;
	struct chain_head *head = chain_head(rpc->options.chain);
	pthread_mutex_lock(&rpc->lock);
	if (rpc->snapshot_count == RPC_SNAPSHOTS_MAX)
		memmove(rpc->snapshots, rpc->snapshots + 1, --rpc->snapshot_count * sizeof *rpc->snapshots);
	task->id = rpc->next_snapshot_id++;
	rpc->snapshots[rpc->snapshot_count++] = (struct rpc_snapshot){task->id, head->header.number, head->hash};
	pthread_mutex_unlock(&rpc->lock);
	chain_head_release(head);
	return STATUS_OK;
}

enum status rpc_evm_snapshot(struct rpc_call *call) {
	struct snapshot_task task = {.rpc = call->rpc};
	TRY(solo_call(call->rpc->options.solo, snapshot_work, &task, &call->err));
	json_put_quantity(&call->out, NULL, task.id);
	return STATUS_OK;
}

/* Takes the snapshot off the list, and those that came after it. */
static bool take_snapshot(struct rpc *rpc, struct rpc_snapshot *out, uint64_t id) {
	bool found = false;
	pthread_mutex_lock(&rpc->lock);
	for (size_t i = 0; i < rpc->snapshot_count && !found; i++) {
		if (rpc->snapshots[i].id != id) continue;
		*out = rpc->snapshots[i];
		rpc->snapshot_count = i;
		found = true;
	}
	pthread_mutex_unlock(&rpc->lock);
	return found;
}

static enum status revert_work(void *context, struct solo *solo, struct err *err) {
	(void)solo;
	struct snapshot_task *task = context;
	struct chain *chain = task->rpc->options.chain;
	struct rpc_snapshot target;
	struct header header;
	hash32 hash;
	if (!take_snapshot(task->rpc, &target, task->id)) return STATUS_OK;
	enum status status = chain_header_by_number(chain, &header, &hash, target.number, err);
	if (status == STATUS_NOTFOUND || (status == STATUS_OK && !hash32_equal(&hash, &target.hash))) return STATUS_OK;
	TRY(status);
	for (;;) {
		struct chain_head *head = chain_head(chain);
		const uint64_t number = head->header.number;
		chain_head_release(head);
		if (number <= target.number) break;
		TRY(chain_unwind_head(chain, err));
	}
	task->found = true;
	return STATUS_OK;
}

enum status rpc_evm_revert(struct rpc_call *call) {
	struct snapshot_task task = {.rpc = call->rpc};
	TRY(rpc_param_number(call, &task.id, 0));
	TRY(solo_call(call->rpc->options.solo, revert_work, &task, &call->err));
	json_put_bool(&call->out, NULL, task.found);
	return STATUS_OK;
}
