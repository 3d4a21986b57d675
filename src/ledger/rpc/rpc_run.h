/*
 * Running code for a call: overrides, the executor, and the errors of what did not succeed.
 * Internal to rpc/.
 */
#ifndef LEDGER_RPC_RPC_RUN_H
#define LEDGER_RPC_RPC_RUN_H

#include "ledger/rpc/rpc_chain.h"

/* An account or slot that differs from the committed state for one call (rpc_override.c). NULL for no object. */
struct rpc_overrides;
MUST_USE enum status rpc_overrides_parse(
    struct rpc_call *call, struct rpc_overrides **out, const struct json *object, size_t index);
struct state_source rpc_overrides_source(struct rpc_overrides *overrides, const struct state_source *base);
/* What becomes of precompiles that are overridden or moved; in the arena. */
MUST_USE enum status rpc_overrides_moves(struct rpc_call *call, const struct rpc_overrides *overrides, enum fork fork,
    struct evm_precompile_move **out, size_t *count);
/* Writes them into a state, as one transaction. NULL: nothing. */
MUST_USE enum status rpc_overrides_apply(const struct rpc_overrides *overrides, struct state *state);
/* What is overridden of a block beside its header. */
struct rpc_block_override {
	bool has_blob_base_fee, has_beacon_root, has_withdrawals;
	u256 blob_base_fee_wei;
	hash32 beacon_root;
	struct withdrawal *withdrawals; /* in the arena */
	size_t withdrawal_count;
};
/* Changes the header that a call sees; nothing for no object. `difficulty` has no effect since the merge, as in geth.
 */
MUST_USE enum status rpc_override_block(struct rpc_call *call, struct rpc_block_override *out, struct header *header,
    const struct json *object, size_t index);
/* An array of withdrawals (EIP-4895) with all their members; in the arena. */
MUST_USE enum status rpc_withdrawals_of(
    struct rpc_call *call, struct withdrawal **out, size_t *count, const struct json *list, size_t index);

/* Makes the worker's state and executor ready for a block on `source`, which is copied; `opens_block`: with the system
 * calls that open one, which a state after its block has behind it. */
MUST_USE enum status rpc_executor_begin(struct rpc_call *call, const struct state_source *source,
    const struct exec_rules *rules, const struct header *header, bool opens_block);

/* What geth says around the reason why a transaction cannot run. */
enum rpc_verdict_form { RPC_VERDICT_OF_CALL, RPC_VERDICT_OF_ESTIMATE, RPC_VERDICT_ALONE };

/* What a call runs on: parameter `first + 1` names the block, those behind it override. Close it after the last run. */
struct rpc_run {
	struct rpc_state state;
	struct header header; /* as the call sees it */
	struct exec_rules rules;
	struct rpc_tx_args args;
	enum rpc_verdict_form form;
};
/* Parses parameters 0 to 3 and makes the worker's state and executor ready. */
MUST_USE enum status rpc_run_open(struct rpc_call *call, struct rpc_run *run);
void rpc_run_close(struct rpc_run *run);
/* The same for what will become a transaction: if no block is named, in the one that would come next. */
MUST_USE enum status rpc_run_open_to_send(struct rpc_call *call, struct rpc_run *run);
/* So for a transaction made elsewhere. */
MUST_USE enum status rpc_run_open_next(struct rpc_call *call, struct rpc_run *run, const struct rpc_tx_args *args);
/* Runs once and undoes it. The output stands in the worker's machine until the next run. */
MUST_USE enum status rpc_run_once(
    struct rpc_call *call, struct exec_tx_result *result, const struct transaction *tx, const addr20 *from);
/* The same with a tracer's config object in parameter 2, which holds the overrides. */
MUST_USE enum status rpc_run_open_traced(struct rpc_call *call, struct rpc_run *run);
/* The text inside Error(string) or Panic(uint256) (Solidity ABI), or empty; `panic` is where the latter is made. */
#define RPC_PANIC_TEXT_BYTES 96
struct bytes rpc_revert_reason(struct bytes output, char panic[RPC_PANIC_TEXT_BYTES]);
/* "execution reverted", and the reason. */
void rpc_put_revert(struct buf *out, struct bytes output);
/* The error of a transaction that cannot run, with who and how much (rpc_verdict.c). The state is as it found it. */
struct rpc_failed_tx {
	const struct transaction *tx;
	const addr20 *from;
	const struct header *header; /* of its block */
	enum fork fork;
	enum rpc_verdict_form form;
};
enum status rpc_fail_verdict(
    struct rpc_call *call, int code, enum tx_verdict verdict, const struct rpc_failed_tx *failed);
/* Why the message that failed last in the worker's machine failed, in geth's words (rpc_fault.c). */
const char *rpc_fault_text(const struct rpc_call *call, enum fork fork, enum evm_outcome outcome);
/* "SLOAD", or "opcode 0x1f not defined". */
const char *rpc_opcode_name(struct arena *arena, enum fork fork, uint8_t opcode);
/* The error of a call that did not succeed (a verdict, a revert, a fault of the machine). */
enum status rpc_fail_run(struct rpc_call *call, const struct exec_tx_result *result, const struct rpc_run *run);
/* rpc_estimate.c */
MUST_USE enum status rpc_estimate(struct rpc_call *call, uint64_t *gas, struct rpc_run *run);

#endif
