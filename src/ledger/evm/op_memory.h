/* Memory, and what is copied there (Yellow Paper app. H.2; EIP-211, 5656). */
#ifndef LEDGER_EVM_OP_MEMORY_H
#define LEDGER_EVM_OP_MEMORY_H

#include "ledger/evm/op_common.h"

op_function keccak, calldatacopy, codecopy, extcodecopy, returndatacopy, mcopy;

BODY(MLOAD) {
	OP_GO_ON(memory_reach(f, r, &r->sp[-1], 32));
	const u256 word = u256_load_be(f->memory + r->sp[-1].w[0]);
	word_copy(&r->sp[-1], &word);
	return END_NEXT;
}

BODY(MSTORE) {
	OP_GO_ON(memory_reach(f, r, &r->sp[-1], 32));
	u256_store_be(f->memory + r->sp[-1].w[0], &r->sp[-2]);
	return END_NEXT;
}

BODY(MSTORE8) {
	OP_GO_ON(memory_reach(f, r, &r->sp[-1], 1));
	f->memory[r->sp[-1].w[0]] = (uint8_t)r->sp[-2].w[0];
	return END_NEXT;
}

BODY(MSIZE) {
	word_set(r->sp, f->memory_size);
	return END_NEXT;
}

BODY_OUT_OF_LINE(KECCAK256, keccak)
BODY_OUT_OF_LINE(CALLDATACOPY, calldatacopy)
BODY_OUT_OF_LINE(CODECOPY, codecopy)
BODY_OUT_OF_LINE(EXTCODECOPY, extcodecopy)
BODY_OUT_OF_LINE(RETURNDATACOPY, returndatacopy)
BODY_OUT_OF_LINE(MCOPY, mcopy)

#endif
