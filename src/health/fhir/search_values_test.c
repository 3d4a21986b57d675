#include "health/fhir/search_values.h"

#include "tests/unit.h"
#include "tests/vectors.h"

/* The values of one parameter, as lines. */
struct found {
	const char *code;
	struct buf text;
};

static void put_bytes(struct buf *out, struct bytes text) {
	buf_append(out, text);
	buf_text(out, "|");
}

static void keep(void *context, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	struct found *found = context;
	if (strcmp(fhir_text(&fhir_r4, search->code), found->code) != 0) return;
	buf_printf(&found->text, "%u.%u ", value->group, value->part);
	switch (value->type) {
	case FHIR_SEARCH_DATE:
		buf_printf(
		    &found->text, "%lld..%lld", (long long)value->moments.first_ms, (long long)value->moments.last_ms);
		break;
	case FHIR_SEARCH_NUMBER:
	case FHIR_SEARCH_QUANTITY:
		fhir_decimal_write(&found->text, value->number);
		buf_text(&found->text, "|");
		put_bytes(&found->text, value->system);
		buf_append(&found->text, value->code);
		break;
	case FHIR_SEARCH_REFERENCE:
		put_bytes(&found->text, value->text);
		buf_text(&found->text, value->target == FHIR_NONE ? "-" : fhir_type_name(&fhir_r4, value->target));
		break;
	case FHIR_SEARCH_TOKEN:
		put_bytes(&found->text, value->system);
		put_bytes(&found->text, value->code);
		buf_append(&found->text, value->text);
		break;
	case FHIR_SEARCH_STRING:
	case FHIR_SEARCH_URI:
	case FHIR_SEARCH_COMPOSITE:
	case FHIR_SEARCH_SPECIAL: buf_append(&found->text, value->text); break;
	}
	buf_text(&found->text, ";");
}

static void expect(const char *resource, const char *code, const char *text) {
	struct arena arena;
	const struct json *json;
	struct err err;
	struct found found = {.code = code};
	struct fhir_searcher *searcher = fhir_searcher_new(&fhir_r4);
	arena_init(&arena);
	buf_init(&found.text, 10000);
	if (json_parse(&json, &arena, bytes_text(resource), NULL, &err)) fail_msg("%s: %s", resource, err.message);
	if (fhir_search_values(searcher, json, keep, &found, &err)) fail_msg("%s: %s", code, err.message);
	if (strcmp(buf_cstr(&found.text), text) != 0) fail_msg("%s: %s, not %s", code, buf_cstr(&found.text), text);
	buf_fini(&found.text);
	arena_fini(&arena);
	fhir_searcher_free(searcher);
}

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"active\":true,\"gender\":\"male\",\"birthDate\":\"1970-01\","
    "\"identifier\":[{\"system\":\"urn:x\",\"value\":\"12\",\"type\":{\"coding\":[{\"code\":\"MR\"}]}}],"
    "\"name\":[{\"use\":\"official\",\"family\":\"A\",\"given\":[\"B\",\"C\"]}],\"telecom\":[{\"system\":\"phone\",\"value\":\"1\"}],"
    "\"generalPractitioner\":[{\"reference\":\"Practitioner/7\"},{\"reference\":\"Organization/8\"}],"
    "\"deceasedDateTime\":\"1970-01-01T00:00:01Z\",\"meta\":{\"tag\":[{\"code\":\"t\"}],\"profile\":[\"http://p\"]}}";

static void each_type_has_its_values(void **state) {
	(void)state;
	expect(patient, "_id", "0.0 |p1|;");
	expect(patient, "active", "0.0 |true|;");
	expect(patient, "gender", "0.0 |male|;");
	expect(patient, "birthdate", "0.0 0..2678399999;");
	expect(patient, "identifier", "0.0 urn:x|12|;");
	expect(patient, "name", "0.0 A;0.0 B;0.0 C;");
	expect(patient, "family", "0.0 A;");
	expect(patient, "phone", "0.0 |1|;");
	expect(patient, "general-practitioner", "0.0 Practitioner/7|Practitioner;1.0 Organization/8|Organization;");
	expect(patient, "deceased", "0.0 |true|;");
	expect(patient, "death-date", "0.0 1000..1999;");
	expect(patient, "_tag", "0.0 |t|;");
	expect(patient, "_profile", "0.0 http://p;");
	expect(patient, "address", "");
}

