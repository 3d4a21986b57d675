/* Going back: evm_snapshot, evm_revert, anvil_rollback, anvil_reorg, anvil_reset. Blocks go, and the blocks' time goes
 * back with them. */
#include "codec/hex.h"
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"
#include "ledger/rpc/rpc_send.h"

#define REORG_DEPTH_MAX 20000u
#define REORG_TXS_MAX 4096u

struct snapshot_task {
	struct rpc *rpc;
	uint64_t id;
	bool found;
};

/* The oldest goes if there is no room. */
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

/* --- back by a number of blocks --- */

struct reorg_tx {
	uint64_t place;        /* of its block, 0 being the first new one */
	struct bytes envelope; /* signed; or */
	struct rpc_tx_args request;
	const struct rpc_account *account; /* who signs the request; NULL: its sender is impersonated */
};

/* The call's worker is the executing thread's while the call waits for that. */
struct reorg {
	struct rpc_call *call;
	uint64_t depth;
	bool seals; /* as many blocks again */
	struct reorg_tx *txs;
	size_t tx_count;
	bool is_too_deep;
	uint64_t height;
};

/* A transaction that fails at any gas is sealed as one that failed: it gets all that one may have. */
static enum status fill_request(struct rpc_call *call, struct rpc_tx_args *args) {
	struct header next;
	const enum status status = rpc_fill_tx(call, args);
	if (args->has_gas || (status != STATUS_INVALID && status != STATUS_TIMEOUT)) return status;
	TRY(rpc_next_header(call, &next));
	args->tx.gas_limit = next.gas_limit < TX_GAS_CAP ? next.gas_limit : TX_GAS_CAP;
	args->has_gas = true;
	return rpc_fill_tx(call, args);
}

static enum status add_request(struct rpc_call *call, const struct reorg_tx *tx, struct err *err) {
	struct pool *pool = call->rpc->options.pool;
	struct rpc_tx_args args = tx->request;
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	hash32 hash;
	TRY(fill_request(call, &args));
	if (!args.has_nonce) TRY(pool_next_nonce(pool, &args.tx.nonce, &args.from, err));
	if (tx->account == NULL)
		return pool_add_unsigned(pool, &hash, &verdict, &tx_verdict, &args.tx, &args.from, err);
	TRY(transaction_sign(&args.tx, call->arena, &tx->account->secret, err));
	return pool_add(pool, &hash, &verdict, &tx_verdict, args.tx.raw, err);
}

static enum status add_envelope(struct rpc_call *call, struct bytes envelope, struct err *err) {
	enum pool_verdict verdict;
	enum tx_verdict tx_verdict;
	hash32 hash;
	return pool_add(call->rpc->options.pool, &hash, &verdict, &tx_verdict, envelope, err);
}

/* A transaction that cannot stand is left out, as the engine leaves it out. */
static enum status seal_again(const struct reorg *reorg, struct engine *engine, uint64_t place, struct err *err) {
	struct rpc *rpc = reorg->call->rpc;
	const struct rpc_options *options = &rpc->options;
	hash32 randao;
	for (size_t i = 0; i < reorg->tx_count; i++) {
		const struct reorg_tx *tx = &reorg->txs[i];
		if (tx->place != place) continue;
		pthread_mutex_lock(&rpc->send_lock); /* from choosing a nonce to its being taken */
		const enum status status = tx->envelope.len > 0 ? add_envelope(reorg->call, tx->envelope, err)
								: add_request(reorg->call, tx, err);
		pthread_mutex_unlock(&rpc->send_lock);
		if (status != STATUS_OK && status != STATUS_INVALID) return status;
	}
	random_fill(options->random, &randao, sizeof randao); /* no new block is an old one again */
	dev_set_next_randao(options->dev, &randao);
	return engine_seal(engine, err);
}

static enum status reorg_work(void *context, struct engine *engine, struct err *err) {
	struct reorg *reorg = context;
	const struct rpc_options *options = &reorg->call->rpc->options;
	struct header common;
	hash32 hash;
	struct chain_head *head = chain_head(options->chain);
	reorg->height = head->header.number;
	chain_head_release(head);
	reorg->is_too_deep = reorg->depth > reorg->height;
	if (reorg->is_too_deep) return STATUS_OK;
	TRY(chain_header_by_number(options->chain, &common, &hash, reorg->height - reorg->depth, err));
	TRY(unwind_to(options->chain, common.number, err));
	const int64_t now = (int64_t)(clock_now_ms(options->clock) / 1000);
	if (!reorg->seals) dev_set_time_shift(options->dev, (int64_t)common.timestamp - now);
	enum status status = STATUS_OK;
	for (uint64_t i = 0; reorg->seals && i < reorg->depth && status == STATUS_OK; i++) {
		chain_sync_later(options->chain, i + 1 < reorg->depth);
		status = seal_again(reorg, engine, i, err);
	}
	chain_sync_later(options->chain, false);
	return status;
}

