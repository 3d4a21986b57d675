#include "crypto/secp256k1_lanes.h"

#include <stdlib.h>

#include "crypto/secp256k1_digits.h"
#include "crypto/secp256k1_field8.h"

/*
 * Q = u1 G + u2 R, with u1 = -z / r and u2 = s / r. Both scalars are split by the endomorphism into halves of 130 bits,
 * and the halves written in odd signed digits (secp256k1_digits.h), so that no step adds nothing: all lanes do the
 * same. A sum that meets its own negative or itself gives Z = 0, and Z stays 0 from there on: such a lane is told
 * unknown.
 */

/* Jacobian: x = X / Z^2, y = Y / Z^3. */
struct point8 {
	fe8 x, y, z;
};

/* Odd multiples of a point in affine form: 1, 3, 5, ... times. */
enum { OWN_ENTRIES = 1 << (OWN_WINDOW_BITS - 1), BASE_ENTRIES = 1 << (BASE_WINDOW_BITS - 1) };

static struct base_entry { uint64_t x[5], y[5]; } base_table[BASE_ENTRIES]; /* of G; written before main */

static const uint64_t base_x[5] = {0x2815b16f81798, 0xdb2dce28d959f, 0xe870b07029bfc, 0xbbac55a06295c, 0x79be667ef9dc};
static const uint64_t base_y[5] = {0x7d08ffb10d4b8, 0x48a68554199c4, 0xe1108a8fd17b4, 0xc4655da4fbfc0, 0x483ada7726a3};
/* A cube root of 1: (beta x, y) is lambda times (x, y). */
static const uint64_t beta[5] = {0x96c28719501ee, 0x7512f58995c13, 0xc3434e99cf049, 0x7106e64479ea, 0x7ae96a2b657c};
static const uint64_t one[5] = {1}, seven[5] = {7};

static fe8 in_all(const uint64_t value[5]) {
	fe8 out;
	for (int i = 0; i < 5; i++) out.n[i] = fe8_all((int64_t)value[i]);
	return out;
}

/* --- powers --- */

static fe8 square_times(const fe8 *a, int times) {
	fe8 out = *a;
	for (int i = 0; i < times; i++) out = fe8_sqr(&out);
	return out;
}

/* a^(2^shift) b */
static fe8 shift_times(const fe8 *a, int shift, const fe8 *b) {
	const fe8 high = square_times(a, shift);
	return fe8_mul(&high, b);
}

/* What both exponents share: a to the 2^2 - 1, 2^22 - 1 and 2^223 - 1. */
struct powers {
	fe8 of_2, of_22, of_223;
};

static struct powers powers_of(const fe8 *a) {
	struct powers out;
	out.of_2 = shift_times(a, 1, a);
	const fe8 of_3 = shift_times(&out.of_2, 1, a), of_6 = shift_times(&of_3, 3, &of_3);
	const fe8 of_9 = shift_times(&of_6, 3, &of_3), of_11 = shift_times(&of_9, 2, &out.of_2);
	out.of_22 = shift_times(&of_11, 11, &of_11);
	const fe8 of_44 = shift_times(&out.of_22, 22, &out.of_22), of_88 = shift_times(&of_44, 44, &of_44);
	const fe8 of_176 = shift_times(&of_88, 88, &of_88), of_220 = shift_times(&of_176, 44, &of_44);
	out.of_223 = shift_times(&of_220, 3, &of_3);
	return out;
}

/* a^((p + 1) / 4): a root where there is one. */
static fe8 root_of(const fe8 *a) {
	const struct powers powers = powers_of(a);
	const fe8 high = shift_times(&powers.of_223, 23, &powers.of_22), low = shift_times(&high, 6, &powers.of_2);
	return square_times(&low, 2);
}

/* a^(p - 2) */
static fe8 inverse_of(const fe8 *a) {
	const struct powers powers = powers_of(a);
	fe8 out = shift_times(&powers.of_223, 23, &powers.of_22);
	out = shift_times(&out, 5, a);
	out = shift_times(&out, 3, &powers.of_2);
	return shift_times(&out, 2, a);
}

