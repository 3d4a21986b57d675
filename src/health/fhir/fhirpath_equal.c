#include "health/fhir/fhirpath_run.h"
#include "health/fhir/same.h"

/* --- one value and another --- */

static enum fhirpath_truth truth(bool value) {
	return value ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

/* Quantities in units that are known to be multiples of one another. */
static bool same_unit(
    const struct fhirpath_value *a, const struct fhirpath_value *b, struct fhir_decimal *x, struct fhir_decimal *y) {
	static const struct {
		const char *unit, *base, *times;
	} multiples[] = {{"g", "g", "1"}, {"kg", "g", "1000"}, {"mg", "g", "0.001"}, {"ug", "g", "0.000001"},
	    {"m", "m", "1"}, {"km", "m", "1000"}, {"cm", "m", "0.01"}, {"mm", "m", "0.001"}, {"L", "L", "1"},
	    {"l", "L", "1"}, {"dL", "L", "0.1"}, {"mL", "L", "0.001"}, {"[lb_av]", "g", "453.59237"},
	    {"[in_i]", "m", "0.0254"}, {"[oz_av]", "g", "28.349523125"}, {"[ft_i]", "m", "0.3048"}, {"s", "s", "1"},
	    {"ms", "s", "0.001"}, {"min", "s", "60"}, {"h", "s", "3600"}, {"d", "s", "86400"}, {"wk", "s", "604800"},
	    {"mo", "mo", "1"}, {"a", "mo", "12"}};
	struct bytes u = fhirpath_unit_code(a->text), v = fhirpath_unit_code(b->text);
	const char *base_u = NULL, *base_v = NULL;
	*x = a->decimal;
	*y = b->decimal;
	if (bytes_equal(u, v)) return true;
	for (size_t i = 0; i < sizeof multiples / sizeof *multiples; i++) {
		struct fhir_decimal times;
		BUG_ON(!fhir_decimal_read(&times, bytes_text(multiples[i].times)));
		if (bytes_equal(u, bytes_text(multiples[i].unit))) {
			base_u = multiples[i].base;
			if (!fhir_decimal_multiply(x, *x, times)) return false;
		}
		if (bytes_equal(v, bytes_text(multiples[i].unit))) {
			base_v = multiples[i].base;
			if (!fhir_decimal_multiply(y, *y, times)) return false;
		}
	}
	return base_u && base_v && strcmp(base_u, base_v) == 0;
}

/* Years and months have no fixed length in UCUM's units: a calendar year is no "a". */
static bool is_calendar_mix(const struct fhirpath_value *a, const struct fhirpath_value *b) {
	enum fhir_precision p, q;
	int times;
	bool a_is = fhirpath_calendar_unit(a->text, &p, &times), b_is = fhirpath_calendar_unit(b->text, &q, &times);
	return a_is != b_is && (a_is ? p : q) <= FHIR_MONTH;
}

static enum fhirpath_truth plain_equal(const struct fhirpath_value *a, const struct fhirpath_value *b) {
	struct fhir_decimal x, y;
	int order;
	if (fhirpath_decimal_of(&x, a) && fhirpath_decimal_of(&y, b)) return truth(fhir_decimal_compare(x, y) == 0);
	if (a->kind != b->kind) return FHIRPATH_FALSE;
	switch (a->kind) {
	case FHIRPATH_BOOLEAN: return truth(a->boolean == b->boolean);
	case FHIRPATH_STRING: return truth(bytes_equal(a->text, b->text));
	case FHIRPATH_TEMPORAL:
		if ((a->temporal.kind == FHIR_TIME) != (b->temporal.kind == FHIR_TIME)) return FHIRPATH_FALSE;
		return fhir_temporal_compare(&order, &a->temporal, &b->temporal) ? truth(order == 0) : FHIRPATH_UNKNOWN;
	case FHIRPATH_QUANTITY:
		if (is_calendar_mix(a, b)) return FHIRPATH_UNKNOWN;
		return same_unit(a, b, &x, &y) ? truth(fhir_decimal_compare(x, y) == 0) : FHIRPATH_UNKNOWN;
	case FHIRPATH_TYPE: return truth(strcmp(a->space, b->space) == 0 && bytes_equal(a->text, b->text));
	case FHIRPATH_NODE:
		if (!a->json || !b->json) return truth(a->json == b->json && a->shadow == b->shadow);
		return truth(a->json == b->json || same_json(a->json, b->json));
	case FHIRPATH_INTEGER:
	case FHIRPATH_DECIMAL: break;
	}
	return FHIRPATH_FALSE;
}

/* Comparing takes as long as what is compared; the next step finds out if there is nothing left. */
static void pay(struct fhirpath_run *run, const struct fhirpath_value *value) {
	size_t bytes = value->kind == FHIRPATH_NODE && value->json ? value->json->raw.len : value->text.len;
	size_t cost = bytes / FHIRPATH_STEP_BYTES;
	run->steps -= cost < run->steps ? (uint32_t)cost : run->steps;
}

enum fhirpath_truth fhirpath_equal(
    struct fhirpath_run *run, const struct fhirpath_value *a, const struct fhirpath_value *b) {
	pay(run, a);
	struct fhirpath_value x = fhirpath_plain(run->defs, a), y = fhirpath_plain(run->defs, b);
	return plain_equal(&x, &y);
}

/* --- likeness: case and white space aside, numbers by the lesser precision --- */

static bool is_space(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static uint8_t lower(uint8_t c) {
	return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

static bool text_alike(struct bytes a, struct bytes b) {
	size_t i = 0, j = 0;
	while (i < a.len && j < b.len) {
		bool is_gap = is_space(a.data[i]);
		if (is_gap != is_space(b.data[j])) return false;
		if (!is_gap && lower(a.data[i]) != lower(b.data[j])) return false;
		i++;
		j++;
		while (is_gap && i < a.len && is_space(a.data[i])) i++;
		while (is_gap && j < b.len && is_space(b.data[j])) j++;
	}
	return i == a.len && j == b.len;
}

static bool number_alike(struct fhir_decimal a, struct fhir_decimal b) {
	int32_t scale = a.scale < b.scale ? a.scale : b.scale;
	return fhir_decimal_round(&a, a, scale) && fhir_decimal_round(&b, b, scale) && fhir_decimal_compare(a, b) == 0;
}

bool fhirpath_alike(struct fhirpath_run *run, const struct fhirpath_value *a, const struct fhirpath_value *b) {
	pay(run, a);
	struct fhirpath_value x = fhirpath_plain(run->defs, a), y = fhirpath_plain(run->defs, b);
	struct fhir_decimal left, right;
	if (fhirpath_decimal_of(&left, &x) && fhirpath_decimal_of(&right, &y)) return number_alike(left, right);
	if (x.kind == FHIRPATH_STRING && y.kind == FHIRPATH_STRING) return text_alike(x.text, y.text);
	if (x.kind == FHIRPATH_QUANTITY && y.kind == FHIRPATH_QUANTITY)
		return same_unit(&x, &y, &left, &right) && number_alike(left, right);
	return plain_equal(&x, &y) == FHIRPATH_TRUE;
}

/* --- lists --- */

enum status fhirpath_lists_equal(struct fhirpath_run *run, const struct fhirpath_values *a,
    const struct fhirpath_values *b, enum fhirpath_truth *out) {
	*out = FHIRPATH_UNKNOWN;
	if (!a->count || !b->count) return STATUS_OK;
	*out = truth(a->count == b->count);
	for (uint32_t i = 0; *out == FHIRPATH_TRUE && i < a->count; i++) {
		TRY(fhirpath_step(run, 1));
		*out = fhirpath_equal(run, &a->items[i], &b->items[i]);
	}
	return STATUS_OK;
}

/* In any order: each of the one has a partner of its own in the other. */
enum status fhirpath_lists_alike(
    struct fhirpath_run *run, const struct fhirpath_values *a, const struct fhirpath_values *b, bool *out) {
	bool *is_taken = arena_zalloc(run->arena, b->count + 1, sizeof *is_taken);
	*out = a->count == b->count;
	for (uint32_t i = 0; *out && i < a->count; i++) {
		bool is_found = false;
		TRY(fhirpath_step(run, b->count));
		for (uint32_t j = 0; !is_found && j < b->count; j++) {
			is_found = !is_taken[j] && fhirpath_alike(run, &a->items[i], &b->items[j]);
			if (is_found) is_taken[j] = true;
		}
		*out = is_found;
	}
	return STATUS_OK;
}

/* Values that may be equal have one hash. */
static enum status hash(struct fhirpath_run *run, const struct fhirpath_value *value, uint64_t *out) {
	struct fhirpath_value plain = fhirpath_plain(run->defs, value);
	struct fhir_decimal number;
	*out = 1469598103934665603u;
	TRY(fhirpath_step(
	    run, 1 + (uint32_t)(plain.kind == FHIRPATH_STRING ? plain.text.len / FHIRPATH_STEP_BYTES : 0)));
	if (plain.kind == FHIRPATH_STRING)
		for (size_t i = 0; i < plain.text.len; i++) *out = (*out ^ plain.text.data[i]) * 1099511628211u;
	else if (fhirpath_decimal_of(&number, &plain))
		*out = (uint64_t)fhir_decimal_truncate(number).digits * 1099511628211u;
	else
		*out = (uint64_t)plain.kind;
	return STATUS_OK;
}

#define FEW 8 /* below, a list is searched as it stands */

/* Open addressing over places in the list; UINT32_MAX: free. */
struct table {
	uint32_t *places;
	uint32_t capacity;
};

static uint32_t table_slot(const struct table *table, uint64_t digest) {
	return (uint32_t)(digest ^ digest >> 32) & (table->capacity - 1);
}

static void table_put(const struct table *table, uint64_t digest, uint32_t place) {
	uint32_t slot = table_slot(table, digest);
	while (table->places[slot] != UINT32_MAX) slot = (slot + 1) & (table->capacity - 1);
	table->places[slot] = place;
}

static enum status table_has(struct fhirpath_run *run, const struct table *table, const struct fhirpath_values *values,
    const struct fhirpath_value *value, uint64_t digest, bool *out) {
	uint32_t slot = table_slot(table, digest);
	*out = false;
	for (; table->places[slot] != UINT32_MAX && !*out; slot = (slot + 1) & (table->capacity - 1)) {
		TRY(fhirpath_step(run, 1));
		*out = fhirpath_equal(run, &values->items[table->places[slot]], value) == FHIRPATH_TRUE;
	}
	return STATUS_OK;
}

enum status fhirpath_has(
    struct fhirpath_run *run, const struct fhirpath_values *values, const struct fhirpath_value *value, bool *out) {
	*out = false;
	for (uint32_t i = 0; i < values->count && !*out; i++) {
		TRY(fhirpath_step(run, 1));
		*out = fhirpath_equal(run, &values->items[i], value) == FHIRPATH_TRUE;
	}
	return STATUS_OK;
}

enum status fhirpath_push_distinct(
    struct fhirpath_run *run, struct fhirpath_values *out, const struct fhirpath_values *more) {
	struct table table = {.capacity = 16};
	bool has;
	if (out->count + more->count <= FEW) {
		for (uint32_t i = 0; i < more->count; i++) {
			TRY(fhirpath_has(run, out, &more->items[i], &has));
			if (!has) fhirpath_push(run, out, more->items[i]);
		}
		return STATUS_OK;
	}
	while (table.capacity < 2 * (out->count + more->count)) table.capacity *= 2;
	table.places = arena_alloc(run->arena, table.capacity * sizeof *table.places);
	memset(table.places, 0xff, table.capacity * sizeof *table.places);
	uint64_t digest;
	for (uint32_t i = 0; i < out->count; i++) {
		TRY(hash(run, &out->items[i], &digest));
		table_put(&table, digest, i);
	}
	for (uint32_t i = 0; i < more->count; i++) {
		TRY(hash(run, &more->items[i], &digest));
		TRY(table_has(run, &table, out, &more->items[i], digest, &has));
		if (has) continue;
		table_put(&table, digest, out->count);
		fhirpath_push(run, out, more->items[i]);
	}
	return STATUS_OK;
}

/* --- order --- */

enum status fhirpath_order(struct fhirpath_run *run, const struct fhirpath_value *a, const struct fhirpath_value *b,
    bool *is_known, int *order) {
	struct fhirpath_value x = fhirpath_plain(run->defs, a), y = fhirpath_plain(run->defs, b);
	struct fhir_decimal left, right;
	*is_known = true;
	if (fhirpath_decimal_of(&left, &x) && fhirpath_decimal_of(&right, &y)) {
		*order = fhir_decimal_compare(left, right);
		return STATUS_OK;
	}
	if (x.kind == FHIRPATH_STRING && y.kind == FHIRPATH_STRING) {
		*order = bytes_compare(x.text, y.text);
		return STATUS_OK;
	}
	if (x.kind == FHIRPATH_TEMPORAL && y.kind == FHIRPATH_TEMPORAL) {
		if ((x.temporal.kind == FHIR_TIME) != (y.temporal.kind == FHIR_TIME))
			return fhirpath_invalid(run, "a time has no order with a date");
		*is_known = fhir_temporal_compare(order, &x.temporal, &y.temporal);
		return STATUS_OK;
	}
	if (x.kind == FHIRPATH_QUANTITY && y.kind == FHIRPATH_QUANTITY) {
		*is_known = same_unit(&x, &y, &left, &right);
		if (*is_known) *order = fhir_decimal_compare(left, right);
		return STATUS_OK;
	}
	return fhirpath_invalid(
	    run, "%s has no order with %s", fhirpath_type_text(run->defs, &x), fhirpath_type_text(run->defs, &y));
}
