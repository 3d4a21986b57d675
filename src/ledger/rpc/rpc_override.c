/* State and block overrides of eth_call: a source of state that answers from a list first. */
#include "codec/hex.h"
#include "crypto/hash.h"
#include "ledger/rpc/rpc_run.h"

#define ACCOUNTS_MAX 1024u
#define SLOTS_MAX 16384u
#define WITHDRAWALS_MAX 65536u

struct slot_override {
	u256 slot, value;
};

struct account_override {
	addr20 address;
	bool has_balance, has_nonce, has_code;
	bool replaces_storage; /* slots that are not listed read as zero */
	u256 balance_wei;
	uint64_t nonce;
	struct bytes code;
	hash32 code_hash;
	struct slot_override *slots;
	size_t slot_count;
	bool has_move;
	addr20 move_to; /* where its precompile goes */
};

struct rpc_overrides {
	struct state_source base;
	struct account_override *accounts;
	size_t count;
};

/* --- reading --- */

static const struct account_override *find(const struct rpc_overrides *overrides, const addr20 *address) {
	for (size_t i = 0; i < overrides->count; i++)
		if (addr20_equal(&overrides->accounts[i].address, address)) return &overrides->accounts[i];
	return NULL;
}

static enum status read_account(
    void *context, struct account *account, bool *exists, const addr20 *address, struct err *err) {
	const struct rpc_overrides *overrides = context;
	const struct account_override *changed = find(overrides, address);
	TRY(overrides->base.account(overrides->base.context, account, exists, address, err));
	if (!changed) return STATUS_OK;
	if (changed->has_balance) account->balance_wei = changed->balance_wei;
	if (changed->has_nonce) account->nonce = changed->nonce;
	if (changed->has_code) account->code_hash = changed->code_hash;
	*exists = true;
	return STATUS_OK;
}

static enum status read_storage(void *context, u256 *value, const addr20 *address, const u256 *slot, struct err *err) {
	const struct rpc_overrides *overrides = context;
	const struct account_override *changed = find(overrides, address);
	for (size_t i = 0; changed && i < changed->slot_count; i++) {
		if (!u256_equal(&changed->slots[i].slot, slot)) continue;
		*value = changed->slots[i].value;
		return STATUS_OK;
	}
	*value = u256_from(0);
	if (changed && changed->replaces_storage) return STATUS_OK;
	return overrides->base.storage(overrides->base.context, value, address, slot, err);
}

static enum status read_has_storage(void *context, bool *has, const addr20 *address, struct err *err) {
	const struct rpc_overrides *overrides = context;
	const struct account_override *changed = find(overrides, address);
	*has = false;
	for (size_t i = 0; changed && i < changed->slot_count; i++) *has |= !u256_is_zero(&changed->slots[i].value);
	if (*has || (changed && changed->replaces_storage)) return STATUS_OK;
	return overrides->base.has_storage(overrides->base.context, has, address, err);
}

static enum status read_code(void *context, struct buf *code, const hash32 *code_hash, struct err *err) {
	const struct rpc_overrides *overrides = context;
	for (size_t i = 0; i < overrides->count; i++) {
		const struct account_override *changed = &overrides->accounts[i];
		if (!changed->has_code || !hash32_equal(&changed->code_hash, code_hash)) continue;
		buf_append(code, changed->code);
		return STATUS_OK;
	}
	return overrides->base.code(overrides->base.context, code, code_hash, err);
}

struct state_source rpc_overrides_source(struct rpc_overrides *overrides, const struct state_source *base) {
	overrides->base = *base;
	return (struct state_source){read_account, read_storage, read_has_storage, read_code, overrides};
}

/* --- parsing --- */

static enum status parse_slots(
    struct rpc_call *call, struct account_override *out, const struct json *object, size_t index) {
	if (!json_is(object, JSON_OBJECT) || object->count > SLOTS_MAX)
		return rpc_bad_param(call, index, "expected an object of at most %u slots", SLOTS_MAX);
	out->slots = arena_alloc(call->arena, object->count * sizeof *out->slots + 1);
	json_foreach (item, object) {
		struct slot_override *slot = &out->slots[out->slot_count++];
		hash32 key, value;
		if (hex_fixed(key.b, 32, rpc_hex_text(call, item->name)) != STATUS_OK ||
		    hex_fixed(value.b, 32, rpc_hex_text(call, json_string(item))) != STATUS_OK)
			return rpc_bad_param(call, index, "expected slots and values of 32 bytes each");
		slot->slot = u256_load_be(key.b);
		slot->value = u256_load_be(value.b);
	}
	return STATUS_OK;
}

