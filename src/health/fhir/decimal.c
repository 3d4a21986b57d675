#include "health/fhir/decimal.h"

#define DIGITS_MAX 37

static __int128 power10(int exponent) {
	__int128 power = 1;
	while (exponent-- > 0) power *= 10;
	return power;
}

static __int128 magnitude(__int128 digits) {
	return digits < 0 ? -digits : digits;
}

static bool fits(__int128 digits) {
	return magnitude(digits) < power10(DIGITS_MAX);
}

/* Makes the scale larger, which changes nothing but the digits. */
static bool widen(struct fhir_decimal *value, int32_t scale) {
	for (; value->scale < scale; value->scale++)
		if (__builtin_mul_overflow(value->digits, (__int128)10, &value->digits) || !fits(value->digits))
			return false;
	return true;
}

struct reading {
	struct bytes text;
	size_t at;
};

static bool take(struct reading *r, const char *any) {
	if (r->at == r->text.len || !r->text.data[r->at] || !strchr(any, r->text.data[r->at])) return false;
	r->at++;
	return true;
}

/* Digits onto `value`; false if there is none, or too many. */
static bool read_digits(struct reading *r, struct fhir_decimal *value, bool behind_point) {
	size_t from = r->at;
	while (take(r, "0123456789")) {
		value->digits = value->digits * 10 + (r->text.data[r->at - 1] - '0');
		value->scale += behind_point;
		if (!fits(value->digits)) return false;
	}
	return r->at > from;
}

static bool read_exponent(struct reading *r, int *exponent) {
	bool is_negative = take(r, "-");
	if (!is_negative) take(r, "+");
	size_t from = r->at;
	*exponent = 0;
	while (take(r, "0123456789") && *exponent < 1000) *exponent = *exponent * 10 + (r->text.data[r->at - 1] - '0');
	if (is_negative) *exponent = -*exponent;
	return r->at > from;
}

bool fhir_decimal_read(struct fhir_decimal *out, struct bytes text) {
	struct reading r = {text, 0};
	int exponent = 0;
	*out = (struct fhir_decimal){0, 0};
	bool is_negative = take(&r, "-");
	if (!read_digits(&r, out, false)) return false;
	if (take(&r, ".") && !read_digits(&r, out, true)) return false;
	if (take(&r, "eE") && !read_exponent(&r, &exponent)) return false;
	if (r.at != text.len) return false;
	if (is_negative) out->digits = -out->digits;
	out->scale -= exponent;
	if (out->scale > FHIR_SCALE_MAX) return false;
	return widen(out, 0);
}

struct fhir_decimal fhir_decimal_of(int64_t value) {
	return (struct fhir_decimal){value, 0};
}

void fhir_decimal_write(struct buf *out, struct fhir_decimal value) {
	char text[DIGITS_MAX + FHIR_SCALE_MAX + 4];
	size_t at = sizeof text;
	__int128 rest = magnitude(value.digits);
	for (int32_t i = 0; rest || i <= value.scale; i++) {
		if (i && i == value.scale) text[--at] = '.';
		text[--at] = (char)('0' + (int)(rest % 10));
		rest /= 10;
	}
	if (value.digits < 0) text[--at] = '-';
	buf_append(out, bytes_make(text + at, sizeof text - at));
}

struct fhir_decimal fhir_decimal_trim(struct fhir_decimal value) {
	while (value.scale > 0 && value.digits % 10 == 0) {
		value.digits /= 10;
		value.scale--;
	}
	return value;
}

struct fhir_decimal fhir_decimal_truncate(struct fhir_decimal value) {
	return (struct fhir_decimal){value.digits / power10(value.scale), 0};
}

