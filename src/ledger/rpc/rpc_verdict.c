/* Why a transaction cannot run, in geth's words: who, how much there is, and how much it takes. */
#include "ledger/rpc/rpc_run.h"

#include <stdio.h>

#define DETAIL_BYTES 320
#define INIT_CODE_MAX_BYTES 49152u /* EIP-3860 */

/* What is said of a sender and two numbers; `text` has room for DETAIL_BYTES. */
static void put_sender(
    char *text, const addr20 *from, const char *a_name, const u256 *a, const char *b_name, const u256 *b) {
	char sender[43], a_text[80], b_text[80] = "";
	address_checksum(sender, from);
	u256_to_decimal(a_text, a);
	if (b) u256_to_decimal(b_text, b);
	snprintf(text, DETAIL_BYTES, ": address %s%s%s%s%s", sender, a_name, a_text, b_name, b_text);
}

static void put_gas(char *text, uint64_t have, uint64_t want) {
	snprintf(text, DETAIL_BYTES, ": have %llu, want %llu", (unsigned long long)have, (unsigned long long)want);
}

/* The state is as the transaction found it. */
static enum status detail_of(
    struct rpc_call *call, char *text, enum tx_verdict verdict, const struct rpc_failed_tx *failed) {
	const struct transaction *tx = failed->tx;
	struct state *state = call->worker->state;
	const addr20 *from = failed->from;
	uint64_t state_nonce;
	u256 a = u256_from(tx->nonce), b;
	text[0] = 0;
	if (verdict == TX_VERDICT_NONCE_TOO_LOW || verdict == TX_VERDICT_NONCE_TOO_HIGH) {
		TRY(state_get_nonce(state, &state_nonce, from));
		b = u256_from(state_nonce);
		put_sender(text, from, ", tx: ", &a, " state: ", &b);
	} else if (verdict == TX_VERDICT_NONCE_MAX) {
		put_sender(text, from, ", nonce: ", &a, "", NULL);
	} else if (verdict == TX_VERDICT_TIP_ABOVE_FEE_CAP) {
		put_sender(text, from, ", maxPriorityFeePerGas: ", &tx->max_priority_fee_wei,
		    ", maxFeePerGas: ", &tx->max_fee_wei);
	} else if (verdict == TX_VERDICT_FEE_CAP_BELOW_BASE_FEE) {
		put_sender(
		    text, from, ", maxFeePerGas: ", &tx->max_fee_wei, ", baseFee: ", &failed->header->base_fee_wei);
	} else if (verdict == TX_VERDICT_INSUFFICIENT_FUNDS) {
		TRY(state_get_balance(state, &a, from));
		if (!exec_total_cost(&b, tx, &tx->max_fee_wei, &tx->max_blob_fee_wei))
			put_sender(text, from, " have ", &a, " want ", &b);
	} else if (verdict == TX_VERDICT_INIT_CODE_TOO_LARGE) {
		snprintf(text, DETAIL_BYTES, ": code size %zu limit %u", tx->data.len, INIT_CODE_MAX_BYTES);
	} else if (verdict == TX_VERDICT_INTRINSIC_GAS) {
		put_gas(text, tx->gas_limit, exec_intrinsic_gas(tx, failed->fork));
	} else if (verdict == TX_VERDICT_FLOOR_GAS) {
		put_gas(text, tx->gas_limit, exec_floor_gas(tx, failed->fork));
	}
	return STATUS_OK;
}

enum status rpc_fail_verdict(
    struct rpc_call *call, int code, enum tx_verdict verdict, const struct rpc_failed_tx *failed) {
	char text[DETAIL_BYTES];
	const enum status status = detail_of(call, text, verdict, failed);
	if (status != STATUS_OK) {
		call->err = call->worker->err;
		return status;
	}
	const char *what = tx_verdict_text(verdict);
	const unsigned long long gas = failed->tx->gas_limit;
	switch (failed->form) {
	case RPC_VERDICT_OF_CALL: return rpc_fail(call, code, "err: %s%s (supplied gas %llu)", what, text, gas);
	case RPC_VERDICT_OF_ESTIMATE: return rpc_fail(call, code, "failed with %llu gas: %s%s", gas, what, text);
	case RPC_VERDICT_ALONE: break;
	}
	return rpc_fail(call, code, "%s%s", what, text);
}
