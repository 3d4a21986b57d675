/* What a frame can see of its message, its transaction, its block and other accounts (Yellow Paper app. H.2, 30s and
 * 40s). */
#ifndef LEDGER_EVM_OP_ENVIRONMENT_H
#define LEDGER_EVM_OP_ENVIRONMENT_H

#include "ledger/evm/op_common.h"

op_function calldataload, balance, selfbalance, extcodesize, extcodehash, blockhash, blobhash;

#define BODY_ADDRESS(name, address)                                                                                    \
	BODY(name) {                                                                                                   \
		const u256 word = word_of_address(&(address));                                                         \
		word_copy(r->sp, &word);                                                                               \
		return END_NEXT;                                                                                       \
	}
#define BODY_NUMBER(name, number)                                                                                      \
	BODY(name) {                                                                                                   \
		word_set(r->sp, number);                                                                               \
		return END_NEXT;                                                                                       \
	}
#define BODY_WORD(name, word)                                                                                          \
	BODY(name) {                                                                                                   \
		word_copy(r->sp, &(word));                                                                             \
		return END_NEXT;                                                                                       \
	}

BODY_ADDRESS(ADDRESS, f->message.recipient)
BODY_ADDRESS(ORIGIN, evm->tx.origin)
BODY_ADDRESS(CALLER, f->message.sender)
BODY_ADDRESS(COINBASE, evm->block.coinbase)
BODY_NUMBER(CALLDATASIZE, f->message.input.len)
BODY_NUMBER(CODESIZE, f->code_len)
BODY_NUMBER(RETURNDATASIZE, evm->return_data.len)
BODY_NUMBER(TIMESTAMP, evm->block.timestamp)
BODY_NUMBER(NUMBER, evm->block.number)
BODY_NUMBER(GASLIMIT, evm->block.gas_limit)
BODY_WORD(CALLVALUE, f->message.value_wei)
BODY_WORD(GASPRICE, evm->tx.gas_price_wei)
BODY_WORD(CHAINID, evm->block.chain_id)
BODY_WORD(BASEFEE, evm->block.base_fee_wei)
BODY_WORD(BLOBBASEFEE, evm->block.blob_base_fee_wei)

#undef BODY_ADDRESS
#undef BODY_NUMBER
#undef BODY_WORD

/* DIFFICULTY until the merge (EIP-4399). */
BODY(PREVRANDAO) {
	const u256 randao = u256_load_be(evm->block.randao.b);
	word_copy(r->sp, evm->fork >= FORK_PARIS ? &randao : &evm->block.difficulty);
	return END_NEXT;
}

BODY(CALLDATALOAD) {
	const uint64_t offset = u256_clamp_u64(&r->sp[-1]);
	if (__builtin_expect(f->message.input.len < 32 || offset > f->message.input.len - 32, 0))
		return out_of_line(evm, f, r, calldataload);
	const u256 word = u256_load_be(f->message.input.data + offset);
	word_copy(&r->sp[-1], &word);
	return END_NEXT;
}

BODY_OUT_OF_LINE(BALANCE, balance)
BODY_OUT_OF_LINE(SELFBALANCE, selfbalance)
BODY_OUT_OF_LINE(EXTCODESIZE, extcodesize)
BODY_OUT_OF_LINE(EXTCODEHASH, extcodehash)
BODY_OUT_OF_LINE(BLOCKHASH, blockhash)
BODY_OUT_OF_LINE(BLOBHASH, blobhash)

#endif
