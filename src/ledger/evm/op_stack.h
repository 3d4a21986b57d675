/* The stack itself (Yellow Paper app. H.2, 50s to 90s; EIP-3855). Code is padded, so that no PUSH reads behind its end.
 */
#ifndef LEDGER_EVM_OP_STACK_H
#define LEDGER_EVM_OP_STACK_H

#include "ledger/evm/op_common.h"

BODY(POP) {
	(void)r;
	return END_NEXT;
}

/* Bytes [from, from + 8) of the n bytes at `data`, taken as a number of 32 bytes from its big end; n is constant. */
static ALWAYS_INLINE uint64_t push_limb(const uint8_t *data, int n, int limb) {
	const int end = n - 8 * limb; /* behind the limb's last byte */
	if (end <= 0) return 0;
	if (end >= 8) return load_be64(data + end - 8);
	return load_be64(data) >> (64 - 8 * end); /* reads into the padding at most */
}

static ALWAYS_INLINE enum op_end push(struct registers *r, int n) {
	for (int limb = 0; limb < 4; limb++) r->sp->w[limb] = push_limb(r->pc + 1, n, limb);
	r->pc += n;
	return END_NEXT;
}

static ALWAYS_INLINE enum op_end dup(struct registers *r, int n) {
	word_copy(r->sp, r->sp - n);
	return END_NEXT;
}

static ALWAYS_INLINE enum op_end swap(struct registers *r, int n) {
	for (int limb = 0; limb < 4; limb++) {
		const uint64_t top = r->sp[-1].w[limb];
		r->sp[-1].w[limb] = r->sp[-1 - n].w[limb];
		r->sp[-1 - n].w[limb] = top;
	}
	return END_NEXT;
}

BODY(PUSH0) {
	word_set(r->sp, 0);
	return END_NEXT;
}

#define BODY_COUNTED(NAME, function, n)                                                                                \
	BODY(NAME##n) {                                                                                                \
		return function(r, n);                                                                                 \
	}
#define BODIES_TO_16(NAME, function)                                                                                   \
	BODY_COUNTED(NAME, function, 1)                                                                                \
	BODY_COUNTED(NAME, function, 2)                                                                                \
	BODY_COUNTED(NAME, function, 3)                                                                                \
	BODY_COUNTED(NAME, function, 4)                                                                                \
	BODY_COUNTED(NAME, function, 5)                                                                                \
	BODY_COUNTED(NAME, function, 6)                                                                                \
	BODY_COUNTED(NAME, function, 7)                                                                                \
	BODY_COUNTED(NAME, function, 8)                                                                                \
	BODY_COUNTED(NAME, function, 9)                                                                                \
	BODY_COUNTED(NAME, function, 10)                                                                               \
	BODY_COUNTED(NAME, function, 11)                                                                               \
	BODY_COUNTED(NAME, function, 12)                                                                               \
	BODY_COUNTED(NAME, function, 13)                                                                               \
	BODY_COUNTED(NAME, function, 14)                                                                               \
	BODY_COUNTED(NAME, function, 15)                                                                               \
	BODY_COUNTED(NAME, function, 16)

BODIES_TO_16(PUSH, push)
BODIES_TO_16(DUP, dup)
BODIES_TO_16(SWAP, swap)
BODY_COUNTED(PUSH, push, 17)
BODY_COUNTED(PUSH, push, 18)
BODY_COUNTED(PUSH, push, 19)
BODY_COUNTED(PUSH, push, 20)
BODY_COUNTED(PUSH, push, 21)
BODY_COUNTED(PUSH, push, 22)
BODY_COUNTED(PUSH, push, 23)
BODY_COUNTED(PUSH, push, 24)
BODY_COUNTED(PUSH, push, 25)
BODY_COUNTED(PUSH, push, 26)
BODY_COUNTED(PUSH, push, 27)
BODY_COUNTED(PUSH, push, 28)
BODY_COUNTED(PUSH, push, 29)
BODY_COUNTED(PUSH, push, 30)
BODY_COUNTED(PUSH, push, 31)
BODY_COUNTED(PUSH, push, 32)

#undef BODIES_TO_16
#undef BODY_COUNTED

#endif
