#include "health/fhir/fhirpath_run.h"

bool fhirpath_decimal_of(struct fhir_decimal *out, const struct fhirpath_value *value) {
	if (value->kind == FHIRPATH_INTEGER)
		*out = fhir_decimal_of(value->integer);
	else if (value->kind == FHIRPATH_DECIMAL)
		*out = value->decimal;
	return value->kind == FHIRPATH_INTEGER || value->kind == FHIRPATH_DECIMAL;
}

static enum status push_decimal(
    struct fhirpath_run *run, struct fhirpath_values *out, bool is_there, struct fhir_decimal value) {
	if (is_there)
		fhirpath_push(
		    run, out, (struct fhirpath_value){.kind = FHIRPATH_DECIMAL, .type = FHIR_NONE, .decimal = value});
	return STATUS_OK; /* what overflows, or is divided by zero, is empty */
}

static enum status push_integer_if(
    struct fhirpath_run *run, struct fhirpath_values *out, bool is_there, struct fhir_decimal value) {
	int64_t integer;
	if (is_there && fhir_decimal_integer(&integer, value)) fhirpath_push_integer(run, out, integer);
	return STATUS_OK;
}

static enum status push_quantity(struct fhirpath_run *run, struct fhirpath_values *out, bool is_there,
    struct fhir_decimal value, struct bytes unit) {
	if (is_there)
		fhirpath_push(run, out,
		    (struct fhirpath_value){
			.kind = FHIRPATH_QUANTITY, .type = FHIR_NONE, .decimal = value, .text = unit});
	return STATUS_OK;
}

enum status fhirpath_negate(struct fhirpath_run *run, const struct fhirpath_value *value, struct fhirpath_values *out) {
	struct fhirpath_value negative = *value;
	if (value->kind == FHIRPATH_INTEGER)
		negative.integer = value->integer == INT64_MIN ? 0 : -value->integer;
	else if (value->kind == FHIRPATH_DECIMAL || value->kind == FHIRPATH_QUANTITY)
		negative.decimal.digits = -value->decimal.digits;
	else
		return fhirpath_invalid(run, "- before %s", fhirpath_type_text(run->defs, value));
	fhirpath_push(run, out, negative);
	return STATUS_OK;
}

static enum status numbers(struct fhirpath_run *run, enum fhirpath_operator op, bool are_integers,
    struct fhir_decimal a, struct fhir_decimal b, struct fhirpath_values *out) {
	struct fhir_decimal value = {0, 0};
	bool fits = false;
	if (op == FHIRPATH_ADD)
		fits = fhir_decimal_add(&value, a, b);
	else if (op == FHIRPATH_SUBTRACT)
		fits = fhir_decimal_subtract(&value, a, b);
	else if (op == FHIRPATH_MULTIPLY)
		fits = fhir_decimal_multiply(&value, a, b);
	else if (op == FHIRPATH_MOD)
		fits = fhir_decimal_modulo(&value, a, b);
	else
		fits = fhir_decimal_divide(&value, a, b);
	if (op == FHIRPATH_DIV) return push_integer_if(run, out, fits, fhir_decimal_truncate(value));
	if (are_integers && op != FHIRPATH_DIVIDE) return push_integer_if(run, out, fits, value);
	return push_decimal(run, out, fits, value);
}

static enum status quantities(struct fhirpath_run *run, enum fhirpath_operator op, const struct fhirpath_value *a,
    const struct fhirpath_value *b, struct fhirpath_values *out) {
	struct fhir_decimal value;
	bool same = bytes_equal(fhirpath_unit_code(a->text), fhirpath_unit_code(b->text));
	if (op == FHIRPATH_ADD && same)
		return push_quantity(run, out, fhir_decimal_add(&value, a->decimal, b->decimal), value, a->text);
	if (op == FHIRPATH_SUBTRACT && same)
		return push_quantity(run, out, fhir_decimal_subtract(&value, a->decimal, b->decimal), value, a->text);
	if (op == FHIRPATH_DIVIDE && same)
		return push_quantity(
		    run, out, fhir_decimal_divide(&value, a->decimal, b->decimal), value, BYTES_LITERAL("1"));
	/* Units are not multiplied, nor converted to be added: that is unknown, and so empty. */
	return STATUS_OK;
}

static enum status scaled(struct fhirpath_run *run, enum fhirpath_operator op, const struct fhirpath_value *quantity,
    struct fhir_decimal number, struct fhirpath_values *out) {
	struct fhir_decimal value;
	bool fits = op == FHIRPATH_MULTIPLY ? fhir_decimal_multiply(&value, quantity->decimal, number)
					    : fhir_decimal_divide(&value, quantity->decimal, number);
	return push_quantity(run, out, fits, value, quantity->text);
}

