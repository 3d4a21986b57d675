#include "ledger/evm/precompile_groups.h"

#include "crypto/bn254.h"

/* 0x06 to 0x08: EIP-196 and EIP-197; the prices fell with EIP-1108 (Istanbul). */

static const char *words_of(enum bn254_verdict verdict) {
	static const char *const words[] = {[BN254_OK] = NULL,
	    [BN254_TOO_LARGE] = PRECOMPILE_BAD_ELEMENT,
	    [BN254_OFF_CURVE] = "point is not on curve",
	    [BN254_OUTSIDE_GROUP] = "point is not in correct subgroup"};
	return words[verdict];
}

uint64_t precompile_bn254_add_gas(enum fork fork, struct bytes input) {
	(void)input;
	return fork >= FORK_ISTANBUL ? 150 : 500;
}

const char *precompile_bn254_add_run(struct buf *output, struct bytes input) {
	uint8_t points[128], sum[64];
	precompile_read(points, input, 0, sizeof points);
	const enum bn254_verdict verdict = bn254_g1_add(sum, points, points + 64);
	if (verdict == BN254_OK) buf_append(output, bytes_make(sum, sizeof sum));
	return words_of(verdict);
}

uint64_t precompile_bn254_mul_gas(enum fork fork, struct bytes input) {
	(void)input;
	return fork >= FORK_ISTANBUL ? 6000 : 40000;
}

const char *precompile_bn254_mul_run(struct buf *output, struct bytes input) {
	uint8_t point_and_scalar[96], product[64];
	precompile_read(point_and_scalar, input, 0, sizeof point_and_scalar);
	const enum bn254_verdict verdict = bn254_g1_mul(product, point_and_scalar, point_and_scalar + 64);
	if (verdict == BN254_OK) buf_append(output, bytes_make(product, sizeof product));
	return words_of(verdict);
}

#define PAIR_BYTES 192

/* A part of a pair is paid by nobody, as it is refused. */
uint64_t precompile_bn254_pairing_gas(enum fork fork, struct bytes input) {
	uint64_t pairs = input.len / PAIR_BYTES;
	return fork >= FORK_ISTANBUL ? 45000 + 34000 * pairs : 100000 + 80000 * pairs;
}

const char *precompile_bn254_pairing_run(struct buf *output, struct bytes input) {
	bool is_one;
	if (input.len % PAIR_BYTES != 0) return "bad elliptic curve pairing size";
	const enum bn254_verdict verdict = bn254_pairing_check(&is_one, input.data, input.len / PAIR_BYTES);
	if (verdict != BN254_OK) return words_of(verdict);
	hash32 word = {{[31] = is_one}};
	buf_append(output, BYTES_OF(word));
	return NULL;
}
