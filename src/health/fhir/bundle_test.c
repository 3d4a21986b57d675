#include "health/fhir/bundle.h"

#include "tests/unit.h"

struct fixture {
	struct arena arena;
	struct fhir_document document;
	struct fhir_issues issues;
	struct err err;
};

static enum status parse(struct fixture *f, const char *text) {
	arena_init(&f->arena);
	f->err.message[0] = 0;
	fhir_issues_init(&f->issues, &f->arena);
	if (fhir_document_read(&f->document, &f->issues, bytes_text(text))) return STATUS_OK;
	return fhir_issues_status(&f->issues, &f->err);
}

static void refused(const char *text, const char *message) {
	struct fixture f;
	assert_int_equal(parse(&f, text), STATUS_INVALID);
	if (!strstr(f.err.message, message)) fail_msg("%s\nsays: %s", text, f.err.message);
	arena_fini(&f.arena);
}

static void a_single_resource_keeps_its_bytes(void **state) {
	(void)state;
	struct fixture f;
	const char *text = " {\"resourceType\" : \"Observation\",\"id\":\"a-1.\", \"valueQuantity\":{\"value\":1.00}} ";
	assert_int_equal(parse(&f, text), STATUS_OK);
	assert_int_equal(f.document.resource_count, 1);
	assert_int_equal(f.document.patient_count, 0);
	const struct fhir_resource *resource = &f.document.resources[0];
	assert_true(bytes_equal(resource->id, BYTES_LITERAL("a-1.")));
	assert_true(bytes_equal(resource->raw, bytes_make(text + 1, strlen(text) - 2)));
	assert_true(resource->patient == SIZE_MAX);
	arena_fini(&f.arena);
}

