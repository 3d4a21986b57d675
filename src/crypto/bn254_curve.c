#include "crypto/bn254_curve.h"

#include "base/bytes.h"
#include "crypto/bn254_tower.h"

typedef unsigned __int128 u128;

const struct fp2 bn254_twist_b = {{{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d}},
    {{0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}}};

/* 3, the constant of E. */
static const struct fp fp_three = {{0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e}};

static bool is_all_zero(const uint8_t *bytes, size_t len) {
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++) any |= bytes[i];
	return any == 0;
}

enum bn254_verdict bn254_g1_decode(struct g1_point *out, const uint8_t in[64]) {
	*out = (struct g1_point){.infinity = is_all_zero(in, 64)};
	if (out->infinity) return BN254_OK;
	if (!fp_from_bytes(&out->x, in) || !fp_from_bytes(&out->y, in + 32)) return BN254_TOO_LARGE;
	struct fp left, right;
	fp_sqr(&left, &out->y);
	fp_sqr(&right, &out->x);
	fp_mul(&right, &right, &out->x);
	fp_add(&right, &right, &fp_three);
	return fp_equal(&left, &right) ? BN254_OK : BN254_OFF_CURVE;
}

void bn254_g1_encode(uint8_t out[64], const struct g1_point *point) {
	memset(out, 0, 64);
	if (point->infinity) return;
	fp_to_bytes(out, &point->x);
	fp_to_bytes(out + 32, &point->y);
}

enum bn254_verdict bn254_g2_decode(struct g2_point *out, const uint8_t in[128]) {
	*out = (struct g2_point){.infinity = is_all_zero(in, 128)};
	if (out->infinity) return BN254_OK;
	if (!fp_from_bytes(&out->x.c1, in) || !fp_from_bytes(&out->x.c0, in + 32)) return BN254_TOO_LARGE;
	if (!fp_from_bytes(&out->y.c1, in + 64) || !fp_from_bytes(&out->y.c0, in + 96)) return BN254_TOO_LARGE;
	struct fp2 left, right;
	fp2_sqr(&left, &out->y);
	fp2_sqr(&right, &out->x);
	fp2_mul(&right, &right, &out->x);
	fp2_add(&right, &right, &bn254_twist_b);
	return fp2_equal(&left, &right) ? BN254_OK : BN254_OFF_CURVE;
}

/* Infinity (Z = 0) stays infinity, and no point of E has Y = 0, as its order is odd. */
void bn254_g1_double_jacobian(struct g1_jacobian *out, const struct g1_jacobian *a) {
	struct fp xx, yy, yyyy, s, m, t;
	fp_sqr(&xx, &a->x);
	fp_sqr(&yy, &a->y);
	fp_sqr(&yyyy, &yy);
	fp_mul(&out->z, &a->y, &a->z);
	fp_double(&out->z, &out->z);
	fp_mul(&s, &a->x, &yy);
	fp_double(&s, &s);
	fp_double(&s, &s); /* 4XY² */
	fp_double(&m, &xx);
	fp_add(&m, &m, &xx); /* 3X² */
	fp_sqr(&t, &m);
	fp_sub(&t, &t, &s);
	fp_sub(&out->x, &t, &s);
	fp_sub(&t, &s, &out->x);
	fp_mul(&t, &t, &m);
	fp_double(&yyyy, &yyyy);
	fp_double(&yyyy, &yyyy);
	fp_double(&yyyy, &yyyy);
	fp_sub(&out->y, &t, &yyyy);
}

