#include "health/gs1/gs1.h"

#include <stdio.h>

static const struct gs1_ai ai_table[] = {
// clang-format off
#include "health/gs1/ai_table.h"
    // clang-format on
};
#define AI_COUNT (sizeof ai_table / sizeof *ai_table)

static bool is_digit(uint8_t c) {
	return c >= '0' && c <= '9';
}

bool gs1_is_digits(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.data[i])) return false;
	return text.len > 0;
}

char gs1_check_digit(struct bytes digits) {
	unsigned sum = 0;
	for (size_t i = 0; i < digits.len; i++) {
		unsigned digit = (unsigned)(digits.data[i] - '0');
		sum += (digits.len - i) % 2 ? 3 * digit : digit;
	}
	return (char)('0' + (10 - sum % 10) % 10);
}

bool gs1_check_digit_holds(struct bytes digits) {
	if (digits.len < 2 || !gs1_is_digits(digits)) return false;
	return gs1_check_digit(bytes_slice(digits, 0, digits.len - 1)) == (char)digits.data[digits.len - 1];
}

static bool is_one_of(uint8_t c, const char *set) {
	return c && strchr(set, c);
}

static bool is_alphanumeric(uint8_t c) {
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool gs1_is_cset82(struct bytes text) {
	for (size_t i = 0; i < text.len; i++)
		if (!is_alphanumeric(text.data[i]) && !is_one_of(text.data[i], "!\"%&'()*+,-./:;<=>?_")) return false;
	return text.len > 0;
}

static bool is_cset39(struct bytes text) {
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (!is_digit(c) && !(c >= 'A' && c <= 'Z') && !is_one_of(c, "#-/")) return false;
	}
	return text.len > 0;
}

/* File-safe base64 with padding at the end only. */
static bool is_cset64(struct bytes text) {
	while (text.len && text.data[text.len - 1] == '=') text.len--;
	for (size_t i = 0; i < text.len; i++)
		if (!is_alphanumeric(text.data[i]) && !is_one_of(text.data[i], "-_")) return false;
	return text.len > 0;
}

bool gs1_gtin14(char out[15], struct bytes digits) {
	if (digits.len != 8 && digits.len != 12 && digits.len != 13 && digits.len != 14) return false;
	if (!gs1_check_digit_holds(digits)) return false;
	memset(out, '0', 14);
	memcpy(out + 14 - digits.len, digits.data, digits.len);
	out[14] = 0;
	return true;
}

/* --- dates --- */

