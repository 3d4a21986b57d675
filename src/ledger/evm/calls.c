/*
 * Instructions that send a message: they charge, fill in the next frame's message and stop with END_CALL. What the
 * message then does is messages.c (Yellow Paper app. H.2, f0s; EIP-7, 150, 161, 214, 1014, 2929, 3529, 3860, 6780,
 * 7702).
 */
#include "ledger/evm/op_world.h"

/* All but a 64th may be passed on, since EIP-150. */
static int64_t gas_to_pass(const struct evm *evm, const struct frame *f) {
	return evm->fork >= FORK_TANGERINE ? f->gas - f->gas / 64 : f->gas;
}

/* What a call that moves value, or may make an account, costs on top. */
static enum op_end charge_value(
    struct evm *evm, struct frame *f, enum evm_call_kind kind, const addr20 *to, bool has_value) {
	bool makes_account = false, exists, empty;
	if (has_value) OP_CHARGE(f, GAS_CALL_VALUE);
	if (kind == EVM_CALL) {
		if (evm->fork < FORK_SPURIOUS) {
			OP_TRY(evm, HOST(evm, account_exists, &exists, to));
			makes_account = !exists;
		} else if (has_value) {
			OP_TRY(evm, HOST(evm, account_is_empty, &empty, to));
			makes_account = empty;
		}
	}
	if (makes_account) OP_CHARGE(f, GAS_NEW_ACCOUNT);
	return END_NEXT;
}

/* EIP-7702: following a designation is one more account access. */
static enum op_end charge_delegation(struct evm *evm, struct frame *f, const addr20 *to) {
	struct evm_code code;
	addr20 target;
	if (evm->fork < FORK_PRAGUE) return END_NEXT;
	OP_TRY(evm, HOST(evm, get_code, &code, to));
	if (code_is_delegation(&target, code.bytes)) OP_CHARGE(f, account_access_cost(evm, &target, 0));
	return END_NEXT;
}

/* Operands, from the top: gas, to, (value,) input offset and size, output offset and size. */
static enum op_end send_call(struct evm *evm, struct frame *f, enum evm_call_kind kind) {
	const bool takes_value = kind == EVM_CALL || kind == EVM_CALLCODE;
	const u256 value = takes_value ? f->sp[-3] : u256_from(0);
	const bool has_value = !u256_is_zero(&value);
	const u256 *ranges = f->sp - (takes_value ? 4 : 3);
	const addr20 to = address_of_word(&f->sp[-2]);
	const uint64_t asked = u256_clamp_u64(&f->sp[-1]);
	uint64_t input_offset, input_size;
	enum op_end end;

	if (kind == EVM_CALL && has_value && f->message.is_static) return op_halt(EVM_STATIC_VIOLATION);
	OP_GO_ON(memory_range(f, &input_offset, &input_size, &ranges[0], &ranges[-1]));
	OP_GO_ON(memory_range(f, &f->return_offset, &f->return_size, &ranges[-2], &ranges[-3]));
	OP_CHARGE(f, account_access_cost(evm, &to, evm->costs->call));
	if ((end = charge_value(evm, f, kind, &to, has_value)) != END_NEXT) return end;
	if ((end = charge_delegation(evm, f, &to)) != END_NEXT) return end;

	const uint64_t most = (uint64_t)gas_to_pass(evm, f);
	if (evm->fork < FORK_TANGERINE && asked > most) return op_halt(EVM_OUT_OF_GAS);
	const uint64_t gas = asked < most ? asked : most;
	f->gas -= (int64_t)gas;

	const bool own_context = kind == EVM_CALL || kind == EVM_STATICCALL;
	const struct evm_message *mine = &f->message;
	f[1].message = (struct evm_message){
	    .kind = kind,
	    .is_static = mine->is_static || kind == EVM_STATICCALL,
	    .depth = (uint16_t)(mine->depth + 1),
	    .gas = gas + (has_value ? GAS_CALL_STIPEND : 0),
	    .sender = kind == EVM_DELEGATECALL ? mine->sender : mine->recipient,
	    .recipient = own_context ? to : mine->recipient,
	    .code_address = to,
	    .value_wei = kind == EVM_DELEGATECALL ? mine->value_wei : value,
	    .input = bytes_make(f->memory + input_offset, input_size),
	};
	return END_CALL;
}

enum op_end call(struct evm *evm, struct frame *f) {
	return send_call(evm, f, EVM_CALL);
}

