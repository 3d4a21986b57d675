#include "ledger/evm/precompiles.h"

#include "ledger/evm/precompile_groups.h"

#define ENTRY(address, since, name, function)                                                                          \
	{ address, since, name, precompile_##function##_gas, precompile_##function##_run }

/* In order of address; of one address, the newest fork's first. */
static const struct precompile precompiles[] = {
    ENTRY(0x01, FORK_FRONTIER, "ECREC", ecrecover),
    ENTRY(0x02, FORK_FRONTIER, "SHA256", sha256),
    ENTRY(0x03, FORK_FRONTIER, "RIPEMD160", ripemd160),
    ENTRY(0x04, FORK_FRONTIER, "ID", identity),
    ENTRY(0x05, FORK_OSAKA, "MODEXP", modexp_osaka),
    ENTRY(0x05, FORK_BYZANTIUM, "MODEXP", modexp),
    ENTRY(0x06, FORK_BYZANTIUM, "BN254_ADD", bn254_add),
    ENTRY(0x07, FORK_BYZANTIUM, "BN254_MUL", bn254_mul),
    ENTRY(0x08, FORK_BYZANTIUM, "BN254_PAIRING", bn254_pairing),
    ENTRY(0x09, FORK_ISTANBUL, "BLAKE2F", blake2f),
    ENTRY(0x0a, FORK_CANCUN, "KZG_POINT_EVALUATION", point_evaluation),
    ENTRY(0x0b, FORK_PRAGUE, "BLS12_G1ADD", bls12_g1add),
    ENTRY(0x0c, FORK_PRAGUE, "BLS12_G1MSM", bls12_g1msm),
    ENTRY(0x0d, FORK_PRAGUE, "BLS12_G2ADD", bls12_g2add),
    ENTRY(0x0e, FORK_PRAGUE, "BLS12_G2MSM", bls12_g2msm),
    ENTRY(0x0f, FORK_PRAGUE, "BLS12_PAIRING_CHECK", bls12_pairing_check),
    ENTRY(0x10, FORK_PRAGUE, "BLS12_MAP_FP_TO_G1", bls12_map_fp_to_g1),
    ENTRY(0x11, FORK_PRAGUE, "BLS12_MAP_FP2_TO_G2", bls12_map_fp2_to_g2),
    ENTRY(0x100, FORK_OSAKA, "P256VERIFY", p256verify),
};

const struct precompile *precompile_find(enum fork fork, const addr20 *address) {
	static const uint8_t zeros[18];
	if (memcmp(address->b, zeros, sizeof zeros) != 0) return NULL;
	unsigned number = (unsigned)address->b[18] << 8 | address->b[19];
	for (size_t i = 0; i < sizeof precompiles / sizeof *precompiles; i++)
		if (precompiles[i].address == number && fork >= precompiles[i].since) return &precompiles[i];
	return NULL;
}

struct precompile_result precompile_run(
    const struct precompile *precompile, struct buf *output, enum fork fork, struct bytes input, uint64_t gas_limit) {
	struct precompile_result failure = {.success = false, .gas_used = gas_limit};
	uint64_t gas = precompile->gas(fork, input);
	if (gas > gas_limit || gas == PRECOMPILE_GAS_NEVER) return failure;
	failure.refusal = precompile->run(output, input);
	if (failure.refusal != NULL) return failure;
	BUG_ON(output->overflow); /* the caller's maximum is too small */
	return (struct precompile_result){.success = true, .gas_used = gas};
}
