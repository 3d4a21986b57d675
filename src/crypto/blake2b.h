/* The compression function F of BLAKE2b, as EIP-152 asks for it (RFC 7693 §3.2). Threads: pure. */
#ifndef CRYPTO_BLAKE2B_H
#define CRYPTO_BLAKE2B_H

#include <stdbool.h>
#include <stdint.h>

void blake2b_compress(uint64_t h[8], const uint64_t m[16], uint64_t t0, uint64_t t1, bool final_block, uint32_t rounds);

#endif
