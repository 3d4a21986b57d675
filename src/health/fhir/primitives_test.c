#include "health/fhir/primitives.h"

#include "health/fhir/definitions.h"
#include "health/fhir/regex.h"
#include "tests/unit.h"

static const char *why(const char *type, const char *json) {
	struct arena arena;
	const struct json *value;
	struct err err;
	arena_init(&arena);
	if (json_parse(&value, &arena, bytes_text(json), NULL, &err)) fail_msg("%s: %s", json, err.message);
	const char *out = fhir_primitive_find(bytes_text(type))(value);
	arena_fini(&arena);
	return out;
}

static void values_have_the_form_of_their_type(void **state) {
	(void)state;
	static const char *const good[][2] = {{"boolean", "true"}, {"integer", "-12"}, {"integer", "2147483647"},
	    {"unsignedInt", "0"}, {"positiveInt", "1"}, {"decimal", "1.00"}, {"decimal", "-1e3"},
	    {"string", "\" a\\n\""}, {"code", "\"a b\""}, {"id", "\"A-1.b\""},
	    {"uri", "\"urn:uuid:68D043B5-9ECF-4559-A57A-396E0D452311\""},
	    {"uri", "\"urn:uuid:68d043b5-9ecf-4559-a57a-396e0d452311#a\""}, {"uri", "\"#a\""},
	    {"oid", "\"urn:oid:1.2.0\""}, {"uuid", "\"urn:uuid:68d043b5-9ecf-4559-a57a-396e0d452311\""},
	    {"date", "\"2015-02\""}, {"dateTime", "\"2015\""}, {"dateTime", "\"2015-02-07T13:28:17.239+02:00\""},
	    {"instant", "\"2015-02-07T13:28:17Z\""}, {"time", "\"13:28:17\""}, {"base64Binary", "\"YWI=\""},
	    {"base64Binary", "\"YWJj\\nYW I=\""}, {"xhtml", "\"<div/>\""}};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (why(good[i][0], good[i][1]))
			fail_msg("%s %s %s", good[i][0], good[i][1], why(good[i][0], good[i][1]));
}

static void others_are_refused(void **state) {
	(void)state;
	static const char *const bad[][2] = {{"boolean", "\"true\""}, {"integer", "1.0"}, {"integer", "2147483648"},
	    {"integer", "1e2"}, {"integer", "\"1\""}, {"unsignedInt", "-1"}, {"positiveInt", "0"},
	    {"decimal", "\"1.0\""}, {"string", "\"\""}, {"string", "\" \""}, {"string", "\"a\\u0001\""},
	    {"string", "1"}, {"code", "\" a\""}, {"code", "\"a  b\""}, {"code", "\"a \""}, {"id", "\"a_b\""},
	    {"id", "\"\""}, {"id", "\"12345678901234567890123456789012345678901234567890123456789012345\""},
	    {"uri", "\"a b\""}, {"uri", "\"\""}, {"uri", "\"urn:uuid:68d043b5\""}, {"uri", "\"urn:oid:1\""},
	    {"oid", "\"1.2\""}, {"oid", "\"urn:oid:1.02\""},
	    {"uuid", "\"urn:uuid:68D043B5-9ECF-4559-A57A-396E0D452311\""}, {"date", "\"2015-02-30\""},
	    {"date", "\"2015-02-07T13:28:17Z\""}, {"dateTime", "\"2015-02-07T13:28Z\""},
	    {"dateTime", "\"2015-02-07T13:28:17\""}, {"dateTime", "\"2015T\""}, {"instant", "\"2015-02-07\""},
	    {"time", "\"13:28\""}, {"time", "\"24:00:00\""}, {"base64Binary", "\"YWI\""}, {"base64Binary", "\"Y.I=\""},
	    {"base64Binary", "\"Y===\""}, {"xhtml", "\"\""}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!why(bad[i][0], bad[i][1])) fail_msg("%s %s is taken", bad[i][0], bad[i][1]);
}

/* The pattern that the definitions give a type, unless the check is known to be stricter. */
static bool fits_pattern(struct arena *arena, const struct fhir_pattern_def *def, const char *text) {
	const struct fhir_regex *regex;
	uint64_t steps = 10000000;
	bool is_found;
	struct err err;
	const char *pattern = arena_printf(arena, "^(?:%s)$", fhir_text(&fhir_r4, def->pattern));
	if (fhir_regex_compile(&regex, arena, bytes_text(pattern), &err)) fail_msg("%s: %s", pattern, err.message);
	assert_int_equal(fhir_regex_has(&is_found, &steps, arena, regex, bytes_text(text), &err), STATUS_OK);
	return is_found;
}

/* What the checks take fits the specification's patterns, and what these refuse the checks refuse. Stricter are dates
 * (days of their month), integers (32 bits), strings (some ink), URIs and base64. */
static void checks_agree_with_the_patterns_of_the_specification(void **state) {
	(void)state;
	static const char *const samples[] = {"a", "a b", " a", "a\tb", "1", "0", "-1", "01", "1.5", "true", "2015",
	    "2015-02", "2015-02-04", "2015-02-04T14:34:28Z", "2015-02-04T14:34:28.1+14:00", "2015-02-04T14:34:28+14:30",
	    "2015-13", "0000", "13:28:17", "24:00:00", "23:59:60", "13:28", "urn:oid:1.2", "urn:oid:3.1",
	    "urn:oid:1.02", "YWI=", "YWJj", "Y.I=", "urn:uuid:68d043b5-9ecf-4559-a57a-396e0d452311",
	    "urn:uuid:68d043b5-9ecf-4559-a57a-396e0d45231", "A_b", "A-b.1"};
	static const char *const stricter[] = {"dateTime", "date", "instant", "integer", "unsignedInt", "positiveInt",
	    "uri", "canonical", "url", "string", "markdown", "base64Binary", "decimal", "boolean"};
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < fhir_r4.pattern_count; i++) {
		const struct fhir_pattern_def *def = &fhir_r4.patterns[i];
		const char *type = fhir_type_name(&fhir_r4, def->type);
		bool may_be_stricter = false;
		if (!*fhir_text(&fhir_r4, def->pattern)) continue;
		for (size_t k = 0; k < sizeof stricter / sizeof *stricter; k++)
			may_be_stricter |= strcmp(stricter[k], type) == 0;
		for (size_t s = 0; s < sizeof samples / sizeof *samples; s++) {
			struct json value = {.type = JSON_STRING, .text = bytes_text(samples[s])};
			bool taken = !fhir_primitive_find(bytes_text(type))(&value),
			     fits = fits_pattern(&arena, def, samples[s]);
			if (taken != fits && !(may_be_stricter && fits)) fail_msg("%s: %s", type, samples[s]);
		}
	}
	arena_fini(&arena);
}

static void every_primitive_type_has_a_check(void **state) {
	(void)state;
	for (size_t i = 0; i < fhir_r4.type_count; i++)
		assert_true((fhir_r4.types[i].kind == FHIR_KIND_PRIMITIVE) ==
			    (fhir_primitive_find(bytes_text(fhir_type_name(&fhir_r4, (uint16_t)i))) != NULL));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_have_the_form_of_their_type),
	    cmocka_unit_test(others_are_refused),
	    cmocka_unit_test(checks_agree_with_the_patterns_of_the_specification),
	    cmocka_unit_test(every_primitive_type_has_a_check),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
