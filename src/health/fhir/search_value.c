#include "health/fhir/search_value.h"

#include <stdarg.h>
#include <stdio.h>

bool fhir_search_refuse(
    struct fhir_search_reader *reader, enum fhir_issue_code code, struct bytes name, const char *format, ...) {
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	name = bytes_slice(name, 0, name.len < 200 ? name.len : 200);
	fhir_issues_add(reader->issues, FHIR_ERROR, code, arena_strdup(reader->arena, name), text);
	return false;
}

/* --- separators and escapes (search.html#escaping) --- */

struct bytes fhir_search_unescape(struct arena *arena, struct bytes text) {
	if (!text.len || !memchr(text.data, '\\', text.len)) return text;
	uint8_t *out = arena_alloc(arena, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool is_escape =
		    text.data[i] == '\\' && i + 1 < text.len && strchr("\\,|$", text.data[i + 1]) && text.data[i + 1];
		if (is_escape) i++;
		out[len++] = text.data[i];
	}
	return bytes_make(out, len);
}

struct bytes fhir_search_cut(struct bytes *rest, char separator) {
	struct bytes all = *rest;
	for (size_t i = 0; i < all.len; i++) {
		if (all.data[i] == '\\') {
			i++;
		} else if (all.data[i] == (uint8_t)separator) {
			*rest = bytes_make(all.data + i + 1, all.len - i - 1);
			return bytes_slice(all, 0, i);
		}
	}
	*rest = (struct bytes){NULL, 0};
	return all;
}

/* --- numbers and quantities --- */

static const struct {
	char text[3];
	enum fhir_prefix prefix;
} prefixes[] = {{"eq", FHIR_PREFIX_EQ}, {"ne", FHIR_PREFIX_NE}, {"gt", FHIR_PREFIX_GT}, {"lt", FHIR_PREFIX_LT},
    {"ge", FHIR_PREFIX_GE}, {"le", FHIR_PREFIX_LE}, {"sa", FHIR_PREFIX_SA}, {"eb", FHIR_PREFIX_EB},
    {"ap", FHIR_PREFIX_AP}};

static void cut_prefix(struct fhir_operand *out, struct bytes *value) {
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (value->len > 2 && memcmp(value->data, prefixes[i].text, 2) == 0) {
			out->prefix = prefixes[i].prefix;
			*value = bytes_slice(*value, 2, value->len - 2);
			return;
		}
}

/* Half a unit of the last digit that was written; "1e2" has two digits (search.html#number). */
static struct fhir_decimal half_unit(struct bytes text, struct fhir_decimal number) {
	struct fhir_decimal half = {.digits = 5, .scale = number.scale + 1};
	for (size_t i = 0; i < text.len; i++) {
		if ((text.data[i] | 32) != 'e') continue;
		bool is_less = i + 1 < text.len && text.data[i + 1] == '-';
		int exponent = 0;
		for (size_t k = i + 1; k < text.len && exponent < 100; k++)
			if (text.data[k] >= '0' && text.data[k] <= '9') exponent = 10 * exponent + text.data[k] - '0';
		if (is_less || exponent > 30) return half;
		const uint8_t *point = memchr(text.data, '.', i);
		int zeros = exponent - 2 - (point ? (int)(text.data + i - point - 1) : 0);
		half = (struct fhir_decimal){.digits = 5, .scale = zeros < 0 ? -zeros : 0};
		for (; zeros > 0; zeros--) half.digits *= 10;
	}
	return half;
}

static bool read_number(struct fhir_operand *out, struct bytes text) {
	struct fhir_decimal half;
	if (!fhir_decimal_read(&out->number, text) || out->number.scale >= FHIR_SCALE_MAX) return false;
	half = half_unit(text, out->number);
	if (half.scale > FHIR_SCALE_MAX) return false;
	if (out->prefix == FHIR_PREFIX_AP) { /* a tenth of the value */
		struct fhir_decimal tenth = {.digits = 1, .scale = 1};
		if (!fhir_decimal_multiply(&half, out->number, tenth)) return false;
		if (half.digits < 0) half.digits = -half.digits;
	}
	return fhir_decimal_subtract(&out->low, out->number, half) && fhir_decimal_add(&out->high, out->number, half);
}

static bool number_of(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	return read_number(out, value) ||
	       fhir_search_refuse(reader, FHIR_ISSUE_VALUE, wanted->name,
		   "'%.80s' is not a number: write one such as 5.4 or ge100", arena_strdup(reader->arena, value));
}

