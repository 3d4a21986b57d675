/* Why code failed, in geth's words. */
#include "ledger/evm/opcodes.h"
#include "ledger/rpc/rpc_run.h"

#define CODE_BYTES_MAX 24576u /* EIP-170 */

const char *rpc_opcode_name(struct arena *arena, enum fork fork, uint8_t opcode) {
	const struct opcode_info *info = &opcode_table[opcode];
	if (info->name != NULL && info->since <= fork) return info->name;
	return arena_printf(arena, "opcode 0x%x not defined", opcode);
}

/* geth finds these while it reckons a price, and says so; LOG and TSTORE run first. */
static bool is_found_by_price(uint8_t opcode) {
	return opcode == OP_SSTORE || opcode == OP_CALL || opcode == OP_CREATE || opcode == OP_CREATE2 ||
	       opcode == OP_SELFDESTRUCT;
}

const char *rpc_fault_text(const struct rpc_call *call, enum fork fork, enum evm_outcome outcome) {
	struct arena *arena = call->arena;
	const struct evm_fault fault = evm_last_fault(executor_evm(call->worker->executor));
	if (outcome == EVM_PRECOMPILE_FAILURE) return fault.refusal;
	if (outcome == EVM_BAD_OPCODE)
		return arena_printf(arena, "invalid opcode: %s", rpc_opcode_name(arena, fork, fault.opcode));
	if (outcome == EVM_STACK_UNDERFLOW)
		return arena_printf(arena, "stack underflow (%zu <=> %u)", fault.stack_count,
		    (unsigned)opcode_table[fault.opcode].pops);
	if (outcome == EVM_STACK_OVERFLOW)
		return arena_printf(arena, "stack limit reached %zu (1023)", fault.stack_count);
	if (outcome == EVM_CODE_TOO_LARGE)
		return arena_printf(
		    arena, "max code size exceeded: code size %zu limit %u", fault.code_bytes, CODE_BYTES_MAX);
	if (outcome == EVM_INIT_CODE_TOO_LARGE)
		return arena_printf(arena, "out of gas: max initcode size exceeded: code size %zu limit %u",
		    fault.code_bytes, 2 * CODE_BYTES_MAX);
	if (outcome == EVM_STATIC_VIOLATION && is_found_by_price(fault.opcode)) return "out of gas: write protection";
	return evm_outcome_text(outcome);
}
