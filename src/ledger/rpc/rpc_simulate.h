/* eth_simulateV1: what its two files share. Internal to rpc/. */
#ifndef LEDGER_RPC_SIMULATE_H
#define LEDGER_RPC_SIMULATE_H

#include "ledger/rpc/rpc_run.h"

/* A log as it is shown; transfers of ether too, where they are traced. */
struct sim_log {
	struct sim_log *next;
	uint32_t index; /* in the block */
	struct log log;
};

struct sim_call {
	enum evm_outcome outcome;
	uint64_t gas_used, peak_gas;
	struct bytes output; /* where it succeeded or reverted */
	const char *failure; /* else, in words */
	struct sim_log *logs;
};

struct simulation {
	struct rpc_call *call;
	bool trace_transfers, strict, full, omits_root;
	uint64_t gas_left; /* of the cap on one request */
	size_t kept_bytes;
	/* Of the blocks so far: for BLOCKHASH. */
	uint64_t first_number;
	hash32 *hashes;
	size_t hash_count;
	struct exec_block_hashes older;
};

/* One simulated block on its way. */
struct sim_block {
	const struct json *calls; /* an array, or NULL */
	const struct json *header_json, *overrides_json;
	uint64_t number, timestamp;
	struct exec_rules rules;
	struct rpc_block_override override;
	uint32_t log_count;     /* of all calls, those too that were undone: geth counts so */
	struct rpc_block block; /* header, transactions and, in its receipts, their senders */
	struct sim_call *results;
};

/* Runs the block's calls as its transactions (rpc_simulate_calls.c). */
MUST_USE enum status sim_run_calls(struct simulation *sim, struct sim_block *block);
void sim_write_calls(struct simulation *sim, const struct sim_block *block);

#endif
