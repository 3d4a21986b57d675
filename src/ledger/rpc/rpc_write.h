/*
 * The JSON of the chain's things (rpc_write.c).
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_WRITE_H
#define LEDGER_RPC_RPC_WRITE_H

#include "ledger/rpc/rpc_call.h"

void rpc_put_u256(struct json_writer *out, const char *name, const u256 *value);
/* The decided time of a block, "timeMs", or null. */
MUST_USE enum status rpc_put_time_ms(struct rpc_call *call, const hash32 *hash);
void rpc_put_word(struct json_writer *out, const char *name, const u256 *value); /* 32 bytes */
/* "0x…" of at most 32 bytes, where data names a member. */
void rpc_hex_name(char out[67], struct bytes data);
/* `header` NULL: it waits in the pool. */
void rpc_write_tx(struct json_writer *out, const char *name, const struct transaction *tx, const addr20 *from,
    const struct header *header, const hash32 *block_hash, size_t index);
/* {raw, tx}: its envelope, and what it says. */
void rpc_write_raw_and_tx(struct json_writer *out, const struct transaction *tx, const addr20 *from);
/* `full`: transactions as objects, not hashes alone. */
MUST_USE enum status rpc_write_block(struct rpc_call *call, struct rpc_block *block, bool full);
/* The same without the braces, for who adds to it. */
MUST_USE enum status rpc_write_block_members(struct rpc_call *call, struct rpc_block *block, bool full);
/* An ommer, of which only the header is known. */
void rpc_write_ommer(struct rpc_call *call, const struct header *header);
void rpc_write_log(struct json_writer *out, const struct found_log *found, bool removed);
void rpc_write_receipt(struct rpc_call *call, const struct transaction *tx, const struct mined_receipt *mined,
    const struct header *header, const hash32 *block_hash, size_t index);
void rpc_write_withdrawals(struct json_writer *out, const struct block *block);
void rpc_write_access_list(struct json_writer *out, const char *name, const struct access_entry *entries, size_t count);

/* A header as newHeads and eth_getHeaderBy* show it; `hash` NULL: nobody sealed it. */
void rpc_write_head(struct rpc_call *call, const struct header *header, const hash32 *hash);

#endif
