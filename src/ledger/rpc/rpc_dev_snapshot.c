/* Going back: evm_snapshot, evm_revert, anvil_reset. Blocks go, and the blocks' time goes back with them. */
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"
#include "ledger/rpc/rpc_send.h"

struct snapshot_task {
	struct rpc *rpc;
	uint64_t id;
	bool found;
};

/* The oldest goes where there is no room. */
static enum status snapshot_work(void *context, struct engine *engine, struct err *err) {
	(void)engine;
	(void)err;
	struct snapshot_task *task = context;
	struct rpc *rpc = task->rpc;
	struct chain_head *head = chain_head(rpc->options.chain);
	pthread_mutex_lock(&rpc->lock);
	if (rpc->snapshot_count == RPC_SNAPSHOTS_MAX)
		memmove(rpc->snapshots, rpc->snapshots + 1, --rpc->snapshot_count * sizeof *rpc->snapshots);
	task->id = rpc->next_snapshot_id++;
	rpc->snapshots[rpc->snapshot_count++] =
	    (struct rpc_snapshot){task->id, head->header.number, head->hash, dev_time_shift(rpc->options.dev)};
	pthread_mutex_unlock(&rpc->lock);
	chain_head_release(head);
	return STATUS_OK;
}

enum status rpc_evm_snapshot(struct rpc_call *call) {
	struct snapshot_task task = {.rpc = call->rpc};
	TRY(engine_call(call->rpc->options.engine, snapshot_work, &task, &call->err));
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

/* On the executing thread. */
static enum status unwind_to(struct chain *chain, uint64_t number, struct err *err) {
	enum status status = STATUS_OK;
	struct chain_head *head = chain_head(chain);
	uint64_t newest = head->header.number;
	chain_head_release(head);
	for (; newest > number && status == STATUS_OK; newest--) {
		chain_sync_later(chain, newest > number + 1);
		status = chain_unwind_head(chain, err);
	}
	chain_sync_later(chain, false);
	return status;
}

static enum status revert_work(void *context, struct engine *engine, struct err *err) {
	(void)engine;
	struct snapshot_task *task = context;
	struct chain *chain = task->rpc->options.chain;
	struct rpc_snapshot target;
	struct header header;
	hash32 hash;
	if (!take_snapshot(task->rpc, &target, task->id)) return STATUS_OK;
	enum status status = chain_header_by_number(chain, &header, &hash, target.number, err);
	if (status == STATUS_NOTFOUND || (status == STATUS_OK && !hash32_equal(&hash, &target.hash))) return STATUS_OK;
	TRY(status);
	TRY(unwind_to(chain, target.number, err));
	dev_set_time_shift(task->rpc->options.dev, target.time_shift_s);
	task->found = true;
	return STATUS_OK;
}

enum status rpc_evm_revert(struct rpc_call *call) {
	struct snapshot_task task = {.rpc = call->rpc};
	TRY(rpc_param_number(call, &task.id, 0));
	TRY(engine_call(call->rpc->options.engine, revert_work, &task, &call->err));
	json_put_bool(&call->out, NULL, task.found);
	return STATUS_OK;
}

static enum status reset_work(void *context, struct engine *engine, struct err *err) {
	(void)engine;
	struct rpc *rpc = context;
	TRY(unwind_to(rpc->options.chain, 0, err));
	dev_set_time_shift(rpc->options.dev, 0);
	pthread_mutex_lock(&rpc->lock);
	rpc->snapshot_count = rpc->impersonated_count = 0;
	rpc->impersonates_all = false;
	pthread_mutex_unlock(&rpc->lock);
	return STATUS_OK;
}

/* Back to genesis; forking another chain is not offered. */
enum status rpc_dev_reset(struct rpc_call *call) {
	const struct json *options = rpc_param(call, 0), *forking = json_get(options, "forking");
	if (options && !json_is(options, JSON_OBJECT)) return rpc_bad_param(call, 0, "expected an object");
	if (forking && !json_is(forking, JSON_OBJECT)) return rpc_bad_param(call, 0, "forking: expected an object");
	if (forking && forking->count > 0) return rpc_bad_param(call, 0, "forking is not supported");
	rpc_drop_waiting(call);
	TRY(engine_call(call->rpc->options.engine, reset_work, call->rpc, &call->err));
	json_put_bool(&call->out, NULL, true);
	return STATUS_OK;
}