/* --- dates and times --- */

/* A count of a finer unit as one of a coarser unit, as many as are full. */
static int64_t coarser(int64_t count, enum fhir_precision from, enum fhir_precision to) {
	static const int per[] = {[FHIR_MONTH] = 12,
	    [FHIR_DAY] = 30,
	    [FHIR_HOUR] = 24,
	    [FHIR_MINUTE] = 60,
	    [FHIR_SECOND] = 60,
	    [FHIR_FRACTION] = 1000};
	if (to == FHIR_YEAR && from >= FHIR_DAY) {
		while (from > FHIR_DAY) count /= per[from--];
		return count / 365;
	}
	while (from > to) count /= per[from--];
	return count;
}

static enum status move(struct fhirpath_run *run, const struct fhirpath_value *time, const struct fhirpath_value *by,
    bool is_back, struct fhirpath_values *out) {
	enum fhir_precision unit;
	int times;
	if (!fhirpath_time_unit(by->text, &unit, &times))
		return fhirpath_invalid(run, "a date moves by units such as month or day, not by '%.*s'",
		    by->text.len < 40 ? (int)by->text.len : 40, (const char *)by->text.data);
	struct fhir_decimal amount = by->decimal;
	if (unit == FHIR_SECOND && amount.scale) { /* seconds alone have fractions */
		if (!fhir_decimal_multiply(&amount, amount, fhir_decimal_of(1000))) return STATUS_OK;
		unit = FHIR_FRACTION;
	}
	int64_t count;
	if (!fhir_decimal_integer(&count, amount) || count > INT32_MAX * INT64_C(1000) ||
	    count < INT32_MIN * INT64_C(1000))
		return STATUS_OK;
	count *= is_back ? -times : times;
	struct fhirpath_value moved = *time;
	uint8_t finest = time->temporal.precision;
	if (unit > finest && !(finest == FHIR_SECOND && unit == FHIR_FRACTION)) {
		count = coarser(count, unit, finest);
		unit = finest;
	}
	if (finest == FHIR_SECOND && unit == FHIR_FRACTION && count % 1000 != 0) {
		moved.temporal.precision = FHIR_FRACTION;
		moved.temporal.fraction_len = 3;
	}
	if (fhir_temporal_add(&moved.temporal, unit, count)) fhirpath_push(run, out, moved);
	return STATUS_OK;
}

enum status fhirpath_calculate(struct fhirpath_run *run, enum fhirpath_operator op, const struct fhirpath_value *a,
    const struct fhirpath_value *b, struct fhirpath_values *out) {
	struct fhir_decimal x, y;
	bool a_is_number = fhirpath_decimal_of(&x, a), b_is_number = fhirpath_decimal_of(&y, b);
	if (a_is_number && b_is_number)
		return numbers(run, op, a->kind == FHIRPATH_INTEGER && b->kind == FHIRPATH_INTEGER, x, y, out);
	if (a->kind == FHIRPATH_STRING && b->kind == FHIRPATH_STRING && op == FHIRPATH_ADD) {
		TRY(fhirpath_step(run, (uint32_t)((a->text.len + b->text.len) / FHIRPATH_STEP_BYTES)));
		uint8_t *joined = arena_alloc(run->arena, a->text.len + b->text.len);
		if (a->text.len) memcpy(joined, a->text.data, a->text.len);
		if (b->text.len) memcpy(joined + a->text.len, b->text.data, b->text.len);
		fhirpath_push_text(run, out, bytes_make(joined, a->text.len + b->text.len));
		return STATUS_OK;
	}
	if (a->kind == FHIRPATH_TEMPORAL && b->kind == FHIRPATH_QUANTITY &&
	    (op == FHIRPATH_ADD || op == FHIRPATH_SUBTRACT))
		return move(run, a, b, op == FHIRPATH_SUBTRACT, out);
	if (a->kind == FHIRPATH_QUANTITY && b->kind == FHIRPATH_QUANTITY) return quantities(run, op, a, b, out);
	if (a->kind == FHIRPATH_QUANTITY && b_is_number && (op == FHIRPATH_MULTIPLY || op == FHIRPATH_DIVIDE))
		return scaled(run, op, a, y, out);
	if (a_is_number && b->kind == FHIRPATH_QUANTITY && op == FHIRPATH_MULTIPLY) return scaled(run, op, b, x, out);
	return fhirpath_invalid(run, "%s and %s cannot be calculated with", fhirpath_type_text(run->defs, a),
	    fhirpath_type_text(run->defs, b));
}
