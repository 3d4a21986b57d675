/* A frame's memory (Yellow Paper §9.1, app. H.1): its growth, what is copied into it, what is hashed and returned from
 * it. */
#include "crypto/hash.h"
#include "ledger/evm/op_control.h"
#include "ledger/evm/op_memory.h"

__attribute__((noinline)) int64_t memory_grow(struct frame *frame, uint64_t end, int64_t gas) {
	const uint64_t words = gas_words(end);
	gas -= gas_memory(words) - gas_memory(frame->memory_size / 32);
	if (gas < 0 || words * 32 > frame->memory_size_max) return -1;
	memset(frame->memory + frame->memory_size, 0, words * 32 - frame->memory_size);
	frame->memory_size = words * 32;
	return gas;
}

__attribute__((cold, noinline)) enum op_end memory_unpayable(const u256 *offset, uint64_t size) {
	uint64_t end;
	if (!u256_fits_u64(offset) || __builtin_add_overflow(offset->w[0], size, &end) || end > UINT64_MAX - 31)
		return op_halt(EVM_GAS_OVERFLOW);
	return op_halt(end > MEMORY_PRICED_MAX ? EVM_MEMORY_OVERFLOW : EVM_OUT_OF_GAS);
}

enum op_end memory_range(
    struct frame *frame, uint64_t *offset, uint64_t *size, const u256 *offset_word, const u256 *size_word) {
	*offset = 0, *size = 0;
	if (u256_is_zero(size_word)) return END_NEXT;
	if (!u256_fits_u64(size_word)) return op_halt(EVM_GAS_OVERFLOW);
	if (!u256_fits_u64(offset_word) || offset_word->w[0] > MEMORY_OFFSET_MAX || size_word->w[0] > MEMORY_OFFSET_MAX)
		return memory_unpayable(offset_word, size_word->w[0]);
	*offset = offset_word->w[0], *size = size_word->w[0];
	if (*offset + *size > frame->memory_size) frame->gas = memory_grow(frame, *offset + *size, frame->gas);
	return frame->gas >= 0 ? END_NEXT : op_halt(EVM_OUT_OF_GAS);
}

static int64_t copy_cost(uint64_t size) {
	return (int64_t)(GAS_COPY_WORD * gas_words(size));
}

enum op_end keccak(struct evm *evm, struct frame *f) {
	(void)evm;
	uint64_t offset, size;
	OP_GO_ON(memory_range(f, &offset, &size, &f->sp[-1], &f->sp[-2]));
	OP_CHARGE(f, (int64_t)(GAS_KECCAK_WORD * gas_words(size)));
	const hash32 hash = keccak256(bytes_make(f->memory + offset, size));
	f->sp[-2] = u256_load_be(hash.b);
	return END_NEXT;
}

/* memory[to, to + size) = source[from, from + size), zeros behind the source's end. Operands: operands[0] to, [-1]
 * from, [-2] size. */
static enum op_end copy_to_memory(struct frame *f, const u256 *operands, struct bytes source) {
	uint64_t to, size;
	OP_GO_ON(memory_range(f, &to, &size, &operands[0], &operands[-2]));
	OP_CHARGE(f, copy_cost(size));
	if (size == 0) return END_NEXT;
	const struct bytes part = bytes_slice(source, u256_clamp_u64(&operands[-1]), size);
	if (part.len > 0) memcpy(f->memory + to, part.data, part.len);
	memset(f->memory + to + part.len, 0, size - part.len);
	return END_NEXT;
}

enum op_end calldatacopy(struct evm *evm, struct frame *f) {
	(void)evm;
	return copy_to_memory(f, f->sp - 1, f->message.input);
}

enum op_end codecopy(struct evm *evm, struct frame *f) {
	(void)evm;
	return copy_to_memory(f, f->sp - 1, bytes_make(f->code, f->code_len));
}

enum op_end extcodecopy(struct evm *evm, struct frame *f) {
	const addr20 address = address_of_word(&f->sp[-1]);
	struct evm_code code;
	OP_CHARGE(f, account_access_cost(evm, &address, evm->costs->extcode));
	OP_TRY(evm, HOST(evm, get_code, &code, &address));
	return copy_to_memory(f, f->sp - 2, code.bytes);
}

/* EIP-211: unlike the others, strict about its source. The check follows the payment, so that the cost is known. */
enum op_end returndatacopy(struct evm *evm, struct frame *f) {
	const struct bytes source = buf_view(&evm->return_data);
	const uint64_t from = u256_clamp_u64(&f->sp[-2]), size = u256_clamp_u64(&f->sp[-3]);
	const bool is_inside = from <= source.len && size <= source.len - from;
	const enum op_end end = copy_to_memory(f, f->sp - 1, source);
	return end == END_NEXT && !is_inside ? op_halt(EVM_RETURN_DATA_OUT_OF_BOUNDS) : end;
}

/* EIP-5656: the ranges may overlap; memory grows for both. */
enum op_end mcopy(struct evm *evm, struct frame *f) {
	(void)evm;
	uint64_t to, from, size;
	OP_GO_ON(memory_range(f, &to, &size, &f->sp[-1], &f->sp[-3]));
	OP_GO_ON(memory_range(f, &from, &size, &f->sp[-2], &f->sp[-3]));
	OP_CHARGE(f, copy_cost(size));
	memmove(f->memory + to, f->memory + from, size);
	return END_NEXT;
}

/* For RETURN and REVERT. */
enum op_end return_range(struct evm *evm, struct frame *f) {
	(void)evm;
	uint64_t offset, size;
	OP_GO_ON(memory_range(f, &offset, &size, &f->sp[-1], &f->sp[-2]));
	f->output = bytes_make(f->memory + offset, size);
	return END_NEXT;
}