/* Days from 1970-01-01 to a date of the Gregorian calendar, from 1970 on. */
static uint64_t days_of(unsigned year, unsigned month, unsigned day) {
	unsigned y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;
	return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static unsigned days_in_month(unsigned year, unsigned month) {
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

static unsigned number_of(struct bytes digits) {
	unsigned value = 0;
	for (size_t i = 0; i < digits.len; i++) value = 10 * value + (unsigned)(digits.data[i] - '0');
	return value;
}

static bool end_of_day(uint64_t *out, unsigned year, unsigned month, unsigned day) {
	if (year < 1970 || month < 1 || month > 12 || day > days_in_month(year, month)) return false;
	if (day == 0) day = days_in_month(year, month);
	*out = (days_of(year, month, day) + 1) * 86400;
	return true;
}

bool gs1_expiry_seconds(uint64_t *out, struct bytes text, unsigned this_year) {
	if (text.len != 6 || !gs1_is_digits(text)) return false;
	unsigned year = this_year / 100 * 100 + number_of(bytes_slice(text, 0, 2));
	if (year > this_year + 50) year -= 100;
	if (year + 49 < this_year) year += 100;
	return end_of_day(out, year, number_of(bytes_slice(text, 2, 2)), number_of(bytes_slice(text, 4, 2)));
}

bool gs1_date_seconds(uint64_t *out, struct bytes text, unsigned this_year) {
	if (text.len == 6) return gs1_expiry_seconds(out, text, this_year);
	if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-') return false;
	struct bytes year = bytes_slice(text, 0, 4), month = bytes_slice(text, 5, 2), day = bytes_slice(text, 8, 2);
	if (!gs1_is_digits(year) || !gs1_is_digits(month) || !gs1_is_digits(day) || number_of(day) == 0) return false;
	return end_of_day(out, number_of(year), number_of(month), number_of(day));
}

void gs1_expiry_text(char yymmdd[7], char iso[11], uint64_t seconds) {
	uint64_t days = seconds / 86400 + 719468 - 1; /* the last day before */
	unsigned era = (unsigned)(days / 146097), in_era = (unsigned)(days % 146097);
	unsigned year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned m = (5 * in_year + 2) / 153, day = in_year - (153 * m + 2) / 5 + 1;
	unsigned month = m < 10 ? m + 3 : m - 9, year = era * 400 + year_of_era + (month <= 2);
	if (yymmdd) snprintf(yymmdd, 7, "%02u%02u%02u", year % 100, month, day);
	if (iso) snprintf(iso, 11, "%04u-%02u-%02u", year % 10000, month, day);
}

/* --- application identifiers --- */

const struct gs1_ai *gs1_ai_named(struct bytes name) {
	for (size_t i = 0; i < AI_COUNT; i++)
		if (bytes_equal(name, bytes_text(ai_table[i].ai))) return &ai_table[i];
	return NULL;
}

const struct gs1_ai *gs1_ai_at(struct bytes text) {
	for (size_t len = 2; len <= 4 && len <= text.len; len++) {
		const struct gs1_ai *ai = gs1_ai_named(bytes_slice(text, 0, len));
		if (ai) return ai;
	}
	return NULL;
}

/* One component of a spec: "[N6],yymmdd". Advances `*spec`; false at the end. */
struct component {
	char charset; /* N X Y Z */
	size_t least, most;
	bool optional;
	struct bytes linters; /* ",csum,gcppos2" */
};
static bool next_component(struct component *out, const char **spec) {
	const char *at = *spec;
	while (*at == ' ') at++;
	if (!*at) return false;
	out->optional = *at == '[';
	if (out->optional) at++;
	out->charset = *at++;
	bool range = *at == '.';
	while (*at == '.') at++;
	out->most = 0;
	while (is_digit((uint8_t)*at)) out->most = 10 * out->most + (size_t)(*at++ - '0');
	out->least = range ? 1 : out->most;
	if (*at == ']') at++;
	const char *end = at;
	while (*end && *end != ' ') end++;
	out->linters = bytes_make(at, (size_t)(end - at));
	*spec = end;
	return true;
}

void gs1_ai_length(const struct gs1_ai *ai, size_t *least, size_t *most) {
	struct component component;
	*least = *most = 0;
	for (const char *spec = ai->spec; next_component(&component, &spec);) {
		if (!component.optional) *least += component.least;
		*most += component.most;
	}
}

static bool has_linter(const struct component *component, const char *name) {
	struct bytes rest = component->linters;
	while (rest.len) {
		rest = bytes_slice(rest, 1, rest.len);
		size_t len = 0;
		while (len < rest.len && rest.data[len] != ',') len++;
		if (bytes_equal(bytes_slice(rest, 0, len), bytes_text(name))) return true;
		rest = bytes_slice(rest, len, rest.len);
	}
	return false;
}

static const char *charset_fault(char charset, struct bytes value) {
	switch (charset) {
	case 'N': return gs1_is_digits(value) ? NULL : "a character that is no digit where digits must stand";
	case 'X': return gs1_is_cset82(value) ? NULL : "a character that lots and serials cannot have";
	case 'Y': return is_cset39(value) ? NULL : "a character outside A-Z, 0-9, # - /";
	default: return is_cset64(value) ? NULL : "a character outside base64url";
	}
}

static const char *component_fault(const struct component *component, struct bytes value) {
	uint64_t seconds;
	const char *fault = charset_fault(component->charset, value);
	if (fault) return fault;
	if (has_linter(component, "csum") && !gs1_check_digit_holds(value)) return "a wrong check digit";
	if (has_linter(component, "zero") && value.data[0] != '0') return "a first digit other than 0";
	bool day_needed = has_linter(component, "yymmdd");
	if (!day_needed && !has_linter(component, "yymmd0")) return NULL;
	/* The century does not matter here: 2000 has a 29 February as every YY00 that this could mean. */
	if (!gs1_expiry_seconds(&seconds, value, 2026)) return "a date that does not exist";
	return day_needed && number_of(bytes_slice(value, 4, 2)) == 0 ? "a date without its day" : NULL;
}

const char *gs1_value_fault(const struct gs1_ai *ai, struct bytes value) {
	struct component component;
	for (const char *spec = ai->spec; next_component(&component, &spec);) {
		if (component.optional && value.len == 0) continue;
		if (value.len < component.least) return "too few characters";
		struct bytes part = bytes_slice(value, 0, component.most);
		const char *fault = component_fault(&component, part);
		if (fault) return fault;
		value = bytes_slice(value, part.len, value.len);
	}
	return value.len ? "too many characters" : NULL;
}
