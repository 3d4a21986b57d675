/* Whatever an expression is, compiling and evaluating end within their bounds, and what comes out can be written. The
 * input is an expression; behind a NUL, a resource that it is asked of. */
#include "fuzz/target.h"
#include "health/fhir/fhirpath.h"
#include "health/fhir/narrative.h"
#include "health/fhir/regex.h"

static const char fallback[] =
    "{\"resourceType\":\"Patient\",\"id\":\"1\",\"active\":true,\"name\":[{\"given\":[\"A\",\"B\"],"
    "\"period\":{\"start\":\"2001-02-03\"}}],\"birthDate\":\"1974-12-25\",\"contained\":[{"
    "\"resourceType\":\"Observation\",\"id\":\"o\",\"valueQuantity\":{\"value\":1.50,\"code\":\"mg\"}}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	const struct json *resource;
	const struct fhirpath *path;
	const struct fhir_regex *regex;
	struct fhirpath_values values;
	const char *why;
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	struct bytes text = bytes_make(data, len);
	arena_init(&arena);
	fhir_narrative_check(text, &why);
	if (fhir_regex_compile(&regex, &arena, text, NULL) == STATUS_OK) {
		struct fhir_regex_match match;
		uint64_t steps = 100000;
		struct bytes subject = BYTES_LITERAL("aab 12-34 \xc3\xa9");
		if (fhir_regex_search(&match, &steps, &arena, regex, subject, 0, NULL) == STATUS_OK && match.is_found)
			BUG_ON(match.to[0] > subject.len || match.from[0] > match.to[0]);
	}
	if (!nul || json_parse(&resource, &arena, bytes_make(nul + 1, size - len - 1), NULL, NULL) != STATUS_OK)
		BUG_ON(json_parse(&resource, &arena, bytes_text(fallback), NULL, NULL) != STATUS_OK);
	struct fhirpath_context context = fhirpath_context(&fhir_r4, &arena, resource);
	context.steps_max = 20000;
	if (fhirpath_compile(&path, &arena, text, NULL) == STATUS_OK &&
	    fhirpath_evaluate(&values, &context, path, &context.resource, NULL) == STATUS_OK) {
		struct buf out;
		buf_init(&out, BUF_MAX_DEFAULT);
		for (uint32_t i = 0; i < values.count; i++) fhirpath_write(&out, &fhir_r4, &values.items[i]);
		buf_fini(&out);
	}
	arena_fini(&arena);
	return 0;
}
