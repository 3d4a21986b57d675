/* Accounts and storage: eth_getBalance, eth_getTransactionCount, eth_getCode, eth_getStorageAt and its like,
 * eth_getProof. */
#include "codec/hex.h"
#include "ledger/rpc/rpc_chain.h"
#include "ledger/rpc/rpc_methods.h"
#include "ledger/rpc/rpc_write.h"

#define SLOTS_MAX 1024u

static enum status open_param(struct rpc_call *call, struct rpc_state *state, size_t index) {
	struct rpc_block_id id;
	TRY(rpc_param_block(call, &id, index));
	return rpc_state_open(call, state, &id);
}

/* The account at the block that parameter 1 names. */
static enum status account_of(struct rpc_call *call, struct account *account, const addr20 *address) {
	struct rpc_state state;
	bool exists;
	TRY(open_param(call, &state, 1));
	enum status status = state.source.account(state.source.context, account, &exists, address, &call->err);
	rpc_state_close(&state);
	return status;
}

enum status rpc_eth_get_balance(struct rpc_call *call) {
	addr20 address;
	struct account account;
	TRY(rpc_param_address(call, &address, 0));
	TRY(account_of(call, &account, &address));
	rpc_put_u256(&call->out, NULL, &account.balance_wei);
	return STATUS_OK;
}

enum status rpc_eth_get_transaction_count(struct rpc_call *call) {
	addr20 address;
	struct rpc_block_id id;
	struct account account = {0};
	TRY(rpc_param_address(call, &address, 0));
	TRY(rpc_param_block(call, &id, 1));
	if (id.kind == RPC_BLOCK_PENDING)
		TRY(pool_next_nonce(call->rpc->options.pool, &account.nonce, &address, &call->err));
	else
		TRY(account_of(call, &account, &address));
	json_put_quantity(&call->out, NULL, account.nonce);
	return STATUS_OK;
}

enum status rpc_eth_get_code(struct rpc_call *call) {
	addr20 address;
	struct rpc_state state;
	struct account account;
	bool exists;
	struct buf *code = &call->worker->scratch;
	TRY(rpc_param_address(call, &address, 0));
	TRY(open_param(call, &state, 1));
	buf_clear(code);
	enum status status = state.source.account(state.source.context, &account, &exists, &address, &call->err);
	if (status == STATUS_OK && exists && !hash32_equal(&account.code_hash, &empty_code_hash))
		status = state.source.code(state.source.context, code, &account.code_hash, &call->err);
	rpc_state_close(&state);
	TRY(status);
	json_put_hex(&call->out, NULL, buf_view(code));
	return STATUS_OK;
}

enum status rpc_eth_get_storage_at(struct rpc_call *call) {
	addr20 address;
	u256 slot, value;
	struct rpc_state state;
	TRY(rpc_param_address(call, &address, 0));
	TRY(rpc_slot_of(call, &slot, rpc_param(call, 1), 1));
	TRY(open_param(call, &state, 2));
	enum status status = state.source.storage(state.source.context, &value, &address, &slot, &call->err);
	rpc_state_close(&state);
	TRY(status);
	rpc_put_word(&call->out, NULL, &value);
	return STATUS_OK;
}

static enum status put_values(
    struct rpc_call *call, const struct state_source *source, const struct json *slots, size_t *budget) {
	addr20 address;
	if (hex_fixed(address.b, 20, rpc_hex_text(call, slots->name)) != STATUS_OK)
		return rpc_bad_param(call, 0, "a member's name is no address");
	if (!json_is(slots, JSON_ARRAY)) return rpc_bad_param(call, 0, "expected an array of slots for each address");
	json_array_begin(&call->out, arena_strdup(call->arena, slots->name));
	json_foreach (item, slots) {
		u256 slot, value;
		if ((*budget)-- == 0) return rpc_bad_param(call, 0, "too many slots (max %u)", SLOTS_MAX);
		TRY(rpc_slot_of(call, &slot, item, 0));
		TRY(source->storage(source->context, &value, &address, &slot, &call->err));
		rpc_put_word(&call->out, NULL, &value);
	}
	json_array_end(&call->out);
	return STATUS_OK;
}

