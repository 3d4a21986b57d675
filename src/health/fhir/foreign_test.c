#include "health/fhir/foreign.h"

#include "tests/unit.h"

static const addr20 one = {{1}}, other = {{2}};

/* With ' for ". */
static struct bytes shown(struct arena *arena, const addr20 *author, const char *text) {
	struct bytes out = {NULL, 0};
	char *content = arena_strdup(arena, bytes_text(text));
	for (char *c = content; *c; c++)
		if (*c == '\'') *c = '"';
	if (fhir_foreign_write(&out, arena, &fhir_r4, author, bytes_text(content), NULL) != STATUS_OK)
		return (struct bytes){NULL, 0};
	return out;
}

static bool holds(struct bytes text, const char *part) {
	return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

static const char *id_of(struct arena *arena, const addr20 *author, const char *type, const char *id) {
	return arena_strdup(arena, fhir_foreign_id(arena, author, bytes_text(type), bytes_text(id)));
}

static void an_id_is_of_its_author_type_and_name_alone(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	const char *id = id_of(&arena, &one, "Patient", "1");
	assert_string_equal(id, id_of(&arena, &one, "Patient", "1"));
	assert_string_not_equal(id, id_of(&arena, &other, "Patient", "1"));
	assert_string_not_equal(id, id_of(&arena, &one, "Person", "1"));
	assert_string_not_equal(id, id_of(&arena, &one, "Patient", "2"));
	assert_true(fhir_foreign_is(bytes_text(id)));
	assert_int_equal(strlen(id), 39);
	assert_false(fhir_foreign_is(bytes_text("1")));
	assert_false(fhir_foreign_is(bytes_text("share")));
	arena_fini(&arena);
}

static void references_lead_to_the_same_author_and_the_rest_stays(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	const struct bytes out = shown(&arena, &one,
	    "{'resourceType':'Observation', 'id':'o','meta':{'versionId':'3','tag':[{'code':'x'}]},'valueQuantity':{"
	    "'value':1.50},'subject':{'reference':'Patient/1'},'focus':[{'reference':'Patient/1/_history/2'},"
	    "{'reference':'#c'},{'reference':'urn:uuid:1'},{'reference':'http://a/fhir/Patient/1'},"
	    "{'reference':'Nothing/1'},{'reference':'Patient/1/2'},{'reference':'Patient/'}],"
	    "'contained':[{'resourceType':'DocumentReference','id':'c','content':[{'attachment':{'url':'Binary/b'}}]}],"
	    "'note':[{'text':'Patient/1'}]}");
	const char *patient = id_of(&arena, &one, "Patient", "1"), *own = id_of(&arena, &one, "Observation", "o");
	assert_true(holds(out, arena_printf(&arena, "{\"resourceType\":\"Observation\", \"id\":\"%s\",", own)));
	assert_true(holds(out, arena_printf(&arena, "\"subject\":{\"reference\":\"Patient/%s\"}", patient)));
	assert_true(holds(out, arena_printf(&arena, "\"Patient/%s/_history/2\"", patient)));
	const char *binary = id_of(&arena, &one, "Binary", "b");
	assert_true(holds(out, arena_printf(&arena, "\"url\":\"Binary/%s\"", binary)));
	static const char *const kept[] = {"1.50", "\"#c\"", "urn:uuid:1", "\"http://a/fhir/Patient/1\"",
	    "\"Nothing/1\"", "\"Patient/1/2\"", "\"Patient/\"", "\"text\":\"Patient/1\"", "\"id\":\"c\"",
	    "\"versionId\":\"3\"",
	    ("{\"code\":\"x\"},{\"system\":\"urn:xinglin:author\",\"code\":\"0x0100000000000000000000000000000000000000\"},"
	     "{\"system\":\"urn:xinglin:name\",\"code\":\"Observation/o\"}]")};
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (!holds(out, kept[i])) fail_msg("%s is gone: %.*s", kept[i], (int)out.len, (const char *)out.data);
	arena_fini(&arena);
}

static void what_is_no_resource_with_an_id_is_refused(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	static const char *const bad[] = {"", "[]", "{}", "{'resourceType':'Patient'}",
	    "{'resourceType':'Nothing','id':'1'}", "{'resourceType':'Patient','id':''}",
	    "{'resourceType':'Patient','id':'a b'}", "{'resourceType':'Patient','id':1}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (shown(&arena, &one, bad[i]).data) fail_msg("%s is taken", bad[i]);
	assert_true(holds(shown(&arena, &one, "{'resourceType':'Patient','id':'1'}"), "\"meta\":{\"tag\":["));
	assert_true(holds(shown(&arena, &one, "{'resourceType':'Patient','id':'1','meta':{}}"), "\"tag\":["));
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_id_is_of_its_author_type_and_name_alone),
	    cmocka_unit_test(references_lead_to_the_same_author_and_the_rest_stays),
	    cmocka_unit_test(what_is_no_resource_with_an_id_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
