/*
 * How a message starts and ends (Yellow Paper §7, §8; EIP-2, 161, 170, 684, 2929, 3541, 7610, 7702): checks, value,
 * precompiles, code; then code deposit, or undoing.
 */
#include "crypto/hash.h"
#include "ledger/evm/machine.h"
#include "ledger/evm/precompiles.h"

static bool is_create(const struct evm_message *message) {
	return message->kind == EVM_CREATE || message->kind == EVM_CREATE2;
}

bool code_is_delegation(addr20 *target, struct bytes code) {
	static const uint8_t mark[3] = {0xef, 0x01, 0x00};
	if (code.len != sizeof mark + sizeof target->b || memcmp(code.data, mark, sizeof mark) != 0) return false;
	memcpy(target->b, code.data + sizeof mark, sizeof target->b);
	return true;
}

/* Over before any code ran; `gas` is what it leaves. */
static void end_at_once(struct frame *frame, enum evm_outcome outcome, int64_t gas) {
	frame->outcome = outcome;
	frame->gas = gas;
}

static enum status has_funds(struct evm *evm, bool *out, const struct evm_message *message) {
	u256 balance;
	*out = true;
	if (u256_is_zero(&message->value_wei)) return STATUS_OK;
	TRY(HOST(evm, get_balance, &balance, &message->sender));
	*out = !u256_less(&balance, &message->value_wei);
	return STATUS_OK;
}

/* Before EIP-161 even a gift of nothing makes an account. */
static enum status move_value(struct evm *evm, const struct evm_message *message) {
	if (u256_is_zero(&message->value_wei) && evm->fork >= FORK_SPURIOUS) {
		HOST(evm, touch, &message->recipient);
		return STATUS_OK;
	}
	TRY(HOST(evm, sub_balance, &message->sender, &message->value_wei));
	return HOST(evm, add_balance, &message->recipient, &message->value_wei);
}

static const struct precompile *precompile_at(const struct evm *evm, const addr20 *address) {
	for (size_t i = evm->move_count; i-- > 0;) {
		const struct evm_precompile_move *move = &evm->moves[i];
		if (addr20_equal(&move->at, address))
			return move->is_none ? NULL : precompile_find(evm->fork, &move->as);
	}
	return precompile_find(evm->fork, address);
}

static void run_precompile(struct evm *evm, struct frame *frame, const struct precompile *precompile) {
	const struct bytes input = frame->message.input;
	const uint64_t gas = (uint64_t)frame->gas;
	const struct precompile_result result = precompile_run(precompile, &evm->return_data, evm->fork, input, gas);
	if (result.success) {
		end_at_once(frame, EVM_SUCCESS, (int64_t)(gas - result.gas_used));
		return;
	}
	HOST(evm, revert_to, frame->snapshot);
	evm->fault = (struct evm_fault){.refusal = result.refusal};
	end_at_once(frame, result.refusal != NULL ? EVM_PRECOMPILE_FAILURE : EVM_OUT_OF_GAS, 0);
}

/* The code that runs for an address: its own, or since EIP-7702 whose it designates (one step only). */
static enum status resolve_code(struct evm *evm, struct evm_code *code, const struct frame *frame) {
	addr20 target;
	TRY(HOST(evm, get_code, code, &frame->message.code_address));
	if (evm->fork < FORK_PRAGUE || !code_is_delegation(&target, code->bytes)) return STATUS_OK;
	if (frame == evm->frames) HOST(evm, warm_account, &target); /* calls by code have paid for it */
	return HOST(evm, get_code, code, &target);
}

static void start_code(struct frame *frame, const uint8_t *code, size_t len, const uint64_t *jumpdests) {
	frame->code = code;
	frame->code_len = len;
	frame->jumpdests = jumpdests;
	frame->pc = code;
	frame->sp = frame->stack;
}

static enum status call_begin(struct evm *evm, struct frame *frame, bool *running) {
	const struct evm_message *message = &frame->message;
	const bool takes_value = message->kind == EVM_CALL || message->kind == EVM_CALLCODE;
	bool funded = true;
	struct evm_code code;

	if (takes_value) TRY(has_funds(evm, &funded, message));
	if (!funded) {
		end_at_once(frame, EVM_INSUFFICIENT_BALANCE, frame->gas);
		return STATUS_OK;
	}
	frame->snapshot = HOST(evm, snapshot);
	if (message->kind == EVM_CALL) TRY(move_value(evm, message));
	if (message->kind == EVM_STATICCALL) HOST(evm, touch, &message->recipient);

