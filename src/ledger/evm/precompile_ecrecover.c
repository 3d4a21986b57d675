#include "ledger/evm/precompile_groups.h"

#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"

/* 0x01, Yellow Paper app. E: hash, v, r, s, a word each. An input that no key signed gives empty output, not a failure.
 */

uint64_t precompile_ecrecover_gas(enum fork fork, struct bytes input) {
	(void)fork, (void)input;
	return 3000;
}

const char *precompile_ecrecover_run(struct buf *output, struct bytes input) {
	uint8_t words[128];
	precompile_read(words, input, 0, sizeof words);
	static const uint8_t zeros[31];
	uint8_t v = words[63];
	if (memcmp(words + 32, zeros, sizeof zeros) != 0 || (v != 27 && v != 28)) return NULL;

	hash32 digest;
	struct secp_signature signature = {.y_parity = v - 27};
	memcpy(digest.b, words, 32);
	memcpy(signature.r, words + 64, 32);
	memcpy(signature.s, words + 96, 32);
	uint8_t public_key[64];
	if (secp_recover(public_key, &signature, &digest) != STATUS_OK) return NULL;
	hash32 word = keccak256(bytes_make(public_key, sizeof public_key));
	memset(word.b, 0, 12); /* the address is the last 20 bytes */
	buf_append(output, BYTES_OF(word));
	return NULL;
}
