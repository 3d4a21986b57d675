#include "health/fhir/patch.h"

#include "tests/unit.h"

static enum fhir_patch_verdict patch(char *out, size_t size, const char *document, const char *text) {
	struct arena arena;
	struct fhir_issues issues;
	const struct json *json;
	struct bytes patched = {NULL, 0};
	struct err err;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	if (json_parse(&json, &arena, bytes_text(text), NULL, &err)) fail_msg("%s: %s", text, err.message);
	enum fhir_patch_verdict verdict = fhir_patch_json(&patched, &issues, bytes_text(document), json);
	assert_true(issues.has_error == (verdict != FHIR_PATCH_DONE));
	struct bytes shown = verdict == FHIR_PATCH_DONE ? patched : bytes_text(issues.list[0].diagnostics);
	assert_true(shown.len < size);
	memcpy(out, shown.data, shown.len);
	out[shown.len] = 0;
	arena_fini(&arena);
	return verdict;
}

static void expect(const char *document, const char *text, const char *expected) {
	char out[1000];
	enum fhir_patch_verdict verdict = patch(out, sizeof out, document, text);
	if (verdict != FHIR_PATCH_DONE || strcmp(out, expected) != 0) fail_msg("%s: %s", text, out);
}

static void refuse(const char *document, const char *text, enum fhir_patch_verdict expected) {
	char out[1000];
	if (patch(out, sizeof out, document, text) != expected) fail_msg("%s: %s", text, out);
}

/* RFC 6902, appendix A. */
static void operations_do_what_the_rfc_shows(void **state) {
	(void)state;
	expect("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
	    "{\"foo\":\"bar\",\"baz\":\"qux\"}");
	expect("{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
	    "{\"foo\":[\"bar\",\"qux\",\"baz\"]}");
	expect("{\"baz\":1,\"foo\":2}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":2}");
	expect("{\"foo\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[1,3]}");
	expect(
	    "{\"baz\":1}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":{\"a\":1.00}}]", "{\"baz\":{\"a\":1.00}}");
	expect("{\"foo\":{\"a\":1,\"b\":2},\"qux\":{\"c\":3}}",
	    "[{\"op\":\"move\",\"from\":\"/foo/b\",\"path\":\"/qux/d\"}]",
	    "{\"foo\":{\"a\":1},\"qux\":{\"c\":3,\"d\":2}}");
	expect("{\"foo\":[1,2,3,4]}", "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
	    "{\"foo\":[1,3,4,2]}");
	expect("{\"foo\":[1]}", "[{\"op\":\"copy\",\"from\":\"/foo/0\",\"path\":\"/foo/-\"}]", "{\"foo\":[1,1]}");
	expect("{\"/\":9,\"~1\":10.0}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]", "{\"/\":9,\"~1\":10.0}");
	expect("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}");
	expect("{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{}}]", "{}");
	expect("{\"a\":1}", "[]", "{\"a\":1}");
	expect("{\"a\":{\"c\":1,\"b\":[2]}}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"b\":[2],\"c\":1}}]",
	    "{\"a\":{\"c\":1,\"b\":[2]}}");
}

static void operations_see_what_those_before_them_did(void **state) {
	(void)state;
	expect("{ \"n\" : 1.50 }",
	    "[{\"op\":\"add\",\"path\":\"/a\",\"value\":[]},{\"op\":\"add\",\"path\":\"/a/-\",\"value\":1},"
	    "{\"op\":\"add\",\"path\":\"/a/0\",\"value\":0},{\"op\":\"test\",\"path\":\"/a/1\",\"value\":1}]",
	    "{ \"n\" : 1.50, \"a\":[0,1] }");
	refuse("{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]",
	    FHIR_PATCH_REFUSED);
}

static void what_does_not_fit_is_refused(void **state) {
	(void)state;
	static const char document[] = "{\"foo\":[1],\"bar\":{\"a\":1}}";
	static const char *const bad[] = {"[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":1}]",
	    "[{\"op\":\"add\",\"path\":\"/foo/2\",\"value\":1}]", "[{\"op\":\"add\",\"path\":\"/foo/01\",\"value\":1}]",
	    "[{\"op\":\"add\",\"path\":\"/foo/x\",\"value\":1}]", "[{\"op\":\"remove\",\"path\":\"/foo/-\"}]",
	    "[{\"op\":\"remove\",\"path\":\"\"}]", "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":1}]",
	    "[{\"op\":\"test\",\"path\":\"/bar/a\",\"value\":\"1\"}]",
	    "[{\"op\":\"test\",\"path\":\"/x\",\"value\":null}]",
	    "[{\"op\":\"move\",\"from\":\"/bar\",\"path\":\"/bar/b\"}]",
	    "[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/y\"}]",
	    "[{\"op\":\"add\",\"path\":\"/bar/a/b\",\"value\":1}]"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse(document, bad[i], FHIR_PATCH_REFUSED);
}

static void what_is_no_patch_is_malformed(void **state) {
	(void)state;
	static const char *const bad[] = {"{}", "[1]", "[{\"path\":\"/a\"}]",
	    "[{\"op\":\"put\",\"path\":\"/a\",\"value\":1}]", "[{\"op\":\"add\",\"path\":\"/a\"}]",
	    "[{\"op\":\"add\",\"value\":1}]", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]",
	    "[{\"op\":\"add\",\"path\":\"/~2\",\"value\":1}]", "[{\"op\":\"move\",\"path\":\"/b\"}]",
	    "[{\"op\":\"copy\",\"from\":\"/a\"}]"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse("{\"a\":1}", bad[i], FHIR_PATCH_MALFORMED);
}

/* Copies that double a document end at the limit of work. */
static void a_patch_is_bounded(void **state) {
	(void)state;
	struct buf text;
	buf_init(&text, 100000);
	buf_text(&text, "[");
	for (int i = 0; i < 60; i++)
		buf_printf(&text, "%s{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/x%d\"}", i ? "," : "", i);
	buf_text(&text, "]");
	refuse("{\"a\":{\"b\":1}}", buf_cstr(&text), FHIR_PATCH_REFUSED);
	buf_clear(&text);
	buf_text(&text, "[");
	for (int i = 0; i < 1001; i++) buf_printf(&text, "%s{}", i ? "," : "");
	buf_text(&text, "]");
	refuse("{}", buf_cstr(&text), FHIR_PATCH_MALFORMED);
	buf_fini(&text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(operations_do_what_the_rfc_shows),
	    cmocka_unit_test(operations_see_what_those_before_them_did),
	    cmocka_unit_test(what_does_not_fit_is_refused),
	    cmocka_unit_test(what_is_no_patch_is_malformed),
	    cmocka_unit_test(a_patch_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
