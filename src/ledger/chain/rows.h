/*
 * The chain's rows, byte by byte as ledger/store/tables.h draws them. Internal to chain/.
 *
 * Transactions and receipts stand in groups of GROUP_ITEMS: one is found with one read of a small row, whatever the
 * block's size, and a block costs few rows. Decoded logs view into the row. Threads: pure.
 */
#ifndef LEDGER_CHAIN_ROWS_H
#define LEDGER_CHAIN_ROWS_H

#include "crypto/secp256k1_keys.h"
#include "ledger/chain/chain.h"

struct number_key {
	uint8_t b[8];
};
struct block_key {
	uint8_t b[40];
};
struct number_key number_key(uint64_t number);
struct block_key block_key(uint64_t number, const hash32 *hash);

enum { SEAL_ROW_BYTES = 65, TIME_ROW_BYTES = 8, TX_ROW_BYTES = 12, HEAD_ROW_BYTES = 40 };
void seal_row_encode(uint8_t out[SEAL_ROW_BYTES], const struct secp_signature *seal);
MUST_USE enum status seal_row_decode(struct secp_signature *out, struct bytes row, struct err *err);
void time_row_encode(uint8_t out[TIME_ROW_BYTES], uint64_t time_ms);
MUST_USE enum status time_row_decode(uint64_t *time_ms, struct bytes row, struct err *err);
void tx_row_encode(uint8_t out[TX_ROW_BYTES], uint64_t number, uint32_t index);
MUST_USE enum status tx_row_decode(uint64_t *number, uint32_t *index, struct bytes row, struct err *err);

/* A group's row in TXS or RECEIPTS. End offsets count from the first item's first byte. */
enum { GROUP_ITEMS = 16 };
struct group_key {
	uint8_t b[44];
};
/* Of the group that holds item `index` of a block. */
struct group_key group_key(const struct block_key *block, size_t index);
/* Begins a row of `count` items, at most GROUP_ITEMS, which are appended one by one; each ends with group_row_end. */
void group_row_begin(struct buf *out, size_t count);
void group_row_end(struct buf *out, size_t item);
MUST_USE enum status group_row_count(size_t *count, struct bytes row, struct err *err);
/* STATUS_NOTFOUND for an item that is not there. */
MUST_USE enum status group_row_item(struct bytes *out, struct bytes row, size_t item, struct err *err);

void receipt_item_encode(struct buf *out, const struct mined_receipt *receipt);
/* Its bloom computed, where `with_bloom`. */
MUST_USE enum status receipt_item_decode(
    struct mined_receipt *out, struct arena *arena, struct bytes item, bool with_bloom, struct err *err);

/* A BODY row: all of a body but its transactions, and what the chain weighs with this block. */
struct body_row {
	uint32_t transaction_count;
	u256 total_difficulty;
	struct bytes rlp; /* of a body without transactions */
};
void body_row_encode(struct buf *out, const struct block *block, const u256 *total_difficulty);
MUST_USE enum status body_row_decode(struct body_row *out, struct bytes row, struct err *err);

#endif
