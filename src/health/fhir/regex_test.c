#include "health/fhir/regex.h"

#include "tests/unit.h"

static enum status find(struct fhir_regex_match *match, struct arena *arena, const char *pattern, const char *text) {
	const struct fhir_regex *regex;
	uint64_t steps = 20000000;
	struct err err;
	enum status status = fhir_regex_compile(&regex, arena, bytes_text(pattern), &err);
	if (status == STATUS_OK) status = fhir_regex_search(match, &steps, arena, regex, bytes_text(text), 0, &err);
	bool is_found = false;
	if (status == STATUS_OK) {
		assert_int_equal(fhir_regex_has(&is_found, &steps, arena, regex, bytes_text(text), &err), STATUS_OK);
		assert_int_equal(is_found, match->is_found);
	}
	return status;
}

static bool has(const char *pattern, const char *text) {
	struct arena arena;
	struct fhir_regex_match match;
	arena_init(&arena);
	assert_int_equal(find(&match, &arena, pattern, text), STATUS_OK);
	arena_fini(&arena);
	return match.is_found;
}

static void a_pattern_is_found_anywhere(void **state) {
	(void)state;
	assert_true(has("b", "abc"));
	assert_false(has("^b", "abc"));
	assert_true(has("^a.c$", "abc"));
	assert_true(has("a.c", "a\nc"));
	assert_true(has("", ""));
	assert_true(has("x|b|y", "abc"));
	assert_false(has("^(ab|cd)$", "abcd"));
	assert_true(has("^(ab|cd)+$", "abcd"));
	assert_true(has("^(a|)$", ""));
}

static void repetition_counts(void **state) {
	(void)state;
	assert_true(has("^a{2,3}$", "aa"));
	assert_true(has("^a{2,3}$", "aaa"));
	assert_false(has("^a{2,3}$", "a"));
	assert_false(has("^a{2,3}$", "aaaa"));
	assert_true(has("^a{2}b{0,}c{1,}$", "aac"));
	assert_true(has("^(a?){3}b$", "ab"));
	assert_true(has("^x{,2}$", "x{,2}"));
	assert_true(has("^[A-Z]([A-Za-z0-9_]){0,254}$", "Patient_1"));
	assert_true(has("^(a*)*$", "aaaa"));
}

static void classes_have_ranges_and_names(void **state) {
	(void)state;
	assert_true(has("^[a-c\\d-]+$", "a-9"));
	assert_false(has("^[^a-c]$", "b"));
	assert_true(has("^\\w\\s\\D\\S\\W$", "a bx!"));
	assert_true(has("^[]x]+$", "]x"));
	assert_true(has("^[\\]\\-\\\\]+$", "]-\\"));
	assert_true(has("^.$", "\xc3\xa9"));
	assert_true(has("^[\xc3\xa0-\xc3\xbf]+$", "\xc3\xa9\xc3\xa8"));
	assert_true(has("\\bab\\b", "x ab y"));
	assert_false(has("\\bab\\b", "xab y"));
	assert_true(has("^\\u0041\\x42$", "AB"));
}

static void groups_are_kept(void **state) {
	(void)state;
	struct arena arena;
	struct fhir_regex_match match;
	arena_init(&arena);
	assert_int_equal(find(&match, &arena, "(\\d+)-(x)?(\\w+)", "on 11-ab"), STATUS_OK);
	assert_true(match.is_found);
	assert_int_equal(match.from[0], 3);
	assert_int_equal(match.to[0], 8);
	assert_int_equal(match.from[1], 3);
	assert_int_equal(match.to[1], 5);
	assert_int_equal(match.from[2], SIZE_MAX);
	assert_int_equal(match.from[3], 6);
	assert_int_equal(find(&match, &arena, "a+?", "aaa"), STATUS_OK);
	assert_int_equal(match.to[0], 1);
	assert_int_equal(find(&match, &arena, "a|ab", "ab"), STATUS_OK);
	assert_int_equal(match.to[0], 1);
	const struct fhir_regex *regex;
	assert_int_equal(
	    fhir_regex_compile(&regex, &arena, BYTES_LITERAL("(?<day>\\d)(?:x)(?<month>\\d)"), NULL), STATUS_OK);
	assert_int_equal(fhir_regex_group(regex, BYTES_LITERAL("month")), 2);
	assert_int_equal(fhir_regex_group(regex, BYTES_LITERAL("year")), 0);
	arena_fini(&arena);
}

static enum status compiles(const char *pattern) {
	struct arena arena;
	const struct fhir_regex *regex;
	arena_init(&arena);
	enum status status = fhir_regex_compile(&regex, &arena, bytes_text(pattern), NULL);
	arena_fini(&arena);
	return status;
}

static void what_is_no_pattern_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
	    "(", ")", "[", "[a", "[b-a]", "*", "a{3,2}", "a{2000}", "\\", "a(b", "\\xg1", "(?<>a)"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_not_equal(compiles(bad[i]), STATUS_OK);
	assert_int_equal(compiles("(?=a)"), STATUS_UNSUPPORTED);
	assert_int_equal(compiles("(?<!a)"), STATUS_UNSUPPORTED);
	assert_int_equal(compiles("(a)\\1"), STATUS_UNSUPPORTED);
	assert_int_equal(compiles("((a{1000}){1000}){1000}"), STATUS_LIMIT);
	char deep[200];
	memset(deep, '(', sizeof deep);
	deep[sizeof deep - 1] = 0;
	assert_int_equal(compiles(deep), STATUS_LIMIT);
}

/* What takes other engines for ever takes this one a step a character and state. */
static void no_pattern_is_catastrophic(void **state) {
	(void)state;
	char text[4001];
	memset(text, 'a', sizeof text);
	text[sizeof text - 2] = '!';
	text[sizeof text - 1] = 0;
	assert_false(has("^(a+)+$", text));
	assert_false(has("^(a|a)*$", text));
	assert_false(has("^(a|aa)+$", text));
	assert_false(has("(x+x+)+y", text));
}

static void a_search_that_is_too_long_is_stopped(void **state) {
	(void)state;
	struct arena arena;
	struct fhir_regex_match match;
	arena_init(&arena);
	char *text = arena_alloc(&arena, 100001);
	memset(text, 'a', 100000);
	text[100000] = 0;
	assert_int_equal(find(&match, &arena, "(a?){900}b", text), STATUS_LIMIT);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pattern_is_found_anywhere),
	    cmocka_unit_test(repetition_counts),
	    cmocka_unit_test(classes_have_ranges_and_names),
	    cmocka_unit_test(groups_are_kept),
	    cmocka_unit_test(what_is_no_pattern_is_refused),
	    cmocka_unit_test(no_pattern_is_catastrophic),
	    cmocka_unit_test(a_search_that_is_too_long_is_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
