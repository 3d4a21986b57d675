/* Transactions that are filled in, signed with dev mode's accounts and sent: eth_fillTransaction, eth_sendTransaction,
 * eth_resend. */
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_run.h"
#include "ledger/rpc/rpc_send.h"
#include "ledger/rpc/rpc_write.h"

/* As geth: a tip from recent blocks, and room for the base fee to double. */
static enum status fill_fees(struct rpc_call *call, struct rpc_tx_args *args, const struct header *next) {
	struct transaction *tx = &args->tx;
	if (args->has_gas_price) return STATUS_OK;
	const u256 base_fee = next->base_fee_wei;
	u256 tip;
	TRY(rpc_suggest_tip(call, &tip));
	if (next->field_count < HEADER_LONDON) {
		tx->type = args->has_access_list ? TX_ACCESS_LIST : TX_LEGACY;
		tx->max_fee_wei = tx->max_priority_fee_wei = tip;
		return STATUS_OK;
	}
	if (!args->has_max_priority_fee) {
		tx->max_priority_fee_wei = tip;
		if (args->has_max_fee && u256_less(&tx->max_fee_wei, &tip)) tx->max_priority_fee_wei = tx->max_fee_wei;
	}
	if (!args->has_max_fee) {
		u256_add_overflow(&tx->max_fee_wei, &base_fee, &base_fee);
		u256_add_overflow(&tx->max_fee_wei, &tx->max_fee_wei, &tx->max_priority_fee_wei);
	}
	return STATUS_OK;
}

static enum status fill_gas(struct rpc_call *call, struct rpc_tx_args *args) {
	struct rpc_run run;
	if (args->has_gas) return STATUS_OK;
	TRY(rpc_run_open_next(call, &run, args));
	enum status status = rpc_estimate(call, &args->tx.gas_limit, &run);
	rpc_run_close(&run);
	return status;
}

/* Twice what the next block asks for blob gas, as geth. */
static void fill_blob_fee(struct rpc_call *call, struct rpc_tx_args *args, const struct header *next) {
	struct transaction *tx = &args->tx;
	const struct exec_rules rules = chain_rules(call->rpc->options.chain, next);
	if (tx->type != TX_BLOB || rules.fork < FORK_CANCUN || !u256_is_zero(&tx->max_blob_fee_wei)) return;
	const u256 fee = exec_blob_base_fee(next->excess_blob_gas, &rules.blob);
	u256_add_overflow(&tx->max_blob_fee_wei, &fee, &fee);
}

enum status rpc_fill_tx(struct rpc_call *call, struct rpc_tx_args *args) {
	struct header next;
	if (args->data_differs)
		return rpc_fail(call, RPC_SERVER_ERROR,
		    "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call "
		    "data");
	if (args->tx.is_create && args->tx.data.len == 0)
		return rpc_fail(call, RPC_SERVER_ERROR, "contract creation without any data provided");
	TRY(rpc_next_header(call, &next));
	const u256 chain_id = genesis_chain_id(chain_genesis(call->rpc->options.chain));
	if (args->has_chain_id && !u256_equal(&args->tx.chain_id, &chain_id))
		return rpc_fail(call, RPC_SERVER_ERROR, "chainId does not match node's");
	args->tx.chain_id = chain_id;
	args->tx.has_chain_id = true;
	TRY(fill_fees(call, args, &next));
	fill_blob_fee(call, args, &next);
	return fill_gas(call, args);
}

enum status rpc_eth_fill(struct rpc_call *call) {
	struct rpc_tx_args args;
	struct buf raw;
	TRY(rpc_param_tx(call, &args, 0));
	TRY(rpc_fill_tx(call, &args));
	if (!args.has_nonce) TRY(pool_next_nonce(call->rpc->options.pool, &args.tx.nonce, &args.from, &call->err));
	buf_init(&raw, BUF_MAX_DEFAULT);
	transaction_encode(&raw, &args.tx);
	args.tx.raw = arena_dup(call->arena, buf_view(&raw));
	buf_fini(&raw);
	rpc_write_raw_and_tx(&call->out, &args.tx, &args.from);
	return STATUS_OK;
}

/* `account` NULL: impersonated. */
static enum status sign_and_send(struct rpc_call *call, struct rpc_tx_args *args, const struct rpc_account *account) {
	struct transaction *tx = &args->tx;
	if (!args->has_nonce) TRY(pool_next_nonce(call->rpc->options.pool, &tx->nonce, &args->from, &call->err));
	if (!account) return rpc_pool_take_unsigned(call, tx, &args->from);
	TRY(transaction_sign(tx, call->arena, &account->secret, &call->err));
	return rpc_pool_take(call, tx->raw);
}

