#include "health/fhir/patch.h"

#include <stdio.h>

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
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "%s{\"op\":\"replace\",\"path\":\"/a\",\"value\":%d}", i ? "," : "", i);
	buf_text(&text, "]");
	char *large = mem_alloc(300020);
	strcpy(large, "{\"a\":1,\"b\":\"");
	memset(large + strlen("{\"a\":1,\"b\":\""), 'x', 300000);
	strcpy(large + strlen("{\"a\":1,\"b\":\"") + 300000, "\"}");
	refuse(large, buf_cstr(&text), FHIR_PATCH_REFUSED);
	mem_free(large);
	buf_clear(&text);
	buf_text(&text, "[");
	for (int i = 0; i < 1001; i++) buf_printf(&text, "%s{}", i ? "," : "");
	buf_text(&text, "]");
	refuse("{}", buf_cstr(&text), FHIR_PATCH_MALFORMED);
	buf_fini(&text);
}

/* --- FHIRPath Patch --- */

#define PART(name, value) "{\"name\":\"" name "\"," value "}"
#define OPERATION(type, path, more)                                                                                    \
	"{\"name\":\"operation\",\"part\":[" PART("type", "\"valueCode\":\"" type "\"") "," PART(                      \
	    "path", "\"valueString\":\"" path "\"") more "]}"

static enum fhir_patch_verdict patch_path(char *out, size_t size, const char *document, const char *operation) {
	struct arena arena;
	struct fhir_issues issues;
	const struct json *json;
	struct bytes patched = {NULL, 0};
	struct err err;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	const char *text = arena_printf(&arena, "{\"resourceType\":\"Parameters\",\"parameter\":[%s]}", operation);
	if (json_parse(&json, &arena, bytes_text(text), NULL, &err)) fail_msg("%s: %s", text, err.message);
	enum fhir_patch_verdict verdict = fhir_patch_fhirpath(&patched, &issues, &fhir_r4, bytes_text(document), json);
	assert_true(issues.has_error == (verdict != FHIR_PATCH_DONE));
	struct bytes shown = verdict == FHIR_PATCH_DONE ? patched : bytes_text(issues.list[0].diagnostics);
	assert_true(shown.len < size);
	memcpy(out, shown.data, shown.len);
	out[shown.len] = 0;
	arena_fini(&arena);
	return verdict;
}

static void expect_path(const char *members, const char *operation, const char *expected) {
	char out[1000], document[500], whole[500];
	snprintf(document, sizeof document, "{\"resourceType\":\"Patient\"%s}", members);
	snprintf(whole, sizeof whole, "{\"resourceType\":\"Patient\"%s}", expected);
	enum fhir_patch_verdict verdict = patch_path(out, sizeof out, document, operation);
	if (verdict != FHIR_PATCH_DONE || strcmp(out, whole) != 0) fail_msg("%s: %s", operation, out);
}

static void refuse_path(const char *members, const char *operation, enum fhir_patch_verdict expected) {
	char out[1000], document[500];
	snprintf(document, sizeof document, "{\"resourceType\":\"Patient\"%s}", members);
	if (patch_path(out, sizeof out, document, operation) != expected) fail_msg("%s: %s", operation, out);
}

