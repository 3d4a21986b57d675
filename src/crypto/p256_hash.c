#include "crypto/p256_hash.h"

#include "crypto/hash.h"

#define FIELD_BYTES 48u /* L: 256 bits and 128 more, so that the remainder is uniform */
#define EXPANDED_MAX (2 * FIELD_BYTES)

/* RFC 9380, 5.3.1: expand_message_xmd with SHA-256. */
static void expand(uint8_t *out, size_t len, struct bytes message, struct bytes domain) {
	static const uint8_t zeros[64];
	const uint8_t domain_len = (uint8_t)domain.len, wanted[3] = {(uint8_t)(len >> 8), (uint8_t)len, 0};
	BUG_ON(len > EXPANDED_MAX || domain.len < 1 || domain.len > 255);
	const struct bytes tag[] = {domain, bytes_make(&domain_len, 1)};
	const struct bytes first[] = {
	    bytes_make(zeros, 64), message, bytes_make(wanted, sizeof wanted), tag[0], tag[1]};
	const hash32 seed = sha256_parts(first, 5);
	hash32 mixed = seed;
	for (uint8_t i = 1; len > 0; i++) {
		const size_t taken = len < 32 ? len : 32;
		const struct bytes next[] = {BYTES_OF(mixed), bytes_make(&i, 1), tag[0], tag[1]};
		const hash32 block = sha256_parts(next, 4);
		for (unsigned j = 0; j < 32; j++) mixed.b[j] = seed.b[j] ^ block.b[j];
		memcpy(out, block.b, taken);
		out += taken;
		len -= taken;
	}
}

BIGNUM *p256_hash_to_scalar(struct p256_work *work, struct bytes message, struct bytes domain) {
	uint8_t wide[FIELD_BYTES];
	BIGNUM *scalar = p256_number(work, NULL);
	expand(wide, sizeof wide, message, domain);
	BUG_ON(!BN_bin2bn(wide, FIELD_BYTES, scalar));
	BUG_ON(BN_nnmod(scalar, scalar, p256_order(), work->numbers) != 1);
	return scalar;
}

/* --- the curve: y^2 = x^3 + a x + b modulo p --- */

struct field {
	BN_CTX *numbers;
	const BIGNUM *p;
	BIGNUM *a, *b;
};

static BIGNUM *new_number(struct field *field) {
	BIGNUM *value = BN_CTX_get(field->numbers);
	BUG_ON(!value);
	return value;
}

static void multiply(struct field *field, BIGNUM *product, const BIGNUM *a, const BIGNUM *b) {
	BUG_ON(BN_mod_mul(product, a, b, field->p, field->numbers) != 1);
}

static void add(struct field *field, BIGNUM *sum, const BIGNUM *a, const BIGNUM *b) {
	BUG_ON(BN_mod_add_quick(sum, a, b, field->p) != 1);
}

static void negate(struct field *field, BIGNUM *value) {
	if (!BN_is_zero(value)) BUG_ON(BN_usub(value, field->p, value) != 1);
}

/* out = x^3 + a x + b */
static void curve_at(struct field *field, BIGNUM *out, const BIGNUM *x) {
	multiply(field, out, x, x);
	add(field, out, out, field->a);
	multiply(field, out, out, x);
	add(field, out, out, field->b);
}

/* root^2 = value; p is 3 modulo 4. False if the value is no square. */
static bool square_root(struct field *field, BIGNUM *root, const BIGNUM *value) {
	BIGNUM *power = new_number(field), *check = new_number(field);
	BUG_ON(!BN_copy(power, field->p) || BN_add_word(power, 1) != 1 || BN_rshift(power, power, 2) != 1);
	BUG_ON(BN_mod_exp(root, value, power, field->p, field->numbers) != 1);
	multiply(field, check, root, root);
	return BN_cmp(check, value) == 0;
}

/* x = (-b / a) (1 + 1 / (v + v^2)) with v = Z u^2; if v + v^2 is 0, x = b / (Z a). */
static void first_x(struct field *field, BIGNUM *x, const BIGNUM *v, const BIGNUM *z) {
	BIGNUM *below = new_number(field);
	multiply(field, below, v, v);
	add(field, below, below, v);
	if (BN_is_zero(below)) {
		multiply(field, below, z, field->a);
		BUG_ON(!BN_mod_inverse(below, below, field->p, field->numbers));
		multiply(field, x, field->b, below);
		return;
	}
	BUG_ON(!BN_mod_inverse(x, below, field->p, field->numbers));
	add(field, x, x, BN_value_one());
	multiply(field, x, x, field->b);
	BUG_ON(!BN_mod_inverse(below, field->a, field->p, field->numbers));
	multiply(field, x, x, below);
	negate(field, x);
}

/* RFC 9380, 6.6.2: map_to_curve_simple_swu with Z = -10, whose cofactor 1 needs no clearing. */
static void map_to_curve(struct p256_work *work, struct field *field, EC_POINT *to, const BIGNUM *u) {
	BIGNUM *z = new_number(field), *v = new_number(field), *x = new_number(field), *y = new_number(field);
	BIGNUM *square = new_number(field);
	BUG_ON(BN_set_word(z, 10) != 1);
	negate(field, z);
	multiply(field, v, u, u);
	multiply(field, v, v, z);
	first_x(field, x, v, z);
	curve_at(field, square, x);
	if (!square_root(field, y, square)) {
		multiply(field, x, x, v);
		curve_at(field, square, x);
		BUG_ON(!square_root(field, y, square));
	}
	if (BN_is_odd(y) != BN_is_odd(u)) negate(field, y);
	BUG_ON(EC_POINT_set_affine_coordinates(p256_group(), to, x, y, work->numbers) != 1);
}

bool p256_hash_to_point(struct p256_work *work, EC_POINT *to, struct bytes message, struct bytes domain) {
	uint8_t wide[EXPANDED_MAX];
	EC_POINT *other = EC_POINT_new(p256_group());
	BUG_ON(!other);
	BN_CTX_start(work->numbers);
	struct field field = {.numbers = work->numbers, .p = EC_GROUP_get0_field(p256_group())};
	field.a = new_number(&field);
	field.b = new_number(&field);
	BUG_ON(EC_GROUP_get_curve(p256_group(), NULL, field.a, field.b, work->numbers) != 1);
	expand(wide, sizeof wide, message, domain);
	for (unsigned i = 0; i < 2; i++) {
		BIGNUM *u = new_number(&field);
		BUG_ON(!BN_bin2bn(wide + i * FIELD_BYTES, FIELD_BYTES, u));
		BUG_ON(BN_nnmod(u, u, field.p, field.numbers) != 1);
		map_to_curve(work, &field, i == 0 ? to : other, u);
	}
	BUG_ON(EC_POINT_add(p256_group(), to, to, other, work->numbers) != 1);
	BN_CTX_end(work->numbers);
	EC_POINT_free(other);
	return !EC_POINT_is_at_infinity(p256_group(), to);
}
