#include "ledger/evm/precompile_groups.h"

#include <gmp.h>

/*
 * 0x05, EIP-198: three lengths, a word each, then base, exponent and modulus of those lengths; the output is base ^
 * exponent mod modulus, as long as the modulus. 0 ^ 0 is 1, and everything mod 0 is 0.
 *
 * Memory: the gas is paid before anything is allocated. Lengths beyond the maxima here would cost more than any block
 * has (EIP-198 is the cheapest: 8·10¹¹ gas for the numbers, 10⁸ for the exponent when blocks had 10⁷), and count as too
 * dear.
 */
#define EXPONENT_BYTES_MAX ((uint64_t)1 << 28)
#define OSAKA_BYTES_MAX 1024 /* EIP-7823 */
#define HEADER_BYTES 96

typedef unsigned __int128 u128;

struct modexp_lengths {
	uint64_t base, exponent, modulus; /* UINT64_MAX where it is more */
};

static uint64_t read_length(struct bytes input, size_t from) {
	static const uint8_t zeros[24];
	uint8_t word[32];
	precompile_read(word, input, from, sizeof word);
	return memcmp(word, zeros, sizeof zeros) == 0 ? load_be64(word + 24) : UINT64_MAX;
}

static struct modexp_lengths read_lengths(struct bytes input) {
	return (struct modexp_lengths){read_length(input, 0), read_length(input, 32), read_length(input, 64)};
}

/* The length of the exponent's first 32 bytes in bits, less one; 0 for zero. */
static uint64_t head_log2(struct bytes input, const struct modexp_lengths *lengths) {
	uint8_t head[32];
	size_t len = lengths->exponent < 32 ? (size_t)lengths->exponent : 32;
	precompile_read(head, input, HEADER_BYTES + (size_t)lengths->base, len);
	for (size_t i = 0; i < len; i++)
		if (head[i] != 0) return 8 * (len - i) - 1 - (unsigned)(__builtin_clz(head[i]) - 24);
	return 0;
}

static u128 iteration_count(struct bytes input, const struct modexp_lengths *lengths, unsigned long_byte_weight) {
	u128 count = head_log2(input, lengths);
	if (lengths->exponent > 32) count += (u128)long_byte_weight * (lengths->exponent - 32);
	return count > 1 ? count : 1;
}

/* EIP-198 */
static u128 complexity_byzantium(u128 len) {
	if (len <= 64) return len * len;
	if (len <= 1024) return len * len / 4 + 96 * len - 3072;
	return len * len / 16 + 480 * len - 199680;
}

static uint64_t longer_of(const struct modexp_lengths *lengths) {
	return lengths->base > lengths->modulus ? lengths->base : lengths->modulus;
}

static uint64_t at_least(u128 gas, uint64_t least) {
	if (gas < least) return least;
	return gas < PRECOMPILE_GAS_NEVER ? (uint64_t)gas : PRECOMPILE_GAS_NEVER;
}

uint64_t precompile_modexp_gas(enum fork fork, struct bytes input) {
	const struct modexp_lengths lengths = read_lengths(input);
	const uint64_t longer = longer_of(&lengths);
	if (longer > PRECOMPILE_MODEXP_BYTES_MAX) return PRECOMPILE_GAS_NEVER;
	if (longer > 0 && lengths.exponent > EXPONENT_BYTES_MAX) return PRECOMPILE_GAS_NEVER;

	const u128 words = (longer + 7) / 8;
	if (fork >= FORK_BERLIN) /* EIP-2565 */
		return at_least(words * words * iteration_count(input, &lengths, 8) / 3, 200);
	return at_least(complexity_byzantium(longer) * iteration_count(input, &lengths, 8) / 20, 0);
}

/* EIP-7883 */
uint64_t precompile_modexp_osaka_gas(enum fork fork, struct bytes input) {
	(void)fork;
	const struct modexp_lengths lengths = read_lengths(input);
	const uint64_t longer = longer_of(&lengths);
	if (longer > PRECOMPILE_MODEXP_BYTES_MAX || lengths.exponent > EXPONENT_BYTES_MAX) return PRECOMPILE_GAS_NEVER;
	const u128 words = (longer + 7) / 8, complexity = longer > 32 ? 2 * words * words : 16;
	return at_least(complexity * iteration_count(input, &lengths, 16), 500);
}

/* input[from .. from + len) as a number; zeros stand behind the input's end. */
static void import_number(mpz_t out, struct bytes input, size_t from, size_t len) {
	struct bytes part = bytes_slice(input, from, len);
	mpz_import(out, part.len, 1, 1, 0, 0, part.data);
	mpz_mul_2exp(out, out, 8 * (mp_bitcnt_t)(len - part.len));
}

const char *precompile_modexp_run(struct buf *output, struct bytes input) {
	struct modexp_lengths lengths = read_lengths(input);
	if (lengths.modulus == 0) return NULL; /* before the others are used: they are without bound then */
	uint8_t *result = buf_extend(output, lengths.modulus);
	if (result == NULL) return NULL; /* output->overflow shows it */
	memset(result, 0, lengths.modulus);

	size_t from = HEADER_BYTES;
	mpz_t base, exponent, modulus;
	mpz_inits(base, exponent, modulus, NULL);
	import_number(base, input, from, lengths.base);
	from += lengths.base;
	import_number(exponent, input, from, lengths.exponent);
	from += lengths.exponent;
	import_number(modulus, input, from, lengths.modulus);
	if (mpz_sgn(modulus) != 0) {
		mpz_powm(base, base, exponent, modulus);
		size_t len = mpz_sgn(base) == 0 ? 0 : (mpz_sizeinbase(base, 2) + 7) / 8;
		mpz_export(result + lengths.modulus - len, NULL, 1, 1, 0, 0, base);
	}
	mpz_clears(base, exponent, modulus, NULL);
	return NULL;
}

/* EIP-7823 */
const char *precompile_modexp_osaka_run(struct buf *output, struct bytes input) {
	const struct modexp_lengths lengths = read_lengths(input);
	if (longer_of(&lengths) > OSAKA_BYTES_MAX || lengths.exponent > OSAKA_BYTES_MAX)
		return "one or more of base/exponent/modulus length exceeded 1024 bytes";
	return precompile_modexp_run(output, input);
}
