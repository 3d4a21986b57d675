/* What gas and blob gas cost from block to block (EIP-1559, 4844, 7691, 7840, 7918), and what a transaction costs
 * before it runs. */
#include "ledger/exec/exec.h"

enum {
	INITIAL_BASE_FEE_WEI = 1000000000,
	BASE_FEE_CHANGE_DENOMINATOR = 8,
	ELASTICITY = 2,
	BLOB_BASE_COST_GAS = 1 << 13,

	TX_GAS = 21000,
	TX_CREATE_GAS = 32000,
	DATA_ZERO_GAS = 4,
	DATA_NONZERO_FRONTIER_GAS = 68,
	DATA_NONZERO_GAS = 16,
	FLOOR_TOKEN_GAS = 10,
	TOKENS_PER_NONZERO = 4,
	ACCESS_ADDRESS_GAS = 2400,
	ACCESS_SLOT_GAS = 1900,
	INIT_CODE_WORD_GAS = 2,
	AUTHORIZATION_GAS = 25000,
};

struct blob_schedule exec_blob_schedule(enum fork fork) {
	if (fork >= FORK_PRAGUE) return (struct blob_schedule){6, 9, 5007716};
	if (fork >= FORK_CANCUN) return (struct blob_schedule){3, 6, 3338477};
	return (struct blob_schedule){0, 0, 1};
}

static uint64_t count_zeros(struct bytes data) {
	uint64_t zeros = 0;
	for (size_t i = 0; i < data.len; i++) zeros += data.data[i] == 0;
	return zeros;
}

uint64_t exec_intrinsic_gas(const struct transaction *tx, enum fork fork) {
	const uint64_t zeros = count_zeros(tx->data), others = tx->data.len - zeros;
	uint64_t gas = TX_GAS + zeros * DATA_ZERO_GAS +
		       others * (fork >= FORK_ISTANBUL ? DATA_NONZERO_GAS : DATA_NONZERO_FRONTIER_GAS);
	if (tx->is_create) {
		if (fork >= FORK_HOMESTEAD) gas += TX_CREATE_GAS;
		if (fork >= FORK_SHANGHAI) gas += (tx->data.len + 31) / 32 * INIT_CODE_WORD_GAS;
	}
	for (size_t i = 0; i < tx->access_count; i++)
		gas += ACCESS_ADDRESS_GAS + tx->access_list[i].slot_count * ACCESS_SLOT_GAS;
	return gas + tx->authorization_count * AUTHORIZATION_GAS;
}

uint64_t exec_floor_gas(const struct transaction *tx, enum fork fork) {
	if (fork < FORK_PRAGUE) return 0;
	const uint64_t zeros = count_zeros(tx->data);
	return TX_GAS + (zeros + (tx->data.len - zeros) * TOKENS_PER_NONZERO) * FLOOR_TOKEN_GAS;
}

u256 exec_next_base_fee(const struct header *parent, const struct exec_rules *rules, bool parent_is_london) {
	if (rules->zero_base_fee) return u256_from(0);
	if (!parent_is_london) return u256_from(INITIAL_BASE_FEE_WEI);
	const uint64_t target = parent->gas_limit / ELASTICITY;
	u256 fee = parent->base_fee_wei;
	if (parent->gas_used == target || target == 0) return fee;
	const bool up = parent->gas_used > target;
	const u256 gas_delta = u256_from(up ? parent->gas_used - target : target - parent->gas_used);
	const u256 target_gas = u256_from(target), denominator = u256_from(BASE_FEE_CHANGE_DENOMINATOR);
	u256 delta = u256_mul(&fee, &gas_delta);
	delta = u256_div(&delta, &target_gas);
	delta = u256_div(&delta, &denominator);
	if (up) {
		if (u256_is_zero(&delta)) delta = u256_from(1);
		u256_add_overflow(&fee, &fee, &delta);
	} else {
		u256_sub_overflow(&fee, &fee, &delta);
	}
	return fee;
}

/* factor * e^(numerator / denominator), by its Taylor series (EIP-4844). */
static u256 fake_exponential(uint64_t factor, uint64_t numerator, uint64_t denominator) {
	const u256 d = u256_from(denominator), n = u256_from(numerator);
	u256 output = u256_from(0), term = u256_from(factor);
	term = u256_mul(&term, &d);
	for (uint64_t i = 1; !u256_is_zero(&term); i++) {
		if (u256_add_overflow(&output, &output, &term)) break;
		u256 product;
		if (u256_mul_overflow(&product, &term, &n)) break;
		const u256 divisor = u256_from(denominator * i);
		term = u256_div(&product, &divisor);
	}
	return u256_div(&output, &d);
}

u256 exec_blob_base_fee(uint64_t excess_blob_gas, const struct blob_schedule *schedule) {
	return fake_exponential(1, excess_blob_gas, schedule->base_fee_update_fraction);
}

uint64_t exec_excess_blob_gas(const struct header *parent, const struct exec_rules *rules) {
	const struct blob_schedule *blob = &rules->blob;
	const bool parent_has_blobs = parent->field_count >= HEADER_CANCUN;
	const uint64_t used = parent_has_blobs ? parent->blob_gas_used : 0;
	const uint64_t excess = parent_has_blobs ? parent->excess_blob_gas : 0;
	const uint64_t target = blob->target * GAS_PER_BLOB;
	if (excess + used < target) return 0;
	if (rules->fork >= FORK_OSAKA && blob->max > 0) {
		const u256 blob_fee = exec_blob_base_fee(excess, blob);
		const u256 per_blob = u256_from(GAS_PER_BLOB), reserve_gas = u256_from(BLOB_BASE_COST_GAS);
		const u256 blob_cost = u256_mul(&blob_fee, &per_blob);
		const u256 reserve = u256_mul(&parent->base_fee_wei, &reserve_gas);
		if (u256_less(&blob_cost, &reserve)) return excess + used * (blob->max - blob->target) / blob->max;
	}
	return excess + used - target;
}
