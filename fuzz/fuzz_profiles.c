/* Whatever a profile or a package is, taking it in and checking by it ends within bounds and says the same twice. The
 * input is a definition, a NUL, and a resource; or a package. */
#include "fuzz/target.h"
#include "health/fhir/profiles.h"

static void check(const struct fhir_profiles *profiles, struct arena *arena, const struct json *resource) {
	struct fhir_issues issues, again;
	for (size_t i = 0; i < fhir_profiles_count(profiles); i++) {
		const struct bytes url = bytes_text(fhir_profiles_url(profiles, i));
		fhir_issues_init(&issues, arena);
		fhir_issues_init(&again, arena);
		uint64_t steps = fhir_profiles_steps(resource), steps_again = steps;
		const bool is_good = fhir_profiles_check(profiles, &issues, resource, url, &steps);
		BUG_ON(is_good == issues.has_error);
		BUG_ON(fhir_profiles_check(profiles, &again, resource, url, &steps_again) != is_good);
		BUG_ON(again.count != issues.count || steps_again != steps);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	const struct json *resource;
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	const size_t len = end ? (size_t)(end - data) : size;
	struct fhir_profiles *profiles = fhir_profiles_new(&fhir_r4), *packed = fhir_profiles_new(&fhir_r4);
	arena_init(&arena);
	const struct bytes rest = bytes_slice(bytes_make(data, size), len + 1, size);
	const bool is_taken = fhir_profiles_take(profiles, bytes_make(data, len), NULL) == STATUS_OK;
	if (is_taken && json_parse(&resource, &arena, rest, NULL, NULL) == STATUS_OK) check(profiles, &arena, resource);
	if (fhir_profiles_take_package(packed, bytes_make(data, size), NULL) == STATUS_OK &&
	    json_parse(&resource, &arena, BYTES_LITERAL("{\"resourceType\":\"Patient\"}"), NULL, NULL) == STATUS_OK)
		check(packed, &arena, resource);
	fhir_profiles_free(profiles);
	fhir_profiles_free(packed);
	arena_fini(&arena);
	return 0;
}
