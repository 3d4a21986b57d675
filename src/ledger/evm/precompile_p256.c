#include "ledger/evm/precompile_groups.h"

#include "crypto/p256.h"

/*
 * 0x100, EIP-7951: hash, r, s, x, y, a word each. The output is the number one for a good signature, and empty for a
 * bad one as well as for any other length of input; the call itself never fails.
 */
#define P256VERIFY_INPUT_BYTES 160

uint64_t precompile_p256verify_gas(enum fork fork, struct bytes input) {
	(void)fork, (void)input;
	return 6900;
}

const char *precompile_p256verify_run(struct buf *output, struct bytes input) {
	if (input.len != P256VERIFY_INPUT_BYTES) return NULL;
	hash32 digest;
	struct p256_public key;
	memcpy(digest.b, input.data, 32);
	memcpy(key.xy, input.data + 96, 64);
	if (!p256_verify(input.data + 32, &key, &digest)) return NULL;
	hash32 one = {{[31] = 1}};
	buf_append(output, BYTES_OF(one));
	return NULL;
}