static enum status parse_account(
    struct rpc_call *call, struct account_override *out, const struct json *object, size_t index) {
	if (hex_fixed(out->address.b, 20, rpc_hex_text(call, object->name)) != STATUS_OK)
		return rpc_bad_param(call, index, "a member's name is no address");
	if (!json_is(object, JSON_OBJECT)) return rpc_bad_param(call, index, "expected an object for each address");
	TRY(rpc_member_u256(call, &out->balance_wei, &out->has_balance, object, "balance", index));
	TRY(rpc_member_quantity(call, &out->nonce, &out->has_nonce, object, "nonce", index));
	TRY(rpc_member_data(call, &out->code, &out->has_code, object, "code", index));
	if (out->has_code) out->code_hash = keccak256(out->code);
	const struct json *whole = json_get(object, "state"), *diff = json_get(object, "stateDiff");
	if (whole && diff) return rpc_fail(call, RPC_SERVER_ERROR, "an account has both 'state' and 'stateDiff'");
	TRY(rpc_member_address(call, &out->move_to, &out->has_move, object, "movePrecompileToAddress", index));
	out->replaces_storage = whole != NULL;
	return whole || diff ? parse_slots(call, out, whole ? whole : diff, index) : STATUS_OK;
}

enum status rpc_overrides_parse(
    struct rpc_call *call, struct rpc_overrides **out, const struct json *object, size_t index) {
	*out = NULL;
	if (!object) return STATUS_OK;
	if (!json_is(object, JSON_OBJECT) || object->count > ACCOUNTS_MAX)
		return rpc_bad_param(call, index, "expected an object of at most %u accounts", ACCOUNTS_MAX);
	if (object->count == 0) return STATUS_OK;
	struct rpc_overrides *overrides = arena_zalloc(call->arena, 1, sizeof *overrides);
	overrides->accounts = arena_zalloc(call->arena, object->count, sizeof *overrides->accounts);
	json_foreach (item, object) TRY(parse_account(call, &overrides->accounts[overrides->count++], item, index));
	*out = overrides;
	return STATUS_OK;
}

static enum status fail_move(struct rpc_call *call, int code, const addr20 *address, const char *what) {
	char name[43];
	address_checksum(name, address);
	return rpc_fail(call, code, "account %s %s", name, what);
}

/* As geth: an address that is overridden is no precompile any more; what moves may not go where another override is. */
enum status rpc_overrides_moves(struct rpc_call *call, const struct rpc_overrides *overrides, enum fork fork,
    struct evm_precompile_move **out, size_t *count) {
	*out = NULL, *count = 0;
	if (!overrides) return STATUS_OK;
	struct evm_precompile_move *moves = arena_zalloc(call->arena, 2 * overrides->count, sizeof *moves);
	for (size_t i = 0; i < overrides->count; i++) {
		const struct account_override *changed = &overrides->accounts[i];
		const bool is_precompile = exec_is_precompile(fork, &changed->address);
		if (is_precompile)
			moves[(*count)++] = (struct evm_precompile_move){.at = changed->address, .is_none = true};
		if (!changed->has_move) continue;
		if (addr20_equal(&changed->address, &changed->move_to) && is_precompile)
			return fail_move(call, RPC_MOVE_TO_SELF, &changed->address, "would move to itself");
		if (!is_precompile) return fail_move(call, RPC_SERVER_ERROR, &changed->address, "is not a precompile");
		if (find(overrides, &changed->move_to))
			return fail_move(call, RPC_SERVER_ERROR, &changed->move_to, "is already overridden");
		moves[(*count)++] = (struct evm_precompile_move){.at = changed->move_to, .as = changed->address};
	}
	*out = moves;
	return STATUS_OK;
}

/* All slots go; the account stays as it is. */
static enum status clear_storage(struct state *state, const addr20 *address) {
	struct state_code code;
	uint64_t nonce;
	TRY(state_get_nonce(state, &nonce, address));
	TRY(state_get_code(state, &code, address));
	TRY(state_begin_create(state, address));
	TRY(state_set_nonce(state, address, nonce));
	return code.bytes.len ? state_set_code(state, address, code.bytes) : STATUS_OK;
}

