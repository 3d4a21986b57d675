#include "ledger/evm/precompile_groups.h"

#include "crypto/blake2b.h"
#include "crypto/hash.h"

/* 0x02 to 0x04: Yellow Paper app. E. */

static uint64_t gas_by_words(uint64_t base_gas, uint64_t word_gas, struct bytes input) {
	return base_gas + word_gas * (input.len / 32 + (input.len % 32 != 0));
}

uint64_t precompile_sha256_gas(enum fork fork, struct bytes input) {
	(void)fork;
	return gas_by_words(60, 12, input);
}

const char *precompile_sha256_run(struct buf *output, struct bytes input) {
	hash32 digest = sha256(input);
	buf_append(output, BYTES_OF(digest));
	return NULL;
}

uint64_t precompile_ripemd160_gas(enum fork fork, struct bytes input) {
	(void)fork;
	return gas_by_words(600, 120, input);
}

/* The digest stands at the end of a word. */
const char *precompile_ripemd160_run(struct buf *output, struct bytes input) {
	hash32 word = {{0}};
	ripemd160(word.b + 12, input);
	buf_append(output, BYTES_OF(word));
	return NULL;
}

uint64_t precompile_identity_gas(enum fork fork, struct bytes input) {
	(void)fork;
	return gas_by_words(15, 3, input);
}

const char *precompile_identity_run(struct buf *output, struct bytes input) {
	buf_append(output, input);
	return NULL;
}

/*
 * 0x09, EIP-152: rounds (4 bytes, big-endian), then little-endian words h[8], m[16], t[2], then the final flag. One gas
 * a round. Input of any other length is refused; its gas does not matter then.
 */
#define BLAKE2F_INPUT_BYTES 213

uint64_t precompile_blake2f_gas(enum fork fork, struct bytes input) {
	(void)fork;
	return input.len == BLAKE2F_INPUT_BYTES ? load_be32(input.data) : 0;
}

static void load_words(uint64_t *out, const uint8_t *in, size_t count) {
	for (size_t i = 0; i < count; i++) out[i] = __builtin_bswap64(load_be64(in + 8 * i));
}

const char *precompile_blake2f_run(struct buf *output, struct bytes input) {
	if (input.len != BLAKE2F_INPUT_BYTES) return PRECOMPILE_BAD_LENGTH;
	uint8_t final_flag = input.data[212];
	if (final_flag > 1) return "invalid final flag";
	uint64_t h[8], m[16], t[2];
	load_words(h, input.data + 4, 8);
	load_words(m, input.data + 68, 16);
	load_words(t, input.data + 196, 2);
	blake2b_compress(h, m, t[0], t[1], final_flag == 1, load_be32(input.data));
	uint8_t result[64];
	for (size_t i = 0; i < 8; i++) store_be64(result + 8 * i, __builtin_bswap64(h[i]));
	buf_append(output, bytes_make(result, sizeof result));
	return NULL;
}
