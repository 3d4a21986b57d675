#include "fuzz/differ/counts.h"

#include "ledger/evm/opcodes.h"
#include "ledger/evm/precompiles.h"

void counts_add(
    struct counts *counts, enum fork fork, const struct transaction *tx, const struct exec_tx_result *result) {
	counts->transactions++;
	counts->forks[fork]++;
	counts->types[tx->type]++;
	counts->verdicts[result->verdict]++;
	if (result->verdict == TX_VERDICT_OK) counts->outcomes[result->outcome]++;
}

static void on_step(void *context, const struct evm_step *step) {
	struct counts *counts = context;
	counts->opcode = step->opcode;
	counts->steps[step->opcode]++;
}

static void on_step_end(void *context, const struct evm_step_end *end) {
	struct counts *counts = context;
	if (!end->is_over || end->outcome == EVM_SUCCESS || end->outcome == EVM_REVERT)
		counts->steps_done[counts->opcode]++;
}

static void on_leave(void *context, const struct evm_message *message, const struct evm_result *result) {
	struct counts *counts = context;
	const struct precompile *precompile = precompile_find(FORK_COUNT - 1, &message->code_address);
	if (message->depth > 0) counts->call_outcomes[result->outcome]++;
	if (message->depth > counts->depth_max) counts->depth_max = message->depth;
	if (precompile == NULL || message->kind == EVM_CREATE || message->kind == EVM_CREATE2) return;
	const size_t index =
	    precompile->address < COUNTED_PRECOMPILES ? precompile->address - 1u : COUNTED_PRECOMPILES - 1;
	counts->precompiles[index][result->outcome == EVM_SUCCESS]++;
}

struct evm_tracer counts_tracer(struct counts *counts) {
	return (struct evm_tracer){.step = on_step, .step_end = on_step_end, .leave = on_leave, .context = counts};
}

static void print_row(FILE *out, const char *name, uint64_t count, uint64_t whole) {
	if (count > 0)
		fprintf(out, "  %-55s %12llu  %6.2f %%\n", name, (unsigned long long)count,
		    100.0 * (double)count / (double)whole);
}

static void print_opcodes(const struct counts *counts, FILE *out) {
	fprintf(out, "opcodes, in %llu watched transactions: begun, ended without a fault\n",
	    (unsigned long long)counts->watched);
	for (unsigned i = 0; i < 256; i++) {
		if (opcode_table[i].name == NULL) continue;
		fprintf(out, "  %-14s %12llu %12llu%s\n", opcode_table[i].name, (unsigned long long)counts->steps[i],
		    (unsigned long long)counts->steps_done[i],
		    counts->steps_done[i] == 0 && i != OP_INVALID ? "  never" : "");
	}
	fprintf(out, "precompiles: refused, accepted\n");
	for (unsigned i = 0; i < COUNTED_PRECOMPILES; i++)
		fprintf(out, "  0x%02x %12llu %12llu\n", i + 1 < COUNTED_PRECOMPILES ? i + 1 : 256,
		    (unsigned long long)counts->precompiles[i][0], (unsigned long long)counts->precompiles[i][1]);
}

void counts_print(const struct counts *counts, FILE *out) {
	static const char *const types[] = {"legacy", "access list", "dynamic fee", "blob", "set code"};
	const uint64_t whole = counts->transactions > 0 ? counts->transactions : 1;
	fprintf(out, "%llu cases, %llu transactions\nforks\n", (unsigned long long)counts->cases,
	    (unsigned long long)counts->transactions);
	for (int i = 0; i < FORK_COUNT; i++) print_row(out, fork_name((enum fork)i), counts->forks[i], whole);
	fprintf(out, "types\n");
	for (int i = 0; i <= TX_SET_CODE; i++) print_row(out, types[i], counts->types[i], whole);
	fprintf(out, "refused\n");
	for (int i = 1; i < TX_VERDICT_COUNT; i++)
		print_row(out, tx_verdict_text((enum tx_verdict)i), counts->verdicts[i], whole);
	fprintf(out, "executed\n");
	for (int i = 0; i < EVM_OUTCOME_COUNT; i++)
		print_row(out, evm_outcome_text((enum evm_outcome)i), counts->outcomes[i], whole);
	uint64_t calls = 1;
	for (int i = 0; i < EVM_OUTCOME_COUNT; i++) calls += counts->call_outcomes[i];
	fprintf(out, "calls and creations inside, where watched; the deepest at %llu\n",
	    (unsigned long long)counts->depth_max);
	for (int i = 0; i < EVM_OUTCOME_COUNT; i++)
		print_row(out, evm_outcome_text((enum evm_outcome)i), counts->call_outcomes[i], calls);
	print_opcodes(counts, out);
}
