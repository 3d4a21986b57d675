#include "health/gateway/asker.h"

#include "health/fhir/definitions.h"
#include "tests/unit.h"

static uint16_t type_of(const char *name) {
	return fhir_definitions_resource(&fhir_r4, bytes_text(name));
}

static struct asker asker_with(struct arena *arena, const char *scopes, const char *patient) {
	struct asker out = {.name = "app", .patient = bytes_text(patient)};
	assert_int_equal(smart_scopes_parse(&out.scopes, arena, bytes_text(scopes), NULL), STATUS_OK);
	return out;
}

static void assert_denied(const char *scopes, const char *patient, enum asker_right right, const char *type) {
	struct arena arena;
	struct resource_scope scope;
	arena_init(&arena);
	const struct asker asker = asker_with(&arena, scopes, patient);
	assert_int_equal(asker_scope(&scope, &arena, &asker, right, type_of(type), NULL), STATUS_DENIED);
	assert_int_equal(scope.count, 0);
	arena_fini(&arena);
}

static void assert_one_rule(const char *scopes, enum asker_right right, const char *type, bool in_compartment) {
	struct arena arena;
	struct resource_scope scope;
	arena_init(&arena);
	const struct asker asker = asker_with(&arena, scopes, "p1");
	assert_int_equal(asker_scope(&scope, &arena, &asker, right, type_of(type), NULL), STATUS_OK);
	assert_int_equal(scope.count, 1);
	assert_int_equal(scope.rules[0].in_compartment, in_compartment);
	assert_int_equal(scope.rules[0].patient.len, in_compartment ? 2 : 0);
	arena_fini(&arena);
}

static void a_scope_gives_its_rights_on_its_type_and_no_other(void **state) {
	(void)state;
	assert_one_rule("user/Observation.rs", ASKER_READ, "Observation", false);
	assert_one_rule("system/*.cruds", ASKER_DELETE, "Condition", false);
	assert_denied("user/Observation.rs", "", ASKER_READ, "Condition");
	assert_denied("user/Observation.rs", "", ASKER_CREATE, "Observation");
	assert_denied("user/Observation.r", "", ASKER_SEARCH, "Observation");
	assert_denied("openid launch/patient offline_access", "p1", ASKER_READ, "Patient");
}

static void a_patient_scope_is_the_compartment_of_the_launch(void **state) {
	(void)state;
	assert_one_rule("patient/*.rs", ASKER_SEARCH, "Observation", true);
	assert_denied("patient/*.rs", "", ASKER_SEARCH, "Observation");
	assert_one_rule("patient/Practitioner.rs", ASKER_READ, "Practitioner", false);
	assert_one_rule("patient/Practitioner.cruds", ASKER_CREATE, "Practitioner", true);
	assert_one_rule("patient/Binary.rs", ASKER_READ, "Binary", true);
}

static void the_rules_of_one_right_cover_all_types(void **state) {
	(void)state;
	struct arena arena;
	struct resource_scope scope;
	arena_init(&arena);
	const struct asker asker =
	    asker_with(&arena, "user/Observation.rs?category=laboratory user/Patient.rs user/Condition.c", "");
	assert_int_equal(asker_scope(&scope, &arena, &asker, ASKER_SEARCH, type_of("Observation"), NULL), STATUS_OK);
	assert_int_equal(scope.count, 2);
	assert_true(bytes_equal(scope.rules[0].search, BYTES_LITERAL("category=laboratory")));
	assert_int_equal(scope.rules[1].type, type_of("Patient"));
	assert_int_equal(asker_scope(&scope, &arena, &asker, ASKER_CREATE, FHIR_NONE, NULL), STATUS_OK);
	assert_int_equal(scope.count, 1);
	arena_fini(&arena);
}

/* A search that is "id=x" finds what has the id x. */
static bool find(void *context, const struct resource_scope_rule *rule, const struct json *resource) {
	(void)context;
	const struct bytes id = json_string(json_get(resource, "id"));
	return rule->search.len > 3 && bytes_equal(bytes_slice(rule->search, 3, rule->search.len), id);
}

static const struct asker_finder finder = {find, NULL};

/* Observation.performer may be a patient too. */
static bool may_write(const char *scopes, enum asker_right right, const char *resource) {
	struct arena arena;
	struct resource_scope scope;
	const struct json *tree;
	arena_init(&arena);
	const struct asker asker = asker_with(&arena, scopes, "p1");
	assert_int_equal(json_parse(&tree, &arena, bytes_text(resource), NULL, NULL), STATUS_OK);
	const uint16_t type = fhir_definitions_resource(&fhir_r4, json_string(json_get(tree, "resourceType")));
	bool is_allowed = asker_scope(&scope, &arena, &asker, right, type, NULL) == STATUS_OK &&
			  asker_may_write(&scope, type, tree, BYTES_LITERAL("https://g/fhir"), &finder);
	arena_fini(&arena);
	return is_allowed;
}