static void resources_go_with_their_patients(void **state) {
	(void)state;
	struct fixture f;
	assert_int_equal(
	    parse(&f,
		"{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":["
		"{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"José\","
		"\"María\"],\"family\":\"Casares\"}]}},"
		"{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"2\"}},"
		"{\"resource\":{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/2\"},"
		"\"performer\":[{\"reference\":\"urn:uuid:1\"}]}},"
		"{\"resource\":{\"resourceType\":\"Coverage\",\"beneficiary\":{\"reference\":\"urn:uuid:1\"}}},"
		"{\"resource\":{\"resourceType\":\"Appointment\",\"participant\":[{\"actor\":{\"reference\":\"Location/"
		"1\"}},"
		"{\"actor\":{\"reference\":\"Patient/9/_history/3\"}}]}},"
		"{\"resource\":{\"resourceType\":\"Organization\",\"name\":\"General\"}},"
		"{\"resource\":{\"resourceType\":\"Condition\",\"subject\":{\"display\":\"nobody knows\"}}}]}"),
	    STATUS_OK);
	assert_int_equal(f.document.patient_count, 3);
	const struct fhir_patient *patients = f.document.patients;
	assert_true(bytes_equal(patients[0].display, BYTES_LITERAL("José María Casares")));
	assert_true(bytes_equal(patients[0].key, BYTES_LITERAL("urn:uuid:1")));
	assert_true(bytes_equal(patients[1].key, BYTES_LITERAL("Patient/2")));
	assert_true(bytes_equal(patients[2].key, BYTES_LITERAL("Patient/9")));
	assert_true(patients[2].resource == SIZE_MAX);
	const size_t wanted[] = {0, 1, 1, 0, 2, SIZE_MAX, SIZE_MAX};
	for (size_t i = 0; i < 7; i++) assert_true(f.document.resources[i].patient == wanted[i]);
	arena_fini(&f.arena);
}

static void a_lone_patient_gets_all_but_the_shared(void **state) {
	(void)state;
	struct fixture f;
	assert_int_equal(parse(&f, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
				   "{\"resource\":{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\"}},"
				   "{\"resource\":{\"resourceType\":\"Practitioner\",\"active\":true}},"
				   "{\"resource\":{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient?"
				   "identifier=x|1\"}}}]}"),
	    STATUS_OK);
	assert_int_equal(f.document.patient_count, 1);
	assert_true(bytes_equal(f.document.patients[0].key, BYTES_LITERAL("Patient?identifier=x|1")));
	assert_int_equal(f.document.resources[0].patient, 0);
	assert_true(f.document.resources[1].patient == SIZE_MAX);
	assert_int_equal(f.document.resources[2].patient, 0);
	arena_fini(&f.arena);
}

/* Two servers may each have a Patient/1; a relative reference means the one of its own entry's server. */
static void relative_references_follow_the_entrys_base(void **state) {
	(void)state;
	struct fixture f;
#define PATIENT(host)                                                                                                  \
	"{\"fullUrl\":\"http://" host "/Patient/1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}"
#define FLAG(full_url)                                                                                                 \
	"{" full_url "\"resource\":{\"resourceType\":\"Flag\",\"id\":\"f\",\"subject\":{\"reference\":\"Patient/"      \
	"1\"}}}"
#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[" entries "]}"
	assert_int_equal(
	    parse(&f, BUNDLE(PATIENT("a") "," PATIENT("b") "," FLAG("\"fullUrl\":\"http://b/Flag/f\","))), STATUS_OK);
	assert_int_equal(f.document.patient_count, 2);
	assert_int_equal(f.document.resources[2].patient, 1);
	arena_fini(&f.arena);
	refused(BUNDLE(PATIENT("a") "," PATIENT("b") "," FLAG("")), "fits several");
}

static void what_is_no_document_is_refused(void **state) {
	(void)state;
	refused("", "");
	refused("[]", "JSON object");
	refused("{}", "no resourceType");
	refused("{\"resourceType\":\"Observasion\"}", "\"Observasion\" is not a resource type");
	refused("{\"resourceType\":\"DomainResource\"}", "not a resource type");
	refused("{\"resourceType\":\"Patient\",\"resourceType\":\"Patient\"}", "");
	refused("{\"resourceType\":\"Patient\",\"id\":\"\"}", "FHIR id");
	refused("{\"resourceType\":\"Patient\",\"id\":\"a_b\"}", "Patient: its id");
	refused("{\"resourceType\":\"Patient\",\"name\":[]}", "Patient.name: an empty array");
	refused(
	    "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"a\",\"\"]}]}", "Patient.name[0].given[1]: an empty");
	refused("{\"resourceType\":\"Patient\",\"maritalStatus\":{}}", "an empty object");
	refused("{\"resourceType\":\"Patient\",\"gender\":\"a\\u0000b\"}", "Patient.gender: a control character");
	refused("{\"resourceType\":\"Patient\",\"gender\":null}", "Patient.gender: null");
	refused(
	    "{\"resourceType\":\"Patient\",\"contained\":[{\"id\":\"x\"}]}", "Patient.contained[0]: no resourceType");
	refused(BUNDLE("{\"fullUrl\":\"urn:uuid:1\"}"), "Bundle.entry[0]: an entry without resource");
	refused(BUNDLE(PATIENT("a") "," PATIENT("a")), "Bundle.entry[1]: another entry has the same fullUrl");
	refused(BUNDLE("{\"resource\":{\"resourceType\":\"Bundle\",\"type\":\"batch\"}}"), "a Bundle inside");
	refused("{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[1]}", "type transaction");
	refused("{\"resourceType\":\"Bundle\",\"type\":\"batch\"}", "without entries");
}

static void every_fault_is_an_issue_with_its_place_and_code(void **state) {
	(void)state;
	struct fixture f;
	assert_int_equal(
	    parse(&f, BUNDLE("{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"a_b\",\"name\":[]}},1,"
			     "{\"resource\":{\"resourceType\":\"Location\",\"contained\":[{\"resourceType\":"
			     "\"Organization\",\"id\":\"org_1\"}]}}")),
	    STATUS_INVALID);
	static const struct fhir_issue expected[] = {
	    {FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "Bundle.entry[0].resource.name", "an empty array"},
	    {FHIR_ERROR, FHIR_ISSUE_VALUE, "Bundle.entry[0].resource",
		"its id is not a FHIR id ([A-Za-z0-9-.], 1 to 64)"},
	    {FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "Bundle.entry[1]", "an entry must be a JSON object"},
	    {FHIR_ERROR, FHIR_ISSUE_VALUE, "Bundle.entry[2].resource.contained[0]",
		"its id is not a FHIR id ([A-Za-z0-9-.], 1 to 64)"},
	};
	assert_int_equal(f.issues.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(f.issues.list[i].severity, expected[i].severity);
		assert_int_equal(f.issues.list[i].code, expected[i].code);
		assert_string_equal(f.issues.list[i].expression, expected[i].expression);
		assert_string_equal(f.issues.list[i].diagnostics, expected[i].diagnostics);
	}
	assert_non_null(strstr(f.err.message, "(and 3 more)"));
	arena_fini(&f.arena);
}

static void issues_beyond_the_limit_are_counted(void **state) {
	(void)state;
	struct arena arena;
	struct fhir_issues issues;
	struct err err = {0};
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	fhir_issues_add(&issues, FHIR_WARNING, FHIR_ISSUE_VALUE, "", "odd");
	assert_int_equal(fhir_issues_status(&issues, &err), STATUS_OK);
	for (size_t i = 0; i < FHIR_ISSUES_MAX + 5; i++)
		fhir_issues_add(&issues, FHIR_ERROR, FHIR_ISSUE_VALUE, "Patient", "bad");
	assert_int_equal(issues.count, FHIR_ISSUES_MAX);
	assert_int_equal(issues.dropped, 6);
	assert_int_equal(fhir_issues_status(&issues, &err), STATUS_INVALID);
	assert_string_equal(err.message, "Patient: bad (and 104 more)");
	arena_fini(&arena);
}

static void files_that_are_not_json_are_named(void **state) {
	(void)state;
	struct fixture f;
	assert_int_equal(parse(&f, "\xef\xbb\xbf{\"resourceType\":\"Patient\",\"active\":true}"), STATUS_OK);
	arena_fini(&f.arena);
	refused("  <?xml version=\"1.0\"?><Patient/>", "not JSON but XML");
	refused("\x1f\x8b\x08", "gzip");
	refused("\xff\xfe{", "UTF-16");
	refused("PK\x03\x04", "zip");
	refused(
	    "{\"resourceType\":\"Patient\",\"id\":\"1\"}\n{\"resourceType\":\"Patient\"}", "a second document begins");
	refused("{\"resourceType\":\"Patient\",\"gender\":\"male\",\"gender\":\"male\"}",
	    "the name \"gender\" stands twice");
}

static void nulls_align_arrays(void **state) {
	(void)state;
	struct fixture f;
	assert_int_equal(
	    parse(&f,
		"{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"a\",null],\"_given\":[null,{\"id\":\"x\"}]}]}"),
	    STATUS_OK);
	arena_fini(&f.arena);
}

static void an_outcome_is_json(void **state) {
	(void)state;
	struct buf out;
	struct arena arena;
	struct fhir_issues issues;
	arena_init(&arena);
	buf_init(&out, 1024);
	fhir_issues_init(&issues, &arena);
	fhir_issues_add(&issues, FHIR_ERROR, FHIR_ISSUE_STRUCTURE, "Patient.id", "no \"id\"");
	fhir_operation_outcome(&out, &issues);
	assert_string_equal(buf_cstr(&out),
	    "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":\"structure\","
	    "\"diagnostics\":\"no \\\"id\\\"\",\"expression\":[\"Patient.id\"]}]}");
	buf_fini(&out);
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_single_resource_keeps_its_bytes),
	    cmocka_unit_test(resources_go_with_their_patients),
	    cmocka_unit_test(a_lone_patient_gets_all_but_the_shared),
	    cmocka_unit_test(relative_references_follow_the_entrys_base),
	    cmocka_unit_test(what_is_no_document_is_refused),
	    cmocka_unit_test(every_fault_is_an_issue_with_its_place_and_code),
	    cmocka_unit_test(issues_beyond_the_limit_are_counted),
	    cmocka_unit_test(files_that_are_not_json_are_named),
	    cmocka_unit_test(nulls_align_arrays),
	    cmocka_unit_test(an_outcome_is_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
