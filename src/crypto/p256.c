/* Signing uses the deterministic nonces of RFC 6979. */
#include "crypto/p256.h"

#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/p256_work.h"

bool p256_public_is_valid(const struct p256_public *key) {
	struct p256_work work;
	p256_work_init(&work);
	bool valid = p256_load_point(&work, work.point, key);
	p256_work_fini(&work);
	return valid;
}

enum status p256_public_of(struct p256_public *out, const struct p256_secret *secret) {
	struct p256_work work;
	p256_work_init(&work);
	BIGNUM *d = p256_secret_number(&work, secret->d);
	bool valid = p256_is_scalar(d);
	if (valid) {
		BUG_ON(EC_POINT_mul(p256_group(), work.result, d, NULL, NULL, work.numbers) != 1);
		p256_store_point(&work, out->xy, work.result);
	}
	p256_work_fini(&work);
	return valid ? STATUS_OK : STATUS_INVALID;
}

enum status p256_ecdh(uint8_t out[32], const struct p256_secret *secret, const struct p256_public *peer) {
	struct p256_work work;
	p256_work_init(&work);
	BIGNUM *d = p256_secret_number(&work, secret->d);
	bool valid = p256_is_scalar(d) && p256_load_point(&work, work.point, peer);
	if (valid) {
		uint8_t xy[64];
		BUG_ON(EC_POINT_mul(p256_group(), work.result, NULL, work.point, d, work.numbers) != 1);
		p256_store_point(&work, xy, work.result);
		memcpy(out, xy, 32);
		mem_wipe(xy, sizeof xy);
	}
	p256_work_fini(&work);
	return valid ? STATUS_OK : STATUS_INVALID;
}

/* "HPKE-v1" || suite_id || label, the head of the labelled inputs of RFC 9180 §4; KEM 0x0010. */
static void put_label(struct buf *out, const char *label) {
	buf_append(out, BYTES_LITERAL("HPKE-v1KEM\x00\x10"));
	buf_text(out, label);
}

enum status p256_derive_key_pair(struct p256_secret *secret, struct p256_public *public_key, struct bytes ikm) {
	if (ikm.len < 32) return STATUS_INVALID;
	struct buf labelled;
	buf_init(&labelled, ikm.len + 64);
	put_label(&labelled, "dkp_prk");
	buf_append(&labelled, ikm);
	hash32 prk = hmac_sha256((struct bytes){0}, buf_view(&labelled));
	enum status status = STATUS_INVALID;
	for (unsigned counter = 0; status != STATUS_OK && counter < 256; counter++) {
		buf_clear(&labelled);
		buf_append(&labelled, BYTES_LITERAL("\x00\x20"));
		put_label(&labelled, "candidate");
		buf_byte(&labelled, (uint8_t)counter);
		hkdf_expand_sha256(secret->d, sizeof secret->d, &prk, buf_view(&labelled));
		status = p256_public_of(public_key, secret);
	}
	mem_wipe(&prk, sizeof prk);
	buf_wipe(&labelled);
	return status;
}

/* The nonces of RFC 6979 §3.2 for one secret and digest, one after another. */
struct nonces {
	hash32 k, v;
	bool started;
};

static hash32 nonces_mac(const struct nonces *nonces, int separator, const uint8_t *seed, size_t seed_len) {
	uint8_t input[32 + 1 + 64];
	BUG_ON(seed_len > 64);
	memcpy(input, nonces->v.b, 32);
	size_t len = 32;
	if (separator >= 0) input[len++] = (uint8_t)separator;
	if (seed_len) memcpy(input + len, seed, seed_len);
	hash32 mac = hmac_sha256(BYTES_OF(nonces->k), bytes_make(input, len + seed_len));
	mem_wipe(input, sizeof input);
	return mac;
}

static void nonces_stir(struct nonces *nonces, int separator, const uint8_t *seed, size_t seed_len) {
	nonces->k = nonces_mac(nonces, separator, seed, seed_len);
	nonces->v = nonces_mac(nonces, -1, NULL, 0);
}

