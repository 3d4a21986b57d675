#include "ledger/evm/gas.h"

#include <stddef.h>

#include "ledger/evm/opcodes.h"

#define OPCODE_INFO(opcode, name, pops, pushes, gas, fork) [opcode] = {#name, pops, pushes, gas, FORK_##fork},
/* Held while compiling: no row asks for more words than any instruction moves, or for a fork that is not there. */
#define OPCODE_CHECK(opcode, name, pops, pushes, gas, fork)                                                            \
	_Static_assert((opcode) < 256 && (pops) <= 17 && (pushes) <= 17, #name ": opcode or words");                   \
	_Static_assert((pushes) <= (pops) + 1, #name ": an instruction adds one word at most");                        \
	_Static_assert((gas) <= 32000 && FORK_##fork < FORK_COUNT, #name ": gas or fork");
OPCODE_LIST(OPCODE_CHECK)

const struct opcode_info opcode_table[256] = {OPCODE_LIST(OPCODE_INFO)};
#undef OPCODE_INFO

// clang-format off
#define SSTORE_PLAIN     .sstore_noop =  5000, .sstore_set = 20000, .sstore_reset = 5000, .clear_refund = 15000
#define SSTORE_EIP1283   .net = true,                 .sstore_noop = 200, .sstore_set = 20000, .sstore_reset = 5000, .clear_refund = 15000
#define SSTORE_EIP2200   .net = true, .sentry = true, .sstore_noop = 800, .sstore_set = 20000, .sstore_reset = 5000, .clear_refund = 15000
#define SSTORE_EIP2929   .net = true, .sentry = true, .sstore_noop = 100, .sstore_set = 20000, .sstore_reset = 2900, .clear_refund = 15000
#define SSTORE_EIP3529   .net = true, .sentry = true, .sstore_noop = 100, .sstore_set = 20000, .sstore_reset = 2900, .clear_refund = 4800

#define READS_FRONTIER   .balance =  20, .extcode =  20, .extcodehash =   0, .call =  40, .sload =  50
#define READS_EIP150     .balance = 400, .extcode = 700, .extcodehash = 400, .call = 700, .sload = 200
#define READS_EIP1884    .balance = 700, .extcode = 700, .extcodehash = 700, .call = 700, .sload = 800

#define LONDON {SSTORE_EIP3529, .selfdestruct = 5000, .exp_byte = 50}

const struct fork_costs fork_costs[FORK_COUNT] = {
	[FORK_FRONTIER]       = {READS_FRONTIER, SSTORE_PLAIN,   .selfdestruct =    0, .exp_byte = 10, .selfdestruct_refund = 24000},
	[FORK_HOMESTEAD]      = {READS_FRONTIER, SSTORE_PLAIN,   .selfdestruct =    0, .exp_byte = 10, .selfdestruct_refund = 24000},
	[FORK_TANGERINE]      = {READS_EIP150,   SSTORE_PLAIN,   .selfdestruct = 5000, .exp_byte = 10, .selfdestruct_refund = 24000},
	[FORK_SPURIOUS]       = {READS_EIP150,   SSTORE_PLAIN,   .selfdestruct = 5000, .exp_byte = 50, .selfdestruct_refund = 24000},
	[FORK_BYZANTIUM]      = {READS_EIP150,   SSTORE_PLAIN,   .selfdestruct = 5000, .exp_byte = 50, .selfdestruct_refund = 24000},
	[FORK_CONSTANTINOPLE] = {READS_EIP150,   SSTORE_EIP1283, .selfdestruct = 5000, .exp_byte = 50, .selfdestruct_refund = 24000},
	[FORK_PETERSBURG]     = {READS_EIP150,   SSTORE_PLAIN,   .selfdestruct = 5000, .exp_byte = 50, .selfdestruct_refund = 24000},
	[FORK_ISTANBUL]       = {READS_EIP1884,  SSTORE_EIP2200, .selfdestruct = 5000, .exp_byte = 50, .selfdestruct_refund = 24000},
	[FORK_BERLIN]         = {SSTORE_EIP2929, .selfdestruct = 5000, .exp_byte = 50, .selfdestruct_refund = 24000},
	[FORK_LONDON]   = LONDON,
	[FORK_PARIS]    = LONDON,
	[FORK_SHANGHAI] = LONDON,
	[FORK_CANCUN]   = LONDON,
	[FORK_PRAGUE]   = LONDON,
	[FORK_OSAKA]    = LONDON,
};
// clang-format on
