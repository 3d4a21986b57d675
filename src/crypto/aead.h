/*
 * AES-256-GCM and AES-256 key wrap through OpenSSL, and AES-128-CTR, which Web3 Secret Storage authenticates by itself.
 * Sources: SP 800-38A, SP 800-38D, RFC 3394, RFC 7518. Threads: pure.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/bytes.h"
#include "base/status.h"

/* `ciphertext` has room for plaintext.len bytes. */
void aes256gcm_seal(uint8_t *ciphertext, uint8_t tag[16], const uint8_t key[32], const uint8_t iv[12], struct bytes aad,
    struct bytes plaintext);
/* STATUS_DENIED if the tag does not fit; then nothing is in `plaintext`. */
MUST_USE enum status aes256gcm_open(uint8_t *plaintext, const uint8_t tag[16], const uint8_t key[32],
    const uint8_t iv[12], struct bytes aad, struct bytes ciphertext);
/* RFC 3394 with the default IV: a 32-byte key becomes 40 bytes. */
void aes256kw_wrap(uint8_t out[40], const uint8_t kek[32], const uint8_t key[32]);
MUST_USE enum status aes256kw_unwrap(uint8_t out[32], const uint8_t kek[32], const uint8_t wrapped[40]);
/* Both directions; `iv` is the first counter block. `out` has room for in.len bytes. */
void aes128ctr(uint8_t *out, const uint8_t key[16], const uint8_t iv[16], struct bytes in);

#endif
