#include "crypto/hash.h"

#define RATE_BYTES 136u
#define ROUNDS 24

static const uint64_t round_constants[ROUNDS] = {0x0000000000000001, 0x0000000000008082, 0x800000000000808a,
    0x8000000080008000, 0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a, 0x000000008000808b,
    0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001,
    0x8000000080008008};

/* For want of registers gcc keeps lanes in vector registers, which takes half as long again as keeping them in memory.
 */
#ifdef __x86_64__
#define PLAIN_REGISTERS __attribute__((target("general-regs-only")))
#else
#define PLAIN_REGISTERS
#endif
#define INLINE static inline __attribute__((always_inline)) PLAIN_REGISTERS

INLINE uint64_t rotate(uint64_t lane, unsigned bits) {
	return bits ? lane << bits | lane >> (64 - bits) : lane;
}

/* Chi over one row of five lanes, which rho and pi have already brought here. */
INLINE void chi(uint64_t *row, uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3, uint64_t b4) {
	row[0] = b0 ^ (~b1 & b2);
	row[1] = b1 ^ (~b2 & b3);
	row[2] = b2 ^ (~b3 & b4);
	row[3] = b3 ^ (~b4 & b0);
	row[4] = b4 ^ (~b0 & b1);
}

/* One round from a to e: lane (x, y) stands at x + 5y. */
INLINE void round_from_to(uint64_t *restrict e, const uint64_t *restrict a, uint64_t constant) {
	uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
	uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
	uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
	uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
	uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
	uint64_t d0 = c4 ^ rotate(c1, 1);
	uint64_t d1 = c0 ^ rotate(c2, 1);
	uint64_t d2 = c1 ^ rotate(c3, 1);
	uint64_t d3 = c2 ^ rotate(c4, 1);
	uint64_t d4 = c3 ^ rotate(c0, 1);
	chi(e, a[0] ^ d0, rotate(a[6] ^ d1, 44), rotate(a[12] ^ d2, 43), rotate(a[18] ^ d3, 21),
	    rotate(a[24] ^ d4, 14));
	e[0] ^= constant;
	chi(e + 5, rotate(a[3] ^ d3, 28), rotate(a[9] ^ d4, 20), rotate(a[10] ^ d0, 3), rotate(a[16] ^ d1, 45),
	    rotate(a[22] ^ d2, 61));
	chi(e + 10, rotate(a[1] ^ d1, 1), rotate(a[7] ^ d2, 6), rotate(a[13] ^ d3, 25), rotate(a[19] ^ d4, 8),
	    rotate(a[20] ^ d0, 18));
	chi(e + 15, rotate(a[4] ^ d4, 27), rotate(a[5] ^ d0, 36), rotate(a[11] ^ d1, 10), rotate(a[17] ^ d2, 15),
	    rotate(a[23] ^ d3, 56));
	chi(e + 20, rotate(a[2] ^ d2, 62), rotate(a[8] ^ d3, 55), rotate(a[14] ^ d4, 39), rotate(a[15] ^ d0, 41),
	    rotate(a[21] ^ d1, 2));
}

PLAIN_REGISTERS static void permute(uint64_t lanes[25]) {
	uint64_t other[25];
	for (int i = 0; i < ROUNDS; i += 2) {
		round_from_to(other, lanes, round_constants[i]);
		round_from_to(lanes, other, round_constants[i + 1]);
	}
}

/* Lanes are little-endian (FIPS 202 §3.1.2), and so are the processors that this is built for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keccak.c wants a little-endian machine");

static void absorb_block(uint64_t lanes[25], const uint8_t *block) {
	for (unsigned i = 0; i < RATE_BYTES / 8; i++) {
		uint64_t lane;
		memcpy(&lane, block + 8 * i, 8);
		lanes[i] ^= lane;
	}
	permute(lanes);
}

static void absorb_bytes(struct keccak *keccak, const uint8_t *data, size_t len) {
	uint8_t *state = (uint8_t *)keccak->lanes + keccak->absorbed_bytes;
	for (size_t i = 0; i < len; i++) state[i] ^= data[i];
	keccak->absorbed_bytes += len;
}

void keccak256_init(struct keccak *keccak) {
	*keccak = (struct keccak){0};
}

void keccak256_update(struct keccak *keccak, struct bytes part) {
	if (keccak->absorbed_bytes) {
		size_t room = RATE_BYTES - keccak->absorbed_bytes;
		if (part.len < room) {
			absorb_bytes(keccak, part.data, part.len);
			return;
		}
		absorb_bytes(keccak, part.data, room);
		permute(keccak->lanes);
		keccak->absorbed_bytes = 0;
		part = bytes_slice(part, room, part.len);
	}
	for (; part.len >= RATE_BYTES; part = bytes_slice(part, RATE_BYTES, part.len))
		absorb_block(keccak->lanes, part.data);
	absorb_bytes(keccak, part.data, part.len);
}

hash32 keccak256_final(struct keccak *keccak) {
	uint8_t *state = (uint8_t *)keccak->lanes;
	state[keccak->absorbed_bytes] ^= 0x01;
	state[RATE_BYTES - 1] ^= 0x80;
	permute(keccak->lanes);
	hash32 digest;
	memcpy(digest.b, state, sizeof digest.b);
	return digest;
}

hash32 keccak256(struct bytes message) {
	struct keccak keccak;
	keccak256_init(&keccak);
	keccak256_update(&keccak, message);
	return keccak256_final(&keccak);
}