static bool quantity_of(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	struct bytes rest = value, number = fhir_search_cut(&rest, '|');
	if (!number_of(reader, out, wanted, number)) return false;
	if (!rest.data) return true;
	struct bytes system = fhir_search_cut(&rest, '|');
	if (!rest.data) { /* "5.4|mg" */
		rest = system;
		system = (struct bytes){NULL, 0};
	}
	out->system = fhir_search_unescape(reader->arena, system);
	out->code = fhir_search_unescape(reader->arena, rest);
	out->has_system = out->system.len > 0;
	out->has_code = out->code.len > 0;
	return true;
}

/* --- dates --- */

#define TENTH_OF_GAP(gap) ((gap) / 10 < 0 ? -((gap) / 10) : (gap) / 10)

static bool date_of(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	struct fhir_temporal temporal;
	uint8_t *text = arena_alloc(reader->arena, value.len + 1);
	for (size_t i = 0; i < value.len; i++) /* a '+' that was not encoded came as a blank */
		text[i] = value.data[i] == ' ' ? '+' : value.data[i];
	if (!fhir_temporal_read(&temporal, bytes_make(text, value.len), false))
		return fhir_search_refuse(reader, FHIR_ISSUE_VALUE, wanted->name,
		    "'%.80s' is not a date: write one such as 2024, ge2024-03-01 or 2024-03-01T10:00:00Z",
		    arena_strdup(reader->arena, value));
	out->moments = fhir_temporal_moments(&temporal);
	if (out->prefix == FHIR_PREFIX_AP) {
		int64_t gap = TENTH_OF_GAP(reader->settings->now_ms - out->moments.first_ms);
		out->moments.first_ms -= gap;
		out->moments.last_ms += gap;
	}
	return true;
}

/* --- tokens --- */

static void token_of(struct fhir_search_reader *reader, struct fhir_operand *out, struct bytes value) {
	struct bytes rest = value, first = fhir_search_cut(&rest, '|');
	out->has_system = rest.data != NULL;
	out->system = out->has_system ? fhir_search_unescape(reader->arena, first) : (struct bytes){NULL, 0};
	out->code = fhir_search_unescape(reader->arena, out->has_system ? rest : first);
	out->has_code = out->code.len > 0;
}

static bool of_type(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	struct bytes rest = value, system = fhir_search_cut(&rest, '|'), code = fhir_search_cut(&rest, '|');
	if (!rest.data || !rest.len)
		return fhir_search_refuse(reader, FHIR_ISSUE_VALUE, wanted->name,
		    "a value of :of-type is the type's system, its code and the identifier: system|code|value");
	out->type_system = fhir_search_unescape(reader->arena, system);
	out->type_code = fhir_search_unescape(reader->arena, code);
	out->code = fhir_search_unescape(reader->arena, rest);
	out->has_code = true;
	return true;
}

/* --- references --- */

/* "Patient/1", "Patient/1/_history/2"; our own base before it was taken off. */
static bool split_reference(const struct fhir_definitions *defs, struct fhir_operand *out, struct bytes text) {
	const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	if (!slash) return false;
	out->target = fhir_definitions_resource(defs, bytes_make(text.data, (size_t)(slash - text.data)));
	out->id = bytes_make(slash + 1, text.len - (size_t)(slash - text.data) - 1);
	const uint8_t *end = out->id.len ? memchr(out->id.data, '/', out->id.len) : NULL;
	if (end && (size_t)(end - out->id.data) + 10 > out->id.len) return false;
	if (end && memcmp(end, "/_history/", 10) != 0) return false;
	if (end) out->id.len = (size_t)(end - out->id.data);
	return out->target != FHIR_NONE && out->id.len > 0;
}

static bool begins_with(struct bytes text, const char *prefix) {
	return prefix && bytes_equal(bytes_slice(text, 0, strlen(prefix)), bytes_text(prefix));
}

static bool reference_of(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	struct bytes text = fhir_search_unescape(reader->arena, value);
	const char *base = reader->settings->base;
	out->target = FHIR_NONE;
	if (begins_with(text, base) && text.len > strlen(base) && text.data[strlen(base)] == '/')
		text = bytes_slice(text, strlen(base) + 1, text.len);
	if (split_reference(reader->defs, out, text)) {
		if (wanted->target == FHIR_NONE || wanted->target == out->target) return true;
		return fhir_search_refuse(reader, FHIR_ISSUE_VALUE, wanted->name,
		    "the value names another type than the modifier: write the id alone");
	}
	out->target = FHIR_NONE;
	out->id = (struct bytes){NULL, 0};
	if (text.len && !memchr(text.data, '/', text.len) && !memchr(text.data, ':', text.len)) {
		out->id = text;
		out->target = wanted->target;
	} else {
		out->text = text;
	}
	return true;
}

