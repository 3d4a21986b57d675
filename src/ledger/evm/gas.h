/*
 * What gas costs, as far as opcodes.h does not say: costs that forks changed, and costs that grow with operands.
 *
 * Sources: Yellow Paper app. G; EIP-150, 160, 170, 1283, 1884, 2200, 2929, 3529, 3860, 7702.
 * Threads: pure.
 */
#ifndef LEDGER_EVM_GAS_H
#define LEDGER_EVM_GAS_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/evm/fork.h"

/* One row a fork. Since Berlin, account and slot reads cost by warmth (GAS_WARM, GAS_COLD_*), and those columns are not
 * used. */
struct fork_costs {
	/* Reading accounts, by instruction. */
	int32_t balance, extcode, extcodehash, call;
	int32_t sload;
	int32_t selfdestruct;
	int32_t exp_byte;
	/* SSTORE. `net`: metered against the value at the start of the transaction (EIP-1283, 2200); `sentry`: refused
	 * with 2,300 gas or less (EIP-2200). */
	bool net, sentry;
	int32_t sstore_noop, sstore_set, sstore_reset;
	int32_t clear_refund;
	int32_t selfdestruct_refund;
};

extern const struct fork_costs fork_costs[FORK_COUNT];

enum {
	GAS_WARM = 100, /* EIP-2929 */
	GAS_COLD_ACCOUNT = 2600,
	GAS_COLD_SLOT = 2100,
	GAS_MEMORY_WORD = 3,
	GAS_COPY_WORD = 3,
	GAS_KECCAK_WORD = 6,
	GAS_INIT_CODE_WORD = 2, /* EIP-3860 */
	GAS_LOG_BYTE = 8,
	GAS_CALL_VALUE = 9000,
	GAS_CALL_STIPEND = 2300,
	GAS_NEW_ACCOUNT = 25000,
	GAS_CODE_BYTE = 200, /* deposited */
};

enum {
	CODE_BYTES_MAX = 24576,      /* EIP-170 */
	INIT_CODE_BYTES_MAX = 49152, /* EIP-3860 */
	CALL_DEPTH_MAX = 1024,
};

static inline uint64_t gas_words(uint64_t bytes) {
	return (bytes + 31) / 32;
}

/* What memory of so many words costs in all; words < 2^32. */
static inline int64_t gas_memory(uint64_t words) {
	return (int64_t)(GAS_MEMORY_WORD * words + words * words / 512);
}

#endif
