/* Logs (Yellow Paper app. H.2, a0s). */
#include "ledger/evm/op_world.h"

static enum op_end put_log(struct evm *evm, struct frame *f, uint8_t topic_count) {
	uint64_t offset, size;
	if (f->message.is_static) return op_halt(EVM_STATIC_VIOLATION);
	OP_GO_ON(memory_range(f, &offset, &size, &f->sp[-1], &f->sp[-2]));
	OP_CHARGE(f, (int64_t)(GAS_LOG_BYTE * size));
	struct log log = {
	    .address = f->message.recipient, .topic_count = topic_count, .data = bytes_make(f->memory + offset, size)};
	for (int i = 0; i < topic_count; i++) u256_store_be(log.topics[i].b, &f->sp[-3 - i]);
	HOST(evm, add_log, &log);
	if (evm->tracer != NULL && evm->tracer->log != NULL) evm->tracer->log(evm->tracer->context, &log);
	return END_NEXT;
}

enum op_end log_0(struct evm *evm, struct frame *f) {
	return put_log(evm, f, 0);
}

enum op_end log_1(struct evm *evm, struct frame *f) {
	return put_log(evm, f, 1);
}

enum op_end log_2(struct evm *evm, struct frame *f) {
	return put_log(evm, f, 2);
}

enum op_end log_3(struct evm *evm, struct frame *f) {
	return put_log(evm, f, 3);
}

enum op_end log_4(struct evm *evm, struct frame *f) {
	return put_log(evm, f, 4);
}
