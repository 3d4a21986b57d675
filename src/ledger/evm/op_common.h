/*
 * What instruction bodies are written in. A body is a function that the dispatchers inline; it sees the registers as
 * they stood before the instruction (checked stack, static gas already charged) and puts its result where the result
 * will stand; the dispatcher then moves `sp` and `pc` on. Limbs are copied one by one: wide vector loads right after
 * narrow stores would wait for them.
 */
#ifndef LEDGER_EVM_OP_COMMON_H
#define LEDGER_EVM_OP_COMMON_H

#include "ledger/evm/machine.h"

#define ALWAYS_INLINE __attribute__((always_inline)) inline

/* A dispatcher's locals; never let their address out of inlined code, or they leave the processor's registers. */
struct registers {
	const uint8_t *pc; /* of this instruction */
	u256 *sp;          /* above the top: operands are sp[-1], sp[-2], … */
	int64_t gas;
};

#define BODY(name)                                                                                                     \
	static ALWAYS_INLINE enum op_end op_##name(                                                                    \
	    struct evm *evm __attribute__((unused)), struct frame *f __attribute__((unused)), struct registers *r)

static ALWAYS_INLINE void word_copy(u256 *out, const u256 *in) {
	const uint64_t w0 = in->w[0], w1 = in->w[1], w2 = in->w[2], w3 = in->w[3];
	out->w[0] = w0, out->w[1] = w1, out->w[2] = w2, out->w[3] = w3;
}

static ALWAYS_INLINE void word_set(u256 *out, uint64_t value) {
	out->w[0] = value, out->w[1] = 0, out->w[2] = 0, out->w[3] = 0;
}

/* An instruction out of line works on the frame's own registers. */
typedef enum op_end op_function(struct evm *evm, struct frame *frame);

static ALWAYS_INLINE enum op_end out_of_line(
    struct evm *evm, struct frame *f, struct registers *r, op_function *function) {
	f->sp = r->sp;
	f->gas = r->gas;
	const enum op_end end = function(evm, f);
	r->gas = f->gas;
	return end;
}

#define BODY_OUT_OF_LINE(name, function)                                                                               \
	BODY(name) {                                                                                                   \
		return out_of_line(evm, f, r, function);                                                               \
	}

/* Makes [offset, offset + size) exist in memory, or halts; size is in [1, 32]. */
static ALWAYS_INLINE enum op_end memory_reach(struct frame *f, struct registers *r, const u256 *offset, uint64_t size) {
	if (__builtin_expect(!u256_fits_u64(offset) || offset->w[0] > MEMORY_OFFSET_MAX, 0))
		return memory_unpayable(offset, size);
	const uint64_t end = offset->w[0] + size;
	if (__builtin_expect(end > f->memory_size, 0)) {
		r->gas = memory_grow(f, end, r->gas);
		if (r->gas < 0) return op_halt(EVM_OUT_OF_GAS);
	}
	return END_NEXT;
}

#endif
