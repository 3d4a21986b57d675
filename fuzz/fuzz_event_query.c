/* EPCIS's query language: any parameters, in a URL and as JSON, over the terms of an event that is fuzzed too. */
#include "base/http_uri.h"
#include "health/epcis/event_check.h"
#include "health/epcis/event_form.h"
#include "health/epcis/event_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The event that the input's second part is, or none. */
static void make_terms(struct event_terms *out, struct arena *arena, struct bytes text) {
	const struct json *event;
	struct buf answer;
	if (json_parse(&event, arena, text, NULL, NULL) != STATUS_OK || !json_is(event, JSON_OBJECT)) return;
	event_terms_of(out, arena, json_get(event, "@context"), event);
	buf_init(&answer, 1 << 20);
	event_form_answer(
	    &answer, event, EVENT_FORM_DIGITAL_LINKS, 0, event_form_context(arena, json_get(event, "@context")));
	buf_fini(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct bytes input = bytes_make(data, size);
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	const struct bytes first = bytes_slice(input, 0, end ? (size_t)(end - data) : size);
	const struct bytes second = bytes_slice(input, first.len + 1, size);
	struct arena arena;
	struct http_query parameters;
	struct event_terms terms = {0};
	const struct json *json;
	enum epcis_exception exception;
	arena_init(&arena);
	struct event_query *query = arena_zalloc(&arena, 1, sizeof *query);
	make_terms(&terms, &arena, second);
	if (json_parse(&json, &arena, first, NULL, NULL) == STATUS_OK) {
		(void)!event_query_add_all(query, &arena, NULL, json, &exception, NULL);
	} else if (http_query_parse(&parameters, &arena, first, NULL) == STATUS_OK) {
		for (size_t i = 0; i < parameters.count; i++)
			(void)!event_query_add(query, &arena, NULL, parameters.items[i].name,
			    &parameters.items[i].value, parameters.items[i].value.data != NULL, &exception, NULL);
	}
	if (event_query_check(query, &exception, NULL) == STATUS_OK) (void)event_query_meets(query, &terms);
	arena_fini(&arena);
	return 0;
}
