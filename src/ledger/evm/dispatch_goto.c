/* Production's dispatcher: every instruction ends in a jump of its own, which the processor learns to predict by what
 * came before it. (meson.build has the flags that keep the compiler from merging those jumps again.) */
#include "ledger/evm/instructions.h"

enum op_end dispatch_goto(struct evm *evm, struct frame *f) {
#define LABEL_ENTRY(opcode, name, pops, pushes, gas, fork) [opcode] = &&label_##name,
	__extension__ static const void *const labels[256] = {[0 ... 255] = &&label_INVALID, OPCODE_LIST(LABEL_ENTRY)};
	struct registers r = {f->pc, f->sp, f->gas};
	const u256 *const base = f->stack;
	enum op_end end;

	__extension__({ goto *labels[*r.pc]; });
#define LABEL(opcode, name, pops, pushes, gas, fork)                                                                   \
	label_##name : INSTRUCTION(name, pops, pushes, gas, fork) __extension__({ goto *labels[*r.pc]; });
	OPCODE_LIST(LABEL)

leave:
	f->pc = r.pc;
	f->sp = r.sp;
	f->gas = r.gas;
	return end;
}
