#include "ledger/exec/executor.h"

enum { BLOBS_PER_TX_MAX = 6, BLOB_HASH_VERSION = 1 };

const char *tx_verdict_text(enum tx_verdict verdict) {
#define TX_VERDICT_TEXT(name, text) text,
	static const char *const texts[] = {TX_VERDICTS(TX_VERDICT_TEXT)};
#undef TX_VERDICT_TEXT
	return (unsigned)verdict < TX_VERDICT_COUNT ? texts[verdict] : "unknown";
}

static bool type_is_supported(enum tx_type type, enum fork fork) {
	switch (type) {
	case TX_LEGACY: return true;
	case TX_ACCESS_LIST: return fork >= FORK_BERLIN;
	case TX_DYNAMIC_FEE: return fork >= FORK_LONDON;
	case TX_BLOB: return fork >= FORK_CANCUN;
	case TX_SET_CODE: return fork >= FORK_PRAGUE;
	}
	return false;
}

static enum tx_verdict check_blobs(const struct transaction *tx, const struct exec_rules *rules) {
	if (tx->is_create) return TX_VERDICT_BLOB_CREATE;
	if (tx->blob_count == 0) return TX_VERDICT_BLOB_NONE;
	uint32_t max = rules->blob.max;
	if (rules->fork >= FORK_OSAKA && max > BLOBS_PER_TX_MAX) max = BLOBS_PER_TX_MAX; /* EIP-7594 */
	if (tx->blob_count > max) return TX_VERDICT_BLOB_TOO_MANY;
	for (size_t i = 0; i < tx->blob_count; i++)
		if (tx->blob_hashes[i].b[0] != BLOB_HASH_VERSION) return TX_VERDICT_BLOB_VERSION;
	return TX_VERDICT_OK;
}

enum tx_verdict exec_check_static(const struct transaction *tx, const struct exec_rules *rules) {
	const enum fork fork = rules->fork;
	if (!type_is_supported(tx->type, fork)) return TX_VERDICT_TYPE_NOT_SUPPORTED;
	if (tx->has_chain_id) {
		if (fork < FORK_SPURIOUS) return TX_VERDICT_TYPE_NOT_SUPPORTED;
		if (!u256_equal(&tx->chain_id, &rules->chain_id)) return TX_VERDICT_WRONG_CHAIN_ID;
	}
	if (tx->nonce == UINT64_MAX) return TX_VERDICT_NONCE_MAX;
	if (u256_less(&tx->max_fee_wei, &tx->max_priority_fee_wei)) return TX_VERDICT_TIP_ABOVE_FEE_CAP;
	if (tx->type == TX_BLOB) {
		const enum tx_verdict verdict = check_blobs(tx, rules);
		if (verdict != TX_VERDICT_OK) return verdict;
	}
	if (tx->type == TX_SET_CODE) {
		if (tx->is_create) return TX_VERDICT_SET_CODE_CREATE;
		if (tx->authorization_count == 0) return TX_VERDICT_SET_CODE_EMPTY;
	}
	if (fork >= FORK_OSAKA && tx->gas_limit > TX_GAS_CAP) return TX_VERDICT_GAS_LIMIT_OVER_CAP;
	if (tx->gas_limit < exec_intrinsic_gas(tx, fork)) return TX_VERDICT_INTRINSIC_GAS;
	if (tx->gas_limit < exec_floor_gas(tx, fork)) return TX_VERDICT_FLOOR_GAS;
	if (tx->is_create && fork >= FORK_SHANGHAI && tx->data.len > INIT_CODE_MAX_BYTES)
		return TX_VERDICT_INIT_CODE_TOO_LARGE;
	return TX_VERDICT_OK;
}

bool exec_total_cost(
    u256 *out_wei, const struct transaction *tx, const u256 *gas_price_wei, const u256 *blob_price_wei) {
	const u256 gas = u256_from(tx->gas_limit), blob_gas = u256_from(tx->blob_count * GAS_PER_BLOB);
	u256 cost, blob_cost;
	bool overflow = u256_mul_overflow(&cost, &gas, gas_price_wei);
	overflow |= u256_mul_overflow(&blob_cost, &blob_gas, blob_price_wei);
	overflow |= u256_add_overflow(&cost, &cost, &blob_cost);
	overflow |= u256_add_overflow(out_wei, &cost, &tx->value_wei);
	return overflow;
}

