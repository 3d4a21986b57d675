#include "crypto/secp256k1_lanes.h"

#include <stdlib.h>

#include "crypto/secp256k1_digits.h"
#ifdef __AVX512IFMA__
#include "crypto/secp256k1_field_ifma.h"
#define SECP_LANES_HERE secp_lanes_ifma
#else
#include "crypto/secp256k1_field_avx2.h"
#define SECP_LANES_HERE secp_lanes_avx2
#endif

/*
 * Q = u1 G + u2 R, with u1 = -z / r and u2 = s / r. Both scalars are split by the endomorphism into halves of 130 bits,
 * and the halves written in odd signed digits (secp256k1_digits.h), so that no step adds nothing: all lanes do the
 * same. A sum that meets its own negative or itself gives Z = 0, and Z stays 0 from there on: such a lane is
 * reported as unknown.
 */

/* Jacobian: x = X / Z^2, y = Y / Z^3. */
struct point {
	fe x, y, z;
};

/* Odd multiples of a point in affine form: 1, 3, 5, ... times. */
enum { OWN_ENTRIES = 1 << (OWN_WINDOW_BITS - 1), BASE_ENTRIES = 1 << (BASE_WINDOW_BITS - 1) };

/* As fe_packed has them. */
static struct base_entry { uint64_t x[5], y[5]; } base_table[BASE_ENTRIES]; /* of G; written before main */

/* Numbers here are five times 52 bits, the lowest first. */
static const uint64_t base_x[5] = {0x2815b16f81798, 0xdb2dce28d959f, 0xe870b07029bfc, 0xbbac55a06295c, 0x79be667ef9dc};
static const uint64_t base_y[5] = {0x7d08ffb10d4b8, 0x48a68554199c4, 0xe1108a8fd17b4, 0xc4655da4fbfc0, 0x483ada7726a3};
/* A cube root of 1: (beta x, y) is lambda times (x, y). */
static const uint64_t beta[5] = {0x96c28719501ee, 0x7512f58995c13, 0xc3434e99cf049, 0x7106e64479ea, 0x7ae96a2b657c};
static const uint64_t one[5] = {1}, seven[5] = {7};

static fe in_all(const uint64_t value[5]) {
	fe_packed packed;
	for (int i = 0; i < 5; i++) packed.n[i] = wide_all((int64_t)value[i]);
	return fe_unpack(&packed);
}

/* --- powers --- */

static fe square_times(const fe *a, int times) {
	fe out = *a;
	for (int i = 0; i < times; i++) out = fe_sqr(&out);
	return out;
}

/* a^(2^shift) b */
static fe shift_times(const fe *a, int shift, const fe *b) {
	const fe high = square_times(a, shift);
	return fe_mul(&high, b);
}

/* What both exponents share: a to the 2^2 - 1, 2^22 - 1 and 2^223 - 1. */
struct powers {
	fe of_2, of_22, of_223;
};

static struct powers powers_of(const fe *a) {
	struct powers out;
	out.of_2 = shift_times(a, 1, a);
	const fe of_3 = shift_times(&out.of_2, 1, a), of_6 = shift_times(&of_3, 3, &of_3);
	const fe of_9 = shift_times(&of_6, 3, &of_3), of_11 = shift_times(&of_9, 2, &out.of_2);
	out.of_22 = shift_times(&of_11, 11, &of_11);
	const fe of_44 = shift_times(&out.of_22, 22, &out.of_22), of_88 = shift_times(&of_44, 44, &of_44);
	const fe of_176 = shift_times(&of_88, 88, &of_88), of_220 = shift_times(&of_176, 44, &of_44);
	out.of_223 = shift_times(&of_220, 3, &of_3);
	return out;
}

/* a^((p + 1) / 4): a root if there is one. */
static fe root_of(const fe *a) {
	const struct powers powers = powers_of(a);
	const fe high = shift_times(&powers.of_223, 23, &powers.of_22), low = shift_times(&high, 6, &powers.of_2);
	return square_times(&low, 2);
}