	const struct precompile *precompile = precompile_at(evm, &message->code_address);
	if (precompile != NULL) {
		run_precompile(evm, frame, precompile);
		return STATUS_OK;
	}
	TRY(resolve_code(evm, &code, frame));
	if (code.bytes.len == 0) {
		end_at_once(frame, EVM_SUCCESS, frame->gas);
		return STATUS_OK;
	}
	start_code(frame, code.bytes.data, code.bytes.len, code.jumpdests);
	*running = true;
	return STATUS_OK;
}

/* Where the new account will be. A transaction's own creation has its sender's nonce raised already. */
static enum status set_create_address(struct evm *evm, struct frame *frame, uint64_t *sender_nonce) {
	struct evm_message *message = &frame->message;
	TRY(HOST(evm, get_nonce, sender_nonce, &message->sender));
	if (message->kind == EVM_CREATE2) {
		const hash32 hash = keccak256(message->input);
		message->recipient = address_of_create2(&message->sender, &message->salt, &hash);
	} else {
		message->recipient =
		    address_of_create(&message->sender, *sender_nonce - (frame == evm->frames ? 1 : 0));
	}
	message->code_address = message->recipient;
	return STATUS_OK;
}

/* EIP-684, 7610. */
static enum status is_taken(struct evm *evm, bool *out, const addr20 *address) {
	uint64_t nonce;
	hash32 hash;
	TRY(HOST(evm, get_nonce, &nonce, address));
	TRY(HOST(evm, get_code_hash, &hash, address));
	*out = nonce != 0 || (!hash32_is_zero(&hash) && !hash32_equal(&hash, &empty_code_hash));
	return *out ? STATUS_OK : HOST(evm, has_storage, out, address);
}

/* Copies the init code, padded, with its jump destinations to where the frame's memory begins, which moves up. False:
 * no room. */
static bool start_init_code(struct frame *frame) {
	const struct bytes code = frame->message.input;
	const uint64_t code_room = (code.len + 33 + 7) / 8 * 8;
	const uint64_t room = (code_room + (code.len + 63) / 64 * 8 + 63) / 64 * 64;
	if (room > frame->memory_size_max) return false;
	uint8_t *copy = frame->memory;
	uint64_t *jumpdests = (uint64_t *)(void *)(copy + code_room);
	if (code.len > 0) memcpy(copy, code.data, code.len);
	memset(copy + code.len, 0, 33);
	evm_analyse_jumpdests(jumpdests, bytes_make(copy, code.len));
	frame->memory += room;
	frame->memory_size_max -= room;
	frame->message.input = (struct bytes){NULL, 0}; /* init code sees no call data */
	start_code(frame, copy, code.len, jumpdests);
	return true;
}

static enum status create_begin(struct evm *evm, struct frame *frame, uint64_t sender_nonce, bool *running) {
	const struct evm_message *message = &frame->message;
	bool funded, taken;

	TRY(has_funds(evm, &funded, message));
	if (!funded) {
		end_at_once(frame, EVM_INSUFFICIENT_BALANCE, frame->gas);
		return STATUS_OK;
	}
	if (frame != evm->frames) {
		if (sender_nonce == UINT64_MAX) {
			end_at_once(frame, EVM_NONCE_OVERFLOW, frame->gas);
			return STATUS_OK;
		}
		TRY(HOST(evm, set_nonce, &message->sender, sender_nonce + 1));
	}
	if (evm->fork >= FORK_BERLIN) HOST(evm, warm_account, &message->recipient);
	TRY(is_taken(evm, &taken, &message->recipient));
	if (taken) {
		end_at_once(frame, EVM_CREATE_COLLISION, 0);
		return STATUS_OK;
	}
	frame->snapshot = HOST(evm, snapshot);
	TRY(HOST(evm, begin_create, &message->recipient));
	if (evm->fork >= FORK_SPURIOUS) TRY(HOST(evm, set_nonce, &message->recipient, 1));
	TRY(move_value(evm, message));
	if (!start_init_code(frame)) {
		HOST(evm, revert_to, frame->snapshot);
		end_at_once(frame, EVM_OUT_OF_GAS, 0);
		return STATUS_OK;
	}
	*running = true;
	return STATUS_OK;
}

static void trace_leave(struct evm *evm, const struct frame *frame) {
	if (evm->tracer == NULL || evm->tracer->leave == NULL) return;
	const bool success = frame->outcome == EVM_SUCCESS;
	const struct evm_result result = {
	    .outcome = frame->outcome,
	    .gas_left = (uint64_t)frame->gas,
	    .refund_gas = success ? evm->refund : 0,
	    .output = buf_view(&evm->return_data),
	    .created = success && is_create(&frame->message) ? frame->message.recipient : (addr20){{0}},
	};
	evm->tracer->leave(evm->tracer->context, &frame->message, &result);
}

