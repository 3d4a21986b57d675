/* Conversions between FHIRPath's own types: toX(), and convertsToX() which says whether toX() gives something. */
#include "health/fhir/fhirpath_functions.h"

#include <strings.h>

/* Converts one plain value; `*is_there` false if it has no such form. */
typedef enum status convert(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out);

static enum status to(
    struct fhirpath_run *run, const struct fhirpath_call *call, convert *body, struct fhirpath_values *out) {
	const struct fhirpath_value *value;
	struct fhirpath_value converted = {.type = FHIR_NONE};
	bool is_there = false;
	TRY(fhirpath_single(run, call->in, &value));
	if (value) TRY(body(run, value, &is_there, &converted));
	if (is_there) fhirpath_push(run, out, converted);
	return STATUS_OK;
}

static enum status converts(
    struct fhirpath_run *run, const struct fhirpath_call *call, convert *body, struct fhirpath_values *out) {
	struct fhirpath_values converted = {0};
	TRY(to(run, call, body, &converted));
	if (call->in->count) fhirpath_push_bool(run, out, converted.count > 0);
	return STATUS_OK;
}

/* --- texts and units --- */

bool fhirpath_text_of(struct fhirpath_run *run, const struct fhirpath_value *value, struct bytes *out) {
	if (value->kind == FHIRPATH_STRING) {
		*out = value->text;
		return true;
	}
	if (value->kind == FHIRPATH_NODE || value->kind == FHIRPATH_TYPE) return false;
	struct buf text;
	buf_init(&text, FHIRPATH_TEXT_MAX);
	fhirpath_write(&text, run->defs, value);
	*out = arena_dup(run->arena, buf_view(&text));
	buf_fini(&text);
	return true;
}

static const struct {
	const char *one, *many, *code;
	enum fhir_precision precision;
	int times;
} units[] = {{"year", "years", "a", FHIR_YEAR, 1}, {"month", "months", "mo", FHIR_MONTH, 1},
    {"week", "weeks", "wk", FHIR_DAY, 7}, {"day", "days", "d", FHIR_DAY, 1}, {"hour", "hours", "h", FHIR_HOUR, 1},
    {"minute", "minutes", "min", FHIR_MINUTE, 1}, {"second", "seconds", "s", FHIR_SECOND, 1},
    {"millisecond", "milliseconds", "ms", FHIR_FRACTION, 1}};

bool fhirpath_calendar_unit(struct bytes unit, enum fhir_precision *precision, int *times) {
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (!bytes_equal(unit, bytes_text(units[i].one)) && !bytes_equal(unit, bytes_text(units[i].many)))
			continue;
		*precision = units[i].precision;
		*times = units[i].times;
		return true;
	}
	return false;
}

bool fhirpath_time_unit(struct bytes unit, enum fhir_precision *precision, int *times) {
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].precision >= FHIR_DAY && bytes_equal(unit, bytes_text(units[i].code)))
			unit = bytes_text(units[i].one);
	return fhirpath_calendar_unit(unit, precision, times);
}

struct bytes fhirpath_unit_code(struct bytes unit) {
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (bytes_equal(unit, bytes_text(units[i].one)) || bytes_equal(unit, bytes_text(units[i].many)))
			return bytes_text(units[i].code);
	return unit;
}

/* --- the conversions --- */

static enum status boolean(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	static const char *const words[][6] = {
	    {"false", "f", "no", "n", "0", "0.0"}, {"true", "t", "yes", "y", "1", "1.0"}};
	struct fhir_decimal number;
	(void)run;
	out->kind = FHIRPATH_BOOLEAN;
	*is_there = value->kind == FHIRPATH_BOOLEAN;
	out->boolean = value->boolean;
	if (fhirpath_decimal_of(&number, value)) {
		out->boolean = fhir_decimal_compare(number, fhir_decimal_of(1)) == 0;
		*is_there = out->boolean || fhir_decimal_compare(number, fhir_decimal_of(0)) == 0;
	}
	for (int truth = 0; value->kind == FHIRPATH_STRING && truth < 2; truth++)
		for (int i = 0; i < 6; i++) {
			const char *word = words[truth][i];
			if (value->text.len != strlen(word) ||
			    strncasecmp((const char *)value->text.data, word, value->text.len) != 0)
				continue;
			*is_there = true;
			out->boolean = truth;
		}
	return STATUS_OK;
}

/* A number in a string may have a plus before it. */
static bool read_number(struct fhir_decimal *out, struct bytes text) {
	if (text.len > 1 && text.data[0] == '+' && text.data[1] != '-') text = bytes_slice(text, 1, text.len);
	if (memchr(text.data ? text.data : (const uint8_t *)"", 'e', text.len)) return false;
	bool is_negative = text.len && text.data[0] == '-';
	if (is_negative) text = bytes_slice(text, 1, text.len);
	while (text.len > 1 && text.data[0] == '0' && text.data[1] != '.') text = bytes_slice(text, 1, text.len);
	if (text.len && text.data[0] == '-') return false;
	if (!fhir_decimal_read(out, text)) return false;
	if (is_negative) out->digits = -out->digits;
	return true;
}

static enum status decimal(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	(void)run;
	out->kind = FHIRPATH_DECIMAL;
	*is_there = fhirpath_decimal_of(&out->decimal, value);
	if (value->kind == FHIRPATH_STRING) *is_there = read_number(&out->decimal, value->text);
	if (value->kind == FHIRPATH_BOOLEAN) {
		*is_there = true;
		out->decimal = (struct fhir_decimal){value->boolean ? 10 : 0, 1};
	}
	return STATUS_OK;
}