void bn254_g1_add_jacobian(struct g1_jacobian *out, const struct g1_jacobian *a, const struct g1_jacobian *b) {
	if (fp_is_zero(&a->z)) {
		*out = *b;
		return;
	}
	if (fp_is_zero(&b->z)) {
		*out = *a;
		return;
	}
	struct fp a_zz, b_zz, u1, u2, s1, s2, h, hh, hhh, s, v;
	fp_sqr(&a_zz, &a->z);
	fp_sqr(&b_zz, &b->z);
	fp_mul(&u1, &a->x, &b_zz);
	fp_mul(&u2, &b->x, &a_zz);
	fp_mul(&s1, &a->y, &b_zz);
	fp_mul(&s1, &s1, &b->z);
	fp_mul(&s2, &b->y, &a_zz);
	fp_mul(&s2, &s2, &a->z);
	fp_sub(&h, &u2, &u1);
	fp_sub(&s, &s2, &s1);
	if (fp_is_zero(&h) && fp_is_zero(&s)) {
		bn254_g1_double_jacobian(out, a);
		return;
	}
	/* Where b = -a, h is zero and so is Z: infinity, as it should be. */
	fp_sqr(&hh, &h);
	fp_mul(&hhh, &hh, &h);
	fp_mul(&v, &u1, &hh);
	fp_mul(&out->z, &a->z, &b->z);
	fp_mul(&out->z, &out->z, &h);
	fp_sqr(&out->x, &s);
	fp_sub(&out->x, &out->x, &hhh);
	fp_sub(&out->x, &out->x, &v);
	fp_sub(&out->x, &out->x, &v);
	fp_sub(&v, &v, &out->x);
	fp_mul(&v, &v, &s);
	fp_mul(&s1, &s1, &hhh);
	fp_sub(&out->y, &v, &s1);
}

void bn254_g1_to_jacobian(struct g1_jacobian *out, const struct g1_point *point) {
	*out = (struct g1_jacobian){point->x, point->y, point->infinity ? fp_zero : fp_one};
}

void bn254_g1_to_affine(struct g1_point *out, const struct g1_jacobian *point) {
	struct fp inverse, inverse2;
	*out = (struct g1_point){.infinity = fp_is_zero(&point->z)};
	if (out->infinity) return;
	fp_inv(&inverse, &point->z);
	fp_sqr(&inverse2, &inverse);
	fp_mul(&out->x, &point->x, &inverse2);
	fp_mul(&out->y, &point->y, &inverse2);
	fp_mul(&out->y, &out->y, &inverse);
}

static void multiply_256(uint64_t out[8], const uint64_t a[4], const uint64_t b[4]) {
	memset(out, 0, 8 * sizeof *out);
	for (int i = 0; i < 4; i++) {
		uint64_t carry = 0;
		for (int j = 0; j < 4; j++) {
			u128 t = (u128)a[i] * b[j] + out[i + j] + carry;
			out[i + j] = (uint64_t)t;
			carry = (uint64_t)(t >> 64);
		}
		out[i + 4] = carry;
	}
}

static u128 low_128(const uint64_t limbs[4]) {
	return (u128)limbs[1] << 64 | limbs[0];
}

struct half_scalars {
	u128 k1, k2;
	bool k2_is_negative;
};

/*
 * k = k1 + k2·λ (mod r) with both halves below 2¹²⁸ (Gallant, Lambert, Vanstone, CRYPTO 2001). φ(x, y) = (δ²·x, y) acts
 * on E as λ = 36u⁴ - 1, a cube root of one mod r. With a = 2u + 1, b = 6u² + 4u + 1, c = 6u² + 2u the vectors (a, b)
 * and (c, -a) both solve x + y·λ = 0 (mod r), and a² + bc = r. So (k, 0) = (ka/r)·(a, b) + (kb/r)·(c, -a) over the
 * rationals. Rounding the factors down, by less than 2 each as a/r and b/r are themselves cut after 256 bits, leaves
 *
 *     k1 = k - x1·a - x2·c  in [0, 2a + 2c)      k2 = x2·a - x1·b  in (-2a, 2b)
 *
 * whose bounds are below 2¹²⁸ in size; all of it can be reckoned mod 2¹²⁸ but for the sign of k2, which 2b < 2¹²⁸ - 2a
 * gives.
 */
