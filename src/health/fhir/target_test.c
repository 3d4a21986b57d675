#include "health/fhir/target.h"

#include "tests/unit.h"

static struct fhir_target parsed(const char *text) {
	struct fhir_target target;
	assert_int_equal(fhir_target_parse(&target, &fhir_r4, bytes_text(text)), FHIR_TARGET_FOUND);
	return target;
}

static void kinds_are_told_apart(void **state) {
	(void)state;
	static const struct {
		const char *text;
		enum fhir_target_kind kind;
	} cases[] = {{"", FHIR_TARGET_SYSTEM}, {"/", FHIR_TARGET_SYSTEM}, {"metadata", FHIR_TARGET_METADATA},
	    {"Patient", FHIR_TARGET_TYPE}, {"/Patient/", FHIR_TARGET_TYPE}, {"Patient/1", FHIR_TARGET_INSTANCE},
	    {"Patient/1/_history/2", FHIR_TARGET_VERSION}, {"Patient/1/_history", FHIR_TARGET_HISTORY},
	    {"Patient/_history", FHIR_TARGET_HISTORY}, {"_history", FHIR_TARGET_HISTORY},
	    {"_search", FHIR_TARGET_SEARCH}, {"Patient/_search", FHIR_TARGET_SEARCH},
	    {"Patient/1/Observation", FHIR_TARGET_COMPARTMENT}, {"Patient/1/*", FHIR_TARGET_COMPARTMENT},
	    {"Patient/1/Observation/_search", FHIR_TARGET_SEARCH}, {"$export", FHIR_TARGET_OPERATION},
	    {"Patient/$match", FHIR_TARGET_OPERATION}, {"Patient/1/$everything", FHIR_TARGET_OPERATION}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(parsed(cases[i].text).kind, cases[i].kind);
}

static void the_parts_are_views(void **state) {
	(void)state;
	struct fhir_target target = parsed("Patient/a-1.B/_history/12");
	assert_string_equal(fhir_type_name(&fhir_r4, target.type), "Patient");
	assert_true(bytes_equal(target.id, BYTES_LITERAL("a-1.B")));
	assert_true(bytes_equal(target.version, BYTES_LITERAL("12")));
	target = parsed("Patient?identifier=a|b");
	assert_true(bytes_equal(target.query, BYTES_LITERAL("identifier=a|b")));
	assert_int_equal(target.kind, FHIR_TARGET_TYPE);
	assert_null(parsed("Patient").query.data);
	assert_non_null(parsed("Patient?").query.data);
	assert_int_equal(parsed("Patient/1/*").within, FHIR_NONE);
}

static void what_is_no_path_is_refused(void **state) {
	(void)state;
	static const struct {
		const char *text;
		enum fhir_target_verdict verdict;
	} cases[] = {{"patient", FHIR_TARGET_NO_TYPE}, {"Resource/1", FHIR_TARGET_NO_TYPE},
	    {"Patient/a_b", FHIR_TARGET_NO_ID}, {"Patient/1/2", FHIR_TARGET_NO_TYPE},
	    {"Patient//1", FHIR_TARGET_NO_PATH}, {"Patient/1/_history/2/3", FHIR_TARGET_NO_PATH},
	    {"Patient/1/_history/a_b", FHIR_TARGET_NO_ID}, {"Patient/1/Observation/3", FHIR_TARGET_NO_PATH},
	    {"http://elsewhere/fhir/Patient/1", FHIR_TARGET_NO_PATH},
	    {"Patient/00000000000000000000000000000000000000000000000000000000000000001", FHIR_TARGET_NO_ID}};
	struct fhir_target target;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(fhir_target_parse(&target, &fhir_r4, bytes_text(cases[i].text)), cases[i].verdict);
}

static void escapes_in_a_path_are_read_and_make_no_other_path(void **state) {
	(void)state;
	static const char *const cases[][2] = {{"Patient/1/%24everything?a=%24", "Patient/1/$everything?a=%24"},
	    {"%50atient", "Patient"}, {"Patient/%5Fsearch", "Patient/_search"}, {"Patient?x=%2F", "Patient?x=%2F"},
	    {"Patient%2F1", "Patient%2F1"}, {"Patient%3Fx=1", "Patient%3Fx=1"}, {"Patient/%zz", "Patient/%zz"},
	    {"Patient/%00", "Patient/%00"}, {"", ""}};
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_true(bytes_equal(fhir_target_decode(&arena, bytes_text(cases[i][0])), bytes_text(cases[i][1])));
	arena_fini(&arena);
}

static void versions_are_numbers_from_one(void **state) {
	(void)state;
	assert_int_equal(fhir_version_number(BYTES_LITERAL("1")), 1);
	assert_int_equal(fhir_version_number(BYTES_LITERAL("4294967295")), UINT32_MAX);
	assert_int_equal(fhir_version_number(BYTES_LITERAL("4294967296")), 0);
	assert_int_equal(fhir_version_number(BYTES_LITERAL("0")), 0);
	assert_int_equal(fhir_version_number(BYTES_LITERAL("01")), 0);
	assert_int_equal(fhir_version_number(BYTES_LITERAL("")), 0);
	assert_int_equal(fhir_version_number(BYTES_LITERAL("1a")), 0);
}

static void a_condition_is_read_in_every_form_that_clients_write(void **state) {
	(void)state;
	const struct bytes base = BYTES_LITERAL("http://here/fhir"), query = BYTES_LITERAL("identifier=a|1?2");
	const uint16_t patient = parsed("Patient").type;
	static const char *const same[] = {"identifier=a|1?2", "?identifier=a|1?2", "Patient?identifier=a|1?2",
	    "/Patient?identifier=a|1?2", "http://here/fhir/Patient?identifier=a|1?2"};
	static const char *const others[] = {"Observation?identifier=a|1?2",
	    "http://there/fhir/Patient?identifier=a|1?2", "http://here/fhirPatient?identifier=a|1?2",
	    "Patient/1?identifier=a|1?2"};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_true(bytes_equal(fhir_condition_query(&fhir_r4, patient, base, bytes_text(same[i])), query));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_true(bytes_equal(
		    fhir_condition_query(&fhir_r4, patient, base, bytes_text(others[i])), bytes_text(others[i])));
	assert_null(fhir_condition_query(&fhir_r4, patient, base, (struct bytes){NULL, 0}).data);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_are_told_apart),
	    cmocka_unit_test(the_parts_are_views),
	    cmocka_unit_test(what_is_no_path_is_refused),
	    cmocka_unit_test(escapes_in_a_path_are_read_and_make_no_other_path),
	    cmocka_unit_test(versions_are_numbers_from_one),
	    cmocka_unit_test(a_condition_is_read_in_every_form_that_clients_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
