/* Functions on numbers, dates and times: rounding, and the boundaries of what was written with some precision. */
#include "health/fhir/fhirpath_functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* One number; `*is_there` false if the input is empty. */
static enum status input_number(struct fhirpath_run *run, const struct fhirpath_call *call, bool *is_there,
    struct fhirpath_value *value, struct fhir_decimal *number) {
	const struct fhirpath_value *single;
	TRY(fhirpath_single(run, call->in, &single));
	*is_there = single != NULL;
	if (!single) return STATUS_OK;
	*value = *single;
	if (single->kind == FHIRPATH_QUANTITY)
		*number = single->decimal;
	else if (!fhirpath_decimal_of(number, single))
		return fhirpath_invalid(
		    run, "%s() on %s", call->tree->function->name, fhirpath_type_text(run->defs, single));
	return STATUS_OK;
}

static void push_decimal(struct fhirpath_run *run, struct fhirpath_values *out, struct fhir_decimal value) {
	fhirpath_push(run, out, (struct fhirpath_value){.kind = FHIRPATH_DECIMAL, .type = FHIR_NONE, .decimal = value});
}

enum status fhirpath_fn_abs(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_value value;
	struct fhir_decimal number;
	bool is_there;
	TRY(input_number(run, call, &is_there, &value, &number));
	if (!is_there) return STATUS_OK;
	if (number.digits < 0) return fhirpath_negate(run, &value, out);
	fhirpath_push(run, out, value);
	return STATUS_OK;
}

static enum status whole(struct fhirpath_run *run, const struct fhirpath_call *call,
    struct fhir_decimal (*body)(struct fhir_decimal), struct fhirpath_values *out) {
	struct fhirpath_value value;
	struct fhir_decimal number;
	bool is_there;
	int64_t integer;
	TRY(input_number(run, call, &is_there, &value, &number));
	if (is_there && fhir_decimal_integer(&integer, body(number))) fhirpath_push_integer(run, out, integer);
	return STATUS_OK;
}

enum status fhirpath_fn_ceiling(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return whole(run, call, fhir_decimal_ceiling, out);
}

enum status fhirpath_fn_floor(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return whole(run, call, fhir_decimal_floor, out);
}

enum status fhirpath_fn_truncate(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return whole(run, call, fhir_decimal_truncate, out);
}

enum status fhirpath_fn_round(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_value value;
	struct fhir_decimal number;
	bool is_there, has_scale;
	int64_t scale = 0;
	TRY(input_number(run, call, &is_there, &value, &number));
	TRY(fhirpath_integer_argument(run, call, 0, &has_scale, &scale));
	if (!is_there) return STATUS_OK;
	if (scale < 0) return fhirpath_invalid(run, "round() to fewer than 0 digits");
	if (scale <= FHIR_SCALE_MAX && fhir_decimal_round(&number, number, (int32_t)scale))
		push_decimal(run, out, number);
	return STATUS_OK;
}

/* --- what has no exact answer: by doubles, rounded to so many digits that every machine agrees --- */

#define INEXACT_DIGITS 10

static double double_of(struct fhir_decimal number) {
	struct buf text;
	buf_init(&text, 128);
	fhir_decimal_write(&text, number);
	double value = strtod(buf_cstr(&text), NULL);
	buf_fini(&text);
	return value;
}

/* Nothing for what is no number, or too large to be one here. */
static enum status push_double(struct fhirpath_run *run, struct fhirpath_values *out, double value) {
	char text[64];
	struct fhir_decimal number;
	if (!isfinite(value) || fabs(value) > 1e18) return STATUS_OK;
	int len = snprintf(text, sizeof text, "%.*f", INEXACT_DIGITS, value);
	if (fhir_decimal_read(&number, bytes_make(text, (size_t)len)))
		push_decimal(run, out, fhir_decimal_trim(number));
	return STATUS_OK;
}

static enum status inexact(
    struct fhirpath_run *run, const struct fhirpath_call *call, double (*body)(double), struct fhirpath_values *out) {
	struct fhirpath_value value;
	struct fhir_decimal number;
	bool is_there;
	TRY(input_number(run, call, &is_there, &value, &number));
	return is_there ? push_double(run, out, body(double_of(number))) : STATUS_OK;
}

enum status fhirpath_fn_sqrt(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return inexact(run, call, sqrt, out);
}

