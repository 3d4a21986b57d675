/*
 * The Ethereum virtual machine (Yellow Paper §9, up to the Osaka fork): a pure interpreter with the message calls and
 * creations that it makes. Gas, stack and cost facts come from one opcode table (opcodes.h).
 *
 * Two dispatchers share the same instruction bodies: computed goto (production) and a switch (reference, sanitizers,
 * tracing); a differential test holds them together.
 *
 * Memory: a `struct evm` owns a slab of 1025 frames and one memory buffer, made once; nothing is allocated while it
 * runs, but for that buffer's growth, which gas bounds. Threads: one owner a `struct evm`; several may run side by side
 * over different hosts.
 */
#ifndef LEDGER_EVM_EVM_H
#define LEDGER_EVM_EVM_H

#include "ledger/evm/fork.h"
#include "ledger/evm/host.h"

struct evm_block_env {
	addr20 coinbase;
	uint64_t number;
	uint64_t timestamp; /* seconds */
	uint64_t gas_limit;
	u256 difficulty; /* before the merge */
	hash32 randao;   /* since */
	u256 base_fee_wei;
	u256 blob_base_fee_wei;
	u256 chain_id;
};

struct evm_tx_env {
	addr20 origin;
	u256 gas_price_wei;
	const hash32 *blob_hashes;
	size_t blob_count;
};

enum evm_call_kind { EVM_CALL, EVM_DELEGATECALL, EVM_CALLCODE, EVM_STATICCALL, EVM_CREATE, EVM_CREATE2 };

struct evm_message {
	enum evm_call_kind kind;
	bool is_static;
	uint16_t depth; /* 0 for what a transaction starts */
	uint64_t gas;
	addr20 sender;       /* CALLER */
	addr20 recipient;    /* ADDRESS; for creations filled by the machine */
	addr20 code_address; /* where the code comes from */
	u256 value_wei;      /* CALLVALUE; moved for EVM_CALL and creations */
	struct bytes input;  /* call data, or init code */
	hash32 salt;         /* EVM_CREATE2 */
};

enum evm_outcome {
	EVM_SUCCESS,
	EVM_REVERT,
	EVM_OUT_OF_GAS,
	EVM_GAS_OVERFLOW,    /* memory whose size 64 bits do not count */
	EVM_MEMORY_OVERFLOW, /* memory whose price they do not count */
	EVM_SSTORE_SENTRY,   /* EIP-2200 asks for more gas than SSTORE takes */
	EVM_STACK_UNDERFLOW,
	EVM_STACK_OVERFLOW,
	EVM_BAD_JUMP,
	EVM_BAD_OPCODE,
	EVM_STATIC_VIOLATION,
	EVM_RETURN_DATA_OUT_OF_BOUNDS,
	EVM_CALL_DEPTH,
	EVM_INSUFFICIENT_BALANCE,
	EVM_CREATE_COLLISION,
	EVM_CODE_TOO_LARGE,
	EVM_INIT_CODE_TOO_LARGE,
	EVM_CODE_STARTS_WITH_EF,
	EVM_NONCE_OVERFLOW,
	EVM_PRECOMPILE_FAILURE,
	EVM_OUTCOME_COUNT
};
/* In geth's words ("out of gas", "execution reverted", …), for tracers and JSON-RPC. */
const char *evm_outcome_text(enum evm_outcome outcome);

struct evm_result {
	enum evm_outcome outcome;
	uint64_t gas_left;
	int64_t refund_gas;  /* not yet capped; zero unless EVM_SUCCESS */
	struct bytes output; /* valid until the machine runs again */
	addr20 created;      /* for creations that succeeded */
};

/* One instruction about to run. */
struct evm_step {
	uint64_t pc;
	uint8_t opcode;
	uint16_t depth;
	uint64_t gas;
	const u256 *stack; /* bottom first */
	size_t stack_count;
	struct bytes memory;
	struct bytes return_data;
	const struct evm_message *message;
	int64_t refund_gas;
};

