/*
 * A case: a fork, a block's fields, accounts, and transactions, with a compact binary form that both sides of the
 * comparison read. Integers are big-endian. A frame, as it goes through the pipe and stands in a file:
 *
 *   frame       = len:u32 case  len:u32 result  len:u32 remark
 *   case        = seed:u64 fork:u8 chain_id:u64 block count:u16 account* count:u16 transaction*
 *   block       = beneficiary:20 number:u64 timestamp:u64 gas_limit:u64 difficulty:32 randao:32 base_fee:u64
 *                 excess_blob_gas:u64
 *   account     = address:20 nonce:u64 balance:32 code count:u16 (slot:32 value:32)*
 *   transaction = type:u8 sender:20 has_chain_id:u8 chain_id:u64 nonce:u64 gas_limit:u64 max_fee:16 max_priority_fee:16
 *                 is_create:u8 to:20 value:32 data count:u16 (address:20 count:u16 slot:32*)*
 *                 max_blob_fee:16 count:u16 blob_hash:32* count:u16 authorization*
 *   authorization = chain_id:32 address:20 nonce:u64 y_parity:u8 r:32 s:32
 *   code, data  = len:u32 byte*
 *   result      = outcome* count:u32 (address:20 nonce:u64 balance:32 code_hash:32 count:u32 (slot:32 value:32)*)*
 *   outcome     = 0:u8 | (1 success, 2 revert, 3 halt):u8 gas_used:u64 output count:u16 log*
 *   log         = address:20 topics:u8 topic:32* data
 *
 * A result has one outcome for each transaction (0: it cannot stand in the block; a halt has no output) and then the
 * whole state, sorted by address and slot, zeros left out. The remark says in words what our side made of each
 * transaction; it is for people and not compared. `fork` counts as `enum fork` does; the seed is 0 where a file was not
 * generated.
 */
#ifndef DIFFER_CASE_H
#define DIFFER_CASE_H

#include "eth/types.h"
#include "ledger/evm/fork.h"

enum { CASE_ACCOUNTS_MAX = 32, CASE_TRANSACTIONS_MAX = 8 };

struct case_slot {
	u256 slot, value;
};

struct case_account {
	addr20 address;
	uint64_t nonce;
	u256 balance_wei;
	struct bytes code;
	const struct case_slot *slots;
	size_t slot_count;
	hash32 code_hash; /* for the runner; not in the file */
};

struct case_transaction {
	struct transaction tx;
	addr20 sender;
};

struct differ_case {
	uint64_t seed;
	enum fork fork;
	uint64_t chain_id;
	struct header block; /* what `block` names, above */
	struct case_account accounts[CASE_ACCOUNTS_MAX];
	size_t account_count;
	struct case_transaction transactions[CASE_TRANSACTIONS_MAX];
	size_t transaction_count;
};

/* Appends the case without its length. */
void case_encode(struct buf *out, const struct differ_case *one);
/* Views into `bytes`, arrays in `arena`. STATUS_INVALID for anything but one case. */
MUST_USE enum status case_decode(struct differ_case *out, struct arena *arena, struct bytes bytes, struct err *err);

struct differ_frame {
	struct bytes one, result, remark;
};
void frame_encode(struct buf *out, const struct differ_frame *frame);
/* The first frame of `*bytes`, which then starts behind it. */
MUST_USE enum status frame_decode(struct differ_frame *out, struct bytes *bytes, struct err *err);

/* For results, too. */
void put_u16(struct buf *out, uint64_t value);
void put_u32(struct buf *out, uint64_t value);
void put_u64(struct buf *out, uint64_t value);
void put_word(struct buf *out, const u256 *value);
void put_sized(struct buf *out, struct bytes bytes); /* len:u32 byte* */

#endif
