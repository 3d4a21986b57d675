/*
 * Hashes, MACs and key derivation. Keccak-256 (the original padding of the Yellow Paper, not SHA-3's) and scrypt are
 * our own; the rest is OpenSSL's.
 *
 * Sources: Yellow Paper app. A; FIPS 180-4; RFC 2104, 5869, 7914, 8018. Threads: pure; a `struct keccak` has one owner.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/bytes.h"
#include "base/status.h"

hash32 keccak256(struct bytes message);

struct keccak {
	uint64_t lanes[25];
	size_t absorbed_bytes; /* [0, 136) within the rate */
};
void keccak256_init(struct keccak *keccak);
void keccak256_update(struct keccak *keccak, struct bytes part);
hash32 keccak256_final(struct keccak *keccak);

hash32 sha256(struct bytes message);
/* Several parts as one message; at most 8. */
hash32 sha256_parts(const struct bytes *parts, size_t count);
void sha512(uint8_t out[64], struct bytes message);
void ripemd160(uint8_t out[20], struct bytes message);
hash32 hmac_sha256(struct bytes key, struct bytes message);
void hmac_sha512(uint8_t out[64], struct bytes key, struct bytes message);

/* RFC 5869 extract and expand; `out_len` in [1, 8160]. */
void hkdf_sha256(uint8_t *out, size_t out_len, struct bytes salt, struct bytes secret, struct bytes info);
/* Expand alone, from a 32-byte pseudorandom key. */
void hkdf_expand_sha256(uint8_t *out, size_t out_len, const hash32 *prk, struct bytes info);

void pbkdf2_sha256(uint8_t *out, size_t out_len, struct bytes password, struct bytes salt, uint32_t iterations);
void pbkdf2_sha512(uint8_t *out, size_t out_len, struct bytes password, struct bytes salt, uint32_t iterations);
/* STATUS_LIMIT where n * r * 128 is over 1 GiB, or p times that over 8 GiB; STATUS_INVALID where n is no power of two.
 */
MUST_USE enum status scrypt(uint8_t *out, size_t out_len, struct bytes password, struct bytes salt, uint64_t n,
    uint32_t r, uint32_t p, struct err *err);

/* True when equal; time depends on the length only. */
bool constant_time_equal(struct bytes a, struct bytes b);

#endif