/* --- points --- */

static void point_double(struct point8 *p) {
	const fe8 xx = fe8_sqr(&p->x), yy = fe8_sqr(&p->y), yyyy = fe8_sqr(&yy);
	const fe8 x_yy = fe8_sum(1, &p->x, 1, &yy), square = fe8_sqr(&x_yy);
	const fe8 half_d = fe8_diff(1, &square, 1, &xx, 1, &yyyy), e = fe8_triple(&xx), ee = fe8_sqr(&e);
	const fe8 yz = fe8_mul(&p->y, &p->z);
	p->x = fe8_diff(1, &ee, 4, &half_d, 0, &ee);
	const fe8 down = fe8_diff(2, &half_d, 1, &p->x, 0, &ee), slope = fe8_mul(&e, &down);
	p->y = fe8_diff(1, &slope, 8, &yyyy, 0, &ee);
	p->z = fe8_sum(1, &yz, 1, &yz);
}

/* p += (x, y); returns what Z was multiplied by. */
static fe8 point_add(struct point8 *p, const fe8 *x, const fe8 *y) {
	const fe8 zz = fe8_sqr(&p->z), zzz = fe8_mul(&zz, &p->z), u = fe8_mul(x, &zz), s = fe8_mul(y, &zzz);
	const fe8 h = fe8_diff(1, &u, 1, &p->x, 0, &u), r = fe8_diff(1, &s, 1, &p->y, 0, &s);
	const fe8 hh = fe8_sqr(&h), hhh = fe8_mul(&h, &hh), v = fe8_mul(&p->x, &hh), rr = fe8_sqr(&r);
	const fe8 y_hhh = fe8_mul(&p->y, &hhh);
	p->x = fe8_diff(1, &rr, 1, &hhh, 2, &v);
	const fe8 down = fe8_diff(1, &v, 1, &p->x, 0, &v), slope = fe8_mul(&r, &down);
	p->y = fe8_diff(1, &slope, 1, &y_hhh, 0, &slope);
	p->z = fe8_mul(&p->z, &h);
	return h;
}

/*
 * Odd multiples of (x, y), all with one Z: on the curve whose points are (x Z^2, y Z^3), which the formulas above
 * cannot tell from ours, they are affine. Returns that Z. `steps`: room for as many elements.
 */
static fe8 odd_multiples(fe8 *xs, fe8 *ys, fe8 *steps, int count, const fe8 *x, const fe8 *y) {
	struct point8 twice = {*x, *y, in_all(one)};
	point_double(&twice);
	const fe8 zz = fe8_sqr(&twice.z), zzz = fe8_mul(&zz, &twice.z);
	struct point8 sum = {fe8_mul(x, &zz), fe8_mul(y, &zzz), in_all(one)};
	xs[0] = sum.x, ys[0] = sum.y;
	for (int i = 1; i < count; i++) {
		steps[i] = point_add(&sum, &twice.x, &twice.y);
		xs[i] = sum.x, ys[i] = sum.y;
	}
	fe8 ratio = in_all(one);
	for (int i = count - 1; i > 0; i--) {
		ratio = fe8_mul(&ratio, &steps[i]);
		const fe8 square = fe8_sqr(&ratio), cube = fe8_mul(&square, &ratio);
		xs[i - 1] = fe8_mul(&xs[i - 1], &square), ys[i - 1] = fe8_mul(&ys[i - 1], &cube);
	}
	return fe8_mul(&sum.z, &twice.z);
}

/* --- tables --- */

static fe8 gather(const uint64_t *table, __m512i at) {
	fe8 out;
	for (int i = 0; i < 5; i++) out.n[i] = _mm512_i64gather_epi64(at, (const long long *)table + i, 8);
	return out;
}

/* The digits are odd: 1 and -1 stand for entry 0, 3 and -3 for entry 1. */
static __m512i entry_of(__m512i digits, __mmask8 *negative) {
	*negative = _mm512_movepi64_mask(digits);
	return _mm512_srli_epi64(_mm512_abs_epi64(digits), 1);
}

