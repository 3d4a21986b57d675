/*
 * anvil_* and hardhat_*: what Foundry's and Hardhat's tests do to a development chain besides transactions. A change of
 * state is a block of its own, without transactions and without a seal, at its parent's time, base fee and gas limit:
 * the chain stays one of blocks, and evm_revert takes such a change back like any other.
 */
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_send.h"
#include "ledger/rpc/rpc_write.h"

/* --- changing the state --- */

enum change_kind { CHANGE_BALANCE, CHANGE_ADD_BALANCE, CHANGE_NONCE, CHANGE_CODE, CHANGE_SLOT };

struct change {
	struct chain *chain;
	enum change_kind kind;
	addr20 address;
	u256 slot, value; /* value: balance or word */
	uint64_t nonce;
	struct bytes code;
};

/* The most that fits, if the sum does not. */
static enum status add_balance(const struct change *change, struct state *state) {
	u256 sum;
	TRY(state_get_balance(state, &sum, &change->address));
	if (u256_add_overflow(&sum, &sum, &change->value)) memset(&sum, 0xff, sizeof sum);
	return state_set_balance(state, &change->address, &sum);
}

static enum status apply(void *context, struct state *state) {
	const struct change *change = context;
	switch (change->kind) {
	case CHANGE_BALANCE: return state_set_balance(state, &change->address, &change->value);
	case CHANGE_ADD_BALANCE: return add_balance(change, state);
	case CHANGE_NONCE: return state_set_nonce(state, &change->address, change->nonce);
	case CHANGE_CODE: return state_set_code(state, &change->address, change->code);
	case CHANGE_SLOT: return state_set_storage(state, &change->address, &change->slot, &change->value);
	}
	return STATUS_INTERNAL;
}

static enum status change_work(void *context, struct engine *engine, struct err *err) {
	struct change *change = context;
	struct chain_head *head = chain_head(change->chain);
	struct pending_block *pending;
	const struct block_orders orders = {.spacing = SPACING_NONE,
	    .has_base_fee = true,
	    .base_fee_wei = head->header.base_fee_wei,
	    .gas_limit = head->header.gas_limit,
	    .edit = apply,
	    .edit_context = change};
	const struct block_decision decision = {
	    .time_ms = head->header.timestamp * 1000, .proposer = engine_sealer(engine), .orders = &orders};
	chain_head_release(head);
	TRY(chain_execute(change->chain, &pending, &decision, err));
	struct secp_signature seal;
	const enum status status = engine_sign_seal(engine, &seal, pending->header.number, &pending->hash, err);
	if (status == STATUS_OK) return chain_commit(change->chain, pending, &seal, err);
	chain_drop(change->chain, pending);
	return status;
}

static enum status run_change(struct rpc_call *call, struct change *change) {
	change->chain = call->rpc->options.chain;
	TRY(engine_call(call->rpc->options.engine, change_work, change, &call->err));
	if (change->kind == CHANGE_SLOT) /* true under anvil's name too */
		json_put_bool(&call->out, NULL, true);
	else
		rpc_put_done(call, true);
	return STATUS_OK;
}

static enum status change_balance(struct rpc_call *call, enum change_kind kind) {
	struct change change = {.kind = kind};
	TRY(rpc_param_address(call, &change.address, 0));
	TRY(rpc_big_number_of(call, &change.value, rpc_param(call, 1), 1));
	return run_change(call, &change);
}

enum status rpc_dev_set_balance(struct rpc_call *call) {
	return change_balance(call, CHANGE_BALANCE);
}

enum status rpc_dev_add_balance(struct rpc_call *call) {
	return change_balance(call, CHANGE_ADD_BALANCE);
}

enum status rpc_dev_set_nonce(struct rpc_call *call) {
	struct change change = {.kind = CHANGE_NONCE};
	TRY(rpc_param_address(call, &change.address, 0));
	TRY(rpc_param_number(call, &change.nonce, 1));
	return run_change(call, &change);
}

