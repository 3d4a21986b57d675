/* Whatever a resource is, validation ends within its bounds, says the same twice, and its issues are an
 * OperationOutcome that is itself valid. */
#include "fuzz/target.h"
#include "health/fhir/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct fhir_issues issues, again;
	const struct json *resource, *outcome;
	struct buf out;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	fhir_issues_init(&again, &arena);
	if (json_parse(&resource, &arena, bytes_make(data, size), NULL, NULL) == STATUS_OK) {
		struct fhir_validator *validator = fhir_validator_new(&fhir_r4, FHIR_MARKDOWN_REFUSES);
		bool is_valid = fhir_validate(validator, &issues, resource);
		BUG_ON(is_valid == issues.has_error);
		BUG_ON(fhir_validate(validator, &again, resource) != is_valid || again.count != issues.count);
		buf_init(&out, BUF_MAX_DEFAULT);
		fhir_operation_outcome(&out, &issues);
		fhir_issues_init(&again, &arena);
		BUG_ON(json_parse(&outcome, &arena, buf_view(&out), NULL, NULL) != STATUS_OK);
		BUG_ON(!fhir_validate(validator, &again, outcome));
		buf_fini(&out);
		fhir_validator_free(validator);
	}
	arena_fini(&arena);
	return 0;
}
