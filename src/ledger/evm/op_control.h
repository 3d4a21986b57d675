/* The flow within a frame, and its end (Yellow Paper app. H.2, §9.4.4; EIP-140). */
#ifndef LEDGER_EVM_OP_CONTROL_H
#define LEDGER_EVM_OP_CONTROL_H

#include "ledger/evm/op_common.h"

op_function return_range;

BODY(STOP) {
	(void)r;
	f->output = (struct bytes){NULL, 0};
	return op_halt(EVM_SUCCESS);
}

BODY(INVALID) {
	(void)r;
	return op_halt(EVM_BAD_OPCODE);
}

BODY(JUMPDEST) {
	(void)r;
	return END_NEXT;
}

static ALWAYS_INLINE enum op_end jump(struct frame *f, struct registers *r, const u256 *target) {
	const uint64_t to = target->w[0];
	if (__builtin_expect(
		!u256_fits_u64(target) || to >= f->code_len || !(f->jumpdests[to / 64] >> (to % 64) & 1), 0))
		return op_halt(EVM_BAD_JUMP);
	r->pc = f->code + to - 1; /* the dispatcher steps over it */
	return END_NEXT;
}

BODY(JUMP) {
	return jump(f, r, &r->sp[-1]);
}

BODY(JUMPI) {
	return u256_is_zero(&r->sp[-2]) ? END_NEXT : jump(f, r, &r->sp[-1]);
}

BODY(PC) {
	word_set(r->sp, (uint64_t)(r->pc - f->code));
	return END_NEXT;
}

BODY(GAS) {
	word_set(r->sp, (uint64_t)r->gas);
	return END_NEXT;
}

BODY(RETURN) {
	const enum op_end end = out_of_line(evm, f, r, return_range);
	return end == END_NEXT ? op_halt(EVM_SUCCESS) : end;
}

BODY(REVERT) {
	const enum op_end end = out_of_line(evm, f, r, return_range);
	return end == END_NEXT ? op_halt(EVM_REVERT) : end;
}

#endif