enum status rpc_dev_set_code(struct rpc_call *call) {
	struct change change = {.kind = CHANGE_CODE};
	TRY(rpc_param_address(call, &change.address, 0));
	TRY(rpc_param_data(call, &change.code, 1));
	return run_change(call, &change);
}

enum status rpc_dev_set_storage(struct rpc_call *call) {
	struct change change = {.kind = CHANGE_SLOT};
	TRY(rpc_param_address(call, &change.address, 0));
	TRY(rpc_big_number_of(call, &change.slot, rpc_param(call, 1), 1));
	TRY(rpc_slot_of(call, &change.value, rpc_param(call, 2), 2));
	return run_change(call, &change);
}

/* --- impersonation --- */

/* Under the lock. */
static size_t find_impersonated(const struct rpc *rpc, const addr20 *address) {
	size_t i = 0;
	while (i < rpc->impersonated_count && !addr20_equal(&rpc->impersonated[i], address)) i++;
	return i;
}

bool rpc_is_impersonated(struct rpc *rpc, const addr20 *address) {
	bool is_own = false;
	for (size_t i = 0; i < rpc->account_count; i++) is_own |= addr20_equal(&rpc->accounts[i].address, address);
	if (is_own || !rpc->options.dev_mode) return false;
	pthread_mutex_lock(&rpc->lock);
	const bool is = rpc->impersonates_all || find_impersonated(rpc, address) < rpc->impersonated_count;
	pthread_mutex_unlock(&rpc->lock);
	return is;
}

enum status rpc_dev_impersonate(struct rpc_call *call) {
	struct rpc *rpc = call->rpc;
	addr20 address;
	TRY(rpc_param_address(call, &address, 0));
	pthread_mutex_lock(&rpc->lock);
	const size_t at = find_impersonated(rpc, &address);
	const bool has_room = at < RPC_IMPERSONATED_MAX;
	if (has_room) rpc->impersonated[at] = address;
	if (has_room && at == rpc->impersonated_count) rpc->impersonated_count++;
	pthread_mutex_unlock(&rpc->lock);
	if (!has_room)
		return rpc_fail(call, RPC_SERVER_ERROR, "more than %u accounts impersonated", RPC_IMPERSONATED_MAX);
	rpc_put_done(call, true);
	return STATUS_OK;
}

enum status rpc_dev_stop_impersonating(struct rpc_call *call) {
	struct rpc *rpc = call->rpc;
	addr20 address;
	TRY(rpc_param_address(call, &address, 0));
	pthread_mutex_lock(&rpc->lock);
	const size_t at = find_impersonated(rpc, &address);
	const bool found = at < rpc->impersonated_count;
	if (found) rpc->impersonated[at] = rpc->impersonated[--rpc->impersonated_count];
	pthread_mutex_unlock(&rpc->lock);
	rpc_put_done(call, found);
	return STATUS_OK;
}

