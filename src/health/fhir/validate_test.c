#include "health/fhir/validate.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit.h"

/* The first error, as "code place: diagnostics"; empty if the resource is valid. */
static char first[600];

static const char *judge(const char *text) {
	struct arena arena;
	struct fhir_issues issues;
	const struct json *json;
	struct err err;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	struct fhir_validator *validator = fhir_validator_new(&fhir_r4, FHIR_MARKDOWN_WARNS);
	if (json_parse(&json, &arena, bytes_text(text), NULL, &err)) fail_msg("%s: %s", text, err.message);
	bool valid = fhir_validate(validator, &issues, json);
	assert_true(valid == !issues.has_error);
	first[0] = 0;
	for (size_t i = issues.count; i-- > 0;)
		if (issues.list[i].severity <= FHIR_ERROR)
			snprintf(first, sizeof first, "%s %s: %s", fhir_issue_code_text(issues.list[i].code),
			    issues.list[i].expression, issues.list[i].diagnostics);
	fhir_validator_free(validator);
	arena_fini(&arena);
	return first;
}

/* The members of a Patient. */
static const char *patient(const char *members) {
	char text[2000];
	snprintf(text, sizeof text, "{\"resourceType\":\"Patient\"%s%s}", *members ? "," : "", members);
	return judge(text);
}

static void accept(const char *members) {
	if (*patient(members)) fail_msg("%s: %s", members, first);
}

static void refuse(const char *members, const char *begin) {
	if (strncmp(patient(members), begin, strlen(begin)) != 0) fail_msg("%s: %s, not %s", members, first, begin);
}

static void a_resource_has_the_elements_of_its_type(void **state) {
	(void)state;
	accept("");
	accept("\"name\":[{\"family\":\"A\"}],\"active\":true");
	refuse("\"nmae\":[]", "structure Patient.nmae: Patient has no such element");
	refuse("\"deceased\":true", "structure Patient.deceased: Patient.deceased[x] is a choice");
	refuse("\"name\":{\"family\":\"A\"}", "structure Patient.name: it repeats");
	refuse("\"active\":[true]", "structure Patient.active: it does not repeat");
	refuse("\"name\":[]", "structure Patient.name: an empty array");
	refuse("\"maritalStatus\":{}", "structure Patient.maritalStatus: an empty object");
	refuse("\"maritalStatus\":\"M\"", "structure Patient.maritalStatus: a CodeableConcept must be a JSON object");
	refuse(
	    "\"deceasedBoolean\":true,\"deceasedDateTime\":\"2015\"", "structure Patient: deceased[x] has two values");
	refuse("\"link\":[{\"type\":\"seealso\"}]", "required Patient.link[0]: other is missing");
	refuse("\"extension\":[{\"valueCode\":\"a\"}]", "required Patient.extension[0]: url is missing");
	assert_string_equal(
	    judge("{\"resourceType\":\"Patent\"}"), "value Patent: \"Patent\" is not a resource type of FHIR R4");
	assert_string_equal(judge("{\"resourceType\":\"DomainResource\"}"),
	    "value DomainResource: \"DomainResource\" is not a resource type of FHIR R4");
	assert_string_equal(
	    judge("{\"id\":\"1\"}"), "required (resource): it has no resourceType; put the resource's type there");
	assert_string_equal(judge("[]"), "structure (resource): a resource must be a JSON object");
}

static void primitives_have_their_form_and_their_twins(void **state) {
	(void)state;
	accept("\"birthDate\":\"1974-12\",\"_birthDate\":{\"id\":\"a\"}");
	accept("\"_birthDate\":{\"extension\":[{\"url\":\"http://x\",\"valueString\":\"unknown\"}]}");
	accept("\"name\":[{\"given\":[\"A\",null],\"_given\":[null,{\"id\":\"a\"}]}]");
	refuse("\"birthDate\":\"1974-12-32\"", "value Patient.birthDate: it is not a date");
	refuse("\"birthDate\":null", "structure Patient.birthDate: null is not a value");
	refuse("\"name\":[{\"given\":[\"A\",null]}]", "structure Patient.name[0].given[1]: null");
	refuse("\"name\":[{\"given\":[\"A\"],\"_given\":[null,{\"id\":\"a\"}]}]",
	    "structure Patient.name[0].given: it and its");
	refuse("\"_birthDate\":{\"value\":1}", "structure Patient.birthDate.value: Element has no such element");
	refuse("\"_maritalStatus\":{\"id\":\"a\"}", "structure Patient._maritalStatus: only a primitive");
	refuse("\"multipleBirthInteger\":1.5", "value Patient.multipleBirthInteger: it is not an integer");
}

static void codes_of_required_bindings_are_known(void **state) {
	(void)state;
	accept("\"gender\":\"female\"");
	refuse("\"gender\":\"F\"",
	    "code-invalid Patient.gender: \"F\" is not one of the codes of http://hl7.org/fhir/ValueSet/");
	accept("\"photo\":[{\"contentType\":\"image/anything\"}]");
	accept("\"maritalStatus\":{\"coding\":[{\"system\":\"http://x\",\"code\":\"free\"}]}");
	refuse("\"maritalStatus\":{\"coding\":[{\"system\":\"x\",\"code\":\"free\"}]}",
	    "invariant Patient.maritalStatus.coding[0]");
}

