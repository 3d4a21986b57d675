/*
 * Tracers of debug_trace*: each watches one transaction through the machine's hooks and writes one JSON value. Internal
 * to rpc/.
 *
 * A tracer's hooks may read the state; a failure there is kept in `failure` and ends the trace after the run. What
 * hooks keep is in the call's arena and bounded by the answer's size. Threads: those of the call.
 */
#ifndef LEDGER_RPC_TRACE_H
#define LEDGER_RPC_TRACE_H

#include "ledger/rpc/rpc_call.h"

struct tracer;

struct trace_options {
	const struct tracer *tracer;
	/* Of the opcode tracer. */
	bool no_stack, no_storage, with_memory, with_return_data;
	uint64_t limit; /* steps; 0: none */
	/* Of tracerConfig. */
	bool only_top_call, with_log;                  /* callTracer */
	bool diff_mode, no_code, no_slots, with_empty; /* prestateTracer */
};

/* One transaction under trace. */
struct trace {
	struct rpc_call *call;
	const struct trace_options *options;
	struct state *state;
	enum fork fork;
	addr20 coinbase;
	const struct transaction *tx;
	addr20 from;
	enum status failure;
	size_t kept_bytes; /* in the arena, of what a contract chooses the size of */
	struct evm_tracer hooks;
	void *own; /* the tracer's */
};

struct tracer {
	const char *name;
	/* Sets hooks (their context is the trace) and looks at the state before the transaction. */
	enum status (*begin)(struct trace *trace);
	/* Writes one value; the state is after the transaction. */
	enum status (*finish)(struct trace *trace, const struct exec_tx_result *result);
};
extern const struct tracer trace_opcodes, trace_calls, trace_prestate, trace_4byte, trace_nothing;

/* rpc_trace.c */

/* A copy in the arena; empty once the trace holds more than an answer may. */
struct bytes trace_keep(struct trace *trace, struct bytes data);
/* Why the frame that failed last did, in geth's words. */
const char *trace_error_text(const struct trace *trace, enum evm_outcome outcome);
/* "SLOAD", or "opcode 0x1f not defined". */
const char *trace_opcode_name(const struct trace *trace, uint8_t opcode);

#endif
