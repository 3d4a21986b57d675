/* Documents of others: HL7's examples and Synthea's histories are accepted, and the HL7 validator's cases judged. */
#include "health/fhir/validate.h"

#include "tests/unit.h"
#include "tests/vectors.h"

#include "codec/json_input.h"

struct run {
	struct vectors tally;
	struct fhir_validator *validator;
};

static const char *name_of(const char *path) {
	return strrchr(path, '/') + 1;
}

/* What is no JSON is not valid either. */
static bool is_valid(struct run *run, struct arena *arena, struct bytes text, const char *name) {
	struct fhir_issues issues;
	struct err err = {0};
	const struct json *json;
	fhir_issues_init(&issues, arena);
	if (json_input(&text, &err) || json_parse(&json, arena, text, NULL, &err)) {
		printf("%s: %s\n", name, err.message);
		return false;
	}
	bool valid = fhir_validate(run->validator, &issues, json);
	for (size_t i = 0; i < issues.count; i++)
		if (issues.list[i].severity <= FHIR_ERROR)
			printf("%s: %s: %s\n", name, issues.list[i].expression, issues.list[i].diagnostics);
	return valid;
}

static void visit_document(void *context, const char *path) {
	struct run *run = context;
	struct arena arena;
	arena_init(&arena);
	vectors_count(&run->tally, is_valid(run, &arena, vectors_read(&arena, path), name_of(path)), name_of(path),
	    BYTES_LITERAL(""));
	arena_fini(&arena);
}

static void visit_lines(void *context, const char *path) {
	struct run *run = context;
	struct arena arena;
	if (strcmp(name_of(path), "log.ndjson") == 0) return; /* what was exported, and no resources */
	arena_init(&arena);
	struct bytes rest = vectors_read(&arena, path);
	while (rest.len) {
		const uint8_t *end = memchr(rest.data, '\n', rest.len);
		struct bytes line = bytes_slice(rest, 0, end ? (size_t)(end - rest.data) : rest.len);
		if (line.len)
			vectors_count(
			    &run->tally, is_valid(run, &arena, line, name_of(path)), name_of(path), BYTES_LITERAL(""));
		rest = bytes_slice(rest, line.len + 1, rest.len);
	}
	arena_fini(&arena);
}

static void all_of(const char *name, const char *folder, const char *suffix, vectors_visit *visit) {
	struct run run = {.tally = {.name = name}, .validator = fhir_validator_new(&fhir_r4, FHIR_MARKDOWN_WARNS)};
	struct arena arena;
	vectors_need(folder);
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, folder), suffix, visit, &run);
	arena_fini(&arena);
	fhir_validator_free(run.validator);
	vectors_report(&run.tally);
}

static void official_examples_are_valid(void **state) {
	(void)state;
	all_of("fhir/official examples, validated", "fhir/official-r4-examples", ".json", visit_document);
}

static void histories_of_synthea_are_valid(void **state) {
	(void)state;
	all_of("fhir/synthea, validated", "fhir/synthea-r4-v2", ".json", visit_document);
	all_of("fhir/synthea with HIV, validated", "fhir/synthea-r4-hiv", ".json", visit_document);
	all_of("fhir/synthea in bulk, validated", "fhir/synthea-bulk-10", ".ndjson", visit_lines);
}

/* Tiers: V must be accepted; A (JSON, structure) and B (formats, invariants, rules) refused. C needs terminologies or
 * profiles: it is reported, and nothing is expected of it. */
static void validator_cases_are_judged(void **state) {
	(void)state;
	static const char tiers[] = {'V', 'A', 'B', 'C'};
	struct fhir_validator *validators[] = {
	    fhir_validator_new(&fhir_r4, FHIR_MARKDOWN_WARNS), fhir_validator_new(&fhir_r4, FHIR_MARKDOWN_REFUSES)};
	struct run run = {.validator = NULL};
	struct arena arena;
	vectors_need("fhir/validator-cases");
	arena_init(&arena);
	const struct json *cases = json_get(vectors_json(&arena, "fhir/validator-cases/expected-index.json"), "cases");
	for (size_t t = 0; t < sizeof tiers; t++) {
		size_t accepted = 0, refused = 0;
		run.tally = (struct vectors){.name = "fhir/validator cases"};
		json_foreach (entry, cases) {
			struct bytes tier = json_string(json_get(entry, "tier"));
			if (tier.len != 1 || tier.data[0] != (uint8_t)tiers[t]) continue;
			const char *file = arena_strdup(&arena, json_get(entry, "file")->text);
			const char *path = vectors_path(&arena, arena_printf(&arena, "fhir/validator-cases/%s", file));
			run.validator =
			    validators[json_is(json_get(json_get(entry, "opts"), "noHtmlInMarkdown"), JSON_TRUE)];
			bool valid = is_valid(&run, &arena, vectors_read(&arena, path), file);
			accepted += valid;
			refused += !valid;
			if (tiers[t] != 'C')
				vectors_count(&run.tally, valid == (tiers[t] == 'V'), file, BYTES_LITERAL(""));
		}
		printf("tier %c: %zu accepted, %zu refused\n", tiers[t], accepted, refused);
		if (tiers[t] != 'C') vectors_report(&run.tally);
	}
	arena_fini(&arena);
	for (size_t i = 0; i < 2; i++) fhir_validator_free(validators[i]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(official_examples_are_valid),
	    cmocka_unit_test(histories_of_synthea_are_valid),
	    cmocka_unit_test(validator_cases_are_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