static enum status run_reorg(struct rpc_call *call, struct reorg *reorg, const char *name) {
	reorg->call = call;
	TRY(engine_call(call->rpc->options.engine, reorg_work, reorg, &call->err));
	if (reorg->is_too_deep)
		return rpc_fail(call, RPC_INVALID_PARAMS,
		    "%s depth must not exceed current chain height: current height %llu, depth %llu", name,
		    (unsigned long long)reorg->height, (unsigned long long)reorg->depth);
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

/* The blocks' time goes back with them. */
enum status rpc_dev_rollback(struct rpc_call *call) {
	struct reorg reorg = {.depth = 1};
	if (rpc_param(call, 0)) TRY(rpc_param_number(call, &reorg.depth, 0));
	return run_reorg(call, &reorg, "Rollback");
}

static enum status take_envelope(struct rpc_call *call, struct bytes *out, const struct json *text) {
	struct buf *scratch = &call->worker->scratch;
	buf_clear(scratch);
	if (hex_data(scratch, rpc_hex_text(call, json_string(text))) != STATUS_OK || scratch->len == 0)
		return rpc_bad_param(call, 1, "expected pairs of a transaction, signed or not, and a block");
	*out = arena_dup(call->arena, buf_view(scratch));
	return STATUS_OK;
}

/* All that can be found wrong before blocks go is. */
static enum status take_request(struct rpc_call *call, struct reorg_tx *tx, const struct json *object) {
	struct rpc *rpc = call->rpc;
	TRY(rpc_tx_args_of(call, &tx->request, object, 1));
	if (!tx->request.has_from && rpc->account_count > 0) tx->request.from = rpc->accounts[0].address;
	if (!rpc_is_impersonated(rpc, &tx->request.from)) TRY(rpc_find_account(call, &tx->account, &tx->request.from));
	if (tx->request.tx.type == TX_BLOB)
		return rpc_bad_param(call, 1, "blobVersionedHashes: blob transactions are given signed");
	struct rpc_tx_args trial = tx->request;
	trial.has_gas = true;
	return rpc_fill_tx(call, &trial);
}

/* [[envelope or request, block], …] */
static enum status take_reorg_txs(struct rpc_call *call, struct reorg *reorg) {
	const struct json *pairs = rpc_param(call, 1);
	if (!pairs) return STATUS_OK;
	if (!json_is(pairs, JSON_ARRAY) || pairs->count > REORG_TXS_MAX)
		return rpc_bad_param(call, 1, "expected an array of at most %u pairs", REORG_TXS_MAX);
	reorg->txs = arena_zalloc(call->arena, pairs->count, sizeof *reorg->txs);
	json_foreach (pair, pairs) {
		struct reorg_tx *tx = &reorg->txs[reorg->tx_count++];
		const struct json *given = json_at(pair, 0);
		TRY(json_is(given, JSON_OBJECT) ? take_request(call, tx, given)
						: take_envelope(call, &tx->envelope, given));
		TRY(rpc_number_of(call, &tx->place, json_at(pair, 1), 1));
		if (tx->place >= reorg->depth)
			return rpc_bad_param(call, 1, "block %llu is not among the %llu new ones",
			    (unsigned long long)tx->place, (unsigned long long)reorg->depth);
	}
	return STATUS_OK;
}

enum status rpc_dev_reorg(struct rpc_call *call) {
	struct reorg reorg = {.seals = true};
	TRY(rpc_param_number(call, &reorg.depth, 0));
	if (reorg.depth > REORG_DEPTH_MAX) return rpc_bad_param(call, 0, "over %u blocks", REORG_DEPTH_MAX);
	TRY(take_reorg_txs(call, &reorg));
	return run_reorg(call, &reorg, "Reorg");
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
	rpc_drop_waiting(call, NULL);
	TRY(engine_call(call->rpc->options.engine, reset_work, call->rpc, &call->err));
	rpc_put_done(call, true);
	return STATUS_OK;
}