enum status fhirpath_fn_exp(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return inexact(run, call, exp, out);
}

enum status fhirpath_fn_ln(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return inexact(run, call, log, out);
}

/* The input and the argument, both numbers. */
static enum status two_numbers(struct fhirpath_run *run, const struct fhirpath_call *call, bool *are_there,
    struct fhir_decimal *number, struct fhirpath_value *other) {
	struct fhirpath_value value;
	struct fhirpath_values values = {0};
	const struct fhirpath_value *single;
	struct fhir_decimal unused;
	TRY(input_number(run, call, are_there, &value, number));
	TRY(fhirpath_argument(run, call, 0, &values));
	TRY(fhirpath_single(run, &values, &single));
	*are_there &= single != NULL;
	if (single && !fhirpath_decimal_of(&unused, single))
		return fhirpath_invalid(run, "an argument that must be a number");
	if (single) *other = *single;
	return STATUS_OK;
}

enum status fhirpath_fn_log(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhir_decimal number, base;
	struct fhirpath_value other;
	bool are_there;
	TRY(two_numbers(run, call, &are_there, &number, &other));
	if (!are_there || !fhirpath_decimal_of(&base, &other)) return STATUS_OK;
	return push_double(run, out, log(double_of(number)) / log(double_of(base)));
}

/* Exact for an integer that is not negative. */
enum status fhirpath_fn_power(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhir_decimal number, exponent, product = fhir_decimal_of(1);
	struct fhirpath_value other;
	bool are_there, fits = true;
	int64_t integer;
	TRY(two_numbers(run, call, &are_there, &number, &other));
	if (!are_there || !fhirpath_decimal_of(&exponent, &other)) return STATUS_OK;
	if (other.kind != FHIRPATH_INTEGER || other.integer < 0 || other.integer > 1000)
		return push_double(run, out, pow(double_of(number), double_of(exponent)));
	for (int64_t i = 0; fits && i < other.integer; i++) fits = fhir_decimal_multiply(&product, product, number);
	if (fits && !number.scale && fhir_decimal_integer(&integer, product))
		fhirpath_push_integer(run, out, integer);
	else if (fits)
		push_decimal(run, out, product);
	return STATUS_OK;
}

/* --- boundaries --- */

/* Half a unit of the last digit below or above, with `scale` digits: rounded outward. */
static bool bound_decimal(struct fhir_decimal *out, struct fhir_decimal value, int64_t scale, bool is_high) {
	if (scale < 0 || scale > FHIR_SCALE_MAX || value.scale == FHIR_SCALE_MAX) return false;
	struct fhir_decimal half = {5, value.scale + 1}, edge;
	if (!(is_high ? fhir_decimal_add(&edge, value, half) : fhir_decimal_subtract(&edge, value, half))) return false;
	if (edge.scale <= scale) return fhir_decimal_round(out, edge, (int32_t)scale);
	struct fhir_decimal unit = {1, (int32_t)scale}, cut = edge;
	while (cut.scale > scale) {
		cut.digits /= 10;
		cut.scale--;
	}
	int order = fhir_decimal_compare(cut, edge);
	*out = cut;
	if (is_high && order < 0) return fhir_decimal_add(out, cut, unit);
	if (!is_high && order > 0) return fhir_decimal_subtract(out, cut, unit);
	return true;
}

/* Digits that a precision has when it is written: 4 for a year, 17 for a dateTime's milliseconds. */
static const uint8_t digits_of[] = {4, 6, 8, 10, 12, 14, 17};
static const uint8_t time_digits_of[] = {0, 0, 0, 2, 4, 6, 9};

static bool precision_of(const struct fhir_temporal *value, int64_t digits, uint8_t *out) {
	const uint8_t *table = value->kind == FHIR_TIME ? time_digits_of : digits_of;
	uint8_t first = value->kind == FHIR_TIME ? FHIR_HOUR : FHIR_YEAR,
		last = value->kind == FHIR_DATE ? FHIR_DAY : FHIR_FRACTION;
	for (*out = first; *out <= last; ++*out)
		if (table[*out] == digits) return true;
	return false;
}