int fhir_decimal_compare(struct fhir_decimal a, struct fhir_decimal b) {
	__int128 whole_a = fhir_decimal_truncate(a).digits, whole_b = fhir_decimal_truncate(b).digits;
	if (whole_a != whole_b) return whole_a < whole_b ? -1 : 1;
	/* Below 10^28 each: both widen. */
	struct fhir_decimal rest_a = {a.digits % power10(a.scale), a.scale},
			    rest_b = {b.digits % power10(b.scale), b.scale};
	BUG_ON(!widen(&rest_a, FHIR_SCALE_MAX) || !widen(&rest_b, FHIR_SCALE_MAX));
	return rest_a.digits < rest_b.digits ? -1 : rest_a.digits > rest_b.digits;
}

bool fhir_decimal_integer(int64_t *out, struct fhir_decimal value) {
	__int128 whole = fhir_decimal_truncate(value).digits;
	if (whole < INT64_MIN || whole > INT64_MAX) return false;
	*out = (int64_t)whole;
	return true;
}

bool fhir_decimal_add(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b) {
	if (!widen(&a, b.scale) || !widen(&b, a.scale)) return false;
	*out = (struct fhir_decimal){a.digits + b.digits, a.scale};
	return fits(out->digits);
}

bool fhir_decimal_subtract(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b) {
	b.digits = -b.digits;
	return fhir_decimal_add(out, a, b);
}

bool fhir_decimal_multiply(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b) {
	a = fhir_decimal_trim(a);
	b = fhir_decimal_trim(b);
	if (a.scale + b.scale > FHIR_SCALE_MAX) return false;
	if (__builtin_mul_overflow(a.digits, b.digits, &out->digits)) return false;
	out->scale = a.scale + b.scale;
	return fits(out->digits);
}

bool fhir_decimal_divide(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b) {
	a = fhir_decimal_trim(a);
	b = fhir_decimal_trim(b);
	if (!b.digits) return false;
	int32_t scale = FHIR_QUOTIENT_SCALE + 1;
	/* Long division digit by digit, so that nothing but the result must fit. */
	if (!widen(&a, b.scale) || !widen(&b, a.scale)) return false;
	__int128 quotient = a.digits / b.digits, rest = a.digits % b.digits;
	bool is_negative = (a.digits < 0) != (b.digits < 0);
	quotient = magnitude(quotient);
	rest = magnitude(rest);
	__int128 divisor = magnitude(b.digits);
	int32_t done = 0;
	for (; done < scale && rest; done++) {
		if (__builtin_mul_overflow(rest, (__int128)10, &rest)) return false;
		if (__builtin_mul_overflow(quotient, (__int128)10, &quotient)) return false;
		quotient += rest / divisor;
		rest %= divisor;
		if (!fits(quotient)) return false;
	}
	struct fhir_decimal exact = {is_negative ? -quotient : quotient, done};
	if (done == scale && !fhir_decimal_round(&exact, exact, FHIR_QUOTIENT_SCALE)) return false;
	*out = fhir_decimal_trim(exact);
	return true;
}

bool fhir_decimal_modulo(struct fhir_decimal *out, struct fhir_decimal a, struct fhir_decimal b) {
	if (!b.digits || !widen(&a, b.scale) || !widen(&b, a.scale)) return false;
	*out = (struct fhir_decimal){a.digits % b.digits, a.scale};
	return true;
}

bool fhir_decimal_round(struct fhir_decimal *out, struct fhir_decimal value, int32_t scale) {
	if (scale < 0 || scale > FHIR_SCALE_MAX) return false;
	if (value.scale > scale) {
		__int128 unit = power10(value.scale - scale), half = unit / 2;
		value.digits = (value.digits + (value.digits < 0 ? -half : half)) / unit;
		value.scale = scale;
	}
	*out = value;
	return widen(out, scale);
}

struct fhir_decimal fhir_decimal_floor(struct fhir_decimal value) {
	struct fhir_decimal whole = fhir_decimal_truncate(value);
	whole.digits -= fhir_decimal_compare(value, whole) < 0;
	return whole;
}

struct fhir_decimal fhir_decimal_ceiling(struct fhir_decimal value) {
	struct fhir_decimal whole = fhir_decimal_truncate(value);
	whole.digits += fhir_decimal_compare(value, whole) > 0;
	return whole;
}
