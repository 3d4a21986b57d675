#include "crypto/secp256k1_digits.h"

#include <gmp.h>

/* Numbers are four words, the lowest first. */
enum { WORDS = 4 };
_Static_assert(GMP_NUMB_BITS == 64, "GMP's words are 64 bits here");

static const mp_limb_t order[WORDS] = {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff};

/*
 * The lattice of (k, k') with k + k' lambda = 0 has the basis v1 = (a1, b1), v2 = (a2, a1); b1 is negative. `share1` is
 * 2^384 a1 / n, `share2` is 2^384 (-b1) / n, rounded.
 */
static const mp_limb_t a1[2] = {0xe86c90e49284eb15, 0x3086d221a7d46bcd},
		       minus_b1[2] = {0x6f547fa90abfe4c3, 0xe4437ed6010e8828};
static const mp_limb_t a2[3] = {0x57c1108d9d44cfd8, 0x14ca50f7a8e2f3f6, 1};
static const mp_limb_t share1[WORDS] = {0xe893209a45dbb031, 0x3daa8a1471e8ca7f, 0xe86c90e49284eb15, 0x3086d221a7d46bcd};
static const mp_limb_t share2[WORDS] = {0x1571b4ae8ac47f71, 0x221208ac9df506c6, 0x6f547fa90abfe4c4, 0xe4437ed6010e8828};

static void load(mp_limb_t out[WORDS], const uint8_t bytes[32]) {
	for (int i = 0; i < WORDS; i++) out[i] = load_be64(bytes + 8 * (WORDS - 1 - i));
}

static bool is_in_range(const mp_limb_t a[WORDS]) {
	return !mpn_zero_p(a, WORDS) && mpn_cmp(a, order, WORDS) < 0;
}

static void mul_mod(mp_limb_t out[WORDS], const mp_limb_t a[WORDS], const mp_limb_t b[WORDS]) {
	mp_limb_t product[2 * WORDS], quotient[WORDS + 1];
	mpn_mul_n(product, a, b, WORDS);
	mpn_tdiv_qr(quotient, out, 0, product, 2 * WORDS, order, WORDS);
}

/* One inversion for all: of the product, which is then taken apart from the end. */
static void invert_all(mp_limb_t (*inverses)[WORDS], mp_limb_t (*values)[WORDS], size_t count) {
	mp_limb_t rest[WORDS] = {0};
	mpz_t product, modulus, inverse;
	mpn_copyi(inverses[0], values[0], WORDS);
	for (size_t i = 1; i < count; i++) mul_mod(inverses[i], inverses[i - 1], values[i]);
	mpz_roinit_n(product, inverses[count - 1], WORDS);
	mpz_roinit_n(modulus, order, WORDS);
	mpz_init2(inverse, 64 * (WORDS + 1));
	BUG_ON(mpz_invert(inverse, product, modulus) == 0);
	mpn_copyi(rest, mpz_limbs_read(inverse), (mp_size_t)mpz_size(inverse));
	mpz_clear(inverse);
	for (size_t i = count - 1; i > 0; i--) {
		mul_mod(inverses[i], inverses[i - 1], rest);
		mul_mod(rest, rest, values[i]);
	}
	mpn_copyi(inverses[0], rest, WORDS);
}

/* a -= b c, where b has two words and c as many as it says; modulo 2^256. */
static void take_product(mp_limb_t a[WORDS], const mp_limb_t b[2], const mp_limb_t *c, int words) {
	mp_limb_t product[WORDS + 1] = {0};
	mpn_mul(product, c, words, b, 2);
	mpn_sub_n(a, a, product, WORDS);
}

/* u = k + k' lambda, both odd, in two's complement. */
static void split(mp_limb_t k[2][WORDS], const mp_limb_t u[WORDS]) {
	mp_limb_t product[2 * WORDS], c1[2], c2[2];
	mpn_mul_n(product, u, share1, WORDS);
	mpn_copyi(c1, product + 6, 2);
	mpn_mul_n(product, u, share2, WORDS);
	mpn_copyi(c2, product + 6, 2);
	mpn_copyi(k[0], u, WORDS);
	take_product(k[0], c1, a1, 2);
	take_product(k[0], c2, a2, 3);
	mpn_mul_n(k[1], c1, minus_b1, 2);
	take_product(k[1], c2, a1, 2);
	/* v1 is odd in both halves, v2 in the second alone. */
	if ((k[0][0] & 1) == 0) {
		mpn_sub(k[0], k[0], WORDS, a1, 2);
		mpn_add(k[1], k[1], WORDS, minus_b1, 2);
	}
	if ((k[1][0] & 1) == 0) {
		mpn_sub(k[0], k[0], WORDS, a2, 3);
		mpn_sub(k[1], k[1], WORDS, a1, 2);
	}
}

/* The lowest window + 1 bits, less 2^window, are a digit that leaves an odd rest. */
static void write_digits(int64_t (*out)[SECP_LANES_MAX], size_t lane, mp_limb_t k[WORDS], int window, int count) {
	const bool is_negative = k[WORDS - 1] >> 63;
	if (is_negative) mpn_neg(k, k, WORDS);
	for (int i = 0; i < count; i++) {
		const mp_limb_t low = k[0] & (((mp_limb_t)2 << window) - 1);
		const int64_t digit = i == count - 1 ? (int64_t)k[0] : (int64_t)low - ((int64_t)1 << window);
		out[i][lane] = is_negative ? -digit : digit;
		mpn_rshift(k, k, WORDS, (unsigned)window);
		k[0] |= 1; /* k / 2^window, less what the digit took: odd, as bit `window` of k less digit is set */
	}
}

void digits_make(struct digits *out, bool *valid, const struct secp_signature *signatures, const hash32 *digests,
    size_t count, size_t lanes) {
	mp_limb_t r[SECP_LANES_MAX][WORDS], s[SECP_LANES_MAX][WORDS], inverses[SECP_LANES_MAX][WORDS];
	for (size_t i = 0; i < lanes; i++) {
		const struct secp_signature *signature = &signatures[i < count ? i : 0];
		load(r[i], signature->r);
		load(s[i], signature->s);
		const bool is_valid = is_in_range(r[i]) && is_in_range(s[i]);
		if (i < count) valid[i] = is_valid;
		if (is_valid) continue;
		mpn_zero(r[i], WORDS);
		mpn_zero(s[i], WORDS);
		r[i][0] = s[i][0] = 1;
	}
	invert_all(inverses, r, lanes);
	for (size_t i = 0; i < lanes; i++) {
		mp_limb_t u[WORDS], z[WORDS], halves[2][WORDS];
		mul_mod(u, s[i], inverses[i]);
		split(halves, u);
		for (int k = 0; k < 2; k++) write_digits(out->own[k], i, halves[k], OWN_WINDOW_BITS, OWN_WINDOWS);
		load(z, digests[i < count ? i : 0].b);
		mul_mod(u, z, inverses[i]);
		if (!mpn_zero_p(u, WORDS)) mpn_sub_n(u, order, u, WORDS);
		split(halves, u);
		for (int k = 0; k < 2; k++) write_digits(out->base[k], i, halves[k], BASE_WINDOW_BITS, BASE_WINDOWS);
	}
}
