/* Arithmetic, modulo 2^256 (Yellow Paper app. H.2, 0s). */
#ifndef LEDGER_EVM_OP_ARITHMETIC_H
#define LEDGER_EVM_OP_ARITHMETIC_H

#include "ledger/evm/op_common.h"

BODY(ADD) {
	u256_add_overflow(&r->sp[-2], &r->sp[-1], &r->sp[-2]);
	return END_NEXT;
}

BODY(SUB) {
	u256_sub_overflow(&r->sp[-2], &r->sp[-1], &r->sp[-2]);
	return END_NEXT;
}

BODY(MUL) {
	const u256 product = u256_mul(&r->sp[-1], &r->sp[-2]);
	word_copy(&r->sp[-2], &product);
	return END_NEXT;
}

/* Those that are functions of u256.c. */
#define BODY_BINARY(name, function)                                                                                    \
	BODY(name) {                                                                                                   \
		const u256 result = function(&r->sp[-1], &r->sp[-2]);                                                  \
		word_copy(&r->sp[-2], &result);                                                                        \
		return END_NEXT;                                                                                       \
	}
#define BODY_TERNARY(name, function)                                                                                   \
	BODY(name) {                                                                                                   \
		const u256 result = function(&r->sp[-1], &r->sp[-2], &r->sp[-3]);                                      \
		word_copy(&r->sp[-3], &result);                                                                        \
		return END_NEXT;                                                                                       \
	}

BODY_BINARY(DIV, u256_div)
BODY_BINARY(SDIV, u256_sdiv)
BODY_BINARY(MOD, u256_mod)
BODY_BINARY(SMOD, u256_smod)
BODY_BINARY(SIGNEXTEND, u256_signextend)
BODY_TERNARY(ADDMOD, u256_addmod)
BODY_TERNARY(MULMOD, u256_mulmod)

BODY(EXP) {
	r->gas -= (int64_t)u256_byte_length(&r->sp[-2]) * evm->costs->exp_byte;
	if (r->gas < 0) return op_halt(EVM_OUT_OF_GAS);
	const u256 power = u256_exp(&r->sp[-1], &r->sp[-2]);
	word_copy(&r->sp[-2], &power);
	return END_NEXT;
}

#undef BODY_BINARY
#undef BODY_TERNARY

#endif