/* a^(p - 2) */
static fe inverse_of(const fe *a) {
	const struct powers powers = powers_of(a);
	fe out = shift_times(&powers.of_223, 23, &powers.of_22);
	out = shift_times(&out, 5, a);
	out = shift_times(&out, 3, &powers.of_2);
	return shift_times(&out, 2, a);
}

/* --- points --- */

static void point_double(struct point *p) {
	const fe xx = fe_sqr(&p->x), yy = fe_sqr(&p->y), yyyy = fe_sqr(&yy);
	const fe x_yy = fe_sum(1, &p->x, 1, &yy), square = fe_sqr(&x_yy);
	const fe half_d = fe_diff(1, &square, 1, &xx, 1, &yyyy), e = fe_triple(&xx), ee = fe_sqr(&e);
	const fe yz = fe_mul(&p->y, &p->z);
	p->x = fe_diff(1, &ee, 4, &half_d, 0, &ee);
	const fe down = fe_diff(2, &half_d, 1, &p->x, 0, &ee), slope = fe_mul(&e, &down);
	p->y = fe_diff(1, &slope, 8, &yyyy, 0, &ee);
	p->z = fe_sum(1, &yz, 1, &yz);
}

/* p += (x, y); returns what Z was multiplied by. */
static fe point_add(struct point *p, const fe *x, const fe *y) {
	const fe zz = fe_sqr(&p->z), zzz = fe_mul(&zz, &p->z), u = fe_mul(x, &zz), s = fe_mul(y, &zzz);
	const fe h = fe_diff(1, &u, 1, &p->x, 0, &u), r = fe_diff(1, &s, 1, &p->y, 0, &s);
	const fe hh = fe_sqr(&h), hhh = fe_mul(&h, &hh), v = fe_mul(&p->x, &hh), rr = fe_sqr(&r);
	const fe y_hhh = fe_mul(&p->y, &hhh);
	p->x = fe_diff(1, &rr, 1, &hhh, 2, &v);
	const fe down = fe_diff(1, &v, 1, &p->x, 0, &v), slope = fe_mul(&r, &down);
	p->y = fe_diff(1, &slope, 1, &y_hhh, 0, &slope);
	p->z = fe_mul(&p->z, &h);
	return h;
}

/*
 * Odd multiples of (x, y), all with one Z: on the curve whose points are (x Z^2, y Z^3), which the formulas above
 * cannot tell from ours, they are affine. Returns that Z. `steps`: room for as many elements.
 */
static fe odd_multiples(fe *xs, fe *ys, fe *steps, int count, const fe *x, const fe *y) {
	struct point twice = {*x, *y, in_all(one)};
	point_double(&twice);
	const fe zz = fe_sqr(&twice.z), zzz = fe_mul(&zz, &twice.z);
	struct point sum = {fe_mul(x, &zz), fe_mul(y, &zzz), in_all(one)};
	xs[0] = sum.x, ys[0] = sum.y;
	for (int i = 1; i < count; i++) {
		steps[i] = point_add(&sum, &twice.x, &twice.y);
		xs[i] = sum.x, ys[i] = sum.y;
	}
	fe ratio = in_all(one);
	for (int i = count - 1; i > 0; i--) {
		ratio = fe_mul(&ratio, &steps[i]);
		const fe square = fe_sqr(&ratio), cube = fe_mul(&square, &ratio);
		xs[i - 1] = fe_mul(&xs[i - 1], &square), ys[i - 1] = fe_mul(&ys[i - 1], &cube);
	}
	return fe_mul(&sum.z, &twice.z);
}

/* --- tables --- */

/* What the lanes add: R's multiples, R's under the endomorphism, and how G comes to their Z. */
struct tables {
	fe_packed x[OWN_ENTRIES], y[OWN_ENTRIES], beta_x[OWN_ENTRIES];
	fe z, zz, zzz, beta_zz;
};

