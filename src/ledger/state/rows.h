/*
 * The bytes of the state's rows (store/tables.h) and of the leaves that they become in the tries (Yellow Paper §4.1,
 * app. D). Private to state/. Threads: pure.
 */
#ifndef LEDGER_STATE_ROWS_H
#define LEDGER_STATE_ROWS_H

#include "ledger/state/view.h"

#define ACCOUNT_ROW_BYTES_MAX (1 + 9 + 33 + 32 + 32)
#define ACCOUNT_PAYLOAD_BYTES_MAX 112
#define STORAGE_PAYLOAD_BYTES_MAX 33

extern const struct account absent_account; /* nonce 0, balance 0, no code, no storage */

/* ACCOUNT and ACCOUNT_HISTORY values. Returns the length. */
size_t account_row_encode(uint8_t out[ACCOUNT_ROW_BYTES_MAX], const struct account *account);
MUST_USE enum status account_row_decode(struct account *out, struct bytes row, struct err *err);
/* STORAGE values: `out` has room for 32. Empty for zero. */
MUST_USE enum status storage_row_decode(u256 *out, struct bytes row, struct err *err);

/* What stands in the leaf nodes: rlp([nonce, balance, storage root, code hash]) and rlp(value). Return the length. */
size_t account_payload(uint8_t out[ACCOUNT_PAYLOAD_BYTES_MAX], const struct account *account);
size_t storage_payload(uint8_t out[STORAGE_PAYLOAD_BYTES_MAX], struct bytes row);

/* keccak(address) || keccak(slot) || number, as much of it as a table's key has. */
struct state_key {
	uint8_t b[72];
};
static inline struct bytes account_key(const struct state_key *key) {
	return bytes_make(key->b, 32);
}
static inline struct bytes storage_key(const struct state_key *key) {
	return bytes_make(key->b, 64);
}
struct bytes account_history_key(struct state_key *out, const hash32 *address_hash, uint64_t number);
struct bytes storage_history_key(
    struct state_key *out, const hash32 *address_hash, const hash32 *slot_hash, uint64_t number);

#endif
