/*
 * scrypt (RFC 7914). Our own, because OpenSSL holds to the RFC's n < 2^(16 r) and so refuses files that wallets have
 * written (n = 2^18 with r = 1 is Web3 Secret Storage's own example). Access to the table depends on the password, as
 * the design of scrypt has it.
 */
#include "crypto/hash.h"

#include "base/mem.h"

#define MEMORY_BYTES_MAX ((uint64_t)1 << 30)
#define WORK_BYTES_MAX ((uint64_t)8 << 30) /* mixed, over all p */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "scrypt's words are little-endian, and are read as they lie");

static inline uint32_t rotate(uint32_t word, unsigned bits) {
	return word << bits | word >> (32 - bits);
}

static inline void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
	*b ^= rotate(*a + *d, 7);
	*c ^= rotate(*b + *a, 9);
	*d ^= rotate(*c + *b, 13);
	*a ^= rotate(*d + *c, 18);
}

/* state = Salsa20/8(state xor block) (§3). */
static void salsa20_8(uint32_t state[16], const uint32_t block[16]) {
	uint32_t x[16];
	for (int i = 0; i < 16; i++) x[i] = state[i] ^= block[i];
	for (int i = 0; i < 4; i++) {
		quarter(&x[0], &x[4], &x[8], &x[12]);
		quarter(&x[5], &x[9], &x[13], &x[1]);
		quarter(&x[10], &x[14], &x[2], &x[6]);
		quarter(&x[15], &x[3], &x[7], &x[11]);
		quarter(&x[0], &x[1], &x[2], &x[3]);
		quarter(&x[5], &x[6], &x[7], &x[4]);
		quarter(&x[10], &x[11], &x[8], &x[9]);
		quarter(&x[15], &x[12], &x[13], &x[14]);
	}
	for (int i = 0; i < 16; i++) state[i] += x[i];
}

/* §4: 2r blocks of 64 bytes; the even results come first. */
static void block_mix(uint32_t *out, const uint32_t *in, size_t r) {
	uint32_t state[16];
	memcpy(state, in + (2 * r - 1) * 16, sizeof state);
	for (size_t i = 0; i < 2 * r; i++) {
		salsa20_8(state, in + 16 * i);
		memcpy(out + 16 * (i / 2 + (i & 1) * r), state, sizeof state);
	}
}

/* §5: mixes one block of 128 r bytes. `table` holds n of them, `work` one. */
static void ro_mix(uint32_t *block, uint32_t *table, uint32_t *work, uint64_t n, size_t r) {
	size_t words = 32 * r;
	for (uint64_t i = 0; i < n; i++) {
		uint32_t *row = table + i * words;
		memcpy(row, block, 4 * words);
		block_mix(block, row, r);
	}
	for (uint64_t i = 0; i < n; i++) {
		uint64_t low = block[words - 16], high = block[words - 15];
		const uint32_t *row = table + ((high << 32 | low) & (n - 1)) * words;
		for (size_t j = 0; j < words; j++) work[j] = block[j] ^ row[j];
		block_mix(block, work, r);
	}
}

enum status scrypt(uint8_t *out, size_t out_len, struct bytes password, struct bytes salt, uint64_t n, uint32_t r,
    uint32_t p, struct err *err) {
	if (n < 2 || (n & (n - 1)) || r == 0 || p == 0)
		return err_set(err, STATUS_INVALID, "scrypt: n must be a power of two above 1, r and p positive");
	uint64_t block_bytes = 128 * (uint64_t)r;
	if (n > MEMORY_BYTES_MAX / block_bytes) return err_set(err, STATUS_LIMIT, "scrypt: wants more than 1 GiB");
	if (p > WORK_BYTES_MAX / (n * block_bytes) || p > MEMORY_BYTES_MAX / block_bytes)
		return err_set(err, STATUS_LIMIT, "scrypt: p is too large for these n and r");
	size_t blocks_bytes = p * block_bytes, table_bytes = n * block_bytes;
	uint32_t *blocks = mem_alloc(blocks_bytes), *table = mem_alloc(table_bytes), *work = mem_alloc(block_bytes);
	pbkdf2_sha256((uint8_t *)blocks, blocks_bytes, password, salt, 1);
	for (size_t i = 0; i < p; i++) ro_mix(blocks + i * 32 * r, table, work, n, r);
	pbkdf2_sha256(out, out_len, password, bytes_make(blocks, blocks_bytes), 1);
	mem_wipe(table, table_bytes);
	mem_wipe(work, block_bytes);
	mem_wipe(blocks, blocks_bytes);
	mem_free(table);
	mem_free(work);
	mem_free(blocks);
	return STATUS_OK;
}