/* What the lanes add: R's multiples, R's under the endomorphism, and how G comes to their Z. */
struct tables {
	fe8 x[OWN_ENTRIES], y[OWN_ENTRIES], beta_x[OWN_ENTRIES];
	fe8 z, zz, zzz, beta_zz;
};

static void tables_make(struct tables *tables, const fe8 *x, const fe8 *y) {
	fe8 steps[OWN_ENTRIES];
	const fe8 root = in_all(beta);
	tables->z = odd_multiples(tables->x, tables->y, steps, OWN_ENTRIES, x, y);
	for (int i = 0; i < OWN_ENTRIES; i++) tables->beta_x[i] = fe8_mul(&tables->x[i], &root);
	tables->zz = fe8_sqr(&tables->z);
	tables->zzz = fe8_mul(&tables->zz, &tables->z);
	tables->beta_zz = fe8_mul(&tables->zz, &root);
}

static fe8 gather_own(const fe8 *table, __m512i entry) {
	const __m512i lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
	const __m512i at = _mm512_add_epi64(_mm512_mullo_epi64(entry, fe8_all(sizeof(fe8) / 8)), lane);
	fe8 out;
	for (int i = 0; i < 5; i++) out.n[i] = _mm512_i64gather_epi64(at, (const long long *)table + 8 * i, 8);
	return out;
}

static void add_own(struct point8 *sum, const fe8 *xs, const fe8 *ys, const int64_t *digits) {
	__mmask8 negative;
	const __m512i entry = entry_of(_mm512_loadu_si512(digits), &negative);
	const fe8 x = gather_own(xs, entry), y = gather_own(ys, entry), signed_y = fe8_negate_where(&y, negative);
	point_add(sum, &x, &signed_y);
}

static void add_base(struct point8 *sum, const fe8 *zz, const fe8 *zzz, const int64_t *digits) {
	__mmask8 negative;
	const __m512i entry = entry_of(_mm512_loadu_si512(digits), &negative);
	const __m512i at = _mm512_mullo_epi64(entry, fe8_all(sizeof(struct base_entry) / 8));
	const fe8 x = gather(base_table[0].x, at), y = gather(base_table[0].y, at);
	const fe8 own_x = fe8_mul(&x, zz), own_y = fe8_mul(&y, zzz), signed_y = fe8_negate_where(&own_y, negative);
	point_add(sum, &own_x, &signed_y);
}

/* --- the sum --- */

static void sum_up(struct point8 *sum, const struct tables *tables, const struct digits8 *digits) {
	__mmask8 negative;
	const int top = OWN_WINDOWS - 1, per_base = BASE_WINDOW_BITS / OWN_WINDOW_BITS;
	const __m512i entry = entry_of(_mm512_loadu_si512(digits->own[0][top]), &negative);
	const fe8 y = gather_own(tables->y, entry);
	*sum = (struct point8){gather_own(tables->x, entry), fe8_negate_where(&y, negative), in_all(one)};
	for (int i = top; i >= 0; i--) {
		if (i != top) {
			for (int k = 0; k < OWN_WINDOW_BITS; k++) point_double(sum);
			add_own(sum, tables->x, tables->y, digits->own[0][i]);
		}
		add_own(sum, tables->beta_x, tables->y, digits->own[1][i]);
		if (i % per_base != 0) continue;
		add_base(sum, &tables->zz, &tables->zzz, digits->base[0][i / per_base]);
		add_base(sum, &tables->beta_zz, &tables->zzz, digits->base[1][i / per_base]);
	}
	sum->z = fe8_mul(&sum->z, &tables->z);
}

static void load_be(uint64_t limbs[5][SECP_LANES], int lane, const uint8_t bytes[32]) {
	uint64_t words[4];
	for (int i = 0; i < 4; i++) words[i] = load_be64(bytes + 8 * (3 - i));
	limbs[0][lane] = words[0] & FE8_LIMB_MAX;
	for (int i = 1; i < 4; i++)
		limbs[i][lane] = (words[i - 1] >> (64 - 12 * i) | words[i] << (12 * i)) & FE8_LIMB_MAX;
	limbs[4][lane] = words[3] >> 16;
}

