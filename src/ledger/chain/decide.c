/* What a decision makes of the header, before anything runs: a function of the parent and the decision alone. */
#include "crypto/hash.h"
#include "ledger/chain/chain_private.h"

enum { GAS_LIMIT_BOUND_DIVISOR = 1024, GAS_LIMIT_MIN = 5000 };

uint64_t chain_next_gas_limit(uint64_t parent, uint64_t target) {
	const uint64_t step = parent / GAS_LIMIT_BOUND_DIVISOR - 1;
	if (target < GAS_LIMIT_MIN) target = GAS_LIMIT_MIN;
	if (target > parent) return target - parent > step ? parent + step : target;
	return parent - target > step ? parent - step : target;
}

/* The decided block's own randomness: keccak(parent hash || number). */
static hash32 decided_randao(const hash32 *parent, uint64_t number) {
	uint8_t message[40];
	memcpy(message, parent->b, 32);
	store_be64(message + 32, number);
	return keccak256(bytes_make(message, sizeof message));
}

static enum status decided_timestamp(
    uint64_t *out, const struct chain *chain, const struct block_decision *decision, uint64_t parent, struct err *err) {
	const struct block_orders *orders = decision->orders;
	const bool may_equal = orders != NULL && orders->spacing != SPACING_OF_CHAIN
				   ? orders->spacing == SPACING_NONE
				   : genesis_equal_timestamps(chain->genesis);
	const uint64_t least = may_equal ? parent : parent + 1;
	*out = decision->time_ms / 1000;
	if (*out < least) *out = least;
	if (orders == NULL || orders->timestamp == 0) return STATUS_OK;
	if (orders->timestamp < least)
		return err_set(err, STATUS_INVALID, "the timestamp %llu is not after the parent's",
		    (unsigned long long)orders->timestamp);
	*out = orders->timestamp;
	return STATUS_OK;
}

uint64_t chain_decide_ms(const struct chain *chain, uint64_t timestamp, uint64_t time_ms) {
	if (timestamp >= UINT64_MAX / 1000) return 0; /* orders may name any timestamp */
	const uint64_t first_ms = timestamp * 1000, last_ms = first_ms + 999;
	if (time_ms < chain->time_ms) time_ms = chain->time_ms;
	if (time_ms < first_ms) return first_ms;
	return time_ms > last_ms ? last_ms : time_ms;
}

static void take_orders(struct header *out, const struct block_orders *orders) {
	if (orders->gas_limit != 0) out->gas_limit = orders->gas_limit;
	if (orders->has_randao) out->mix_hash = orders->randao;
	if (orders->has_base_fee) out->base_fee_wei = orders->base_fee_wei;
}

enum status chain_decide_header(struct chain *chain, struct header *out, const struct chain_head *head,
    const struct block_decision *decision, struct err *err) {
	const struct header *parent = &head->header;
	*out = (struct header){.parent_hash = head->hash,
	    .ommers_hash = empty_ommers_hash,
	    .beneficiary = decision->proposer,
	    .number = parent->number + 1};
	TRY(decided_timestamp(&out->timestamp, chain, decision, parent->timestamp, err));
	const struct exec_rules rules = chain_rules(chain, out), before = chain_rules(chain, parent);
	const struct header genesis = genesis_header(chain->genesis);
	out->gas_limit =
	    chain_next_gas_limit(parent->gas_limit, decision->gas_limit != 0 ? decision->gas_limit : genesis.gas_limit);
	out->mix_hash = decided_randao(&head->hash, out->number);
	out->field_count = header_field_count(rules.fork);
	out->base_fee_wei = exec_next_base_fee(parent, &rules, before.fork >= FORK_LONDON);
	if (rules.fork >= FORK_CANCUN) out->excess_blob_gas = exec_excess_blob_gas(parent, &rules);
	if (decision->orders != NULL) take_orders(out, decision->orders);
	return STATUS_OK;
}