static void references_name_what_they_may(void **state) {
	(void)state;
	accept("\"managingOrganization\":{\"reference\":\"Organization/1\"}");
	accept("\"managingOrganization\":{\"reference\":\"urn:uuid:68d043b5-9ecf-4559-a57a-396e0d452311\"}");
	refuse("\"managingOrganization\":{\"reference\":\"http://h/Patient/1\"}",
	    "value Patient.managingOrganization: it refers to a Patient");
	refuse("\"managingOrganization\":{\"type\":\"Patient\",\"display\":\"x\"}",
	    "value Patient.managingOrganization: it refers to a Patient");
	refuse("\"managingOrganization\":{\"reference\":\"#o\"}", "invariant Patient.managingOrganization: ref-1");
	accept("\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"A\"}],"
	       "\"managingOrganization\":{\"reference\":\"#o\"}");
	refuse(
	    "\"contained\":[{\"resourceType\":\"Device\",\"id\":\"o\"}],\"managingOrganization\":{\"reference\":\"#o\"}",
	    "value Patient.managingOrganization: it refers to a Device");
	refuse("\"contained\":[{\"resourceType\":\"Device\",\"id\":\"o\"}]", "invariant Patient.contained[0]: dom-3");
}

static void invariants_are_held(void **state) {
	(void)state;
	refuse("\"contact\":[{\"gender\":\"male\"}]", "invariant Patient.contact[0]: pat-1");
	refuse("\"telecom\":[{\"value\":\"1\"}]", "invariant Patient.telecom[0]: cpt-2");
	refuse(
	    "\"name\":[{\"period\":{\"start\":\"2012\",\"end\":\"2011\"}}]", "invariant Patient.name[0].period: per-1");
	refuse("\"extension\":[{\"url\":\"http://x\"}]", "invariant Patient.extension[0]: ext-1");
	refuse("\"text\":{\"status\":\"generated\",\"div\":\"<div>x</div>\"}", "invariant Patient.text.div: txt-1");
	accept("\"contact\":[{\"name\":{\"family\":\"A\"}}]");
	assert_memory_equal(
	    judge("{\"resourceType\":\"Appointment\",\"status\":\"noshow\",\"participant\":[{\"status\":\"accepted\","
		  "\"type\":[{\"text\":\"x\"}]}],\"start\":\"2015-02-07T13:28:17Z\",\"end\":\"2015-02-07T13:28:17Z\","
		  "\"cancelationReason\":{\"text\":\"x\"}}"),
	    "", 1);
}

static void rules_of_the_text_are_held(void **state) {
	(void)state;
	refuse("\"photo\":[{\"contentType\":\"a/b\",\"data\":\"YWI=\",\"size\":3}]",
	    "value Patient.photo[0]: size says 3 bytes, and data has 2");
	accept("\"photo\":[{\"contentType\":\"a/b\",\"data\":\"YWI=\",\"size\":2}]");
	assert_memory_equal(
	    judge("{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"link\":[{\"relation\":\"self\",\"url\":\"a\"},"
		  "{\"relation\":\"self\",\"url\":\"b\"}]}"),
	    "invariant Bundle: bundle.html#links", 35);
	assert_memory_equal(judge("{\"resourceType\":\"ValueSet\",\"status\":\"draft\",\"url\":\"vs/1\"}"),
	    "invariant ValueSet: resource.html#canonical", 43);
}

static void resources_of_entries_are_judged_in_their_place(void **state) {
	(void)state;
	assert_string_equal(
	    judge("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":{\"resourceType\":"
		  "\"Patient\"}},{\"resource\":{\"resourceType\":\"Patient\",\"gender\":1}}]}"),
	    "value Bundle.entry[1].resource.gender: it is not a string");
	assert_string_equal(
	    judge(
		"{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"a\",\"resource\":{\"resourceType\":\"X\"}}]}"),
	    "value Parameters.parameter[0].resource: \"X\" is not a resource type of FHIR R4");
}

/* References to what is contained would take the product of both. */
static void what_costs_too_much_is_refused(void **state) {
	(void)state;
	size_t size = 4000000;
	char *text = malloc(size), *at = text;
	assert_non_null(text);
	at += sprintf(at, "{\"resourceType\":\"Patient\",\"contained\":[");
	for (int i = 0; i < 20000; i++)
		at +=
		    sprintf(at, "%s{\"resourceType\":\"Organization\",\"name\":\"x\",\"id\":\"%d\"}", i ? "," : "", i);
	at += sprintf(at, "],\"generalPractitioner\":[");
	for (int i = 0; i < 20000; i++) at += sprintf(at, "%s{\"reference\":\"#%d\"}", i ? "," : "", i);
	sprintf(at, "]}");
	assert_string_equal(judge(text), "too-costly Patient: it takes more steps to validate than its size allows");
	free(text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_resource_has_the_elements_of_its_type),
	    cmocka_unit_test(primitives_have_their_form_and_their_twins),
	    cmocka_unit_test(codes_of_required_bindings_are_known),
	    cmocka_unit_test(references_name_what_they_may),
	    cmocka_unit_test(invariants_are_held),
	    cmocka_unit_test(rules_of_the_text_are_held),
	    cmocka_unit_test(resources_of_entries_are_judged_in_their_place),
	    cmocka_unit_test(what_costs_too_much_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