static enum status integer(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	struct fhirpath_value number;
	TRY(decimal(run, value, is_there, &number));
	bool is_text = value->kind == FHIRPATH_STRING, is_decimal = value->kind == FHIRPATH_DECIMAL;
	if (is_decimal || (is_text && number.decimal.scale)) *is_there = false;
	out->kind = FHIRPATH_INTEGER;
	if (*is_there) *is_there = fhir_decimal_integer(&out->integer, number.decimal);
	if (*is_there) *is_there = out->integer >= INT32_MIN && out->integer <= INT32_MAX;
	return STATUS_OK;
}

static enum status string(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	out->kind = FHIRPATH_STRING;
	*is_there = fhirpath_text_of(run, value, &out->text);
	return STATUS_OK;
}

static bool read_temporal(const struct fhirpath_value *value, bool is_time, struct fhirpath_value *out) {
	struct bytes text = value->text;
	out->kind = FHIRPATH_TEMPORAL;
	if (value->kind == FHIRPATH_TEMPORAL) out->temporal = value->temporal;
	if (value->kind == FHIRPATH_TEMPORAL) return (value->temporal.kind == FHIR_TIME) == is_time;
	if (value->kind != FHIRPATH_STRING) return false;
	if (text.len && text.data[0] == '@') text = bytes_slice(text, 1, text.len);
	if (is_time && text.len && text.data[0] == 'T') text = bytes_slice(text, 1, text.len);
	return fhir_temporal_read(&out->temporal, text, is_time);
}

static enum status date(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	(void)run;
	*is_there = read_temporal(value, false, out);
	out->temporal.kind = FHIR_DATE;
	out->temporal.has_zone = false;
	out->temporal.zone_minutes = 0;
	if (out->temporal.precision > FHIR_DAY) out->temporal.precision = FHIR_DAY;
	return STATUS_OK;
}

static enum status date_time(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	(void)run;
	*is_there = read_temporal(value, false, out);
	out->temporal.kind = FHIR_DATE_TIME;
	return STATUS_OK;
}

static enum status time(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	(void)run;
	*is_there = read_temporal(value, true, out);
	return STATUS_OK;
}

/* "10 'mg'", "4 days", "1.5" */
static bool read_quantity(struct bytes text, struct fhirpath_value *out) {
	size_t len = 0;
	while (len < text.len && strchr("+-.0123456789", text.data[len]) && text.data[len]) len++;
	if (!read_number(&out->decimal, bytes_slice(text, 0, len))) return false;
	text = bytes_slice(text, len, text.len);
	while (text.len && (text.data[0] == ' ' || text.data[0] == '\t')) text = bytes_slice(text, 1, text.len);
	out->text = BYTES_LITERAL("1");
	if (!text.len) return true;
	enum fhir_precision unused;
	int times;
	if (text.len > 2 && text.data[0] == '\'' && text.data[text.len - 1] == '\'')
		out->text = bytes_slice(text, 1, text.len - 2);
	else if (fhirpath_calendar_unit(text, &unused, &times))
		out->text = text;
	else
		return false;
	return true;
}

static enum status quantity(
    struct fhirpath_run *run, const struct fhirpath_value *value, bool *is_there, struct fhirpath_value *out) {
	if (value->kind == FHIRPATH_QUANTITY) {
		*out = *value;
		*is_there = true;
		return STATUS_OK;
	}
	if (value->kind == FHIRPATH_STRING)
		*is_there = read_quantity(value->text, out);
	else
		TRY(decimal(run, value, is_there, out));
	if (value->kind != FHIRPATH_STRING) out->text = BYTES_LITERAL("1");
	out->kind = FHIRPATH_QUANTITY;
	return STATUS_OK;
}

/* A unit that is asked for must be the one that is there: nothing is converted. */
static enum status quantity_in(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct bytes unit;
	bool is_asked;
	TRY(fhirpath_text_argument(run, call, 0, &is_asked, &unit));
	TRY(to(run, call, quantity, out));
	if (is_asked && out->count && !bytes_equal(fhirpath_unit_code(out->items[0].text), fhirpath_unit_code(unit)))
		out->count = 0;
	return STATUS_OK;
}

enum status fhirpath_fn_to_quantity(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	return quantity_in(run, call, out);
}

enum status fhirpath_fn_converts_to_quantity(
    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {
	struct fhirpath_values converted = {0};
	TRY(quantity_in(run, call, &converted));
	if (call->in->count) fhirpath_push_bool(run, out, converted.count > 0);
	return STATUS_OK;
}

#define CONVERSION(name, body)                                                                                         \
	enum status fhirpath_fn_to_##name(                                                                             \
	    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {                 \
		return to(run, call, body, out);                                                                       \
	}                                                                                                              \
	enum status fhirpath_fn_converts_to_##name(                                                                    \
	    struct fhirpath_run *run, const struct fhirpath_call *call, struct fhirpath_values *out) {                 \
		return converts(run, call, body, out);                                                                 \
	}
CONVERSION(boolean, boolean)
CONVERSION(integer, integer)
CONVERSION(decimal, decimal)
CONVERSION(string, string)
CONVERSION(date, date)
CONVERSION(date_time, date_time)
CONVERSION(time, time)
