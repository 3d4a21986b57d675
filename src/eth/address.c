#include "codec/rlp.h"
#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "eth/types.h"

static addr20 low_20_bytes(const hash32 *hash) {
	addr20 address;
	memcpy(address.b, hash->b + 12, 20);
	return address;
}

addr20 address_of_public_key(const uint8_t xy[64]) {
	hash32 hash = keccak256(bytes_make(xy, 64));
	return low_20_bytes(&hash);
}

enum status address_of_secret(addr20 *out, const hash32 *secret) {
	uint8_t xy[64];
	TRY(secp_public_key(xy, secret));
	*out = address_of_public_key(xy);
	return STATUS_OK;
}

/* keccak(rlp([sender, nonce])) (Yellow Paper §7); the list is at most 31 bytes, so its header is one byte. */
addr20 address_of_create(const addr20 *sender, uint64_t nonce) {
	uint8_t list[32] = {0xc0, 0x80 + 20}, be[8];
	memcpy(list + 2, sender->b, 20);
	size_t len = 22;
	store_be64(be, nonce);
	size_t width = nonce ? 8 - (size_t)__builtin_clzll(nonce) / 8 : 0;
	if (width != 1 || nonce >= 0x80) list[len++] = (uint8_t)(0x80 + width);
	memcpy(list + len, be + 8 - width, width);
	len += width;
	list[0] = (uint8_t)(0xc0 + len - 1);
	hash32 hash = keccak256(bytes_make(list, len));
	return low_20_bytes(&hash);
}

/* EIP-1014. */
addr20 address_of_create2(const addr20 *sender, const hash32 *salt, const hash32 *init_code_hash) {
	uint8_t preimage[1 + 20 + 32 + 32] = {0xff};
	memcpy(preimage + 1, sender->b, 20);
	memcpy(preimage + 21, salt->b, 32);
	memcpy(preimage + 53, init_code_hash->b, 32);
	hash32 hash = keccak256(bytes_make(preimage, sizeof preimage));
	return low_20_bytes(&hash);
}

void address_checksum(char out[43], const addr20 *address) {
	static const char digits[] = "0123456789abcdef";
	out[0] = '0';
	out[1] = 'x';
	for (int i = 0; i < 20; i++) {
		out[2 + 2 * i] = digits[address->b[i] >> 4];
		out[3 + 2 * i] = digits[address->b[i] & 15];
	}
	out[42] = 0;
	hash32 hash = keccak256(bytes_make(out + 2, 40));
	for (int i = 0; i < 40; i++) {
		bool is_upper = (i % 2 ? hash.b[i / 2] & 15 : hash.b[i / 2] >> 4) >= 8;
		if (out[2 + i] >= 'a' && is_upper) out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
	}
}
