#include "crypto/hash.h"
#include "crypto/secp256k1_keys.h"
#include "eth/transaction_encode.h"

hash32 transaction_hash(const struct transaction *tx) {
	if (tx->raw.len) return keccak256(tx->raw);
	struct buf envelope;
	buf_init(&envelope, BUF_MAX_DEFAULT);
	transaction_encode(&envelope, tx);
	BUG_ON(envelope.overflow);
	hash32 hash = keccak256(buf_view(&envelope));
	buf_fini(&envelope);
	return hash;
}

hash32 transaction_signing_hash(const struct transaction *tx) {
	struct buf message;
	buf_init(&message, BUF_MAX_DEFAULT);
	transaction_encode_unsigned(&message, tx);
	BUG_ON(message.overflow);
	hash32 hash = keccak256(buf_view(&message));
	buf_fini(&message);
	return hash;
}

enum status transaction_sender(addr20 *out, const struct transaction *tx, bool homestead, struct err *err) {
	struct secp_signature signature = {.y_parity = tx->y_parity};
	u256_store_be(signature.r, &tx->r);
	u256_store_be(signature.s, &tx->s);
	if (homestead && !secp_s_is_low(signature.s))
		return err_set(err, STATUS_INVALID, "signature's s is above half the curve's order");
	hash32 digest = transaction_signing_hash(tx);
	uint8_t public_key[64];
	enum status status = secp_recover(public_key, &signature, &digest);
	if (status) return err_set(err, status, "signature fits no key");
	*out = address_of_public_key(public_key);
	return STATUS_OK;
}

/* v of a legacy transaction: 27 + parity, or 35 + 2 * chain id + parity. False where that is over 256 bits. */
static bool legacy_v(u256 *v, const struct transaction *tx) {
	const u256 base = u256_from((tx->has_chain_id ? 35u : 27u) + tx->y_parity);
	*v = base;
	if (!tx->has_chain_id) return true;
	return !u256_add_overflow(v, v, &tx->chain_id) && !u256_add_overflow(v, v, &tx->chain_id);
}

enum status transaction_sign(struct transaction *tx, struct arena *arena, const hash32 *secret, struct err *err) {
	hash32 digest = transaction_signing_hash(tx);
	struct secp_signature signature;
	enum status status = secp_sign(&signature, secret, &digest);
	if (status) return err_set(err, status, "the secret key is out of range");
	tx->r = u256_load_be(signature.r);
	tx->s = u256_load_be(signature.s);
	tx->y_parity = signature.y_parity;
	tx->v = u256_from(signature.y_parity);
	if (tx->type == TX_LEGACY && !legacy_v(&tx->v, tx))
		return err_set(err, STATUS_INVALID, "the chain id is too large for EIP-155");
	struct buf envelope;
	buf_init(&envelope, BUF_MAX_DEFAULT);
	transaction_encode(&envelope, tx);
	status = buf_status(&envelope, err);
	if (!status) tx->raw = arena_dup(arena, buf_view(&envelope));
	buf_fini(&envelope);
	return status;
}
