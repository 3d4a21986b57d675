/* Any text as the scopes of a token: what gives a right says so in its own letters, and what is given is bounded. */
#include "fuzz/target.h"
#include "health/fhir/definitions.h"
#include "health/gateway/asker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct arena arena;
	struct asker asker = {.patient = BYTES_LITERAL("p")};
	arena_init(&arena);
	if (smart_scopes_parse(&asker.scopes, &arena, bytes_make(data, size), NULL) == STATUS_OK) {
		BUG_ON(asker.scopes.count > SMART_SCOPES_MAX);
		for (unsigned i = 0; i < 5; i++) {
			struct resource_scope scope;
			const enum asker_right right = (enum asker_right)(1u << i);
			enum status status = asker_scope(&scope, &arena, &asker, right, FHIR_NONE, NULL);
			BUG_ON((status == STATUS_OK) != (scope.count > 0));
			for (size_t j = 0; j < scope.count; j++)
				BUG_ON(scope.rules[j].in_compartment && !scope.rules[j].patient.len);
		}
	}
	arena_fini(&arena);
	return 0;
}