/* --- one value --- */

static bool composite_of(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value);

static bool needs_prefix(enum fhir_search_type type) {
	return type == FHIR_SEARCH_NUMBER || type == FHIR_SEARCH_QUANTITY || type == FHIR_SEARCH_DATE;
}

bool fhir_search_operand(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	if (++reader->operands > FHIR_SEARCH_OPERANDS_MAX)
		return fhir_search_refuse(reader, FHIR_ISSUE_TOO_COSTLY, wanted->name,
		    "a search of more than %u values: ask for fewer at once", FHIR_SEARCH_OPERANDS_MAX);
	if (!value.len)
		return fhir_search_refuse(reader, FHIR_ISSUE_VALUE, wanted->name,
		    "a value is empty: leave the parameter out, or say :missing=true");
	if (wanted->modifier == FHIR_IDENTIFIER || wanted->type == FHIR_SEARCH_TOKEN) {
		if (wanted->modifier == FHIR_OF_TYPE) return of_type(reader, out, wanted, value);
		token_of(reader, out, value);
		out->target = FHIR_NONE;
		out->text = fhir_search_unescape(reader->arena, value);
		return true;
	}
	switch (wanted->type) {
	case FHIR_SEARCH_NUMBER: return number_of(reader, out, wanted, value);
	case FHIR_SEARCH_QUANTITY: return quantity_of(reader, out, wanted, value);
	case FHIR_SEARCH_DATE: return date_of(reader, out, wanted, value);
	case FHIR_SEARCH_REFERENCE: return reference_of(reader, out, wanted, value);
	case FHIR_SEARCH_COMPOSITE: return composite_of(reader, out, wanted, value);
	case FHIR_SEARCH_STRING:
	case FHIR_SEARCH_URI:
	case FHIR_SEARCH_TOKEN: out->text = fhir_search_unescape(reader->arena, value); return true;
	case FHIR_SEARCH_SPECIAL:
		return fhir_search_refuse(reader, FHIR_ISSUE_NOT_SUPPORTED, wanted->name,
		    "this server does not search by position: leave the parameter out");
	}
	return false;
}

static bool composite_of(struct fhir_search_reader *reader, struct fhir_operand *out,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	struct fhir_list components = fhir_list(reader->defs, wanted->search->components);
	struct fhir_operand *parts = arena_zalloc(reader->arena, components.count / 2 + 1, sizeof *parts);
	struct bytes rest = value;
	for (size_t i = 0; i + 1 < components.count; i += 2) {
		struct fhir_search_wanted part = *wanted;
		struct bytes text = rest.data ? fhir_search_cut(&rest, '$') : rest;
		if (!text.data || (i + 2 >= components.count && rest.data))
			return fhir_search_refuse(reader, FHIR_ISSUE_VALUE, wanted->name,
			    "a value of this parameter has %zu parts with $ between them", components.count / 2);
		part.type = (enum fhir_search_type)components.items[i];
		if (needs_prefix(part.type)) cut_prefix(&parts[i / 2], &text);
		if (!fhir_search_operand(reader, &parts[i / 2], &part, text)) return false;
	}
	out->parts = parts;
	return true;
}

bool fhir_search_operands(struct fhir_search_reader *reader, struct fhir_criterion *criterion,
    const struct fhir_search_wanted *wanted, struct bytes value) {
	struct bytes rest = value;
	size_t count = 1;
	for (size_t i = 0; i < value.len; i++) count += value.data[i] == ',';
	if (count > FHIR_SEARCH_OPERANDS_MAX) count = FHIR_SEARCH_OPERANDS_MAX;
	struct fhir_operand *operands = arena_zalloc(reader->arena, count, sizeof *operands);
	criterion->operands = operands;
	do {
		struct bytes piece = fhir_search_cut(&rest, ',');
		if (criterion->operand_count == count) /* said as any search that is too large */
			reader->operands = FHIR_SEARCH_OPERANDS_MAX;
		struct fhir_operand none,
		    *out = criterion->operand_count < count ? &operands[criterion->operand_count++] : &none;
		if (needs_prefix(wanted->type)) cut_prefix(out, &piece);
		if (!fhir_search_operand(reader, out, wanted, piece)) return false;
	} while (rest.data);
	return true;
}
