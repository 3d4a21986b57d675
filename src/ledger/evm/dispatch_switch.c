/* The reference dispatcher: a switch in a loop, which every tool understands; and the only one that reports its
 * steps to a tracer. */
#include "ledger/evm/instructions.h"

static void trace_step(struct evm *evm, const struct frame *f, const struct registers *r) {
	const struct evm_step step = {
	    .pc = (uint64_t)(r->pc - f->code),
	    .opcode = *r->pc,
	    .depth = f->message.depth,
	    .gas = (uint64_t)r->gas,
	    .stack = f->stack,
	    .stack_count = (size_t)(r->sp - f->stack),
	    .memory = bytes_make(f->memory, f->memory_size),
	    .return_data = buf_view(&evm->return_data),
	    .message = &f->message,
	    .refund_gas = evm->refund,
	};
	evm->tracer->step(evm->tracer->context, &step);
}

/* `before`: the gas that the step saw. */
static void trace_step_end(
    struct evm *evm, const struct frame *f, const struct registers *r, int64_t before, enum op_end end) {
	const bool goes_on = end == END_NEXT, creates = end == END_CALL && f[1].message.kind >= EVM_CREATE;
	const struct evm_step_end step_end = {
	    .cost_gas = (uint64_t)(before - r->gas) - (creates ? f[1].message.gas : 0),
	    .refund_gas = evm->refund,
	    .is_over = end >= END_HALT,
	    .outcome = end >= END_HALT ? (enum evm_outcome)((int)end - (int)END_HALT) : EVM_SUCCESS,
	    .stack = f->stack,
	    .stack_count = goes_on ? (size_t)(r->sp - f->stack) : 0,
	};
	if (step_end.outcome > EVM_REVERT) note_fault(evm, f, step_end.outcome);
	evm->tracer->step_end(evm->tracer->context, &step_end);
}

enum op_end dispatch_switch(struct evm *evm, struct frame *f) {
	struct registers r = {f->pc, f->sp, f->gas};
	const u256 *const base = f->stack;
	const bool traced = evm->tracer != NULL && evm->tracer->step != NULL;
	const bool traced_after = traced && evm->tracer->step_end != NULL;
	int64_t before = 0;
	enum op_end end;

	for (;;) {
		before = r.gas;
		if (traced && evm_is_interrupted(evm)) {
			evm->failure = STATUS_TIMEOUT;
			end = END_FAILED;
			goto leave;
		}
		if (traced) trace_step(evm, f, &r);
		switch (*r.pc) {
#define CASE(opcode, name, pops, pushes, gas, fork)                                                                    \
	case opcode: {                                                                                                 \
		INSTRUCTION(name, pops, pushes, gas, fork)                                                             \
		break;                                                                                                 \
	}
			OPCODE_LIST(CASE)
		default:
			r.pc++; /* as INVALID, which they are to the other one */
			STOP_WITH(EVM_BAD_OPCODE);
		}
		if (traced_after) trace_step_end(evm, f, &r, before, END_NEXT);
	}

leave:
	f->pc = r.pc;
	f->sp = r.sp;
	f->gas = r.gas;
	if (traced_after && end != END_FAILED) trace_step_end(evm, f, &r, before, end);
	return end;
}