static void store_be(uint8_t bytes[32], const fe8 *least, int lane) {
	uint64_t limbs[5];
	for (int i = 0; i < 5; i++) limbs[i] = ((const uint64_t *)&least->n[i])[lane];
	for (int i = 0; i < 4; i++)
		store_be64(bytes + 8 * (3 - i), limbs[i] >> (12 * i) | limbs[i + 1] << (52 - 12 * i));
}

/* R from its x, which is r, and the parity of its y. Returns the lanes where there is such a point. */
static __mmask8 lift(fe8 *x, fe8 *y, const struct secp_signature *signatures, size_t count) {
	uint64_t limbs[5][SECP_LANES] = {0};
	__mmask8 odd = 0;
	for (size_t i = 0; i < count; i++) {
		load_be(limbs, (int)i, signatures[i].r);
		odd |= (__mmask8)((signatures[i].y_parity & 1) << i);
	}
	for (int i = 0; i < 5; i++) x->n[i] = _mm512_loadu_si512(limbs[i]);
	const fe8 xx = fe8_sqr(x), xxx = fe8_mul(&xx, x), b = in_all(seven), right = fe8_sum(1, &xxx, 1, &b);
	const fe8 root = root_of(&right), left = fe8_sqr(&root), apart = fe8_diff(1, &left, 1, &right, 0, &left);
	const fe8 least = fe8_reduce(&root);
	const __mmask8 is_odd = _mm512_test_epi64_mask(least.n[0], fe8_all(1));
	*y = fe8_negate_where(&least, is_odd ^ odd);
	return fe8_is_zero(&apart);
}

void secp_lanes_recover(
    uint8_t (*keys)[64], bool *known, const struct secp_signature *signatures, const hash32 *digests, size_t count) {
	struct digits8 digits;
	struct tables tables;
	struct point8 sum;
	fe8 x, y;
	digits8_make(&digits, known, signatures, digests, count);
	const __mmask8 lies = lift(&x, &y, signatures, count);
	tables_make(&tables, &x, &y);
	sum_up(&sum, &tables, &digits);
	const __mmask8 nowhere = fe8_is_zero(&sum.z);
	const fe8 inverse = inverse_of(&sum.z), square = fe8_sqr(&inverse), cube = fe8_mul(&square, &inverse);
	x = fe8_mul(&sum.x, &square), y = fe8_mul(&sum.y, &cube);
	x = fe8_reduce(&x), y = fe8_reduce(&y);
	for (size_t i = 0; i < count; i++) {
		known[i] = known[i] && (lies >> i & 1) && !(nowhere >> i & 1) && signatures[i].y_parity <= 1;
		store_be(keys[i], &x, (int)i);
		store_be(keys[i] + 32, &y, (int)i);
	}
}

bool secp_lanes_usable(void) {
	return __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512dq");
}

/* G's multiples: 0.3 ms. */
__attribute__((constructor)) static void make_base_table(void) {
	if (!secp_lanes_usable()) return;
	fe8 *xs = aligned_alloc(sizeof(__m512i), 3 * BASE_ENTRIES * sizeof *xs), *ys = xs + BASE_ENTRIES;
	BUG_ON(xs == NULL);
	const fe8 x = in_all(base_x), y = in_all(base_y);
	const fe8 z = odd_multiples(xs, ys, ys + BASE_ENTRIES, BASE_ENTRIES, &x, &y);
	const fe8 inverse = inverse_of(&z), square = fe8_sqr(&inverse), cube = fe8_mul(&square, &inverse);
	for (int i = 0; i < BASE_ENTRIES; i++) {
		xs[i] = fe8_mul(&xs[i], &square), ys[i] = fe8_mul(&ys[i], &cube);
		for (int k = 0; k < 5; k++) {
			base_table[i].x[k] = ((const uint64_t *)&xs[i].n[k])[0];
			base_table[i].y[k] = ((const uint64_t *)&ys[i].n[k])[0];
		}
	}
	free(xs);
}
