/*
 * Curve arithmetic is OpenSSL's EC_POINT layer: on the processors we build for it is the constant-time nistz256 code,
 * and it takes neither providers' locks nor randomness. Signing uses the deterministic nonces of RFC 6979.
 */
#include "crypto/p256.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "base/mem.h"
#include "crypto/hash.h"

static EC_GROUP *group;
static BN_MONT_CTX *order_mont;
static BIGNUM *order_minus_2; /* the exponent of Fermat's inverse modulo the order */

__attribute__((constructor)) static void make_group(void) {
	group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	order_mont = BN_MONT_CTX_new();
	BN_CTX *numbers = BN_CTX_new();
	BUG_ON(!group || !order_mont || !numbers);
	order_minus_2 = BN_dup(EC_GROUP_get0_order(group));
	BUG_ON(!order_minus_2 || BN_sub_word(order_minus_2, 2) != 1);
	BUG_ON(BN_MONT_CTX_set(order_mont, EC_GROUP_get0_order(group), numbers) != 1);
	BN_CTX_free(numbers);
}

/* Everything that one operation needs, freed (and wiped) together. */
struct work {
	BN_CTX *numbers;
	EC_POINT *point, *result;
};

static void work_init(struct work *work) {
	work->numbers = BN_CTX_secure_new();
	work->point = EC_POINT_new(group);
	work->result = EC_POINT_new(group);
	BUG_ON(!work->numbers || !work->point || !work->result);
	BN_CTX_start(work->numbers);
}

static void work_fini(struct work *work) {
	EC_POINT_clear_free(work->result);
	EC_POINT_clear_free(work->point);
	BN_CTX_end(work->numbers);
	BN_CTX_free(work->numbers);
}

static BIGNUM *number(struct work *work, const uint8_t big_endian[32]) {
	BIGNUM *value = BN_CTX_get(work->numbers);
	BUG_ON(!value || (big_endian && !BN_bin2bn(big_endian, 32, value)));
	return value;
}

/* A secret number: OpenSSL's operations on it then take constant-time paths. */
static BIGNUM *secret_number(struct work *work, const uint8_t big_endian[32]) {
	BIGNUM *value = number(work, big_endian);
	BN_set_flags(value, BN_FLG_CONSTTIME);
	return value;
}

static bool is_scalar(const BIGNUM *value) {
	return !BN_is_zero(value) && BN_ucmp(value, EC_GROUP_get0_order(group)) < 0;
}

/* OpenSSL checks that both coordinates are below the prime and on the curve; infinity has no such form. */
static bool load_point(struct work *work, const struct p256_public *key) {
	uint8_t encoded[65] = {0x04};
	memcpy(encoded + 1, key->xy, 64);
	return EC_POINT_oct2point(group, work->point, encoded, sizeof encoded, work->numbers) == 1;
}

static void store_point(struct work *work, uint8_t xy[64]) {
	uint8_t encoded[65];
	BUG_ON(EC_POINT_point2oct(group, work->result, POINT_CONVERSION_UNCOMPRESSED, encoded, sizeof encoded,
		   work->numbers) != sizeof encoded);
	memcpy(xy, encoded + 1, 64);
	mem_wipe(encoded, sizeof encoded);
}

bool p256_public_is_valid(const struct p256_public *key) {
	struct work work;
	work_init(&work);
	bool valid = load_point(&work, key);
	work_fini(&work);
	return valid;
}

enum status p256_public_of(struct p256_public *out, const struct p256_secret *secret) {
	struct work work;
	work_init(&work);
	BIGNUM *d = secret_number(&work, secret->d);
	bool valid = is_scalar(d);
	if (valid) {
		BUG_ON(EC_POINT_mul(group, work.result, d, NULL, NULL, work.numbers) != 1);
		store_point(&work, out->xy);
	}
	work_fini(&work);
	return valid ? STATUS_OK : STATUS_INVALID;
}

enum status p256_ecdh(uint8_t out[32], const struct p256_secret *secret, const struct p256_public *peer) {
	struct work work;
	work_init(&work);
	BIGNUM *d = secret_number(&work, secret->d);
	bool valid = is_scalar(d) && load_point(&work, peer);
	if (valid) {
		uint8_t xy[64];
		BUG_ON(EC_POINT_mul(group, work.result, NULL, work.point, d, work.numbers) != 1);
		store_point(&work, xy);
		memcpy(out, xy, 32);
		mem_wipe(xy, sizeof xy);
	}
	work_fini(&work);
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
    struct nonces *nonces, struct work *work, const struct p256_secret *secret, const hash32 *digest) {
	uint8_t seed[64]; /* int2octets(secret) || bits2octets(digest) */
	memcpy(seed, secret->d, 32);
	BIGNUM *h = number(work, digest->b);
	BUG_ON(BN_nnmod(h, h, EC_GROUP_get0_order(group), work->numbers) != 1);
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
	} while (!is_scalar(k));
}

