/* Why code failed, in geth's words. */
#include "ledger/evm/opcodes.h"
#include "ledger/rpc/rpc_run.h"

#define CODE_BYTES_MAX 24576u /* EIP-170 */

const char *rpc_opcode_name(struct arena *arena, enum fork fork, uint8_t opcode) {
	const struct opcode_info *info = &opcode_table[opcode];
	if (info->name != NULL && info->since <= fork) return info->name;
	return arena_printf(arena, "opcode 0x%x not defined", opcode);
}

const char *rpc_fault_text(
    struct arena *arena, enum fork fork, enum evm_outcome outcome, const struct evm_fault *fault) {
	if (outcome == EVM_BAD_OPCODE)
		return arena_printf(arena, "invalid opcode: %s", rpc_opcode_name(arena, fork, fault->opcode));
	if (outcome == EVM_STACK_UNDERFLOW)
		return arena_printf(arena, "stack underflow (%zu <=> %u)", fault->stack_count,
		    (unsigned)opcode_table[fault->opcode].pops);
	if (outcome == EVM_STACK_OVERFLOW)
		return arena_printf(arena, "stack limit reached %zu (1023)", fault->stack_count);
	if (outcome == EVM_CODE_TOO_LARGE && fault->code_bytes > 0)
		return arena_printf(
		    arena, "max code size exceeded: code size %zu limit %u", fault->code_bytes, CODE_BYTES_MAX);
	if (outcome == EVM_OUT_OF_GAS && fault->is_over_64_bits) return "gas uint64 overflow";
	return evm_outcome_text(outcome);
}

const char *rpc_run_fault_text(struct rpc_call *call, enum fork fork, enum evm_outcome outcome) {
	const bool is_of_code = outcome == EVM_BAD_OPCODE || outcome == EVM_STACK_UNDERFLOW ||
				outcome == EVM_STACK_OVERFLOW || outcome == EVM_CODE_TOO_LARGE ||
				outcome == EVM_OUT_OF_GAS;
	if (!is_of_code) return evm_outcome_text(outcome);
	const struct evm_fault fault = evm_last_fault(executor_evm(call->worker->executor));
	return rpc_fault_text(call->arena, fork, outcome, &fault);
}
