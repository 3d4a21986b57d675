#include "ledger/consensus/verdicts.h"

bool verdict_may_stand_later(enum tx_verdict verdict, bool block_is_empty) {
	switch (verdict) {
	case TX_VERDICT_OK:
	case TX_VERDICT_NONCE_TOO_HIGH: /* the one before it was left out */
	case TX_VERDICT_FEE_CAP_BELOW_BASE_FEE:
	case TX_VERDICT_BLOB_FEE_CAP: return true;
	case TX_VERDICT_BLOB_TOO_MANY: /* with those before it */
	case TX_VERDICT_GAS_LIMIT_OVER_BLOCK: return !block_is_empty;
	case TX_VERDICT_TYPE_NOT_SUPPORTED:
	case TX_VERDICT_WRONG_CHAIN_ID:
	case TX_VERDICT_BAD_SIGNATURE:
	case TX_VERDICT_NONCE_TOO_LOW:
	case TX_VERDICT_NONCE_MAX:
	case TX_VERDICT_SENDER_IS_CONTRACT:
	case TX_VERDICT_INTRINSIC_GAS:
	case TX_VERDICT_FLOOR_GAS:
	case TX_VERDICT_GAS_LIMIT_OVER_CAP:
	case TX_VERDICT_TIP_ABOVE_FEE_CAP:
	case TX_VERDICT_INSUFFICIENT_FUNDS:
	case TX_VERDICT_INIT_CODE_TOO_LARGE:
	case TX_VERDICT_BLOB_NONE:
	case TX_VERDICT_BLOB_VERSION:
	case TX_VERDICT_BLOB_CREATE:
	case TX_VERDICT_SET_CODE_EMPTY:
	case TX_VERDICT_SET_CODE_CREATE:
	case TX_VERDICT_COUNT: break;
	}
	return false;
}
