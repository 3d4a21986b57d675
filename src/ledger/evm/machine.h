/*
 * Inside the machine: what its parts share. Not for other rooms.
 *
 * A message runs in a frame; a frame that sends another message waits while the next frame runs (no C recursion).
 * Frames stand in one slab, touched lazily; their memories stand one behind the other in one reserve of address space,
 * so that nothing ever moves and a callee may read its input where its caller wrote it:
 *
 *     frame 0's memory | frame 1's memory | frame 2's init code, its jump destinations, its memory | …
 *
 * Gas is signed inside: it may be charged first and compared with zero after.
 */
#ifndef LEDGER_EVM_MACHINE_H
#define LEDGER_EVM_MACHINE_H

#include "base/mem.h"
#include "ledger/evm/evm.h"
#include "ledger/evm/gas.h"
#include "ledger/evm/opcodes.h"

#define STACK_MAX 1024
/* No offset or size above this can be paid for (it would cost 2^45 gas). */
#define MEMORY_OFFSET_MAX UINT32_MAX
/* The most memory whose price 64 bits count: its words squared are below 2^64. */
#define MEMORY_PRICED_MAX ((uint64_t)0x1fffffffe0)
/* Address space for the memories of one machine's frames. Filling it would cost over 34 billion gas; a frame that can
 * pay that is reported as out of gas all the same. */
#define MEMORY_RESERVE_BYTES ((size_t)4 << 30)

/* How an instruction ends. END_HALT + enum evm_outcome: the frame is over. */
enum op_end {
	END_NEXT,   /* go on */
	END_CALL,   /* the next frame's message was filled in: run that first */
	END_FAILED, /* the host failed, evm->failure says how */
	END_HALT,
};

static inline enum op_end op_halt(enum evm_outcome outcome) {
	return (enum op_end)((int)END_HALT + (int)outcome);
}

struct frame {
	const uint8_t *code;
	size_t code_len;
	const uint64_t *jumpdests;
	/* Where it stands whenever it does not run, and for instructions out of line. */
	const uint8_t *pc;
	u256 *sp; /* above the top */
	int64_t gas;
	uint8_t *memory;
	uint64_t memory_size;     /* bytes, whole words */
	uint64_t memory_size_max; /* what is left of the reserve */
	struct bytes output;      /* of RETURN and REVERT: in memory */
	/* Where the running callee's output goes. */
	uint64_t return_offset, return_size;
	/* At its start, for failing. */
	size_t snapshot;
	int64_t refund_before;
	enum evm_outcome outcome;
	struct evm_message message;
	_Alignas(64) u256 stack[STACK_MAX];
};

struct evm {
	enum fork fork;
	const struct fork_costs *costs;
	struct evm_block_env block;
	struct evm_tx_env tx;
	const struct evm_host *host;
	void *host_context;
	const struct evm_tracer *tracer;
	const struct evm_interrupt *interrupt;
	bool reference_dispatch;
	const struct evm_precompile_move *moves;
	size_t move_count;

	struct frame *frames;   /* CALL_DEPTH_MAX + 2: one for the message that is too deep */
	uint8_t *memory;        /* the reserve */
	struct buf return_data; /* of the message that ended last; RETURNDATA of the frame that runs */
	int64_t refund;
	enum status failure;    /* where END_FAILED */
	struct evm_fault fault; /* of the last run */
};

/* In an instruction: calls the host; leaves with END_FAILED where it fails. */
#define HOST(evm, function, ...) ((evm)->host->function((evm)->host_context __VA_OPT__(, ) __VA_ARGS__))
#define OP_TRY(evm, expression)                                                                                        \
	do {                                                                                                           \
		if (((evm)->failure = (expression)) != STATUS_OK) return END_FAILED;                                   \
	} while (0)
/* In an instruction: leaves if `expression`, an op_end, says so. */
#define OP_GO_ON(expression)                                                                                           \
	do {                                                                                                           \
		const enum op_end end_ = (expression);                                                                 \
		if (end_ != END_NEXT) return end_;                                                                     \
	} while (0)
/* In an instruction out of line: charges; leaves where gas is short. */
#define OP_CHARGE(frame, cost)                                                                                         \
	do {                                                                                                           \
		if (((frame)->gas -= (cost)) < 0) return op_halt(EVM_OUT_OF_GAS);                                      \
	} while (0)

static inline addr20 address_of_word(const u256 *word) {
	addr20 out;
	store_be32(out.b, (uint32_t)word->w[2]);
	store_be64(out.b + 4, word->w[1]);
	store_be64(out.b + 12, word->w[0]);
	return out;
}

static inline u256 word_of_address(const addr20 *address) {
	return (u256){{load_be64(address->b + 12), load_be64(address->b + 4), load_be32(address->b), 0}};
}

/*
 * Makes memory reach to `end` <= 2 * MEMORY_OFFSET_MAX, zeroed, and charges for it: returns the gas that is left,
 * negative where it is short. `end` is over what there is.
 */
int64_t memory_grow(struct frame *frame, uint64_t end, int64_t gas);

/* Why no gas pays for memory up to offset + size. */
enum op_end memory_unpayable(const u256 *offset, uint64_t size);

/*
 * For instructions out of line: charges for [offset, offset + size) in memory and makes it exist, or halts. Where
 * `size` is zero, `offset` is free to be anything, and the range is empty.
 */
enum op_end memory_range(
    struct frame *frame, uint64_t *offset, uint64_t *size, const u256 *offset_word, const u256 *size_word);

/* What reading an account costs; since Berlin it becomes warm, and before that it costs what its column says
 * (EIP-2929). */
int64_t account_access_cost(struct evm *evm, const addr20 *address, int32_t before_berlin);

static inline bool evm_is_interrupted(const struct evm *evm) {
	return evm->interrupt != NULL && evm->interrupt->is_due(evm->interrupt->context);
}

/* messages.c: a message starts, and ends. */

/* A frame's message was filled in. `*running` false: it is over already; frame->outcome, ->gas and the return data say
 * how. */
MUST_USE enum status message_begin(struct evm *evm, struct frame *frame, bool *running);
/* The frame's code has ended with `outcome`: deposits code, undoes what failed, leaves the return data. */
MUST_USE enum status message_end(struct evm *evm, struct frame *frame, enum evm_outcome outcome);

/* Says in evm->fault what words need of a frame whose code failed; its registers are up to date. */
void note_fault(struct evm *evm, const struct frame *frame, enum evm_outcome outcome);

/* EIP-7702: whether code designates another account's, and whose. */
bool code_is_delegation(addr20 *target, struct bytes code);

/* The dispatchers run a frame until it halts, calls, or the host fails. */
typedef enum op_end dispatcher(struct evm *evm, struct frame *frame);
dispatcher dispatch_goto;
dispatcher dispatch_switch;

#endif