static void nonces_init(
    struct nonces *nonces, struct p256_work *work, const struct p256_secret *secret, const hash32 *digest) {
	uint8_t seed[64]; /* int2octets(secret) || bits2octets(digest) */
	memcpy(seed, secret->d, 32);
	BIGNUM *h = p256_number(work, digest->b);
	BUG_ON(BN_nnmod(h, h, p256_order(), work->numbers) != 1);
	BUG_ON(BN_bn2binpad(h, seed + 32, 32) != 32);
	memset(nonces->k.b, 0x00, 32);
	memset(nonces->v.b, 0x01, 32);
	nonces->started = false;
	nonces_stir(nonces, 0x00, seed, sizeof seed);
	nonces_stir(nonces, 0x01, seed, sizeof seed);
	mem_wipe(seed, sizeof seed);
}

static void nonces_next(struct nonces *nonces, BIGNUM *k) {
	do {
		if (nonces->started) nonces_stir(nonces, 0x00, NULL, 0);
		nonces->started = true;
		nonces->v = nonces_mac(nonces, -1, NULL, 0);
		BUG_ON(!BN_bin2bn(nonces->v.b, 32, k));
	} while (!p256_is_scalar(k));
}

/* r and s for one nonce; false if either is zero and another nonce is wanted. */
static bool sign_with(struct p256_work *work, uint8_t out[64], const BIGNUM *d, const BIGNUM *h, const BIGNUM *k) {
	const BIGNUM *order = p256_order();
	uint8_t xy[64];
	BUG_ON(EC_POINT_mul(p256_group(), work->result, k, NULL, NULL, work->numbers) != 1);
	p256_store_point(work, xy, work->result);
	BIGNUM *r = p256_number(work, xy);
	BIGNUM *s = p256_secret_number(work, NULL), *inverse = p256_secret_number(work, NULL);
	BUG_ON(BN_nnmod(r, r, order, work->numbers) != 1);
	p256_invert(work, inverse, k);
	p256_multiply(work, s, r, d);
	BUG_ON(BN_mod_add_quick(s, s, h, order) != 1);
	p256_multiply(work, s, s, inverse);
	if (BN_is_zero(r) || BN_is_zero(s)) return false;
	BUG_ON(BN_bn2binpad(r, out, 32) != 32 || BN_bn2binpad(s, out + 32, 32) != 32);
	return true;
}

enum status p256_sign(uint8_t out[64], const struct p256_secret *secret, const hash32 *digest) {
	struct p256_work work;
	p256_work_init(&work);
	BIGNUM *d = p256_secret_number(&work, secret->d);
	bool valid = p256_is_scalar(d);
	if (valid) {
		struct nonces nonces;
		BIGNUM *h = p256_number(&work, digest->b);
		BIGNUM *k = p256_secret_number(&work, NULL);
		BUG_ON(BN_nnmod(h, h, p256_order(), work.numbers) != 1);
		nonces_init(&nonces, &work, secret, digest);
		do nonces_next(&nonces, k);
		while (!sign_with(&work, out, d, h, k));
		mem_wipe(&nonces, sizeof nonces);
	}
	p256_work_fini(&work);
	return valid ? STATUS_OK : STATUS_INVALID;
}

/* The x coordinate of (h/s) G + (r/s) Q, modulo the order, is r? */
static bool verify_with(struct p256_work *work, const BIGNUM *r, const BIGNUM *s, const BIGNUM *h) {
	const BIGNUM *order = p256_order();
	BIGNUM *u1 = p256_number(work, NULL), *u2 = p256_number(work, NULL);
	BUG_ON(!BN_mod_inverse(u2, s, order, work->numbers));
	BUG_ON(BN_mod_mul(u1, h, u2, order, work->numbers) != 1 || BN_mod_mul(u2, r, u2, order, work->numbers) != 1);
	BUG_ON(EC_POINT_mul(p256_group(), work->result, u1, work->point, u2, work->numbers) != 1);
	if (EC_POINT_is_at_infinity(p256_group(), work->result)) return false;
	uint8_t xy[64];
	p256_store_point(work, xy, work->result);
	BIGNUM *x = p256_number(work, xy);
	BUG_ON(BN_nnmod(x, x, order, work->numbers) != 1);
	return BN_cmp(x, r) == 0;
}

bool p256_verify(const uint8_t signature[64], const struct p256_public *key, const hash32 *digest) {
	struct p256_work work;
	p256_work_init(&work);
	BIGNUM *r = p256_number(&work, signature), *s = p256_number(&work, signature + 32),
	       *h = p256_number(&work, digest->b);
	bool valid = p256_is_scalar(r) && p256_is_scalar(s) && p256_load_point(&work, work.point, key) &&
		     verify_with(&work, r, s, h);
	p256_work_fini(&work);
	return valid;
}
