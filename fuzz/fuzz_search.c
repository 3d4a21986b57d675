/* Whatever a query is, reading it ends within its bounds; what is taken can be written as a self link and read again,
 * and then is the same. The input is a query; its first byte chooses the type. */
#include "fuzz/target.h"
#include "health/fhir/search_query.h"

static bool read(struct fhir_search **out, struct arena *arena, uint16_t type, struct bytes text, bool is_strict) {
	struct http_query query;
	struct fhir_issues issues;
	struct fhir_search_settings settings = {.defs = &fhir_r4,
	    .type = type,
	    .base = "http://here/fhir",
	    .is_strict = is_strict,
	    .compartment = type % 5 ? FHIR_NONE : fhir_definitions_resource(&fhir_r4, BYTES_LITERAL("Patient")),
	    .compartment_id = BYTES_LITERAL("1")};
	fhir_issues_init(&issues, arena);
	if (http_query_parse(&query, arena, text, NULL) != STATUS_OK) return false;
	enum status status = fhir_search_read(out, arena, &settings, &query, &issues);
	BUG_ON(status != (issues.has_error ? STATUS_INVALID : STATUS_OK));
	return status == STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const types[] = {"Patient", "Observation", "Encounter", "ValueSet", "List", "Provenance"};
	struct arena arena;
	struct fhir_search *search, *again;
	if (!size) return 0;
	uint16_t type =
	    data[0] % 8 < 6 ? fhir_definitions_resource(&fhir_r4, bytes_text(types[data[0] % 8])) : FHIR_NONE;
	arena_init(&arena);
	if (read(&search, &arena, type, bytes_make(data + 1, size - 1), data[0] & 64)) {
		struct buf self, twice;
		buf_init(&self, BUF_MAX_DEFAULT);
		buf_init(&twice, BUF_MAX_DEFAULT);
		fhir_search_write(&self, search);
		BUG_ON(!read(&again, &arena, type, buf_view(&self), true)); /* nothing unknown is left */
		fhir_search_write(&twice, again);
		BUG_ON(!bytes_equal(buf_view(&self), buf_view(&twice)));
		BUG_ON(search->sort_count != again->sort_count || search->include_count != again->include_count);
		buf_fini(&self);
		buf_fini(&twice);
	}
	arena_fini(&arena);
	return 0;
}
