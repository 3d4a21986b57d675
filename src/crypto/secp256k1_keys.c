#include "crypto/secp256k1_keys.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "base/mem.h"

/* The static context can verify and recover; making keys and signatures wants the generator's table. */
static secp256k1_context *context;

__attribute__((constructor)) static void make_context(void) {
	context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	BUG_ON(!context);
}

void secp_init(const uint8_t seed[32]) {
	BUG_ON(secp256k1_context_randomize(context, seed) != 1);
}

bool secp_secret_is_valid(const hash32 *secret) {
	return secp256k1_ec_seckey_verify(context, secret->b) == 1;
}

static enum status serialize_public(uint8_t *out, size_t len, const hash32 *secret, unsigned form) {
	secp256k1_pubkey point;
	if (secp256k1_ec_pubkey_create(context, &point, secret->b) != 1) return STATUS_INVALID;
	size_t written = len;
	secp256k1_ec_pubkey_serialize(context, out, &written, &point, form);
	BUG_ON(written != len);
	return STATUS_OK;
}

enum status secp_public_key(uint8_t out[64], const hash32 *secret) {
	uint8_t point[65];
	TRY(serialize_public(point, sizeof point, secret, SECP256K1_EC_UNCOMPRESSED));
	memcpy(out, point + 1, 64);
	return STATUS_OK;
}

enum status secp_public_key_compressed(uint8_t out[33], const hash32 *secret) {
	return serialize_public(out, 33, secret, SECP256K1_EC_COMPRESSED);
}

enum status secp_sign(struct secp_signature *out, const hash32 *secret, const hash32 *digest) {
	secp256k1_ecdsa_recoverable_signature signature;
	if (secp256k1_ecdsa_sign_recoverable(context, &signature, digest->b, secret->b, NULL, NULL) != 1)
		return STATUS_INVALID;
	uint8_t compact[64];
	int recovery_id;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(context, compact, &recovery_id, &signature);
	/* r + n below the field's prime: one signature in 2^127, which Ethereum cannot spell. */
	if (recovery_id > 1) return STATUS_UNSUPPORTED;
	memcpy(out->r, compact, 32);
	memcpy(out->s, compact + 32, 32);
	out->y_parity = (uint8_t)recovery_id;
	return STATUS_OK;
}

enum status secp_recover(uint8_t out[64], const struct secp_signature *signature, const hash32 *digest) {
	if (signature->y_parity > 1) return STATUS_INVALID;
	uint8_t compact[64];
	memcpy(compact, signature->r, 32);
	memcpy(compact + 32, signature->s, 32);
	const secp256k1_context *shared = secp256k1_context_static;
	secp256k1_ecdsa_recoverable_signature recoverable;
	secp256k1_pubkey point;
	if (secp256k1_ecdsa_recoverable_signature_parse_compact(shared, &recoverable, compact, signature->y_parity) !=
		1 ||
	    secp256k1_ecdsa_recover(shared, &point, &recoverable, digest->b) != 1)
		return STATUS_INVALID;
	uint8_t uncompressed[65];
	size_t written = sizeof uncompressed;
	secp256k1_ec_pubkey_serialize(shared, uncompressed, &written, &point, SECP256K1_EC_UNCOMPRESSED);
	memcpy(out, uncompressed + 1, 64);
	return STATUS_OK;
}

bool secp_s_is_low(const uint8_t s[32]) {
	static const uint8_t half_order[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b,
	    0x20, 0xa0};
	return memcmp(s, half_order, 32) <= 0;
}

enum status secp_complete(
    struct secp_signature *out, const uint8_t pair[64], const uint8_t public_key[64], const hash32 *digest) {
	const secp256k1_context *shared = secp256k1_context_static;
	secp256k1_ecdsa_signature signature;
	uint8_t low[64], found[64];
	if (secp256k1_ecdsa_signature_parse_compact(shared, &signature, pair) != 1) return STATUS_CORRUPT;
	(void)secp256k1_ecdsa_signature_normalize(shared, &signature, &signature);
	secp256k1_ecdsa_signature_serialize_compact(shared, low, &signature);
	memcpy(out->r, low, 32);
	memcpy(out->s, low + 32, 32);
	for (out->y_parity = 0; out->y_parity < 2; out->y_parity++)
		if (secp_recover(found, out, digest) == STATUS_OK && memcmp(found, public_key, sizeof found) == 0)
			return STATUS_OK;
	return STATUS_CORRUPT;
}

enum status secp_secret_tweak_add(hash32 *secret, const hash32 *tweak) {
	hash32 sum = *secret;
	bool fits = secp256k1_ec_seckey_tweak_add(context, sum.b, tweak->b) == 1;
	if (fits) *secret = sum;
	mem_wipe(&sum, sizeof sum);
	return fits ? STATUS_OK : STATUS_INVALID;
}