#define OBSERVATION(members) "{\"resourceType\":\"Observation\"" members "}"
#define SUBJECT(text) ",\"subject\":{\"reference\":\"" text "\"}"
#define PERFORMER(text) ",\"performer\":[{\"reference\":\"" text "\"}]"

static void a_patient_scope_writes_into_one_record_alone(void **state) {
	(void)state;
	static const struct {
		const char *resource;
		bool is_allowed;
	} cases[] = {
	    {OBSERVATION(SUBJECT("Patient/p1")), true},
	    {OBSERVATION(SUBJECT("https://g/fhir/Patient/p1")), true},
	    {OBSERVATION(SUBJECT("Patient/p1") PERFORMER("Practitioner/p2")), true},
	    {OBSERVATION(SUBJECT("Patient/p1") ",\"performer\":[{\"display\":\"Dr Lin\"}]"), true},
	    {OBSERVATION(SUBJECT("Patient/p1")
		     PERFORMER("#d") ",\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"d\"}]"),
		true},
	    {OBSERVATION(
		 SUBJECT("Patient/p1") PERFORMER("#d") ",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"d\"}]"),
		false},
	    {OBSERVATION(SUBJECT("Patient/p1") PERFORMER("#none")), false},
	    {OBSERVATION(SUBJECT("Patient/p1") PERFORMER("Patient/p2")), false},
	    {OBSERVATION(SUBJECT("Patient/p2") PERFORMER("Patient/p1")), false},
	    {OBSERVATION(SUBJECT("https://elsewhere/fhir/Patient/p1")), false},
	    {OBSERVATION(SUBJECT("Patient/p1/_history/1")), false},
	    {OBSERVATION(SUBJECT("Patient/p11")), false},
	    {OBSERVATION(SUBJECT("urn:uuid:1")), false},
	    {OBSERVATION(""), false},
	    {"{\"resourceType\":\"Patient\",\"id\":\"p1\"}", true},
	    {"{\"resourceType\":\"Patient\",\"id\":\"p2\"}", false},
	    {"{\"resourceType\":\"Patient\"}", false},
	    {"{\"resourceType\":\"Organization\",\"id\":\"o\"}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (may_write("patient/*.cud", ASKER_CREATE, cases[i].resource) != cases[i].is_allowed)
			fail_msg("%s", cases[i].resource);
	assert_true(may_write("user/*.u", ASKER_UPDATE, OBSERVATION(SUBJECT("Patient/p2"))));
	assert_false(may_write("user/*.c?category=a", ASKER_CREATE, OBSERVATION(SUBJECT("Patient/p1"))));
	assert_true(may_write("user/*.c?id=7", ASKER_CREATE, OBSERVATION(",\"id\":\"7\"" SUBJECT("Patient/p1"))));
	assert_false(may_write("user/*.c?id=7", ASKER_CREATE, OBSERVATION(",\"id\":\"8\"" SUBJECT("Patient/p1"))));
	assert_false(may_write("patient/*.c?id=7", ASKER_CREATE, OBSERVATION(",\"id\":\"7\"" SUBJECT("Patient/p2"))));
	assert_false(may_write("user/Patient.c", ASKER_CREATE, OBSERVATION(SUBJECT("Patient/p1"))));
}

static void a_place_is_bound_to_what_the_token_allows(void **state) {
	(void)state;
	struct arena arena;
	arena_init(&arena);
	const struct asker one = asker_with(&arena, "user/*.rs", "p"), same = asker_with(&arena, "user/*.read", "p");
	assert_true(bytes_equal(asker_place(&arena, &one), asker_place(&arena, &same)));
	static const char *const others[] = {"user/*.r", "patient/*.rs", "user/Patient.rs", "user/*.rs?_id=x", ""};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const struct asker other = asker_with(&arena, others[i], "p");
		assert_false(bytes_equal(asker_place(&arena, &one), asker_place(&arena, &other)));
	}
	const struct asker elsewhere = asker_with(&arena, "user/*.rs", "q");
	assert_false(bytes_equal(asker_place(&arena, &one), asker_place(&arena, &elsewhere)));
	arena_fini(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_scope_gives_its_rights_on_its_type_and_no_other),
	    cmocka_unit_test(a_patient_scope_is_the_compartment_of_the_launch),
	    cmocka_unit_test(the_rules_of_one_right_cover_all_types),
	    cmocka_unit_test(a_patient_scope_writes_into_one_record_alone),
	    cmocka_unit_test(a_place_is_bound_to_what_the_token_allows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
