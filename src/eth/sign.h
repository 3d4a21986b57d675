/*
 * Signatures of accounts over digests and over messages for people (EIP-191 version 0x45, as `personal_sign` makes
 * them). Threads: pure.
 */
#ifndef ETH_SIGN_H
#define ETH_SIGN_H

#include "base/bytes.h"
#include "base/status.h"

/* r || s || v, v being 27 or 28. */
struct eth_signature {
	uint8_t b[65];
};

/* keccak("\x19Ethereum Signed Message:\n" || decimal length || message). */
hash32 personal_message_hash(struct bytes message);
/* STATUS_INVALID for a secret out of range. */
MUST_USE enum status eth_sign_digest(struct eth_signature *out, const hash32 *secret, const hash32 *digest);
MUST_USE enum status eth_sign_personal(struct eth_signature *out, const hash32 *secret, struct bytes message);
/* The signer's address. v may be 0, 1, 27 or 28. STATUS_INVALID: another v, r or s out of range, a high s (EIP-2), or
 * no key fits. */
MUST_USE enum status eth_signer(addr20 *out, const struct eth_signature *signature, const hash32 *digest);

#endif