enum op_end callcode(struct evm *evm, struct frame *f) {
	return send_call(evm, f, EVM_CALLCODE);
}

enum op_end delegatecall(struct evm *evm, struct frame *f) {
	return send_call(evm, f, EVM_DELEGATECALL);
}

enum op_end staticcall(struct evm *evm, struct frame *f) {
	return send_call(evm, f, EVM_STATICCALL);
}

/* Operands, from the top: value, init code offset and size, (salt). */
static enum op_end send_create(struct evm *evm, struct frame *f, enum evm_call_kind kind) {
	uint64_t offset, size;
	if (f->message.is_static) return op_halt(EVM_STATIC_VIOLATION);
	OP_GO_ON(memory_range(f, &offset, &size, &f->sp[-2], &f->sp[-3]));
	if (evm->fork >= FORK_SHANGHAI) {
		if (size > INIT_CODE_BYTES_MAX) return op_halt(EVM_INIT_CODE_TOO_LARGE);
		OP_CHARGE(f, (int64_t)(GAS_INIT_CODE_WORD * gas_words(size)));
	}
	if (kind == EVM_CREATE2) OP_CHARGE(f, (int64_t)(GAS_KECCAK_WORD * gas_words(size)));
	const int64_t gas = gas_to_pass(evm, f);
	f->gas -= gas;
	f[1].message = (struct evm_message){
	    .kind = kind,
	    .depth = (uint16_t)(f->message.depth + 1),
	    .gas = (uint64_t)gas,
	    .sender = f->message.recipient,
	    .value_wei = f->sp[-1],
	    .input = bytes_make(f->memory + offset, size),
	};
	if (kind == EVM_CREATE2) u256_store_be(f[1].message.salt.b, &f->sp[-4]);
	return END_CALL;
}

enum op_end create(struct evm *evm, struct frame *f) {
	return send_create(evm, f, EVM_CREATE);
}

enum op_end create2(struct evm *evm, struct frame *f) {
	return send_create(evm, f, EVM_CREATE2);
}

/* Does giving to `heir` make an account, at its price? */
static enum op_end charge_heir(struct evm *evm, struct frame *f, const addr20 *heir, const u256 *wei) {
	bool exists, empty;
	OP_CHARGE(f, evm->costs->selfdestruct);
	if (evm->fork < FORK_TANGERINE) return END_NEXT;
	if (evm->fork >= FORK_BERLIN && HOST(evm, warm_account, heir)) OP_CHARGE(f, GAS_COLD_ACCOUNT);
	if (evm->fork < FORK_SPURIOUS) {
		OP_TRY(evm, HOST(evm, account_exists, &exists, heir));
		if (!exists) OP_CHARGE(f, GAS_NEW_ACCOUNT);
	} else if (!u256_is_zero(wei)) {
		OP_TRY(evm, HOST(evm, account_is_empty, &empty, heir));
		if (empty) OP_CHARGE(f, GAS_NEW_ACCOUNT);
	}
	return END_NEXT;
}

/* Since EIP-6780 only what this transaction created goes; the balance moves all the same. A contract that
 * names itself as the heir loses its balance. */
enum op_end selfdestruct(struct evm *evm, struct frame *f) {
	const addr20 *self = &f->message.recipient;
	const addr20 heir = address_of_word(&f->sp[-1]);
	u256 wei;
	f->output = (struct bytes){NULL, 0};
	if (f->message.is_static) return op_halt(EVM_STATIC_VIOLATION);
	OP_TRY(evm, HOST(evm, get_balance, &wei, self));
	const enum op_end end = charge_heir(evm, f, &heir, &wei);
	if (end != END_NEXT) return end;
	if (evm->tracer != NULL && evm->tracer->selfdestruct != NULL)
		evm->tracer->selfdestruct(evm->tracer->context, self, &heir, &wei);

	const bool goes = evm->fork < FORK_CANCUN || HOST(evm, is_created_here, self);
	const bool to_itself = addr20_equal(self, &heir);
	if (goes || !to_itself) {
		OP_TRY(evm, HOST(evm, sub_balance, self, &wei));
		if (!to_itself) OP_TRY(evm, HOST(evm, add_balance, &heir, &wei));
	}
	if (goes && HOST(evm, mark_destructed, self)) evm->refund += evm->costs->selfdestruct_refund;
	return END_NEXT;
}