enum status rpc_overrides_apply(const struct rpc_overrides *overrides, struct state *state) {
	for (size_t i = 0; overrides && i < overrides->count; i++) {
		const struct account_override *changed = &overrides->accounts[i];
		const addr20 *address = &changed->address;
		if (changed->replaces_storage) TRY(clear_storage(state, address));
		if (changed->has_nonce) TRY(state_set_nonce(state, address, changed->nonce));
		if (changed->has_code) TRY(state_set_code(state, address, changed->code));
		if (changed->has_balance) TRY(state_set_balance(state, address, &changed->balance_wei));
		for (size_t k = 0; k < changed->slot_count; k++)
			TRY(state_set_storage(state, address, &changed->slots[k].slot, &changed->slots[k].value));
	}
	return overrides ? state_end_transaction(state, false) : STATUS_OK;
}

/* --- blocks --- */

enum status rpc_withdrawals_of(
    struct rpc_call *call, struct withdrawal **out, size_t *count, const struct json *list, size_t index) {
	if (!json_is(list, JSON_ARRAY) || list->count > WITHDRAWALS_MAX)
		return rpc_bad_param(call, index, "withdrawals: expected an array of at most %u", WITHDRAWALS_MAX);
	struct withdrawal *withdrawals = arena_zalloc(call->arena, list->count, sizeof *withdrawals);
	*out = withdrawals;
	*count = 0;
	json_foreach (item, list) {
		struct withdrawal *next = &withdrawals[(*count)++];
		bool has[4];
		TRY(rpc_member_quantity(call, &next->index, &has[0], item, "index", index));
		TRY(rpc_member_quantity(call, &next->validator_index, &has[1], item, "validatorIndex", index));
		TRY(rpc_member_address(call, &next->address, &has[2], item, "address", index));
		TRY(rpc_member_quantity(call, &next->amount_gwei, &has[3], item, "amount", index));
		if (!has[0] || !has[1] || !has[2] || !has[3])
			return rpc_bad_param(call, index, "withdrawals: an entry lacks a member");
	}
	return STATUS_OK;
}

static enum status refuse_unknown(struct rpc_call *call, const struct json *object, size_t index) {
	static const char *const known[] = {"number", "time", "gasLimit", "feeRecipient", "prevRandao", "baseFeePerGas",
	    "difficulty", "blobBaseFee", "beaconRoot", "withdrawals"};
	json_foreach (item, object) {
		bool is_known = false;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is_known |= bytes_equal(item->name, bytes_text(known[i]));
		if (!is_known)
			return rpc_bad_param(call, index, "%.*s: no such block override",
			    (int)(item->name.len > 40 ? 40 : item->name.len), (const char *)item->name.data);
	}
	return STATUS_OK;
}

enum status rpc_override_block(struct rpc_call *call, struct rpc_block_override *out, struct header *header,
    const struct json *object, size_t index) {
	*out = (struct rpc_block_override){.has_blob_base_fee = false};
	if (!object) return STATUS_OK;
	if (!json_is(object, JSON_OBJECT)) return rpc_bad_param(call, index, "expected an object");
	TRY(refuse_unknown(call, object, index));
	TRY(rpc_member_quantity(call, &header->number, NULL, object, "number", index));
	TRY(rpc_member_quantity(call, &header->timestamp, NULL, object, "time", index));
	TRY(rpc_member_quantity(call, &header->gas_limit, NULL, object, "gasLimit", index));
	TRY(rpc_member_address(call, &header->beneficiary, NULL, object, "feeRecipient", index));
	TRY(rpc_member_hash(call, &header->mix_hash, NULL, object, "prevRandao", index));
	TRY(rpc_member_u256(call, &header->base_fee_wei, NULL, object, "baseFeePerGas", index));
	u256 difficulty = header->difficulty;
	TRY(rpc_member_u256(call, &difficulty, NULL, object, "difficulty", index));
	const bool is_mined = chain_rules(call->rpc->options.chain, header).fork < FORK_PARIS;
	if (is_mined && !u256_is_zero(&difficulty)) header->difficulty = difficulty; /* zero would be the merge */
	TRY(rpc_member_u256(call, &out->blob_base_fee_wei, &out->has_blob_base_fee, object, "blobBaseFee", index));
	TRY(rpc_member_hash(call, &out->beacon_root, &out->has_beacon_root, object, "beaconRoot", index));
	const struct json *withdrawals = json_get(object, "withdrawals");
	out->has_withdrawals = withdrawals != NULL;
	if (!withdrawals) return STATUS_OK;
	return rpc_withdrawals_of(call, &out->withdrawals, &out->withdrawal_count, withdrawals, index);
}