enum status message_begin(struct evm *evm, struct frame *frame, bool *running) {
	const bool creates = is_create(&frame->message);
	uint64_t sender_nonce = 0;
	*running = false;
	frame->gas = frame->message.gas < INT64_MAX ? (int64_t)frame->message.gas : INT64_MAX;
	frame->refund_before = evm->refund;
	frame->memory = frame == evm->frames ? evm->memory : frame[-1].memory + (frame[-1].memory_size + 63) / 64 * 64;
	frame->memory_size = 0;
	frame->memory_size_max = (uint64_t)(evm->memory + MEMORY_RESERVE_BYTES - frame->memory);
	buf_clear(&evm->return_data);
	if (creates) TRY(set_create_address(evm, frame, &sender_nonce));
	if (evm->tracer != NULL && evm->tracer->enter != NULL)
		evm->tracer->enter(evm->tracer->context, &frame->message);
	if (frame->message.depth > CALL_DEPTH_MAX)
		end_at_once(frame, EVM_CALL_DEPTH, frame->gas);
	else if (creates)
		TRY(create_begin(evm, frame, sender_nonce, running));
	else
		TRY(call_begin(evm, frame, running));
	if (!*running) trace_leave(evm, frame);
	return STATUS_OK;
}

/* The code that init code returned is kept, if it may be and is paid for. */
static enum status deposit_code(struct evm *evm, struct frame *frame, enum evm_outcome *outcome) {
	const struct bytes code = frame->output;
	const int64_t cost = GAS_CODE_BYTE * (int64_t)code.len;
	if (evm->fork >= FORK_SPURIOUS && code.len > CODE_BYTES_MAX)
		*outcome = EVM_CODE_TOO_LARGE;
	else if (evm->fork >= FORK_LONDON && code.len > 0 && code.data[0] == 0xef)
		*outcome = EVM_CODE_STARTS_WITH_EF;
	else if (cost <= frame->gas) {
		frame->gas -= cost;
		return HOST(evm, set_code, &frame->message.recipient, code);
	} else if (evm->fork >= FORK_HOMESTEAD)
		*outcome = EVM_OUT_OF_GAS;
	else /* Frontier: a contract without code, and no gas is lost (before EIP-2) */
		frame->output = (struct bytes){NULL, 0};
	return STATUS_OK;
}

/* Is there an instruction of a later fork at `pc`? All other unassigned opcodes have a body, that of INVALID. */
static bool is_of_later_fork(const struct evm *evm, const uint8_t *pc) {
	const struct opcode_info *info = &opcode_table[*pc];
	return info->name != NULL && info->since > evm->fork;
}

/* A body that ended its frame has moved on already; a check before it has not. */
void note_fault(struct evm *evm, const struct frame *frame, enum evm_outcome outcome) {
	const bool has_moved = outcome == EVM_STATIC_VIOLATION || outcome == EVM_INIT_CODE_TOO_LARGE ||
			       (outcome == EVM_BAD_OPCODE && !is_of_later_fork(evm, frame->pc));
	const uint8_t opcode = frame->pc[has_moved ? -1 : 0];
	evm->fault = (struct evm_fault){.opcode = opcode, .stack_count = (size_t)(frame->sp - frame->stack)};
	if (outcome != EVM_INIT_CODE_TOO_LARGE) return;
	const struct opcode_info *info = &opcode_table[opcode];
	evm->fault.code_bytes = frame->sp[info->pops - info->pushes - 3].w[0]; /* the third of its operands */
}

enum status message_end(struct evm *evm, struct frame *frame, enum evm_outcome outcome) {
	if (outcome > EVM_REVERT) note_fault(evm, frame, outcome);
	if (outcome == EVM_SUCCESS && is_create(&frame->message)) TRY(deposit_code(evm, frame, &outcome));
	if (outcome == EVM_CODE_TOO_LARGE) evm->fault = (struct evm_fault){.code_bytes = frame->output.len};
	if (outcome != EVM_SUCCESS) {
		HOST(evm, revert_to, frame->snapshot);
		evm->refund = frame->refund_before;
	}
	buf_clear(&evm->return_data);
	if (outcome == EVM_SUCCESS || outcome == EVM_REVERT)
		buf_append(&evm->return_data, frame->output);
	else
		frame->gas = 0;
	frame->outcome = outcome;
	trace_leave(evm, frame);
	return STATUS_OK;
}
