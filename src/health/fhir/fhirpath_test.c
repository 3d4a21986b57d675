#include "health/fhir/fhirpath.h"

#include "tests/unit.h"

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"active\":true,\"birthDate\":\"1974-12-25\","
    "\"_birthDate\":{\"extension\":[{\"url\":\"http://x/time\",\"valueDateTime\":\"1974-12-25T14:35:45-05:00\"}]},"
    "\"name\":[{\"use\":\"official\",\"family\":\"Chalmers\",\"given\":[\"Peter\",\"James\"]},"
    "{\"use\":\"usual\",\"given\":[\"Jim\"],\"_given\":[{\"id\":\"g\"}]}],"
    "\"multipleBirthInteger\":3,\"deceasedBoolean\":false,"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o1\",\"name\":\"Clinic\"}],"
    "\"managingOrganization\":{\"reference\":\"#o1\"},"
    "\"generalPractitioner\":[{\"reference\":\"http://host/fhir/Practitioner/7\"},{\"reference\":\"urn:uuid:1\"}],"
    "\"contact\":[{\"period\":{\"start\":\"2012\"}}],"
    "\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>\"}}";

struct answer {
	enum status status;
	char text[400]; /* the values with a comma between them, or why it was refused */
};

static struct answer ask_bounded(const char *expression, uint32_t steps_max) {
	struct arena arena;
	const struct json *json;
	const struct fhirpath *path;
	struct fhirpath_values values = {0};
	struct answer answer = {0};
	struct err err = {0};
	arena_init(&arena);
	assert_int_equal(json_parse(&json, &arena, bytes_text(patient), NULL, &err), STATUS_OK);
	struct fhirpath_context context = fhirpath_context(&fhir_r4, &arena, json);
	context.now_ms = INT64_C(1448922855123);
	context.steps_max = steps_max;
	answer.status = fhirpath_compile(&path, &arena, bytes_text(expression), &err);
	if (answer.status == STATUS_OK)
		answer.status = fhirpath_evaluate(&values, &context, path, &context.resource, &err);
	struct buf text;
	buf_init(&text, sizeof answer.text - 1);
	for (uint32_t i = 0; i < values.count; i++) {
		if (i) buf_text(&text, ",");
		fhirpath_write(&text, &fhir_r4, &values.items[i]);
	}
	strcpy(answer.text, answer.status == STATUS_OK ? buf_cstr(&text) : err.message);
	buf_fini(&text);
	arena_fini(&arena);
	return answer;
}

static struct answer ask(const char *expression) {
	return ask_bounded(expression, 0);
}

static void expect(const char *expression, const char *text) {
	struct answer answer = ask(expression);
	if (answer.status != STATUS_OK || strcmp(answer.text, text) != 0)
		fail_msg("%s: %s, not %s", expression, answer.text, text);
}

static void paths_go_from_member_to_member(void **state) {
	(void)state;
	expect("Patient.name.given", "Peter,James,Jim");
	expect("name[1].given", "Jim");
	expect("name.where(use = 'official').family", "Chalmers");
	expect("multipleBirth", "3");
	expect("multipleBirthInteger", "");
	expect("birthDate.extension('http://x/time').value", "1974-12-25T14:35:45-05:00");
	expect("name.given.id", "g");
	expect("Observation.code", "");
	expect("Resource.id", "p1");
	expect("contact.period.start", "2012");
	expect("name.`given`.count()", "3");
}

static void precedence_is_that_of_the_specification(void **state) {
	(void)state;
	expect("1 + 2 * 3", "7");
	expect("-1 + 2", "1");
	expect("1 | 2 = 2", "false"); /* two values are not one */
	expect("true or false and false", "true");
	expect("false implies false or true", "true");
	expect("1 + 1 = 2 and 2 > 1", "true");
	expect("7 div 2 + 7 mod 2", "4");
	expect("1 is Integer", "true");
	expect("'a' & 'b' + 'c'", "abc");
}

static void logic_knows_what_is_unknown(void **state) {
	(void)state;
	expect("{} and false", "false");
	expect("{} and true", "");
	expect("{} or true", "true");
	expect("{} implies true", "true");
	expect("true xor {}", "");
	expect("{}.not()", "");
	expect("'x' and true", "true");
	expect("1 = {}", "");
}