/* `from_anyone`: without a key, as though the sender were impersonated. */
static enum status send_transaction(struct rpc_call *call, bool from_anyone) {
	struct rpc *rpc = call->rpc;
	struct rpc_tx_args args;
	const struct rpc_account *account = NULL;
	TRY(rpc_param_tx(call, &args, 0));
	if (!args.has_from) return rpc_bad_param(call, 0, "from: missing");
	if (from_anyone)
		account = rpc_account_of(rpc, &args.from);
	else if (!rpc_is_impersonated(rpc, &args.from))
		TRY(rpc_find_account(call, &account, &args.from));
	if (args.tx.type == TX_BLOB)
		return rpc_bad_param(call, 0, "blobVersionedHashes: blob transactions are sent raw");
	TRY(rpc_fill_tx(call, &args));
	pthread_mutex_lock(&rpc->send_lock); /* from choosing a nonce to its being taken */
	enum status status = sign_and_send(call, &args, account);
	pthread_mutex_unlock(&rpc->send_lock);
	return status;
}

enum status rpc_eth_send_transaction(struct rpc_call *call) {
	return send_transaction(call, false);
}

enum status rpc_eth_send_unsigned(struct rpc_call *call) {
	return send_transaction(call, true);
}

/* --- what this node's accounts have waiting --- */

struct waiting_search {
	struct rpc_call *call;
	/* eth_resend's: the transaction with this signing hash. */
	const addr20 *from;
	const hash32 *wanted;
	bool found;
};

static void write_own(void *context, const struct transaction *tx, const addr20 *sender, bool executable) {
	const struct waiting_search *search = context;
	struct rpc *rpc = search->call->rpc;
	(void)executable;
	if (rpc_account_of(rpc, sender) || rpc_is_impersonated(rpc, sender))
		rpc_write_tx(&search->call->out, NULL, tx, sender, NULL, NULL, 0);
}

enum status rpc_eth_pending_transactions(struct rpc_call *call) {
	struct waiting_search search = {.call = call};
	json_array_begin(&call->out, NULL);
	pool_visit(call->rpc->options.pool, write_own, &search);
	json_array_end(&call->out);
	return STATUS_OK;
}

static void find_same(void *context, const struct transaction *tx, const addr20 *sender, bool executable) {
	struct waiting_search *search = context;
	(void)executable;
	if (search->found || !addr20_equal(sender, search->from)) return;
	const hash32 hash = transaction_signing_hash(tx);
	search->found = hash32_equal(&hash, search->wanted);
}

/* A price makes a transaction of one price of it, as in geth. */
static enum status take_new_terms(struct rpc_call *call, struct rpc_tx_args *args) {
	u256 price = u256_from(0);
	uint64_t gas = 0;
	if (rpc_param(call, 1)) TRY(rpc_param_u256(call, &price, 1));
	if (rpc_param(call, 2)) TRY(rpc_param_quantity(call, &gas, 2));
	if (gas != 0) args->tx.gas_limit = gas;
	if (u256_is_zero(&price)) return STATUS_OK;
	args->tx.max_fee_wei = args->tx.max_priority_fee_wei = price;
	return STATUS_OK;
}

enum status rpc_eth_resend(struct rpc_call *call) {
	struct rpc_tx_args args;
	const struct rpc_account *account = NULL;
	char name[67];
	TRY(rpc_param_tx(call, &args, 0));
	if (!args.has_nonce) return rpc_fail(call, RPC_SERVER_ERROR, "missing transaction nonce in transaction spec");
	TRY(rpc_find_account(call, &account, &args.from));
	TRY(rpc_fill_tx(call, &args));
	const hash32 wanted = transaction_signing_hash(&args.tx), hash = transaction_hash(&args.tx);
	struct waiting_search search = {.call = call, .from = &args.from, .wanted = &wanted};
	pool_visit(call->rpc->options.pool, find_same, &search);
	rpc_hex_name(name, BYTES_OF(hash));
	if (!search.found) return rpc_fail(call, RPC_SERVER_ERROR, "transaction %s not found", name);
	TRY(take_new_terms(call, &args));
	TRY(transaction_sign(&args.tx, call->arena, &account->secret, &call->err));
	return rpc_pool_take(call, args.tx.raw);
}