static struct half_scalars split_scalar(const uint64_t k[4]) {
	static const uint64_t a_over_r[4] = {0xd91d232ec7e0b3d7, 2, 0, 0}; /* ⌊2²⁵⁶·a/r⌋ */
	static const uint64_t b_over_r[4] = {0x5398fd0300ff6565, 0x4ccef014a773d2d2, 2, 0};
	static const uint64_t a[4] = {0x89d3256894d213e3, 0, 0, 0};
	static const uint64_t b[4] = {0x0be4e1541221250b, 0x6f4d8248eeb859fd, 0, 0};
	static const uint64_t c[4] = {0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc, 0, 0};
	uint64_t wide[8];
	multiply_256(wide, k, a_over_r);
	u128 x1 = low_128(wide + 4);
	multiply_256(wide, k, b_over_r);
	u128 x2 = low_128(wide + 4);

	u128 k1 = low_128(k) - x1 * low_128(a) - x2 * low_128(c);
	u128 k2 = x2 * low_128(a) - x1 * low_128(b);
	bool is_negative = k2 >= (u128)0 - 2 * low_128(a);
	return (struct half_scalars){k1, is_negative ? (u128)0 - k2 : k2, is_negative};
}

#define WINDOW_BITS 5
#define DIGITS_MAX 130

/*
 * Non-adjacent form in windows: odd digits below 2⁴ in size, at least four zeros behind each. Returns how many digits.
 * `k` is below 2¹²⁸ - 2⁴, so that subtracting a negative digit does not wrap.
 */
static int windowed_naf(int8_t digits[DIGITS_MAX], u128 k) {
	int count = 0;
	for (; k != 0; k >>= 1) {
		int digit = 0;
		if (k & 1) {
			digit = (int)(k & ((1 << WINDOW_BITS) - 1));
			if (digit >= 1 << (WINDOW_BITS - 1)) digit -= 1 << WINDOW_BITS;
			k -= (u128)digit;
		}
		digits[count++] = (int8_t)digit;
	}
	return count;
}

/* out += digit · P, where odd[i] = (2i + 1)·P */
static void add_digit(struct g1_jacobian *out, const struct g1_jacobian *odd, int digit) {
	if (digit == 0) return;
	struct g1_jacobian addend = odd[(digit < 0 ? -digit : digit) / 2];
	if (digit < 0) fp_neg(&addend.y, &addend.y);
	bn254_g1_add_jacobian(out, out, &addend);
}

void bn254_g1_mul_jacobian(struct g1_jacobian *out, const struct g1_point *point, const uint64_t scalar[4]) {
	enum { ODD_COUNT = 1 << (WINDOW_BITS - 2) };
	struct g1_jacobian odd[ODD_COUNT], odd_phi[ODD_COUNT], twice;
	struct half_scalars half = split_scalar(scalar);
	int8_t digits1[DIGITS_MAX] = {0}, digits2[DIGITS_MAX] = {0};
	int count1 = windowed_naf(digits1, half.k1), count2 = windowed_naf(digits2, half.k2);

	bn254_g1_to_jacobian(&odd[0], point);
	bn254_g1_double_jacobian(&twice, &odd[0]);
	for (int i = 1; i < ODD_COUNT; i++) bn254_g1_add_jacobian(&odd[i], &odd[i - 1], &twice);
	for (int i = 0; i < ODD_COUNT; i++) {
		odd_phi[i] = odd[i];
		fp_mul(&odd_phi[i].x, &odd[i].x, &frobenius_delta[2]);
		if (half.k2_is_negative) fp_neg(&odd_phi[i].y, &odd_phi[i].y);
	}

	*out = (struct g1_jacobian){fp_one, fp_one, fp_zero};
	for (int i = (count1 > count2 ? count1 : count2) - 1; i >= 0; i--) {
		bn254_g1_double_jacobian(out, out);
		add_digit(out, odd, digits1[i]);
		add_digit(out, odd_phi, digits2[i]);
	}
}
