#include "health/fhir/subset.h"

#include "base/mem.h"
#include "tests/unit.h"

#define TAG                                                                                                            \
	"\"tag\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationValue\",\"code\":\"SUBSETTED\"}]"
#define PATIENT                                                                                                        \
	"{\"resourceType\":\"Patient\",\"id\":\"1\",\"meta\":{\"versionId\":\"2\"},\"text\":{\"status\":\"empty\"},"   \
	"\"name\":[{\"family\":\"A\"}],\"photo\":[{\"url\":\"x\"}],\"contact\":[{\"gender\":\"male\"}]}"

static const char *part(struct arena *arena, const char *summary, const char *elements, const char *resource) {
	const struct json *tree;
	struct fhir_subset subset = {0};
	struct buf out;
	buf_init(&out, 1 << 20);
	if (summary) assert_true(fhir_subset_read_summary(&subset, bytes_text(summary)));
	if (elements) assert_true(fhir_subset_read_elements(&subset, bytes_text(elements)));
	assert_int_equal(json_parse(&tree, arena, bytes_text(resource), NULL, NULL), STATUS_OK);
	fhir_subset_write(&out, &fhir_r4, &subset, tree);
	const char *text = arena_strdup(arena, buf_view(&out));
	buf_fini(&out);
	return text;
}

static void parts_are_what_was_asked_for(void **state) {
	(void)state;
	struct arena a;
	arena_init(&a);
	const char *begin = "{\"resourceType\":\"Patient\",\"meta\":{\"versionId\":\"2\"," TAG "},\"id\":\"1\"";
	assert_string_equal(
	    part(&a, "true", NULL, PATIENT), arena_printf(&a, "%s,\"name\":[{\"family\":\"A\"}]}", begin));
	assert_string_equal(
	    part(&a, "text", NULL, PATIENT), arena_printf(&a, "%s,\"text\":{\"status\":\"empty\"}}", begin));
	assert_string_equal(part(&a, "data", NULL, PATIENT),
	    arena_printf(&a,
		"%s,\"name\":[{\"family\":\"A\"}],\"photo\":[{\"url\":\"x\"}],\"contact\":[{\"gender\":\"male\"}]}",
		begin));
	assert_string_equal(part(&a, NULL, "photo,Patient.name", PATIENT),
	    arena_printf(&a, "%s,\"name\":[{\"family\":\"A\"}],\"photo\":[{\"url\":\"x\"}]}", begin));
	assert_string_equal(part(&a, "false", NULL, PATIENT), PATIENT);
	arena_fini(&a);
}

/* What a resource must have is always there. */
static void mandatory_elements_stay(void **state) {
	(void)state;
	struct arena a;
	arena_init(&a);
	assert_string_equal(
	    part(&a, NULL, "note",
		"{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"valueString\":\"v\"}"),
	    "{\"resourceType\":\"Observation\",\"meta\":{" TAG "},\"status\":\"final\",\"code\":{\"text\":\"x\"}}");
	assert_string_equal(part(&a, NULL, "value", "{\"resourceType\":\"Observation\",\"valueString\":\"v\"}"),
	    "{\"resourceType\":\"Observation\",\"meta\":{" TAG "},\"valueString\":\"v\"}");
	arena_fini(&a);
}

static void other_words_are_refused(void **state) {
	(void)state;
	struct fhir_subset subset = {0};
	assert_false(fhir_subset_read_summary(&subset, BYTES_LITERAL("yes")));
	assert_false(fhir_subset_read_summary(&subset, BYTES_LITERAL("")));
	char many[200];
	memset(many, ',', sizeof many);
	for (size_t i = 0; i < sizeof many; i += 2) many[i] = 'a';
	assert_false(fhir_subset_read_elements(&subset, bytes_make(many, sizeof many)));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_are_what_was_asked_for),
	    cmocka_unit_test(mandatory_elements_stay),
	    cmocka_unit_test(other_words_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
