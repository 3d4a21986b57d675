/*
 * The curve -x² + y² = 1 + d x² y² over 2^255 - 19, with GMP's integers. Points have extended coordinates (X : Y : Z :
 * T), x = X/Z, y = Y/Z, T = XY/Z; the addition is complete, so that no input is an exception.
 */
#include "crypto/ed25519_zip215.h"

#include <gmp.h>

#include "base/mem.h"
#include "crypto/hash.h"

#define SCALAR_BITS 253u

struct point {
	mpz_t x, y, z, t;
};

struct curve {
	mpz_t p, order, d, root; /* root² = -1 */
	mpz_t a, b, c, e;        /* what an operation works with */
	struct point base;
};

static void point_init(struct point *point) {
	mpz_inits(point->x, point->y, point->z, point->t, NULL);
}

static void point_fini(struct point *point) {
	mpz_clears(point->x, point->y, point->z, point->t, NULL);
}

static void take_hex(mpz_t out, const char *digits) {
	BUG_ON(mpz_init_set_str(out, digits, 16) != 0);
}

static void curve_init(struct curve *curve) {
	take_hex(curve->p, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
	take_hex(curve->order, "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
	take_hex(curve->d, "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
	take_hex(curve->root, "2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0");
	take_hex(curve->base.x, "216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a");
	take_hex(curve->base.y, "6666666666666666666666666666666666666666666666666666666666666658");
	take_hex(curve->base.t, "67875f0fd78b766566ea4e8e64abe37d20f09f80775152f56dde8ab3a5b7dda3");
	mpz_init_set_ui(curve->base.z, 1);
	mpz_inits(curve->a, curve->b, curve->c, curve->e, NULL);
}

static void curve_fini(struct curve *curve) {
	mpz_clears(curve->p, curve->order, curve->d, curve->root, curve->a, curve->b, curve->c, curve->e, NULL);
	point_fini(&curve->base);
}

static void multiply(const struct curve *curve, mpz_t out, const mpz_t a, const mpz_t b) {
	mpz_mul(out, a, b);
	mpz_mod(out, out, curve->p);
}

/* out may be one of the two. */
static void add(struct curve *curve, struct point *out, const struct point *left, const struct point *right) {
	mpz_sub(curve->a, left->y, left->x);
	mpz_sub(curve->e, right->y, right->x);
	multiply(curve, curve->a, curve->a, curve->e);
	mpz_add(curve->b, left->y, left->x);
	mpz_add(curve->e, right->y, right->x);
	multiply(curve, curve->b, curve->b, curve->e);
	multiply(curve, curve->c, left->t, right->t);
	mpz_mul_2exp(curve->c, curve->c, 1);
	multiply(curve, curve->c, curve->c, curve->d);
	multiply(curve, curve->e, left->z, right->z);
	mpz_mul_2exp(curve->e, curve->e, 1);
	mpz_sub(out->t, curve->b, curve->a);         /* E */
	mpz_add(curve->b, curve->b, curve->a);       /* H */
	mpz_sub(curve->a, curve->e, curve->c);       /* F */
	mpz_add(curve->c, curve->e, curve->c);       /* G */
	multiply(curve, out->x, out->t, curve->a);   /* EF */
	multiply(curve, out->y, curve->c, curve->b); /* GH */
	multiply(curve, out->z, curve->a, curve->c); /* FG */
	multiply(curve, out->t, out->t, curve->b);   /* EH */
}

static void negate(const struct curve *curve, struct point *point) {
	mpz_sub(point->x, curve->p, point->x);
	mpz_sub(point->t, curve->p, point->t);
}

/* x of the point with this y, either of the two; false: no point has it. u/v = x². RFC 8032 §5.1.3, steps 2 and 3. */
static bool root_of(struct curve *curve, mpz_t x, const mpz_t y) {
	multiply(curve, curve->a, y, y);
	multiply(curve, curve->b, curve->a, curve->d);
	mpz_sub_ui(curve->a, curve->a, 1); /* u */
	mpz_add_ui(curve->b, curve->b, 1); /* v */
	mpz_powm_ui(curve->c, curve->b, 7, curve->p);
	multiply(curve, curve->c, curve->c, curve->a);
	mpz_sub_ui(curve->e, curve->p, 5);
	mpz_fdiv_q_2exp(curve->e, curve->e, 3);
	mpz_powm(curve->c, curve->c, curve->e, curve->p);
	mpz_powm_ui(x, curve->b, 3, curve->p);
	multiply(curve, x, x, curve->a);
	multiply(curve, x, x, curve->c);
	multiply(curve, curve->c, x, x);
	multiply(curve, curve->c, curve->c, curve->b);
	mpz_mod(curve->a, curve->a, curve->p);
	if (mpz_cmp(curve->c, curve->a) == 0) return true;
	mpz_add(curve->c, curve->c, curve->a);
	if (!mpz_divisible_p(curve->c, curve->p)) return false;
	multiply(curve, x, x, curve->root);
	return true;
}

static void take_little(mpz_t out, const uint8_t *bytes, size_t len) {
	mpz_import(out, len, -1, 1, 0, 0, bytes);
}

/* Any encoding: y may be p or more, and x = 0 may have either sign. */
static bool take_point(struct curve *curve, struct point *out, const uint8_t bytes[32]) {
	uint8_t y[32];
	memcpy(y, bytes, sizeof y);
	y[31] &= 0x7f;
	take_little(out->y, y, sizeof y);
	mpz_mod(out->y, out->y, curve->p);
	if (!root_of(curve, out->x, out->y)) return false;
	if ((mpz_odd_p(out->x) != 0) != (bytes[31] >> 7) && mpz_sgn(out->x) != 0) mpz_sub(out->x, curve->p, out->x);
	mpz_set_ui(out->z, 1);
	multiply(curve, out->t, out->x, out->y);
	return true;
}

/* 8 (s B - k A - R) is the neutral point. `key` and `nonce` are changed. */
static bool is_equal(struct curve *curve, struct point *key, struct point *nonce, const mpz_t s, const mpz_t k) {
	struct point sum;
	point_init(&sum);
	mpz_set_ui(sum.y, 1);
	mpz_set_ui(sum.z, 1);
	negate(curve, key);
	negate(curve, nonce);
	for (unsigned bit = SCALAR_BITS; bit > 0; bit--) {
		add(curve, &sum, &sum, &sum);
		if (mpz_tstbit(s, bit - 1)) add(curve, &sum, &sum, &curve->base);
		if (mpz_tstbit(k, bit - 1)) add(curve, &sum, &sum, key);
	}
	add(curve, &sum, &sum, nonce);
	for (unsigned i = 0; i < 3; i++) add(curve, &sum, &sum, &sum);
	const bool is_neutral = mpz_sgn(sum.x) == 0 && mpz_cmp(sum.y, sum.z) == 0;
	point_fini(&sum);
	return is_neutral;
}

static void challenge(
    const struct curve *curve, mpz_t out, const uint8_t *nonce, const hash32 *key, struct bytes message) {
	uint8_t digest[64];
	struct buf text;
	buf_init(&text, 64 + message.len);
	buf_append(&text, bytes_make(nonce, 32));
	buf_append(&text, BYTES_OF(*key));
	buf_append(&text, message);
	sha512(digest, buf_view(&text));
	buf_fini(&text);
	take_little(out, digest, sizeof digest);
	mpz_mod(out, out, curve->order);
}

bool ed25519_verify_zip215(const uint8_t signature[64], const hash32 *key, struct bytes message) {
	struct curve curve;
	struct point of_key, of_nonce;
	mpz_t s, k;
	curve_init(&curve);
	point_init(&of_key);
	point_init(&of_nonce);
	mpz_inits(s, k, NULL);
	take_little(s, signature + 32, 32);
	bool is_valid = mpz_cmp(s, curve.order) < 0 && take_point(&curve, &of_key, key->b) &&
			take_point(&curve, &of_nonce, signature);
	if (is_valid) {
		challenge(&curve, k, signature, key, message);
		is_valid = is_equal(&curve, &of_key, &of_nonce, s, k);
	}
	mpz_clears(s, k, NULL);
	point_fini(&of_key);
	point_fini(&of_nonce);
	curve_fini(&curve);
	return is_valid;
}