/* product = a * b mod n, for secrets: Montgomery's form in and out again, with no division. */
static void multiply(struct work *work, BIGNUM *product, const BIGNUM *a, const BIGNUM *b) {
	BIGNUM *a_mont = secret_number(work, NULL);
	BUG_ON(BN_to_montgomery(a_mont, a, order_mont, work->numbers) != 1);
	BUG_ON(BN_mod_mul_montgomery(product, a_mont, b, order_mont, work->numbers) != 1);
}

/* r and s for one nonce; false if either is zero and another nonce is wanted. */
static bool sign_with(struct work *work, uint8_t out[64], const BIGNUM *d, const BIGNUM *h, const BIGNUM *k) {
	const BIGNUM *order = EC_GROUP_get0_order(group);
	uint8_t xy[64];
	BUG_ON(EC_POINT_mul(group, work->result, k, NULL, NULL, work->numbers) != 1);
	store_point(work, xy);
	BIGNUM *r = number(work, xy);
	BIGNUM *s = secret_number(work, NULL), *inverse = secret_number(work, NULL);
	BUG_ON(BN_nnmod(r, r, order, work->numbers) != 1);
	BUG_ON(BN_mod_exp_mont_consttime(inverse, k, order_minus_2, order, work->numbers, order_mont) != 1);
	multiply(work, s, r, d);
	BUG_ON(BN_mod_add_quick(s, s, h, order) != 1);
	multiply(work, s, s, inverse);
	if (BN_is_zero(r) || BN_is_zero(s)) return false;
	BUG_ON(BN_bn2binpad(r, out, 32) != 32 || BN_bn2binpad(s, out + 32, 32) != 32);
	return true;
}

enum status p256_sign(uint8_t out[64], const struct p256_secret *secret, const hash32 *digest) {
	struct work work;
	work_init(&work);
	BIGNUM *d = secret_number(&work, secret->d);
	bool valid = is_scalar(d);
	if (valid) {
		struct nonces nonces;
		BIGNUM *h = number(&work, digest->b);
		BIGNUM *k = secret_number(&work, NULL);
		BUG_ON(BN_nnmod(h, h, EC_GROUP_get0_order(group), work.numbers) != 1);
		nonces_init(&nonces, &work, secret, digest);
		do nonces_next(&nonces, k);
		while (!sign_with(&work, out, d, h, k));
		mem_wipe(&nonces, sizeof nonces);
	}
	work_fini(&work);
	return valid ? STATUS_OK : STATUS_INVALID;
}

/* The x coordinate of (h/s) G + (r/s) Q, modulo the order, is r? */
static bool verify_with(struct work *work, const BIGNUM *r, const BIGNUM *s, const BIGNUM *h) {
	const BIGNUM *order = EC_GROUP_get0_order(group);
	BIGNUM *u1 = number(work, NULL), *u2 = number(work, NULL);
	BUG_ON(!BN_mod_inverse(u2, s, order, work->numbers));
	BUG_ON(BN_mod_mul(u1, h, u2, order, work->numbers) != 1 || BN_mod_mul(u2, r, u2, order, work->numbers) != 1);
	BUG_ON(EC_POINT_mul(group, work->result, u1, work->point, u2, work->numbers) != 1);
	if (EC_POINT_is_at_infinity(group, work->result)) return false;
	uint8_t xy[64];
	store_point(work, xy);
	BIGNUM *x = number(work, xy);
	BUG_ON(BN_nnmod(x, x, order, work->numbers) != 1);
	return BN_cmp(x, r) == 0;
}

bool p256_verify(const uint8_t signature[64], const struct p256_public *key, const hash32 *digest) {
	struct work work;
	work_init(&work);
	BIGNUM *r = number(&work, signature), *s = number(&work, signature + 32), *h = number(&work, digest->b);
	bool valid = is_scalar(r) && is_scalar(s) && load_point(&work, key) && verify_with(&work, r, s, h);
	work_fini(&work);
	return valid;
}