static void values_are_compared_by_what_they_mean(void **state) {
	(void)state;
	expect("1.0 = 1", "true");
	expect("@2012 = @2012-01", "");
	expect("@2012-04-15T15:00:00Z = @2012-04-15T10:00:00-05:00", "true");
	expect("'Abc ' ~ 'aBC\t'", "true");
	expect("(1 | 2) ~ (2 | 1)", "true");
	expect("4 'g' = 4000 'mg'", "true");
	expect("1 'g' = 1 'm'", "");
	expect("birthDate < today()", "true");
	expect("@1974-12-25 + 7 days", "1975-01-01");
	expect("3 in (1 | 2 | 3)", "true");
	expect("name.given contains 'Jim'", "true");
}

static void references_resolve_to_what_is_contained_or_to_a_type(void **state) {
	(void)state;
	expect("managingOrganization.resolve().name", "Clinic");
	expect("generalPractitioner.where(resolve() is Practitioner).reference", "http://host/fhir/Practitioner/7");
	expect("generalPractitioner.where(resolve() is Patient).count()", "0");
	expect("generalPractitioner.resolve().count()", "1");
}

static void functions_do_what_the_specification_says(void **state) {
	(void)state;
	expect("name.given.select(length())", "5,5,3");
	expect("name.given.aggregate($this & $total)", "JimJamesPeter");
	expect("(1 | 2 | 3).aggregate($total + $this, 0)", "6");
	expect("name.given.select($index)", "0,1,2");
	expect("iif(active, 'yes', 1 / 'x')", "yes");
	expect("'a,b'.split(',')", "a,b");
	expect("'2014'.replaceMatches('(\\\\d\\\\d)(\\\\d+)', '$2-$1')", "14-20");
	expect("'abc'.matches('^[a-c]+$')", "true");
	expect("'héllo'.substring(1, 2)", "él");
	expect("text.`div`.htmlChecks()", "true");
	expect("gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", "");
	expect("'male'.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", "true");
	expect("'x'.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", "false");
	expect("'YQ=='.decode('base64')", "a");
	expect("1.587.lowBoundary(2)", "1.58");
	expect("now().toString()", "2015-11-30T22:34:15.123Z");
	expect("%ext-x", "http://hl7.org/fhir/StructureDefinition/x");
	expect("Patient.descendants().count() > 20", "true");
	expect("%context.id = %resource.id", "true");
}

static void refuse(const char *expression, enum status status) {
	struct answer answer = ask(expression);
	if (answer.status != status) fail_msg("%s: %s", expression, answer.text);
}

static void what_is_no_expression_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {"", "1 +", "(1", "name.", "'a", "name[", "@2015-13", "$that", "%", "1 2",
	    "a.where(", "`x", "/* x", "where()", "#", "1 = = 2", "name.first(1)"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse(bad[i], STATUS_INVALID);
	refuse("name.unheard()", STATUS_UNSUPPORTED);
	refuse("name.given + 'x'", STATUS_INVALID);
	refuse("1 + 'x'", STATUS_INVALID);
	refuse("%nothing", STATUS_INVALID);
	refuse("name.single()", STATUS_INVALID);
	refuse("name is Nothing", STATUS_INVALID);
	refuse("1 < 'x'", STATUS_INVALID);
}

static void an_expression_is_bounded(void **state) {
	(void)state;
	char text[2 * FHIRPATH_TEXT_MAX];
	memset(text, '(', sizeof text);
	text[1000] = 0;
	refuse(text, STATUS_LIMIT);
	memset(text, '-', 1000);
	refuse(text, STATUS_LIMIT);
	memset(text, '1', sizeof text);
	text[sizeof text - 1] = 0;
	refuse(text, STATUS_LIMIT);
	text[0] = 0;
	for (int i = 0; i < 300; i++) strcat(text, "1+");
	strcat(text, "1");
	refuse(text, STATUS_LIMIT);
	text[0] = 0;
	for (int i = 0; i < 300; i++) strcat(text, "a.");
	strcat(text, "a");
	refuse(text, STATUS_LIMIT);
}

