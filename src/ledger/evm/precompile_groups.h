/* What the groups of precompiles give to the table in precompiles.c. Internal to precompile*.c. Threads: pure. */
#ifndef LEDGER_EVM_PRECOMPILE_GROUPS_H
#define LEDGER_EVM_PRECOMPILE_GROUPS_H

#include "ledger/evm/precompiles.h"

#define PRECOMPILE_BAD_LENGTH "invalid input length"
#define PRECOMPILE_BAD_ELEMENT "invalid fp.Element encoding"

/* Returns what `expression` returns, unless that is NULL. */
#define PRECOMPILE_TRY(expression)                                                                                     \
	do {                                                                                                           \
		const char *refusal_ = (expression);                                                                   \
		if (refusal_ != NULL) return refusal_;                                                                 \
	} while (0)

#define PRECOMPILE_DECLARE(name)                                                                                       \
	uint64_t precompile_##name##_gas(enum fork fork, struct bytes input);                                          \
	const char *precompile_##name##_run(struct buf *output, struct bytes input);

PRECOMPILE_DECLARE(ecrecover)
PRECOMPILE_DECLARE(sha256)
PRECOMPILE_DECLARE(ripemd160)
PRECOMPILE_DECLARE(identity)
PRECOMPILE_DECLARE(modexp)
PRECOMPILE_DECLARE(modexp_osaka)
PRECOMPILE_DECLARE(bn254_add)
PRECOMPILE_DECLARE(bn254_mul)
PRECOMPILE_DECLARE(bn254_pairing)
PRECOMPILE_DECLARE(blake2f)
PRECOMPILE_DECLARE(p256verify)
PRECOMPILE_DECLARE(point_evaluation)
PRECOMPILE_DECLARE(bls12_g1add)
PRECOMPILE_DECLARE(bls12_g1msm)
PRECOMPILE_DECLARE(bls12_g2add)
PRECOMPILE_DECLARE(bls12_g2msm)
PRECOMPILE_DECLARE(bls12_pairing_check)
PRECOMPILE_DECLARE(bls12_map_fp_to_g1)
PRECOMPILE_DECLARE(bls12_map_fp2_to_g2)

#undef PRECOMPILE_DECLARE

/* input[from .. from + len), zeros standing behind the input's end, as the Yellow Paper reads every input. */
static inline void precompile_read(uint8_t *out, struct bytes input, size_t from, size_t len) {
	struct bytes part = bytes_slice(input, from, len);
	if (part.len > 0) memcpy(out, part.data, part.len);
	memset(out + part.len, 0, len - part.len);
}

#endif
