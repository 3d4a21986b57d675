/* Any bytes as a resource of another author: what is shown is a resource under an id of its own, and shown twice it is
 * another's again. */
#include "fuzz/target.h"
#include "health/fhir/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const addr20 author = {{1}};
	struct arena arena;
	struct bytes shown;
	const struct json *tree;
	arena_init(&arena);
	if (fhir_foreign_write(&shown, &arena, &fhir_r4, &author, bytes_make(data, size), NULL) == STATUS_OK) {
		BUG_ON(json_parse(&tree, &arena, shown, NULL, NULL) != STATUS_OK);
		BUG_ON(!fhir_foreign_is(json_string(json_get(tree, "id"))));
		BUG_ON(fhir_foreign_write(&shown, &arena, &fhir_r4, &author, shown, NULL) != STATUS_OK);
	}
	arena_fini(&arena);
	return 0;
}