u256 exec_gas_price(const struct executor *executor, const struct transaction *tx) {
	if (executor->rules.fork < FORK_LONDON) return tx->max_fee_wei;
	u256 price;
	if (u256_add_overflow(&price, &executor->env.base_fee_wei, &tx->max_priority_fee_wei) ||
	    u256_less(&tx->max_fee_wei, &price))
		return tx->max_fee_wei;
	return price;
}

/* What the block has room for and what it charges. */
static enum tx_verdict check_block(const struct executor *executor, const struct transaction *tx) {
	const struct evm_block_env *env = &executor->env;
	if (tx->gas_limit > env->gas_limit - executor->gas_used) return TX_VERDICT_GAS_LIMIT_OVER_BLOCK;
	if (executor->rules.fork >= FORK_LONDON && u256_less(&tx->max_fee_wei, &env->base_fee_wei))
		return TX_VERDICT_FEE_CAP_BELOW_BASE_FEE;
	if (tx->type == TX_BLOB) {
		if (executor->blob_gas_used + tx->blob_count * GAS_PER_BLOB > executor->rules.blob.max * GAS_PER_BLOB)
			return TX_VERDICT_BLOB_TOO_MANY;
		if (u256_less(&tx->max_blob_fee_wei, &env->blob_base_fee_wei)) return TX_VERDICT_BLOB_FEE_CAP;
	}
	return TX_VERDICT_OK;
}

static const uint8_t impersonated_mark[12] = {'i', 'm', 'p', 'e', 'r', 's', 'o', 'n', 'a', 't', 'e', 'd'};

void exec_impersonate(struct transaction *tx, const addr20 *sender) {
	uint8_t r[32];
	memcpy(r, impersonated_mark, sizeof impersonated_mark);
	memcpy(r + sizeof impersonated_mark, sender->b, sizeof sender->b);
	tx->r = u256_load_be(r);
	tx->s = u256_from(1);
	tx->y_parity = 0;
}

bool exec_is_impersonated(const struct transaction *tx) {
	const u256 one = u256_from(1);
	uint8_t r[32];
	u256_store_be(r, &tx->r);
	return u256_equal(&tx->s, &one) && memcmp(r, impersonated_mark, sizeof impersonated_mark) == 0;
}

addr20 exec_impersonated_sender(const struct transaction *tx) {
	addr20 sender;
	uint8_t r[32];
	u256_store_be(r, &tx->r);
	memcpy(sender.b, r + sizeof impersonated_mark, sizeof sender.b);
	return sender;
}

/* What the sender must be and have. */
static enum status check_sender(
    struct executor *executor, enum tx_verdict *verdict, const struct transaction *tx, const addr20 *sender) {
	uint64_t nonce;
	TRY(state_get_nonce(executor->state, &nonce, sender));
	*verdict = tx->nonce < nonce ? TX_VERDICT_NONCE_TOO_LOW : TX_VERDICT_NONCE_TOO_HIGH;
	if (tx->nonce != nonce) return STATUS_OK;

	struct state_code code; /* EIP-3607, but for EIP-7702 */
	TRY(state_get_code(executor->state, &code, sender));
	addr20 delegate;
	*verdict = TX_VERDICT_SENDER_IS_CONTRACT;
	if (code.bytes.len != 0 && !exec_is_delegation(&delegate, code.bytes) && !exec_is_impersonated(tx))
		return STATUS_OK;

	u256 balance, cost;
	TRY(state_get_balance(executor->state, &balance, sender));
	*verdict = TX_VERDICT_INSUFFICIENT_FUNDS;
	if (exec_total_cost(&cost, tx, &tx->max_fee_wei, &tx->max_blob_fee_wei) || u256_less(&balance, &cost))
		return STATUS_OK;
	*verdict = TX_VERDICT_OK;
	return STATUS_OK;
}

enum status exec_validate(
    struct executor *executor, enum tx_verdict *verdict, const struct transaction *tx, const addr20 *sender) {
	*verdict = exec_check_static(tx, &executor->rules);
	if (*verdict == TX_VERDICT_OK) *verdict = check_block(executor, tx);
	if (*verdict == TX_VERDICT_OK) return check_sender(executor, verdict, tx, sender);
	return STATUS_OK;
}
