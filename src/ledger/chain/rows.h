/*
 * The chain's rows, byte by byte as ledger/store/tables.h draws them. Internal to chain/.
 *
 * In a RECEIPTS row the end offsets count from the first receipt's first byte; decoded logs view into the row.
 * Threads: pure.
 */
#ifndef LEDGER_CHAIN_ROWS_H
#define LEDGER_CHAIN_ROWS_H

#include "crypto/secp256k1_keys.h"
#include "eth/types.h"

struct number_key {
	uint8_t b[8];
};
struct block_key {
	uint8_t b[40];
};
struct number_key number_key(uint64_t number);
struct block_key block_key(uint64_t number, const hash32 *hash);

enum { SEAL_ROW_BYTES = 65, TX_ROW_BYTES = 12, HEAD_ROW_BYTES = 40 };
void seal_row_encode(uint8_t out[SEAL_ROW_BYTES], const struct secp_signature *seal);
MUST_USE enum status seal_row_decode(struct secp_signature *out, struct bytes row, struct err *err);
void tx_row_encode(uint8_t out[TX_ROW_BYTES], uint64_t number, uint32_t index);
MUST_USE enum status tx_row_decode(uint64_t *number, uint32_t *index, struct bytes row, struct err *err);

void receipts_row_encode(struct buf *out, const struct receipt *receipts, size_t count);
MUST_USE enum status receipts_row_count(size_t *count, struct bytes row, struct err *err);
/* One of them, its bloom computed. STATUS_NOTFOUND for an index that is not there; STATUS_CORRUPT. */
MUST_USE enum status receipts_row_get(
    struct receipt *out, struct arena *arena, struct bytes row, size_t index, struct err *err);
/* How many logs, and how much gas, the receipts before `index` have. */
MUST_USE enum status receipts_row_before(
    uint64_t *logs, uint64_t *gas, struct bytes row, size_t index, struct err *err);

#endif
