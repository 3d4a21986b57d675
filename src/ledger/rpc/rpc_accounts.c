/* Dev mode's accounts, whose keys this node was given: eth_sendTransaction, eth_sign, personal_sign. */
#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_run.h"
#include "ledger/rpc/rpc_send.h"
#include "ledger/rpc/rpc_write.h"

#include <stdio.h>

/* NULL: none of this node's. */
static const struct rpc_account *account_of(const struct rpc *rpc, const addr20 *address) {
	for (size_t i = 0; i < rpc->account_count; i++)
		if (addr20_equal(&rpc->accounts[i].address, address)) return &rpc->accounts[i];
	return NULL;
}

static enum status find_account(struct rpc_call *call, const struct rpc_account **out, const addr20 *address) {
	*out = account_of(call->rpc, address);
	return *out ? STATUS_OK : rpc_fail(call, RPC_SERVER_ERROR, "unknown account");
}

/* EIP-191, version 0x45. */
static enum status sign_message(struct rpc_call *call, const addr20 *address, struct bytes message) {
	const struct rpc_account *account = NULL;
	struct secp_signature signature;
	struct keccak keccak;
	char prefix[64];
	uint8_t out[65];
	TRY(find_account(call, &account, address));
	const int len = snprintf(prefix, sizeof prefix,
	    "\x19"
	    "Ethereum Signed Message:\n%zu",
	    message.len);
	keccak256_init(&keccak);
	keccak256_update(&keccak, bytes_make(prefix, (size_t)len));
	keccak256_update(&keccak, message);
	const hash32 digest = keccak256_final(&keccak);
	TRY(secp_sign(&signature, &account->secret, &digest));
	memcpy(out, signature.r, 32);
	memcpy(out + 32, signature.s, 32);
	out[64] = (uint8_t)(27 + signature.y_parity);
	json_put_hex(&call->out, NULL, bytes_make(out, sizeof out));
	return STATUS_OK;
}

enum status rpc_eth_sign(struct rpc_call *call) {
	addr20 address;
	struct bytes message;
	TRY(rpc_param_address(call, &address, 0));
	TRY(rpc_param_data(call, &message, 1));
	return sign_message(call, &address, message);
}

enum status rpc_personal_sign(struct rpc_call *call) {
	addr20 address;
	struct bytes message;
	TRY(rpc_param_data(call, &message, 0));
	TRY(rpc_param_address(call, &address, 1));
	return sign_message(call, &address, message);
}

/* --- eth_sendTransaction, eth_fillTransaction --- */

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

/* All but the nonce and the signature. */
static enum status fill(struct rpc_call *call, struct rpc_tx_args *args) {
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
	TRY(fill(call, &args));
	if (!args.has_nonce) TRY(pool_next_nonce(call->rpc->options.pool, &args.tx.nonce, &args.from, &call->err));
	buf_init(&raw, BUF_MAX_DEFAULT);
	transaction_encode(&raw, &args.tx);
	args.tx.raw = arena_dup(call->arena, buf_view(&raw));
	buf_fini(&raw);
	json_object_begin(&call->out, NULL);
	json_put_hex(&call->out, "raw", args.tx.raw);
	rpc_write_tx(&call->out, "tx", &args.tx, &args.from, NULL, NULL, 0);
	json_object_end(&call->out);
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
		account = account_of(rpc, &args.from);
	else if (!rpc_is_impersonated(rpc, &args.from))
		TRY(find_account(call, &account, &args.from));
	if (args.tx.type == TX_BLOB)
		return rpc_bad_param(call, 0, "blobVersionedHashes: blob transactions are sent raw");
	TRY(fill(call, &args));
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
