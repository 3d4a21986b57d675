#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "eth/rlp_u256.h"
#include "eth/types.h"

#define MAGIC 0x05 /* EIP-7702 */

static hash32 signing_hash(const struct authorization *authorization) {
	struct buf message;
	buf_init(&message, 128);
	buf_byte(&message, MAGIC);
	size_t list = rlp_list_begin(&message);
	rlp_put_u256(&message, &authorization->chain_id);
	rlp_put_string(&message, BYTES_OF(authorization->address));
	rlp_put_u64(&message, authorization->nonce);
	rlp_list_end(&message, list);
	BUG_ON(message.overflow);
	hash32 hash = keccak256(buf_view(&message));
	buf_fini(&message);
	return hash;
}

enum status authorization_authority(addr20 *out, const struct authorization *authorization) {
	if (u256_clamp_u64(&authorization->y_parity) > 1) return STATUS_INVALID;
	struct secp_signature signature = {.y_parity = (uint8_t)authorization->y_parity.w[0]};
	u256_store_be(signature.r, &authorization->r);
	u256_store_be(signature.s, &authorization->s);
	if (!secp_s_is_low(signature.s)) return STATUS_INVALID;
	hash32 digest = signing_hash(authorization);
	uint8_t public_key[64];
	TRY(secp_recover(public_key, &signature, &digest));
	*out = address_of_public_key(public_key);
	return STATUS_OK;
}

enum status authorization_sign(struct authorization *authorization, const hash32 *secret) {
	hash32 digest = signing_hash(authorization);
	struct secp_signature signature;
	TRY(secp_sign(&signature, secret, &digest));
	authorization->y_parity = u256_from(signature.y_parity);
	authorization->r = u256_load_be(signature.r);
	authorization->s = u256_load_be(signature.s);
	return STATUS_OK;
}