static void paths_change_what_they_lead_to(void **state) {
	(void)state;
	expect_path("",
	    OPERATION("add", "Patient",
		"," PART("name", "\"valueString\":\"deceased\"") "," PART("value", "\"valueBoolean\":true")),
	    ",\"deceasedBoolean\":true");
	expect_path(",\"name\":[{\"family\":\"A\"}]",
	    OPERATION("add", "Patient.name[0]",
		"," PART("name", "\"valueString\":\"given\"") "," PART("value", "\"valueString\":\"B\"")),
	    ",\"name\":[{\"family\":\"A\",\"given\":[\"B\"]}]");
	expect_path("",
	    OPERATION("add", "Patient",
		"," PART("name", "\"valueString\":\"contact\"") "," PART(
		    "value", "\"part\":[" PART("name", "\"valueHumanName\":{\"text\":\"a\"}") "," PART(
				 "gender", "\"valueCode\":\"male\"") "]")),
	    ",\"contact\":[{\"name\":{\"text\":\"a\"},\"gender\":\"male\"}]");
	expect_path(",\"birthDate\":\"2015\",\"_birthDate\":{\"id\":\"a\"}",
	    OPERATION("replace", "Patient.birthDate", "," PART("value", "\"valueDate\":\"2016\"")),
	    ",\"birthDate\":\"2016\"");
	expect_path(",\"deceasedBoolean\":true",
	    OPERATION("replace", "Patient.deceased", "," PART("value", "\"valueDateTime\":\"2016\"")),
	    ",\"deceasedDateTime\":\"2016\"");
	expect_path(
	    ",\"contact\":[{\"name\":{\"text\":\"a\"}}]", OPERATION("delete", "Patient.contact.name.text", ""), "");
	expect_path("", OPERATION("delete", "Patient.birthDate", ""), "");
	expect_path("",
	    OPERATION("insert", "Patient.name",
		"," PART("index", "\"valueInteger\":0") "," PART("value", "\"valueHumanName\":{\"text\":\"a\"}")),
	    ",\"name\":[{\"text\":\"a\"}]");
	expect_path(",\"name\":[{\"id\":\"1\"},{\"id\":\"2\"},{\"id\":\"3\"}]",
	    OPERATION("move", "Patient.name",
		"," PART("source", "\"valueInteger\":0") "," PART("destination", "\"valueInteger\":2")),
	    ",\"name\":[{\"id\":\"2\"},{\"id\":\"3\"},{\"id\":\"1\"}]");
}

static void paths_that_do_not_fit_are_refused(void **state) {
	(void)state;
	const char *value = OPERATION("replace", "Patient.name", "," PART("value", "\"valueString\":\"a\""));
	refuse_path(",\"name\":[{\"id\":\"1\"},{\"id\":\"2\"}]", value, FHIR_PATCH_REFUSED);
	refuse_path("", value, FHIR_PATCH_REFUSED);
	refuse_path("", OPERATION("delete", "Patient", ""), FHIR_PATCH_REFUSED);
	refuse_path(",\"name\":[{\"given\":[\"A\",\"B\"],\"_given\":[null,{\"id\":\"b\"}]}]",
	    OPERATION("delete", "Patient.name.given[0]", ""), FHIR_PATCH_REFUSED);
	refuse_path(",\"active\":true",
	    OPERATION("add", "Patient",
		"," PART("name", "\"valueString\":\"active\"") "," PART("value", "\"valueBoolean\":true")),
	    FHIR_PATCH_REFUSED);
	refuse_path("",
	    OPERATION("add", "Patient",
		"," PART("name", "\"valueString\":\"nmae\"") "," PART("value", "\"valueBoolean\":true")),
	    FHIR_PATCH_REFUSED);
	refuse_path(
	    "", OPERATION("add", "Patient", "," PART("name", "\"valueString\":\"active\"")), FHIR_PATCH_MALFORMED);
	refuse_path("", OPERATION("put", "Patient", ""), FHIR_PATCH_MALFORMED);
	refuse_path("", OPERATION("delete", "Patient.(", ""), FHIR_PATCH_MALFORMED);
	refuse_path("", OPERATION("insert", "Patient.name", ""), FHIR_PATCH_MALFORMED);
	refuse_path("", "{\"name\":\"other\"}", FHIR_PATCH_MALFORMED);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(operations_do_what_the_rfc_shows),
	    cmocka_unit_test(operations_see_what_those_before_them_did),
	    cmocka_unit_test(what_does_not_fit_is_refused),
	    cmocka_unit_test(what_is_no_patch_is_malformed),
	    cmocka_unit_test(a_patch_is_bounded),
	    cmocka_unit_test(paths_change_what_they_lead_to),
	    cmocka_unit_test(paths_that_do_not_fit_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
