/* Dev mode's accounts sign without sending: eth_sign, personal_sign, eth_signTypedData, eth_signTransaction. */
#include "eth/eip712.h"
#include "eth/sign.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_params.h"
#include "ledger/rpc/rpc_send.h"
#include "ledger/rpc/rpc_write.h"

static const struct json_limits typed_data_limits = {(size_t)1 << 20, 32, 100000};

const struct rpc_account *rpc_account_of(const struct rpc *rpc, const addr20 *address) {
	for (size_t i = 0; i < rpc->account_count; i++)
		if (addr20_equal(&rpc->accounts[i].address, address)) return &rpc->accounts[i];
	return NULL;
}

enum status rpc_find_account(struct rpc_call *call, const struct rpc_account **out, const addr20 *address) {
	*out = rpc_account_of(call->rpc, address);
	return *out ? STATUS_OK : rpc_fail(call, RPC_SERVER_ERROR, "unknown account");
}

static enum status sign_message(struct rpc_call *call, const addr20 *address, struct bytes message) {
	const struct rpc_account *account = NULL;
	struct eth_signature signature;
	TRY(rpc_find_account(call, &account, address));
	TRY(eth_sign_personal(&signature, &account->secret, message));
	json_put_hex(&call->out, NULL, BYTES_OF(signature));
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

/* The typed data itself, or its JSON in a string, as ethers and viem send it. */
static enum status param_typed_data(struct rpc_call *call, const struct json **out, size_t index) {
	struct err err;
	*out = rpc_param(call, index);
	if (!json_is(*out, JSON_STRING)) return STATUS_OK;
	const struct bytes text = json_string(*out);
	if (json_parse(out, call->arena, text, &typed_data_limits, &err) == STATUS_OK) return STATUS_OK;
	return rpc_bad_param(call, index, "%s", err.message);
}

/* Its versions 3 and 4 differ in what their first wallets could not: the digest is EIP-712's. */
enum status rpc_eth_sign_typed_data(struct rpc_call *call) {
	addr20 address;
	const struct json *typed_data = NULL;
	const struct rpc_account *account = NULL;
	struct eth_signature signature;
	struct err err;
	hash32 digest;
	TRY(rpc_param_address(call, &address, 0));
	TRY(param_typed_data(call, &typed_data, 1));
	TRY(rpc_find_account(call, &account, &address));
	if (eip712_typed_data(&digest, call->arena, typed_data, &err) != STATUS_OK)
		return rpc_bad_param(call, 1, "%s", err.message);
	TRY(eth_sign_digest(&signature, &account->secret, &digest));
	json_put_hex(&call->out, NULL, BYTES_OF(signature));
	return STATUS_OK;
}

/* As geth: nothing that makes the transaction what it is may be left open. */
static enum status require_signable(struct rpc_call *call, const struct rpc_tx_args *args) {
	const bool has_fees = args->has_gas_price || (args->has_max_fee && args->has_max_priority_fee);
	if (!args->has_gas) return rpc_fail(call, RPC_SERVER_ERROR, "gas not specified");
	if (!has_fees) return rpc_fail(call, RPC_SERVER_ERROR, "missing gasPrice or maxFeePerGas/maxPriorityFeePerGas");
	if (!args->has_nonce) return rpc_fail(call, RPC_SERVER_ERROR, "nonce not specified");
	return STATUS_OK;
}

enum status rpc_eth_sign_transaction(struct rpc_call *call) {
	struct rpc_tx_args args;
	const struct rpc_account *account = NULL;
	TRY(rpc_param_tx(call, &args, 0));
	TRY(require_signable(call, &args));
	TRY(rpc_find_account(call, &account, &args.from));
	TRY(rpc_fill_tx(call, &args));
	TRY(transaction_sign(&args.tx, call->arena, &account->secret, &call->err));
	rpc_write_raw_and_tx(&call->out, &args.tx, &args.from);
	return STATUS_OK;
}