/* How the instruction of the last step went; before what it calls begins. */
struct evm_step_end {
	uint64_t cost_gas;        /* all that it took: a call's with what it passed on, a creation's without */
	int64_t refund_gas;       /* the counter, after it */
	bool is_over;             /* the frame ends here, */
	enum evm_outcome outcome; /* like this (a creation's code is not deposited yet) */
	const u256 *stack;        /* after it, bottom first; empty if the frame ends or calls */
	size_t stack_count;
};

/* Watches a run; every member may be NULL. Views are valid during the call. */
struct evm_tracer {
	void (*step)(void *context, const struct evm_step *step);
	void (*step_end)(void *context, const struct evm_step_end *end); /* once after each step; needs `step` */
	void (*enter)(void *context, const struct evm_message *message);
	void (*leave)(void *context, const struct evm_message *message, const struct evm_result *result);
	/* SELFDESTRUCT, before the balance moves. */
	void (*selfdestruct)(void *context, const addr20 *self, const addr20 *heir, const u256 *wei);
	void (*log)(void *context, const struct log *log); /* may yet be undone */
	void *context;
};

struct evm;
struct evm *evm_new(void);
void evm_free(struct evm *evm);

/* For the blocks and transactions that follow; all views must outlive the runs. `tracer` NULL: none, and full speed. */
void evm_set_block(struct evm *evm, enum fork fork, const struct evm_block_env *block);
void evm_set_tx(struct evm *evm, const struct evm_tx_env *tx);
void evm_set_host(struct evm *evm, const struct evm_host *host, void *context);
void evm_set_tracer(struct evm *evm, const struct evm_tracer *tracer);
/* Simulations: at `at` acts the precompile of `as`, or none; the last entry of an address counts. Borrowed; NULL and 0
 * end it. */
struct evm_precompile_move {
	addr20 at, as;
	bool is_none;
};
void evm_set_precompile_moves(struct evm *evm, const struct evm_precompile_move *moves, size_t count);
/* Calls that nobody pays for: asked where a message begins, and under a tracer before each instruction; true ends the
 * run with STATUS_TIMEOUT. Between two questions gas bounds the time. Borrowed; NULL: never asked. */
struct evm_interrupt {
	bool (*is_due)(void *context);
	void *context;
};
void evm_set_interrupt(struct evm *evm, const struct evm_interrupt *interrupt);
/* Tests: use the switch dispatcher even without a tracer. */
void evm_set_reference_dispatch(struct evm *evm, bool reference);

/*
 * Runs one message to its end: value transfer, precompiles, EIP-7702 delegation, nested calls, code deposit. The
 * sender's nonce (for creations by a transaction) was already raised by the caller. On a verdict other than
 * EVM_SUCCESS, the host is back at where it was. A status other than STATUS_OK: the host failed; the block must be
 * given up. What is warm from the start (EIP-2929, 3651: sender, recipient, precompiles, coinbase, access list) is the
 * caller's to say through the host; a transaction's designated code is warmed here (EIP-7702). Gas above 2^63 - 1
 * counts as that (EIP-1985). A code deposit's output is the code.
 */
MUST_USE enum status evm_execute(struct evm *evm, struct evm_result *result, const struct evm_message *message);

/* Of the message that failed last, so of the run's own after it: what words say of it. */
struct evm_fault {
	uint8_t opcode;      /* EVM_BAD_OPCODE, EVM_STACK_*, EVM_STATIC_VIOLATION: which */
	size_t stack_count;  /* EVM_STACK_*: words that it found */
	size_t code_bytes;   /* EVM_CODE_TOO_LARGE, EVM_INIT_CODE_TOO_LARGE: how large */
	const char *refusal; /* EVM_PRECOMPILE_FAILURE: why; static */
};
struct evm_fault evm_last_fault(const struct evm *evm);

/* The bitmap for struct evm_code: (len + 63) / 64 words. */
void evm_analyse_jumpdests(uint64_t *bitmap, struct bytes code);

#endif
