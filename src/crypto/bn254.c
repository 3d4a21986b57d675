#include "crypto/bn254.h"

#include "crypto/bn254_curve.h"
#include "crypto/bn254_pairing.h"

enum bn254_verdict bn254_g1_add(uint8_t out[64], const uint8_t a[64], const uint8_t b[64]) {
	struct g1_point point_a, point_b;
	enum bn254_verdict verdict = bn254_g1_decode(&point_a, a);
	if (verdict == BN254_OK) verdict = bn254_g1_decode(&point_b, b);
	if (verdict != BN254_OK) return verdict;
	struct g1_jacobian jacobian_a, jacobian_b;
	bn254_g1_to_jacobian(&jacobian_a, &point_a);
	bn254_g1_to_jacobian(&jacobian_b, &point_b);
	bn254_g1_add_jacobian(&jacobian_a, &jacobian_a, &jacobian_b);
	bn254_g1_to_affine(&point_a, &jacobian_a);
	bn254_g1_encode(out, &point_a);
	return BN254_OK;
}

enum bn254_verdict bn254_g1_mul(uint8_t out[64], const uint8_t point[64], const uint8_t scalar[32]) {
	struct g1_point base;
	const enum bn254_verdict verdict = bn254_g1_decode(&base, point);
	if (verdict != BN254_OK) return verdict;
	uint64_t limbs[4];
	for (int i = 0; i < 4; i++) limbs[i] = load_be64(scalar + 24 - 8 * i);
	struct g1_jacobian product;
	bn254_g1_mul_jacobian(&product, &base, limbs);
	bn254_g1_to_affine(&base, &product);
	bn254_g1_encode(out, &base);
	return BN254_OK;
}

enum bn254_verdict bn254_pairing_check(bool *is_one, const uint8_t *pairs, size_t count) {
	struct fp12 product = fp12_one;
	enum bn254_verdict verdict;
	struct point_pair batch[PAIRING_BATCH_MAX];
	while (count > 0) {
		size_t batch_len = count < PAIRING_BATCH_MAX ? count : PAIRING_BATCH_MAX;
		for (size_t i = 0; i < batch_len; i++, pairs += 192) {
			verdict = bn254_g1_decode(&batch[i].p, pairs);
			if (verdict == BN254_OK) verdict = bn254_g2_decode(&batch[i].q, pairs + 64);
			if (verdict != BN254_OK) return verdict;
		}
		struct fp12 part;
		if (!bn254_miller_loop(&part, batch, batch_len)) return BN254_OUTSIDE_GROUP;
		fp12_mul(&product, &product, &part);
		count -= batch_len;
	}
	bn254_final_exponentiation(&product, &product);
	*is_one = fp12_equal(&product, &fp12_one);
	return BN254_OK;
}
