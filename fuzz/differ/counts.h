/*
 * What the cases reached: forks, types, verdicts, outcomes, and for the cases that are watched each opcode and each
 * precompile. Threads: one owner.
 */
#ifndef DIFFER_COUNTS_H
#define DIFFER_COUNTS_H

#include <stdio.h>

#include "ledger/exec/exec.h"

enum { COUNTED_PRECOMPILES = 18 }; /* 1 to 17, and 256 as the last */

struct counts {
	uint64_t cases, transactions, watched;
	uint64_t forks[FORK_COUNT], types[TX_SET_CODE + 1];
	uint64_t verdicts[TX_VERDICT_COUNT];
	uint64_t outcomes[EVM_OUTCOME_COUNT];         /* of transactions that stood */
	uint64_t call_outcomes[EVM_OUTCOME_COUNT];    /* of messages inside, where watched */
	uint64_t steps[256], steps_done[256];         /* begun; ended without a fault */
	uint64_t precompiles[COUNTED_PRECOMPILES][2]; /* refused, accepted */
	uint64_t depth_max;
	uint8_t opcode; /* of the step at hand */
};

void counts_add(
    struct counts *counts, enum fork fork, const struct transaction *tx, const struct exec_tx_result *result);
/* The watch; it slows the machine down. */
struct evm_tracer counts_tracer(struct counts *counts);
void counts_print(const struct counts *counts, FILE *out);

#endif
