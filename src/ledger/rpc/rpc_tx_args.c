/* The transaction object that calls, estimates and eth_sendTransaction take. */
#include "codec/hex.h"
#include "ledger/rpc/rpc_params.h"

#define LIST_MAX 4096u

static enum status take_hashes(struct rpc_call *call, const hash32 **out, size_t *count, const struct json *array,
    const char *name, size_t index) {
	if (!json_is(array, JSON_ARRAY) || array->count > LIST_MAX)
		return rpc_bad_param(call, index, "%s: expected an array of at most %u", name, LIST_MAX);
	hash32 *hashes = arena_alloc(call->arena, array->count * sizeof *hashes);
	*count = 0;
	json_foreach (item, array)
		if (hex_fixed(hashes[(*count)++].b, 32, rpc_hex_text(call, json_string(item))) != STATUS_OK)
			return rpc_bad_param(call, index, "%s: expected 32 bytes each", name);
	*out = hashes;
	return STATUS_OK;
}

static enum status take_access_list(
    struct rpc_call *call, struct rpc_tx_args *out, const struct json *list, size_t index) {
	if (!json_is(list, JSON_ARRAY) || list->count > LIST_MAX)
		return rpc_bad_param(call, index, "accessList: expected an array of at most %u", LIST_MAX);
	struct access_entry *entries = arena_zalloc(call->arena, list->count, sizeof *entries);
	size_t count = 0;
	json_foreach (item, list) {
		struct access_entry *entry = &entries[count++];
		const struct json *slots = json_get(item, "storageKeys");
		bool has_address;
		TRY(rpc_member_address(call, &entry->address, &has_address, item, "address", index));
		if (!has_address) return rpc_bad_param(call, index, "accessList: expected an address in each entry");
		if (slots) TRY(take_hashes(call, &entry->slots, &entry->slot_count, slots, "storageKeys", index));
	}
	out->tx.access_list = entries;
	out->tx.access_count = count;
	out->has_access_list = true;
	return STATUS_OK;
}

static enum status take_authorization(
    struct rpc_call *call, struct authorization *out, const struct json *object, size_t index) {
	bool has[6] = {false};
	TRY(rpc_member_u256(call, &out->chain_id, &has[0], object, "chainId", index));
	TRY(rpc_member_address(call, &out->address, &has[1], object, "address", index));
	TRY(rpc_member_quantity(call, &out->nonce, &has[2], object, "nonce", index));
	TRY(rpc_member_u256(call, &out->y_parity, &has[3], object, "yParity", index));
	TRY(rpc_member_u256(call, &out->r, &has[4], object, "r", index));
	TRY(rpc_member_u256(call, &out->s, &has[5], object, "s", index));
	for (size_t i = 0; i < 6; i++)
		if (!has[i]) return rpc_bad_param(call, index, "authorizationList: an entry lacks a member");
	return STATUS_OK;
}

static enum status take_authorizations(
    struct rpc_call *call, struct rpc_tx_args *out, const struct json *list, size_t index) {
	if (!json_is(list, JSON_ARRAY) || list->count > LIST_MAX)
		return rpc_bad_param(call, index, "authorizationList: expected an array of at most %u", LIST_MAX);
	struct authorization *authorizations = arena_zalloc(call->arena, list->count, sizeof *authorizations);
	size_t count = 0;
	json_foreach (item, list) TRY(take_authorization(call, &authorizations[count++], item, index));
	out->tx.authorizations = authorizations;
	out->tx.authorization_count = count;
	out->has_authorizations = true;
	return STATUS_OK;
}

/* "input" is the name and wins over "data", the older one. */
static enum status take_input(struct rpc_call *call, struct rpc_tx_args *out, const struct json *object, size_t index) {
	struct bytes data = {NULL, 0}, input = {NULL, 0};
	bool has_data, has_input;
	TRY(rpc_member_data(call, &data, &has_data, object, "data", index));
	TRY(rpc_member_data(call, &input, &has_input, object, "input", index));
	out->data_differs = has_data && has_input && !bytes_equal(data, input);
	out->tx.data = has_input ? input : data;
	return STATUS_OK;
}

static enum status take_fees(struct rpc_call *call, struct rpc_tx_args *out, const struct json *object, size_t index) {
	struct transaction *tx = &out->tx;
	u256 price = u256_from(0);
	TRY(rpc_member_u256(call, &price, &out->has_gas_price, object, "gasPrice", index));
	TRY(rpc_member_u256(call, &tx->max_fee_wei, &out->has_max_fee, object, "maxFeePerGas", index));
	TRY(rpc_member_u256(
	    call, &tx->max_priority_fee_wei, &out->has_max_priority_fee, object, "maxPriorityFeePerGas", index));
	TRY(rpc_member_u256(call, &tx->max_blob_fee_wei, NULL, object, "maxFeePerBlobGas", index));
	if (out->has_gas_price && (out->has_max_fee || out->has_max_priority_fee))
		return rpc_fail(
		    call, RPC_SERVER_ERROR, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
	if (out->has_gas_price) tx->max_fee_wei = tx->max_priority_fee_wei = price;
	return STATUS_OK;
}

enum status rpc_param_tx(struct rpc_call *call, struct rpc_tx_args *out, size_t index) {
	return rpc_tx_args_of(call, out, rpc_param(call, index), index);
}

enum status rpc_tx_args_of(struct rpc_call *call, struct rpc_tx_args *out, const struct json *object, size_t index) {
	*out = (struct rpc_tx_args){0};
	if (!json_is(object, JSON_OBJECT)) return rpc_bad_param(call, index, "expected a transaction object");
	struct transaction *tx = &out->tx;
	TRY(rpc_member_address(call, &out->from, &out->has_from, object, "from", index));
	TRY(rpc_member_address(call, &tx->to, &out->has_to, object, "to", index));
	tx->is_create = !out->has_to;
	TRY(rpc_member_quantity(call, &tx->gas_limit, &out->has_gas, object, "gas", index));
	TRY(rpc_member_quantity(call, &tx->nonce, &out->has_nonce, object, "nonce", index));
	TRY(rpc_member_u256(call, &tx->value_wei, NULL, object, "value", index));
	TRY(rpc_member_u256(call, &tx->chain_id, &out->has_chain_id, object, "chainId", index));
	TRY(take_fees(call, out, object, index));
	TRY(take_input(call, out, object, index));
	const struct json *access = json_get(object, "accessList"), *blobs = json_get(object, "blobVersionedHashes");
	const struct json *authorizations = json_get(object, "authorizationList");
	if (access) TRY(take_access_list(call, out, access, index));
	if (blobs) TRY(take_hashes(call, &tx->blob_hashes, &tx->blob_count, blobs, "blobVersionedHashes", index));
	if (authorizations) TRY(take_authorizations(call, out, authorizations, index));
	tx->type = out->has_authorizations                      ? TX_SET_CODE
		   : tx->blob_count                             ? TX_BLOB
		   : out->has_access_list && out->has_gas_price ? TX_ACCESS_LIST
		   : out->has_gas_price                         ? TX_LEGACY
								: TX_DYNAMIC_FEE;
	return STATUS_OK;
}
