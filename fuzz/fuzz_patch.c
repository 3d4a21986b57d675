/* Whatever a patch does, what comes out is JSON again, and whatever it refuses has an issue. The input is a patch;
 * behind a NUL, the document. */
#include "fuzz/target.h"
#include "health/fhir/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct fhir_issues issues;
	const struct json *patch, *again;
	struct bytes out, document = BYTES_LITERAL("{\"a\":[1.50,{\"b\":null}],\"c\":{\"d\":\"x\"}}");
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	if (nul) document = bytes_make(nul + 1, size - len - 1);
	if (json_parse(&patch, &arena, bytes_make(data, len), NULL, NULL) == STATUS_OK) {
		enum fhir_patch_verdict verdict = json_is(patch, JSON_ARRAY)
						      ? fhir_patch_json(&out, &issues, document, patch)
						      : fhir_patch_fhirpath(&out, &issues, &fhir_r4, document, patch);
		BUG_ON(issues.has_error != (verdict != FHIR_PATCH_DONE));
		BUG_ON(verdict == FHIR_PATCH_DONE && json_parse(&again, &arena, out, NULL, NULL) != STATUS_OK);
	}
	arena_fini(&arena);
	return 0;
}
