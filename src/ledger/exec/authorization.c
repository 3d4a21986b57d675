#include "ledger/exec/executor.h"

/* EIP-7702: PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST comes back where the account was there already. */
enum { EXISTING_ACCOUNT_REFUND_GAS = 25000 - 12500, DESIGNATION_BYTES = 23 };

bool exec_is_delegation(addr20 *target, struct bytes code) {
	if (code.len != DESIGNATION_BYTES || memcmp(code.data, "\xef\x01\x00", 3) != 0) return false;
	memcpy(target->b, code.data + 3, 20);
	return true;
}

/* One entry; an entry that does not fit is skipped without a trace, but for the warm account. */
static enum status apply_one(struct executor *executor, int64_t *refund_gas, const struct authorization *entry) {
	if (!u256_is_zero(&entry->chain_id) && !u256_equal(&entry->chain_id, &executor->rules.chain_id))
		return STATUS_OK;
	if (entry->nonce == UINT64_MAX) return STATUS_OK;
	addr20 authority, delegate;
	if (authorization_authority(&authority, entry) != STATUS_OK) return STATUS_OK;

	struct state *state = executor->state;
	state_warm_account(state, &authority);
	struct state_code code;
	TRY(state_get_code(state, &code, &authority));
	if (code.bytes.len != 0 && !exec_is_delegation(&delegate, code.bytes)) return STATUS_OK;
	uint64_t nonce;
	TRY(state_get_nonce(state, &nonce, &authority));
	if (nonce != entry->nonce) return STATUS_OK;

	bool exists;
	TRY(state_account_exists(state, &exists, &authority));
	if (exists) *refund_gas += EXISTING_ACCOUNT_REFUND_GAS;
	uint8_t designation[DESIGNATION_BYTES] = {0xef, 0x01, 0x00};
	memcpy(designation + 3, entry->address.b, 20);
	const bool clears = addr20_is_zero(&entry->address);
	TRY(state_set_code(state, &authority, bytes_make(designation, clears ? 0 : sizeof designation)));
	return state_set_nonce(state, &authority, nonce + 1);
}

enum status exec_apply_authorizations(struct executor *executor, int64_t *refund_gas, const struct transaction *tx) {
	for (size_t i = 0; i < tx->authorization_count; i++)
		TRY(apply_one(executor, refund_gas, &tx->authorizations[i]));
	return STATUS_OK;
}