static const char observation[] =
    "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"1-8\","
    "\"display\":\"D\"}],\"text\":\"T\"},\"subject\":{\"reference\":\"http://h/Patient/1\"},"
    "\"effectivePeriod\":{\"start\":\"1970\"},\"valueQuantity\":{\"value\":1.50,\"system\":\"http://unitsofmeasure.org\",\"code\":\"mg\"},"
    "\"component\":[{\"code\":{\"coding\":[{\"code\":\"a\"}]},\"valueQuantity\":{\"value\":1,\"unit\":\"x\"}},"
    "{\"code\":{\"coding\":[{\"code\":\"b\"}]},\"valueQuantity\":{\"value\":2}}]}";

static void parts_of_a_composite_are_from_one_element(void **state) {
	(void)state;
	expect(observation, "code", "0.0 http://loinc.org|1-8|D;0.0 ||T;");
	expect(observation, "value-quantity", "0.0 1.50|http://unitsofmeasure.org|mg;");
	expect(observation, "component-code-value-quantity", "0.0 |a|;0.1 1||x;1.0 |b|;1.1 2||;");
	expect(observation, "code-value-quantity",
	    "0.0 http://loinc.org|1-8|D;0.0 ||T;0.1 1.50|http://unitsofmeasure.org|mg;");
	expect(observation, "patient", "0.0 http://h/Patient/1|Patient;");
	expect(observation, "date", "0.0 0..9223372036854775807;");
	expect(observation, "combo-code", "0.0 http://loinc.org|1-8|D;0.0 ||T;1.0 |a|;2.0 |b|;");
}

static void what_is_no_resource_is_refused(void **state) {
	(void)state;
	struct json json = {.type = JSON_OBJECT};
	struct fhir_searcher *searcher = fhir_searcher_new(&fhir_r4);
	assert_int_equal(fhir_search_values(searcher, &json, keep, NULL, NULL), STATUS_INVALID);
	fhir_searcher_free(searcher);
}

/* --- every example of HL7's --- */

struct run {
	struct vectors tally;
	struct fhir_searcher *searcher;
	size_t values;
};

static void count(void *context, const struct fhir_search_def *search, const struct fhir_search_value *value) {
	struct run *run = context;
	(void)search;
	assert_true(value->type != FHIR_SEARCH_COMPOSITE && value->type != FHIR_SEARCH_SPECIAL);
	run->values++;
}

static void visit(void *context, const char *path) {
	struct run *run = context;
	struct arena arena;
	struct err err = {0};
	arena_init(&arena);
	enum status status = fhir_search_values(run->searcher, vectors_parse(&arena, path), count, run, &err);
	if (status) printf("%s: %s\n", path, err.message);
	vectors_count(&run->tally, status == STATUS_OK, path, BYTES_LITERAL(""));
	arena_fini(&arena);
}

static void all_examples_have_values(void **state) {
	(void)state;
	struct run run = {.tally = {.name = "fhir/search values"}, .searcher = fhir_searcher_new(&fhir_r4)};
	struct arena arena;
	vectors_need("fhir/official-r4-examples");
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "fhir/official-r4-examples"), ".json", visit, &run);
	arena_fini(&arena);
	fhir_searcher_free(run.searcher);
	printf("%zu values\n", run.values);
	assert_true(run.values > 1000);
	vectors_report(&run.tally);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_type_has_its_values),
	    cmocka_unit_test(parts_of_a_composite_are_from_one_element),
	    cmocka_unit_test(what_is_no_resource_is_refused),
	    cmocka_unit_test(all_examples_have_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