enum status rpc_dev_auto_impersonate(struct rpc_call *call) {
	struct rpc *rpc = call->rpc;
	bool on;
	TRY(rpc_param_bool(call, &on, 0, true));
	pthread_mutex_lock(&rpc->lock);
	rpc->impersonates_all = on;
	pthread_mutex_unlock(&rpc->lock);
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

/* --- the pool --- */

enum status rpc_dev_drop_tx(struct rpc_call *call) {
	hash32 hash;
	struct transaction tx;
	addr20 from;
	TRY(rpc_param_hash(call, &hash, 0));
	const bool found = pool_find(call->rpc->options.pool, &tx, &from, call->arena, &hash);
	if (found) pool_reject(call->rpc->options.pool, &hash);
	if (call->is_anvils && found) /* anvil names what it dropped */
		json_put_hex(&call->out, NULL, (struct bytes){hash.b, sizeof hash.b});
	else
		rpc_put_done(call, found);
	return STATUS_OK;
}

struct waiting {
	struct arena *arena;
	const addr20 *only; /* NULL: every sender */
	struct waiting_tx {
		struct waiting_tx *next;
		hash32 hash;
	} * first;
};

static void note_waiting(void *context, const struct transaction *tx, const addr20 *sender, bool executable) {
	struct waiting *waiting = context;
	(void)executable;
	if (waiting->only && !addr20_equal(waiting->only, sender)) return;
	struct waiting_tx *added = arena_alloc(waiting->arena, sizeof *added);
	added->hash = transaction_hash(tx);
	added->next = waiting->first;
	waiting->first = added;
}

void rpc_drop_waiting(struct rpc_call *call, const addr20 *only) {
	struct waiting waiting = {.arena = call->arena, .only = only};
	pool_visit(call->rpc->options.pool, note_waiting, &waiting);
	for (const struct waiting_tx *at = waiting.first; at; at = at->next)
		pool_reject(call->rpc->options.pool, &at->hash);
}

enum status rpc_dev_drop_all(struct rpc_call *call) {
	rpc_drop_waiting(call, NULL);
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

enum status rpc_dev_drop_of_sender(struct rpc_call *call) {
	addr20 sender;
	TRY(rpc_param_address(call, &sender, 0));
	rpc_drop_waiting(call, &sender);
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}

/* --- what runs here --- */

enum status rpc_dev_node_info(struct rpc_call *call) {
	struct json_writer *out = &call->out;
	struct chain_head *head = chain_head(call->rpc->options.chain);
	const struct header header = head->header;
	const hash32 hash = head->hash;
	chain_head_release(head);
	struct header next;
	TRY(rpc_next_header(call, &next));
	const struct exec_rules rules = chain_rules(call->rpc->options.chain, &next);
	json_object_begin(out, NULL);
	json_put_quantity(out, "currentBlockNumber", header.number);
	json_put_u64(out, "currentBlockTimestamp", header.timestamp);
	json_put_hex(out, "currentBlockHash", BYTES_OF(hash));
	json_put_text(out, "hardFork", fork_name(rules.fork));
	json_put_text(out, "transactionOrder", "fees");
	json_object_begin(out, "environment");
	rpc_put_u256(out, "baseFee", &next.base_fee_wei);
	json_put_u64(out, "chainId", u256_clamp_u64(&rules.chain_id));
	json_put_u64(out, "gasLimit", next.gas_limit);
	rpc_put_u256(out, "gasPrice", &next.base_fee_wei);
	json_object_end(out);
	json_object_begin(out, "forkConfig");
	json_put_null(out, "forkUrl");
	json_put_null(out, "forkBlockNumber");
	json_put_null(out, "forkRetryBackoff");
	json_object_end(out);
	json_object_end(out);
	return STATUS_OK;
}

enum status rpc_dev_metadata(struct rpc_call *call) {
	struct json_writer *out = &call->out;
	struct chain_head *head = chain_head(call->rpc->options.chain);
	const struct exec_rules rules = chain_rules(call->rpc->options.chain, &head->header);
	json_object_begin(out, NULL);
	json_put_text(out, "clientVersion", call->rpc->options.client_version);
	json_put_u64(out, "chainId", u256_clamp_u64(&rules.chain_id));
	json_put_hex(out, "instanceId", BYTES_OF(*chain_genesis_hash(call->rpc->options.chain)));
	json_put_u64(out, "latestBlockNumber", head->header.number);
	json_put_hex(out, "latestBlockHash", BYTES_OF(head->hash));
	json_object_end(out);
	chain_head_release(head);
	return STATUS_OK;
}

/* Tools turn it off before they send much; here requests are never logged. */
enum status rpc_dev_set_logging(struct rpc_call *call) {
	bool on;
	TRY(rpc_param_bool(call, &on, 0, false));
	json_put_null(&call->out, NULL);
	return STATUS_OK;
}
