/* The reference dispatcher: a switch in a loop, which every tool understands; and the only one that tells a tracer of
 * its steps. */
#include "ledger/evm/instructions.h"

/* As far as it is known before the instruction looks at the world: since Berlin, account and slot reads as if warm. */
static uint64_t known_cost(const struct evm *evm, uint8_t opcode) {
	const bool by_warmth = evm->fork >= FORK_BERLIN;
	int32_t cost = opcode_table[opcode].gas;
	if (opcode == OP_BALANCE) cost += by_warmth ? GAS_WARM : evm->costs->balance;
	if (opcode == OP_EXTCODESIZE || opcode == OP_EXTCODECOPY) cost += by_warmth ? GAS_WARM : evm->costs->extcode;
	if (opcode == OP_EXTCODEHASH) cost += by_warmth ? GAS_WARM : evm->costs->extcodehash;
	if (opcode == OP_CALL || opcode == OP_CALLCODE || opcode == OP_DELEGATECALL || opcode == OP_STATICCALL)
		cost += by_warmth ? GAS_WARM : evm->costs->call;
	if (opcode == OP_SLOAD) cost += by_warmth ? GAS_WARM : evm->costs->sload;
	if (opcode == OP_SSTORE) cost += evm->costs->sstore_noop;
	if (opcode == OP_SELFDESTRUCT) cost += evm->costs->selfdestruct;
	return (uint64_t)cost;
}

static void trace_step(struct evm *evm, const struct frame *f, const struct registers *r) {
	const struct evm_step step = {
	    .pc = (uint64_t)(r->pc - f->code),
	    .opcode = *r->pc,
	    .depth = f->message.depth,
	    .gas = (uint64_t)r->gas,
	    .cost_gas = known_cost(evm, *r->pc),
	    .stack = f->stack,
	    .stack_count = (size_t)(r->sp - f->stack),
	    .memory = bytes_make(f->memory, f->memory_size),
	    .return_data = buf_view(&evm->return_data),
	    .message = &f->message,
	    .refund_gas = evm->refund,
	};
	evm->tracer->step(evm->tracer->context, &step);
}

enum op_end dispatch_switch(struct evm *evm, struct frame *f) {
	struct registers r = {f->pc, f->sp, f->gas};
	const u256 *const base = f->stack;
	const bool traced = evm->tracer != NULL && evm->tracer->step != NULL;
	enum op_end end;

	for (;;) {
		if (traced) trace_step(evm, f, &r);
		switch (*r.pc) {
#define CASE(opcode, name, pops, pushes, gas, fork)                                                                    \
	case opcode: {                                                                                                 \
		INSTRUCTION(name, pops, pushes, gas, fork)                                                             \
		break;                                                                                                 \
	}
			OPCODE_LIST(CASE)
		default: STOP_WITH(EVM_BAD_OPCODE);
		}
	}

leave:
	f->pc = r.pc;
	f->sp = r.sp;
	f->gas = r.gas;
	return end;
}
