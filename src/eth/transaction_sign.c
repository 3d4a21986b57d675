#include "crypto/hash.h"
#include "crypto/secp256k1_many.h"
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

enum { SENDERS_AT_ONCE = 32 };

static struct secp_signature signature_of(const struct transaction *tx) {
	struct secp_signature out = {.y_parity = tx->y_parity};
	u256_store_be(out.r, &tx->r);
	u256_store_be(out.s, &tx->s);
	return out;
}

enum status transaction_sender(addr20 *out, const struct transaction *tx, bool homestead, struct err *err) {
	const struct secp_signature signature = signature_of(tx);
	if (homestead && !secp_s_is_low(signature.s))
		return err_set(err, STATUS_INVALID, "signature's s is above half the curve's order");
	hash32 digest = transaction_signing_hash(tx);
	uint8_t public_key[64];
	enum status status = secp_recover(public_key, &signature, &digest);
	if (status) return err_set(err, status, "signature fits no key");
	*out = address_of_public_key(public_key);
	return STATUS_OK;
}

static void some_senders(
    addr20 *out, enum status *statuses, const struct transaction *const *txs, size_t count, bool homestead) {
	struct secp_signature signatures[SENDERS_AT_ONCE];
	hash32 digests[SENDERS_AT_ONCE];
	uint8_t keys[SENDERS_AT_ONCE][64];
	for (size_t i = 0; i < count; i++) {
		signatures[i] = signature_of(txs[i]);
		digests[i] = transaction_signing_hash(txs[i]);
	}
	secp_recover_many(keys, statuses, signatures, digests, count);
	for (size_t i = 0; i < count; i++) {
		if (homestead && !secp_s_is_low(signatures[i].s)) statuses[i] = STATUS_INVALID;
		if (statuses[i] == STATUS_OK) out[i] = address_of_public_key(keys[i]);
	}
}

void transaction_senders(
    addr20 *out, enum status *statuses, const struct transaction *const *txs, size_t count, bool homestead) {
	for (size_t done = 0; done < count; done += SENDERS_AT_ONCE) {
		const size_t left = count - done, some = left < SENDERS_AT_ONCE ? left : SENDERS_AT_ONCE;
		some_senders(out + done, statuses + done, txs + done, some, homestead);
	}
}

/* v of a legacy transaction: 27 + parity, or 35 + 2 * chain id + parity. False if that is over 256 bits. */
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