/* Fills what was not written with its least or greatest, and cuts to the precision that is asked for. */
static void bound_temporal(struct fhir_temporal *value, uint8_t precision, bool is_high) {
	static const uint8_t least[] = {0, 1, 1, 0, 0, 0}, greatest[] = {0, 12, 31, 23, 59, 59};
	for (uint8_t part = (uint8_t)(value->precision + 1); part < FHIR_PARTS; part++) {
		value->part[part] = is_high ? greatest[part] : least[part];
		if (part == FHIR_DAY && is_high)
			value->part[part] =
			    (int16_t)fhir_days_of_month(value->part[FHIR_YEAR], value->part[FHIR_MONTH]);
	}
	if (value->precision < FHIR_FRACTION) value->nanoseconds = is_high ? 999000000 : 0;
	if (value->kind == FHIR_DATE_TIME && !value->has_zone && precision >= FHIR_HOUR) {
		value->has_zone = true;
		value->zone_minutes = is_high ? -12 * 60 : 14 * 60;
	}
	value->precision = precision;
	value->fraction_len = 3;
}

static enum status boundary(
    struct fhirpath_run *run, const struct fhirpath_call *call, bool is_high, struct fhirpath_values *out) {
	const struct fhirpath_value *single;
	bool has_digits;
	int64_t digits = 8;
	TRY(fhirpath_single(run, call->in, &single));
	TRY(fhirpath_integer_argument(run, call, 0, &has_digits, &digits));
	if (!single) return STATUS_OK;
	struct fhirpath_value value = *single;
	if (value.kind == FHIRPATH_TEMPORAL) {
		uint8_t kind = value.temporal.kind, precision;
		if (!has_digits) digits = kind == FHIR_TIME ? 9 : kind == FHIR_DATE ? 8 : 17;
		if (!precision_of(&value.temporal, digits, &precision)) return STATUS_OK;
		bound_temporal(&value.temporal, precision, is_high);
	} else {
		struct fhir_decimal number = value.decimal;
		if (value.kind != FHIRPATH_QUANTITY && !fhirpath_decimal_of(&number, single))
			return fhirpath_invalid(
			    run, "%s() on %s", call->tree->function->name, fhirpath_type_text(run->defs, single));
		if (value.kind == FHIRPATH_INTEGER) value.kind = FHIRPATH_DECIMAL;
		if (!bound_decimal(&value.decimal, number, digits, is_high)) return STATUS_OK;
	}
	fhirpath_push(run, out, value);
	return STATUS_OK;
}

enum status fhirpath_fn_low_boundary(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return boundary(run, call, false, out);
}

enum status fhirpath_fn_high_boundary(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return boundary(run, call, true, out);
}

enum status fhirpath_fn_precision(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	const struct fhirpath_value *single;
	struct fhir_decimal number;
	TRY(fhirpath_single(run, call->in, &single));
	if (!single) return STATUS_OK;
	if (single->kind == FHIRPATH_TEMPORAL)
		fhirpath_push_integer(run, out,
		    single->temporal.kind == FHIR_TIME ? time_digits_of[single->temporal.precision]
						       : digits_of[single->temporal.precision]);
	else if (fhirpath_decimal_of(&number, single))
		fhirpath_push_integer(run, out, number.scale);
	else
		return fhirpath_invalid(run, "precision() on %s", fhirpath_type_text(run->defs, single));
	return STATUS_OK;
}

/* --- the clock, which the caller sets --- */

static void push_now(struct fhirpath_run *run, struct fhirpath_values *out, uint8_t kind, uint8_t precision) {
	struct fhir_temporal now = fhir_temporal_of_ms(run->context->now_ms);
	now.kind = kind;
	now.precision = precision;
	now.has_zone = kind == FHIR_DATE_TIME;
	fhirpath_push(run, out, (struct fhirpath_value){.kind = FHIRPATH_TEMPORAL, .type = FHIR_NONE, .temporal = now});
}

enum status fhirpath_fn_now(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	(void)call;
	push_now(run, out, FHIR_DATE_TIME, FHIR_FRACTION);
	return STATUS_OK;
}

enum status fhirpath_fn_today(struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	(void)call;
	push_now(run, out, FHIR_DATE, FHIR_DAY);
	return STATUS_OK;
}

enum status fhirpath_fn_time_of_day(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	(void)call;
	push_now(run, out, FHIR_TIME, FHIR_FRACTION);
	return STATUS_OK;
}
