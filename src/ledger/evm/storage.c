/* Storage and transient storage (Yellow Paper app. H.2, 50s; EIP-1153, 1283, 2200, 2929, 3529). */
#include "ledger/evm/op_world.h"

enum op_end sload(struct evm *evm, struct frame *f) {
	const u256 slot = f->sp[-1];
	int64_t cost = evm->costs->sload;
	if (evm->fork >= FORK_BERLIN)
		cost = HOST(evm, warm_slot, &f->message.recipient, &slot) ? GAS_COLD_SLOT : GAS_WARM;
	OP_CHARGE(f, cost);
	OP_TRY(evm, HOST(evm, get_storage, &f->sp[-1], &f->message.recipient, &slot));
	return END_NEXT;
}

/* Before net metering only the value that is there counts. */
static int64_t plain_cost(struct evm *evm, const u256 *current, const u256 *next) {
	if (u256_is_zero(current) && !u256_is_zero(next)) return evm->costs->sstore_set;
	if (!u256_is_zero(current) && u256_is_zero(next)) evm->refund += evm->costs->clear_refund;
	return evm->costs->sstore_reset;
}

/*
 * The first change in a transaction pays, later ones to the same slot are cheap; refunds follow what the transaction
 * does to the original value in the end (the table of EIP-2200, with the costs that EIP-2929 and 3529 put in).
 */
static int64_t net_cost(struct evm *evm, const u256 *original, const u256 *current, const u256 *next) {
	const struct fork_costs *costs = evm->costs;
	if (u256_equal(current, next)) return costs->sstore_noop;
	if (u256_equal(original, current)) { /* clean */
		if (u256_is_zero(original)) return costs->sstore_set;
		if (u256_is_zero(next)) evm->refund += costs->clear_refund;
		return costs->sstore_reset;
	}
	if (!u256_is_zero(original)) {
		if (u256_is_zero(current)) evm->refund -= costs->clear_refund;
		if (u256_is_zero(next)) evm->refund += costs->clear_refund;
	}
	if (u256_equal(original, next)) /* back to where it was */
		evm->refund += (u256_is_zero(original) ? costs->sstore_set : costs->sstore_reset) - costs->sstore_noop;
	return costs->sstore_noop;
}

enum op_end sstore(struct evm *evm, struct frame *f) {
	const addr20 *self = &f->message.recipient;
	const u256 slot = f->sp[-1], next = f->sp[-2];
	u256 current, original;
	if (f->message.is_static) return op_halt(EVM_STATIC_VIOLATION);
	if (evm->costs->sentry && f->gas <= GAS_CALL_STIPEND) return op_halt(EVM_SSTORE_SENTRY);
	if (evm->fork >= FORK_BERLIN && HOST(evm, warm_slot, self, &slot)) OP_CHARGE(f, GAS_COLD_SLOT);
	OP_TRY(evm, HOST(evm, get_storage, &current, self, &slot));
	if (evm->costs->net) {
		OP_TRY(evm, HOST(evm, get_original_storage, &original, self, &slot));
		OP_CHARGE(f, net_cost(evm, &original, &current, &next));
	} else {
		OP_CHARGE(f, plain_cost(evm, &current, &next));
	}
	if (!u256_equal(&current, &next)) OP_TRY(evm, HOST(evm, set_storage, self, &slot, &next));
	return END_NEXT;
}

enum op_end tload(struct evm *evm, struct frame *f) {
	const u256 slot = f->sp[-1];
	HOST(evm, get_transient, &f->sp[-1], &f->message.recipient, &slot);
	return END_NEXT;
}

enum op_end tstore(struct evm *evm, struct frame *f) {
	if (f->message.is_static) return op_halt(EVM_STATIC_VIOLATION);
	HOST(evm, set_transient, &f->message.recipient, &f->sp[-1], &f->sp[-2]);
	return END_NEXT;
}
