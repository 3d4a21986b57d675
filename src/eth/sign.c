#include "eth/sign.h"

#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "eth/types.h"

#include <stdio.h>

hash32 personal_message_hash(struct bytes message) {
	char prefix[64];
	int len = snprintf(prefix, sizeof prefix,
	    "\x19"
	    "Ethereum Signed Message:\n%zu",
	    message.len);
	struct keccak keccak;
	keccak256_init(&keccak);
	keccak256_update(&keccak, bytes_make(prefix, (size_t)len));
	keccak256_update(&keccak, message);
	return keccak256_final(&keccak);
}

enum status eth_sign_digest(struct eth_signature *out, const hash32 *secret, const hash32 *digest) {
	struct secp_signature signature;
	TRY(secp_sign(&signature, secret, digest));
	memcpy(out->b, signature.r, 32);
	memcpy(out->b + 32, signature.s, 32);
	out->b[64] = (uint8_t)(27 + signature.y_parity);
	return STATUS_OK;
}

enum status eth_sign_personal(struct eth_signature *out, const hash32 *secret, struct bytes message) {
	hash32 digest = personal_message_hash(message);
	return eth_sign_digest(out, secret, &digest);
}

enum status eth_signer(addr20 *out, const struct eth_signature *signature, const hash32 *digest) {
	uint8_t v = signature->b[64], public_key[64];
	if (v >= 27) v = (uint8_t)(v - 27);
	if (v > 1) return STATUS_INVALID;
	struct secp_signature parts = {.y_parity = v};
	memcpy(parts.r, signature->b, 32);
	memcpy(parts.s, signature->b + 32, 32);
	if (!secp_s_is_low(parts.s)) return STATUS_INVALID;
	TRY(secp_recover(public_key, &parts, digest));
	*out = address_of_public_key(public_key);
	return STATUS_OK;
}
