#include "health/gateway/smart_scopes.h"

#include "health/fhir/definitions.h"
#include "tests/unit.h"

static struct arena arena;

static struct smart_scopes parse(const char *text) {
	struct smart_scopes out;
	assert_int_equal(smart_scopes_parse(&out, &arena, bytes_text(text), NULL), STATUS_OK);
	return out;
}

static void assert_rights(const char *text, enum smart_scope_context context, unsigned rights) {
	const struct smart_scopes scopes = parse(text);
	assert_int_equal(scopes.count, 1);
	assert_int_equal(scopes.list[0].context, context);
	assert_int_equal(scopes.list[0].rights, rights);
}

static void both_versions_are_read(void **state) {
	(void)state;
	assert_rights("patient/Patient.rs", SMART_SCOPE_PATIENT, SMART_SCOPE_READ | SMART_SCOPE_SEARCH);
	assert_rights("patient/Patient.read", SMART_SCOPE_PATIENT, SMART_SCOPE_READ | SMART_SCOPE_SEARCH);
	assert_rights(
	    "user/Observation.write", SMART_SCOPE_USER, SMART_SCOPE_CREATE | SMART_SCOPE_UPDATE | SMART_SCOPE_DELETE);
	assert_rights("system/*.*", SMART_SCOPE_SYSTEM, SMART_SCOPE_ALL);
	assert_rights("system/*.cruds", SMART_SCOPE_SYSTEM, SMART_SCOPE_ALL);
	assert_rights("system/*.cd", SMART_SCOPE_SYSTEM, SMART_SCOPE_CREATE | SMART_SCOPE_DELETE);
}

static void a_granular_scope_keeps_its_search(void **state) {
	(void)state;
	const struct smart_scopes scopes = parse(
	    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory");
	assert_int_equal(scopes.count, 1);
	assert_true(bytes_equal(scopes.list[0].search,
	    BYTES_LITERAL("category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory")));
	assert_int_equal(scopes.list[0].type, fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Observation")));
}

static void what_is_no_scope_gives_no_right(void **state) {
	(void)state;
	static const char *const words[] = {"", " ", "openid", "launch/patient", "offline_access", "patient/Patient",
	    "patient/Patient.", "patient/Patient.sr", "patient/Patient.rr", "patient/Patient.rsx", "patient/Nothing.rs",
	    "patient/patient.rs", "Patient/Patient.rs", "patient/Resource.rs", "patient/DomainResource.rs",
	    "patient//.rs", "patient/*.r*", "patients/*.rs", "/*.rs", "patient/Patient.rs?", "patient/Patient.rs?x",
	    "patient/Patient.rs?=y", "patient/Patient.rs?x=", "patient/Patient.rs?a=b&", "patient/Patient.rs?a=b&&c=d",
	    "patient/Patient.read?a=b", "patient/Patient.rs\tuser/*.rs", "patient/*.rs\n"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (parse(words[i]).count) fail_msg("\"%s\" gives a right", words[i]);
	}
}

static void their_number_is_bounded(void **state) {
	(void)state;
	struct buf text;
	struct smart_scopes scopes;
	buf_init(&text, SMART_SCOPES_BYTES_MAX + 100);
	for (unsigned i = 0; i < SMART_SCOPES_MAX; i++) buf_text(&text, "user/*.rs ");
	assert_int_equal(smart_scopes_parse(&scopes, &arena, buf_view(&text), NULL), STATUS_OK);
	assert_int_equal(scopes.count, SMART_SCOPES_MAX);
	buf_text(&text, "user/*.rs ");
	assert_int_equal(smart_scopes_parse(&scopes, &arena, buf_view(&text), NULL), STATUS_LIMIT);
	while (text.len <= SMART_SCOPES_BYTES_MAX) buf_byte(&text, ' ');
	assert_int_equal(smart_scopes_parse(&scopes, &arena, buf_view(&text), NULL), STATUS_LIMIT);
	buf_fini(&text);
}

static int begin(void **state) {
	(void)state;
	arena_init(&arena);
	return 0;
}

static int end(void **state) {
	(void)state;
	arena_fini(&arena);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_versions_are_read),
	    cmocka_unit_test(a_granular_scope_keeps_its_search),
	    cmocka_unit_test(what_is_no_scope_gives_no_right),
	    cmocka_unit_test(their_number_is_bounded),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
