/* A document that is accepted has resources whose bytes lie in it, and patients that exist. */
#include "fuzz/target.h"
#include "health/fhir/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct fhir_document document;
	struct arena arena;
	struct fhir_issues issues;
	arena_init(&arena);
	fhir_issues_init(&issues, &arena);
	if (fhir_document_read(&document, &issues, bytes_make(data, size))) {
		for (size_t i = 0; i < document.resource_count; i++) {
			const struct fhir_resource *resource = &document.resources[i];
			BUG_ON(!fhir_type_is_known(resource->type));
			BUG_ON(resource->raw.data < data || resource->raw.data + resource->raw.len > data + size);
			BUG_ON(resource->patient != SIZE_MAX && resource->patient >= document.patient_count);
		}
		for (size_t i = 0; i < document.patient_count; i++) {
			size_t resource = document.patients[i].resource;
			BUG_ON(resource != SIZE_MAX && resource >= document.resource_count);
		}
	}
	struct buf out;
	buf_init(&out, BUF_MAX_DEFAULT);
	fhir_operation_outcome(&out, &issues);
	const struct json *again;
	BUG_ON(json_parse(&again, &arena, buf_view(&out), NULL, NULL) != STATUS_OK);
	buf_fini(&out);
	arena_fini(&arena);
	return 0;
}
