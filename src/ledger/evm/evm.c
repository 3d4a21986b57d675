#include "ledger/evm/evm.h"

#include <sys/mman.h>

#include "ledger/evm/machine.h"

#define FRAME_COUNT (CALL_DEPTH_MAX + 2)

/* Address space that costs nothing until it is touched. */
static void *reserve(size_t size) {
	void *space = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	BUG_ON(space == MAP_FAILED);
	return space;
}

struct evm *evm_new(void) {
	struct evm *evm = mem_zalloc(1, sizeof *evm);
	evm->frames = reserve(FRAME_COUNT * sizeof *evm->frames);
	evm->memory = reserve(MEMORY_RESERVE_BYTES);
	buf_init(&evm->return_data, MEMORY_RESERVE_BYTES);
	return evm;
}

void evm_free(struct evm *evm) {
	if (evm == NULL) return;
	munmap(evm->frames, FRAME_COUNT * sizeof *evm->frames);
	munmap(evm->memory, MEMORY_RESERVE_BYTES);
	buf_fini(&evm->return_data);
	mem_free(evm);
}

void evm_set_block(struct evm *evm, enum fork fork, const struct evm_block_env *block) {
	BUG_ON((unsigned)fork >= FORK_COUNT);
	evm->fork = fork;
	evm->costs = &fork_costs[fork];
	evm->block = *block;
}

void evm_set_tx(struct evm *evm, const struct evm_tx_env *tx) {
	evm->tx = *tx;
}

void evm_set_host(struct evm *evm, const struct evm_host *host, void *context) {
	evm->host = host;
	evm->host_context = context;
}

void evm_set_tracer(struct evm *evm, const struct evm_tracer *tracer) {
	evm->tracer = tracer;
}

void evm_set_precompile_moves(struct evm *evm, const struct evm_precompile_move *moves, size_t count) {
	evm->moves = moves;
	evm->move_count = count;
}

void evm_set_interrupt(struct evm *evm, const struct evm_interrupt *interrupt) {
	evm->interrupt = interrupt;
}

void evm_set_reference_dispatch(struct evm *evm, bool reference) {
	evm->reference_dispatch = reference;
}

/* The child's result becomes the caller's: its gas, its success on the stack, its output where the caller wanted it. */
static void deliver(struct evm *evm, struct frame *caller, const struct frame *child) {
	const bool success = child->outcome == EVM_SUCCESS;
	u256 *word = &caller->sp[-1];
	caller->gas += child->gas;
	if (child->message.kind == EVM_CREATE || child->message.kind == EVM_CREATE2) {
		*word = success ? word_of_address(&child->message.recipient) : u256_from(0);
		if (success) buf_clear(&evm->return_data); /* that was the code */
		return;
	}
	*word = u256_from(success);
	const size_t len =
	    evm->return_data.len < caller->return_size ? evm->return_data.len : (size_t)caller->return_size;
	if (len > 0) memcpy(caller->memory + caller->return_offset, evm->return_data.data, len);
}

static enum status begin(struct evm *evm, struct frame *frame, bool *running) {
	return evm_is_interrupted(evm) ? STATUS_TIMEOUT : message_begin(evm, frame, running);
}

/* Runs frames until the first one's message is over. */
static enum status run(struct evm *evm) {
	dispatcher *const dispatch = evm->reference_dispatch || evm->tracer != NULL ? dispatch_switch : dispatch_goto;
	struct frame *frame = evm->frames;
	bool running;

	TRY(begin(evm, frame, &running));
	for (;;) {
		if (running) {
			const enum op_end end = dispatch(evm, frame);
			if (end == END_FAILED) return evm->failure;
			if (end == END_CALL) {
				frame++;
				TRY(begin(evm, frame, &running));
			} else {
				TRY(message_end(evm, frame, (enum evm_outcome)((int)end - (int)END_HALT)));
				running = false;
			}
		}
		if (!running) {
			if (frame == evm->frames) return STATUS_OK;
			frame--;
			deliver(evm, frame, frame + 1);
			running = true;
		}
	}
}

enum status evm_execute(struct evm *evm, struct evm_result *result, const struct evm_message *message) {
	struct frame *first = evm->frames;
	*result = (struct evm_result){.outcome = EVM_OUT_OF_GAS};
	first->message = *message;
	evm->refund = 0;
	evm->fault = (struct evm_fault){0};
	TRY(run(evm));
	const bool success = first->outcome == EVM_SUCCESS;
	const bool creates = message->kind == EVM_CREATE || message->kind == EVM_CREATE2;
	result->outcome = first->outcome;
	result->gas_left = (uint64_t)first->gas;
	result->refund_gas = success ? evm->refund : 0;
	result->output = buf_view(&evm->return_data);
	if (success && creates) result->created = first->message.recipient;
	return STATUS_OK;
}

struct evm_fault evm_last_fault(const struct evm *evm) {
	return evm->fault;
}

void evm_analyse_jumpdests(uint64_t *bitmap, struct bytes code) {
	memset(bitmap, 0, (code.len + 63) / 64 * sizeof *bitmap);
	for (size_t i = 0; i < code.len; i++) {
		const uint8_t opcode = code.data[i];
		if (opcode == OP_JUMPDEST) bitmap[i / 64] |= (uint64_t)1 << (i % 64);
		if (opcode >= OP_PUSH1 && opcode <= OP_PUSH32) i += opcode - OP_PUSH1 + 1u;
	}
}

const char *evm_outcome_text(enum evm_outcome outcome) {
	static const char *const texts[EVM_OUTCOME_COUNT] = {
	    [EVM_SUCCESS] = "success",
	    [EVM_REVERT] = "execution reverted",
	    [EVM_OUT_OF_GAS] = "out of gas",
	    [EVM_GAS_OVERFLOW] = "gas uint64 overflow",
	    [EVM_MEMORY_OVERFLOW] = "out of gas: gas uint64 overflow",
	    [EVM_SSTORE_SENTRY] = "out of gas: not enough gas for reentrancy sentry",
	    [EVM_STACK_UNDERFLOW] = "stack underflow",
	    [EVM_STACK_OVERFLOW] = "stack limit reached 1024",
	    [EVM_BAD_JUMP] = "invalid jump destination",
	    [EVM_BAD_OPCODE] = "invalid opcode",
	    [EVM_STATIC_VIOLATION] = "write protection",
	    [EVM_RETURN_DATA_OUT_OF_BOUNDS] = "return data out of bounds",
	    [EVM_CALL_DEPTH] = "max call depth exceeded",
	    [EVM_INSUFFICIENT_BALANCE] = "insufficient balance for transfer",
	    [EVM_CREATE_COLLISION] = "contract address collision",
	    [EVM_CODE_TOO_LARGE] = "max code size exceeded",
	    [EVM_INIT_CODE_TOO_LARGE] = "max initcode size exceeded",
	    [EVM_CODE_STARTS_WITH_EF] = "invalid code: must not begin with 0xef",
	    [EVM_NONCE_OVERFLOW] = "nonce uint64 overflow",
	    [EVM_PRECOMPILE_FAILURE] = "precompiled contract failed",
	};
	return (unsigned)outcome < EVM_OUTCOME_COUNT ? texts[outcome] : "unknown";
}
