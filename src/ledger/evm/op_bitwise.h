/* Comparison and bits (Yellow Paper app. H.2, 10s; EIP-145, 7939). */
#ifndef LEDGER_EVM_OP_BITWISE_H
#define LEDGER_EVM_OP_BITWISE_H

#include "ledger/evm/op_common.h"

/* a < b as a borrow chain: no branches to mispredict. */
static ALWAYS_INLINE bool word_less(const u256 *a, const u256 *b) {
	u256 ignored;
	return u256_sub_overflow(&ignored, a, b);
}

/* The same as two's complement numbers: unlike signs decide. */
static ALWAYS_INLINE bool word_less_signed(const u256 *a, const u256 *b) {
	return ((a->w[3] ^ b->w[3]) >> 63) != 0 ? a->w[3] >> 63 != 0 : word_less(a, b);
}

BODY(LT) {
	word_set(&r->sp[-2], word_less(&r->sp[-1], &r->sp[-2]));
	return END_NEXT;
}

BODY(GT) {
	word_set(&r->sp[-2], word_less(&r->sp[-2], &r->sp[-1]));
	return END_NEXT;
}

BODY(SLT) {
	word_set(&r->sp[-2], word_less_signed(&r->sp[-1], &r->sp[-2]));
	return END_NEXT;
}

BODY(SGT) {
	word_set(&r->sp[-2], word_less_signed(&r->sp[-2], &r->sp[-1]));
	return END_NEXT;
}

BODY(EQ) {
	word_set(&r->sp[-2], u256_equal(&r->sp[-1], &r->sp[-2]));
	return END_NEXT;
}

BODY(ISZERO) {
	word_set(&r->sp[-1], u256_is_zero(&r->sp[-1]));
	return END_NEXT;
}

BODY(AND) {
	for (int i = 0; i < 4; i++) r->sp[-2].w[i] &= r->sp[-1].w[i];
	return END_NEXT;
}

BODY(OR) {
	for (int i = 0; i < 4; i++) r->sp[-2].w[i] |= r->sp[-1].w[i];
	return END_NEXT;
}

BODY(XOR) {
	for (int i = 0; i < 4; i++) r->sp[-2].w[i] ^= r->sp[-1].w[i];
	return END_NEXT;
}

BODY(NOT) {
	for (int i = 0; i < 4; i++) r->sp[-1].w[i] = ~r->sp[-1].w[i];
	return END_NEXT;
}

/* The byte at an index that counts from the most significant. */
BODY(BYTE) {
	const uint64_t index = u256_clamp_u64(&r->sp[-1]);
	uint64_t byte = 0;
	if (index < 32) byte = r->sp[-2].w[3 - index / 8] >> (56 - 8 * (index % 8)) & 0xff;
	word_set(&r->sp[-2], byte);
	return END_NEXT;
}

static ALWAYS_INLINE unsigned shift_of_word(const u256 *word) {
	return u256_fits_u64(word) && word->w[0] < 256 ? (unsigned)word->w[0] : 256;
}

BODY(SHL) {
	const u256 result = u256_shl(&r->sp[-2], shift_of_word(&r->sp[-1]));
	word_copy(&r->sp[-2], &result);
	return END_NEXT;
}

BODY(SHR) {
	const u256 result = u256_shr(&r->sp[-2], shift_of_word(&r->sp[-1]));
	word_copy(&r->sp[-2], &result);
	return END_NEXT;
}

BODY(SAR) {
	const u256 result = u256_sar(&r->sp[-2], shift_of_word(&r->sp[-1]));
	word_copy(&r->sp[-2], &result);
	return END_NEXT;
}

BODY(CLZ) {
	word_set(&r->sp[-1], 256 - u256_bit_length(&r->sp[-1]));
	return END_NEXT;
}

#endif