static void tables_make(struct tables *tables, const fe *x, const fe *y) {
	fe xs[OWN_ENTRIES], ys[OWN_ENTRIES], steps[OWN_ENTRIES];
	const fe root = in_all(beta);
	tables->z = odd_multiples(xs, ys, steps, OWN_ENTRIES, x, y);
	for (int i = 0; i < OWN_ENTRIES; i++) {
		const fe beta_x = fe_mul(&xs[i], &root);
		tables->x[i] = fe_pack(&xs[i]);
		tables->y[i] = fe_pack(&ys[i]);
		tables->beta_x[i] = fe_pack(&beta_x);
	}
	tables->zz = fe_sqr(&tables->z);
	tables->zzz = fe_mul(&tables->zz, &tables->z);
	tables->beta_zz = fe_mul(&tables->zz, &root);
}

/* Number i of an element stands `stride` i behind the first. */
static fe gather(const uint64_t *table, wide places, int stride) {
	fe_packed out;
	for (int i = 0; i < 5; i++) out.n[i] = wide_gather(table + i * stride, places);
	return fe_unpack(&out);
}

/* One element of each lane's own table. The digits are odd: 1 and -1 stand for entry 0, 3 and -3 for entry 1. */
static fe gather_own(const fe_packed *table, wide digits) {
	return gather((const uint64_t *)table, wide_places(wide_half(digits), sizeof(fe_packed) / 8, 1), LANES);
}

static void add_own(struct point *sum, const fe_packed *xs, const fe_packed *ys, const int64_t *digits) {
	const wide digit = wide_load(digits);
	const fe x = gather_own(xs, digit), y = gather_own(ys, digit);
	const fe signed_y = fe_negate_where(&y, lanes_negative(digit));
	point_add(sum, &x, &signed_y);
}

static void add_base(struct point *sum, const fe *zz, const fe *zzz, const int64_t *digits) {
	const wide digit = wide_load(digits);
	const wide places = wide_places(wide_half(digit), sizeof(struct base_entry) / 8, 0);
	const fe x = gather(base_table[0].x, places, 1), y = gather(base_table[0].y, places, 1);
	const fe own_x = fe_mul(&x, zz), own_y = fe_mul(&y, zzz);
	const fe signed_y = fe_negate_where(&own_y, lanes_negative(digit));
	point_add(sum, &own_x, &signed_y);
}

/* --- the sum --- */

static void sum_up(struct point *sum, const struct tables *tables, const struct digits *digits) {
	const int top = OWN_WINDOWS - 1, per_base = BASE_WINDOW_BITS / OWN_WINDOW_BITS;
	const wide digit = wide_load(digits->own[0][top]);
	const fe y = gather_own(tables->y, digit);
	*sum = (struct point){gather_own(tables->x, digit), fe_negate_where(&y, lanes_negative(digit)), in_all(one)};
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
	sum->z = fe_mul(&sum->z, &tables->z);
}

static void load_be(uint64_t limbs[FE_LIMBS][LANES], int lane, const uint8_t bytes[32]) {
	uint64_t words[5] = {0};
	for (int i = 0; i < 4; i++) words[i] = load_be64(bytes + 8 * (3 - i));
	for (int i = 0; i < FE_LIMBS; i++) {
		const int word = FE_BITS * i / 64, bit = FE_BITS * i % 64;
		const uint64_t high = bit > 64 - FE_BITS ? words[word + 1] << (64 - bit) : 0;
		limbs[i][lane] = (words[word] >> bit | high) & ((1ull << FE_BITS) - 1);
	}
}

/* `least`: reduced. */
static void store_be(uint8_t bytes[32], const fe *least, int lane) {
	uint64_t words[5] = {0};
	for (int i = 0; i < FE_LIMBS; i++) {
		const int word = FE_BITS * i / 64, bit = FE_BITS * i % 64;
		const uint64_t limb = ((const uint64_t *)&least->n[i])[lane];
		words[word] |= limb << bit;
		if (bit > 64 - FE_BITS) words[word + 1] |= limb >> (64 - bit);
	}
	for (int i = 0; i < 4; i++) store_be64(bytes + 8 * (3 - i), words[i]);
}