static void an_evaluation_is_bounded(void **state) {
	(void)state;
	char text[FHIRPATH_TEXT_MAX] = "name";
	for (int i = 0; i < 60; i++) strcat(text, ".combine($this)");
	assert_int_equal(ask(text).status, STATUS_OK); /* $this is the patient, so this one grows by one a call */
	strcpy(text, "(1)");
	for (int i = 0; i < 8; i++) strcat(text, ".select(%resource.descendants())");
	refuse(text, STATUS_LIMIT);
	assert_int_equal(ask_bounded("name.given.select(%resource.descendants())", 20).status, STATUS_LIMIT);
	strcpy(text, "('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')");
	for (int i = 0; i < 60; i++) strcat(text, ".select($this & $this)");
	refuse(text, STATUS_LIMIT);
	refuse("'x'.repeat($this & 'x')", STATUS_LIMIT);
}

static void a_test_is_true_false_or_open(void **state) {
	(void)state;
	struct arena arena;
	const struct json *json;
	const struct fhirpath *path;
	enum fhirpath_truth truth;
	arena_init(&arena);
	assert_int_equal(json_parse(&json, &arena, bytes_text(patient), NULL, NULL), STATUS_OK);
	struct fhirpath_context context = fhirpath_context(&fhir_r4, &arena, json);
	static const struct {
		const char *expression;
		enum fhirpath_truth truth;
	} rows[] = {{"active", FHIRPATH_TRUE}, {"deceased", FHIRPATH_FALSE}, {"gender = 'male'", FHIRPATH_UNKNOWN},
	    {"id", FHIRPATH_TRUE}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(fhirpath_compile(&path, &arena, bytes_text(rows[i].expression), NULL), STATUS_OK);
		assert_int_equal(fhirpath_test(&truth, &context, path, &context.resource, NULL), STATUS_OK);
		assert_int_equal(truth, rows[i].truth);
	}
	assert_int_equal(fhirpath_compile(&path, &arena, BYTES_LITERAL("name"), NULL), STATUS_OK);
	assert_int_equal(fhirpath_test(&truth, &context, path, &context.resource, NULL), STATUS_INVALID);
	arena_fini(&arena);
}

/* Whatever the definitions ask for can be asked. */
static void every_expression_of_the_definitions_compiles(void **state) {
	(void)state;
	struct arena arena;
	const struct fhirpath *path;
	struct err err;
	arena_init(&arena);
	for (size_t i = 0; i < fhir_r4.invariant_count; i++) {
		const char *text = fhir_text(&fhir_r4, fhir_r4.invariants[i].expression);
		if (*text && fhirpath_compile(&path, &arena, bytes_text(text), &err) != STATUS_OK)
			fail_msg("%s: %s", text, err.message);
	}
	for (size_t i = 0; i < fhir_r4.search_count; i++) {
		struct fhir_list components = fhir_list(&fhir_r4, fhir_r4.searches[i].components);
		const char *text = fhir_text(&fhir_r4, fhir_r4.searches[i].expression);
		if (*text && fhirpath_compile(&path, &arena, bytes_text(text), &err) != STATUS_OK)
			fail_msg("%s: %s", text, err.message);
		for (size_t c = 1; c < components.count; c += 2)
			assert_int_equal(
			    fhirpath_compile(&path, &arena, bytes_text(fhir_text(&fhir_r4, components.items[c])), &err),
			    STATUS_OK);
	}
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_go_from_member_to_member),
	    cmocka_unit_test(precedence_is_that_of_the_specification),
	    cmocka_unit_test(logic_knows_what_is_unknown),
	    cmocka_unit_test(values_are_compared_by_what_they_mean),
	    cmocka_unit_test(references_resolve_to_what_is_contained_or_to_a_type),
	    cmocka_unit_test(functions_do_what_the_specification_says),
	    cmocka_unit_test(what_is_no_expression_is_refused),
	    cmocka_unit_test(an_expression_is_bounded),
	    cmocka_unit_test(an_evaluation_is_bounded),
	    cmocka_unit_test(a_test_is_true_false_or_open),
	    cmocka_unit_test(every_expression_of_the_definitions_compiles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
