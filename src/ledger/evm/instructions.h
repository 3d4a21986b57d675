/*
 * All instructions, and what every one of them goes through: INSTRUCTION is the body of one case or label of a
 * dispatcher, made from the opcode's row. All but the comparisons that a row needs fold away. The dispatcher defines
 * the label `leave` and names its locals evm, f, r, base and end.
 */
#ifndef LEDGER_EVM_INSTRUCTIONS_H
#define LEDGER_EVM_INSTRUCTIONS_H

#include "ledger/evm/op_arithmetic.h"
#include "ledger/evm/op_bitwise.h"
#include "ledger/evm/op_control.h"
#include "ledger/evm/op_environment.h"
#include "ledger/evm/op_memory.h"
#include "ledger/evm/op_stack.h"
#include "ledger/evm/op_world.h"

#define RARELY(condition) __builtin_expect(!!(condition), 0)

#define STOP_WITH(outcome)                                                                                             \
	do {                                                                                                           \
		end = op_halt(outcome);                                                                                \
		goto leave;                                                                                            \
	} while (0)

#define INSTRUCTION(name, pops, pushes, cost, fork_name)                                                               \
	if (FORK_##fork_name > FORK_FRONTIER && RARELY(evm->fork < FORK_##fork_name)) STOP_WITH(EVM_BAD_OPCODE);       \
	if ((pops) > 0 && RARELY(r.sp - base < (pops))) STOP_WITH(EVM_STACK_UNDERFLOW);                                \
	if ((pushes) > (pops) && RARELY(r.sp - base > STACK_MAX - ((pushes) - (pops)))) STOP_WITH(EVM_STACK_OVERFLOW); \
	if ((cost) > 0 && RARELY((r.gas -= (cost)) < 0)) STOP_WITH(EVM_OUT_OF_GAS);                                    \
	end = op_##name(evm, f, &r);                                                                                   \
	r.sp += (pushes) - (pops);                                                                                     \
	r.pc++;                                                                                                        \
	if (RARELY(end != END_NEXT)) goto leave;

#endif