/* R from its x, which is r, and the parity of its y. Returns the lanes that have such a point. */
static lane_mask lift(fe *x, fe *y, const struct secp_signature *signatures, size_t count) {
	uint64_t limbs[FE_LIMBS][LANES] = {0};
	int64_t parities[LANES] = {0};
	for (size_t i = 0; i < count; i++) {
		load_be(limbs, (int)i, signatures[i].r);
		parities[i] = signatures[i].y_parity;
	}
	for (int i = 0; i < FE_LIMBS; i++) x->n[i] = wide_load(limbs[i]);
	const fe xx = fe_sqr(x), xxx = fe_mul(&xx, x), b = in_all(seven), right = fe_sum(1, &xxx, 1, &b);
	const fe root = root_of(&right), left = fe_sqr(&root), apart = fe_diff(1, &left, 1, &right, 0, &left);
	const fe least = fe_reduce(&root);
	*y = fe_negate_where(&least, lanes_differ(lanes_odd(least.n[0]), lanes_odd(wide_load(parities))));
	return fe_is_zero(&apart);
}

static void recover(
    uint8_t (*keys)[64], bool *known, const struct secp_signature *signatures, const hash32 *digests, size_t count) {
	struct digits digits;
	struct tables tables;
	struct point sum;
	fe x, y;
	digits_make(&digits, known, signatures, digests, count, LANES);
	const unsigned lies = lanes_bits(lift(&x, &y, signatures, count));
	tables_make(&tables, &x, &y);
	sum_up(&sum, &tables, &digits);
	const unsigned nowhere = lanes_bits(fe_is_zero(&sum.z));
	const fe inverse = inverse_of(&sum.z), square = fe_sqr(&inverse), cube = fe_mul(&square, &inverse);
	x = fe_mul(&sum.x, &square);
	y = fe_mul(&sum.y, &cube);
	x = fe_reduce(&x);
	y = fe_reduce(&y);
	for (size_t i = 0; i < count; i++) {
		known[i] = known[i] && (lies >> i & 1) && !(nowhere >> i & 1) && signatures[i].y_parity <= 1;
		store_be(keys[i], &x, (int)i);
		store_be(keys[i] + 32, &y, (int)i);
	}
}

static bool is_usable(void) {
#ifdef __AVX512IFMA__
	return __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512dq");
#else
	return __builtin_cpu_supports("avx2");
#endif
}

/* G's multiples: 0.3 ms, and 0.7 with four lanes. */
static void make_base_table(void) {
	fe *xs = aligned_alloc(sizeof(wide), 3 * BASE_ENTRIES * sizeof *xs), *ys = xs + BASE_ENTRIES;
	BUG_ON(xs == NULL);
	const fe x = in_all(base_x), y = in_all(base_y);
	const fe z = odd_multiples(xs, ys, ys + BASE_ENTRIES, BASE_ENTRIES, &x, &y);
	const fe inverse = inverse_of(&z), square = fe_sqr(&inverse), cube = fe_mul(&square, &inverse);
	for (int i = 0; i < BASE_ENTRIES; i++) {
		xs[i] = fe_mul(&xs[i], &square);
		ys[i] = fe_mul(&ys[i], &cube);
		const fe_packed packed_x = fe_pack(&xs[i]), packed_y = fe_pack(&ys[i]);
		for (int k = 0; k < 5; k++) {
			base_table[i].x[k] = ((const uint64_t *)&packed_x.n[k])[0];
			base_table[i].y[k] = ((const uint64_t *)&packed_y.n[k])[0];
		}
	}
	free(xs);
}

const struct secp_lanes SECP_LANES_HERE = {
    .count = LANES, .is_usable = is_usable, .prepare = make_base_table, .recover = recover};
