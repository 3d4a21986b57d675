/* An EPCIS document that is accepted has events whose bytes lie in it. */
#include "fuzz/target.h"
#include "health/epcis/epcis.h"
#include "health/epcis/event_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct epcis_document document;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	if (epcis_parse(&document, &arena, bytes_make(data, size), &err) == STATUS_OK) {
		const struct event_hash_names *names = event_hash_names_of(&arena, document.tree, document.is_xml);
		BUG_ON(document.count > EPCIS_EVENTS_MAX);
		for (size_t i = 0; i < document.count; i++) {
			struct bytes raw = document.events[i].raw;
			BUG_ON(raw.data < data || raw.data + raw.len > data + size);
			BUG_ON(!event_hash_prehash(names, document.events[i].tree).len);
		}
	}
	arena_fini(&arena);
	return 0;
}