enum status rpc_eth_get_storage_values(struct rpc_call *call) {
	const struct json *wanted = rpc_param(call, 0);
	struct rpc_state state;
	size_t budget = SLOTS_MAX;
	if (!json_is(wanted, JSON_OBJECT)) return rpc_bad_param(call, 0, "expected an object of slots by address");
	if (wanted->count == 0) return rpc_fail(call, RPC_INVALID_PARAMS, "empty request");
	TRY(open_param(call, &state, 1));
	enum status status = STATUS_OK;
	json_object_begin(&call->out, NULL);
	json_foreach (slots, wanted)
		if (status == STATUS_OK) status = put_values(call, &state.source, slots, &budget);
	json_object_end(&call->out);
	rpc_state_close(&state);
	return status;
}

static void put_nodes(struct json_writer *out, const char *name, const struct bytes *nodes, size_t count) {
	json_array_begin(out, name);
	for (size_t i = 0; i < count; i++) json_put_hex(out, NULL, nodes[i]);
	json_array_end(out);
}

/* Keys are given back as they were spelled: a quantity stays one, 32 bytes stay 32 bytes. No list is an empty one. */
static void put_proof(
    struct rpc_call *call, const struct state_proof *proof, const addr20 *address, const struct json *keys) {
	struct json_writer *out = &call->out;
	const struct json *key = keys ? keys->first : NULL;
	json_object_begin(out, NULL);
	json_put_hex(out, "address", BYTES_OF(*address));
	put_nodes(out, "accountProof", proof->account_nodes, proof->account_node_count);
	rpc_put_u256(out, "balance", &proof->account.balance_wei);
	json_put_hex(out, "codeHash", BYTES_OF(proof->account.code_hash));
	json_put_quantity(out, "nonce", proof->account.nonce);
	json_put_hex(out, "storageHash", BYTES_OF(proof->account.storage_root));
	json_array_begin(out, "storageProof");
	for (size_t i = 0; i < proof->storage_count; i++, key = key->next) {
		const struct state_storage_proof *slot = &proof->storage[i];
		json_object_begin(out, NULL);
		if (rpc_slot_digits(json_string(key)) > 62)
			rpc_put_word(out, "key", &slot->slot);
		else
			rpc_put_u256(out, "key", &slot->slot);
		rpc_put_u256(out, "value", &slot->value);
		put_nodes(out, "proof", slot->nodes, slot->node_count);
		json_object_end(out);
	}
	json_array_end(out);
	json_object_end(out);
}

enum status rpc_eth_get_proof(struct rpc_call *call) {
	addr20 address;
	struct rpc_state state;
	struct state_proof proof;
	const struct json *keys = rpc_param(call, 1);
	TRY(rpc_param_address(call, &address, 0));
	if (keys && !json_is(keys, JSON_ARRAY)) return rpc_bad_param(call, 1, "expected an array of slots");
	if (keys && keys->count > SLOTS_MAX)
		return rpc_fail(call, RPC_INVALID_PARAMS, "too many keys (max %u, got %u)", SLOTS_MAX, keys->count);
	u256 *slots = arena_alloc(call->arena, (keys ? keys->count : 0) * sizeof *slots + 1);
	size_t count = 0;
	json_foreach (key, keys) TRY(rpc_slot_of(call, &slots[count++], key, 1));
	TRY(open_param(call, &state, 2));
	enum status status = state_view_proof(state.view, &proof, call->arena, &address, slots, count, &call->err);
	rpc_state_close(&state);
	TRY(status);
	put_proof(call, &proof, &address, keys);
	return STATUS_OK;
}
