#include "crypto/p256_work.h"

#include <openssl/obj_mac.h>

#include "base/mem.h"

static EC_GROUP *group;
static BN_MONT_CTX *order_mont;
static BIGNUM *order_minus_2; /* the exponent of Fermat's inverse modulo the order */

__attribute__((constructor)) static void make_group(void) {
	group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	order_mont = BN_MONT_CTX_new();
	BN_CTX *numbers = BN_CTX_new();
	BUG_ON(!group || !order_mont || !numbers);
	order_minus_2 = BN_dup(p256_order());
	BUG_ON(!order_minus_2 || BN_sub_word(order_minus_2, 2) != 1);
	BUG_ON(BN_MONT_CTX_set(order_mont, p256_order(), numbers) != 1);
	BN_CTX_free(numbers);
}

const EC_GROUP *p256_group(void) {
	return group;
}

const BIGNUM *p256_order(void) {
	return EC_GROUP_get0_order(group);
}

void p256_work_init(struct p256_work *work) {
	work->numbers = BN_CTX_secure_new();
	work->point = EC_POINT_new(group);
	work->result = EC_POINT_new(group);
	BUG_ON(!work->numbers || !work->point || !work->result);
	BN_CTX_start(work->numbers);
}

void p256_work_fini(struct p256_work *work) {
	EC_POINT_clear_free(work->result);
	EC_POINT_clear_free(work->point);
	BN_CTX_end(work->numbers);
	BN_CTX_free(work->numbers);
}

BIGNUM *p256_number(struct p256_work *work, const uint8_t big_endian[32]) {
	BIGNUM *value = BN_CTX_get(work->numbers);
	BUG_ON(!value || (big_endian && !BN_bin2bn(big_endian, 32, value)));
	return value;
}

BIGNUM *p256_secret_number(struct p256_work *work, const uint8_t big_endian[32]) {
	BIGNUM *value = p256_number(work, big_endian);
	BN_set_flags(value, BN_FLG_CONSTTIME);
	return value;
}

/* A draw out of range, one in 2^32, is drawn again. */
BIGNUM *p256_secret_draw(struct p256_work *work, const struct random_source *random) {
	BIGNUM *value = p256_secret_number(work, NULL);
	uint8_t bytes[32];
	do {
		random_fill(random, bytes, sizeof bytes);
		BUG_ON(!BN_bin2bn(bytes, sizeof bytes, value));
	} while (!p256_is_scalar(value));
	mem_wipe(bytes, sizeof bytes);
	return value;
}

bool p256_is_scalar(const BIGNUM *value) {
	return !BN_is_zero(value) && BN_ucmp(value, p256_order()) < 0;
}

/* Montgomery's form in and out again. */
void p256_multiply(struct p256_work *work, BIGNUM *product, const BIGNUM *a, const BIGNUM *b) {
	BN_CTX_start(work->numbers);
	BIGNUM *a_mont = p256_secret_number(work, NULL);
	BUG_ON(BN_to_montgomery(a_mont, a, order_mont, work->numbers) != 1);
	BUG_ON(BN_mod_mul_montgomery(product, a_mont, b, order_mont, work->numbers) != 1);
	BN_CTX_end(work->numbers);
}

void p256_invert(struct p256_work *work, BIGNUM *inverse, const BIGNUM *value) {
	BUG_ON(BN_mod_exp_mont_consttime(inverse, value, order_minus_2, p256_order(), work->numbers, order_mont) != 1);
}

bool p256_load_point(struct p256_work *work, EC_POINT *to, const struct p256_public *key) {
	uint8_t encoded[65] = {0x04};
	memcpy(encoded + 1, key->xy, 64);
	return EC_POINT_oct2point(group, to, encoded, sizeof encoded, work->numbers) == 1;
}

void p256_store_point(struct p256_work *work, uint8_t xy[64], const EC_POINT *from) {
	uint8_t encoded[65];
	BUG_ON(EC_POINT_point2oct(group, from, POINT_CONVERSION_UNCOMPRESSED, encoded, sizeof encoded, work->numbers) !=
	       sizeof encoded);
	memcpy(xy, encoded + 1, 64);
	mem_wipe(encoded, sizeof encoded);
}
